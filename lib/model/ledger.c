#include "model/ledger.h"

#include "base/mem.h"
#include "model/sequences.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What arrived on one queue from one publisher. */
struct arrivals {
	size_t queue;
	bool is_expected;
	struct sequences seen;
};

struct publisher {
	struct sequences fates[LEDGER_FATES];
	struct arrivals *arrivals; /* owned; by queue, those that were seen or are expected */
	size_t count, capacity;
	size_t last; /* the arrivals used last */
	bool has_expectation;
};

struct ledger {
	struct publisher *publishers; /* owned */
	size_t publisher_count, queue_count;
	size_t fate_room, receipt_room; /* bitmaps that may still be made */
	uint64_t settled[LEDGER_FATES];
	uint64_t receipts[SEQUENCES_NO_ROOM + 1]; /* received, duplicated, refused */
};

/* Fates are our own notes: as many as were sent, and none is refused. */
static void make_room(struct ledger *l)
{
	l->fate_room = SIZE_MAX;
	l->receipt_room = LEDGER_SPARE_BITMAPS + 2 * l->publisher_count * l->queue_count;
}

struct ledger *ledger_create(size_t publishers, size_t queues)
{
	struct ledger *l = mem_alloc(1, sizeof *l);
	l->publishers = mem_alloc(publishers, sizeof *l->publishers);
	l->publisher_count = publishers;
	l->queue_count = queues;
	make_room(l);
	return l;
}

void ledger_free(struct ledger *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->publisher_count; i++) {
		struct publisher *p = &l->publishers[i];
		for (size_t fate = 0; fate < LEDGER_FATES; fate++)
			sequences_release(&p->fates[fate]);
		for (size_t k = 0; k < p->count; k++)
			sequences_release(&p->arrivals[k].seen);
		free(p->arrivals);
	}
	free(l->publishers);
	free(l);
}

/* ---- noting ---- */

static struct arrivals *add_arrivals(struct publisher *p, size_t at, size_t queue)
{
	p->arrivals = mem_grow(p->arrivals, &p->capacity, p->count + 1, sizeof *p->arrivals);
	memmove(&p->arrivals[at + 1], &p->arrivals[at], (p->count - at) * sizeof *p->arrivals);
	p->arrivals[at] = (struct arrivals){.queue = queue};
	p->count++;
	return &p->arrivals[at];
}

static struct arrivals *arrivals_on(struct publisher *p, size_t queue)
{
	if (p->last < p->count && p->arrivals[p->last].queue == queue)
		return &p->arrivals[p->last];
	size_t low = 0, high = p->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (p->arrivals[middle].queue < queue)
			low = middle + 1;
		else
			high = middle;
	}
	p->last = low;
	if (low < p->count && p->arrivals[low].queue == queue)
		return &p->arrivals[low];
	return add_arrivals(p, low, queue);
}

void ledger_expect(struct ledger *l, size_t publisher, size_t queue)
{
	assert(publisher < l->publisher_count && queue < l->queue_count);
	struct publisher *p = &l->publishers[publisher];
	arrivals_on(p, queue)->is_expected = true;
	p->has_expectation = true;
}

void ledger_settle(struct ledger *l, size_t publisher, uint64_t sequence, enum ledger_fate fate)
{
	assert(publisher < l->publisher_count && sequence < LEDGER_SEQUENCES);
	struct sequences *of_fate = &l->publishers[publisher].fates[fate];
	if (sequences_add(of_fate, sequence, &l->fate_room) == SEQUENCES_NEW)
		l->settled[fate]++;
}

bool ledger_receive(struct ledger *l, size_t publisher, size_t queue, uint64_t sequence)
{
	enum sequences_added added = SEQUENCES_NO_ROOM;
	if (publisher < l->publisher_count && queue < l->queue_count && sequence < LEDGER_SEQUENCES)
		added = sequences_add(&arrivals_on(&l->publishers[publisher], queue)->seen,
		    sequence, &l->receipt_room);
	l->receipts[added]++;
	return added != SEQUENCES_NO_ROOM;
}

static void merge_publisher(struct ledger *l, struct publisher *to, struct publisher *from)
{
	struct sequences_joined joined;
	for (size_t fate = 0; fate < LEDGER_FATES; fate++) {
		joined = sequences_join(&to->fates[fate], &from->fates[fate], &l->fate_room);
		l->settled[fate] -= joined.known;
	}
	for (size_t i = 0; i < from->count; i++) {
		struct arrivals *arrivals = arrivals_on(to, from->arrivals[i].queue);
		joined = sequences_join(&arrivals->seen, &from->arrivals[i].seen, &l->receipt_room);
		l->receipts[SEQUENCES_NEW] -= joined.known + joined.refused;
		l->receipts[SEQUENCES_KNOWN] += joined.known;
		l->receipts[SEQUENCES_NO_ROOM] += joined.refused;
	}
}

void ledger_merge(struct ledger *to, struct ledger *from)
{
	assert(to != from && to->publisher_count == from->publisher_count &&
	       to->queue_count == from->queue_count);
	for (size_t fate = 0; fate < LEDGER_FATES; fate++)
		to->settled[fate] += from->settled[fate];
	for (size_t i = 0; i < ARRAY_LEN(to->receipts); i++)
		to->receipts[i] += from->receipts[i];
	for (size_t i = 0; i < to->publisher_count; i++)
		merge_publisher(to, &to->publishers[i], &from->publishers[i]);
	memset(from->settled, 0, sizeof from->settled);
	memset(from->receipts, 0, sizeof from->receipts);
	make_room(from);
}

/* ---- judging, chunk by chunk ---- */

/* What is known of the messages of a chunk, a bit each. */
struct view {
	uint64_t fates[LEDGER_FATES][SEQUENCES_WORDS];
	uint64_t arrived[SEQUENCES_WORDS]; /* on any queue */
	uint64_t lost[SEQUENCES_WORDS];
	uint64_t lost_copies;
};

static uint64_t popcount(uint64_t word)
{
	return (uint64_t)__builtin_popcountll(word);
}

static void add_lost(struct view *v, const uint64_t *seen)
{
	for (size_t i = 0; i < SEQUENCES_WORDS; i++) {
		uint64_t missing = v->fates[LEDGER_CONFIRMED][i] & ~seen[i];
		v->lost[i] |= missing;
		v->lost_copies += popcount(missing);
	}
}

static void look(
    const struct ledger *l, const struct publisher *p, uint64_t index, struct view *out)
{
	uint64_t seen[SEQUENCES_WORDS];
	*out = (struct view){0};
	for (size_t fate = 0; fate < LEDGER_FATES; fate++)
		sequences_read(&p->fates[fate], index, out->fates[fate]);
	for (size_t k = 0; k < p->count; k++) {
		sequences_read(&p->arrivals[k].seen, index, seen);
		for (size_t i = 0; i < SEQUENCES_WORDS; i++)
			out->arrived[i] |= seen[i];
		if (p->arrivals[k].is_expected)
			add_lost(out, seen);
	}
	if (!p->has_expectation && l->queue_count > 0)
		add_lost(out, out->arrived);
}

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The first chunk that may tell more than "all confirmed, and all there". */
static uint64_t first_chunk(const struct publisher *p)
{
	uint64_t expected = SEQUENCES_NONE, any = 0;
	for (size_t k = 0; k < p->count; k++) {
		uint64_t full = p->arrivals[k].seen.full;
		if (p->arrivals[k].is_expected)
			expected = lower(expected, full);
		any = any > full ? any : full;
	}
	return lower(p->fates[LEDGER_CONFIRMED].full, p->has_expectation ? expected : any);
}

static uint64_t next_chunk(const struct publisher *p, uint64_t index)
{
	uint64_t next = SEQUENCES_NONE;
	for (size_t fate = 0; fate < LEDGER_FATES; fate++)
		next = lower(next, sequences_next(&p->fates[fate], index));
	for (size_t k = 0; k < p->count; k++)
		next = lower(next, sequences_next(&p->arrivals[k].seen, index));
	return next;
}

static void count_view(const struct view *view, struct ledger_verdict *out)
{
	out->lost += view->lost_copies;
	for (size_t i = 0; i < SEQUENCES_WORDS; i++) {
		uint64_t arrived = view->arrived[i], settled = 0;
		for (size_t fate = 0; fate < LEDGER_FATES; fate++)
			settled |= view->fates[fate][i];
		uint64_t unconfirmed = view->fates[LEDGER_UNCONFIRMED][i];
		out->unconfirmed_received += popcount(unconfirmed & arrived);
		out->nacked_received += popcount(view->fates[LEDGER_NACKED][i] & arrived);
		out->returned_received += popcount(view->fates[LEDGER_RETURNED][i] & arrived);
		out->unsettled_received += popcount(arrived & ~settled);
		out->never_confirmed_nor_received += popcount(unconfirmed & ~arrived);
	}
}

void ledger_judge(const struct ledger *l, struct ledger_verdict *out)
{
	struct view view;
	*out = (struct ledger_verdict){.received = l->receipts[SEQUENCES_NEW],
	    .duplicated = l->receipts[SEQUENCES_KNOWN],
	    .refused = l->receipts[SEQUENCES_NO_ROOM]};
	memcpy(out->settled, l->settled, sizeof out->settled);
	for (size_t i = 0; i < l->publisher_count; i++) {
		const struct publisher *p = &l->publishers[i];
		uint64_t index = next_chunk(p, first_chunk(p));
		for (; index != SEQUENCES_NONE; index = next_chunk(p, index + 1)) {
			look(l, p, index, &view);
			count_view(&view, out);
		}
	}
}

/* ---- naming what is lost ---- */

struct list {
	struct ledger_range *ranges;
	size_t count, most;
};

/* False when there is no place for it. */
static bool list_add(struct list *list, size_t publisher, uint64_t sequence)
{
	struct ledger_range *last = list->count > 0 ? &list->ranges[list->count - 1] : NULL;
	if (last != NULL && last->publisher == publisher && last->last + 1 == sequence) {
		last->last = sequence;
		return true;
	}
	if (list->count == list->most)
		return false;
	list->ranges[list->count++] = (struct ledger_range){publisher, sequence, sequence};
	return true;
}

static bool list_chunk(
    struct list *list, size_t publisher, uint64_t index, const uint64_t lost[SEQUENCES_WORDS])
{
	for (size_t i = 0; i < SEQUENCES_WORDS; i++) {
		uint64_t first = index * SEQUENCES_PER_CHUNK + i * 64;
		for (uint64_t rest = lost[i]; rest != 0; rest &= rest - 1)
			if (!list_add(list, publisher, first + (uint64_t)__builtin_ctzll(rest)))
				return false;
	}
	return true;
}

size_t ledger_lost(const struct ledger *l, struct ledger_range *out, size_t most)
{
	struct list list = {out, 0, most};
	struct view view;
	bool has_place = true;
	for (size_t i = 0; has_place && i < l->publisher_count; i++) {
		const struct publisher *p = &l->publishers[i];
		uint64_t index = next_chunk(p, first_chunk(p));
		while (has_place && index != SEQUENCES_NONE) {
			look(l, p, index, &view);
			has_place = list_chunk(&list, i, index, view.lost);
			index = next_chunk(p, index + 1);
		}
	}
	return list.count;
}

size_t ledger_bytes(const struct ledger *l)
{
	size_t bytes = sizeof *l + l->publisher_count * sizeof *l->publishers;
	for (size_t i = 0; i < l->publisher_count; i++) {
		const struct publisher *p = &l->publishers[i];
		for (size_t fate = 0; fate < LEDGER_FATES; fate++)
			bytes += sequences_bytes(&p->fates[fate]);
		bytes += p->capacity * sizeof *p->arrivals;
		for (size_t k = 0; k < p->count; k++)
			bytes += sequences_bytes(&p->arrivals[k].seen);
	}
	return bytes;
}
