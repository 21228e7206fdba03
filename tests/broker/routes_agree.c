/*
 * routes_agree - whether a real broker routes as model/routes says, over random topologies.
 *
 *   routes_agree SEED COUNT
 *
 * Asks for the rows of routing_rows.h, then declares COUNT topologies at AMQP_URL, publishes some
 * messages to each, mandatory ones among them, and compares who got them, and how often, and which
 * came back, with what routes_find says. Topology number n has the seed SEED + n: `routes_agree
 * $((SEED + n)) 1` repeats it, but for what earlier ones bound to amq.*. Prints one line of
 * NAME=VALUE, and each disagreement before it. Exit status 1 when there was one, 70 when the broker
 * could not be asked.
 */
#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "broker/provision.h"
#include "broker/publisher.h"
#include "broker/subscriber.h"
#include "model/table.h"
#include "random_topology.h"
#include "routing_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH 50    /* topologies that are declared together */
#define MESSAGES 12 /* to each */
#define WAIT_S 60   /* for what the broker owes us */
#define END UINT64_MAX

_Static_assert(ARRAY_LEN(topic_rows) + ARRAY_LEN(headers_rows) <= BATCH * MESSAGES,
    "the rows are asked for together");

struct sent {
	uint64_t topology;
	struct routes_message message;
	bool mandatory, returned;
	unsigned got[RANDOM_QUEUES];
};

struct run;
struct drain {
	struct run *run;
	struct subscriber *subscriber;
	size_t queue;
	bool at_end;
};

struct run {
	struct uri uri;
	struct loop *loop;
	struct connection *connection;
	struct publisher *publisher;
	struct drain readers[RANDOM_QUEUES];
	struct random_kept kept;
	struct sent sent[BATCH * MESSAGES]; /* of this batch */
	size_t sent_count;
	uint64_t topologies, messages, deliveries, returned, nobody, alternates, again, wrong;
};

/* ---- asking the broker ---- */

static void note_fate(void *ctx, uint64_t token, enum publisher_fate fate, const char *reason)
{
	struct run *run = ctx;
	(void)reason;
	if (fate == PUBLISHER_RETURNED && token != END)
		run->sent[token].returned = true;
}

static void note_delivery(void *ctx, const struct subscriber_delivery *d)
{
	struct drain *reader = ctx;
	struct error err = {0};
	uint64_t number;
	if (slice_is(d->message->body, "end"))
		reader->at_end = true;
	else if (num_parse_u64(d->message->body, 0, reader->run->sent_count - 1, &number, &err))
		reader->run->sent[number].got[reader->queue]++;
}

static void note_ended(void *ctx, const struct error *why)
{
	(void)ctx;
	fprintf(stderr, "routes_agree: a consumer was ended: %s\n", why->text);
	exit(70);
}

static bool open_reader(struct run *run, size_t queue, struct error *err)
{
	struct drain *reader = &run->readers[queue];
	const struct subscriber_options options = {.queue = random_queues[queue],
	    .no_ack = true,
	    .deliver = note_delivery,
	    .ended = note_ended,
	    .ctx = reader};
	*reader = (struct drain){.run = run, .queue = queue};
	reader->subscriber = subscriber_open(run->connection, &options, err);
	return reader->subscriber != NULL;
}

static bool turn(struct run *run, uint64_t deadline_ns, struct error *err)
{
	connection_flush(run->connection);
	if (chrono_now_ns() > deadline_ns)
		return error_set(err, ERROR_UNAVAILABLE, "the broker is late");
	return loop_turn(run->loop, deadline_ns, err) && publisher_check(run->publisher, err);
}

static bool publish(
    struct run *run, const struct message *m, bool mandatory, uint64_t token, struct error *err)
{
	uint64_t deadline_ns = chrono_now_ns() + WAIT_S * CHRONO_S;
	while (publisher_room(run->publisher) == 0)
		if (!turn(run, deadline_ns, err))
			return false;
	return publisher_send(run->publisher, m, mandatory, token, err);
}

static bool publish_sent(struct run *run, size_t number, struct error *err)
{
	const struct sent *s = &run->sent[number];
	struct buf headers = {0}, body = {0};
	buf_append_u64(&body, number);
	struct message m = {.exchange = slice_str(s->message.exchange),
	    .routing_key = slice_str(s->message.routing_key),
	    .body = buf_slice(&body)};
	bool good = s->message.headers == NULL || table_encode(s->message.headers, &headers, err);
	if (s->message.headers != NULL) {
		m.headers = buf_slice(&headers);
		m.present = MESSAGE_HEADERS;
	}
	good = good && publish(run, &m, s->mandatory, number, err);
	buf_release(&headers);
	buf_release(&body);
	return good;
}

static bool is_over(const struct run *run)
{
	for (size_t i = 0; i < RANDOM_QUEUES; i++)
		if (!run->readers[i].at_end)
			return false;
	return publisher_unconfirmed(run->publisher) == 0;
}

/* A last message to each queue comes behind all that went there before. */
static bool await_all(struct run *run, struct error *err)
{
	for (size_t i = 0; i < RANDOM_QUEUES; i++) {
		const struct message end = {
		    .routing_key = slice_str(random_queues[i]), .body = SLICE("end")};
		run->readers[i].at_end = false;
		if (!publish(run, &end, false, END, err))
			return false;
	}
	uint64_t deadline_ns = chrono_now_ns() + WAIT_S * CHRONO_S;
	while (!is_over(run))
		if (!turn(run, deadline_ns, err))
			return false;
	return true;
}

/* ---- comparing ---- */

static bool is_said(const struct routes *r, const char *queue)
{
	for (size_t i = 0; i < r->queue_count; i++)
		if (strcmp(r->queues[i], queue) == 0)
			return true;
	return false;
}

static void count(struct run *run, const struct sent *s, const struct routes *r)
{
	run->messages++;
	run->deliveries += r->queue_count;
	run->nobody += r->queue_count == 0;
	run->returned += s->returned;
	for (size_t i = 0; i < r->step_count; i++) {
		run->again += r->steps[i].again;
		run->alternates +=
		    r->steps[i].kind == ROUTES_END && r->steps[i].destination != NULL;
	}
}

static void show(const struct sent *s, const struct routes *r)
{
	char *headers = json_dumps(s->message.headers, JSON_COMPACT);
	printf("topology %" PRIu64 ": to '%s', key '%s', headers %s%s\n", s->topology,
	    s->message.exchange, s->message.routing_key, headers == NULL ? "none" : headers,
	    s->returned ? ", returned" : "");
	free(headers);
	for (size_t i = 0; i < RANDOM_QUEUES; i++)
		if (s->got[i] != is_said(r, random_queues[i]))
			printf("  queue '%s' got %u\n", random_queues[i], s->got[i]);
	for (size_t i = 0; i < r->step_count; i++) {
		const struct routes_step *step = &r->steps[i];
		char *arguments = json_dumps(
		    step->binding != NULL ? step->binding->arguments : NULL, JSON_COMPACT);
		printf("  %*s%s %s -> %s '%s' %s: %d %s\n", (int)(2 * step->depth), "",
		    step->exchange, step->found != NULL ? step->found->type : "absent",
		    step->destination != NULL ? step->destination : "",
		    step->binding != NULL ? step->binding->routing_key : "",
		    arguments != NULL ? arguments : "", step->match,
		    step->why != NULL ? step->why : "");
		free(arguments);
	}
}

static bool compare(
    struct run *run, const struct sent *s, const struct topology *t, struct error *err)
{
	struct routes r = {0};
	if (!routes_find(t, &s->message, &r, err))
		return false;
	bool same = s->returned == (s->mandatory && r.queue_count == 0);
	for (size_t i = 0; i < RANDOM_QUEUES; i++)
		same = same && s->got[i] == is_said(&r, random_queues[i]);
	count(run, s, &r);
	if (!same) {
		run->wrong++;
		show(s, &r);
	}
	routes_release(&r);
	return true;
}

/* ---- batches ---- */

static bool ask(struct run *run, const struct topology *t, struct error *err)
{
	if (!provision_apply(run->connection, t, NULL, NULL, NULL, err))
		return false;
	for (size_t i = 0; i < RANDOM_QUEUES; i++)
		if (run->readers[i].subscriber == NULL && !open_reader(run, i, err))
			return false;
	for (size_t i = 0; i < run->sent_count; i++)
		if (!publish_sent(run, i, err))
			return false;
	return await_all(run, err);
}

static void make(struct run *run, struct random_world *w, uint64_t seed)
{
	struct rng rng;
	rng_seed(&rng, seed);
	size_t exchange_count = random_world_add(w, &rng, seed);
	for (size_t i = 0; i < MESSAGES; i++)
		run->sent[run->sent_count++] = (struct sent){.topology = seed,
		    .message = random_message(w, &rng, exchange_count),
		    .mandatory = rng_below(&rng, 2) == 1};
	run->topologies++;
}

/* Asks, compares, and forgets. */
static bool finish(struct run *run, struct random_world *w, struct error *err)
{
	bool good = ask(run, &w->t, err);
	for (size_t i = 0; i < run->sent_count; i++) {
		good = good && compare(run, &run->sent[i], &w->t, err);
		json_decref((json_t *)(uintptr_t)run->sent[i].message.headers);
	}
	run->sent_count = 0;
	topology_release(&w->t);
	return good;
}

/* The rows of the unit tests, number 0. */
static bool run_rows(struct run *run, struct error *err)
{
	struct random_world w = {0};
	random_world_begin(&w, &run->kept);
	for (size_t i = 0; i < ARRAY_LEN(topic_rows); i++) {
		const char *exchange =
		    random_world_add_row(&w, "topic", topic_rows[i].pattern, json_object());
		run->sent[run->sent_count++].message =
		    (struct routes_message){.exchange = exchange, .routing_key = topic_rows[i].key};
	}
	for (size_t i = 0; i < ARRAY_LEN(headers_rows); i++) {
		json_t *wanted = routing_rows_parse(headers_rows[i].arguments);
		const char *exchange = random_world_add_row(&w, "headers", "", wanted);
		run->sent[run->sent_count++].message = (struct routes_message){.exchange = exchange,
		    .routing_key = "",
		    .headers = routing_rows_parse(headers_rows[i].headers)};
	}
	return finish(run, &w, err);
}

static bool run_batch(struct run *run, uint64_t seed, uint64_t count, struct error *err)
{
	struct random_world w = {0};
	random_world_begin(&w, &run->kept);
	for (uint64_t i = 0; i < count; i++)
		make(run, &w, seed + i);
	return finish(run, &w, err);
}

static bool run_all(struct run *run, uint64_t seed, uint64_t count, struct error *err)
{
	const char *url = getenv("AMQP_URL");
	const struct publisher_options options = {.window = 500, .fate = note_fate, .ctx = run};
	if (!uri_parse(slice_str(url), &run->uri, err) || (run->loop = loop_create(err)) == NULL)
		return false;
	const struct connection_options address = {.uri = &run->uri, .name = "routes_agree"};
	run->connection = connection_open(run->loop, &address, err);
	if (run->connection == NULL ||
	    (run->publisher = publisher_open(run->connection, &options, err)) == NULL)
		return false;
	if (!run_rows(run, err))
		return false;
	for (uint64_t i = 0; i < count; i += BATCH)
		if (!run_batch(run, seed + i, count - i < BATCH ? count - i : BATCH, err))
			return false;
	return true;
}

static void tear_down(struct run *run)
{
	for (size_t i = 0; i < RANDOM_QUEUES; i++)
		subscriber_close(run->readers[i].subscriber);
	publisher_close(run->publisher);
	connection_close(run->connection);
	loop_free(run->loop);
	uri_release(&run->uri);
	for (size_t i = 0; i < run->kept.count; i++)
		json_decref(run->kept.items[i].arguments);
	json_decref(run->kept.names);
}

int main(int argc, char *argv[])
{
	struct error err = {0};
	uint64_t seed, count;
	if (argc != 3 || !num_parse_u64(slice_str(argv[1]), 0, UINT64_MAX / 2, &seed, &err) ||
	    !num_parse_u64(slice_str(argv[2]), 1, 1000000, &count, &err)) {
		fprintf(stderr, "routes_agree SEED COUNT\n");
		return 64;
	}
	struct run *run = mem_alloc(1, sizeof *run);
	bool good = run_all(run, seed, count, &err);
	printf("seed=%" PRIu64 " topologies=%" PRIu64 " messages=%" PRIu64 " deliveries=%" PRIu64
	       " nobody=%" PRIu64 " returned=%" PRIu64 " alternates=%" PRIu64 " again=%" PRIu64
	       " wrong=%" PRIu64 "\n",
	    seed, run->topologies, run->messages, run->deliveries, run->nobody, run->returned,
	    run->alternates, run->again, run->wrong);
	uint64_t wrong = run->wrong;
	tear_down(run);
	free(run);
	if (!good)
		fprintf(stderr, "routes_agree: %s\n", err.text);
	return !good ? 70 : wrong > 0 ? 1 : 0;
}
