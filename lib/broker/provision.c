#include "broker/provision.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/provision_private.h"

#include <amqp.h>
#include <amqp_framing.h>

#include <stdlib.h>

static const struct channel_handlers no_handlers = {0};

struct provision_run provision_begin(struct connection *c, provision_report_fn *report, void *ctx)
{
	return (struct provision_run){.connection = c, .report = report, .ctx = ctx};
}

void provision_end(struct provision_run *run)
{
	connection_close_channel(run->connection, run->channel);
	rabbitmqc_table_release(&run->arguments);
}

/* The table is valid until the next one is read. */
static bool read_arguments(
    struct provision_run *run, const json_t *arguments, amqp_table_t *out, struct error *err)
{
	bool good = rabbitmqc_table_read(&run->arguments, arguments, err);
	*out = run->arguments.table;
	return good;
}

/* A refusal is left in connection_refusal and in err as it came. */
static void *call(struct provision_run *run, uint32_t method_id, void *request, uint32_t reply_id,
    struct error *err)
{
	if (run->channel == 0)
		run->channel = connection_open_channel(run->connection, &no_handlers, NULL, err);
	if (run->channel == 0)
		return NULL;
	void *reply =
	    connection_call(run->connection, run->channel, method_id, request, reply_id, err);
	if (reply == NULL)
		run->channel = 0; /* the broker closed it */
	return reply;
}

bool provision_explain(struct provision_run *run, const struct error *raw,
    const struct refusal_context *context, struct error *err)
{
	const struct connection_refusal *refusal = connection_refusal(run->connection);
	if (refusal->code != 0 && (raw->kind == ERROR_REFUSED || raw->kind == ERROR_ACCESS))
		return refusal_explain(refusal->code, refusal->text, context, err);
	return error_set(err, raw->kind, "cannot %s %s '%s': %s", context->doing, context->object,
	    context->name, raw->text);
}

void *provision_call_for(struct provision_run *run, uint32_t method_id, void *request,
    uint32_t reply_id, const struct refusal_context *context, struct error *err)
{
	struct error raw = {0};
	void *reply = call(run, method_id, request, reply_id, &raw);
	if (reply == NULL)
		provision_explain(run, &raw, context, err);
	return reply;
}

void provision_tell(struct provision_run *run, const char *verb, const char *object,
    const char *name, uint64_t count)
{
	if (run->report != NULL)
		run->report(run->ctx, verb, object, name, count);
}

/* ---- one object ---- */

bool provision_put_exchange(
    struct provision_run *run, const struct topology_exchange *e, struct error *err)
{
	amqp_exchange_declare_t request = {.exchange = rabbitmqc_bytes(e->name),
	    .type = rabbitmqc_bytes(e->type),
	    .passive = !e->declared,
	    .durable = e->durable,
	    .auto_delete = e->auto_delete,
	    .internal = e->internal};
	return read_arguments(run, e->arguments, &request.arguments, err) &&
	       call(run, AMQP_EXCHANGE_DECLARE_METHOD, &request, AMQP_EXCHANGE_DECLARE_OK_METHOD,
		   err) != NULL;
}

bool provision_put_queue(
    struct provision_run *run, const struct topology_queue *q, struct error *err)
{
	amqp_queue_declare_t request = {.queue = rabbitmqc_bytes(q->name),
	    .passive = !q->declared,
	    .durable = q->durable,
	    .exclusive = q->exclusive,
	    .auto_delete = q->auto_delete};
	return read_arguments(run, q->arguments, &request.arguments, err) &&
	       call(run, AMQP_QUEUE_DECLARE_METHOD, &request, AMQP_QUEUE_DECLARE_OK_METHOD, err) !=
		   NULL;
}

/* Tells what was done, or why not. */
static bool told(struct provision_run *run, bool good, bool declared, const char *object,
    const char *name, const struct error *raw, struct error *err)
{
	char *shown = text_quote(slice_str(name));
	struct refusal_context context = {declared ? "declare" : "find", object, shown};
	if (good)
		provision_tell(run, declared ? "declared" : "found", object, name, 0);
	else
		provision_explain(run, raw, &context, err);
	free(shown);
	return good;
}

static bool declare_exchange(
    struct provision_run *run, const struct topology_exchange *e, struct error *err)
{
	struct error raw = {0};
	bool good = provision_put_exchange(run, e, &raw);
	return told(run, good, e->declared, "exchange", e->name, &raw, err);
}

static bool declare_queue(
    struct provision_run *run, const struct topology_queue *q, struct error *err)
{
	struct error raw = {0};
	bool good = provision_put_queue(run, q, &raw);
	return told(run, good, q->declared, "queue", q->name, &raw, err);
}

/* ---- bindings ---- */

/* bind and unbind differ in the methods and in one field that neither needs. */
static bool call_for_queue(struct provision_run *run, const struct topology_binding *b, bool make,
    const struct refusal_context *context, struct error *err)
{
	amqp_bytes_t queue = rabbitmqc_bytes(b->destination),
		     exchange = rabbitmqc_bytes(b->exchange);
	amqp_bytes_t key = rabbitmqc_bytes(b->routing_key);
	amqp_queue_bind_t bind = {.queue = queue, .exchange = exchange, .routing_key = key};
	amqp_queue_unbind_t unbind = {.queue = queue, .exchange = exchange, .routing_key = key};
	if (!read_arguments(run, b->arguments, &bind.arguments, err))
		return false;
	unbind.arguments = bind.arguments;
	return make ? provision_call_for(run, AMQP_QUEUE_BIND_METHOD, &bind,
			  AMQP_QUEUE_BIND_OK_METHOD, context, err) != NULL
		    : provision_call_for(run, AMQP_QUEUE_UNBIND_METHOD, &unbind,
			  AMQP_QUEUE_UNBIND_OK_METHOD, context, err) != NULL;
}

static bool call_for_exchange(struct provision_run *run, const struct topology_binding *b,
    bool make, const struct refusal_context *context, struct error *err)
{
	amqp_bytes_t to = rabbitmqc_bytes(b->destination), from = rabbitmqc_bytes(b->exchange);
	amqp_bytes_t key = rabbitmqc_bytes(b->routing_key);
	amqp_exchange_bind_t bind = {.destination = to, .source = from, .routing_key = key};
	amqp_exchange_unbind_t unbind = {.destination = to, .source = from, .routing_key = key};
	if (!read_arguments(run, b->arguments, &bind.arguments, err))
		return false;
	unbind.arguments = bind.arguments;
	return make ? provision_call_for(run, AMQP_EXCHANGE_BIND_METHOD, &bind,
			  AMQP_EXCHANGE_BIND_OK_METHOD, context, err) != NULL
		    : provision_call_for(run, AMQP_EXCHANGE_UNBIND_METHOD, &unbind,
			  AMQP_EXCHANGE_UNBIND_OK_METHOD, context, err) != NULL;
}

static bool change_binding(
    struct provision_run *run, const struct topology_binding *b, bool make, struct error *err)
{
	bool keyed = b->routing_key[0] != '\0';
	char *name = mem_printf("%s -> %s%s%s%s", b->exchange, b->destination, keyed ? " [" : "",
	    b->routing_key, keyed ? "]" : "");
	char *shown = text_quote(slice_str(name));
	const struct refusal_context context = {make ? "make" : "undo", "binding", shown};
	bool good =
	    (b->to_exchange ? call_for_exchange : call_for_queue)(run, b, make, &context, err);
	if (good)
		provision_tell(run, make ? "made" : "undid", "binding", name, 0);
	free(shown);
	free(name);
	return good;
}

/* ---- apply ---- */

/* Whether the queue is another connection's business. */
static bool is_left_out(const struct topology_queue *q, const char *const *own)
{
	if (!q->exclusive)
		return false;
	for (; own != NULL && *own != NULL; own++)
		if (strcmp(*own, q->name) == 0)
			return false;
	return true;
}

static bool leads_nowhere(
    const struct topology *t, const struct topology_binding *b, const char *const *own)
{
	const struct topology_queue *q =
	    b->to_exchange ? NULL : topology_find_queue(t, slice_str(b->destination));
	return q != NULL && is_left_out(q, own);
}

bool provision_apply(struct connection *c, const struct topology *t, const char *const *own,
    provision_report_fn *report, void *ctx, struct error *err)
{
	struct provision_run run = provision_begin(c, report, ctx);
	bool good = true;
	for (size_t i = 0; good && i < t->exchange_count; i++)
		good = declare_exchange(&run, &t->exchanges[i], err);
	for (size_t i = 0; good && i < t->queue_count; i++) {
		if (is_left_out(&t->queues[i], own))
			provision_tell(&run, PROVISION_EXCLUSIVE, "queue", t->queues[i].name, 0);
		else
			good = declare_queue(&run, &t->queues[i], err);
	}
	for (size_t i = 0; good && i < t->binding_count; i++)
		if (!leads_nowhere(t, &t->bindings[i], own))
			good = change_binding(&run, &t->bindings[i], true, err);
	provision_end(&run);
	return good;
}

bool provision_unbind(struct connection *c, const struct topology *t, struct error *err)
{
	struct provision_run run = provision_begin(c, NULL, NULL);
	bool good = true;
	for (size_t i = 0; good && i < t->binding_count; i++)
		good = change_binding(&run, &t->bindings[i], false, err);
	provision_end(&run);
	return good;
}

/* ---- look ---- */

/* Takes "not there" and "locked" as answers; other failures stay in err. */
static bool read_refusal(struct provision_run *run, struct provision_state *out,
    const struct error *raw, struct error *err)
{
	uint16_t code = connection_refusal(run->connection)->code;
	bool answered = raw->kind == ERROR_REFUSED && (code == 404 || code == 405);
	if (!answered)
		return error_set(err, raw->kind, "%s", raw->text);
	*out = (struct provision_state){.exists = code == 405, .locked = code == 405};
	return true;
}

bool provision_find_queue(
    struct provision_run *run, const char *name, struct provision_state *out, struct error *err)
{
	struct error raw = {0};
	amqp_queue_declare_t request = {.queue = rabbitmqc_bytes(name), .passive = 1};
	amqp_queue_declare_ok_t *ok =
	    call(run, AMQP_QUEUE_DECLARE_METHOD, &request, AMQP_QUEUE_DECLARE_OK_METHOD, &raw);
	if (ok == NULL)
		return read_refusal(run, out, &raw, err);
	*out = (struct provision_state){
	    .exists = true, .ready = ok->message_count, .consumers = ok->consumer_count};
	return true;
}

bool provision_find_exchange(
    struct provision_run *run, const char *name, struct provision_state *out, struct error *err)
{
	struct error raw = {0};
	amqp_exchange_declare_t request = {.exchange = rabbitmqc_bytes(name), .passive = 1};
	if (call(run, AMQP_EXCHANGE_DECLARE_METHOD, &request, AMQP_EXCHANGE_DECLARE_OK_METHOD,
		&raw) == NULL)
		return read_refusal(run, out, &raw, err);
	*out = (struct provision_state){.exists = true};
	return true;
}

bool provision_look_queue(
    struct connection *c, const char *name, struct provision_state *out, struct error *err)
{
	struct provision_run run = provision_begin(c, NULL, NULL);
	bool good = provision_find_queue(&run, name, out, err);
	provision_end(&run);
	return good;
}

bool provision_look_exchange(
    struct connection *c, const char *name, struct provision_state *out, struct error *err)
{
	struct provision_run run = provision_begin(c, NULL, NULL);
	bool good = provision_find_exchange(&run, name, out, err);
	provision_end(&run);
	return good;
}
