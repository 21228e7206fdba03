#include "broker/provision.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/connection_private.h"
#include "broker/rabbitmqc_private.h"
#include "broker/refusal.h"

#include <amqp.h>
#include <amqp_framing.h>

#include <stdlib.h>

#define ABSENT "not there:"
#define EXCLUSIVE "left to its consumer (exclusive)"

/* One run over a topology: a channel that is opened again when the broker has closed it. */
struct run {
	struct connection *connection;
	uint16_t channel;		  /* 0: none open */
	struct rabbitmqc_table arguments; /* of the method being made */
	provision_report_fn *report;
	void *ctx;
};

static const struct channel_handlers no_handlers = {0};

static struct run begin(struct connection *c, provision_report_fn *report, void *ctx)
{
	return (struct run){.connection = c, .report = report, .ctx = ctx};
}

static void end(struct run *run)
{
	connection_close_channel(run->connection, run->channel);
	rabbitmqc_table_release(&run->arguments);
}

static bool read_arguments(
    struct run *run, const json_t *arguments, amqp_table_t *out, struct error *err)
{
	bool good = rabbitmqc_table_read(&run->arguments, arguments, err);
	*out = run->arguments.table;
	return good;
}

/* A call on the run's channel; a refusal is left in connection_refusal and in err as it came. */
static void *call(
    struct run *run, uint32_t method_id, void *request, uint32_t reply_id, struct error *err)
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

/* As call, but a refusal becomes a sentence about the object. */
static void *call_for(struct run *run, uint32_t method_id, void *request, uint32_t reply_id,
    const struct refusal_context *context, struct error *err)
{
	struct error raw = {0};
	void *reply = call(run, method_id, request, reply_id, &raw);
	if (reply != NULL)
		return reply;
	const struct connection_refusal *refusal = connection_refusal(run->connection);
	if (refusal->code != 0 && (raw.kind == ERROR_REFUSED || raw.kind == ERROR_ACCESS))
		refusal_explain(refusal->code, refusal->text, context, err);
	else
		error_set(err, raw.kind, "cannot %s %s '%s': %s", context->doing, context->object,
		    context->name, raw.text);
	return NULL;
}

static void tell(
    struct run *run, const char *verb, const char *object, const char *name, uint64_t count)
{
	if (run->report != NULL)
		run->report(run->ctx, verb, object, name, count);
}

/* ---- apply ---- */

static bool declare_exchange(struct run *run, const struct topology_exchange *e, struct error *err)
{
	char *shown = text_quote(slice_str(e->name));
	struct refusal_context context = {e->declared ? "declare" : "find", "exchange", shown};
	amqp_exchange_declare_t request = {.exchange = rabbitmqc_bytes(e->name),
	    .type = rabbitmqc_bytes(e->type),
	    .passive = !e->declared,
	    .durable = e->durable,
	    .auto_delete = e->auto_delete,
	    .internal = e->internal};
	bool good = read_arguments(run, e->arguments, &request.arguments, err) &&
		    call_for(run, AMQP_EXCHANGE_DECLARE_METHOD, &request,
			AMQP_EXCHANGE_DECLARE_OK_METHOD, &context, err) != NULL;
	if (good)
		tell(run, e->declared ? "declared" : "found", "exchange", e->name, 0);
	free(shown);
	return good;
}

static bool declare_queue(struct run *run, const struct topology_queue *q, struct error *err)
{
	char *shown = text_quote(slice_str(q->name));
	struct refusal_context context = {q->declared ? "declare" : "find", "queue", shown};
	amqp_queue_declare_t request = {.queue = rabbitmqc_bytes(q->name),
	    .passive = !q->declared,
	    .durable = q->durable,
	    .exclusive = q->exclusive,
	    .auto_delete = q->auto_delete};
	bool good = read_arguments(run, q->arguments, &request.arguments, err) &&
		    call_for(run, AMQP_QUEUE_DECLARE_METHOD, &request, AMQP_QUEUE_DECLARE_OK_METHOD,
			&context, err) != NULL;
	if (good)
		tell(run, q->declared ? "declared" : "found", "queue", q->name, 0);
	free(shown);
	return good;
}

static bool bind_queue(
    struct run *run, const struct topology_binding *b, const char *shown, struct error *err)
{
	struct refusal_context context = {"make", "binding", shown};
	amqp_queue_bind_t request = {.queue = rabbitmqc_bytes(b->destination),
	    .exchange = rabbitmqc_bytes(b->exchange),
	    .routing_key = rabbitmqc_bytes(b->routing_key)};
	return read_arguments(run, b->arguments, &request.arguments, err) &&
	       call_for(run, AMQP_QUEUE_BIND_METHOD, &request, AMQP_QUEUE_BIND_OK_METHOD, &context,
		   err) != NULL;
}

static bool bind_exchange(
    struct run *run, const struct topology_binding *b, const char *shown, struct error *err)
{
	struct refusal_context context = {"make", "binding", shown};
	amqp_exchange_bind_t request = {.destination = rabbitmqc_bytes(b->destination),
	    .source = rabbitmqc_bytes(b->exchange),
	    .routing_key = rabbitmqc_bytes(b->routing_key)};
	return read_arguments(run, b->arguments, &request.arguments, err) &&
	       call_for(run, AMQP_EXCHANGE_BIND_METHOD, &request, AMQP_EXCHANGE_BIND_OK_METHOD,
		   &context, err) != NULL;
}

static bool declare_binding(struct run *run, const struct topology_binding *b, struct error *err)
{
	bool keyed = b->routing_key[0] != '\0';
	char *name = mem_printf("%s -> %s%s%s%s", b->exchange, b->destination, keyed ? " [" : "",
	    b->routing_key, keyed ? "]" : "");
	char *shown = text_quote(slice_str(name));
	bool good = (b->to_exchange ? bind_exchange : bind_queue)(run, b, shown, err);
	if (good)
		tell(run, "made", "binding", name, 0);
	free(shown);
	free(name);
	return good;
}

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
	struct run run = begin(c, report, ctx);
	bool good = true;
	for (size_t i = 0; good && i < t->exchange_count; i++)
		good = declare_exchange(&run, &t->exchanges[i], err);
	for (size_t i = 0; good && i < t->queue_count; i++) {
		if (is_left_out(&t->queues[i], own))
			tell(&run, EXCLUSIVE, "queue", t->queues[i].name, 0);
		else
			good = declare_queue(&run, &t->queues[i], err);
	}
	for (size_t i = 0; good && i < t->binding_count; i++)
		if (!leads_nowhere(t, &t->bindings[i], own))
			good = declare_binding(&run, &t->bindings[i], err);
	end(&run);
	return good;
}

/* ---- look ---- */

/* Takes "not there" and "locked" as answers; other failures stay in err. */
static bool read_refusal(
    struct run *run, struct provision_state *out, const struct error *raw, struct error *err)
{
	uint16_t code = connection_refusal(run->connection)->code;
	bool answered = raw->kind == ERROR_REFUSED && (code == 404 || code == 405);
	if (!answered)
		return error_set(err, raw->kind, "%s", raw->text);
	*out = (struct provision_state){.exists = code == 405, .locked = code == 405};
	return true;
}

static bool look_queue(
    struct run *run, const char *name, struct provision_state *out, struct error *err)
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

static bool look_exchange(
    struct run *run, const char *name, struct provision_state *out, struct error *err)
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
	struct run run = begin(c, NULL, NULL);
	bool good = look_queue(&run, name, out, err);
	end(&run);
	return good;
}

bool provision_look_exchange(
    struct connection *c, const char *name, struct provision_state *out, struct error *err)
{
	struct run run = begin(c, NULL, NULL);
	bool good = look_exchange(&run, name, out, err);
	end(&run);
	return good;
}

/* ---- delete and purge ---- */

static bool delete_queue(
    struct run *run, const char *name, const struct provision_limits *limits, struct error *err)
{
	char *shown = text_quote(slice_str(name));
	struct refusal_context context = {"delete", "queue", shown};
	struct provision_state state = {0};
	amqp_queue_delete_t request = {.queue = rabbitmqc_bytes(name),
	    .if_unused = limits->if_unused,
	    .if_empty = limits->if_empty};
	amqp_queue_delete_ok_t *ok = NULL;
	bool good = look_queue(run, name, &state, err);
	if (good && state.exists) {
		ok = call_for(run, AMQP_QUEUE_DELETE_METHOD, &request, AMQP_QUEUE_DELETE_OK_METHOD,
		    &context, err);
		good = ok != NULL;
	}
	if (good)
		tell(run, ok != NULL ? "deleted" : ABSENT, "queue", name,
		    ok != NULL ? ok->message_count : 0);
	free(shown);
	return good;
}

static bool delete_exchange(
    struct run *run, const char *name, const struct provision_limits *limits, struct error *err)
{
	char *shown = text_quote(slice_str(name));
	struct refusal_context context = {"delete", "exchange", shown};
	struct provision_state state = {0};
	amqp_exchange_delete_t request = {
	    .exchange = rabbitmqc_bytes(name), .if_unused = limits->if_unused};
	bool good = look_exchange(run, name, &state, err);
	if (good && state.exists)
		good = call_for(run, AMQP_EXCHANGE_DELETE_METHOD, &request,
			   AMQP_EXCHANGE_DELETE_OK_METHOD, &context, err) != NULL;
	if (good)
		tell(run, state.exists ? "deleted" : ABSENT, "exchange", name, 0);
	free(shown);
	return good;
}

bool provision_delete(struct connection *c, const struct topology *t,
    const struct provision_limits *limits, provision_report_fn *report, void *ctx,
    struct error *err)
{
	struct run run = begin(c, report, ctx);
	bool good = true;
	for (size_t i = 0; good && i < t->queue_count; i++)
		if (t->queues[i].declared)
			good = delete_queue(&run, t->queues[i].name, limits, err);
	for (size_t i = 0; good && i < t->exchange_count; i++)
		if (t->exchanges[i].declared)
			good = delete_exchange(&run, t->exchanges[i].name, limits, err);
	end(&run);
	return good;
}

static bool purge_queue(struct run *run, const char *name, struct error *err)
{
	char *shown = text_quote(slice_str(name));
	struct refusal_context context = {"purge", "queue", shown};
	amqp_queue_purge_t request = {.queue = rabbitmqc_bytes(name)};
	amqp_queue_purge_ok_t *ok = call_for(
	    run, AMQP_QUEUE_PURGE_METHOD, &request, AMQP_QUEUE_PURGE_OK_METHOD, &context, err);
	if (ok != NULL)
		tell(run, "purged", "queue", name, ok->message_count);
	free(shown);
	return ok != NULL;
}

bool provision_purge(struct connection *c, const struct topology *t, provision_report_fn *report,
    void *ctx, struct error *err)
{
	struct run run = begin(c, report, ctx);
	bool good = true;
	for (size_t i = 0; good && i < t->queue_count; i++) {
		const struct topology_queue *q = &t->queues[i];
		if (q->declared && strcmp(q->type, "stream") == 0)
			tell(&run, "left (a stream cannot be purged)", "queue", q->name, 0);
		else if (q->declared && q->exclusive)
			tell(&run, EXCLUSIVE, "queue", q->name, 0);
		else if (q->declared)
			good = purge_queue(&run, q->name, err);
	}
	end(&run);
	return good;
}
