#include "bench/absorb.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <stdlib.h>

#define CATCH_UP_NS (10 * CHRONO_MS) /* of a rate, after a late wake-up */
#define MOST_RUNS 16		     /* of others, whose order is followed */
#define MOST_ORDERS (1u << 20)	     /* that are followed of others; their numbers are not ours */

/* The order of one run: by publisher, and by queue within, one more than the greatest sequence
 * seen. */
struct order {
	uint32_t run;
	uint64_t *next;
	size_t capacity;
};

struct absorb {
	struct absorb_options options;
	struct order orders[MOST_RUNS]; /* of our own run alone, where there are publishers */
	size_t order_count;
	/* the message at work, when it takes time */
	struct flow *flow;
	uint64_t slot, timer;
	bool is_busy;
	uint64_t done_ns; /* of it */
	uint64_t start_ns;
	uint64_t free_ns; /* by the rate: when the next one may begin */
};

struct absorb *absorb_create(const struct absorb_options *options)
{
	struct absorb *absorb = mem_alloc(1, sizeof *absorb);
	absorb->options = *options;
	return absorb;
}

void absorb_free(struct absorb *absorb)
{
	if (absorb == NULL)
		return;
	loop_cancel(absorb->options.loop, absorb->timer);
	for (size_t i = 0; i < absorb->order_count; i++)
		free(absorb->orders[i].next);
	free(absorb);
}

void absorb_start(struct absorb *absorb, uint64_t start_ns)
{
	absorb->start_ns = start_ns;
}

/* ---- measuring ---- */

/* NULL when there are too many runs. */
static struct order *order_of(struct absorb *absorb, uint32_t run)
{
	for (size_t i = 0; i < absorb->order_count; i++)
		if (absorb->orders[i].run == run)
			return &absorb->orders[i];
	if (absorb->order_count == MOST_RUNS)
		return NULL;
	struct order *order = &absorb->orders[absorb->order_count++];
	order->run = run;
	return order;
}

/* Where the next sequence of a publisher is kept; NULL when there are too many of them. */
static uint64_t *next_of(struct absorb *absorb, const struct probe *probe, size_t queue)
{
	uint64_t i = (uint64_t)probe->publisher * absorb->options.queue_count + queue;
	size_t publishers = absorb->options.publishers;
	struct order *order = order_of(absorb, probe->run);
	if (order == NULL || (publishers > 0 ? probe->publisher >= publishers : i >= MOST_ORDERS))
		return NULL;
	order->next = mem_grow(order->next, &order->capacity, i + 1, sizeof *order->next);
	return &order->next[i];
}

/* The same one again is a duplicate, which the ledger counts. */
static void note_order(
    struct absorb *absorb, const struct probe *probe, size_t queue, bool redelivered)
{
	uint64_t *next = next_of(absorb, probe, queue);
	if (next == NULL)
		return;
	if (probe->sequence >= *next)
		*next = probe->sequence + 1;
	else if (probe->sequence + 1 < *next && !redelivered)
		absorb->options.notes->tally.counts[TALLY_REORDERED]++;
}

/* Clocks of several machines may disagree: nothing arrives before it was sent. */
static uint64_t since(uint64_t then_ns, uint64_t now_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

/* PerfTest does not say when a message was due. */
static void note_times(const struct absorb *absorb, const struct probe *probe, uint64_t now_ns)
{
	struct tally *tally = &absorb->options.notes->tally;
	if (probe->clock == PROBE_WALL)
		now_ns = chrono_wall_ns();
	if (!absorb->options.perftest)
		histogram_add(&tally->latencies[TALLY_LATENCY_DUE], since(probe->due_ns, now_ns));
	histogram_add(&tally->latencies[TALLY_LATENCY_SENT], since(probe->sent_ns, now_ns));
}

/* Its place among those that are read. */
static size_t find_queue(const struct absorb *absorb, struct slice queue)
{
	size_t i = 0;
	while (i + 1 < absorb->options.queue_count && !slice_is(queue, absorb->options.queues[i]))
		i++;
	return i;
}

static bool read_probe(const struct absorb *absorb, const struct message *m, struct probe *out)
{
	const struct absorb_options *o = &absorb->options;
	return o->perftest ? probe_read_perftest(m, o->clock, out) : probe_read(m, out);
}

static void measure(struct absorb *absorb, const struct flow_message *m)
{
	const struct absorb_options *o = &absorb->options;
	struct tally *tally = &o->notes->tally;
	struct probe probe;
	uint64_t now_ns = chrono_now_ns();
	o->notes->last_ns = now_ns;
	tally->counts[TALLY_RECEIVED]++;
	tally->counts[TALLY_REDELIVERED] += m->redelivered;
	tally->counts[TALLY_RECEIVED_BYTES] += m->message->body.len;
	if (!o->is_stamped)
		return;
	bool is_known = read_probe(absorb, m->message, &probe);
	/* what an earlier run has left in the queue says nothing about this one */
	bool is_ours = is_known && (o->publishers == 0 || o->perftest || probe.run == o->run);
	if (!is_ours) {
		tally->counts[TALLY_FOREIGN]++;
		return;
	}
	note_times(absorb, &probe, now_ns);
	if (o->perftest)
		return;
	size_t queue = find_queue(absorb, m->queue);
	note_order(absorb, &probe, queue, m->redelivered);
	if (o->publishers > 0 && !ledger_receive(o->notes->ledger, probe.publisher,
				     o->queue_numbers[queue], probe.sequence))
		tally->counts[TALLY_FOREIGN]++;
}

/* ---- working ---- */

static void finish(struct absorb *absorb)
{
	static const enum flow_fate fates[] = {
	    [ABSORB_ACCEPT] = FLOW_ACCEPTED,
	    [ABSORB_REJECT] = FLOW_REJECTED,
	    [ABSORB_REQUEUE] = FLOW_RELEASED,
	};
	absorb->is_busy = false;
	flow_settle(absorb->flow, absorb->slot, fates[absorb->options.verdict], "");
}

static void on_timer(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	struct absorb *absorb = ctx;
	absorb->timer = 0;
	finish(absorb);
}

static uint64_t service_ns(const struct absorb *absorb, uint64_t now_ns)
{
	const struct absorb_options *o = &absorb->options;
	return o->services != NULL ? steps_at(o->services, since(absorb->start_ns, now_ns))
				   : o->service_ns;
}

/* When the message that begins now is done, by the work on it and by the rate. */
static uint64_t end_of_work(struct absorb *absorb, uint64_t now_ns)
{
	uint64_t end_ns = now_ns + service_ns(absorb, now_ns);
	if (absorb->options.rate <= 0)
		return end_ns;
	/* what a late wake-up has cost is made up for; an idle consumer saves nothing up */
	if (absorb->free_ns + CATCH_UP_NS < now_ns)
		absorb->free_ns = now_ns;
	absorb->free_ns += (uint64_t)(1e9 / absorb->options.rate);
	return end_ns > absorb->free_ns ? end_ns : absorb->free_ns;
}

static bool takes_time(const struct absorb *absorb)
{
	const struct absorb_options *o = &absorb->options;
	return o->service_ns > 0 || o->services != NULL || o->rate > 0;
}

static size_t room(const void *self)
{
	const struct absorb *absorb = self;
	return !takes_time(absorb) ? SIZE_MAX : absorb->is_busy ? 0 : 1;
}

static bool put(
    void *self, struct flow *flow, uint64_t slot, const struct flow_message *m, struct error *err)
{
	(void)err;
	struct absorb *absorb = self;
	absorb->flow = flow;
	absorb->slot = slot;
	measure(absorb, m);
	if (!takes_time(absorb)) {
		finish(absorb);
		return true;
	}
	absorb->is_busy = true;
	absorb->done_ns = end_of_work(absorb, chrono_now_ns());
	absorb->timer = loop_at(absorb->options.loop, absorb->done_ns, on_timer, absorb);
	return true;
}

static bool flush(void *self, struct flow *flow, struct error *err)
{
	(void)self, (void)flow, (void)err;
	return true;
}

static void abandon(void *self, struct flow *flow)
{
	(void)flow;
	struct absorb *absorb = self;
	loop_cancel(absorb->options.loop, absorb->timer);
	absorb->timer = 0;
	absorb->is_busy = false;
}

uint64_t absorb_done_ns(const struct absorb *absorb)
{
	return absorb->is_busy ? absorb->done_ns : CHRONO_NEVER;
}

struct flow_sink absorb_sink(struct absorb *absorb)
{
	static const struct flow_sink_kind kind = {room, put, flush, NULL, NULL, abandon};
	return (struct flow_sink){&kind, absorb};
}
