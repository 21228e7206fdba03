#include "flow/core_address.h"

#include "base/mem.h"
#include "flow/core_switch.h"
#include "model/marks.h"
#include "model/table.h"
#include "slice_bench.h"

#include <check.h>
#include <stdlib.h>

static struct core_address *must_create(const struct core_address_options *options)
{
	struct error err = {0};
	struct core_address *core = core_address_create(options, &err);
	ck_assert_msg(core != NULL, "%s", err.text);
	return core;
}

/* The core needs no flow. */
static enum flow_answer apply(struct core_address *core, const struct message *m,
    struct message *out, struct flow_verdict *verdict)
{
	const struct flow_core c = core_address_core(core);
	const struct flow_message fm = {.message = m};
	*out = *m;
	return c.kind->apply(c.self, NULL, 0, &fm, out, verdict);
}

#define BODY "{\"a\":{\"b\":7},\"c.d\":\"x\",\"e\":true,\"f\":[1],\"g\":1.5}"

static const struct message plain = {
    .exchange = {"from", 4}, .routing_key = {"key", 3}, .body = {BODY, sizeof BODY - 1}};

/* The routing key that the template gives, or why there is none. */
static void check_key(const char *template, const char *key, const char *why)
{
	struct core_address *core =
	    must_create(&(struct core_address_options){.routing_key = template});
	struct flow_verdict verdict = {.reason = ""};
	struct message out;
	enum flow_answer answer = apply(core, &plain, &out, &verdict);
	if (key != NULL) {
		ck_assert_int_eq(answer, FLOW_PASS);
		check_slice(out.routing_key, key);
	} else {
		ck_assert_int_eq(answer, FLOW_SETTLE);
		ck_assert_int_eq(verdict.fate, FLOW_REJECTED);
		ck_assert_str_eq(verdict.reason, why);
	}
	core_address_free(core);
}

START_TEST(a_routing_key_is_made_of_members_of_the_body)
{
	check_key("fixed", "fixed", NULL);
	check_key("", "", NULL);
	check_key("a.{{a.b}}.{{ c.d }}.{{e}}!", "a.7.x.true!", NULL);
	check_key("{{x}}", NULL, "the routing key wants member 'x' of the body, which has none");
	check_key(
	    "{{a.x}}", NULL, "the routing key wants member 'a.x' of the body, which has none");
	check_key("{{f}}", NULL,
	    "the routing key wants member 'f' of the body, which is no text, whole number or "
	    "boolean there");
	check_key("{{g}}", NULL,
	    "the routing key wants member 'g' of the body, which is no text, whole number or "
	    "boolean there");
}
END_TEST

START_TEST(a_body_that_is_no_object_has_no_members)
{
	struct core_address *core =
	    must_create(&(struct core_address_options){.routing_key = "{{a}}"});
	struct message m = plain, out;
	struct flow_verdict verdict = {.reason = ""};
	m.body = SLICE("\xff");
	ck_assert_int_eq(apply(core, &m, &out, &verdict), FLOW_SETTLE);
	ck_assert_str_eq(verdict.reason,
	    "the routing key wants member 'a' of the body, which is no JSON object");
	core_address_free(core);
}
END_TEST

START_TEST(a_key_that_is_too_long_is_rejected)
{
	struct core_address *core =
	    must_create(&(struct core_address_options){.routing_key = "{{a}}"});
	struct buf body = {0};
	buf_append_str(&body, "{\"a\":\"");
	for (size_t i = 0; i < 256; i++)
		buf_append_char(&body, 'x');
	buf_append_str(&body, "\"}");
	struct message m = {.body = buf_slice(&body)}, out;
	struct flow_verdict verdict = {.reason = ""};
	ck_assert_int_eq(apply(core, &m, &out, &verdict), FLOW_SETTLE);
	ck_assert_str_eq(verdict.reason, "the routing key is longer than 255 bytes");
	core_address_free(core);
	buf_release(&body);
}
END_TEST

START_TEST(a_template_that_is_wrong_is_refused)
{
	static const char *const wrong[][2] = {
	    {"a.{{b", "a {{ that no }} ends"},
	    {"{{}}", "{{}} names no member"},
	    {"{{ }}", "{{}} names no member"},
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct error err = {0};
		ck_assert(!core_address_check(wrong[i][0], &err));
		ck_assert_str_eq(err.text, wrong[i][1]);
	}
}
END_TEST

START_TEST(the_exchange_is_the_relays_unless_the_message_names_one)
{
	struct core_address *always = must_create(&(struct core_address_options){.exchange = "to"}),
			    *kept = must_create(&(struct core_address_options){
				.exchange = "to", .keeps_exchange = true}),
			    *none = must_create(&(struct core_address_options){.exchange = NULL});
	struct message m = plain, out;
	struct flow_verdict verdict;
	(void)apply(always, &m, &out, &verdict);
	check_slice(out.exchange, "to");
	check_slice(out.routing_key, "key");
	(void)apply(kept, &m, &out, &verdict);
	check_slice(out.exchange, "from");
	m.exchange = SLICE("");
	(void)apply(kept, &m, &out, &verdict);
	check_slice(out.exchange, "to");
	(void)apply(none, &m, &out, &verdict);
	check_slice(out.exchange, "");
	core_address_free(always);
	core_address_free(kept);
	core_address_free(none);
}
END_TEST

START_TEST(what_passes_by_stays_what_it_is_but_for_marks)
{
	struct buf headers = {0};
	table_add_int(&headers, "n", 1);
	table_add_string(&headers, "BCC", SLICE("q"));
	table_add_int(&headers, MARKS_ATTEMPTS, 1);
	struct core_address *core = must_create(&(struct core_address_options){.user = "guest"});
	struct message m = plain, out;
	struct flow_verdict verdict;
	m.present = MESSAGE_HEADERS | MESSAGE_MESSAGE_ID | MESSAGE_USER_ID;
	m.message_id = SLICE("one");
	m.user_id = SLICE("ada");
	m.headers = buf_slice(&headers);
	(void)apply(core, &m, &out, &verdict);
	check_slice(out.message_id, "one");
	ck_assert_uint_eq(out.present, MESSAGE_HEADERS | MESSAGE_MESSAGE_ID);
	ck_assert(marks_has(out.headers, "n"));
	ck_assert(!marks_has(out.headers, "BCC"));
	ck_assert(!marks_has(out.headers, MARKS_ATTEMPTS));
	core_address_free(core);
	buf_release(&headers);
}
END_TEST

START_TEST(what_was_made_has_an_identity_and_the_headers_of_the_relay)
{
	json_t *more = json_pack("{s:s, s:i, s:b}", "team", "a", "level", 2, "good", 0);
	struct core_address *core = must_create(
	    &(struct core_address_options){.by = "relay/x", .type = "made", .headers = more});
	struct message m = plain, out;
	struct flow_verdict verdict;
	m.present = MESSAGE_MESSAGE_ID;
	m.message_id = SLICE("one");
	(void)apply(core, &m, &out, &verdict);
	ck_assert(!slice_is(out.message_id, "one"));
	check_slice(out.type, "made");
	check_slice(table_find_string(out.headers, MARKS_CAUSE), "one");
	check_slice(table_find_string(out.headers, "team"), "a");
	ck_assert_uint_eq(marks_count(out.headers, "level"), 2);
	ck_assert(marks_has(out.headers, "good"));
	core_address_free(core);
	json_decref(more);
}
END_TEST

/* ---- by type ---- */

START_TEST(a_type_that_nobody_handles_is_rejected_or_dropped)
{
	static const char *const types[] = {"a", "b"};
	struct core_switch_options options = {.types = types, .type_count = 2, .first_route = 1};
	const struct message named = {.present = MESSAGE_TYPE, .type = SLICE("c\n")},
			     nameless = {0};
	struct message out;
	struct flow_verdict verdict = {.reason = ""};
	struct core_switch *rejects = core_switch_create(&options);
	options.unknown = CORE_SWITCH_DROP;
	struct core_switch *drops = core_switch_create(&options);
	const struct flow_core r = core_switch_core(rejects), d = core_switch_core(drops);
	const struct flow_message c = {.message = &named}, none = {.message = &nameless};
	ck_assert_int_eq(r.kind->apply(r.self, NULL, 0, &c, &out, &verdict), FLOW_SETTLE);
	ck_assert_int_eq(verdict.fate, FLOW_REJECTED);
	ck_assert_str_eq(verdict.reason, "nobody handles type 'c\\n'");
	ck_assert_int_eq(r.kind->apply(r.self, NULL, 0, &none, &out, &verdict), FLOW_SETTLE);
	ck_assert_str_eq(verdict.reason, "it has no type, and only types are handled");
	ck_assert_int_eq(d.kind->apply(d.self, NULL, 0, &c, &out, &verdict), FLOW_SPLIT);
	ck_assert_uint_eq(core_switch_dropped(drops), 1);
	core_switch_free(rejects);
	core_switch_free(drops);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core_address");
	TCase *cases = tcase_create("core_address");
	suite_add_tcase(suite, cases);
	tcase_add_test(cases, a_routing_key_is_made_of_members_of_the_body);
	tcase_add_test(cases, a_body_that_is_no_object_has_no_members);
	tcase_add_test(cases, a_key_that_is_too_long_is_rejected);
	tcase_add_test(cases, a_template_that_is_wrong_is_refused);
	tcase_add_test(cases, the_exchange_is_the_relays_unless_the_message_names_one);
	tcase_add_test(cases, what_passes_by_stays_what_it_is_but_for_marks);
	tcase_add_test(cases, what_was_made_has_an_identity_and_the_headers_of_the_relay);
	tcase_add_test(cases, a_type_that_nobody_handles_is_rejected_or_dropped);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
