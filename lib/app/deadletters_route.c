#include "app/deadletters_route.h"

#include "base/fifo.h"
#include "base/mem.h"
#include "broker/provision.h"
#include "model/marks.h"
#include "model/retry.h"

#include <stdlib.h>

#define MAX_NAME_BYTES 255 /* of an exchange or routing key (AMQP 0-9-1, short strings) */
#define MAX_EXCHANGES 1000 /* anybody can write names of exchanges on a message */

const char *const deadletters_stay_texts[DEADLETTERS_STAY_COUNT] = {
    [DEADLETTERS_TOO_OFTEN] = "it has come back as often as --max-returns allows",
    [DEADLETTERS_NO_ORIGIN] = "nothing on it tells where it came from (--exchange sends it)",
    [DEADLETTERS_NO_QUEUE] = "nothing on it tells in which queue it died",
    [DEADLETTERS_HERE] = "its way leads back into this queue",
    [DEADLETTERS_NO_EXCHANGE] = "the exchange that it came from does not exist",
    [DEADLETTERS_NO_NAME] = "where it came from is no name of an exchange or key",
};

/* An exchange that was asked for. */
struct exchange {
	char *name;
	bool exists;
};

/* A message whose exchange is not known yet. */
struct waiting {
	uint64_t slot;
	struct message *message;
	struct flow_message with;
};

struct deadletters_route {
	struct deadletters_route_options options;
	struct exchange *exchanges;
	size_t exchange_count, exchange_capacity;
	struct fifo waiting;	      /* struct waiting */
	struct buf restored, headers; /* of the message at hand */
	uint64_t stays[DEADLETTERS_STAY_COUNT];
	uint64_t unsigned_count;
};

struct deadletters_route *deadletters_route_create(const struct deadletters_route_options *options)
{
	struct deadletters_route *route = mem_alloc(1, sizeof *route);
	route->options = *options;
	route->waiting.size = sizeof(struct waiting);
	return route;
}

void deadletters_route_free(struct deadletters_route *route)
{
	if (route == NULL)
		return;
	for (size_t i = 0; i < route->exchange_count; i++)
		free(route->exchanges[i].name);
	free(route->exchanges);
	for (; !fifo_is_empty(&route->waiting); fifo_pop(&route->waiting))
		free(((struct waiting *)fifo_front(&route->waiting))->message);
	fifo_release(&route->waiting);
	buf_release(&route->restored);
	buf_release(&route->headers);
	free(route);
}

/* ---- where to ---- */

static const struct exchange *find_exchange(
    const struct deadletters_route *route, struct slice name)
{
	for (size_t i = 0; i < route->exchange_count; i++)
		if (slice_is(name, route->exchanges[i].name))
			return &route->exchanges[i];
	return NULL;
}

static bool is_name(struct slice text)
{
	return text.len <= MAX_NAME_BYTES &&
	       (text.len == 0 || memchr(text.ptr, '\0', text.len) == NULL);
}

static enum deadletters_stay choose_place(const struct deadletters_route_options *o,
    const struct death *d, struct deadletters_place *place)
{
	if (o->to_queue) {
		*place = (struct deadletters_place){.routing_key = d->queue};
		return d->queue.len > 0 ? DEADLETTERS_GOES : DEADLETTERS_NO_QUEUE;
	}
	*place = (struct deadletters_place){d->exchange, d->routing_key, NULL};
	if (o->exchange != NULL)
		place->exchange = slice_str(o->exchange);
	if (o->routing_key != NULL)
		place->routing_key = slice_str(o->routing_key);
	return d->has_origin || o->routing_key != NULL ? DEADLETTERS_GOES : DEADLETTERS_NO_ORIGIN;
}

static enum deadletters_stay check_place(
    const struct deadletters_route *route, const struct deadletters_place *place)
{
	if (!is_name(place->exchange) || !is_name(place->routing_key))
		return DEADLETTERS_NO_NAME;
	if (place->exchange.len == 0)
		return slice_is(place->routing_key, route->options.dead_letters) ? DEADLETTERS_HERE
										 : DEADLETTERS_GOES;
	const struct exchange *known = find_exchange(route, place->exchange);
	bool missing = known != NULL ? !known->exists : route->exchange_count >= MAX_EXCHANGES;
	return missing ? DEADLETTERS_NO_EXCHANGE : DEADLETTERS_GOES;
}

static enum deadletters_stay find_way(
    const struct deadletters_route *route, const struct death *d, struct deadletters_place *place)
{
	enum deadletters_stay stay = choose_place(&route->options, d, place);
	if (d->returned >= route->options.max_returns)
		stay = DEADLETTERS_TOO_OFTEN;
	if (stay == DEADLETTERS_GOES)
		stay = check_place(route, place);
	place->stays = deadletters_stay_texts[stay];
	return stay;
}

/* ---- the message that goes ---- */

/* RabbitMQ sends a message on to the keys in these headers, too: meant where it was published
 * first, not where somebody sends it now. */
static const struct mark copies[] = {
    {.key = "CC", .kind = MARK_ABSENT}, {.key = "BCC", .kind = MARK_ABSENT}};

/* Somebody had it before: perhaps a run that was killed when it had sent it. */
static const struct mark resent = {.key = MARKS_RESENT, .kind = MARK_TRUE};

static void change_headers(struct deadletters_route *route, const struct mark *marks, size_t count)
{
	struct buf changed = {0};
	marks_set(buf_slice(&route->headers), marks, count, &changed);
	buf_release(&route->headers);
	route->headers = changed;
}

/* RabbitMQ lets nobody claim to be another, and closes the channel of who tries. */
static void sign_off(struct deadletters_route *route, struct message *m)
{
	const struct mark signature = {.key = MARKS_USER_ID, .kind = MARK_TEXT, .text = m->user_id};
	const char *user = route->options.user;
	if ((m->present & MESSAGE_USER_ID) == 0 || (user != NULL && slice_is(m->user_id, user)))
		return;
	m->present &= ~(unsigned)MESSAGE_USER_ID;
	change_headers(route, &signature, 1);
	route->unsigned_count++;
}

static void address(struct deadletters_route *route, const struct flow_message *m,
    const struct death *d, const struct deadletters_place *place, struct message *out)
{
	const struct deadletters_route_options *o = &route->options;
	const struct message *in = m->message;
	struct message before = {0};
	if ((in->present & MESSAGE_HEADERS) != 0)
		retry_restore(in, &before, &route->restored);
	buf_clear(&route->headers);
	death_forget(before.headers, d->returned < UINT64_MAX ? d->returned + 1 : d->returned,
	    &route->headers);
	*out = *in;
	if (o->to_queue || o->exchange != NULL)
		change_headers(route, copies, ARRAY_LEN(copies));
	if (m->redelivered)
		change_headers(route, &resent, 1);
	sign_off(route, out);
	out->exchange = place->exchange;
	out->routing_key = place->routing_key;
	out->headers = buf_slice(&route->headers);
	out->present |= MESSAGE_HEADERS;
}

/* Counts the message and, while only looking, shows it; true when it is to be sent now. */
static bool judge(
    struct deadletters_route *route, const struct flow_message *m, struct message *out)
{
	struct death d;
	struct deadletters_place place;
	death_read(m->message, &d);
	enum deadletters_stay stay = find_way(route, &d, &place);
	route->stays[stay]++;
	if (stay == DEADLETTERS_GOES)
		route->options.pick->taken++;
	if (route->options.pick->groups != NULL)
		deadletters_groups_add(route->options.pick->groups, m->message, &d, &place);
	else if (stay == DEADLETTERS_GOES)
		address(route, m, &d, &place, out);
	return stay == DEADLETTERS_GOES && route->options.pick->groups == NULL;
}

/* The name of the exchange it would go to, if nobody has asked for that yet. */
static struct slice unknown_exchange(const struct deadletters_route *route, const struct message *m)
{
	struct death d;
	struct deadletters_place place;
	death_read(m, &d);
	if (find_way(route, &d, &place) != DEADLETTERS_GOES ||
	    find_exchange(route, place.exchange) != NULL)
		return (struct slice){0};
	return place.exchange;
}

static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)flow;
	struct deadletters_route *route = self;
	verdict->fate = FLOW_HELD;
	if (route->options.pick->taken >= route->options.pick->limit)
		return FLOW_SETTLE;
	/* what comes behind one that waits waits, too: the order stays */
	if (!fifo_is_empty(&route->waiting) || unknown_exchange(route, in->message).len > 0) {
		fifo_push(&route->waiting, &(struct waiting){slot, message_copy(in->message), *in});
		return FLOW_PENDING;
	}
	return judge(route, in, out) ? FLOW_PASS : FLOW_SETTLE;
}

struct flow_core deadletters_route_core(struct deadletters_route *route)
{
	static const struct flow_core_kind kind = {.apply = apply};
	return (struct flow_core){&kind, route};
}

/* ---- what waits ---- */

static bool ask(
    struct deadletters_route *route, struct slice name, struct connection *c, struct error *err)
{
	struct provision_state state = {0};
	struct error refused = {0}; /* a name the broker does not even look for is none */
	char *text = mem_strndup(name.ptr, name.len);
	if (!provision_look_exchange(c, text, &state, &refused))
		state.exists = false;
	route->exchanges = mem_grow(route->exchanges, &route->exchange_capacity,
	    route->exchange_count + 1, sizeof *route->exchanges);
	route->exchanges[route->exchange_count++] = (struct exchange){text, state.exists};
	return connection_check(c, err);
}

static void resume(struct deadletters_route *route, struct flow *flow, const struct waiting *w)
{
	static const struct flow_verdict held = {.fate = FLOW_HELD, .reason = ""};
	struct message out;
	struct flow_message with = w->with;
	with.message = w->message;
	bool enough = route->options.pick->taken >= route->options.pick->limit;
	if (enough || !judge(route, &with, &out)) {
		flow_resume(flow, w->slot, FLOW_SETTLE, &held, NULL);
		return;
	}
	with.message = &out;
	flow_resume(flow, w->slot, FLOW_PASS, NULL, &with);
}

bool deadletters_route_advance(struct deadletters_route *route, struct flow *flow,
    const struct flow_sink *sink, struct connection *c, bool *moved, struct error *err)
{
	*moved = false;
	while (!fifo_is_empty(&route->waiting) && sink->kind->room(sink->self) > 0) {
		struct waiting w = *(struct waiting *)fifo_front(&route->waiting);
		struct slice name = unknown_exchange(route, w.message);
		*moved = true;
		if (name.len > 0 && !ask(route, name, c, err))
			return false;
		fifo_pop(&route->waiting);
		resume(route, flow, &w);
		free(w.message);
	}
	return true;
}

uint64_t deadletters_route_stays(const struct deadletters_route *route, enum deadletters_stay why)
{
	return route->stays[why];
}

uint64_t deadletters_route_unsigned(const struct deadletters_route *route)
{
	return route->unsigned_count;
}
