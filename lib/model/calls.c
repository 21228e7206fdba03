#include "model/calls.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

#define SLOT_BITS 16
#define NUMBER_BITS 62 /* serial and slot: what the variant leaves of the second half */
#define RUN_MASK ((UINT64_C(1) << 60) - 1)
#define NOBODY UINT32_MAX

/* Free slots are chained through `next`, those in use in order of their deadlines. */
struct slot {
	uint64_t number; /* 0: free */
	struct call call;
	uint32_t previous, next;
};

struct calls {
	uint64_t run;
	struct slot *slots;
	size_t capacity, count;
	uint32_t free;	      /* the first one; NOBODY: none */
	uint32_t first, last; /* in order of deadlines */
	uint64_t serial;      /* of the last call */
	/* by serial number: the number of the call that ended, if it was answered */
	uint64_t answered[CALLS_REMEMBERED];
};

struct calls *calls_create(size_t capacity, uint64_t run)
{
	struct calls *calls = mem_alloc(1, sizeof *calls);
	assert(capacity > 0 && capacity <= CALLS_MOST);
	calls->run = run & RUN_MASK;
	calls->slots = mem_alloc(capacity, sizeof *calls->slots);
	calls->capacity = capacity;
	for (size_t i = 0; i < capacity; i++)
		calls->slots[i].next = i + 1 < capacity ? (uint32_t)(i + 1) : NOBODY;
	calls->first = calls->last = NOBODY;
	return calls;
}

void calls_free(struct calls *calls)
{
	if (calls == NULL)
		return;
	free(calls->slots);
	free(calls);
}

size_t calls_room(const struct calls *calls)
{
	return calls->capacity - calls->count;
}

size_t calls_count(const struct calls *calls)
{
	return calls->count;
}

/* ---- in order of deadlines ---- */

/* Most often the last one: deadlines are as far away for each. */
static void insert(struct calls *calls, uint32_t i)
{
	struct slot *s = &calls->slots[i];
	uint32_t before = calls->last;
	while (before != NOBODY && calls->slots[before].call.deadline_ns > s->call.deadline_ns)
		before = calls->slots[before].previous;
	s->previous = before;
	s->next = before != NOBODY ? calls->slots[before].next : calls->first;
	*(before != NOBODY ? &calls->slots[before].next : &calls->first) = i;
	*(s->next != NOBODY ? &calls->slots[s->next].previous : &calls->last) = i;
}

static void take_out(struct calls *calls, uint32_t i)
{
	const struct slot *s = &calls->slots[i];
	*(s->previous != NOBODY ? &calls->slots[s->previous].next : &calls->first) = s->next;
	*(s->next != NOBODY ? &calls->slots[s->next].previous : &calls->last) = s->previous;
}

uint64_t calls_first(const struct calls *calls)
{
	return calls->first != NOBODY ? calls->slots[calls->first].number : 0;
}

/* ---- a call's life ---- */

static uint32_t slot_of(uint64_t number)
{
	return (uint32_t)(number & (CALLS_MOST - 1));
}

static uint64_t *memory_of(const struct calls *calls, uint64_t number)
{
	return (uint64_t *)&calls->answered[(number >> SLOT_BITS) % CALLS_REMEMBERED];
}

uint64_t calls_begin(struct calls *calls, const struct call *call)
{
	uint32_t i = calls->free;
	assert(calls_room(calls) > 0);
	struct slot *s = &calls->slots[i];
	calls->free = s->next;
	calls->count++;
	s->number = ++calls->serial << SLOT_BITS | i;
	s->call = *call;
	insert(calls, i);
	return s->number;
}

const struct call *calls_get(const struct calls *calls, uint64_t number)
{
	uint32_t i = slot_of(number);
	if (number == 0 || i >= calls->capacity || calls->slots[i].number != number)
		return NULL;
	return &calls->slots[i].call;
}

void calls_end(struct calls *calls, uint64_t number, bool answered)
{
	uint32_t i = slot_of(number);
	if (calls_get(calls, number) == NULL)
		return;
	take_out(calls, i);
	calls->slots[i] = (struct slot){.next = calls->free};
	calls->free = i;
	calls->count--;
	*memory_of(calls, number) = answered ? number : 0;
}

/* ---- its name ---- */

void calls_name(const struct calls *calls, uint64_t number, char out[CALLS_ID_CHARS])
{
	static const char digits[] = "0123456789abcdef";
	/* the version stands in the 13th digit, the variant in the two highest bits of the second
	 * half */
	const uint64_t halves[] = {calls->run >> 12 << 16 | UINT64_C(0x8000) | (calls->run & 0xfff),
	    UINT64_C(1) << 63 | number};
	for (size_t i = 0, nibble = 0; i < CALLS_ID_CHARS; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			out[i] = '-';
			continue;
		}
		out[i] = digits[halves[nibble / 16] >> (60 - nibble % 16 * 4) & 15];
		nibble++;
	}
}

static bool read_digit(char c, uint64_t *half)
{
	bool is_number = c >= '0' && c <= '9';
	if (!is_number && (c < 'a' || c > 'f'))
		return false;
	*half = *half << 4 | (uint64_t)(is_number ? c - '0' : c - 'a' + 10);
	return true;
}

/* The two halves of a UUID in lower case. */
static bool read_name(struct slice id, uint64_t halves[2])
{
	size_t nibble = 0;
	if (id.len != CALLS_ID_CHARS)
		return false;
	for (size_t i = 0; i < CALLS_ID_CHARS; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (id.ptr[i] != '-')
				return false;
		} else if (!read_digit(id.ptr[i], &halves[nibble++ / 16])) {
			return false;
		}
	}
	return true;
}

enum calls_match calls_find(const struct calls *calls, struct slice id, uint64_t *number)
{
	uint64_t halves[2] = {0};
	if (!read_name(id, halves))
		return CALLS_FOREIGN;
	uint64_t named = halves[1] & ((UINT64_C(1) << NUMBER_BITS) - 1);
	uint64_t run = halves[0] >> 16 << 12 | (halves[0] & 0xfff);
	uint64_t serial = named >> SLOT_BITS;
	if (run != calls->run || (halves[0] >> 12 & 15) != 8 || halves[1] >> NUMBER_BITS != 2 ||
	    serial == 0 || serial > calls->serial || slot_of(named) >= calls->capacity)
		return CALLS_FOREIGN;
	*number = named;
	if (calls_get(calls, named) != NULL)
		return CALLS_AWAITED;
	return *memory_of(calls, named) == named ? CALLS_DUPLICATE : CALLS_LATE;
}
