#include "flow/retrier.h"

#include "base/chrono.h"
#include "base/fifo.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/publisher.h"
#include "model/marks.h"
#include "model/retry.h"

#include <stdlib.h>

#define REOPEN_NS CHRONO_S /* before another channel, after the broker has closed one */
#define PAUSE_FROM_NS (100 * CHRONO_MS) /* before what is held is sent again; doubles, */
#define PAUSE_TO_NS (5 * CHRONO_S)	/* after six seconds in vain, to this */
#define NOBODY SIZE_MAX
/* RabbitMQ adds x-death and its kin to what leaves a wait queue, two names of queues and a key of
 * up to 255 bytes several times, and delivers it even if it does not fit into a frame any more. */
#define DEATH_BYTES 2048

/* A copy on its way. Free ones are chained through next_free. */
struct copy {
	uint64_t token;
	struct message *message;
	bool is_parked;
	size_t queue;
	size_t next_free;
};

struct retrier {
	struct retrier_options options;
	struct publisher *publisher; /* NULL: none, or it is to be opened again */
	uint64_t reopen_ns;
	struct retrier_listener listener;
	struct copy *copies;
	size_t copy_count, capacity, first_free, under_way;
	struct fifo unsent; /* size_t: copies in order of coming */
	/* size_t: those that failed. Each pass sends them again one by one: one that costs the
	 * channel takes no other with it. */
	struct fifo held;
	size_t left;	   /* of this pass */
	size_t at_trial;   /* the one that is sent again; or NOBODY */
	uint64_t pass_ns;  /* when the next pass begins; 0: that is not set */
	uint64_t pause_ns; /* before it */
	bool stopping;
	struct buf restored, marked;
	struct retrier_counts counts;
	bool warned, warned_of_size;
};

/* ---- copies ---- */

static size_t take_place(struct retrier *r)
{
	size_t i = r->first_free;
	if (i == r->copy_count) {
		r->copies = mem_grow(r->copies, &r->capacity, i + 1, sizeof *r->copies);
		r->first_free = ++r->copy_count;
	} else {
		r->first_free = r->copies[i].next_free;
	}
	r->under_way++;
	return i;
}

static void release_place(struct retrier *r, size_t i)
{
	struct copy *c = &r->copies[i];
	free(c->message);
	c->message = NULL;
	c->next_free = r->first_free;
	r->first_free = i;
	r->under_way--;
}

static bool is_ours(const struct retrier *r, size_t i)
{
	return r->listener.is_ours(r->listener.ctx, r->copies[i].token);
}

static void finish(struct retrier *r, size_t i, bool safe)
{
	const struct copy *c = &r->copies[i];
	uint64_t token = c->token;
	if (!safe)
		r->counts.unsent += is_ours(r, i);
	else if (c->is_parked)
		r->counts.parked++;
	else
		r->counts.retried++;
	release_place(r, i);
	r->listener.done(r->listener.ctx, token, safe);
}

/* What keeps one copy back tends to keep all of them back: one line is enough. */
static void warn(struct retrier *r, size_t queue, const char *reason, const char *what_then)
{
	if (r->warned)
		return;
	r->warned = true;
	char *name = text_quote(slice_str(r->options.queues[queue]));
	log_write(LOG_WARNING,
	    "cannot send a failed message of queue '%s' on: %s; it is held%s given back in the "
	    "end (further ones are only counted)",
	    name, reason, what_then);
	free(name);
}

static void give_back(struct retrier *r, size_t i, const char *reason)
{
	warn(r, r->copies[i].queue, reason, " and");
	finish(r, i, false);
}

static void hold(struct retrier *r, size_t i, const char *reason)
{
	if (r->stopping) {
		give_back(r, i, reason);
		return;
	}
	warn(r, r->copies[i].queue, reason, " and tried again, and");
	fifo_push(&r->held, &i);
}

/* Another copy may have arrived, which this one says, if there is room for it. */
static void mark_resent(struct retrier *r, struct copy *c)
{
	struct error unfit;
	struct message m;
	marks_resent(c->message, &r->marked, &m);
	if (!publisher_fits(r->options.connection, &m, &unfit))
		return;
	struct message *marked = message_copy(&m);
	free(c->message);
	c->message = marked;
}

/* ---- the broker ---- */

static void on_fate(void *ctx, uint64_t token, enum publisher_fate fate, const char *reason)
{
	struct retrier *r = ctx;
	size_t i = (size_t)token;
	if (i == r->at_trial)
		r->at_trial = NOBODY;
	if (fate == PUBLISHER_UNCONFIRMED)
		mark_resent(r, &r->copies[i]);
	else
		recovery_note_progress(r->options.recovery);
	if (fate == PUBLISHER_CONFIRMED) {
		r->pause_ns = 0;
		finish(r, i, true);
	} else {
		hold(r, i, reason);
	}
}

static bool open_publisher(struct retrier *r, struct error *err)
{
	struct publisher_options options = {.window = r->options.window, .fate = on_fate, .ctx = r};
	r->publisher = publisher_open(r->options.connection, &options, err);
	return r->publisher != NULL;
}

static bool keep_connection(struct retrier *r, struct error *err)
{
	return r->options.recovery != NULL ? recovery_renew(r->options.recovery, err)
					   : connection_check(r->options.connection, err);
}

/* Whether there is a channel to send on. A message that the broker will not have (too large, to an
 * exchange that is gone) costs the channel; the others must not wait for it for ever. */
static bool has_channel(
    struct retrier *r, uint64_t now_ns, uint64_t *wake_ns, bool *out, struct error *err)
{
	struct error closed = {0};
	*out = false;
	if (!keep_connection(r, err))
		return error_context(err, "cannot send failed messages on");
	if (r->publisher != NULL && !publisher_check(r->publisher, &closed)) {
		log_write(LOG_DEBUG, "%s", closed.text);
		publisher_close(r->publisher);
		r->publisher = NULL;
		r->reopen_ns = now_ns + REOPEN_NS;
	}
	if (r->publisher == NULL && now_ns < r->reopen_ns) {
		*wake_ns = r->reopen_ns < *wake_ns ? r->reopen_ns : *wake_ns;
		return true;
	}
	struct error why = {0}, lost = {0};
	*out = r->publisher != NULL || open_publisher(r, &why);
	if (*out)
		return true;
	*wake_ns = 0; /* the next tick finds the connection again */
	bool is_lost = !connection_check(r->options.connection, &lost);
	return (is_lost && r->options.recovery != NULL) || error_set(err, why.kind, "%s", why.text);
}

/* True when its fate will be told. */
static bool send(struct retrier *r, size_t i)
{
	struct error err = {0};
	if (!is_ours(r, i)) {
		release_place(r, i);
		return false;
	}
	if (publisher_send(r->publisher, r->copies[i].message, true, i, &err))
		return true;
	give_back(r, i, err.text); /* it will never do */
	return false;
}

/* Whether there is something to be sent again now. */
static bool is_pass_due(struct retrier *r, uint64_t now_ns, uint64_t *wake_ns)
{
	if (r->left > 0)
		return true;
	if (fifo_is_empty(&r->held))
		return false;
	if (r->pass_ns == 0) {
		r->pause_ns = r->pause_ns == 0 ? PAUSE_FROM_NS : r->pause_ns * 2;
		if (r->pause_ns > PAUSE_TO_NS)
			r->pause_ns = PAUSE_TO_NS;
		r->pass_ns = now_ns + r->pause_ns;
	}
	if (now_ns < r->pass_ns) {
		*wake_ns = r->pass_ns < *wake_ns ? r->pass_ns : *wake_ns;
		return false;
	}
	r->pass_ns = 0;
	r->left = fifo_count(&r->held);
	return true;
}

static void send_held(struct retrier *r, uint64_t now_ns, uint64_t *wake_ns)
{
	while (r->at_trial == NOBODY && publisher_room(r->publisher) > 0 &&
	       is_pass_due(r, now_ns, wake_ns)) {
		size_t i = *(size_t *)fifo_front(&r->held);
		fifo_pop(&r->held);
		r->left--;
		if (send(r, i))
			r->at_trial = i;
	}
}

bool retrier_tick(struct retrier *r, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	bool ready = false;
	if (r->options.connection == NULL)
		return true;
	if (!has_channel(r, now_ns, wake_ns, &ready, err))
		return false;
	if (!ready)
		return true;
	while (!fifo_is_empty(&r->unsent) && publisher_room(r->publisher) > 0) {
		size_t i = *(size_t *)fifo_front(&r->unsent);
		fifo_pop(&r->unsent);
		IGNORE_RESULT(send(r, i));
	}
	send_held(r, now_ns, wake_ns);
	connection_flush(r->options.connection);
	return true;
}

/* ---- what the source hands over ---- */

const struct message *retrier_restore(
    struct retrier *r, size_t queue, const struct message *m, struct message *out)
{
	const struct retrier_policy *policy = &r->options.policies[queue];
	if (!policy->is_set || policy->rejects_only ||
	    !retry_is_back(m, slice_str(r->options.queues[queue])))
		return m;
	retry_restore(m, out, &r->restored);
	return out;
}

void retrier_listen(struct retrier *r, const struct retrier_listener *listener)
{
	r->listener = *listener;
}

/* The copy with the place it goes to, which lives in one allocation. */
static struct message *address(const struct retrier *r, size_t queue,
    const struct retry_failure *failure, const struct message *marked)
{
	const struct retrier_policy *policy = &r->options.policies[queue];
	struct message m = *marked;
	char *wait_queue = NULL;
	if (failure->step == RETRY_WAIT) {
		wait_queue = topology_retry_queue(r->options.queues[queue],
		    topology_retry_delay_ms(&policy->retry, failure->attempts));
		m.exchange = (struct slice){0};
		m.routing_key = slice_str(wait_queue);
	} else {
		m.exchange = slice_str(policy->parking_exchange);
		if (policy->parking_key != NULL)
			m.routing_key = slice_str(policy->parking_key);
	}
	struct message *copy = message_copy(&m);
	free(wait_queue);
	return copy;
}

/* The room is that of the length alone: nothing is read here. */
static bool fits(const struct retrier *r, const struct message *m, bool waits)
{
	struct error unfit;
	struct message grown = *m;
	grown.headers.len += waits ? DEATH_BYTES : 0;
	return publisher_fits(r->options.connection, &grown, &unfit);
}

/* Headers have to fit into one frame, and those that came may fill it. Then there are no further
 * attempts, of which nobody could keep count. */
static void warn_of_size(struct retrier *r, size_t queue)
{
	if (r->warned_of_size)
		return;
	r->warned_of_size = true;
	char *name = text_quote(slice_str(r->options.queues[queue]));
	log_write(LOG_WARNING,
	    "the headers of a failed message of queue '%s' nearly fill a frame: it is not tried "
	    "again but parked, with the marks that have room (further ones are only counted)",
	    name);
	free(name);
}

/* NULL when it does not fit. */
static struct message *parked(
    struct retrier *r, size_t queue, const struct message *m, const struct retry_failure *failure)
{
	struct error err;
	struct message marked;
	if (!retry_mark(m, failure, &marked, &r->marked, &err))
		return NULL;
	struct message *copy = address(r, queue, failure, &marked);
	if (fits(r, copy, false))
		return copy;
	free(copy);
	return NULL;
}

/* Parks with what has room beside the headers that came: all marks; those without the text and what
 * else tells of the failure; or none, and nothing of what brokers have written on the way. */
static struct message *address_with_less(
    struct retrier *r, size_t queue, const struct message *m, struct retry_failure *failure)
{
	warn_of_size(r, queue);
	if (failure->step == RETRY_WAIT)
		failure->step = RETRY_PARK_ATTEMPTS;
	struct message *copy = parked(r, queue, m, failure);
	failure->reason = failure->headers = (struct slice){0};
	if (copy == NULL)
		copy = parked(r, queue, m, failure);
	if (copy != NULL)
		return copy;
	struct message bare = *m;
	buf_clear(&r->marked);
	marks_strip(m->headers, true, &r->marked);
	bare.headers = buf_slice(&r->marked);
	bare.present &= ~(unsigned)(MESSAGE_USER_ID | MESSAGE_EXPIRATION);
	return address(r, queue, failure, &bare);
}

bool retrier_take(
    struct retrier *r, size_t queue, uint64_t token, const struct flow_outcome *outcome)
{
	const struct retrier_policy *policy = &r->options.policies[queue];
	const struct message *m = outcome->message;
	bool rejected = outcome->fate == FLOW_REJECTED;
	if (!policy->is_set || r->options.connection == NULL ||
	    (!rejected && (outcome->fate != FLOW_RETRY || policy->rejects_only)))
		return false;
	struct retry_failure failure = {.queue = slice_str(r->options.queues[queue]),
	    .reason = slice_str(outcome->reason),
	    .time_s = chrono_wall_ms() / 1000,
	    .headers = outcome->headers};
	failure.attempts = retry_attempts(m, failure.queue) + 1;
	failure.step = retry_decide(&policy->retry, rejected, failure.attempts);
	struct message marked;
	struct error err;
	error_clear(&err);
	size_t i = take_place(r);
	r->copies[i] =
	    (struct copy){.token = token, .is_parked = failure.step != RETRY_WAIT, .queue = queue};
	r->counts.rejected += rejected;
	if (!retry_mark(m, &failure, &marked, &r->marked, &err)) {
		give_back(r, i, err.text);
		return true;
	}
	r->copies[i].message = address(r, queue, &failure, &marked);
	if (!fits(r, r->copies[i].message, failure.step == RETRY_WAIT)) {
		free(r->copies[i].message);
		r->copies[i].message = address_with_less(r, queue, m, &failure);
		r->copies[i].is_parked = true;
	}
	if (outcome->redelivered) /* there may be a copy already, of one who died then */
		mark_resent(r, &r->copies[i]);
	fifo_push(&r->unsent, &i);
	return true;
}

size_t retrier_under_way(const struct retrier *r)
{
	return r->under_way;
}

bool retrier_is_hopeful(const struct retrier *r)
{
	size_t failed = fifo_count(&r->held) + (r->at_trial != NOBODY);
	return r->under_way > failed || (failed > 0 && r->pause_ns < PAUSE_TO_NS);
}

static void give_all_back(struct retrier *r, struct fifo *copies, const char *reason)
{
	for (; !fifo_is_empty(copies); fifo_pop(copies))
		give_back(r, *(size_t *)fifo_front(copies), reason);
}

void retrier_stop(struct retrier *r)
{
	r->stopping = true;
	r->left = 0;
	give_all_back(r, &r->held, "the run ends");
}

const struct retrier_counts *retrier_counts(const struct retrier *r)
{
	return &r->counts;
}

/* ---- life ---- */

struct retrier *retrier_open(const struct retrier_options *options, struct error *err)
{
	struct retrier *r = mem_alloc(1, sizeof *r);
	r->options = *options;
	r->unsent.size = r->held.size = sizeof(size_t);
	r->at_trial = NOBODY;
	if (options->connection == NULL || open_publisher(r, err))
		return r;
	retrier_close(r);
	return NULL;
}

void retrier_close(struct retrier *r)
{
	if (r == NULL)
		return;
	retrier_stop(r);
	publisher_close(r->publisher);
	give_all_back(r, &r->unsent, "the run ended first");
	fifo_release(&r->unsent);
	fifo_release(&r->held);
	free(r->copies);
	buf_release(&r->restored);
	buf_release(&r->marked);
	free(r);
}
