#include "base/chrono.h"
#include "base/mem.h"
#include "broker/gather.h"

#include <check.h>
#include <stdlib.h>

#define MS CHRONO_MS
#define US CHRONO_US

static const struct row {
	const char *what;
	struct gather_load load;
	uint64_t hold_ns;
} rows[] = {
    {"nothing came", {0, 1000, MS, MS, 2 * MS, false}, 0},
    {"a message that comes alone", {1, 1000, MS, MS, 2 * MS, false}, 0},
    {"seven are no load yet", {7, 1000, MS, MS, 2 * MS, false}, 0},
    {"a full window: as long as is allowed", {12, 1000, 200 * US, 190 * US, 2 * MS, false}, 2 * MS},
    {"a quarter of what is ahead", {10, 100, 200 * US, 150 * US, 2 * MS, false}, 500 * US},
    {"little ahead: the broker would run dry", {8, 12, 200 * US, 190 * US, 2 * MS, false}, 0},
    {"nothing ahead: the last ones", {100, 0, MS, MS, 2 * MS, false}, 0},
    {"so fast that a wait would be too short", {600, 400, 60 * US, 30 * US, 2 * MS, false}, 0},
    {"we never slept: we are late already", {12, 1000, 200 * US, 0, 2 * MS, false}, 0},
    {"we slept a quarter", {12, 1000, 200 * US, 50 * US, 2 * MS, false}, 0},
    {"we slept a little more", {12, 1000, 200 * US, 51 * US, 2 * MS, false}, 2 * MS},
    {"nobody waits: one by one, ten in two milliseconds",
	{1, 1000, 200 * US, 190 * US, 2 * MS, true}, 2 * MS},
    {"nobody waits, but they are far apart", {1, 1000, 300 * US, 290 * US, 2 * MS, true}, 0},
    {"nobody waits, and nothing came", {0, 1000, MS, MS, 2 * MS, true}, 0},
    {"nobody waits, but the window is small", {1, 3, 200 * US, 190 * US, 2 * MS, true}, 0},
    {"the first read after an hour", {20, 65535, 3600 * CHRONO_S, 3600 * CHRONO_S, 500 * US, false},
	500 * US},
};

START_TEST(a_read_waits_under_load_alone)
{
	const struct row *row = &rows[_i];
	ck_assert_msg(gather_hold_ns(&row->load) == row->hold_ns, "%s: %llu ns", row->what,
	    (unsigned long long)gather_hold_ns(&row->load));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gather");
	TCase *tests = tcase_create("gather");
	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, a_read_waits_under_load_alone, 0, ARRAY_LEN(rows));
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
