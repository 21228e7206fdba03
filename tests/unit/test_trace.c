#include "model/trace.h"
#include "base/mem.h"
#include "model/table.h"

#include <check.h>
#include <stdlib.h>

#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"
#define SPAN_ID "b7ad6b7169203331"
#define PARENT "00-" TRACE_ID "-" SPAN_ID "-01"

static const struct {
	const char *text;
	int flags; /* -1: refused */
} parents[] = {
    {PARENT, 1},
    {"00-" TRACE_ID "-" SPAN_ID "-00", 0},
    {"00-" TRACE_ID "-" SPAN_ID "-ff", 1}, /* flags of a later level are cleared */
    {"00-" TRACE_ID "-" SPAN_ID "-02", 0},
    {"01-" TRACE_ID "-" SPAN_ID "-01", 1},
    {"cc-" TRACE_ID "-" SPAN_ID "-01-what-the-future-will-be-like", 1},
    {"cc-" TRACE_ID "-" SPAN_ID "-01.what-the-future-will-be-like", -1},
    {"00-" TRACE_ID "-" SPAN_ID "-01-x", -1},
    {"00-" TRACE_ID "-" SPAN_ID "-01-", -1},
    {"ff-" TRACE_ID "-" SPAN_ID "-01", -1},
    {"FE-" TRACE_ID "-" SPAN_ID "-01", -1},
    {"00-00000000000000000000000000000000-" SPAN_ID "-01", -1},
    {"00-" TRACE_ID "-0000000000000000-01", -1},
    {"00-0AF7651916CD43DD8448EB211C80319C-" SPAN_ID "-01", -1},
    {"00-" TRACE_ID "-B7AD6B7169203331-01", -1},
    {"00-" TRACE_ID "-" SPAN_ID "-0G", -1},
    {"00-" TRACE_ID "-" SPAN_ID "-0", -1},
    {"00_" TRACE_ID "-" SPAN_ID "-01", -1},
    {"00-" TRACE_ID "_" SPAN_ID "-01", -1},
    {"00-" TRACE_ID "-" SPAN_ID "_01", -1},
    {"0x-" TRACE_ID "-" SPAN_ID "-01", -1},
    {"00-0af7651916cd43dd8448eb211c80319-" SPAN_ID "-01x", -1},
    {" " PARENT, -1},
    {"", -1},
};

START_TEST(traceparent_is_read_as_level_1_says)
{
	struct trace t = {.flags = 77};
	bool good = trace_parse(slice_str(parents[_i].text), &t);
	ck_assert_msg(good == (parents[_i].flags >= 0), "%s", parents[_i].text);
	ck_assert_int_eq(t.flags, good ? parents[_i].flags : 77);
	if (good) {
		ck_assert_int_eq(memcmp(t.trace_id, TRACE_ID, TRACE_ID_CHARS), 0);
		ck_assert_int_eq(memcmp(t.span_id, SPAN_ID, TRACE_SPAN_CHARS), 0);
	}
}
END_TEST

START_TEST(a_traceparent_survives_the_way_there_and_back)
{
	struct trace t;
	char text[TRACE_PARENT_CHARS];
	ck_assert(trace_parse(SLICE(PARENT), &t));
	trace_format(&t, text);
	ck_assert(slice_is((struct slice){text, sizeof text}, PARENT));
}
END_TEST

START_TEST(new_traces_are_valid_sampled_and_different)
{
	struct rng rng;
	struct trace traces[200], again;
	char text[TRACE_PARENT_CHARS];
	rng_seed(&rng, 1);
	for (size_t i = 0; i < ARRAY_LEN(traces); i++) {
		trace_start(&rng, &traces[i]);
		trace_format(&traces[i], text);
		ck_assert(trace_parse((struct slice){text, sizeof text}, &again));
		ck_assert_int_eq(again.flags, TRACE_SAMPLED);
		for (size_t k = 0; k < i; k++) {
			ck_assert_int_ne(
			    memcmp(traces[k].trace_id, traces[i].trace_id, TRACE_ID_CHARS), 0);
			ck_assert_int_ne(
			    memcmp(traces[k].span_id, traces[i].span_id, TRACE_SPAN_CHARS), 0);
		}
	}
	rng_seed(&rng, 1);
	trace_start(&rng, &again);
	ck_assert_mem_eq(again.trace_id, traces[0].trace_id, TRACE_ID_CHARS); /* same seed */
}
END_TEST

START_TEST(a_child_keeps_trace_and_flags_and_has_a_span_of_its_own)
{
	struct rng rng;
	struct trace parent, child;
	rng_seed(&rng, 2);
	ck_assert(trace_parse(SLICE("00-" TRACE_ID "-" SPAN_ID "-00"), &parent));
	trace_child(&parent, &rng, &child);
	ck_assert_mem_eq(child.trace_id, parent.trace_id, TRACE_ID_CHARS);
	ck_assert_mem_ne(child.span_id, parent.span_id, TRACE_SPAN_CHARS);
	ck_assert_int_eq(child.flags, 0);
	trace_child(&parent, &rng, &parent);
	ck_assert_mem_eq(child.trace_id, parent.trace_id, TRACE_ID_CHARS);
	ck_assert_mem_ne(child.span_id, parent.span_id, TRACE_SPAN_CHARS);
}
END_TEST

#define K64 "k123456789012345678901234567890123456789012345678901234567890123"
#define V64 "1234567890123456789012345678901234567890123456789012345678901234"

static const struct {
	const char *text;
	bool good;
} states[] = {
    {"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", true},
    {"rojo=00f067aa0ba902b7 ,\t congo=t61rcWkgMzE", true},
    {",rojo=1,, congo=2,", true},
    {"fw529a3039@dt=FfffffFF", true},
    {"0tenant@sys=1", true},
    {"a_-*/9= !<>+", true},
    {K64 K64 K64 K64 "=" V64 V64 V64 V64, true},
    {"", false},
    {" ,, ", false},
    {"a=1,a=2", false},
    {"a", false},
    {"=1", false},
    {"a=", false},
    {"a= ", false},
    {"a=b=c", false},
    {"A=1", false},
    {"0a=1", false},
    {"_a=1", false},
    {"a b=1", false},
    {"@sys=1", false},
    {"t@=1", false},
    {"t@0s=1", false},
    {"t@s@s=1", false},
    {"t@s23456789012345=1", false},
    {"a=\x01", false},
    {"a=\xc3\xa9", false},
    {K64 K64 K64 K64 "x=1", false},
    {"a=" V64 V64 V64 V64 "5", false},
};

START_TEST(tracestate_goes_on_only_when_it_is_valid)
{
	ck_assert_msg(
	    trace_is_state(slice_str(states[_i].text)) == states[_i].good, "%s", states[_i].text);
}
END_TEST

START_TEST(tracestate_has_32_members_at_most)
{
	struct buf state = {0};
	for (int i = 0; i < 33; i++) {
		buf_printf(&state, "k%d=1,", i);
		ck_assert(trace_is_state(buf_slice(&state)) == (i < 32));
	}
	buf_release(&state);
}
END_TEST

START_TEST(headers_say_which_trace_a_message_belongs_to)
{
	static const struct {
		const char *parent, *state, *kept; /* kept NULL: no trace */
	} rows[] = {{PARENT, "a=1", "a=1"}, {PARENT, "a=1,a=1", ""}, {PARENT, NULL, ""},
	    {"00-x", "a=1", NULL}, {NULL, "a=1", NULL}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf table = {0};
		struct trace t;
		struct slice state;
		if (rows[i].state != NULL)
			table_add_string(&table, TRACE_STATE, slice_str(rows[i].state));
		if (rows[i].parent != NULL)
			table_add_string(&table, TRACE_PARENT, slice_str(rows[i].parent));
		bool good = trace_read(buf_slice(&table), &t, &state);
		ck_assert(good == (rows[i].kept != NULL));
		if (good)
			ck_assert(slice_is(state, rows[i].kept));
		buf_release(&table);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trace");
	TCase *tests = tcase_create("trace");
	tcase_add_loop_test(tests, traceparent_is_read_as_level_1_says, 0, (int)ARRAY_LEN(parents));
	tcase_add_test(tests, a_traceparent_survives_the_way_there_and_back);
	tcase_add_test(tests, new_traces_are_valid_sampled_and_different);
	tcase_add_test(tests, a_child_keeps_trace_and_flags_and_has_a_span_of_its_own);
	tcase_add_loop_test(
	    tests, tracestate_goes_on_only_when_it_is_valid, 0, (int)ARRAY_LEN(states));
	tcase_add_test(tests, tracestate_has_32_members_at_most);
	tcase_add_test(tests, headers_say_which_trace_a_message_belongs_to);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
