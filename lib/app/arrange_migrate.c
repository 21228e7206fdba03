/*
 * topology apply --migrate: gives a queue its new type and arguments, under its old name.
 *
 * The way there, of a queue "orders" that an exchange x is bound to:
 *
 *   1. x -> orders.migration -> orders   a fanout between them; then x -> orders is taken away.
 *      A message that comes both ways comes once: routing counts a queue once.
 *   2. The messages of orders go to the queue orders.migration, each out of the one when it is
 *      confirmed in the other.
 *   3. orders.migration -> orders is taken away: what finds no way there takes the alternate
 *      exchange, orders.migration.away, to the queue orders.migration. That, too, is one decision
 *      a message, so nothing comes twice, and nothing is lost.
 *   4. orders, empty, is deleted and declared anew.
 *   5. orders.migration -> orders is bound again, and what has gathered goes back through it.
 *   6. x -> orders is bound again, then x -> orders.migration is taken away, and the rest goes.
 *
 * The exchange orders.migration is made first and deleted last: while it is there, the migration
 * is not over, and the same command goes on, whatever ended the last one. Only what was copied
 * and not yet acknowledged then comes twice.
 *
 * Who publishes to the default exchange with the queue's name finds no queue between the two calls
 * of step 4, for one round trip; and what came into the queue while it was being deleted goes with
 * it, confirmed or not.
 */
#include "app/arrange_private.h"

#include "app/figures.h"
#include "app/move.h"
#include "app/scaffold.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "broker/provision.h"
#include "flow/flow.h"
#include "web/management.h"

#include <inttypes.h>
#include <stdlib.h>

#define MAX_NAME 255
/* What was routed before a binding changed is in its queue by then. */
#define SETTLE_NS CHRONO_S
#define LOOK_AGAIN_NS (100 * CHRONO_MS)
#define CLIENTS_NS (60 * CHRONO_S) /* for clients to settle what they hold */
#define EMPTY_NS (30 * CHRONO_S)   /* for a queue that is filled past its bindings */
#define LEAVE_NS (2 * CHRONO_S)	   /* for the broker to forget our own consumer */
#define MOST_ROUNDS 3		   /* somebody may declare it again as it was */

struct migration {
	struct tool *tool;
	const struct topology_queue *queue;
	struct scaffold scaffold;
	struct move move;
	bool was_classic; /* the old queue holds the limits of a deletion by itself */
	uint64_t moved;
	uint64_t straight; /* came past its bindings */
	bool had_clients;  /* so what came may have been given back */
	uint64_t lost;	   /* were in the queue when it was deleted */
	bool is_overfull;  /* more went back than it takes */
	const char *shown; /* the queue's name */
};

/* ---- words ---- */

const char *arrange_migration_refusal(const struct difference_item *item)
{
	const struct topology_queue *q = item->queue;
	bool is_stream =
	    strcmp(q->type, "stream") == 0 || strcmp(difference_queue_type(item), "stream") == 0;
	bool was_exclusive = q->exclusive, was_deleted = q->auto_delete;
	for (size_t i = 0; i < item->attribute_count; i++) {
		const struct difference_attribute *a = &item->attributes[i];
		if (strcmp(a->name, "exclusive") == 0)
			was_exclusive |= json_is_true(a->found);
		if (strcmp(a->name, "auto_delete") == 0)
			was_deleted = json_is_true(a->found);
	}
	if (is_stream)
		return "a stream keeps what is read, so nothing can be taken out of it";
	if (was_exclusive)
		return "it is exclusive, so it belongs to one connection and goes with it";
	if (was_deleted)
		return "it is auto-deleted, so it would go with the one who empties it";
	if (strlen(q->name) + strlen(".migration.away") > MAX_NAME)
		return "its name is too long for what stands in for it meanwhile";
	return NULL;
}

bool arrange_migration_is_left(struct tool *tool, const struct arrange_look *live,
    const char *queue, bool *left, struct error *err)
{
	struct provision_state state = {0};
	char *name = mem_printf("%s.migration", queue);
	bool good = strlen(name) > MAX_NAME || live->is_http ||
		    provision_look_exchange(tool->connection, name, &state, err);
	*left = live->is_http ? topology_find_exchange(&live->found, slice_str(name)) != NULL
			      : state.exists;
	free(name);
	return good;
}

/* ---- looks ---- */

static bool check_stop(const struct migration *m, struct error *err)
{
	return !loop_stop_requested(m->tool->loop) ||
	       error_set(err, ERROR_UNDELIVERED, "stopped by a signal");
}

/* What the queue is beside what it should be. */
static bool look(struct migration *m, enum difference_kind *kind, struct error *err)
{
	struct arrange_look live = {0};
	if (!arrange_look(m->tool, NULL, &live, err))
		return false;
	for (size_t i = 0; i < live.difference.item_count; i++) {
		const struct difference_item *item = &live.difference.items[i];
		if (item->queue != m->queue)
			continue;
		*kind = item->kind;
		m->was_classic = strcmp(difference_queue_type(item), "classic") == 0;
	}
	arrange_look_release(&live);
	return true;
}

/* ---- what would lose messages, or never end ---- */

/* UINT64_MAX for no limit, or one that refuses what is new instead of dropping what is old. */
static uint64_t dropping_limit(const json_t *arguments, const char *key)
{
	const json_t *limit = json_object_get(arguments, key);
	const char *overflow = json_string_value(json_object_get(arguments, "x-overflow"));
	bool drops = overflow == NULL || strcmp(overflow, "drop-head") == 0;
	return json_is_integer(limit) && drops ? (uint64_t)json_integer_value(limit) : UINT64_MAX;
}

/* Only what is sure to be lost; what comes meanwhile may be more. */
static bool check_fits(const struct migration *m, struct error *err)
{
	uint64_t most = dropping_limit(m->queue->arguments, "x-max-length"), bytes = 0;
	uint64_t most_bytes = dropping_limit(m->queue->arguments, "x-max-length-bytes");
	struct provision_state state = {0};
	if (!provision_look_queue(m->tool->connection, m->queue->name, &state, err))
		return false;
	if (most_bytes != UINT64_MAX && !figures_bytes(m->tool, m->queue->name, &bytes, err))
		return false;
	return (state.ready <= most && bytes <= most_bytes) ||
	       error_set(err, ERROR_REFUSED,
		   "it holds %" PRIu64 " %s, more than its new limit, which would drop the "
		   "oldest: consume or purge them first",
		   state.ready, num_noun(state.ready, "message", "messages"));
}

/* Only the active consumer gets anything, and that would never be us. */
static bool check_turn(const struct migration *m, struct error *err)
{
	struct provision_state state = {0};
	json_t *arguments = figures_arguments(m->tool, m->queue->name, err);
	bool is_single = json_is_true(json_object_get(arguments, "x-single-active-consumer"));
	json_decref(arguments);
	if (arguments == NULL || !is_single)
		return arguments != NULL;
	return provision_look_queue(m->tool->connection, m->queue->name, &state, err) &&
	       (state.consumers == 0 ||
		   error_set(err, ERROR_REFUSED,
		       "it has a single active consumer, which gets all messages: stop its "
		       "consumers first"));
}

static bool check_queue(const struct migration *m, struct error *err)
{
	return check_turn(m, err) && check_fits(m, err);
}

/* A policy for many queues may be for the one in between, too. */
static bool check_policy(const struct migration *m, struct error *err)
{
	static const char *const dangers[] = {"expires", "max-length", "max-length-bytes"};
	json_t *policy = figures_policy(m->tool, m->scaffold.temp, err);
	for (size_t i = 0; policy != NULL && i < ARRAY_LEN(dangers); i++)
		if (json_object_get(policy, dangers[i]) != NULL)
			error_set(err, ERROR_REFUSED,
			    "a policy gives the queue that stands in for it, '%s.migration', a "
			    "limit (%s), under which messages could be lost: change that first",
			    m->shown, dangers[i]);
	json_decref(policy);
	return err->kind == ERROR_NONE;
}

/* ---- the phases ---- */

/* A live binding with arguments that are not as they look cannot be taken away: the HTTP API does
 * not tell an int from a long. Then everything has to stay as it was. */
static bool check_unbound(struct migration *m, struct error *err)
{
	struct topology found = {0};
	if (!management_topology(m->tool->management, m->tool->settings.uris[0].vhost, &found, err))
		return false;
	for (size_t i = 0; err->kind == ERROR_NONE && i < found.binding_count; i++) {
		const struct topology_binding *b = &found.bindings[i];
		if (!scaffold_leads_to(b, false, m->queue->name) ||
		    strcmp(b->exchange, m->scaffold.temp) == 0)
			continue;
		struct buf shown = {0};
		arrange_write_binding(b, &shown);
		error_set(err, ERROR_REFUSED,
		    "the binding %s cannot be taken away: its arguments have other types than the "
		    "settings or the HTTP API show; undo it first",
		    shown.ptr);
		buf_release(&shown);
	}
	topology_release(&found);
	return err->kind == ERROR_NONE;
}

/* What is ready now: who publishes straight to the queue may never let it be empty. */
static bool move_ready(struct migration *m, struct error *err)
{
	struct provision_state state = {0};
	return provision_look_queue(m->tool->connection, m->queue->name, &state, err) &&
	       (state.ready == 0 || move_messages(&m->move, m->queue->name, m->scaffold.away,
					state.ready, &m->moved, err));
}

/* Steps 1 and 2. */
static bool divert(struct migration *m, struct error *err)
{
	return scaffold_build(&m->scaffold, err) && check_policy(m, err) &&
	       scaffold_connect(&m->scaffold, true, err) &&
	       scaffold_bind(&m->scaffold, false, true, err) &&
	       scaffold_bind(&m->scaffold, true, false, err) && check_unbound(m, err) &&
	       move_ready(m, err);
}

/* What a client has is its own until it has settled it, whether it still consumes or not. *had
 * tells whether some had anything at the first look that counts. */
static bool wait_for_held(struct migration *m, bool *had, struct error *err)
{
	uint64_t now_ns = chrono_now_ns(), held = 0;
	uint64_t deadline_ns = chrono_after(now_ns, CLIENTS_NS);
	if (!figures_wait(m->tool, chrono_after(now_ns, FIGURES_AGE_NS), err) ||
	    !figures_held(m->tool, m->queue->name, &held, err))
		return false;
	*had = held > 0;
	if (*had)
		log_write(LOG_INFO, "queue '%s': waiting for clients to settle %" PRIu64 " %s",
		    m->shown, held, num_noun(held, "message", "messages"));
	while (held > 0 && chrono_now_ns() < deadline_ns)
		if (!figures_wait(m->tool, chrono_after(chrono_now_ns(), LOOK_AGAIN_NS), err) ||
		    !figures_held(m->tool, m->queue->name, &held, err))
			return false;
	return held == 0 || error_set(err, ERROR_REFUSED,
				"clients hold %" PRIu64
				" of its messages, and do not settle them: stop them first",
				held);
}

/* What clients had may have come back, and have been taken once more: until they have nothing. */
static bool take_all(struct migration *m, struct error *err)
{
	uint64_t deadline_ns = chrono_after(chrono_now_ns(), CLIENTS_NS);
	bool had = false;
	do {
		if (!wait_for_held(m, &had, err) || !move_ready(m, err))
			return false;
		m->had_clients |= had;
	} while (had && chrono_now_ns() < deadline_ns);
	return !had || error_set(err, ERROR_REFUSED,
			   "clients take its messages and give them back: stop them first");
}

static void note_deleted(
    void *ctx, const char *verb, const char *object, const char *name, uint64_t count)
{
	struct migration *m = ctx;
	(void)verb, (void)object, (void)name;
	m->lost += count;
}

/* A quorum queue goes on for a moment to count the consumer that has just emptied it. */
static bool look_for_consumers(struct migration *m, uint64_t *consumers, struct error *err)
{
	struct provision_state state = {0};
	uint64_t deadline_ns = chrono_after(chrono_now_ns(), LEAVE_NS);
	do {
		if (!provision_look_queue(m->tool->connection, m->queue->name, &state, err))
			return false;
		*consumers = state.consumers;
	} while (state.consumers > 0 && chrono_now_ns() < deadline_ns &&
		 figures_wait(m->tool, chrono_after(chrono_now_ns(), LOOK_AGAIN_NS), err));
	return err->kind == ERROR_NONE;
}

/* Step 4, as often as something comes in between past the bindings. */
static bool replace(struct migration *m, struct error *err)
{
	uint64_t deadline_ns = chrono_after(chrono_now_ns(), EMPTY_NS), consumers = 0;
	const struct topology_queue old = {
	    .name = m->queue->name, .type = m->was_classic ? "classic" : "quorum"};
	for (;;) {
		struct error why = {0};
		if (!move_ready(m, err) || !look_for_consumers(m, &consumers, err))
			return false;
		const struct provision_limits limits = {
		    .if_empty = true, .if_unused = consumers == 0};
		if (provision_replace(
			m->tool->connection, &old, m->queue, &limits, note_deleted, m, &why))
			return true;
		if (why.kind != ERROR_REFUSED || chrono_now_ns() > deadline_ns ||
		    !check_stop(m, err))
			return error_set(err, why.kind, "%s", why.text);
	}
}

/* What was on its way when the queue was disconnected; what comes later comes past its bindings. */
static bool settle(struct migration *m, struct error *err)
{
	uint64_t deadline_ns = chrono_after(chrono_now_ns(), EMPTY_NS), before;
	if (!figures_wait(m->tool, chrono_after(chrono_now_ns(), SETTLE_NS), err))
		return false;
	do {
		before = m->moved;
		if (!move_ready(m, err))
			return false;
	} while (m->moved > before && chrono_now_ns() < deadline_ns);
	return true;
}

/* Step 3, and 4. */
static bool change(struct migration *m, struct error *err)
{
	if (!scaffold_connect(&m->scaffold, false, err) || !settle(m, err))
		return false;
	uint64_t before = m->moved;
	bool good = take_all(m, err) && replace(m, err);
	if (good && !m->had_clients)
		m->straight = m->moved - before;
	return good;
}

/* Deletes the queue in between once it is empty for good. */
static bool delete_temp(struct migration *m, uint64_t settled_ns, struct error *err)
{
	static const struct provision_limits limits = {.if_empty = true};
	/* whatever its type is: nobody else puts anything into it now */
	struct topology_queue q = {.name = m->scaffold.temp, .type = "quorum", .declared = true};
	const struct topology t = {.queues = &q, .queue_count = 1};
	uint64_t moved = 0;
	return figures_wait(m->tool, settled_ns, err) &&
	       move_messages(
		   &m->move, m->scaffold.temp, m->scaffold.temp, FLOW_NO_LIMIT, &moved, err) &&
	       provision_delete(m->tool->connection, &t, &limits, NULL, NULL, err);
}

/* Steps 5 and 6. */
static bool return_all(struct migration *m, struct error *err)
{
	uint64_t back = 0;
	bool good = scaffold_build(&m->scaffold, err) &&
		    scaffold_connect(&m->scaffold, true, err) &&
		    move_messages(
			&m->move, m->scaffold.temp, m->scaffold.temp, FLOW_NO_LIMIT, &back, err) &&
		    scaffold_bind(&m->scaffold, true, true, err) &&
		    scaffold_bind(&m->scaffold, false, false, err) &&
		    delete_temp(m, chrono_after(chrono_now_ns(), SETTLE_NS), err) &&
		    scaffold_take_down(&m->scaffold, err);
	if (back > m->moved)
		m->moved = back;
	m->is_overfull = back > dropping_limit(m->queue->arguments, "x-max-length");
	return good;
}

/* Steps 1 to 4; when they cannot be done, all is put back, and the queue stays what it was. */
static bool renew(struct migration *m, struct error *err)
{
	struct error back = {0};
	if (divert(m, err) && change(m, err))
		return true;
	bool is_refused = err->kind == ERROR_REFUSED || err->kind == ERROR_ACCESS;
	bool can_return = is_refused && connection_check(m->tool->connection, &back);
	if (can_return && return_all(m, &back))
		return error_context(err, "nothing was changed");
	return error_context(err, "not finished, the same command goes on");
}

static bool run(struct migration *m, struct error *err)
{
	for (int round = 0; round < MOST_ROUNDS; round++) {
		enum difference_kind kind = DIFFERENCE_EQUAL;
		const struct topology t = {
		    .queues = (struct topology_queue *)(uintptr_t)m->queue, .queue_count = 1};
		if (!look(m, &kind, err))
			return false;
		if (kind == DIFFERENCE_EQUAL)
			return return_all(m, err);
		if (kind == DIFFERENCE_CREATE &&
		    !provision_apply(m->tool->connection, &t, NULL, NULL, NULL, err))
			return false;
		if (kind == DIFFERENCE_CHANGE && (!check_queue(m, err) || !renew(m, err)))
			return false;
	}
	return error_set(err, ERROR_REFUSED,
	    "somebody declares it again with its old arguments: stop that first");
}

static void tell(struct migration *m, struct arrange_print *p)
{
	arrange_report(p, "migrated", "queue", m->queue->name, m->moved);
	if (m->move.unsigned_count > 0)
		log_write(LOG_WARNING,
		    "a user_id that only its user may send is in the header x-warren-user-id");
	if (m->is_overfull)
		log_write(LOG_WARNING,
		    "more messages came meanwhile than its x-max-length: the broker has dropped "
		    "the oldest, unless they were consumed");
	if (m->lost > 0)
		log_write(LOG_WARNING,
		    "%" PRIu64
		    " messages came straight to the queue, by the default exchange, in the "
		    "moment that it was deleted, and are lost",
		    m->lost);
	else if (m->straight > 0)
		log_write(LOG_WARNING,
		    "%" PRIu64
		    " messages came past its bindings, straight to the queue or given back by a "
		    "client: one that came straight to it in the moment that it was deleted would "
		    "be lost, though it was confirmed",
		    m->straight);
	if (m->is_overfull || m->lost > 0 || m->straight > 0)
		m->tool->status = ERROR_UNDELIVERED;
}

/* What the scaffold has to keep: all bindings, where they are to be seen. */
static bool collect_bindings(struct migration *m, struct topology *found, struct error *err)
{
	const char *vhost = m->tool->settings.uris[0].vhost;
	if (!management_topology(m->tool->management, vhost, found, err))
		return false;
	scaffold_add_bindings(&m->scaffold, &m->tool->settings.topology);
	scaffold_add_bindings(&m->scaffold, found);
	return true;
}

bool arrange_migrate(struct tool *tool, const struct topology_queue *queue, struct arrange_print *p,
    struct error *err)
{
	char *shown = text_quote(slice_str(queue->name));
	struct migration m = {.tool = tool, .queue = queue, .shown = shown};
	struct topology found = {0};
	scaffold_init(&m.scaffold, tool->connection, queue);
	bool good = scaffold_lock(&m.scaffold, err) && scaffold_probe(&m.scaffold, err) &&
		    collect_bindings(&m, &found, err) && move_open(&m.move, tool, err) &&
		    run(&m, err) && scaffold_unlock(&m.scaffold, err);
	if (good)
		tell(&m, p);
	else
		error_context(err, "queue '%s'", shown);
	move_close(&m.move);
	scaffold_release(&m.scaffold);
	topology_release(&found);
	free(shown);
	return good;
}
