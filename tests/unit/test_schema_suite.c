/* The official JSON Schema Test Suite (tests/cases/json-schema-suite) against schema/schema. */

#include "schema/schema.h"

#include "base/buf.h"
#include "base/mem.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUITE "tests/cases/json-schema-suite"
#define JSON_FLAGS (JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL)

static const struct draft_row {
	const char *name;
	const char *dialect; /* for schemas that do not name one */
} drafts[] = {
    {"draft2020-12", "https://json-schema.org/draft/2020-12/schema"},
    {"draft2019-09", "https://json-schema.org/draft/2019-09/schema"},
    {"draft7", "http://json-schema.org/draft-07/schema#"},
};

/* Formats that are annotations to us. */
static const char *const unknown_formats[] = {"idn-hostname.json", "uri-template.json"};

struct tally {
	size_t passed, run;
};

/* nftw hands no context to its callback. */
static struct file_list {
	char **paths;
	size_t count, capacity;
} found;

static json_t *load(const char *path)
{
	json_error_t where;
	json_t *json = json_load_file(path, JSON_FLAGS & ~(size_t)JSON_DECODE_INT_AS_REAL, &where);
	if (json == NULL) /* integers beyond 64 bits; the others must stay integers */
		json = json_load_file(path, JSON_FLAGS, &where);
	ck_assert_msg(json != NULL, "%s:%d: %s", path, where.line, where.text);
	return json;
}

static int collect(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)where;
	size_t len = strlen(path);
	if (type == FTW_F && len > 5 && strcmp(path + len - 5, ".json") == 0) {
		found.paths =
		    mem_grow(found.paths, &found.capacity, found.count + 1, sizeof *found.paths);
		found.paths[found.count++] = mem_strdup(path);
	}
	return 0;
}

static int compare_paths(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static struct file_list list_files(const char *directory)
{
	found = (struct file_list){0};
	ck_assert_int_eq(nftw(directory, collect, 8, FTW_PHYS), 0);
	ck_assert_uint_gt(found.count, 0);
	qsort(found.paths, found.count, sizeof *found.paths, compare_paths);
	return found;
}

static void free_files(struct file_list *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->paths[i]);
	free(files->paths);
}

/* The schemas under remotes/, read once. */
struct remotes {
	struct file_list files;
	json_t **documents;
};

static struct remotes load_remotes(void)
{
	struct remotes r = {.files = list_files(SUITE "/remotes")};
	r.documents = mem_alloc(r.files.count, sizeof *r.documents);
	for (size_t i = 0; i < r.files.count; i++)
		r.documents[i] = load(r.files.paths[i]);
	return r;
}

static void free_remotes(struct remotes *r)
{
	for (size_t i = 0; i < r->files.count; i++)
		json_decref(r->documents[i]);
	free(r->documents);
	free_files(&r->files);
}

static bool add_remotes(struct schema *s, const struct remotes *r, struct error *err)
{
	const size_t prefix = strlen(SUITE "/remotes/");
	for (size_t i = 0; i < r->files.count; i++) {
		char *uri = mem_printf("http://localhost:1234/%s", r->files.paths[i] + prefix);
		bool ok = schema_add(s, uri, r->documents[i], err);
		free(uri);
		if (!ok)
			return false;
	}
	return true;
}

static void report_miss(
    const char *path, const json_t *group, const json_t *test, const struct error *err)
{
	printf("not passed: %s: %s: %s%s%s\n", path + strlen(SUITE "/tests/"),
	    json_string_value(json_object_get(group, "description")),
	    json_string_value(json_object_get(test, "description")),
	    err->kind != ERROR_NONE ? ": " : "", err->text);
}

static void count_finding(void *ctx, const struct schema_finding *finding)
{
	size_t *count = ctx;
	ck_assert_ptr_nonnull(finding->text);
	ck_assert_ptr_nonnull(finding->value);
	++*count;
}

/* Passed when the verdict is right, with and without a report, and a "no" comes with a finding. */
static bool run_test(const struct schema *s, const json_t *test, struct error *err)
{
	const json_t *data = json_object_get(test, "data");
	bool expected = json_is_true(json_object_get(test, "valid"));
	size_t findings = 0;
	bool verdict = schema_validate(s, data, NULL, NULL, err);
	if (err->kind != ERROR_NONE || verdict != expected)
		return false;
	verdict = schema_validate(s, data, count_finding, &findings, err);
	return verdict == expected && (findings == 0) == expected;
}

static void run_group(const char *path, const json_t *group, unsigned flags,
    const struct draft_row *draft, const struct remotes *remotes, struct tally *tally)
{
	size_t i;
	json_t *test;
	struct error err = {0};
	json_t *root = json_deep_copy(json_object_get(group, "schema"));
	if (json_is_object(root) && json_object_get(root, "$schema") == NULL)
		json_object_set_new(root, "$schema", json_string(draft->dialect));
	struct schema *s = schema_create(root, flags, &err);
	bool ready = s != NULL && add_remotes(s, remotes, &err);
	json_array_foreach(json_object_get(group, "tests"), i, test)
	{
		tally->run++;
		if (ready && run_test(s, test, &err))
			tally->passed++;
		else
			report_miss(path, group, test, &err);
		if (ready)
			error_clear(&err);
	}
	schema_free(s);
	json_decref(root);
}

static bool is_optional(const char *path)
{
	return strstr(path, "/optional/") != NULL;
}

static bool is_format(const char *path)
{
	return strstr(path, "/optional/format/") != NULL;
}

static bool is_known_format(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(unknown_formats); i++)
		if (strcmp(strrchr(path, '/') + 1, unknown_formats[i]) == 0)
			return false;
	return is_format(path);
}

static bool is_required(const char *path)
{
	return !is_optional(path);
}

static bool is_other(const char *path)
{
	return is_optional(path) && !is_format(path);
}

/* The number of tests that did not pass. */
static size_t run_files(const struct draft_row *draft, const char *what,
    bool (*wanted)(const char *path), unsigned flags, const struct remotes *remotes)
{
	struct tally tally = {0};
	char *directory = mem_printf(SUITE "/tests/%s", draft->name);
	struct file_list files = list_files(directory);
	for (size_t i = 0; i < files.count; i++) {
		size_t k;
		json_t *group;
		if (!wanted(files.paths[i]))
			continue;
		json_t *groups = load(files.paths[i]);
		json_array_foreach(groups, k, group)
		    run_group(files.paths[i], group, flags, draft, remotes, &tally);
		json_decref(groups);
	}
	ck_assert_uint_gt(tally.run, 0);
	double percent = 100.0 * (double)tally.passed / (double)tally.run;
	printf("%s: %zu of %zu %s tests pass (%.1f %%)\n", draft->name, tally.passed, tally.run,
	    what, percent);
	fflush(stdout); /* a failing assertion ends this process at once */
	free_files(&files);
	free(directory);
	return tally.run - tally.passed;
}

START_TEST(required_tests_pass)
{
	const struct draft_row *draft = &drafts[_i];
	struct remotes remotes = load_remotes();
	size_t missed = run_files(draft, "required", is_required, 0, &remotes);
	ck_assert_uint_eq(missed, 0);
	free_remotes(&remotes);
}
END_TEST

START_TEST(formats_are_told_from_others)
{
	const struct draft_row *draft = &drafts[_i];
	struct remotes remotes = load_remotes();
	size_t missed = run_files(draft, "format", is_known_format, SCHEMA_ASSERT_FORMAT, &remotes);
	ck_assert_uint_eq(missed, 0);
	free_remotes(&remotes);
}
END_TEST

START_TEST(optional_tests_pass)
{
	struct remotes remotes = load_remotes();
	size_t missed =
	    run_files(&drafts[_i], "optional", is_other, SCHEMA_ASSERT_FORMAT, &remotes);
	ck_assert_uint_eq(missed, 0);
	free_remotes(&remotes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("schema_suite");
	TCase *tc = tcase_create("official");
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, required_tests_pass, 0, ARRAY_LEN(drafts));
	tcase_add_loop_test(tc, formats_are_told_from_others, 0, ARRAY_LEN(drafts));
	tcase_add_loop_test(tc, optional_tests_pass, 0, ARRAY_LEN(drafts));
	suite_add_tcase(suite, tc);
	SRunner *sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
