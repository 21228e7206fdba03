#include "bench/report.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

#define BEGIN "<script type=\"application/json\" id=\"result\">"
#define END "</script>"

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;
	while ((text = strstr(text, part)) != NULL) {
		count++;
		text += strlen(part);
	}
	return count;
}

static char *page_of(const json_t *result)
{
	struct buf out = {0};
	report_write(result, &out);
	ck_assert_uint_eq(strlen(out.ptr), out.len);
	return buf_take(&out);
}

/* What a browser finds in the element of the result: all up to the first end tag. To free(). */
static char *element_of(const char *page)
{
	ck_assert_uint_eq(count_of(page, BEGIN), 1);
	const char *begin = strstr(page, BEGIN) + strlen(BEGIN);
	const char *end = strcasestr(begin, "</script");
	ck_assert_ptr_nonnull(end);
	return mem_strndup(begin, (size_t)(end - begin));
}

/* The page of an object with that string, as a key and as a value, carries exactly it. */
static void check_carried(const char *text)
{
	json_t *result = json_pack("{s:{s:s}}", "options", text, text);
	ck_assert_ptr_nonnull(result);
	char *page = page_of(result), *element = element_of(page);
	json_t *carried = json_loads(element, 0, NULL);
	ck_assert_msg(json_equal(result, carried), "%s became %s", text, element);
	ck_assert_ptr_null(strchr(element, '<'));
	for (const char *c = element; *c != '\0'; c++)
		ck_assert_msg(*c >= ' ' && *c <= '~', "%s became %s", text, element);
	json_decref(carried);
	json_decref(result);
	free(element);
	free(page);
}

static const char *const hostile[] = {"</script><script>document.title='owned'</script>",
    "<!--<script>", "</SCRIPT ", "]]>", "<", "<<", "\"@RESULT@\"", "\xe2\x80\xa8\xe2\x80\xa9",
    "\xf0\x9f\x90\x87", "\\u003c", "\\", "'\"\n\t\x01", "&lt;", "", "%s%n"};

START_TEST(no_string_leaves_its_element)
{
	check_carried(hostile[_i]);
}
END_TEST

START_TEST(page_is_the_same_around_every_result)
{
	json_t *empty = json_object();
	char *bare = page_of(empty), *page;
	json_t *result = json_pack("{s:s}", "broker", hostile[0]);
	page = page_of(result);
	ck_assert_str_eq(strstr(page, END), strstr(bare, END));
	ck_assert_mem_eq(page, bare, (size_t)(strstr(bare, BEGIN) - bare));
	ck_assert_ptr_null(strstr(page, "@RESULT@"));
	json_decref(result);
	json_decref(empty);
	free(page);
	free(bare);
}
END_TEST

START_TEST(page_brings_everything_and_asks_for_nothing)
{
	static const char *const absent[] = {" src=", " href=", "url(", "@import", "innerHTML",
	    "outerHTML", "insertAdjacent", "document.write", "eval(", "fetch(", "import("};
	char *page = page_of(NULL);
	ck_assert_ptr_nonnull(
	    strstr(page, "content=\"default-src 'none'; style-src 'unsafe-inline'; "
			 "script-src 'unsafe-inline'; "));
	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		ck_assert_msg(strstr(page, absent[i]) == NULL, "the page has '%s'", absent[i]);
	free(page);
}
END_TEST

START_TEST(figures_keep_their_digits)
{
	json_t *result = json_pack(
	    "{s:f,s:I}", "p50", 0.0612345678901234, "count", (json_int_t)9007199254740993);
	char *page = page_of(result), *element = element_of(page);
	ck_assert_str_eq(element, "{\"p50\":0.0612345678901234,\"count\":9007199254740993}");
	json_decref(result);
	free(element);
	free(page);
}
END_TEST

START_TEST(what_is_no_json_is_no_result)
{
	json_t *result = json_pack("{s:s,s:o}", "system", "Linux", "cpu",
	    json_string_nocheck("half a character: \xe2\x80"));
	char *page = page_of(result), *element = element_of(page);
	ck_assert_str_eq(element, "null");
	free(element);
	free(page);
	page = page_of(NULL);
	element = element_of(page);
	ck_assert_str_eq(element, "null");
	json_decref(result);
	free(element);
	free(page);
}
END_TEST

START_TEST(page_is_appended)
{
	struct buf out = {0};
	buf_append_str(&out, "before ");
	report_write(NULL, &out);
	ck_assert_int_eq(strncmp(out.ptr, "before <!doctype html>", 22), 0);
	buf_release(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report");
	TCase *tests = tcase_create("report");
	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, no_string_leaves_its_element, 0, ARRAY_LEN(hostile));
	tcase_add_test(tests, page_is_the_same_around_every_result);
	tcase_add_test(tests, page_brings_everything_and_asks_for_nothing);
	tcase_add_test(tests, figures_keep_their_digits);
	tcase_add_test(tests, what_is_no_json_is_no_result);
	tcase_add_test(tests, page_is_appended);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
