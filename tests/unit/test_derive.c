#include "model/derive.h"

#include "base/mem.h"
#include "model/envelope.h"
#include "model/marks.h"
#include "model/table.h"
#include "slice_bench.h"

#include <check.h>
#include <stdlib.h>

/* Of all derivations here; each test is a process of its own. */
static struct derive_work work;

static struct message with_id(const char *id)
{
	return (struct message){
	    .present = MESSAGE_MESSAGE_ID, .message_id = slice_str(id), .body = SLICE("1")};
}

/* The id of what `by` makes of the message with this id. */
static void id_of(const char *id, const char *by, uint64_t part, char out[40])
{
	struct buf store = {0};
	struct message m = with_id(id);
	const struct derivation d = {.by = slice_str(by), .part = part};
	derive_message(&work, &m, &d, &store);
	ck_assert_uint_eq(m.message_id.len, 36);
	memcpy(out, m.message_id.ptr, 36);
	out[36] = '\0';
	buf_release(&store);
}

START_TEST(the_same_work_on_the_same_message_gives_the_same_id)
{
	char a[40], b[40];
	id_of("one", "relay/x", 0, a);
	id_of("one", "relay/x", 0, b);
	ck_assert_str_eq(a, b);
}
END_TEST

START_TEST(another_message_another_worker_and_another_part_give_other_ids)
{
	char ids[5][40];
	id_of("one", "relay/x", 0, ids[0]);
	id_of("two", "relay/x", 0, ids[1]);
	id_of("one", "relay/y", 0, ids[2]);
	id_of("one", "relay/x", 1, ids[3]);
	id_of("one", "relay/x", 2, ids[4]);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(ids[i], ids[j]);
}
END_TEST

START_TEST(an_id_is_a_uuid_of_version_8)
{
	char id[40];
	id_of("one", "relay/x", 0, id);
	for (size_t i = 0; i < 36; i++)
		ck_assert((i == 8 || i == 13 || i == 18 || i == 23)
			      ? id[i] == '-'
			      : strchr("0123456789abcdef", id[i]) != NULL);
	ck_assert_int_eq(id[14], '8');
	ck_assert_ptr_nonnull(strchr("89ab", id[19]));
}
END_TEST

START_TEST(cause_and_correlation_go_along_a_chain)
{
	struct buf first = {0}, second = {0};
	struct message m = with_id("one");
	const struct derivation d = {.by = SLICE("a")};
	char made[40];
	derive_message(&work, &m, &d, &first);
	check_slice(m.correlation_id, "one");
	check_slice(table_find_string(m.headers, MARKS_CAUSE), "one");
	snprintf(made, sizeof made, "%.*s", (int)m.message_id.len, m.message_id.ptr);
	derive_message(&work, &m, &d, &second);
	check_slice(m.correlation_id, "one");
	check_slice(table_find_string(m.headers, MARKS_CAUSE), made);
	buf_release(&first);
	buf_release(&second);
}
END_TEST

START_TEST(a_message_without_an_id_has_results_without_one)
{
	struct buf store = {0};
	struct message m = {
	    .body = SLICE("1"), .present = MESSAGE_CORRELATION_ID, .correlation_id = SLICE("c")};
	derive_message(&work, &m, &(struct derivation){.by = SLICE("a")}, &store);
	ck_assert_uint_eq(m.present, MESSAGE_CORRELATION_ID);
	check_slice(m.correlation_id, "c");
	buf_release(&store);
}
END_TEST

START_TEST(a_cloud_event_is_another_event_with_its_cause)
{
	struct buf headers = {0}, store = {0}, scratch = {0};
	struct envelope e;
	table_add_string(&headers, "cloudEvents_specversion", SLICE("1.0"));
	table_add_string(&headers, "cloudEvents_id", SLICE("e-1"));
	table_add_string(&headers, "cloudEvents_source", SLICE("/here"));
	table_add_string(&headers, "cloudEvents_type", SLICE("placed"));
	table_add_string(&headers, "traceparent", SLICE("00-1"));
	struct message m = {.present = MESSAGE_HEADERS | MESSAGE_MESSAGE_ID,
	    .headers = buf_slice(&headers),
	    .message_id = SLICE("m-1"),
	    .body = SLICE("1")};
	const struct derivation d = {.by = SLICE("a"),
	    .type = SLICE("paid"),
	    .source = SLICE("/there"),
	    .subject = SLICE("order/1")};
	derive_message(&work, &m, &d, &store);
	envelope_read(&m, &scratch, &e);
	ck_assert_int_eq(e.mode, ENVELOPE_BINARY);
	check_slice(e.type, "paid");
	check_slice(e.source, "/there");
	check_slice(e.subject, "order/1");
	ck_assert(slice_equal(e.id, m.message_id));
	check_slice(table_find_string(m.headers, "cloudEvents_correlationid"), "e-1");
	check_slice(table_find_string(m.headers, "cloudEvents_causationid"), "e-1");
	check_slice(table_find_string(m.headers, MARKS_CAUSE), "e-1");
	check_slice(table_find_string(m.headers, "traceparent"), "00-1");
	check_slice(m.type, "paid");
	buf_release(&headers);
	buf_release(&store);
	buf_release(&scratch);
}
END_TEST

START_TEST(what_was_written_on_the_way_is_left_behind)
{
	struct buf headers = {0}, store = {0};
	table_add_string(&headers, "mine", SLICE("1"));
	table_add_string(&headers, "x-first-death-queue", SLICE("q"));
	table_add_int(&headers, MARKS_ATTEMPTS, 3);
	table_add_string(&headers, "CC", SLICE("elsewhere"));
	struct message m = with_id("one");
	m.present |= MESSAGE_HEADERS | MESSAGE_USER_ID | MESSAGE_REPLY_TO;
	m.headers = buf_slice(&headers);
	m.user_id = SLICE("ada");
	m.reply_to = SLICE("back");
	derive_message(&work, &m, &(struct derivation){.by = SLICE("a"), .user = "guest"}, &store);
	check_slice(table_find_string(m.headers, "mine"), "1");
	ck_assert_ptr_null(table_find_string(m.headers, "x-first-death-queue").ptr);
	ck_assert(!marks_has(m.headers, MARKS_ATTEMPTS));
	ck_assert_ptr_null(table_find_string(m.headers, "CC").ptr);
	ck_assert_uint_eq(m.present & MESSAGE_USER_ID, 0);
	check_slice(m.reply_to, "back");
	buf_release(&headers);
	buf_release(&store);
}
END_TEST

START_TEST(the_user_of_the_connection_may_stay)
{
	struct buf store = {0};
	struct message m = with_id("one");
	m.present |= MESSAGE_USER_ID;
	m.user_id = SLICE("guest");
	derive_message(&work, &m, &(struct derivation){.by = SLICE("a"), .user = "guest"}, &store);
	check_slice(m.user_id, "guest");
	buf_release(&store);
}
END_TEST

START_TEST(long_texts_that_no_property_takes_stay_in_the_headers_alone)
{
	struct buf headers = {0}, store = {0}, id = {0};
	for (size_t i = 0; i < 1000; i++)
		buf_append_char(&id, 'x');
	table_add_string(&headers, "ce-specversion", SLICE("1.0"));
	table_add_string(&headers, "ce-id", buf_slice(&id));
	table_add_string(&headers, "ce-source", SLICE("/here"));
	table_add_string(&headers, "ce-type", SLICE("placed"));
	struct message m = {.present = MESSAGE_HEADERS, .headers = buf_slice(&headers)};
	for (size_t i = 0; i < 3; i++) {
		struct message again = m;
		derive_message(&work, &again, &(struct derivation){.by = SLICE("a")}, &store);
		ck_assert_uint_eq(again.present & MESSAGE_CORRELATION_ID, 0);
		ck_assert(slice_equal(
		    table_find_string(again.headers, "ce-causationid"), buf_slice(&id)));
		ck_assert(slice_equal(table_find_string(again.headers, "ce-id"), again.message_id));
	}
	buf_release(&headers);
	buf_release(&store);
	buf_release(&id);
}
END_TEST

static struct message event(const char *body)
{
	return (struct message){.present = MESSAGE_MESSAGE_ID | MESSAGE_CONTENT_TYPE,
	    .message_id = SLICE("1"),
	    .content_type = SLICE(ENVELOPE_CONTENT_TYPE),
	    .body = slice_str(body)};
}

START_TEST(a_structured_event_gets_its_identity_in_the_body)
{
	struct buf store = {0}, scratch = {0};
	struct envelope read;
	struct message m = event("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":"
				 "\"t\", \"data\":{\"n\":1.50}}");
	const struct derivation d = {.by = SLICE("a"), .part = 2, .type = SLICE("u\"v")};
	derive_message(&work, &m, &d, &store);
	envelope_read(&m, &scratch, &read);
	ck_assert_int_eq(read.mode, ENVELOPE_STRUCTURED);
	ck_assert(slice_equal(read.id, m.message_id));
	ck_assert_uint_eq(read.id.len, 36);
	check_slice(read.type, "u\"v");
	check_slice(read.source, "/s");
	check_slice(read.data, "{\"n\":1.50}"); /* byte for byte */
	const char *tail = "\"correlationid\":\"1\",\"causationid\":\"1\"}";
	ck_assert_uint_gt(m.body.len, strlen(tail));
	check_slice((struct slice){m.body.ptr + m.body.len - strlen(tail), strlen(tail)}, tail);
	buf_release(&store);
	buf_release(&scratch);
}
END_TEST

START_TEST(an_id_that_the_logic_gave_an_event_stays)
{
	struct buf store = {0};
	const char *body =
	    "{\"specversion\":\"1.0\",\"id\":\"mine\",\"source\":\"/s\",\"type\":\"t\"}";
	struct message m = event(body);
	derive_message(&work, &m, &(struct derivation){.by = SLICE("a")}, &store);
	check_slice(m.body, body);
	buf_release(&store);
}
END_TEST

START_TEST(what_is_an_event_no_more_does_not_say_so)
{
	struct buf store = {0};
	struct message m = event("{\"n\":1}");
	derive_message(&work, &m, &(struct derivation){.by = SLICE("a")}, &store);
	check_slice(m.content_type, "application/json");
	check_slice(m.body, "{\"n\":1}");
	buf_release(&store);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("derive");
	TCase *cases = tcase_create("derive");
	tcase_add_test(cases, a_structured_event_gets_its_identity_in_the_body);
	tcase_add_test(cases, an_id_that_the_logic_gave_an_event_stays);
	tcase_add_test(cases, what_is_an_event_no_more_does_not_say_so);
	suite_add_tcase(suite, cases);
	tcase_add_test(cases, the_same_work_on_the_same_message_gives_the_same_id);
	tcase_add_test(cases, another_message_another_worker_and_another_part_give_other_ids);
	tcase_add_test(cases, an_id_is_a_uuid_of_version_8);
	tcase_add_test(cases, cause_and_correlation_go_along_a_chain);
	tcase_add_test(cases, a_message_without_an_id_has_results_without_one);
	tcase_add_test(cases, a_cloud_event_is_another_event_with_its_cause);
	tcase_add_test(cases, what_was_written_on_the_way_is_left_behind);
	tcase_add_test(cases, the_user_of_the_connection_may_stay);
	tcase_add_test(cases, long_texts_that_no_property_takes_stay_in_the_headers_alone);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
