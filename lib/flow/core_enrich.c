#include "flow/core_enrich.h"

#include "base/mem.h"
#include "base/text.h"
#include "flow/key.h"

#include <stdlib.h>

struct core_enrich {
	char *member;
	struct key *key; /* NULL: none */
	enum core_enrich_missing missing;
	struct enrichment *with;
	struct buf key_text, body, reason;
	uint64_t missed;
};

static enum flow_answer reject(
    struct core_enrich *core, struct flow_verdict *verdict, const char *why)
{
	buf_clear(&core->reason);
	buf_append_str(&core->reason, "enrich '");
	text_escape(slice_str(core->member), 100, &core->reason);
	buf_printf(&core->reason, "': %s", why);
	*verdict = (struct flow_verdict){.fate = FLOW_REJECTED, .reason = core->reason.ptr};
	return FLOW_SETTLE;
}

/* False: there is none. */
static bool read_key(struct core_enrich *core, const struct message *m)
{
	buf_clear(&core->key_text);
	if (core->key != NULL)
		return key_read(core->key, m, &core->key_text);
	if ((m->present & MESSAGE_MESSAGE_ID) != 0)
		buf_append(&core->key_text, m->message_id);
	return true;
}

/* Takes the value, which may be none. */
static enum flow_answer set(struct core_enrich *core, struct datum *body, struct datum value,
    struct message *out, struct flow_verdict *verdict)
{
	if (!datum_exists(&value)) {
		core->missed++;
		if (core->missing == CORE_ENRICH_REJECT)
			return reject(core, verdict, "there is nothing under its key");
		if (core->missing == CORE_ENRICH_NULL)
			value = datum_null();
	}
	datum_put_take(body, slice_str(core->member), value);
	buf_clear(&core->body);
	datum_write(body, &core->body);
	out->body = buf_slice(&core->body);
	return FLOW_PASS;
}

/* What fails here fails for every message: the run ends, and this one comes again. */
static enum flow_answer fail(
    struct flow *flow, struct flow_verdict *verdict, const struct error *err)
{
	flow_fail(flow, err);
	*verdict = (struct flow_verdict){.fate = FLOW_RELEASED, .reason = ""};
	return FLOW_SETTLE;
}

static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)slot;
	struct core_enrich *core = self;
	struct error err = {0};
	struct datum body, value = {0};
	if (!datum_parse(in->message->body, &body))
		return reject(core, verdict, "the body is no JSON object");
	enum flow_answer answer;
	if (!datum_is_object(&body))
		answer = reject(core, verdict, "the body is no JSON object");
	else if (read_key(core, in->message) &&
		 !enrichment_find(core->with, buf_slice(&core->key_text), &value, &err))
		answer = fail(flow, verdict, &err);
	else
		answer = set(core, &body, value, out, verdict);
	datum_free(&body);
	return answer;
}

struct flow_core core_enrich_core(struct core_enrich *core)
{
	static const struct flow_core_kind kind = {.apply = apply};
	return (struct flow_core){&kind, core};
}

uint64_t core_enrich_missed(const struct core_enrich *core)
{
	return core->missed;
}

/* ---- life ---- */

static bool open_key(
    struct core_enrich *core, const struct core_enrich_options *options, struct error *err)
{
	if (options->key == NULL)
		return options->with.volume != NULL ||
		       error_set(err, ERROR_USAGE,
			   "enrich needs a key: a jq expression on the body that says which %s",
			   options->with.store != NULL ? "subject" : "object of the file");
	core->key = key_create_jq(options->key, "enrich", err);
	return core->key != NULL;
}

struct core_enrich *core_enrich_create(const struct core_enrich_options *options, struct error *err)
{
	struct core_enrich *core = mem_alloc(1, sizeof *core);
	core->member = mem_strdup(options->member);
	core->missing = options->missing;
	core->with = enrichment_open(&options->with, err);
	if (core->with != NULL && open_key(core, options, err))
		return core;
	core_enrich_free(core);
	return NULL;
}

void core_enrich_free(struct core_enrich *core)
{
	if (core == NULL)
		return;
	key_free(core->key);
	enrichment_close(core->with);
	buf_release(&core->key_text);
	buf_release(&core->body);
	buf_release(&core->reason);
	free(core->member);
	free(core);
}
