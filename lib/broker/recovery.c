#include "broker/recovery.h"

#include "base/buf.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "broker/connection_private.h"

#include <amqp.h>
#include <amqp_framing.h>

#include <stdlib.h>
#include <string.h>

/* After having been let in once: a user may be made anew, a broker may start. */
#define REFUSALS 3
/* To have lived so long is progress, too: many a connection is idle. */
#define HEALTHY_NS (30 * CHRONO_S)

struct recovery {
	struct recovery_options options;
	bool has_progress;
	uint64_t since_ns; /* of the first loss without progress after it; 0: none */
	uint64_t pause_ns; /* before the next try; 0: none */
	uint64_t back_ns;  /* when all was last well again; 0: never lost */
	uint64_t count;
};

struct recovery *recovery_create(const struct recovery_options *options)
{
	struct recovery *r = mem_alloc(1, sizeof *r);
	r->options = *options;
	r->has_progress = true;
	return r;
}

void recovery_free(struct recovery *r)
{
	free(r);
}

void recovery_note_progress(struct recovery *r)
{
	if (r != NULL)
		r->has_progress = true;
}

uint64_t recovery_count(const struct recovery *r)
{
	return r->count;
}

static void note_health(struct recovery *r)
{
	uint64_t give_up_after_ns = r->options.give_up_after_ns;
	uint64_t enough = give_up_after_ns < HEALTHY_NS ? give_up_after_ns : HEALTHY_NS;
	if (r->back_ns > 0 && chrono_now_ns() >= chrono_after(r->back_ns, enough))
		r->has_progress = true;
}

/* Notes one more failure; false when it has gone on for too long. */
static bool may_try(struct recovery *r)
{
	const struct reach_options *reach = &r->options.reach;
	uint64_t now = chrono_now_ns();
	if (r->has_progress) {
		r->since_ns = now;
		r->pause_ns = 0;
	} else {
		uint64_t doubled = r->pause_ns == 0 ? reach->pause_from_ns : r->pause_ns * 2;
		r->pause_ns = doubled < reach->pause_to_ns ? doubled : reach->pause_to_ns;
	}
	r->has_progress = false;
	return now < chrono_after(r->since_ns, r->options.give_up_after_ns);
}

static bool give_up(const struct recovery *r, const struct error *why, struct error *err)
{
	struct buf span = {0};
	num_format_duration(chrono_now_ns() - r->since_ns, &span);
	if (r->options.give_up_after_ns > 0)
		error_set(err, why->kind, "%s (gave up after %s)", why->text, span.ptr);
	else
		error_set(err, why->kind, "%s", why->text);
	buf_release(&span);
	return false;
}

bool recovery_may_help(const struct recovery *r, const struct error *why)
{
	uint16_t code = connection_refusal_code(r->options.connection);
	return why->kind == ERROR_UNAVAILABLE || code == AMQP_NOT_FOUND ||
	       code == AMQP_RESOURCE_LOCKED || recovery_met_consumer(r->options.connection);
}

bool recovery_met_consumer(const struct connection *c)
{
	const struct connection_refusal *refusal = connection_refusal(c);
	return refusal->code == AMQP_ACCESS_REFUSED &&
	       strstr(refusal->text, "exclusive use") != NULL;
}

bool recovery_was_too_early(const struct recovery *r)
{
	return connection_refusal_code(r->options.connection) == AMQP_INTERNAL_ERROR;
}

static bool is_stopped(const struct recovery *r)
{
	return loop_stop_requested(connection_loop(r->options.connection));
}

static bool pause_before(struct recovery *r, struct error *err)
{
	return r->pause_ns == 0 ||
	       reach_pause(connection_loop(r->options.connection), r->pause_ns, err);
}

static bool restore(const struct recovery *r, struct error *err)
{
	return r->options.restore == NULL ||
	       r->options.restore(r->options.ctx, r->options.connection, err);
}

/* One try: true when the connection lives and everything is there; else *why. */
static bool try_once(struct recovery *r, struct error *why)
{
	struct connection *c = r->options.connection;
	struct reach_options reach = r->options.reach;
	uint64_t end = chrono_after(r->since_ns, r->options.give_up_after_ns);
	struct error lost = {0};
	uint64_t now = chrono_now_ns();
	reach.wait_ns = end > now ? end - now : 0;
	reach.refusals = REFUSALS;
	if (!pause_before(r, why))
		return false;
	if (is_stopped(r))
		return false;
	if (!connection_check(c, &lost) && !reach_again(c, &reach, why))
		return false;
	return restore(r, why);
}

static bool try_until_done(struct recovery *r, const struct error *cause, struct error *err)
{
	struct error why = *cause;
	bool told = false;
	note_health(r);
	while (may_try(r)) {
		error_clear(&why);
		if (try_once(r, &why)) {
			r->back_ns = chrono_now_ns();
			return true;
		}
		if (is_stopped(r))
			return error_set(
			    err, cause->kind, "%s; stopped before it came back", cause->text);
		if (!recovery_may_help(r, &why))
			break;
		log_write(told ? LOG_DEBUG : LOG_INFO, "not yet back: %s", why.text);
		told = true;
	}
	return give_up(r, &why, err);
}

bool recovery_renew(struct recovery *r, struct error *err)
{
	struct connection *c = r->options.connection;
	struct error loss = {0};
	uint64_t lost_ns = chrono_now_ns();
	if (connection_check(c, &loss))
		return true;
	if (loss.kind != ERROR_UNAVAILABLE || r->options.give_up_after_ns == 0)
		return error_set(err, loss.kind, "%s", loss.text);
	log_write(LOG_WARNING, "%s; trying again", loss.text);
	if (!try_until_done(r, &loss, err))
		return false;
	struct buf span = {0};
	num_format_duration(chrono_now_ns() - lost_ns, &span);
	log_write(LOG_WARNING, "connected again to %s, after %s", connection_shown(c), span.ptr);
	buf_release(&span);
	r->count++;
	return true;
}

bool recovery_restore(struct recovery *r, const struct error *cause, struct error *err)
{
	return try_until_done(r, cause, err);
}
