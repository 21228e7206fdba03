/* The core that rejects what breaks a contract: whom it judges, what it says, and the verdicts of
 * the official JSON Schema Test Suite. */
#include "flow/core_contract.h"

#include "base/buf.h"
#include "base/mem.h"
#include "config/contract.h"
#include "folder_bench.h"
#include "model/marks.h"
#include "model/table.h"

#include <check.h>
#include <glob.h>
#include <stdlib.h>

static void begin(void)
{
	make_folder();
	name_file("c.json");
}

static bool add(struct core_contract *core, const char *schema,
    const struct core_contract_scope *scope, struct error *err)
{
	write_file(path, schema);
	return core_contract_add(core, path, scope, err);
}

static struct core_contract *core_of(const char *schema, struct core_contract_scope scope)
{
	struct error err = {0};
	struct core_contract *core = core_contract_create();
	ck_assert_msg(add(core, schema, &scope, &err), "%s", err.text);
	return core;
}

static bool passes(
    struct core_contract *core, const struct message *m, struct flow_verdict *verdict)
{
	const struct flow_message offered = {.message = m};
	*verdict = (struct flow_verdict){.reason = ""};
	return core_contract_passes(core, &offered, verdict);
}

static void assert_rejected(
    struct core_contract *core, const struct message *m, const char *reason, const char *headers)
{
	struct flow_verdict verdict;
	struct buf json = {0};
	struct error err = {0};
	ck_assert(!passes(core, m, &verdict));
	ck_assert_int_eq(verdict.fate, FLOW_REJECTED);
	ck_assert_str_eq(verdict.reason, reason);
	ck_assert(table_write_json(verdict.headers, &json, &err));
	ck_assert_str_eq(json.ptr, headers);
	buf_release(&json);
}

#define PRICES                                                                                \
	"{\"$id\": \"urn:prices\", \"properties\": {\"items\": {\"items\": {\"properties\": " \
	"{\"price\": {\"type\": \"number\"}}}}}}"

START_TEST(the_verdict_tells_the_exact_place)
{
	struct core_contract *core = core_of(PRICES, (struct core_contract_scope){0});
	struct flow_verdict verdict;
	struct message m = {.body = SLICE("{\"items\": [{\"price\": \"10\"}]}")};
	assert_rejected(core, &m, "/items/0/price: expected number, found string \"10\"",
	    "{\"x-warren-contract\":\"urn:prices\",\"x-warren-instance-path\":\"/items/0/price\","
	    "\"x-warren-schema-path\":\"/properties/items/items/properties/price/type\"}");
	m.body = SLICE("{\"items\": [{\"price\": null}, {}, {\"price\": true}]}");
	assert_rejected(core, &m, "/items/0/price: expected number, found null (and 1 more)",
	    "{\"x-warren-contract\":\"urn:prices\",\"x-warren-instance-path\":\"/items/0/price\","
	    "\"x-warren-schema-path\":\"/properties/items/items/properties/price/type\"}");
	m.body = SLICE("{\"items\": [");
	assert_rejected(core, &m, "not JSON: line 1, column 11: ']' expected near end of file",
	    "{\"x-warren-contract\":\"urn:prices\",\"x-warren-instance-path\":\"\","
	    "\"x-warren-schema-path\":\"\"}");
	m.body = SLICE("{\"items\": [{\"price\": 10}]}");
	ck_assert(passes(core, &m, &verdict));
	ck_assert_uint_eq(core_contract_violations(core), 3);
	core_contract_free(core);
}
END_TEST

START_TEST(no_byte_of_a_body_reaches_the_reason_as_it_is)
{
	struct core_contract *core = core_of(
	    "{\"additionalProperties\": {\"type\": \"null\"}}", (struct core_contract_scope){0});
	struct buf body = {0};
	struct flow_verdict verdict;
	const struct message m = {.body = SLICE("{\"a\\u001b[31m\\n\": \"\\u001b\"}")};
	assert_rejected(core, &m, "/a\\x1b[31m\\n: expected null, found string \"\\x1b\"",
	    "{\"x-warren-contract\":\"c.json\",\"x-warren-instance-path\":\"/"
	    "a\\u001b[31m\\n\",\"x-warren-schema-path\":\"/additionalProperties/type\"}");
	buf_append_str(&body, "{\"");
	for (int i = 0; i < 2000; i++)
		buf_append_str(&body, "\xc3\xa4");
	buf_append_str(&body, "\": 1}");
	const struct message large = {.body = buf_slice(&body)};
	ck_assert(!passes(core, &large, &verdict));
	struct slice told = table_find_string(verdict.headers, MARKS_INSTANCE_PATH);
	ck_assert_uint_eq(told.len, 999); /* whole characters of at most 1,000 bytes */
	buf_release(&body);
	core_contract_free(core);
}
END_TEST

START_TEST(of_a_structured_event_the_data_is_judged)
{
	struct core_contract *core =
	    core_of("{\"required\": [\"n\"]}", (struct core_contract_scope){0});
	struct flow_verdict verdict;
	struct message m = {.present = MESSAGE_CONTENT_TYPE,
	    .content_type = SLICE("application/CloudEvents+json; charset=utf-8"),
	    .body = SLICE("{\"specversion\": \"1.0\", \"id\": \"1\", \"source\": \"/s\", \"type\": "
			  "\"t\", \"n\": 1, \"data\": {\"n\": 1}}")};
	ck_assert(passes(core, &m, &verdict));
	m.body = SLICE("{\"specversion\": \"1.0\", \"id\": \"1\", \"source\": \"/s\", \"type\": "
		       "\"t\", \"n\": 1, \"data\": {}}");
	assert_rejected(core, &m, "required property 'n' is missing",
	    "{\"x-warren-contract\":\"c.json\",\"x-warren-instance-path\":\"\","
	    "\"x-warren-schema-path\":\"/required\"}");
	m.body = SLICE("{\"specversion\": \"1.0\", \"id\": \"1\", \"source\": \"/s\", \"type\": "
		       "\"t\", \"n\": 1}");
	assert_rejected(core, &m, "the event has no data",
	    "{\"x-warren-contract\":\"c.json\",\"x-warren-instance-path\":\"\","
	    "\"x-warren-schema-path\":\"\"}");
	core_contract_free(core);
}
END_TEST

START_TEST(a_contract_is_for_its_queue_or_its_member_alone)
{
	struct error err = {0};
	struct flow_verdict verdict = {0};
	const struct core_contract_scope member = {
	    .of_member = true, .member = 2, .spares_broken = true};
	struct core_contract *core = core_of("false", (struct core_contract_scope){.queue = "q"});
	struct buf broken = {0};
	ck_assert(add(core, "{\"type\": \"null\"}", &member, &err));
	struct message m = {.body = SLICE("1")};
	struct flow_message offered = {.message = &m, .queue = SLICE("q")};
	ck_assert(!core_contract_passes(core, &offered, &verdict));
	ck_assert_str_eq(verdict.reason, "no value is accepted here");
	offered.queue = SLICE("queue");
	ck_assert(core_contract_passes(core, &offered, &verdict));
	offered.member = 2;
	ck_assert(!core_contract_passes(core, &offered, &verdict));
	ck_assert_str_eq(verdict.reason, "expected null, found integer 1");
	table_add_string(&broken, MARKS_BROKEN, SLICE("cut"));
	m.present = MESSAGE_HEADERS;
	m.headers = buf_slice(&broken);
	ck_assert(core_contract_passes(core, &offered, &verdict));
	offered.queue = SLICE("q"); /* who takes it makes no exception */
	ck_assert(!core_contract_passes(core, &offered, &verdict));
	buf_release(&broken);
	core_contract_free(core);
}
END_TEST

START_TEST(what_cannot_be_judged_is_rejected)
{
	struct core_contract *core = core_of("{\"$ref\": \"#\"}", (struct core_contract_scope){0});
	const struct message m = {.body = SLICE("1")};
	assert_rejected(core, &m,
	    "schema refers to itself without end, or the value nests more than 1000 deep",
	    "{\"x-warren-contract\":\"c.json\",\"x-warren-instance-path\":\"\","
	    "\"x-warren-schema-path\":\"\"}");
	core_contract_free(core);
}
END_TEST

/* ---- the official suite ---- */

#define SUITE "tests/cases/json-schema-suite/tests/"

static const struct {
	const char *files, *dialect;
} drafts[] = {
    {SUITE "draft2020-12/*.json", "https://json-schema.org/draft/2020-12/schema"},
    {SUITE "draft2020-12/optional/format/*.json", "https://json-schema.org/draft/2020-12/schema"},
    {SUITE "draft2019-09/*.json", "https://json-schema.org/draft/2019-09/schema"},
    {SUITE "draft7/*.json", "http://json-schema.org/draft-07/schema#"},
};

struct tally {
	size_t valid, invalid, wrong, skipped;
};

static void run_one(struct core_contract *core, const json_t *test, struct tally *t)
{
	struct flow_verdict verdict;
	bool expected = json_is_true(json_object_get(test, "valid"));
	char *body = json_dumps(json_object_get(test, "data"), JSON_ENCODE_ANY | JSON_COMPACT);
	const struct message m = {.body = slice_str(body)};
	bool verdict_is = passes(core, &m, &verdict);
	*(expected ? &t->valid : &t->invalid) += 1;
	if (verdict_is != expected) {
		t->wrong++;
		printf("wrong: %s: %s: %s\n",
		    json_string_value(json_object_get(test, "description")), body, verdict.reason);
	}
	free(body);
}

static void run_group(const json_t *group, const char *dialect, struct tally *t)
{
	json_t *schema = json_incref(json_object_get(group, "schema")), *test;
	const json_t *tests = json_object_get(group, "tests");
	struct error err = {0};
	size_t i;
	if (json_is_object(schema) && json_object_get(schema, "$schema") == NULL)
		json_object_set_new(schema, "$schema", json_string(dialect));
	char *text = json_dumps(schema, JSON_ENCODE_ANY);
	const struct core_contract_scope all = {0};
	struct core_contract *core = core_contract_create();
	if (add(core, text, &all, &err))
		json_array_foreach(tests, i, test) run_one(core, test, t);
	else
		t->skipped += json_array_size(tests);
	core_contract_free(core);
	free(text);
	json_decref(schema);
}

/* Formats are annotations there, assertions here; and two that are annotations here. */
static bool is_left_out(const char *file)
{
	static const char *const names[] = {
	    "/format.json", "/idn-hostname.json", "/uri-template.json"};
	const char *slash = strrchr(file, '/');
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(slash, names[i]) == 0)
			return true;
	return false;
}

static void run_file(const char *file, const char *dialect, struct tally *t)
{
	json_error_t where;
	json_t *groups = json_load_file(file, JSON_ALLOW_NUL, &where), *group;
	size_t i;
	ck_assert_msg(groups != NULL, "%s:%d: %s", file, where.line, where.text);
	json_array_foreach(groups, i, group) run_group(group, dialect, t);
	json_decref(groups);
}

/* What leads to other hosts is skipped, for nothing is fetched. */
START_TEST(the_official_suite_finds_the_same_verdicts)
{
	struct tally t = {0};
	for (size_t d = 0; d < ARRAY_LEN(drafts); d++) {
		glob_t files;
		ck_assert_int_eq(glob(drafts[d].files, 0, NULL, &files), 0);
		for (size_t i = 0; i < files.gl_pathc; i++)
			if (!is_left_out(files.gl_pathv[i]))
				run_file(files.gl_pathv[i], drafts[d].dialect, &t);
		globfree(&files);
	}
	printf("official suite through the core: %zu valid, %zu invalid, %zu wrong, %zu skipped\n",
	    t.valid, t.invalid, t.wrong, t.skipped);
	ck_assert_uint_eq(t.wrong, 0);
	ck_assert_uint_ge(t.valid, 1000);
	ck_assert_uint_ge(t.invalid, 1000);
	ck_assert_uint_le(t.skipped, 200);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core_contract");
	TCase *tc = tcase_create("core_contract");
	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, begin, remove_folder);
	tcase_add_test(tc, the_verdict_tells_the_exact_place);
	tcase_add_test(tc, no_byte_of_a_body_reaches_the_reason_as_it_is);
	tcase_add_test(tc, of_a_structured_event_the_data_is_judged);
	tcase_add_test(tc, a_contract_is_for_its_queue_or_its_member_alone);
	tcase_add_test(tc, what_cannot_be_judged_is_rejected);
	tcase_add_test(tc, the_official_suite_finds_the_same_verdicts);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
