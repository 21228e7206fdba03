#include "flow/core_contract.h"

#include "base/mem.h"
#include "base/text.h"
#include "config/contract.h"
#include "model/envelope.h"
#include "model/marks.h"
#include "model/table.h"

#include <stdlib.h>
#include <strings.h>

#define MAX_PATH_BYTES 1000 /* of a pointer in a header or a reason: keys can be long */

struct row {
	struct core_contract_scope scope;
	struct contract *contract;
};

/* What is found in one message. */
struct findings {
	struct core_contract *core;
	const struct contract *contract;
	size_t count;
};

struct core_contract {
	struct row *rows;
	size_t count, capacity;
	uint64_t violations;
	struct buf scratch, reason, headers;
};

/* ---- which contract ---- */

static bool is_broken_on_purpose(const struct message *m)
{
	return (m->present & MESSAGE_HEADERS) != 0 && marks_has(m->headers, MARKS_BROKEN);
}

static bool applies(const struct core_contract_scope *scope, const struct flow_message *m)
{
	return (scope->queue == NULL || slice_is(m->queue, scope->queue)) &&
	       (!scope->of_member || scope->member == m->member) &&
	       !(scope->spares_broken && is_broken_on_purpose(m->message));
}

/* ---- what is judged ---- */

static bool may_be_structured(const struct message *m)
{
	static const char type[] = "application/cloudevents";
	return (m->present & MESSAGE_CONTENT_TYPE) != 0 && m->content_type.len >= sizeof type - 1 &&
	       strncasecmp(m->content_type.ptr, type, sizeof type - 1) == 0;
}

struct slice core_contract_data(const struct message *m, struct buf *scratch)
{
	struct envelope envelope;
	struct slice body = m->body.ptr != NULL ? m->body : SLICE("");
	if (!may_be_structured(m))
		return body;
	envelope_read(m, scratch, &envelope);
	if (envelope.mode != ENVELOPE_STRUCTURED)
		return body;
	return envelope.data;
}

/* ---- what is said ---- */

/* As much of it as is told, ending between two characters. */
static struct slice cut(const char *pointer)
{
	struct slice s = slice_str(pointer);
	if (s.len <= MAX_PATH_BYTES)
		return s;
	for (s.len = MAX_PATH_BYTES; s.len > 0 && ((unsigned char)s.ptr[s.len] & 0xc0) == 0x80;)
		s.len--;
	return s;
}

static void tell(struct core_contract *core, const struct contract *contract, const char *instance,
    const char *schema, const char *text)
{
	buf_clear(&core->reason);
	buf_clear(&core->headers);
	text_escape(slice_str(instance), MAX_PATH_BYTES, &core->reason);
	buf_append_str(&core->reason, instance[0] != '\0' ? ": " : "");
	buf_append_str(&core->reason, text);
	table_add_string(&core->headers, MARKS_CONTRACT, cut(contract_name(contract)));
	table_add_string(&core->headers, MARKS_INSTANCE_PATH, cut(instance));
	table_add_string(&core->headers, MARKS_SCHEMA_PATH, cut(schema));
}

static void on_finding(void *ctx, const struct schema_finding *finding)
{
	struct findings *f = ctx;
	if (f->count++ == 0)
		tell(f->core, f->contract, finding->instance, finding->schema, finding->text);
}

static bool judge(struct core_contract *core, const struct contract *contract, struct slice body)
{
	struct findings findings = {core, contract, 0};
	if (body.ptr == NULL) {
		tell(core, contract, "", "", "the event has no data");
		return false;
	}
	struct error err;
	error_clear(&err);
	if (contract_judge(contract, body, on_finding, &findings, &err))
		return true;
	if (findings.count == 0) /* nobody can tell, so nobody may rely on it */
		tell(core, contract, "", "", err.text);
	if (findings.count > 1)
		buf_printf(&core->reason, " (and %zu more)", findings.count - 1);
	return false;
}

bool core_contract_passes(
    struct core_contract *core, const struct flow_message *m, struct flow_verdict *verdict)
{
	for (size_t i = 0; i < core->count; i++) {
		const struct row *row = &core->rows[i];
		if (!applies(&row->scope, m) ||
		    judge(core, row->contract, core_contract_data(m->message, &core->scratch)))
			continue;
		core->violations++;
		*verdict = (struct flow_verdict){.fate = FLOW_REJECTED,
		    .reason = core->reason.ptr,
		    .headers = buf_slice(&core->headers)};
		return false;
	}
	return true;
}

static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)flow, (void)slot, (void)out;
	return core_contract_passes(self, in, verdict) ? FLOW_PASS : FLOW_SETTLE;
}

/* ---- life ---- */

struct core_contract *core_contract_create(void)
{
	return mem_alloc(1, sizeof(struct core_contract));
}

bool core_contract_add(struct core_contract *core, const char *path,
    const struct core_contract_scope *scope, struct error *err)
{
	struct contract *contract = contract_load(path, err);
	if (contract == NULL)
		return false;
	core->rows = mem_grow(core->rows, &core->capacity, core->count + 1, sizeof *core->rows);
	core->rows[core->count++] = (struct row){*scope, contract};
	return true;
}

void core_contract_free(struct core_contract *core)
{
	if (core == NULL)
		return;
	for (size_t i = 0; i < core->count; i++)
		contract_free(core->rows[i].contract);
	free(core->rows);
	buf_release(&core->scratch);
	buf_release(&core->reason);
	buf_release(&core->headers);
	free(core);
}

struct flow_core core_contract_core(struct core_contract *core)
{
	static const struct flow_core_kind kind = {.apply = apply};
	return (struct flow_core){&kind, core};
}

uint64_t core_contract_violations(const struct core_contract *core)
{
	return core->violations;
}
