#include "bench/link.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "bench/lane.h"
#include "broker/reach.h"

#include <stdlib.h>

struct link {
	struct link_options options;
	const struct plan_link *plan;
	struct uri *uris; /* in the order this connection tries them; shallow copies */
	struct connection *connection;
	struct lane **lanes;
	size_t lane_count, running;
	bool is_stopped;
	uint64_t blocked_since_ns; /* 0: not blocked */
	/* a step is needed when it is due, or when the connection has seen something since */
	uint64_t wake_ns, activity;
};

/* The same addresses, beginning with another one for each connection, so that they spread. */
static struct uri *rotate_uris(const struct settings *s, size_t number)
{
	struct uri *uris = mem_alloc(s->uri_count, sizeof *uris);
	for (size_t i = 0; i < s->uri_count; i++)
		uris[i] = s->uris[(i + number) % s->uri_count];
	return uris;
}

struct link *link_create(const struct link_options *options, struct error *err)
{
	struct link *link = mem_alloc(1, sizeof *link);
	link->options = *options;
	link->plan = &options->plan->links[options->number];
	link->uris = rotate_uris(options->plan->settings, options->number);
	link->lanes = mem_alloc(link->plan->lane_count, sizeof(struct lane *));
	for (size_t i = 0; i < link->plan->lane_count; i++) {
		struct lane_options lane = {.plan = options->plan,
		    .lane = &link->plan->lanes[i],
		    .publishes = link->plan->publishes,
		    .loop = options->loop,
		    .notes = options->notes,
		    .seed = options->seed + link->plan->lanes[i].publisher};
		link->lanes[i] = lane_create(&lane, err);
		if (link->lanes[i] == NULL) {
			link_free(link);
			return NULL;
		}
		link->running = ++link->lane_count;
	}
	return link;
}

bool link_open(struct link *link, struct error *err)
{
	const struct plan *plan = link->options.plan;
	const struct settings *s = plan->settings;
	struct reach_options options = {.uris = link->uris,
	    .uri_count = s->uri_count,
	    .name = link->options.name,
	    .heartbeat_s = s->heartbeat_s,
	    .wait_ns = plan->options->tool.wait_ns,
	    .pause_from_ns = s->retry_from_ns,
	    .pause_to_ns = s->retry_to_ns};
	link->connection = reach_broker(link->options.loop, &options, err);
	if (link->connection == NULL)
		return false;
	for (size_t i = 0; i < link->lane_count; i++)
		if (!lane_open(link->lanes[i], link->connection, err))
			return false;
	return true;
}

bool link_is_open(const struct link *link)
{
	return link->connection != NULL;
}

const char *link_server(const struct link *link)
{
	return link->connection != NULL ? connection_server(link->connection) : "";
}

uint64_t link_delay_ns(const struct link *link)
{
	return link->is_stopped ? CHRONO_NEVER : link->plan->delay_ns;
}

void link_begin(struct link *link, uint64_t start_ns, uint64_t end_ns)
{
	for (size_t i = 0; i < link->lane_count; i++)
		lane_begin(link->lanes[i], start_ns, end_ns);
}

/* ---- steps ---- */

static void watch_blocked(struct link *link, uint64_t now_ns)
{
	bool blocked = connection_is_blocked(link->connection);
	if (blocked && link->blocked_since_ns == 0) {
		link->blocked_since_ns = now_ns;
	} else if (!blocked && link->blocked_since_ns != 0) {
		link_note_blocked(link, now_ns);
		link->blocked_since_ns = 0;
		for (size_t i = 0; i < link->lane_count; i++)
			lane_unblocked(link->lanes[i], now_ns);
	}
}

/* Hundreds of links that have nothing to do must cost nothing. */
static bool is_due(const struct link *link, uint64_t now_ns)
{
	return now_ns >= link->wake_ns || connection_activity(link->connection) != link->activity;
}

bool link_step(
    struct link *link, uint64_t now_ns, uint64_t *wake_ns, bool *is_done, struct error *err)
{
	*is_done = false;
	if (link->connection == NULL || link->running == 0)
		return true;
	if (is_due(link, now_ns)) {
		link->activity = connection_activity(link->connection);
		link->wake_ns = CHRONO_NEVER;
		watch_blocked(link, now_ns);
		size_t running = 0;
		for (size_t i = 0; i < link->lane_count; i++) {
			if (!lane_step(link->lanes[i], &link->wake_ns, err))
				return false;
			running += !lane_is_done(link->lanes[i]);
		}
		*is_done = running == 0;
		link->running = running;
	}
	if (link->wake_ns < *wake_ns)
		*wake_ns = link->wake_ns;
	return true;
}

void link_stop(struct link *link)
{
	link->is_stopped = true;
	link->wake_ns = 0;
	for (size_t i = 0; i < link->lane_count; i++)
		lane_stop(link->lanes[i]);
	if (link->connection == NULL)
		link->running = 0;
}

bool link_publishes(const struct link *link)
{
	return link->plan->publishes;
}

size_t link_running(const struct link *link)
{
	return link->running;
}

/* ---- figures ---- */

void link_note_blocked(struct link *link, uint64_t now_ns)
{
	if (link->blocked_since_ns == 0)
		return;
	link->options.notes->tally.counts[TALLY_BLOCKED_NS] += now_ns - link->blocked_since_ns;
	link->blocked_since_ns = now_ns;
}

uint64_t link_requeued(const struct link *link)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < link->lane_count; i++)
		sum += lane_requeued(link->lanes[i]);
	return sum;
}

uint64_t link_dropped(const struct link *link)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < link->lane_count; i++)
		sum += lane_dropped(link->lanes[i]);
	return sum;
}

/* ---- the end ---- */

void link_close(struct link *link)
{
	for (size_t i = 0; i < link->lane_count; i++)
		lane_close(link->lanes[i]);
	connection_close(link->connection);
	link->connection = NULL;
	link->running = 0;
}

void link_free(struct link *link)
{
	if (link == NULL)
		return;
	for (size_t i = 0; i < link->lane_count; i++)
		lane_free(link->lanes[i]);
	free(link->lanes);
	free(link->uris);
	free(link);
}
