#include "app/opening.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/provision.h"
#include "broker/reach.h"

#include <stdlib.h>

#define PATIENCE_NS (5 * CHRONO_S)
#define LOOK_AGAIN_NS (100 * CHRONO_MS)

static bool was_too_early(const struct source_queue_options *options)
{
	return options->recovery != NULL && recovery_was_too_early(options->recovery);
}

static bool renew(const struct source_queue_options *options, struct error *err)
{
	error_clear(err);
	return recovery_renew(options->recovery, err);
}

struct source_queue *opening_shared(
    struct connection *c, const struct source_queue_options *options, struct error *err)
{
	struct source_queue *source = source_queue_open(c, options, err);
	while (source == NULL && was_too_early(options) && renew(options, err))
		source = source_queue_open(c, options, err);
	return source;
}

/* ---- alone ---- */

bool opening_is_alone(struct connection *c, const char *const *queues,
    const struct source_queue_own *own, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		struct provision_state state = {0};
		if (!own[i].exclusive)
			continue;
		if (!provision_look_queue(c, queues[i], &state, err))
			return false;
		if (state.consumers > 0) {
			char *shown = text_quote(slice_str(queues[i]));
			error_set(err, ERROR_UNAVAILABLE, "queue '%s' has another consumer", shown);
			free(shown);
			return false;
		}
	}
	return true;
}

struct wait {
	const char *advice;
	uint64_t end_ns;
	bool told;
	bool is_taken; /* at the last try: somebody else consumes */
};

static struct source_queue *try_to_open(struct connection *c,
    const struct source_queue_options *options, struct wait *wait, struct error *err)
{
	struct source_queue *source = NULL;
	struct error lost = {0};
	bool alone = opening_is_alone(c, options->queues, options->own, options->queue_count, err);
	if (alone)
		source = source_queue_open(c, options, err);
	wait->is_taken = source == NULL && connection_check(c, &lost) &&
			 (alone ? recovery_met_consumer(c) : err->kind == ERROR_UNAVAILABLE);
	return source;
}

static bool wait_for_other(struct loop *loop, struct wait *wait, struct error *err)
{
	struct error why = *err;
	error_clear(err);
	if (chrono_now_ns() >= wait->end_ns || loop_stop_requested(loop))
		return error_set(err, ERROR_UNAVAILABLE, "%s; %s", why.text, wait->advice);
	if (!wait->told)
		log_write(LOG_INFO, "%s; waiting for its end", why.text);
	wait->told = true;
	return reach_pause(loop, LOOK_AGAIN_NS, err);
}

static bool may_open_again(struct loop *loop, const struct source_queue_options *options,
    struct wait *wait, struct error *err)
{
	if (wait->is_taken)
		return wait_for_other(loop, wait, err);
	return was_too_early(options) && renew(options, err);
}

struct source_queue *opening_sole(struct tool *tool, const struct source_queue_options *options,
    const char *advice, struct error *err)
{
	uint64_t wait_ns = tool->options->wait_ns;
	struct wait wait = {.advice = advice,
	    .end_ns = chrono_after(chrono_now_ns(), wait_ns > PATIENCE_NS ? wait_ns : PATIENCE_NS)};
	struct source_queue *source = try_to_open(tool->connection, options, &wait, err);
	while (source == NULL && may_open_again(tool->loop, options, &wait, err))
		source = try_to_open(tool->connection, options, &wait, err);
	return source;
}
