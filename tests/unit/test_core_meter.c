#include "flow/core_meter.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

static const char *const queues[] = {"a", "b"};
static struct core_meter *meter;

static void setup(void)
{
	meter = core_meter_create(queues, ARRAY_LEN(queues));
	core_meter_begin(meter);
}

static void teardown(void)
{
	core_meter_free(meter);
}

static void come(uint64_t slot, const char *queue, bool redelivered)
{
	const struct flow_core core = core_meter_core(meter);
	const struct message m = {.body = SLICE("12345")};
	const struct flow_message in = {
	    .message = &m, .queue = slice_str(queue), .redelivered = redelivered};
	struct message out = m;
	struct flow_verdict verdict = {0};
	ck_assert_int_eq(core.kind->apply(core.self, NULL, slot, &in, &out, &verdict), FLOW_PASS);
}

static void end(uint64_t slot, enum flow_fate fate)
{
	const struct flow_core core = core_meter_core(meter);
	core.kind->settled(core.self, slot, fate, "");
}

START_TEST(each_queue_has_counts_of_its_own_and_others_share_one)
{
	come(0, "a", false);
	come(7, "b", true);
	come(3, "amq.gen-1", false);
	come(4, "amq.gen-2", false);
	end(7, FLOW_REJECTED);
	end(3, FLOW_ACCEPTED);
	ck_assert_uint_eq(core_meter_count(meter), 3);
	const struct core_meter_count *a = core_meter_at(meter, 0), *b = core_meter_at(meter, 1),
				      *others = core_meter_at(meter, 2);
	ck_assert_str_eq(a->queue, "a");
	ck_assert_uint_eq(a->received, 1);
	ck_assert_uint_eq(a->bytes, 5);
	ck_assert_uint_eq(a->times->count, 0);
	ck_assert_uint_eq(b->redelivered, 1);
	ck_assert_uint_eq(b->fates[FLOW_REJECTED], 1);
	ck_assert_uint_eq(b->times->count, 1);
	ck_assert_ptr_null(others->queue);
	ck_assert_uint_eq(others->received, 2);
	ck_assert_uint_eq(others->fates[FLOW_ACCEPTED], 1);
}
END_TEST

START_TEST(a_part_of_a_message_is_not_counted)
{
	come(2, "a", false);
	end(5, FLOW_ACCEPTED); /* a slot that nothing came by in */
	end(2, FLOW_ACCEPTED);
	end(2, FLOW_ACCEPTED); /* and one that has ended */
	ck_assert_uint_eq(core_meter_at(meter, 0)->fates[FLOW_ACCEPTED], 1);
}
END_TEST

START_TEST(another_flow_counts_on_and_forgets_what_was_under_way)
{
	come(1, "a", false);
	core_meter_begin(meter);
	end(1, FLOW_ACCEPTED);
	come(1, "a", false);
	end(1, FLOW_ACCEPTED);
	ck_assert_uint_eq(core_meter_at(meter, 0)->received, 2);
	ck_assert_uint_eq(core_meter_at(meter, 0)->fates[FLOW_ACCEPTED], 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core_meter");
	TCase *tests = tcase_create("core_meter");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, each_queue_has_counts_of_its_own_and_others_share_one);
	tcase_add_test(tests, a_part_of_a_message_is_not_counted);
	tcase_add_test(tests, another_flow_counts_on_and_forgets_what_was_under_way);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
