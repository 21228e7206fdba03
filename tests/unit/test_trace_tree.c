#include "app/trace_tree.h"

#include "base/mem.h"
#include "base/rng.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct trace_tree t;

static void teardown(void)
{
	trace_tree_release(&t);
}

/* span and origin: one character stands for all of them. */
static void add(int64_t time_us, const char *id, const char *cause, char span, char origin)
{
	struct trace_tree_node *n = trace_tree_add(&t);
	n->position = t.count;
	n->time_us = time_us;
	n->id = mem_strdup(id);
	n->cause = mem_strdup(cause);
	n->type = mem_strdup("");
	n->exchange = mem_strdup("");
	n->routing_key = mem_strdup("");
	n->queue = mem_strdup("");
	memset(n->span, span, sizeof n->span);
	memset(n->origin, origin, sizeof n->origin);
}

/* "a(b(c) d) e": ids, children in brackets. */
static const char *drawn(void)
{
	static char text[4096];
	size_t len = 0, depth = 0, seen = 0;
	trace_tree_link(&t);
	for (size_t i = t.first; i != TRACE_TREE_NONE; i = trace_tree_next(&t, i), seen++) {
		const struct trace_tree_node *n = &t.nodes[i];
		for (; depth > n->depth; depth--)
			text[len++] = ')';
		if (n->depth > depth) {
			text[len++] = '(';
			depth++;
		} else if (len > 0) {
			text[len++] = ' ';
		}
		len += (size_t)snprintf(
		    text + len, sizeof text - len, "%s%s", n->id, n->lacks_cause ? "?" : "");
	}
	for (; depth > 0; depth--)
		text[len++] = ')';
	text[len] = '\0';
	ck_assert_uint_eq(seen, t.count);
	return text;
}

START_TEST(a_message_stands_below_its_cause)
{
	add(1, "a", "", '1', '1');
	add(2, "b", "a", '2', '2');
	add(3, "c", "b", '3', '3');
	add(4, "d", "a", '4', '4');
	add(5, "e", "", '5', '5');
	ck_assert_str_eq(drawn(), "a(b(c) d) e");
}
END_TEST

START_TEST(order_of_recording_does_not_matter)
{
	add(9, "c", "b", '3', '3');
	add(9, "a", "", '1', '1');
	add(2, "b", "a", '2', '2');
	add(1, "d", "a", '4', '4');
	ck_assert_str_eq(drawn(), "a(d b(c))");
}
END_TEST

START_TEST(a_cause_that_is_not_there_is_told)
{
	add(1, "a", "gone", '1', '1');
	add(2, "b", "a", '2', '2');
	ck_assert_str_eq(drawn(), "a?(b)");
}
END_TEST

START_TEST(an_event_without_a_cause_stands_below_the_span_it_began_in)
{
	add(1, "a", "", '1', '1');
	add(2, "b", "", '2', '1');
	add(3, "c", "gone", '3', '2');
	add(4, "d", "", '4', '9');
	ck_assert_str_eq(drawn(), "a(b(c?)) d");
}
END_TEST

START_TEST(of_two_with_one_id_the_first_is_the_cause)
{
	add(5, "a", "", '1', '1');
	add(1, "a", "", '2', '2');
	add(7, "b", "a", '3', '3');
	ck_assert_str_eq(drawn(), "a(b) a");
}
END_TEST

START_TEST(who_causes_itself_or_its_cause_stands_at_the_top)
{
	add(1, "a", "a", '1', '1');
	add(2, "b", "d", '2', '2');
	add(3, "c", "b", '3', '3');
	add(4, "d", "c", '4', '4');
	ck_assert_str_eq(drawn(), "a d(b(c))");
}
END_TEST

START_TEST(messages_without_ids_have_no_children)
{
	add(1, "", "", '1', '1');
	add(2, "", "", '2', '2');
	add(3, "x", "", '3', '3');
	ck_assert_str_eq(drawn(), "x"); /* the other two have no id to be drawn */
	teardown();
	ck_assert_str_eq(drawn(), "");
}
END_TEST

/* Whatever leads to whatever: every node comes once, and none is its own ancestor. */
START_TEST(any_links_make_a_tree)
{
	struct rng r;
	rng_seed(&r, (uint64_t)_i);
	for (int i = 0; i < 60; i++) {
		char id[8], cause[8];
		snprintf(id, sizeof id, "%d", (int)rng_below(&r, 50));
		snprintf(cause, sizeof cause, "%d", (int)rng_below(&r, 50));
		add((int64_t)rng_below(&r, 20), id, rng_below(&r, 4) > 0 ? cause : "",
		    (char)rng_below(&r, 30), (char)rng_below(&r, 30));
	}
	drawn();
}
END_TEST

START_TEST(a_long_chain_takes_no_long_time)
{
	for (int i = 0; i < 50000; i++) {
		char id[16], cause[16];
		snprintf(id, sizeof id, "%d", i);
		snprintf(cause, sizeof cause, "%d", i - 1);
		add(i, id, i > 0 ? cause : "", '1', '1');
	}
	trace_tree_link(&t);
	ck_assert_uint_eq(t.nodes[49999].depth, 49999);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trace_tree");
	TCase *tests = tcase_create("trace_tree");
	tcase_add_checked_fixture(tests, NULL, teardown);
	tcase_add_test(tests, a_message_stands_below_its_cause);
	tcase_add_test(tests, order_of_recording_does_not_matter);
	tcase_add_test(tests, a_cause_that_is_not_there_is_told);
	tcase_add_test(tests, an_event_without_a_cause_stands_below_the_span_it_began_in);
	tcase_add_test(tests, of_two_with_one_id_the_first_is_the_cause);
	tcase_add_test(tests, who_causes_itself_or_its_cause_stands_at_the_top);
	tcase_add_test(tests, messages_without_ids_have_no_children);
	tcase_add_loop_test(tests, any_links_make_a_tree, 0, 200);
	tcase_add_test(tests, a_long_chain_takes_no_long_time);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
