#include "bench/emit.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/rng.h"

#include <stdlib.h>

/* What is remembered of a message until its fate is known. */
struct sent {
	uint64_t due_ns, sent_ns;
	size_t bytes; /* of the body */
};

struct emit {
	struct emit_options options;
	struct sent *ring; /* message n stands at n & mask */
	uint64_t mask;
	uint64_t start_ns;
	uint64_t unblocked_ns; /* 0: was never blocked */
	struct buf body, headers;
};

static void fill(struct buf *body, size_t len)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct rng rng;
	rng_seed(&rng, len);
	for (size_t i = 0; i < len; i++)
		buf_append_char(body, letters[rng_next(&rng) % (sizeof letters - 1)]);
}

struct emit *emit_create(const struct emit_options *options)
{
	struct emit *emit = mem_alloc(1, sizeof *emit);
	uint64_t capacity = 1;
	/* a message leaves the ring when it is confirmed; without confirms, at once */
	while (capacity < options->window)
		capacity *= 2;
	emit->options = *options;
	emit->mask = capacity - 1;
	emit->ring = mem_alloc(capacity, sizeof *emit->ring);
	if (options->sizes != NULL)
		fill(&emit->body, steps_greatest(options->sizes));
	return emit;
}

void emit_free(struct emit *emit)
{
	if (emit == NULL)
		return;
	buf_release(&emit->body);
	buf_release(&emit->headers);
	free(emit->ring);
	free(emit);
}

void emit_start(struct emit *emit, uint64_t start_ns)
{
	emit->start_ns = start_ns;
}

void emit_unblocked(struct emit *emit, uint64_t now_ns)
{
	emit->unblocked_ns = now_ns;
}

/* ---- sending ---- */

static void choose_body(
    struct emit *emit, uint64_t number, uint64_t now_ns, struct message *message)
{
	const struct emit_options *o = &emit->options;
	if (o->body_count > 0)
		message->body = o->bodies[number % o->body_count];
	else if (o->sizes != NULL)
		message->body =
		    (struct slice){emit->body.ptr, steps_at(o->sizes, now_ns - emit->start_ns)};
}

/* The whole body in our own memory, to be written over. */
static char *own_body(struct emit *emit, struct message *message)
{
	if (message->body.ptr != emit->body.ptr) {
		buf_clear(&emit->body);
		buf_append(&emit->body, message->body);
		message->body = buf_slice(&emit->body);
	}
	return emit->body.ptr;
}

static void stamp_header(struct emit *emit, struct slice entries, struct message *message)
{
	buf_clear(&emit->headers);
	if ((message->present & MESSAGE_HEADERS) != 0)
		buf_append(&emit->headers, message->headers);
	buf_append(&emit->headers, entries);
	message->headers = buf_slice(&emit->headers);
	message->present |= MESSAGE_HEADERS;
}

/* Bodies of others' making keep their bytes. */
static void stamp(struct emit *emit, const struct probe *probe, struct message *message)
{
	const struct emit_options *o = &emit->options;
	char bytes[PROBE_BYTES], entries[PROBE_HEADER_BYTES];
	bool is_perftest = o->stamp == EMIT_PERFTEST;
	if (o->stamp == EMIT_NONE)
		return;
	if (o->stamp == EMIT_BODY || (is_perftest && o->sizes != NULL)) {
		probe_write(probe, bytes);
		memcpy(own_body(emit, message), bytes,
		    is_perftest ? PROBE_PERFTEST_BYTES : PROBE_BYTES);
		return;
	}
	size_t len = is_perftest ? PROBE_PERFTEST_HEADER_BYTES : PROBE_HEADER_BYTES;
	probe_write_header(probe, entries);
	stamp_header(emit, (struct slice){entries, len}, message);
}

/* Counts a moment of the monotonic clock on the clock of the probes. */
static uint64_t on_clock(const struct emit *emit, uint64_t ns, uint64_t now_ns)
{
	if (emit->options.clock == PROBE_MONOTONIC)
		return ns;
	return chrono_wall_ns() - (now_ns - ns);
}

/* NOLINTBEGIN(readability-non-const-parameter): every core gets the verdict */
static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
/* NOLINTEND(readability-non-const-parameter) */
{
	(void)flow, (void)slot, (void)verdict;
	struct emit *emit = self;
	struct tally *tally = &emit->options.notes->tally;
	uint64_t now_ns = chrono_now_ns();
	uint64_t due_ns = in->due_ns < emit->unblocked_ns ? emit->unblocked_ns : in->due_ns;
	emit->options.notes->last_ns = now_ns;
	choose_body(emit, in->number, now_ns, out);
	emit->ring[in->number & emit->mask] = (struct sent){due_ns, now_ns, out->body.len};
	struct probe probe = {.clock = emit->options.clock,
	    .run = emit->options.run,
	    .publisher = emit->options.publisher,
	    .sequence = in->number,
	    .due_ns = on_clock(emit, due_ns, now_ns),
	    .sent_ns = on_clock(emit, now_ns, now_ns)};
	stamp(emit, &probe, out);
	out->present &= ~emit->options.stripped;
	tally->counts[TALLY_SENT]++;
	tally->counts[TALLY_SENT_BYTES] += out->body.len;
	histogram_add(&tally->latencies[TALLY_GAP], now_ns - due_ns);
	return FLOW_PASS;
}

struct flow_core emit_core(struct emit *emit)
{
	static const struct flow_core_kind kind = {.apply = apply};
	return (struct flow_core){&kind, emit};
}

/* ---- fates ---- */

static void note_confirm(struct emit *emit, uint64_t number)
{
	struct tally *tally = &emit->options.notes->tally;
	const struct sent *sent = &emit->ring[number & emit->mask];
	uint64_t now_ns = chrono_now_ns();
	emit->options.notes->last_ns = now_ns;
	tally->counts[TALLY_CONFIRMED]++;
	histogram_add(&tally->latencies[TALLY_CONFIRM_DUE], now_ns - sent->due_ns);
	histogram_add(&tally->latencies[TALLY_CONFIRM_SENT], now_ns - sent->sent_ns);
}

void emit_on_fate(void *ctx, const struct flow_message *m, enum flow_fate fate, const char *reason)
{
	(void)reason;
	struct emit *emit = ctx;
	struct notes *notes = emit->options.notes;
	enum ledger_fate noted = LEDGER_UNCONFIRMED;
	switch (fate) {
	case FLOW_ACCEPTED:
		noted = LEDGER_CONFIRMED;
		note_confirm(emit, m->number);
		break;
	case FLOW_RETURNED:
		noted = LEDGER_RETURNED;
		notes->tally.counts[TALLY_RETURNED]++;
		break;
	case FLOW_NACKED:
		noted = LEDGER_NACKED;
		notes->tally.counts[TALLY_NACKED]++;
		break;
	case FLOW_RELEASED: /* it was not sent after all */
		notes->tally.counts[TALLY_SENT]--;
		notes->tally.counts[TALLY_SENT_BYTES] -= emit->ring[m->number & emit->mask].bytes;
		return;
	default:
		notes->tally.counts[TALLY_UNCONFIRMED]++;
	}
	ledger_settle(notes->ledger, emit->options.publisher, m->number, noted);
}

void emit_on_return(void *ctx)
{
	const struct emit *emit = ctx;
	emit->options.notes->tally.counts[TALLY_RETURNED]++;
}
