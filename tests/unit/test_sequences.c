#include "model/sequences.h"

#include "base/mem.h"
#include "base/rng.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK SEQUENCES_PER_CHUNK
#define SPAN (5 * CHUNK)

static bool has(const struct sequences *s, uint64_t sequence)
{
	uint64_t words[SEQUENCES_WORDS];
	sequences_read(s, sequence / CHUNK, words);
	return (words[sequence % CHUNK / 64] >> sequence % 64 & 1) != 0;
}

static void assert_holds(const struct sequences *s, const bool *model)
{
	uint64_t words[SEQUENCES_WORDS], wrong = 0;
	for (uint64_t i = 0; i < SPAN; i++) {
		if (i % CHUNK == 0)
			sequences_read(s, i / CHUNK, words);
		wrong += (words[i % CHUNK / 64] >> i % 64 & 1) != model[i];
	}
	ck_assert_uint_eq(wrong, 0);
}

static void add_range(struct sequences *s, uint64_t first, uint64_t end, size_t *room)
{
	uint64_t added = 0;
	for (uint64_t i = first; i < end; i++)
		added += sequences_add(s, i, room) == SEQUENCES_NEW;
	ck_assert_uint_eq(added, end - first);
}

START_TEST(numbers_in_order_leave_one_bitmap_at_most)
{
	struct sequences s = {0};
	size_t room = 1;
	for (uint64_t i = 0; i < SPAN; i++) {
		ck_assert_int_eq(sequences_add(&s, i, &room), SEQUENCES_NEW);
		ck_assert_uint_eq(room, (i + 1) % CHUNK == 0);
		ck_assert_uint_le(s.count, 1);
	}
	ck_assert_uint_eq(s.full, 5);
	ck_assert_uint_eq(s.count, 0);
	for (uint64_t i = 0; i < SPAN; i++)
		ck_assert_int_eq(sequences_add(&s, i, &room), SEQUENCES_KNOWN);
	ck_assert(has(&s, SPAN - 1) && !has(&s, SPAN));
	sequences_release(&s);
}
END_TEST

START_TEST(chunks_that_fill_behind_a_gap_are_counted_once_it_closes)
{
	struct sequences s = {0};
	size_t room = 10;
	add_range(&s, 1, SPAN - 1, &room);
	ck_assert_uint_eq(s.full, 0);
	ck_assert_uint_eq(room, 8); /* the first and the last have gaps */
	ck_assert_int_eq(sequences_add(&s, 3 * CHUNK, &room), SEQUENCES_KNOWN);
	ck_assert(!has(&s, 0) && has(&s, 1) && has(&s, SPAN - 2) && !has(&s, SPAN - 1));
	ck_assert_int_eq(sequences_add(&s, 0, &room), SEQUENCES_NEW);
	ck_assert_uint_eq(s.full, 4);
	ck_assert_uint_eq(s.count, 1);
	ck_assert_uint_eq(room, 9);
	sequences_release(&s);
}
END_TEST

START_TEST(without_room_only_what_needs_a_bitmap_is_refused)
{
	struct sequences s = {0};
	size_t room = 2;
	ck_assert_int_eq(sequences_add(&s, 7 * CHUNK, &room), SEQUENCES_NEW);
	ck_assert_int_eq(sequences_add(&s, UINT64_MAX, &room), SEQUENCES_NEW);
	size_t bytes = sequences_bytes(&s);
	for (uint64_t i = 8; i < 100; i++)
		ck_assert_int_eq(sequences_add(&s, i * CHUNK, &room), SEQUENCES_NO_ROOM);
	ck_assert_uint_eq(sequences_bytes(&s), bytes);
	ck_assert_int_eq(sequences_add(&s, 7 * CHUNK, &room), SEQUENCES_KNOWN);
	ck_assert_int_eq(sequences_add(&s, 7 * CHUNK + 1, &room), SEQUENCES_NEW);
	sequences_release(&s);
}
END_TEST

START_TEST(next_finds_the_chunks_that_hold_something)
{
	struct sequences s = {0};
	size_t room = 10;
	ck_assert_uint_eq(sequences_next(&s, 0), SEQUENCES_NONE);
	add_range(&s, 0, 2 * CHUNK, &room);
	add_range(&s, 3 * CHUNK, 4 * CHUNK, &room);
	add_range(&s, 6 * CHUNK, 6 * CHUNK + 1, &room);
	static const uint64_t next[] = {0, 1, 3, 3, 6, 6, 6, SEQUENCES_NONE};
	for (uint64_t i = 0; i < ARRAY_LEN(next); i++)
		ck_assert_uint_eq(sequences_next(&s, i), next[i]);
	sequences_release(&s);
}
END_TEST

/* A part of the span: nothing, in order from 0, in order from elsewhere, scattered, or both. */
static void add_some(struct sequences *s, bool *model, struct rng *rng, size_t *room)
{
	uint64_t kind = rng_below(rng, 5);
	if (kind == 0)
		return;
	uint64_t first = kind == 1 ? 0 : rng_below(rng, SPAN);
	uint64_t end = first + rng_below(rng, SPAN - first + 1), wrong = 0;
	for (uint64_t i = first; i < end; i++) {
		uint64_t sequence = kind <= 2 ? i : rng_below(rng, SPAN);
		enum sequences_added added = sequences_add(s, sequence, room);
		wrong += added != (model[sequence] ? SEQUENCES_KNOWN : SEQUENCES_NEW);
		model[sequence] = true;
	}
	ck_assert_uint_eq(wrong, 0);
	if (kind == 4)
		add_some(s, model, rng, room);
}

START_TEST(joining_moves_everything_and_counts_what_both_had)
{
	static bool to_model[SPAN], from_model[SPAN];
	struct sequences to = {0}, from = {0};
	size_t to_room = 100, from_room;
	struct rng rng;
	rng_seed(&rng, (uint64_t)_i);
	memset(to_model, 0, sizeof to_model);
	for (size_t round = 0; round < 10; round++) {
		uint64_t overlap = 0;
		memset(from_model, 0, sizeof from_model);
		from_room = 100;
		add_some(&to, to_model, &rng, &to_room);
		add_some(&from, from_model, &rng, &from_room);
		for (size_t i = 0; i < SPAN; i++) {
			overlap += to_model[i] && from_model[i];
			to_model[i] |= from_model[i];
		}
		struct sequences_joined joined = sequences_join(&to, &from, &to_room);
		ck_assert_uint_eq(joined.known, overlap);
		ck_assert_uint_eq(joined.refused, 0);
		ck_assert_uint_eq(sequences_next(&from, 0), SEQUENCES_NONE);
		size_t bitmaps = 0;
		for (size_t i = 0; i < to.count; i++)
			bitmaps += to.chunks[i].bits != NULL;
		ck_assert_uint_eq(to_room, 100 - bitmaps);
		assert_holds(&to, to_model);
	}
	sequences_release(&to);
	sequences_release(&from);
}
END_TEST

START_TEST(joining_without_room_refuses_bitmaps_and_takes_what_is_full)
{
	struct sequences to = {0}, from = {0};
	size_t none = 0, room = 10;
	add_range(&from, 0, CHUNK, &room);
	add_range(&from, 2 * CHUNK, 2 * CHUNK + 5, &room);
	add_range(&from, 3 * CHUNK, 4 * CHUNK, &room);
	struct sequences_joined joined = sequences_join(&to, &from, &none);
	ck_assert_uint_eq(joined.known, 0);
	ck_assert_uint_eq(joined.refused, 5);
	ck_assert(has(&to, 0) && !has(&to, 2 * CHUNK) && has(&to, 3 * CHUNK));
	ck_assert_uint_eq(sequences_next(&from, 0), SEQUENCES_NONE);
	sequences_release(&to);
	sequences_release(&from);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sequences");
	TCase *tests = tcase_create("sequences");
	suite_add_tcase(suite, tests);
	tcase_add_test(tests, numbers_in_order_leave_one_bitmap_at_most);
	tcase_add_test(tests, chunks_that_fill_behind_a_gap_are_counted_once_it_closes);
	tcase_add_test(tests, without_room_only_what_needs_a_bitmap_is_refused);
	tcase_add_test(tests, next_finds_the_chunks_that_hold_something);
	tcase_add_loop_test(tests, joining_moves_everything_and_counts_what_both_had, 0, 20);
	tcase_add_test(tests, joining_without_room_refuses_bitmaps_and_takes_what_is_full);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
