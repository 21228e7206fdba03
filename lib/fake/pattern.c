#include "fake/pattern.h"

#include "base/mem.h"
#include "fake/pattern_body.h"
#include "fake/pattern_envelope.h"
#include "fake/pattern_event.h"

#include <stdlib.h>

#define MAX_SHORT 255 /* bytes of a short string of AMQP */

struct pattern {
	char *exchange;
	struct generator *routing_key; /* NULL: empty */
	struct buf routing_key_text;
	struct pattern_fields fields;
	struct generator_span *spans; /* the fields of the message being rendered */
	size_t *rows;		      /* and the rows it takes of the pools */
	struct pattern_body body;
	struct pattern_envelope envelope;
	struct pattern_event event;
	struct generator_context context;
};

static bool read_exchange(struct pattern *p, const json_t *spec, struct report *report)
{
	struct report_path at = {NULL, "exchange", 0};
	const json_t *json = json_object_get(spec, "exchange");
	if (json != NULL && !json_is_string(json))
		return report_kind(report, &at, "the name of an exchange", json);
	size_t len = json_string_length(json);
	if (len > MAX_SHORT)
		return report_add(
		    report, &at, "has %zu bytes; AMQP allows %d here", len, MAX_SHORT);
	p->exchange = mem_strndup(json ? json_string_value(json) : "", len);
	return true;
}

static bool read_routing_key(struct pattern *p, const json_t *spec, struct generator_scope *scope)
{
	struct report_path at = {NULL, "routing_key", 0};
	const json_t *json = json_object_get(spec, "routing_key");
	if (json == NULL)
		return true;
	p->routing_key = pattern_envelope_read_text(json, &at, scope);
	return p->routing_key != NULL;
}

/* What may insert fields; they are known by now. */
static void compile_users(struct pattern *p, const char *name, const json_t *spec,
    const char *directory, struct report *report, const struct pattern_pools *pools)
{
	uint64_t *uses = mem_alloc(p->fields.count, sizeof *uses);
	struct generator_scope scope = pattern_fields_scope(&p->fields, uses, report, pools);
	/* Whether something was reported is counted in `report`. */
	(void)read_routing_key(p, spec, &scope);
	(void)pattern_body_create(&p->body, spec, directory, &p->fields, &scope);
	(void)pattern_envelope_create(&p->envelope, spec, &scope);
	(void)pattern_event_create(&p->event, name, spec, &scope);
	free(uses);
}

struct pattern *pattern_create(const char *name, const json_t *spec, const char *directory,
    const struct pattern_pools *pools, reader_report_fn *report_fn, void *ctx)
{
	struct report report = {.add = report_fn, .ctx = ctx};
	struct report_path fields_at = {NULL, "fields", 0};
	struct pattern *p = mem_alloc(1, sizeof *p);
	if (!json_is_object(spec)) {
		report_kind(&report, NULL, "a map with exchange, routing_key, fields ...", spec);
	} else {
		(void)read_exchange(p, spec, &report);
		(void)pattern_fields_create(
		    &p->fields, json_object_get(spec, "fields"), &fields_at, &report, pools, false);
		compile_users(p, name, spec, directory, &report, pools);
	}
	if (report.count > 0) {
		pattern_free(p);
		return NULL;
	}
	p->spans = mem_alloc(p->fields.count, sizeof *p->spans);
	p->rows = mem_alloc(pools ? pools->count : 0, sizeof *p->rows);
	p->context.pools = pools;
	return p;
}

static bool render_routing_key(struct pattern *p, struct error *err)
{
	buf_clear(&p->routing_key_text);
	if (p->routing_key != NULL)
		(void)generator_render(p->routing_key, &p->context, &p->routing_key_text);
	return p->routing_key_text.len <= MAX_SHORT ||
	       error_set(err, ERROR_DATA, "the routing key has %zu bytes; AMQP allows %d",
		   p->routing_key_text.len, MAX_SHORT);
}

bool pattern_render(struct pattern *p, struct rng *r, int64_t wall_ms, uint64_t sequence,
    struct message *out, struct error *err)
{
	struct slice body, content_type, broken;
	struct message m;
	p->context.rng = r;
	p->context.wall_ms = wall_ms;
	p->context.sequence = sequence;
	pattern_fields_render(&p->fields, &p->context, p->spans, p->rows);
	if (!render_routing_key(p, err))
		return false;
	pattern_body_render(&p->body, &p->fields, &p->context, &body, &content_type, &broken);
	if (!pattern_envelope_render(&p->envelope, &p->context, content_type, broken, &m, err))
		return false;
	m.exchange = slice_str(p->exchange);
	m.routing_key = buf_slice(&p->routing_key_text);
	m.body = body;
	if (!pattern_event_render(&p->event, &p->context, &p->envelope.table, &m, err))
		return false;
	*out = m;
	return true;
}

void pattern_set_body(struct pattern *p, struct slice body, struct message *m)
{
	pattern_event_set_data(&p->event, body, m);
}

void pattern_free(struct pattern *p)
{
	if (p == NULL)
		return;
	pattern_fields_release(&p->fields);
	pattern_body_release(&p->body);
	pattern_envelope_release(&p->envelope);
	pattern_event_release(&p->event);
	generator_free(p->routing_key);
	buf_release(&p->routing_key_text);
	buf_release(&p->context.arena);
	buf_release(&p->context.spare);
	free(p->exchange);
	free(p->spans);
	free(p->rows);
	free(p);
}
