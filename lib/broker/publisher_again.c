/* What is sent again: after a loss, a nack, a refusal. */
#include "broker/publisher.h"

#include "base/chrono.h"
#include "base/log.h"
#include "broker/connection_private.h"
#include "broker/publisher_private.h"
#include "model/marks.h"

#include <stdlib.h>

#define PAUSE_FROM_NS (100 * CHRONO_MS) /* before nacked messages go again; doubles */
#define PAUSE_TO_NS (2 * CHRONO_S)
/* A channel whose quorum queue lost its leader at the wrong moment nacks for ever (3.10.8). */
#define NACKS_IN_A_ROW 5
#define CONFIRM_LOOK_NS (5 * CHRONO_S)
#define CONFIRM_LOOKS 6 /* without a confirm: then the broker has lost them, or us */

static void wake(void *ctx, uint64_t now_ns)
{
	struct publisher *p = ctx;
	(void)now_ns;
	p->wake_timer = 0;
}

/* Puts off what is to be sent again; longer each time, until something is confirmed. */
static void pause_again(struct publisher *p)
{
	uint64_t doubled = p->pause_ns == 0 ? PAUSE_FROM_NS : p->pause_ns * 2;
	p->pause_ns = doubled < PAUSE_TO_NS ? doubled : PAUSE_TO_NS;
	p->due_ns = chrono_now_ns() + p->pause_ns;
	loop_cancel(connection_loop(p->connection), p->wake_timer);
	p->wake_timer = loop_at(connection_loop(p->connection), p->due_ns, wake, p);
}

static struct again read_back(struct publisher *p, const struct entry *e)
{
	struct again a = {.token = e->token, .tries = e->tries};
	a.message = kept_read(&p->kept, e->place, &a.mandatory);
	return a;
}

bool publisher_put_off(struct publisher *p, uint64_t number)
{
	struct entry *e = publisher_entry(p, number);
	p->nacks_in_a_row++;
	if (e->settled || e->tries >= p->options.nack_retries || e->return_reason != NULL)
		return false;
	if (chrono_now_ns() >= p->due_ns) /* not for each of those that come together */
		pause_again(p);
	struct again a = read_back(p, e);
	a.tries++;
	fifo_push(&p->again, &a);
	e->settled = true;
	publisher_advance(p);
	return true;
}

/* All that is unsettled stands before what was to be sent again already. */
static void take_back(struct publisher *p)
{
	struct fifo later = p->again;
	p->again = (struct fifo){.size = sizeof(struct again)};
	for (uint64_t n = p->oldest; n < p->next; n++) {
		const struct entry *e = publisher_entry(p, n);
		if (e->settled)
			continue;
		if (e->return_reason != NULL) {
			publisher_settle(p, n, PUBLISHER_CONFIRMED, "");
			continue;
		}
		struct again a = read_back(p, e);
		fifo_push(&p->again, &a);
	}
	for (; !fifo_is_empty(&later); fifo_pop(&later))
		fifo_push(&p->again, fifo_front(&later));
	fifo_release(&later);
	p->oldest = p->next = 1;
	kept_forget(&p->kept, kept_end(&p->kept));
}

/* Ends a connection on which nothing is confirmed for half a minute, though the network has taken
 * all and the broker does not say that it is blocked: what it was given is sent again over another
 * one. */
static void look_at_confirms(void *ctx, uint64_t now_ns)
{
	struct publisher *p = ctx;
	bool waits =
	    p->channel != 0 && p->next > p->oldest && !connection_is_blocked(p->connection);
	uint64_t progress = publisher_progress(p);
	bool quiet = waits && progress == p->progress_at_look;
	p->quiet_looks = quiet ? p->quiet_looks + 1 : 0;
	p->progress_at_look = progress;
	if (p->quiet_looks >= CONFIRM_LOOKS) {
		p->quiet_looks = 0;
		connection_lose(p->connection, ERROR_UNAVAILABLE,
		    "the broker at %s has confirmed nothing for 30 seconds",
		    connection_shown(p->connection));
	}
	p->look_timer =
	    loop_at(connection_loop(p->connection), now_ns + CONFIRM_LOOK_NS, look_at_confirms, p);
}

/* With our mark; without it where that makes the headers too long for a frame. */
static bool send_again(struct publisher *p, const struct again *a, struct error *err)
{
	const struct entry entry = {.token = a->token, .tries = a->tries};
	struct message m;
	struct buf headers = {0};
	struct error too_long = {0};
	marks_resent(a->message, &headers, &m);
	bool good = publisher_put(p, &m, a->mandatory, &entry, &too_long) ||
		    publisher_put(p, a->message, a->mandatory, &entry, err);
	buf_release(&headers);
	p->resent += good;
	return good;
}

static void tell_of_stop(struct publisher *p)
{
	if (p->has_told || !loop_stop_requested(connection_loop(p->connection)))
		return;
	p->has_told = true;
	log_write(LOG_INFO, "messages still to be sent again: %zu; a second Ctrl+C ends at once",
	    fifo_count(&p->again));
}

bool publisher_resend_due(struct publisher *p, struct error *err)
{
	if (fifo_is_empty(&p->again)) {
		p->is_careful = p->is_careful && p->next > p->oldest;
		return true;
	}
	tell_of_stop(p);
	if (chrono_now_ns() < p->due_ns)
		return true;
	if (p->nacks_in_a_row >= NACKS_IN_A_ROW && p->channel != 0 && !publisher_renew(p, err))
		return false;
	size_t window = p->is_careful ? 1 : p->options.window;
	while (!fifo_is_empty(&p->again) && publisher_is_open(p) && p->next - p->oldest < window) {
		struct again a = *(struct again *)fifo_front(&p->again);
		struct error why;
		error_clear(&why);
		fifo_pop(&p->again);
		/* a broker may allow less than the one before */
		if (!send_again(p, &a, &why))
			p->options.fate(p->options.ctx, a.token, PUBLISHER_NACKED, why.text);
		free(a.message);
	}
	return true;
}

/* The broker has closed the channel over one of the unsettled messages. False when it is not to be
 * skipped; true when it was, or will be found among them by sending them one by one. */
static bool skip_refused(struct publisher *p)
{
	if (!p->options.skips_refused)
		return false;
	uint64_t unsettled = p->next - p->oldest;
	if (unsettled == 1)
		publisher_settle(p, p->oldest, PUBLISHER_NACKED, p->closed.text);
	else
		p->is_careful = true;
	return unsettled > 0;
}

bool publisher_renew(struct publisher *p, struct error *err)
{
	bool is_refused = p->closed.kind == ERROR_REFUSED || p->closed.kind == ERROR_ACCESS;
	if (is_refused && !skip_refused(p))
		return error_set(err, p->closed.kind, "%s", p->closed.text);
	connection_close_channel(p->connection, p->channel);
	take_back(p);
	error_clear(&p->closed);
	p->nacks_in_a_row = 0;
	if (publisher_open_channel(p, err))
		return true;
	error_set(&p->closed, ERROR_UNAVAILABLE, "%s", err->text);
	return false;
}

uint64_t publisher_resent(const struct publisher *p)
{
	return p->resent;
}

void publisher_abandon_again(struct publisher *p, const char *reason)
{
	for (; !fifo_is_empty(&p->again); fifo_pop(&p->again)) {
		struct again a = *(struct again *)fifo_front(&p->again);
		p->options.fate(p->options.ctx, a.token, PUBLISHER_UNCONFIRMED, reason);
		free(a.message);
	}
}

void publisher_watch_confirms(struct publisher *p)
{
	p->look_timer = loop_at(
	    connection_loop(p->connection), chrono_now_ns() + CONFIRM_LOOK_NS, look_at_confirms, p);
}
