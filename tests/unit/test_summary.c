/* The last words of a run. */
#include "app/summary.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

static char *summarize(uint64_t calls, uint64_t errors, enum summary_format format)
{
	struct buf out = {0};
	const struct summary_row rows[] = {
	    {"calls", calls, false},
	    {"answered", calls, false},
	    {"ids_used_again", errors, true},
	};
	summary_write(rows, ARRAY_LEN(rows), UINT64_C(2000000000), format, &out);
	return buf_take(&out);
}

static const struct summary_case {
	uint64_t calls, errors;
	enum summary_format format;
	const char *text;
} cases[] = {
    {1, 1, SUMMARY_TEXT, "1 call, 1 answered, 1 id_used_again in 2s (0.50/s)\n"},
    {2, 0, SUMMARY_TEXT, "2 calls, 2 answered in 2s (1.00/s)\n"},
    {0, 1234, SUMMARY_TEXT, "0 calls, 0 answered, 1,234 ids_used_again in 2s (0.00/s)\n"},
    {1, 1, SUMMARY_JSON,
	"{\"calls\":1,\"answered\":1,\"ids_used_again\":1,\"seconds\":2.000000,\"rate\":0.500}\n"},
};

START_TEST(one_of_a_thing_is_no_plural_and_a_key_stays_as_it_is)
{
	const struct summary_case *c = &cases[_i];
	char *text = summarize(c->calls, c->errors, c->format);
	ck_assert_str_eq(text, c->text);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("summary");
	TCase *tcase = tcase_create("summary");
	tcase_add_loop_test(
	    tcase, one_of_a_thing_is_no_plural_and_a_key_stays_as_it_is, 0, ARRAY_LEN(cases));
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
