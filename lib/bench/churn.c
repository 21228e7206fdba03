#include "bench/churn.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "broker/provision.h"
#include "broker/publisher.h"
#include "broker/reach.h"

#include <stdlib.h>

struct churn {
	const struct bench_options *options;
	struct loop *loop;
	struct notes *notes;
	struct reach_options reach;
	struct connection *connection; /* of the channels and queues */
	struct topology_queue queue;
	struct topology topology;
	char *queue_name;
	uint64_t count;
	uint64_t due_ns, end_ns; /* due: of the next one */
	bool is_stopped;
};

struct churn *churn_create(
    const struct plan *plan, const char *name, struct loop *loop, struct notes *notes)
{
	struct churn *churn = mem_alloc(1, sizeof *churn);
	const struct settings *s = plan->settings;
	churn->options = plan->options;
	churn->loop = loop;
	churn->notes = notes;
	churn->reach = (struct reach_options){.uris = s->uris,
	    .uri_count = s->uri_count,
	    .name = name,
	    .heartbeat_s = s->heartbeat_s,
	    .wait_ns = plan->options->tool.wait_ns,
	    .pause_from_ns = s->retry_from_ns,
	    .pause_to_ns = s->retry_to_ns};
	churn->queue_name = mem_printf("warren-churn-%016llx", (unsigned long long)rng_entropy());
	churn->queue = (struct topology_queue){.name = churn->queue_name,
	    .type = "classic",
	    .durable = true,
	    .declared = true,
	    .arguments = json_pack("{s:s}", "x-queue-type", "classic")};
	churn->topology = (struct topology){.queues = &churn->queue, .queue_count = 1};
	return churn;
}

void churn_begin(struct churn *churn, uint64_t start_ns, uint64_t end_ns)
{
	churn->due_ns = start_ns;
	churn->end_ns = end_ns;
}

static void ignore_fate(void *ctx, uint64_t token, enum publisher_fate fate, const char *reason)
{
	(void)ctx, (void)token, (void)fate, (void)reason; /* nothing is sent */
}

static bool open_connection(struct churn *churn, struct error *err)
{
	struct connection *c = reach_broker(churn->loop, &churn->reach, err);
	connection_close(c);
	return c != NULL;
}

/* What channels and queues are opened on. */
static bool has_connection(struct churn *churn, struct error *err)
{
	if (churn->connection == NULL)
		churn->connection = reach_broker(churn->loop, &churn->reach, err);
	return churn->connection != NULL;
}

static bool open_channel(struct churn *churn, struct error *err)
{
	struct publisher_options options = {.fate = ignore_fate};
	struct publisher *p = publisher_open(churn->connection, &options, err);
	publisher_close(p);
	connection_flush(churn->connection);
	return p != NULL;
}

static bool make_queue(struct churn *churn, struct error *err)
{
	struct provision_limits none = {false, false};
	return provision_apply(churn->connection, &churn->topology, NULL, NULL, NULL, err) &&
	       provision_delete(churn->connection, &churn->topology, &none, NULL, NULL, err);
}

/* True when it is time; with a rate, the next one is due when the plan says so. */
static bool is_due(struct churn *churn, uint64_t now_ns, uint64_t *wake_ns)
{
	if (now_ns >= churn->end_ns)
		churn->is_stopped = true;
	if (now_ns < churn->due_ns) {
		uint64_t next = churn->due_ns < churn->end_ns ? churn->due_ns : churn->end_ns;
		*wake_ns = next < *wake_ns ? next : *wake_ns;
		return false;
	}
	return !churn->is_stopped;
}

bool churn_step(struct churn *churn, uint64_t *wake_ns, struct error *err)
{
	static bool (*const operations[])(struct churn *, struct error *) = {
	    [BENCH_CONNECTIONS] = open_connection,
	    [BENCH_CHANNELS] = open_channel,
	    [BENCH_QUEUES] = make_queue,
	};
	if (churn_is_done(churn) || !is_due(churn, chrono_now_ns(), wake_ns))
		return true;
	if (churn->options->churn != BENCH_CONNECTIONS && !has_connection(churn, err))
		return false;
	uint64_t before_ns = chrono_now_ns();
	*wake_ns = 0;
	if (churn->options->has_rate)
		churn->due_ns += (uint64_t)(1e9 / churn->options->rate);
	if (!operations[churn->options->churn](churn, err)) {
		/* a stop in the middle of it is none of the broker's failures */
		bool stopped = loop_stop_requested(churn->loop);
		if (stopped)
			error_clear(err);
		return stopped;
	}
	struct tally *tally = &churn->notes->tally;
	tally->counts[TALLY_OPERATIONS]++;
	churn->notes->last_ns = chrono_now_ns();
	histogram_add(&tally->latencies[TALLY_OPERATION], churn->notes->last_ns - before_ns);
	churn->count++;
	return true;
}

void churn_stop(struct churn *churn)
{
	churn->is_stopped = true;
}

bool churn_is_done(const struct churn *churn)
{
	const struct bench_options *o = churn->options;
	return churn->is_stopped || (o->has_pmessages && churn->count >= o->pmessages);
}

void churn_close(struct churn *churn)
{
	if (churn == NULL)
		return;
	churn->is_stopped = true;
	connection_close(churn->connection);
	churn->connection = NULL;
}

void churn_free(struct churn *churn)
{
	if (churn == NULL)
		return;
	json_decref(churn->queue.arguments);
	free(churn->queue_name);
	free(churn);
}
