#include "broker/reach.h"

#include "base/chrono.h"
#include "base/log.h"

/* Tries every address once. */
static struct connection *try_all(
    struct loop *loop, const struct reach_options *options, struct error *err)
{
	for (size_t i = 0; i < options->uri_count; i++) {
		struct connection_options one = {
		    &options->uris[i], options->name, options->heartbeat_s};
		error_clear(err);
		struct connection *c = connection_open(loop, &one, err);
		if (c != NULL)
			return c;
		if (err->kind != ERROR_UNAVAILABLE || loop_stop_requested(loop))
			break;
	}
	return NULL;
}

static bool sleep_until(struct loop *loop, uint64_t when_ns, struct error *err)
{
	while (chrono_now_ns() < when_ns && !loop_stop_requested(loop))
		if (!loop_turn(loop, when_ns, err))
			return false;
	return true;
}

struct connection *reach_broker(
    struct loop *loop, const struct reach_options *options, struct error *err)
{
	uint64_t give_up = chrono_after(chrono_now_ns(), options->wait_ns);
	uint64_t pause = options->pause_from_ns;
	for (bool told = false;; told = true) {
		struct error why = {0};
		struct connection *c = try_all(loop, options, &why);
		if (c != NULL)
			return c;
		uint64_t now = chrono_now_ns();
		if (loop_stop_requested(loop)) {
			error_set(err, ERROR_UNAVAILABLE, "interrupted before the broker answered");
			return NULL;
		}
		if (why.kind != ERROR_UNAVAILABLE || now >= give_up) {
			error_set(err, why.kind, "%s", why.text);
			return NULL;
		}
		if (!told)
			log_write(LOG_INFO, "waiting for the broker: %s", why.text);
		uint64_t again = chrono_after(now, pause);
		if (!sleep_until(loop, again < give_up ? again : give_up, err))
			return NULL;
		pause = pause * 2 < options->pause_to_ns ? pause * 2 : options->pause_to_ns;
	}
}
