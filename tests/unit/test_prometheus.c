#include "model/prometheus.h"

#include "base/mem.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

/* ---- a strict reader of the format, which shares nothing with the writer ---- */

/* What has been read of a document. */
struct reading {
	const char *at;
	char families[16][64]; /* in the order of their TYPE lines */
	size_t family_count;
	size_t samples;
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void expect(struct reading *r, const char *text)
{
	size_t len = strlen(text);
	ck_assert_msg(strncmp(r->at, text, len) == 0, "'%s' expected at: %.80s", text, r->at);
	r->at += len;
}

static void read_name(struct reading *r, char *name, size_t size)
{
	size_t len = 0;
	ck_assert_msg(is_letter(r->at[0]), "a name expected at: %.80s", r->at);
	while (is_letter(r->at[len]) || (r->at[len] >= '0' && r->at[len] <= '9'))
		len++;
	ck_assert_uint_lt(len, size);
	memcpy(name, r->at, len);
	name[len] = '\0';
	r->at += len;
}

/* Up to the line feed; \\ and \n are the only escapes, in a label's value \" too. */
static void read_escaped(struct reading *r, char end)
{
	for (; *r->at != end; r->at++) {
		ck_assert_msg(*r->at != '\n' && *r->at != '\0', "text without its end");
		if (*r->at != '\\')
			continue;
		r->at++;
		ck_assert_msg(*r->at == '\\' || *r->at == 'n' || (end == '"' && *r->at == '"'),
		    "escape \\%c", *r->at);
	}
}

static void read_labels(struct reading *r)
{
	char name[64];
	if (*r->at != '{')
		return;
	do {
		r->at++;
		read_name(r, name, sizeof name);
		expect(r, "=\"");
		read_escaped(r, '"');
		r->at++;
	} while (*r->at == ',');
	expect(r, "}");
}

static void read_value(struct reading *r)
{
	static const char *const words[] = {"NaN\n", "+Inf\n", "-Inf\n"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strncmp(r->at, words[i], strlen(words[i])) != 0)
			continue;
		r->at += strlen(words[i]);
		return;
	}
	size_t len = strcspn(r->at, "\n");
	char *end;
	(void)strtod(r->at, &end);
	ck_assert_msg(len > 0 && strspn(r->at, "0123456789+-.e") == len && end == r->at + len,
	    "a number expected at: %.80s", r->at);
	r->at += len + 1;
}

/* The family stands last of those begun, and nowhere before. */
static void read_family(struct reading *r)
{
	static const char *const types[] = {"counter\n", "gauge\n", "summary\n", "histogram\n"};
	char *name = r->families[r->family_count], again[64];
	expect(r, "# HELP ");
	read_name(r, name, sizeof r->families[0]);
	expect(r, " ");
	read_escaped(r, '\n');
	expect(r, "\n# TYPE ");
	read_name(r, again, sizeof again);
	ck_assert_str_eq(again, name);
	expect(r, " ");
	size_t i = 0;
	while (i < ARRAY_LEN(types) && strncmp(r->at, types[i], strlen(types[i])) != 0)
		i++;
	ck_assert_uint_lt(i, ARRAY_LEN(types));
	expect(r, types[i]);
	for (i = 0; i < r->family_count; i++)
		ck_assert_str_ne(r->families[i], name);
	r->family_count++;
}

static void read_sample(struct reading *r)
{
	char name[80];
	ck_assert_uint_gt(r->family_count, 0);
	const char *family = r->families[r->family_count - 1];
	read_name(r, name, sizeof name);
	ck_assert(strncmp(name, family, strlen(family)) == 0);
	const char *suffix = name + strlen(family);
	ck_assert_msg(*suffix == '\0' || strcmp(suffix, "_sum") == 0 ||
			  strcmp(suffix, "_count") == 0 || strcmp(suffix, "_bucket") == 0,
	    "%s is no sample of %s", name, family);
	read_labels(r);
	expect(r, " ");
	read_value(r);
	r->samples++;
}

static struct reading read_document(const struct buf *text)
{
	struct reading r = {.at = text->ptr};
	while (*r.at != '\0') {
		if (*r.at == '#')
			read_family(&r);
		else
			read_sample(&r);
	}
	ck_assert_ptr_eq(r.at, text->ptr + text->len);
	return r;
}

/* ---- tests ---- */

START_TEST(a_document_reads_as_the_format_says)
{
	static const struct prometheus_label publishers[][3] = {
	    {{"channel", "1"}, {NULL, NULL}},
	    {{"channel", "2"}, {"queue", "jobs \\ \"x\"\nand y"}, {NULL, NULL}},
	};
	static const struct prometheus_quantile quantiles[] = {
	    {0.5, 0.0015}, {0.99, 0.25}, {0.999, NAN}, {1, INFINITY}};
	const struct prometheus_summary summary = {quantiles, ARRAY_LEN(quantiles), 12.5, 1000};
	struct buf out = {0};
	struct prometheus p = {.out = &out};
	prometheus_counter(&p, "warren_sent_total", "Messages sent.", publishers[0], 12);
	prometheus_counter(&p, "warren_sent_total", "Messages sent.", publishers[1], 1e15);
	prometheus_gauge(&p, "warren_rate", "A \\ and\na \"second\" line.", NULL, 0.1);
	prometheus_summary(&p, "warren_latency_seconds", "Due to received.", NULL, &summary);
	prometheus_summary(&p, "warren_latency_seconds", "", publishers[0], &summary);
	ck_assert_str_eq(out.ptr,
	    "# HELP warren_sent_total Messages sent.\n"
	    "# TYPE warren_sent_total counter\n"
	    "warren_sent_total{channel=\"1\"} 12\n"
	    "warren_sent_total{channel=\"2\",queue=\"jobs \\\\ \\\"x\\\"\\nand y\"} 1e+15\n"
	    "# HELP warren_rate A \\\\ and\\na \"second\" line.\n"
	    "# TYPE warren_rate gauge\n"
	    "warren_rate 0.1\n"
	    "# HELP warren_latency_seconds Due to received.\n"
	    "# TYPE warren_latency_seconds summary\n"
	    "warren_latency_seconds{quantile=\"0.5\"} 0.0015\n"
	    "warren_latency_seconds{quantile=\"0.99\"} 0.25\n"
	    "warren_latency_seconds{quantile=\"0.999\"} NaN\n"
	    "warren_latency_seconds{quantile=\"1\"} +Inf\n"
	    "warren_latency_seconds_sum 12.5\n"
	    "warren_latency_seconds_count 1000\n"
	    "warren_latency_seconds{channel=\"1\",quantile=\"0.5\"} 0.0015\n"
	    "warren_latency_seconds{channel=\"1\",quantile=\"0.99\"} 0.25\n"
	    "warren_latency_seconds{channel=\"1\",quantile=\"0.999\"} NaN\n"
	    "warren_latency_seconds{channel=\"1\",quantile=\"1\"} +Inf\n"
	    "warren_latency_seconds_sum{channel=\"1\"} 12.5\n"
	    "warren_latency_seconds_count{channel=\"1\"} 1000\n");
	struct reading r = read_document(&out);
	ck_assert_uint_eq(r.family_count, 3);
	ck_assert_uint_eq(r.samples, 15);
	buf_release(&out);
}
END_TEST

START_TEST(a_histogram_ends_with_all_that_was_observed)
{
	static const struct prometheus_bucket buckets[] = {{0.001, 2}, {0.5, 2}, {60, 5}};
	const struct prometheus_histogram histogram = {buckets, ARRAY_LEN(buckets), 99.5, 6};
	const struct prometheus_label labels[] = {{"queue", "q"}, {NULL, NULL}};
	struct buf out = {0};
	struct prometheus p = {.out = &out};
	prometheus_histogram(&p, "x_seconds", "Help.", labels, &histogram);
	ck_assert_str_eq(out.ptr, "# HELP x_seconds Help.\n"
				  "# TYPE x_seconds histogram\n"
				  "x_seconds_bucket{queue=\"q\",le=\"0.001\"} 2\n"
				  "x_seconds_bucket{queue=\"q\",le=\"0.5\"} 2\n"
				  "x_seconds_bucket{queue=\"q\",le=\"60\"} 5\n"
				  "x_seconds_bucket{queue=\"q\",le=\"+Inf\"} 6\n"
				  "x_seconds_sum{queue=\"q\"} 99.5\n"
				  "x_seconds_count{queue=\"q\"} 6\n");
	ck_assert_uint_eq(read_document(&out).samples, 6);
	buf_release(&out);
}
END_TEST

static const struct {
	double value;
	const char *text;
} numbers[] = {
    {0, "0"},
    {-1, "-1"},
    {0.1, "0.1"},
    {1.0 / 3, "0.3333333333333333"},
    {1e-9, "1e-09"},
    {123456789012345, "123456789012345"},
    {9007199254740993.0, "9007199254740992.0"},
    {1e300, "1e+300"},
    {NAN, "NaN"},
    {INFINITY, "+Inf"},
    {-INFINITY, "-Inf"},
};

START_TEST(a_number_reads_back_as_itself)
{
	struct buf out = {0}, expected = {0};
	struct prometheus p = {.out = &out};
	prometheus_gauge(&p, "x", "", NULL, numbers[_i].value);
	buf_printf(&expected, "# HELP x \n# TYPE x gauge\nx %s\n", numbers[_i].text);
	ck_assert_str_eq(out.ptr, expected.ptr);
	read_document(&out);
	buf_release(&out);
	buf_release(&expected);
}
END_TEST

static const struct {
	const char *value, *text;
} label_values[] = {
    {"", ""}, {"a,b=c}{", "a,b=c}{"}, {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
    {"\\n", "\\\\n"}, {"\n\n", "\\n\\n"}, {"\"", "\\\""}, {"ends in \\", "ends in \\\\"},
    {"\xff\xfe \"x\"", "\\\\xff\\\\xfe \\\"x\\\""}, /* not UTF-8: the bytes in hex */
};

START_TEST(any_label_value_keeps_the_document_whole)
{
	const struct prometheus_label labels[] = {{"queue", label_values[_i].value}, {NULL, NULL}};
	struct buf out = {0}, expected = {0};
	struct prometheus p = {.out = &out};
	prometheus_counter(&p, "x", "Help.", labels, 1);
	buf_printf(&expected, "# HELP x Help.\n# TYPE x counter\nx{queue=\"%s\"} 1\n",
	    label_values[_i].text);
	ck_assert_str_eq(out.ptr, expected.ptr);
	ck_assert_uint_eq(read_document(&out).samples, 1);
	buf_release(&out);
	buf_release(&expected);
}
END_TEST

START_TEST(empty_list_of_labels_is_none)
{
	const struct prometheus_label none[] = {{NULL, NULL}};
	const struct prometheus_summary empty = {NULL, 0, 0, 0};
	struct buf out = {0};
	struct prometheus p = {.out = &out};
	prometheus_summary(&p, "x", "Help.", none, &empty);
	ck_assert_str_eq(out.ptr, "# HELP x Help.\n# TYPE x summary\nx_sum 0\nx_count 0\n");
	buf_release(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("prometheus");
	TCase *tests = tcase_create("prometheus");
	tcase_add_test(tests, a_document_reads_as_the_format_says);
	tcase_add_test(tests, a_histogram_ends_with_all_that_was_observed);
	tcase_add_loop_test(tests, a_number_reads_back_as_itself, 0, (int)ARRAY_LEN(numbers));
	tcase_add_loop_test(
	    tests, any_label_value_keeps_the_document_whole, 0, (int)ARRAY_LEN(label_values));
	tcase_add_test(tests, empty_list_of_labels_is_none);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
