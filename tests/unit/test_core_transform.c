#include "flow/core_transform.h"

#include "core_bench.h"
#include "model/table.h"

/* ---- one message through the core, and what came out of it ---- */

/* The sink takes three at a time, so that what is split waits. */
static void run_core(struct run *run, struct core_transform *core, const struct flow_message *m)
{
	*run = (struct run){.messages = m, .count = 1, .window = 10, .room = 3};
	(void)run_simply(run, core_transform_core(core));
}

static struct core_transform *must_create(const struct core_transform_options *options)
{
	struct error err = {0};
	struct core_transform *core = core_transform_create(options, &err);
	ck_assert_msg(core != NULL, "%s", err.text);
	return core;
}

/* The message with that body, of content type application/json, through the program. */
static void transform(
    struct run *run, const struct core_transform_options *options, const char *body)
{
	struct buf headers = {0};
	table_add_string(&headers, "from", slice_str("here"));
	const struct message m = {.exchange = slice_str("chat"),
	    .routing_key = slice_str("said"),
	    .body = slice_str(body),
	    .present = MESSAGE_CONTENT_TYPE | MESSAGE_MESSAGE_ID | MESSAGE_HEADERS,
	    .content_type = slice_str("application/json"),
	    .message_id = slice_str("one"),
	    .headers = buf_slice(&headers)};
	const struct flow_message fm = {.message = &m, .queue = slice_str("in")};
	struct core_transform *core = must_create(options);
	run_core(run, core, &fm);
	ck_assert_uint_eq(
	    core_transform_dropped(core), run->passed == 0 && run->fates[0] == FLOW_ACCEPTED);
	core_transform_free(core);
	buf_release(&headers);
}

static void transform_body(struct run *run, const char *expression, const char *body)
{
	transform(run, &(struct core_transform_options){.expression = expression}, body);
}

static void transform_message(struct run *run, const char *expression, const char *body)
{
	transform(run,
	    &(struct core_transform_options){
		.expression = expression, .as = CORE_TRANSFORM_MESSAGE},
	    body);
}

static void check_rejected(struct run *run, const char *why)
{
	ck_assert_int_eq(run->fates[0], FLOW_REJECTED);
	ck_assert_str_eq(run->reasons[0], why);
	ck_assert_uint_eq(run->passed, 0);
	release_run(run);
}

/* ---- bodies ---- */

START_TEST(one_output_is_the_body_of_the_message)
{
	struct run run;
	transform_body(&run, "{to: .who, key: $routing_key, queue: $queue}", "{\"who\":\"ada\"}");
	ck_assert_uint_eq(run.passed, 1);
	const struct message *m = run.results[0];
	check_slice(m->body, "{\"to\":\"ada\",\"key\":\"said\",\"queue\":\"in\"}");
	check_slice(m->content_type, "application/json");
	check_slice(m->message_id, "one");
	check_slice(m->exchange, "chat");
	check_slice(table_find_string(m->headers, "from"), "here");
	ck_assert_uint_eq(run.parts[0], 0);
	release_run(&run);
}
END_TEST

START_TEST(each_of_many_outputs_is_a_message_with_a_number_of_its_own)
{
	struct run run;
	transform_body(&run, ".[]", "[1,{\"a\":2},\"three\",null,false]");
	static const char *const bodies[] = {"1", "{\"a\":2}", "three", "null", "false"};
	ck_assert_uint_eq(run.passed, ARRAY_LEN(bodies));
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		check_slice(run.results[i]->body, bodies[i]);
		ck_assert_uint_eq(run.parts[i], i + 1);
	}
	check_slice(run.results[2]->content_type, "text/plain");
	check_slice(run.results[3]->content_type, "application/json");
	ck_assert_int_eq(run.fates[0], FLOW_ACCEPTED);
	release_run(&run);
}
END_TEST

START_TEST(no_output_drops_the_message_which_is_accepted)
{
	struct run run;
	transform_body(&run, "empty", "1");
	ck_assert_uint_eq(run.passed, 0);
	ck_assert_int_eq(run.fates[0], FLOW_ACCEPTED);
	release_run(&run);
}
END_TEST

START_TEST(a_program_that_fails_half_way_sends_nothing)
{
	struct run run;
	transform_body(&run, "1, 2, error(\"no \\u001b[31m\")", "1");
	check_rejected(&run, "the jq program fails: no \\x1b[31m");
}
END_TEST

START_TEST(an_output_that_is_no_json_sends_nothing)
{
	static const char why[] = "the jq program has an output that is no JSON: a number is not "
				  "finite, or it is too deep";
	struct run run;
	transform_body(&run, "1, infinite", "1");
	check_rejected(&run, why);
	transform_body(&run, "reduce range(300) as $i (0; [.])", "1");
	check_rejected(&run, why);
}
END_TEST

START_TEST(too_many_outputs_and_too_large_ones_send_nothing)
{
	struct run run;
	transform_body(&run, "range(1000001)", "1");
	check_rejected(&run, "the jq program has more than 1,000,000 outputs");
	transform_body(&run, "(\"x\" * 1000000) as $long | range(200) | $long", "1");
	check_rejected(&run, "the outputs of the jq program are larger than 128 MiB");
}
END_TEST

START_TEST(one_answer_is_wanted_where_it_is_said)
{
	static const struct core_transform_options two = {.expression = "1, 2", .one_answer = true},
						   none = {.expression = "empty",
						       .one_answer = true},
						   one = {.expression = ".", .one_answer = true};
	struct run run;
	transform(&run, &two, "1");
	check_rejected(&run, "the jq program has 2 outputs, and one answer is wanted");
	transform(&run, &none, "1");
	check_rejected(&run, "the jq program has 0 outputs, and one answer is wanted");
	transform(&run, &one, "1");
	ck_assert_uint_eq(run.passed, 1);
	release_run(&run);
}
END_TEST

START_TEST(what_is_said_of_the_body_follows_it)
{
	static const struct {
		const char *type, *encoding, *expression, *becomes, *encoded;
	} cases[] = {
	    {"application/json", NULL, ".", "application/json", NULL},
	    {"application/vnd.x+json", "utf-8", ".", "application/vnd.x+json", "utf-8"},
	    {"text/csv", NULL, "\"a,b\"", "text/csv", NULL},
	    {"text/csv", "gzip", "{}", "application/json", NULL},
	    {NULL, NULL, "\"a\"", NULL, NULL},
	    {NULL, "UTF-8", "1", "application/json", "UTF-8"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct message m = {.body = slice_str("1"),
		    .present = (cases[i].type != NULL ? MESSAGE_CONTENT_TYPE : 0U) |
			       (cases[i].encoding != NULL ? MESSAGE_CONTENT_ENCODING : 0U),
		    .content_type = slice_str(cases[i].type != NULL ? cases[i].type : ""),
		    .content_encoding =
			slice_str(cases[i].encoding != NULL ? cases[i].encoding : "")};
		const struct flow_message fm = {.message = &m};
		struct core_transform *core = must_create(
		    &(struct core_transform_options){.expression = cases[i].expression});
		struct run run;
		run_core(&run, core, &fm);
		const struct message *out = run.results[0];
		ck_assert_uint_eq(
		    (out->present & MESSAGE_CONTENT_TYPE) != 0, cases[i].becomes != NULL);
		ck_assert_uint_eq(
		    (out->present & MESSAGE_CONTENT_ENCODING) != 0, cases[i].encoded != NULL);
		if (cases[i].becomes != NULL)
			check_slice(out->content_type, cases[i].becomes);
		release_run(&run);
		core_transform_free(core);
	}
}
END_TEST

/* ---- messages ---- */

START_TEST(an_output_that_is_a_message_replaces_what_it_names)
{
	struct run run;
	transform_message(&run,
	    "{exchange: \"mail\", properties: {type: \"sent\", headers: {n: 1}}, body: {a: .}}",
	    "7");
	const struct message *m = run.results[0];
	check_slice(m->exchange, "mail");
	check_slice(m->routing_key, "said");
	check_slice(m->body, "{\"a\":7}");
	check_slice(m->type, "sent");
	check_slice(m->message_id, "one");
	check_slice(m->content_type, "application/json");
	ck_assert_ptr_null(table_find_string(m->headers, "from").ptr);
	release_run(&run);
}
END_TEST

START_TEST(a_message_without_exchange_and_body_keeps_its_body_and_has_no_exchange)
{
	struct run run;
	transform_message(
	    &run, "{routing_key: \"a\"}, {body: \"text\"}, {body_base64: \"/w==\"}", "[1, 2]");
	ck_assert_uint_eq(run.passed, 3);
	check_slice(run.results[0]->exchange, "");
	check_slice(run.results[0]->routing_key, "a");
	check_slice(run.results[0]->body, "[1, 2]");
	check_slice(run.results[0]->content_type, "application/json");
	check_slice(run.results[1]->body, "text");
	check_slice(run.results[1]->content_type, "text/plain");
	check_slice(run.results[2]->body, "\xff");
	release_run(&run);
}
END_TEST

START_TEST(what_is_no_message_sends_nothing)
{
	struct run run;
	transform_message(&run, "{body: 1}, 2", "1");
	ck_assert_int_eq(run.fates[0], FLOW_REJECTED);
	ck_assert_uint_eq(run.passed, 0);
	ck_assert_ptr_nonnull(
	    strstr(run.reasons[0], "the jq program has an output that is no message: "));
	release_run(&run);
	transform_message(&run, "{body: 1}, {body: 2, properties: {message_id: \"two\"}}", "1");
	check_rejected(&run, "the jq program sets message_id, which is made of the cause's");
	transform_message(&run, "{body: 2, properties: $properties}", "1");
	ck_assert_uint_eq(run.passed, 1);
	release_run(&run);
}
END_TEST

START_TEST(a_program_that_does_not_compile_is_refused_with_the_words_of_jq)
{
	struct error err = {0};
	ck_assert_ptr_null(
	    core_transform_create(&(struct core_transform_options){.expression = ".a |"}, &err));
	ck_assert_int_eq(err.kind, ERROR_USAGE);
	ck_assert_ptr_nonnull(strstr(err.text, "cannot compile the jq expression '.a |': "));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core_transform");
	TCase *cases = tcase_create("core_transform");
	tcase_set_timeout(cases, 60);
	suite_add_tcase(suite, cases);
	tcase_add_test(cases, one_output_is_the_body_of_the_message);
	tcase_add_test(cases, each_of_many_outputs_is_a_message_with_a_number_of_its_own);
	tcase_add_test(cases, no_output_drops_the_message_which_is_accepted);
	tcase_add_test(cases, a_program_that_fails_half_way_sends_nothing);
	tcase_add_test(cases, an_output_that_is_no_json_sends_nothing);
	tcase_add_test(cases, too_many_outputs_and_too_large_ones_send_nothing);
	tcase_add_test(cases, one_answer_is_wanted_where_it_is_said);
	tcase_add_test(cases, what_is_said_of_the_body_follows_it);
	tcase_add_test(cases, an_output_that_is_a_message_replaces_what_it_names);
	tcase_add_test(
	    cases, a_message_without_exchange_and_body_keeps_its_body_and_has_no_exchange);
	tcase_add_test(cases, what_is_no_message_sends_nothing);
	tcase_add_test(cases, a_program_that_does_not_compile_is_refused_with_the_words_of_jq);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
