#include "config/places.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

#define COUNT 5000

static const struct place nowhere = {"f", 1, 1};

static uint32_t add(struct places *p, uint32_t parent, const char *name, unsigned line)
{
	struct place place = {"f", line, 1};
	return places_add(p, parent, slice_str(name), place, place);
}

START_TEST(equal_names_under_many_parents_are_kept_apart)
{
	struct places p = {0};
	uint32_t below[COUNT];
	uint32_t root = add(&p, PLACES_NONE, "", 1);
	for (unsigned i = 0; i < COUNT; i++) {
		char *name = mem_printf("%u", i);
		uint32_t item = add(&p, root, name, i);
		below[i] = add(&p, item, "queue", i);
		ck_assert_uint_eq(places_find(&p, item, SLICE("exchange")), PLACES_NONE);
		free(name);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		uint32_t item = p.spots[below[i]].parent;
		ck_assert_uint_eq(places_find(&p, item, SLICE("queue")), below[i]);
		ck_assert_uint_eq(p.spots[below[i]].value.line, i);
	}
	places_release(&p);
}
END_TEST

START_TEST(what_is_added_again_forgets_what_stood_below)
{
	struct places p = {0};
	uint32_t root = add(&p, PLACES_NONE, "", 1);
	uint32_t first = add(&p, root, "a", 2);
	add(&p, first, "b", 3);
	ck_assert_uint_eq(places_walk(&p, root, SLICE("/a/b"))->value.line, 3);
	uint32_t second = add(&p, root, "a", 9);
	ck_assert_uint_ne(first, second);
	ck_assert_uint_eq(places_find(&p, root, SLICE("a")), second);
	ck_assert_uint_eq(places_walk(&p, root, SLICE("/a/b"))->value.line, 9);
	places_release(&p);
}
END_TEST

START_TEST(empty_places_hold_nothing)
{
	struct places p = {0};
	ck_assert_uint_eq(places_find(&p, PLACES_NONE, SLICE("a")), PLACES_NONE);
	uint32_t root = places_add(&p, PLACES_NONE, (struct slice){0}, nowhere, nowhere);
	ck_assert_uint_eq(root, 0);
	ck_assert_uint_eq(places_find(&p, root, (struct slice){0}), PLACES_NONE);
	ck_assert_ptr_eq(places_walk(&p, root, SLICE("/x/y")), &p.spots[root]);
	places_release(&p);
	places_release(&p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("places");
	TCase *tc = tcase_create("places");
	tcase_add_test(tc, equal_names_under_many_parents_are_kept_apart);
	tcase_add_test(tc, what_is_added_again_forgets_what_stood_below);
	tcase_add_test(tc, empty_places_hold_nothing);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
