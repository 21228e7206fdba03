/* Deletes and purges. */
#include "broker/provision.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/provision_private.h"

#include <amqp_framing.h>

#include <stdlib.h>

/* ---- limits ---- */

/* What the broker would say, for where it cannot. */
static bool check_limits(const struct provision_limits *limits, const struct provision_state *state,
    const char *doing, const char *shown, struct error *err)
{
	if (limits->if_empty && state->ready > 0)
		return error_set(err, ERROR_REFUSED,
		    "cannot %s queue '%s': it is not empty; consume or purge it first, or leave "
		    "--if-empty out",
		    doing, shown);
	if (limits->if_unused && state->consumers > 0)
		return error_set(err, ERROR_REFUSED,
		    "cannot %s queue '%s': it is in use; stop what uses it, or leave --if-unused "
		    "out",
		    doing, shown);
	return true;
}

/* ---- delete ---- */

/* Only a classic queue holds the limits by itself. A quorum queue has the broker close the whole
 * connection over them, and a stream does not know whether it is empty: a look right before has to
 * do. */
static amqp_queue_delete_ok_t *call_delete(struct provision_run *run,
    const struct topology_queue *q, const struct provision_limits *limits, const char *shown,
    struct error *err)
{
	const struct refusal_context context = {"delete", "queue", shown};
	bool holds = strcmp(q->type, "classic") == 0;
	amqp_queue_delete_t request = {.queue = rabbitmqc_bytes(q->name),
	    .if_unused = holds && limits->if_unused,
	    .if_empty = holds && limits->if_empty};
	return provision_call_for(
	    run, AMQP_QUEUE_DELETE_METHOD, &request, AMQP_QUEUE_DELETE_OK_METHOD, &context, err);
}

static bool delete_queue(struct provision_run *run, const struct topology_queue *q,
    const struct provision_limits *limits, struct error *err)
{
	char *shown = text_quote(slice_str(q->name));
	struct provision_state state = {0};
	amqp_queue_delete_ok_t *ok = NULL;
	bool good = provision_find_queue(run, q->name, &state, err) &&
		    check_limits(limits, &state, "delete", shown, err);
	if (good && state.exists) {
		ok = call_delete(run, q, limits, shown, err);
		good = ok != NULL;
	}
	if (good)
		provision_tell(run, ok != NULL ? "deleted" : PROVISION_ABSENT, "queue", q->name,
		    ok != NULL ? ok->message_count : 0);
	free(shown);
	return good;
}

/* With *in_use set when the broker refuses because of a binding. */
static bool delete_exchange(struct provision_run *run, const char *name,
    const struct provision_limits *limits, bool *in_use, struct error *err)
{
	char *shown = text_quote(slice_str(name));
	const struct refusal_context context = {"delete", "exchange", shown};
	struct provision_state state = {0};
	amqp_exchange_delete_t request = {
	    .exchange = rabbitmqc_bytes(name), .if_unused = limits->if_unused};
	bool good = provision_find_exchange(run, name, &state, err);
	if (good && state.exists)
		good = provision_call_for(run, AMQP_EXCHANGE_DELETE_METHOD, &request,
			   AMQP_EXCHANGE_DELETE_OK_METHOD, &context, err) != NULL;
	*in_use = !good && connection_refusal(run->connection)->code == 406;
	if (good)
		provision_tell(
		    run, state.exists ? "deleted" : PROVISION_ABSENT, "exchange", name, 0);
	free(shown);
	return good;
}

/* Deletes those that are left; *why is set by the first that is in use, *moved by one that is not.
 */
static bool delete_round(struct provision_run *run, const struct topology *t,
    const struct provision_limits *limits, bool *is_gone, bool *moved, struct error *why,
    struct error *err)
{
	for (size_t i = 0; i < t->exchange_count; i++) {
		struct error refused = {0};
		bool in_use = false;
		if (is_gone[i] || !t->exchanges[i].declared)
			continue;
		is_gone[i] = delete_exchange(run, t->exchanges[i].name, limits, &in_use, &refused);
		*moved = *moved || is_gone[i];
		if (!is_gone[i])
			error_set(in_use ? why : err, refused.kind, "%s", refused.text);
		if (err->kind != ERROR_NONE)
			return false;
	}
	return true;
}

/* One that is in use only by a binding to another one of them has its turn after that one. */
static bool delete_exchanges(struct provision_run *run, const struct topology *t,
    const struct provision_limits *limits, struct error *err)
{
	bool *is_gone = mem_alloc(t->exchange_count + 1, sizeof *is_gone);
	struct error why = {0};
	bool moved = true;
	do {
		moved = false;
		error_clear(&why);
	} while (delete_round(run, t, limits, is_gone, &moved, &why, err) && moved &&
		 why.kind != ERROR_NONE);
	if (why.kind != ERROR_NONE)
		error_set(err, why.kind, "%s", why.text);
	free(is_gone);
	return err->kind == ERROR_NONE;
}

bool provision_delete(struct connection *c, const struct topology *t,
    const struct provision_limits *limits, provision_report_fn *report, void *ctx,
    struct error *err)
{
	struct provision_run run = provision_begin(c, report, ctx);
	bool good = true;
	for (size_t i = 0; good && i < t->queue_count; i++)
		if (t->queues[i].declared)
			good = delete_queue(&run, &t->queues[i], limits, err);
	good = good && delete_exchanges(&run, t, limits, err);
	provision_end(&run);
	return good;
}

/* On one channel, so that between the two there is no more than one round trip. */
bool provision_replace(struct connection *c, const struct topology_queue *old,
    const struct topology_queue *q, const struct provision_limits *limits,
    provision_report_fn *report, void *ctx, struct error *err)
{
	struct provision_run run = provision_begin(c, report, ctx);
	struct error raw = {0};
	bool good = delete_queue(&run, old, limits, err);
	if (good && !provision_put_queue(&run, q, &raw)) {
		char *shown = text_quote(slice_str(q->name));
		const struct refusal_context context = {"declare", "queue", shown};
		good = provision_explain(&run, &raw, &context, err);
		free(shown);
	}
	provision_end(&run);
	return good;
}

/* ---- purge ---- */

static bool purge_queue(struct provision_run *run, const char *name,
    const struct provision_limits *limits, struct error *err)
{
	char *shown = text_quote(slice_str(name));
	const struct refusal_context context = {"purge", "queue", shown};
	struct provision_state state = {0};
	amqp_queue_purge_t request = {.queue = rabbitmqc_bytes(name)};
	amqp_queue_purge_ok_t *ok = NULL;
	bool good = provision_find_queue(run, name, &state, err) &&
		    (!state.exists || check_limits(limits, &state, "purge", shown, err));
	if (good && state.exists) {
		ok = provision_call_for(run, AMQP_QUEUE_PURGE_METHOD, &request,
		    AMQP_QUEUE_PURGE_OK_METHOD, &context, err);
		good = ok != NULL;
	}
	if (good)
		provision_tell(run, ok != NULL ? "purged" : PROVISION_ABSENT, "queue", name,
		    ok != NULL ? ok->message_count : 0);
	free(shown);
	return good;
}

bool provision_purge(struct connection *c, const struct topology *t,
    const struct provision_limits *limits, provision_report_fn *report, void *ctx,
    struct error *err)
{
	struct provision_run run = provision_begin(c, report, ctx);
	bool good = true;
	for (size_t i = 0; good && i < t->queue_count; i++) {
		const struct topology_queue *q = &t->queues[i];
		if (q->declared && strcmp(q->type, "stream") == 0)
			provision_tell(
			    &run, "left (a stream cannot be purged)", "queue", q->name, 0);
		else if (q->declared && q->exclusive)
			provision_tell(&run, PROVISION_EXCLUSIVE, "queue", q->name, 0);
		else if (q->declared)
			good = purge_queue(&run, q->name, limits, err);
	}
	provision_end(&run);
	return good;
}
