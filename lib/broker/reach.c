#include "broker/reach.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/rng.h"
#include "broker/connection_private.h"

/* Tries one address: opens *c, or opens it again. */
static bool try_one(struct loop *loop, const struct reach_options *options, size_t i,
    struct connection **c, struct error *err)
{
	const struct connection_options one = {
	    &options->uris[i], options->name, options->heartbeat_s};
	if (*c != NULL)
		return connection_reopen(*c, one.uri, err);
	*c = connection_open(loop, &one, err);
	return *c != NULL;
}

/* Tries every address once. */
static bool try_all(struct loop *loop, const struct reach_options *options, struct connection **c,
    struct error *err)
{
	for (size_t i = 0; i < options->uri_count; i++) {
		error_clear(err);
		if (try_one(loop, options, i, c, err))
			return true;
		bool is_worth_it = err->kind == ERROR_UNAVAILABLE || options->refusals > 0;
		if (!is_worth_it || loop_stop_requested(loop))
			break;
	}
	return false;
}

static bool sleep_until(struct loop *loop, uint64_t when_ns, struct error *err)
{
	while (chrono_now_ns() < when_ns && !loop_stop_requested(loop))
		if (!loop_turn(loop, when_ns, err))
			return false;
	return true;
}

/* Everybody's own: the tools of a lab begin and fail together. */
static uint64_t jittered(uint64_t pause_ns)
{
	struct rng rng;
	rng_seed(&rng, rng_entropy());
	return (uint64_t)((double)pause_ns * (0.8 + 0.4 * rng_unit(&rng)));
}

bool reach_pause(struct loop *loop, uint64_t pause_ns, struct error *err)
{
	return sleep_until(loop, chrono_after(chrono_now_ns(), jittered(pause_ns)), err);
}

static bool reach(struct loop *loop, const struct reach_options *options, struct connection **c,
    struct error *err)
{
	uint64_t give_up = chrono_after(chrono_now_ns(), options->wait_ns);
	uint64_t pause = options->pause_from_ns;
	unsigned refusals = 0;
	for (bool told = false;; told = true) {
		struct error why = {0};
		if (try_all(loop, options, c, &why))
			return true;
		uint64_t now = chrono_now_ns();
		if (loop_stop_requested(loop))
			return error_set(
			    err, ERROR_UNAVAILABLE, "interrupted before the broker answered");
		bool refused = why.kind != ERROR_UNAVAILABLE;
		if (now >= give_up || (refused && ++refusals > options->refusals))
			return error_set(err, why.kind, "%s", why.text);
		log_write(told ? LOG_DEBUG : LOG_INFO, "waiting for the broker: %s", why.text);
		/* tries are few then, and who makes a user or a vhost anew is not so quick */
		uint64_t again =
		    chrono_after(now, jittered(refused ? options->pause_to_ns : pause));
		if (!sleep_until(loop, again < give_up ? again : give_up, err))
			return false;
		pause = pause * 2 < options->pause_to_ns ? pause * 2 : options->pause_to_ns;
	}
}

struct connection *reach_broker(
    struct loop *loop, const struct reach_options *options, struct error *err)
{
	struct connection *c = NULL;
	return reach(loop, options, &c, err) ? c : NULL;
}

bool reach_again(struct connection *c, const struct reach_options *options, struct error *err)
{
	return reach(connection_loop(c), options, &c, err);
}
