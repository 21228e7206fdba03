#include "flow/core_delay.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

#define MANY 200

/* ---- a source of numbered messages, and a sink that accepts them ---- */

struct run {
	size_t count, next;
	bool endless, stopped;
	bool stop_at_once; /* asks for the end when everything is offered */
	uint64_t offered_ns[MANY], passed_ns[MANY]; /* by message */
	size_t order[MANY], passed;
	enum flow_fate fates[MANY];
	struct loop *loop;
};

static bool tick(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	(void)err;
	struct run *run = self;
	while (run->next < run->count && flow_room(flow) > 0) {
		size_t i = run->next++;
		char number = (char)i;
		const struct message message = {.body = {&number, 1}};
		run->offered_ns[i] = chrono_now_ns();
		flow_offer(flow,
		    &(struct flow_message){
			.message = &message, .queue = SLICE("work"), .redelivered = i == 1},
		    i);
	}
	if (run->stop_at_once && run->next == run->count) {
		loop_request_stop(run->loop);
		*wake_ns = now_ns;
	}
	return true;
}

static void on_settle(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	((struct run *)self)->fates[token] = outcome->fate;
}

static void on_stop(void *self)
{
	struct run *run = self;
	run->next = run->count;
	run->stopped = true;
}

static bool is_done(const void *self)
{
	const struct run *run = self;
	return run->stopped || (!run->endless && run->next == run->count);
}

static size_t room(const void *self)
{
	(void)self;
	return 1000;
}

static bool put(
    void *self, struct flow *flow, uint64_t slot, const struct flow_message *m, struct error *err)
{
	(void)err;
	struct run *run = self;
	size_t i = (unsigned char)m->message->body.ptr[0];
	ck_assert(slice_is(m->queue, "work"));
	ck_assert_int_eq(m->redelivered, i == 1);
	run->passed_ns[i] = chrono_now_ns();
	run->order[run->passed++] = i;
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

static const struct flow_source_kind source_kind = {tick, on_settle, on_stop, is_done};
static const struct flow_sink_kind sink_kind = {room, put, flush, NULL, NULL, abandon};

static struct flow_counts run_core(
    const struct core_delay_options *options, struct run *run, size_t window)
{
	struct error err = {0};
	struct loop *loop = loop_create(&err);
	ck_assert_ptr_nonnull(loop);
	run->loop = loop;
	struct core_delay *core = core_delay_create(loop, options);
	struct flow_options flow_options = {
	    .source = {&source_kind, run},
	    .cores = {core_delay_core(core)},
	    .core_count = 1,
	    .sink = {&sink_kind, run},
	    .window = window,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = 60 * CHRONO_S,
	};
	struct flow *flow = flow_create(loop, &flow_options);
	ck_assert_msg(flow_run(flow, &err), "%s", err.text);
	struct flow_counts counts = *flow_counts(flow);
	flow_free(flow);
	core_delay_free(core);
	loop_free(loop);
	return counts;
}

START_TEST(fixed_time_keeps_the_order)
{
	const struct core_delay_options options = {20 * CHRONO_MS, 20 * CHRONO_MS, 1};
	struct run run = {.count = MANY};
	struct flow_counts counts = run_core(&options, &run, 30);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], MANY);
	for (size_t i = 0; i < MANY; i++) {
		ck_assert_uint_eq(run.order[i], i);
		ck_assert_uint_ge(run.passed_ns[i] - run.offered_ns[i], 20 * CHRONO_MS);
	}
}
END_TEST

/* The window is as wide as all, so they are drawn at once. */
START_TEST(times_of_a_range_are_drawn)
{
	const struct core_delay_options options = {10 * CHRONO_MS, 300 * CHRONO_MS, 7};
	struct run run = {.count = MANY};
	size_t moved = 0;
	struct flow_counts counts = run_core(&options, &run, MANY);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], MANY);
	for (size_t i = 0; i < MANY; i++) {
		ck_assert_uint_ge(run.passed_ns[i] - run.offered_ns[i], 10 * CHRONO_MS);
		moved += run.order[i] != i;
	}
	ck_assert_uint_gt(moved, MANY / 2);
}
END_TEST

START_TEST(no_time_is_fine)
{
	const struct core_delay_options options = {0, 0, 1};
	struct run run = {.count = MANY};
	struct flow_counts counts = run_core(&options, &run, 10);
	ck_assert_uint_eq(counts.fates[FLOW_ACCEPTED], MANY);
	for (size_t i = 0; i < MANY; i++)
		ck_assert_uint_eq(run.order[i], i);
}
END_TEST

START_TEST(stop_gives_back_what_is_held)
{
	const struct core_delay_options options = {1000 * CHRONO_S, 2000 * CHRONO_S, 1};
	struct run run = {.count = 50, .endless = true, .stop_at_once = true};
	struct flow_counts counts = run_core(&options, &run, MANY);
	ck_assert_uint_eq(counts.fates[FLOW_RELEASED], 50);
	ck_assert_uint_eq(run.passed, 0);
	for (size_t i = 0; i < 50; i++)
		ck_assert_int_eq(run.fates[i], FLOW_RELEASED);
}
END_TEST

START_TEST(endless_time_does_not_wrap)
{
	const struct core_delay_options options = {UINT64_MAX, UINT64_MAX, 1};
	struct run run = {.count = 3, .endless = true, .stop_at_once = true};
	struct flow_counts counts = run_core(&options, &run, MANY);
	ck_assert_uint_eq(counts.fates[FLOW_RELEASED], 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core_delay");
	TCase *tc = tcase_create("core_delay");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, fixed_time_keeps_the_order);
	tcase_add_test(tc, times_of_a_range_are_drawn);
	tcase_add_test(tc, no_time_is_fine);
	tcase_add_test(tc, stop_gives_back_what_is_held);
	tcase_add_test(tc, endless_time_does_not_wrap);
	suite_add_tcase(suite, tc);
	SRunner *sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
