/* A member of the body is set from made-up data, a file or an event store. */
#include "flow/core_enrich.h"

#include "base/mem.h"
#include "folder_bench.h"
#include "store/append.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct error err;

static void begin(void)
{
	error_clear(&err);
	make_folder();
}

/* In the folder; the name is in `path` then. */
static void write_in_folder(const char *name, const char *text)
{
	name_file(name);
	write_file(path, text);
}

static struct core_enrich *create(const struct core_enrich_options *options)
{
	struct core_enrich *core = core_enrich_create(options, &err);
	ck_assert_msg(core != NULL, "%s", err.text);
	return core;
}

static void refuse(
    const struct core_enrich_options *options, enum error_kind kind, const char *words)
{
	ck_assert_ptr_null(core_enrich_create(options, &err));
	ck_assert_msg(
	    err.kind == kind && strstr(err.text, words) != NULL, "%d %s", (int)err.kind, err.text);
	error_clear(&err);
}

/* The new body, or "rejected: " and why. Lives until the next call. */
static const char *pass_message(struct core_enrich *core, const struct message *m)
{
	static char text[1000];
	struct flow_core c = core_enrich_core(core);
	struct message out = *m;
	const struct flow_message in = {.message = m, .queue = SLICE("q")};
	struct flow_verdict verdict = {.fate = FLOW_ACCEPTED, .reason = ""};
	enum flow_answer answer = c.kind->apply(c.self, NULL, 0, &in, &out, &verdict);
	if (answer == FLOW_PASS) {
		snprintf(text, sizeof text, "%.*s", (int)out.body.len, out.body.ptr);
	} else {
		ck_assert_int_eq(verdict.fate, FLOW_REJECTED);
		snprintf(text, sizeof text, "rejected: %s", verdict.reason);
	}
	return text;
}

static const char *pass(struct core_enrich *core, const char *body)
{
	const struct message m = {.body = slice_str(body)};
	return pass_message(core, &m);
}

/* ---- a file ---- */

START_TEST(lines_are_found_by_a_member_a_number_and_its_text_are_one_key)
{
	write_in_folder("c.jsonl", "{\"no\":7,\"name\":\"Ada\"}\n\n "
				   "{\"no\":\"8\",\"name\":\"Bob\"}\n{\"no\":8,\"name\":\"Eve\"}");
	struct core_enrich *core = create(&(struct core_enrich_options){
	    .member = "who", .key = ".customer", .with = {.file = path, .by = "no"}});
	ck_assert_str_eq(
	    pass(core, "{\"customer\":7}"), "{\"customer\":7,\"who\":{\"no\":7,\"name\":\"Ada\"}}");
	ck_assert_str_eq(pass(core, "{\"customer\":\"8\",\"who\":1}"),
	    "{\"customer\":\"8\",\"who\":{\"no\":8,\"name\":\"Eve\"}}");
	core_enrich_free(core);
}
END_TEST

START_TEST(an_object_is_found_by_its_members)
{
	write_in_folder("c.json", "{\"EUR\": 1, \"USD\": {\"rate\": 1.25},\n \"x\": null}");
	struct core_enrich *core = create(&(struct core_enrich_options){
	    .member = "rate", .key = ".currency", .with = {.file = path}});
	ck_assert_str_eq(pass(core, "{\"currency\":\"USD\"}"),
	    "{\"currency\":\"USD\",\"rate\":{\"rate\":1.25}}");
	ck_assert_str_eq(pass(core, "{\"currency\":\"x\"}"), "{\"currency\":\"x\",\"rate\":null}");
	core_enrich_free(core);
}
END_TEST

static const struct {
	enum core_enrich_missing missing;
	const char *body;
} missings[] = {
    {CORE_ENRICH_NULL, "{\"c\":\"none\",\"rate\":null}"},
    {CORE_ENRICH_OMIT, "{\"c\":\"none\"}"},
    {CORE_ENRICH_REJECT, "rejected: enrich 'rate': there is nothing under its key"},
};

START_TEST(what_is_missing_is_null_or_left_out_or_rejects_the_message)
{
	write_in_folder("c.json", "{\"EUR\": 1}");
	struct core_enrich *core = create(&(struct core_enrich_options){.member = "rate",
	    .key = ".c",
	    .missing = missings[_i].missing,
	    .with = {.file = path}});
	ck_assert_str_eq(pass(core, "{\"c\":\"none\"}"), missings[_i].body);
	ck_assert_str_eq(pass(core, "{\"c\":\"EUR\"}"), "{\"c\":\"EUR\",\"rate\":1}");
	(void)pass(core, "{}"); /* no key at all */
	ck_assert_uint_eq(core_enrich_missed(core), 2);
	core_enrich_free(core);
}
END_TEST

START_TEST(a_body_that_is_no_object_is_rejected)
{
	static const char *const bodies[] = {"", "no json", "[1]", "7", "{\"a\":1} {\"b\":2}"};
	write_in_folder("c.json", "{}");
	struct core_enrich *core = create(&(struct core_enrich_options){
	    .member = "a\033b", .key = ".c", .missing = CORE_ENRICH_OMIT, .with = {.file = path}});
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		ck_assert_str_eq(pass(core, bodies[i]),
		    "rejected: enrich 'a\\x1bb': the body is no JSON object");
	core_enrich_free(core);
}
END_TEST

START_TEST(a_file_that_does_not_fit_is_told)
{
	struct core_enrich_options options = {.member = "m", .key = ".c", .with = {.file = path}};
	write_in_folder("c.jsonl", "{\"id\":1}\n{\"no\":2}\n");
	refuse(&options, ERROR_DATA, "line 2: it is no JSON object with a member 'id'");
	write_in_folder("c.jsonl", "{\"id\":1}\n{\"id\":\n");
	refuse(&options, ERROR_DATA, "line 2:");
	write_in_folder("c.json", "[1]");
	refuse(&options, ERROR_DATA, "is no JSON object by key");
	write_in_folder("c.json", "");
	refuse(&options, ERROR_DATA, "is no JSON object by key");
	name_file("none");
	refuse(&options, ERROR_NO_INPUT, "No such file");
	options.with.store = path;
	refuse(&options, ERROR_USAGE, "one of volume, file and store");
	options.with.file = NULL;
	refuse(&options, ERROR_NO_INPUT, "No such file");
	write_in_folder("c.json", "{}");
	options.with = (struct enrichment_options){.file = path};
	options.key = NULL;
	refuse(&options, ERROR_USAGE, "enrich needs a key");
	options.key = ".a |";
	refuse(&options, ERROR_USAGE, "");
	options.with = (struct enrichment_options){.volume = "citty"};
	refuse(&options, ERROR_USAGE, "'citty' is no kind of made-up data");
}
END_TEST

START_TEST(a_file_beyond_the_limit_is_refused)
{
	write_in_folder("c.jsonl", "");
	ck_assert_int_eq(truncate(path, (off_t)ENRICHMENT_MAX_FILE + 1), 0);
	struct core_enrich_options options = {.member = "m", .key = ".c", .with = {.file = path}};
	refuse(&options, ERROR_SETTINGS, "");
}
END_TEST

/* ---- made-up data ---- */

START_TEST(made_up_data_is_the_same_for_the_same_seed_and_key)
{
	char first[1000];
	struct core_enrich_options options = {
	    .member = "city", .key = ".c", .with = {.volume = "city", .seed = 1}};
	struct core_enrich *core = create(&options);
	strcpy(first, pass(core, "{\"c\":\"a\"}"));
	ck_assert_str_ne(first, "{\"c\":\"a\"}");
	unsigned others = 0;
	for (int i = 0; i < 8; i++) {
		char body[40], *city;
		snprintf(body, sizeof body, "{\"c\":\"b%d\"}", i);
		city = strstr(pass(core, body), "\"city\"");
		others += strcmp(city, strstr(first, "\"city\"")) != 0;
	}
	ck_assert_uint_gt(others, 4);
	core_enrich_free(core);
	core = create(&options); /* in another process, too */
	ck_assert_str_eq(pass(core, "{\"c\":\"a\"}"), first);
	core_enrich_free(core);
}
END_TEST

START_TEST(without_a_key_it_is_the_same_for_the_same_message)
{
	static const char *const volumes[] = {"city", "boolean", "http_status_code"};
	struct core_enrich *core =
	    create(&(struct core_enrich_options){.member = "v", .with = {.volume = volumes[_i]}});
	const struct message m = {
	    .present = MESSAGE_MESSAGE_ID, .message_id = SLICE("m1"), .body = SLICE("{}")};
	char first[1000];
	strcpy(first, pass_message(core, &m));
	ck_assert_int_eq(first[5] == '"', _i == 0); /* {"v": and a text, or else */
	ck_assert_str_eq(pass_message(core, &m), first);
	core_enrich_free(core);
}
END_TEST

/* ---- a store ---- */

static void append(struct append *append, const char *subject, const char *data)
{
	static int next = 1;
	const struct append_result *results;
	char *body =
	    mem_printf("{\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"/s\",\"id\":\"%d\","
		       "\"subject\":\"%s\",\"data\":%s}",
		next++, subject, data);
	const struct message m = {.present = MESSAGE_CONTENT_TYPE,
	    .content_type = SLICE("application/cloudevents+json"),
	    .body = slice_str(body)};
	const struct append_event event = {.message = &m, .stream_offset = -1};
	ck_assert_msg(append_add(append, &event, &err), "%s", err.text);
	ck_assert_msg(append_commit(append, &results, &err), "%s", err.text);
	free(body);
}

START_TEST(the_latest_event_of_a_subject_is_found_as_it_is_now)
{
	name_file("events.db");
	struct store *store = store_open(path, STORE_CREATE, &err);
	ck_assert_msg(store != NULL, "%s", err.text);
	struct append *writer = append_create(store);
	append(writer, "a", "{\"n\":1}");
	append(writer, "b", "\"text\"");
	if (_i == 1)
		ck_assert(append_settle(writer, &err)); /* into the index */
	struct core_enrich *core = create(&(struct core_enrich_options){
	    .member = "was", .key = ".id", .missing = CORE_ENRICH_NULL, .with = {.store = path}});
	ck_assert_str_eq(pass(core, "{\"id\":\"a\"}"), "{\"id\":\"a\",\"was\":{\"n\":1}}");
	append(writer, "a", "{\"n\":2}");
	ck_assert_str_eq(pass(core, "{\"id\":\"a\"}"), "{\"id\":\"a\",\"was\":{\"n\":2}}");
	ck_assert_str_eq(pass(core, "{\"id\":\"b\"}"), "{\"id\":\"b\",\"was\":\"text\"}");
	ck_assert_str_eq(pass(core, "{\"id\":\"c\"}"), "{\"id\":\"c\",\"was\":null}");
	ck_assert_str_eq(pass(core, "{\"id\":\"a\\u0000\"}"), "{\"id\":\"a\\u0000\",\"was\":null}");
	core_enrich_free(core);
	append_free(writer);
	store_close(store);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core_enrich");
	TCase *tests = tcase_create("core_enrich");
	tcase_add_checked_fixture(tests, begin, remove_folder);
	tcase_add_test(tests, lines_are_found_by_a_member_a_number_and_its_text_are_one_key);
	tcase_add_test(tests, an_object_is_found_by_its_members);
	tcase_add_loop_test(tests, what_is_missing_is_null_or_left_out_or_rejects_the_message, 0,
	    ARRAY_LEN(missings));
	tcase_add_test(tests, a_body_that_is_no_object_is_rejected);
	tcase_add_test(tests, a_file_that_does_not_fit_is_told);
	tcase_add_test(tests, a_file_beyond_the_limit_is_refused);
	tcase_add_test(tests, made_up_data_is_the_same_for_the_same_seed_and_key);
	tcase_add_loop_test(tests, without_a_key_it_is_the_same_for_the_same_message, 0, 3);
	tcase_add_loop_test(tests, the_latest_event_of_a_subject_is_found_as_it_is_now, 0, 2);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
