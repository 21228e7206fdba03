#include "model/envelope.h"
#include "base/chrono.h"
#include "base/mem.h"
#include "model/record.h"
#include "model/table.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const mode_names[] = {
    [ENVELOPE_NONE] = "none", [ENVELOPE_BINARY] = "binary", [ENVELOPE_STRUCTURED] = "structured"};

static void set_text(json_t *object, const char *key, struct slice text)
{
	if (text.ptr != NULL)
		json_object_set_new(object, key, json_stringn_nocheck(text.ptr, text.len));
}

static json_t *describe(const struct envelope *e)
{
	json_t *said = json_pack("{s:s}", "mode", mode_names[e->mode]);
	set_text(said, "id", e->id);
	set_text(said, "source", e->source);
	set_text(said, "type", e->type);
	set_text(said, "subject", e->subject);
	set_text(said, "time", e->time);
	set_text(said, "datacontenttype", e->datacontenttype);
	set_text(said, "dataschema", e->dataschema);
	set_text(said, "data", e->data);
	return said;
}

static void check_case(const char *line)
{
	json_error_t where;
	struct message m;
	struct envelope e;
	struct buf store = {0}, scratch = {0};
	struct error err = {0};
	json_t *row = json_loads(line, JSON_REJECT_DUPLICATES, &where);
	ck_assert_msg(row != NULL, "%s: %s", where.text, line);
	const char *name = json_string_value(json_object_get(row, "name"));
	char *record = json_dumps(json_object_get(row, "message"), JSON_COMPACT);
	ck_assert_msg(record_read(slice_str(record), &m, &store, &err), "%s: %s", name, err.text);
	buf_append_str(&scratch, "what was there before");
	envelope_read(&m, &scratch, &e);
	json_t *said = describe(&e);
	char *shown = json_dumps(said, 0);
	ck_assert_msg(json_equal(said, json_object_get(row, "envelope")), "%s: %s", name, shown);
	free(shown);
	free(record);
	json_decref(said);
	json_decref(row);
	buf_release(&store);
	buf_release(&scratch);
}

static const char *const files[] = {"binary", "structured", "no-event"};

START_TEST(a_message_says_what_the_case_says)
{
	char *path = mem_printf("tests/cases/envelope/%s.jsonl", files[_i]);
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t capacity = 0, count = 0;
	ck_assert_msg(file != NULL, "%s", path);
	for (; getline(&line, &capacity, file) > 0; count++)
		check_case(line);
	ck_assert_uint_gt(count, 10);
	fclose(file);
	free(line);
	free(path);
}
END_TEST

static struct buf make_headers(struct slice prefix)
{
	static const char *const rows[][2] = {
	    {"specversion", "1.0"}, {"id", "1"}, {"source", "/s"}, {"type", "t"}};
	struct buf table = {0};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *key = mem_printf("%.*s%s", SLICE_ARGS(prefix), rows[i][0]);
		table_add_string(&table, key, slice_str(rows[i][1]));
		free(key);
	}
	return table;
}

START_TEST(a_table_cut_at_any_byte_is_no_event)
{
	struct buf table = make_headers(envelope_prefixes[0]), scratch = {0};
	for (size_t len = 0; len <= table.len; len++) {
		char *cut =
		    mem_strndup(table.ptr, len); /* so that a sanitizer sees a step beyond */
		struct message m = {.present = MESSAGE_HEADERS, .headers = {cut, len}};
		struct envelope e;
		envelope_read(&m, &scratch, &e);
		ck_assert_int_eq(e.mode, len == table.len ? ENVELOPE_BINARY : ENVELOPE_NONE);
		free(cut);
	}
	buf_release(&table);
	buf_release(&scratch);
}
END_TEST

START_TEST(a_body_cut_at_any_byte_is_no_event)
{
	static const char body[] = "{\"specversion\":\"1.0\",\"id\":\"\\u0031\",\"source\":\"/s\","
				   "\"type\":\"t\",\"data\":{\"a\":[1,-2.5e+3,true,null]}}";
	struct buf scratch = {0};
	for (size_t len = 0; len < sizeof body; len++) {
		char *cut = mem_alloc(len + 1, 1);
		memcpy(cut, body, len);
		struct message m = {.present = MESSAGE_CONTENT_TYPE,
		    .content_type = SLICE(ENVELOPE_CONTENT_TYPE),
		    .body = {cut, len}};
		struct envelope e;
		envelope_read(&m, &scratch, &e);
		ck_assert_int_eq(
		    e.mode, len == sizeof body - 1 ? ENVELOPE_STRUCTURED : ENVELOPE_NONE);
		free(cut);
	}
	buf_release(&scratch);
}
END_TEST

START_TEST(texts_stay_where_they_are_while_others_are_made)
{
	struct buf table = make_headers(SLICE("ce-")), scratch = {0};
	table_add_time(&table, "ce-time", 1700000000);
	table_add_int(&table, "ce-subject", -1);
	table_add_bool(&table, "ce-dataschema", true);
	struct message m = {.present = MESSAGE_HEADERS, .headers = buf_slice(&table)};
	struct envelope e;
	envelope_read(&m, &scratch, &e);
	ck_assert(slice_is(e.time, "2023-11-14T22:13:20.000Z"));
	ck_assert(slice_is(e.subject, "-1"));
	ck_assert(slice_is(e.dataschema, "true"));
	buf_release(&table);
	buf_release(&scratch);
}
END_TEST

START_TEST(headers_are_told_apart_by_their_prefix)
{
	static const struct {
		const char *header;
		size_t prefix;
	} rows[] = {{"cloudEvents_id", 0}, {"cloudEvents:id", 1}, {"ce-id", 2}, {"ce-", 3},
	    {"cloudEvents_", 3}, {"ce_id", 3}, {"CE-id", 3}, {"cloudevents_id", 3}, {"", 3},
	    {"c", 3}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(envelope_find_prefix(slice_str(rows[i].header)) == rows[i].prefix,
		    "%s", rows[i].header);
}
END_TEST

START_TEST(content_types_of_json_are_known)
{
	static const struct {
		const char *type;
		bool is_json;
	} rows[] = {{"application/json", true}, {"Text/JSON; charset=utf-8", true},
	    {"application/vnd.shop+json", true}, {"application/x+json ;a=b", true},
	    {"application/jsonl", false}, {"text/plain", false}, {"json", false}, {"", false},
	    {"text/plain; x=/json", false}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(envelope_is_json(slice_str(rows[i].type)) == rows[i].is_json, "%s",
		    rows[i].type);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("envelope");
	TCase *tests = tcase_create("envelope");
	tcase_add_loop_test(tests, a_message_says_what_the_case_says, 0, (int)ARRAY_LEN(files));
	tcase_add_test(tests, a_table_cut_at_any_byte_is_no_event);
	tcase_add_test(tests, a_body_cut_at_any_byte_is_no_event);
	tcase_add_test(tests, texts_stay_where_they_are_while_others_are_made);
	tcase_add_test(tests, headers_are_told_apart_by_their_prefix);
	tcase_add_test(tests, content_types_of_json_are_known);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
