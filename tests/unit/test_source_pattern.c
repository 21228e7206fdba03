/* The source that makes messages up: when it wants to be woken, and how it ends. */
#include "flow/source_pattern.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

#define START (100 * CHRONO_S)
#define MS CHRONO_MS

/* ---- what takes the messages ---- */

static size_t taken;

static size_t room(const void *self)
{
	(void)self;
	return SIZE_MAX;
}

static bool put(
    void *self, struct flow *flow, uint64_t slot, const struct flow_message *m, struct error *err)
{
	(void)self, (void)m, (void)err;
	taken++;
	flow_settle(flow, slot, FLOW_ACCEPTED, "");
	return true;
}

static bool flush(void *self, struct flow *flow, struct error *err)
{
	(void)self, (void)flow, (void)err;
	return true;
}

static void abandon(void *self, struct flow *flow)
{
	(void)self, (void)flow;
}

/* ---- a source at work ---- */

static struct loop *loop;
static struct flow *flow;
static struct source_pattern *source;
static struct pattern *pattern;
static struct source_pattern_member member;
static struct pace_plan pace;
static struct error err;

static void refuse(void *ctx, const char *pointer, const char *text)
{
	(void)ctx;
	ck_abort_msg("%s: %s", pointer, text);
}

static void setup(void)
{
	json_t *spec = json_pack("{s:s, s:s}", "routing_key", "k", "body", "");
	err = (struct error){0};
	taken = 0;
	loop = loop_create(&err);
	pattern = pattern_create("m", spec, ".", NULL, refuse, NULL);
	json_decref(spec);
}

/* Messages at a rate, from START to an end. */
static void begin(double rate, uint64_t end_ns, uint64_t quantum_ns)
{
	static const struct flow_sink_kind kind = {room, put, flush, NULL, NULL, abandon};
	json_t *spec = json_pack("{s:f}", "rate", rate);
	ck_assert(pace_plan_read(spec, &pace, refuse, NULL));
	json_decref(spec);
	member = (struct source_pattern_member){"one", pattern, &pace};
	struct source_pattern_options options = {.members = &member,
	    .count = 1,
	    .start_ns = START,
	    .end_ns = end_ns,
	    .quantum_ns = quantum_ns};
	source = source_pattern_create(&options);
	struct flow_options flowing = {.source = source_pattern_source(source),
	    .sink = {&kind, NULL},
	    .window = 1000,
	    .limit = FLOW_NO_LIMIT};
	flow = flow_create(loop, &flowing);
}

static void teardown(void)
{
	flow_free(flow);
	source_pattern_free(source);
	pattern_free(pattern);
	pace_plan_release(&pace);
	loop_free(loop);
}

/* When it wants to be woken next. */
static uint64_t tick(uint64_t now_ns)
{
	struct flow_source s = source_pattern_source(source);
	uint64_t wake_ns = CHRONO_NEVER;
	ck_assert_msg(s.kind->tick(s.self, flow, now_ns, &wake_ns, &err), "%s", err.text);
	return wake_ns;
}

static bool is_done(void)
{
	struct flow_source s = source_pattern_source(source);
	return s.kind->is_done(s.self);
}

START_TEST(nothing_is_made_before_the_start)
{
	begin(1000, 0, 0);
	ck_assert_uint_eq(tick(START - 5 * MS), START);
	ck_assert_uint_eq(taken, 0);
}
END_TEST

START_TEST(without_a_quantum_it_wakes_for_each)
{
	begin(1000, 0, 0);
	ck_assert_uint_eq(tick(START), START + MS);
	ck_assert_uint_eq(taken, 1);
	ck_assert_uint_eq(tick(START + MS), START + 2 * MS);
	ck_assert_uint_eq(taken, 2);
}
END_TEST

START_TEST(a_quantum_lets_messages_go_together)
{
	begin(1000, 0, 5 * MS);
	ck_assert_uint_eq(tick(START), START + 5 * MS);
	ck_assert_uint_eq(tick(START + 5 * MS), START + 10 * MS);
	ck_assert_uint_eq(taken, 6);
}
END_TEST

START_TEST(a_quantum_is_no_delay_where_messages_are_farther_apart)
{
	begin(100, 0, 5 * MS);
	ck_assert_uint_eq(tick(START), START + 10 * MS);
}
END_TEST

/* By how much the tick comes before the end, and the quantum. */
static const struct {
	uint64_t before_ns, quantum_ns;
} ends[] = {
    {3 * MS, 5 * MS}, {1, 5 * MS}, {3 * MS, 3600 * CHRONO_S}, {5 * MS, 5 * MS}, {MS / 2, 0}};

START_TEST(a_quantum_never_passes_the_end)
{
	uint64_t end_ns = START + 100 * MS;
	begin(1000, end_ns, ends[_i].quantum_ns);
	ck_assert_uint_eq(tick(end_ns - ends[_i].before_ns), end_ns);
	ck_assert(!is_done());
	(void)tick(end_ns);
	ck_assert_uint_eq(taken, 100); /* what was due in time, and not one more */
	ck_assert(is_done());
}
END_TEST

START_TEST(what_is_due_at_the_end_is_not_made)
{
	begin(1, START + CHRONO_S, 0);
	ck_assert_uint_eq(tick(START), START + CHRONO_S);
	(void)tick(START + 5 * CHRONO_S);
	ck_assert_uint_eq(taken, 1);
	ck_assert(is_done());
}
END_TEST

START_TEST(who_wakes_up_late_still_makes_what_was_due_in_time)
{
	begin(1000, START + 100 * MS, 5 * MS);
	(void)tick(START + 3600 * CHRONO_S);
	ck_assert_uint_eq(taken, 100);
	ck_assert(is_done());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("source_pattern");
	TCase *tc = tcase_create("source_pattern");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_is_made_before_the_start);
	tcase_add_test(tc, without_a_quantum_it_wakes_for_each);
	tcase_add_test(tc, a_quantum_lets_messages_go_together);
	tcase_add_test(tc, a_quantum_is_no_delay_where_messages_are_farther_apart);
	tcase_add_loop_test(tc, a_quantum_never_passes_the_end, 0, (int)ARRAY_LEN(ends));
	tcase_add_test(tc, what_is_due_at_the_end_is_not_made);
	tcase_add_test(tc, who_wakes_up_late_still_makes_what_was_due_in_time);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
