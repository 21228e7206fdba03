#include "model/difference.h"

#include "base/mem.h"
#include "json_bench.h"
#include "model/definitions.h"

#include <check.h>
#include <stdlib.h>

static void refuse(void *ctx, const char *pointer, const char *text)
{
	(void)ctx;
	ck_abort_msg("%s: %s", pointer, text);
}

static void dump_value(const json_t *value, struct buf *out)
{
	char *text =
	    value != NULL ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : mem_strdup("none");
	for (char *c = text; *c != '\0'; c++)
		buf_append_char(out, *c == '"' ? '\'' : *c);
	free(text);
}

/* "~queue q x-max-length 5|6;" for each that is not equal */
static void dump(const struct difference *d, struct buf *out)
{
	static const char marks[] = "=+~-!.?";
	buf_append_str(out, "");
	for (size_t i = 0; i < d->item_count; i++) {
		const struct difference_item *item = &d->items[i];
		if (item->kind == DIFFERENCE_EQUAL)
			continue;
		buf_printf(out, "%c%s ", marks[item->kind], difference_object(item));
		if (item->binding != NULL)
			buf_printf(out, "%s>%s[%s]", item->binding->exchange,
			    item->binding->destination, item->binding->routing_key);
		else
			buf_append_str(out, difference_name(item));
		for (size_t k = 0; k < item->attribute_count; k++) {
			buf_printf(out, " %s ", item->attributes[k].name);
			dump_value(item->attributes[k].wanted, out);
			buf_append_char(out, '|');
			dump_value(item->attributes[k].found, out);
		}
		buf_append_char(out, ';');
	}
}

static void check(const char *settings, const char *found, const char *prefix, const char *expected)
{
	struct topology wanted, there;
	struct difference d;
	struct error err = {0};
	struct buf out = {0};
	json_t *a = read_json(settings), *b = read_json(found);
	ck_assert(topology_read(a, &wanted, refuse, NULL));
	ck_assert_msg(definitions_read(b, NULL, &there, &err), "%s", err.text);
	difference_find(&wanted, &there, prefix, &d);
	dump(&d, &out);
	ck_assert_str_eq(out.ptr, expected);
	size_t total = 0;
	for (size_t i = 0; i < DIFFERENCE_KIND_COUNT; i++)
		total += d.counts[i];
	ck_assert_uint_eq(total, d.item_count);
	difference_release(&d);
	topology_release(&wanted);
	topology_release(&there);
	buf_release(&out);
	json_decref(a);
	json_decref(b);
}

/* ---- whole topologies ---- */

#define SOURCE(to, kind, key)                                                 \
	"{'source': 'e', 'destination': '" to "', 'destination_type': '" kind \
	"', 'routing_key': '" key "', 'arguments': {}}"
#define FOUND_E "{'name': 'e', 'type': 'topic', 'durable': true, 'arguments': {}}"
#define FOUND_Q "{'name': 'q', 'durable': true, 'type': 'classic', 'arguments': {}}"

static const struct {
	const char *settings, *found, *prefix, *expected;
} wholes[] = {
    {"{}", "{}", NULL, ""},
    {"{'exchanges': {'e': {'type': 'topic'}}, 'queues': {'q': {}}, 'bindings': "
     "[{'exchange': 'e', 'queue': 'q', 'routing_key': 'k'}]}",
	"{}", NULL, "+exchange e;+queue q;+binding e>q[k];"},
    {"{'exchanges': {'e': {'type': 'topic'}}, 'queues': {'q': {}}, 'bindings': "
     "[{'exchange': 'e', 'queue': 'q', 'routing_key': 'k'}]}",
	"{'exchanges': [" FOUND_E "], 'queues': [" FOUND_Q
	"], 'bindings': [" SOURCE("q", "queue", "k") "]}",
	NULL, ""},
    /* a binding is another one with another key, kind or destination */
    {"{'exchanges': {'e': {'type': 'topic'}, 'q': {}}, 'queues': {'q': {}}, 'bindings': "
     "[{'exchange': 'e', 'queue': 'q', 'routing_key': 'k'}]}",
	"{'exchanges': [" FOUND_E ", {'name': 'q', 'type': 'direct'}], 'queues': [" FOUND_Q
	"], 'bindings': [" SOURCE("q", "exchange", "k") ", " SOURCE("q", "queue", "l") "]}",
	NULL, "+binding e>q[k];-binding e>q[k];-binding e>q[l];"},
    /* what is not declared is nobody's business, but for our own and the prefix */
    {"{'queues': {'q': {}}}",
	"{'exchanges': [" FOUND_E ", {'name': 'app.x', 'type': 'direct'}], 'queues': [" FOUND_Q
	", {'name': 'r'}, {'name': 'app.r'}, {'name': 'app.mine', 'exclusive': true}, "
	"{'name': 'q.retry.1s'}, {'name': 'q.retry.soon'}, {'name': 'q.parked'}, "
	"{'name': 'r.parked'}]}",
	NULL, "-queue q.retry.1s;-queue q.parked;"},
    {"{'queues': {'q': {}}}",
	"{'exchanges': [" FOUND_E ", {'name': 'app.x', 'type': 'direct'}, "
	"{'name': 'amq.own', 'type': 'direct'}], 'queues': [" FOUND_Q
	", {'name': 'app.r'}, {'name': 'r'}]}",
	"app.", "-exchange app.x;-queue app.r;"},
    {"{'queues': {'q': {}}}",
	"{'exchanges': [" FOUND_E ", {'name': 'amq.own', 'type': 'direct'}], 'queues': [" FOUND_Q
	", {'name': 'r'}]}",
	"", "-exchange e;-queue r;"},
    {"{'queues': {'q': {}}}",
	"{'exchanges': [{'name': 'q.migration', 'type': 'fanout'}, "
	"{'name': 'q.migration.away', 'type': 'fanout'}], 'queues': [" FOUND_Q
	", {'name': 'q.migration'}]}",
	NULL, "-exchange q.migration;-exchange q.migration.away;-queue q.migration;"},
    /* a binding at one of our ends; not of a queue that goes with its connection */
    {"{'queues': {'q': {}}}",
	"{'exchanges': [" FOUND_E "], 'queues': [" FOUND_Q ", {'name': 'r'}], 'bindings': [" SOURCE(
	    "q", "queue", "k") ", " SOURCE("r", "queue", "k") "]}",
	NULL, "-binding e>q[k];"},
    {"{'exchanges': {'e': {'type': 'topic'}}}",
	"{'exchanges': [" FOUND_E "], 'queues': [{'name': 'r'}, {'name': 'x', 'exclusive': true}],"
	" 'bindings': [" SOURCE("r", "queue", "k") ", " SOURCE("x", "queue", "k") "]}",
	NULL, "-binding e>r[k];"},
    /* declared: false is only looked for; exclusive is left to its consumer */
    {"{'exchanges': {'e': {'declared': false}, 'f': {'declared': false}, "
     "'amq.topic': {'declared': false}}, 'queues': {'q': {'declared': false, 'type': 'quorum'}}}",
	"{'exchanges': [" FOUND_E "], 'queues': [" FOUND_Q "]}", NULL, "!exchange f;"},
    {"{'exchanges': {'e': {}}, 'queues': {'q': {'exclusive': true}}, 'bindings': "
     "[{'exchange': 'e', 'queue': 'q'}]}",
	"{}", NULL, "+exchange e;.queue q;.binding e>q[];"},
    {"{'queues': {'q': {'exclusive': true}}}", "{'queues': [" FOUND_Q "]}", NULL,
	"~queue q exclusive true|false;"},
    /* every attribute by name */
    {"{'exchanges': {'e': {'type': 'direct', 'durable': false, 'auto_delete': true, "
     "'internal': true, 'alternate': 'f'}, 'f': {}}}",
	"{'exchanges': [{'name': 'e', 'type': 'topic', 'arguments': {'x-own': 1}}, "
	"{'name': 'f', 'type': 'direct'}]}",
	NULL,
	"~exchange e type 'direct'|'topic' durable false|true auto_delete true|false "
	"internal true|false alternate-exchange 'f'|none x-own none|1;"},
    {"{'queues': {'q': {'type': 'quorum', 'max_length': 5}}}",
	"{'queues': [{'name': 'q', 'type': 'classic', 'durable': false, 'auto_delete': true, "
	"'exclusive': true, 'arguments': {'x-max-length': 6, 'x-expires': 7}}]}",
	NULL,
	"~queue q type 'quorum'|'classic' durable true|false exclusive false|true "
	"auto_delete false|true x-max-length 5|6 x-expires none|7;"},
};

START_TEST(topologies_are_compared_object_by_object)
{
	check(wholes[_i].settings, wholes[_i].found, wholes[_i].prefix, wholes[_i].expected);
}
END_TEST

/* ---- values ---- */

static const struct {
	const char *wanted, *shown; /* in the settings, by the HTTP API */
	bool same;
} values[] = {
    {"5", "5", true},
    {"5", "6", false},
    {"5", "5.0", true},
    {"5.0", "5", true},
    {"5.5", "5.5", true},
    {"5.5", "5", false},
    {"9007199254740993", "9007199254740992", false}, /* not as doubles */
    {"5", "'5'", false},
    {"true", "true", true},
    {"true", "false", false},
    {"true", "1", false},
    {"'a'", "'a'", true},
    {"'a'", "'A'", false},
    {"[1, 'a', 2.0]", "[1, 'a', 2]", true},
    {"[1, 2]", "[2, 1]", false},
    {"[1]", "[1, 2]", false},
    {"{'a': 1, 'b': {'c': 2.0}}", "{'b': {'c': 2}, 'a': 1}", true},
    {"{'a': 1}", "{'a': 1, 'b': 2}", false},
    {"{'a': 1, 'b': 2}", "{'a': 1}", false},
    {"{'a': 1}", "{'b': 1}", false},
    {"{'$type': 'int32', 'value': 5}", "5", true},
    {"{'$type': 'int8', 'value': -5}", "-5", true},
    {"{'$type': 'float', 'value': 1.5}", "1.5", true},
    {"{'$type': 'timestamp', 'value': 1700000000}", "1700000000", true},
    {"{'$type': 'timestamp', 'value': 1700000000}", "1700000001", false},
    {"{'$type': 'uint64', 'value': '18446744073709551615'}", "-1", true},
    {"{'$type': 'bool', 'value': 2}", "true", true},
    {"{'$type': 'decimal', 'scale': 2, 'value': 1234}", "2.1234", true},
    {"{'$type': 'decimal', 'scale': 3, 'value': 1234}", "2.1234", false},
    {"{'$type': 'bytes', 'value': '//79'}", "'Not UTF-8, base64 is: //79'", true},
    {"{'$type': 'string', 'value': '//79'}", "'Not UTF-8, base64 is: //78'", false},
    {"{'$type': 'bytes', 'value': 'YWI='}", "'ab'", true},
    {"{'$type': 'bytes', 'value': ''}", "''", true},
    {"{'$type': 'table', 'entries': [['a', 1], ['b', {'$type': 'int8', 'value': 2}]]}",
	"{'a': 1, 'b': 2}", true},
    {"[{'$type': 'int16', 'value': 5}]", "[5]", true},
};

START_TEST(values_are_equal_when_they_look_the_same_to_the_api)
{
	char *settings =
	    mem_printf("{'queues': {'q': {'arguments': {'own': %s}}}}", values[_i].wanted);
	char *found =
	    mem_printf("{'queues': [{'name': 'q', 'arguments': {'own': %s}}]}", values[_i].shown);
	struct buf wanted = {0}, shown = {0};
	json_t *a = read_json(values[_i].wanted), *b = read_json(values[_i].shown);
	dump_value(a, &wanted);
	dump_value(b, &shown);
	char *expected = values[_i].same ? mem_strdup("")
					 : mem_printf("~queue q own %s|%s;", wanted.ptr, shown.ptr);
	check(settings, found, NULL, expected);
	json_decref(a);
	json_decref(b);
	buf_release(&wanted);
	buf_release(&shown);
	free(expected);
	free(found);
	free(settings);
}
END_TEST

START_TEST(null_is_undefined_in_the_arguments_of_a_binding)
{
	static const char settings[] =
	    "{'exchanges': {'e': {'type': 'headers'}}, 'queues': {'q': {}}, 'bindings': "
	    "[{'exchange': 'e', 'queue': 'q', 'headers': {'a': null, 'n': 1}}]}";
	static const char *const words[] = {"undefined", "other"};
	static const char *const expected[] = {"", "+binding e>q[];-binding e>q[];"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		char *text = mem_printf(
		    "{'exchanges': [{'name': 'e', 'type': 'headers'}], 'queues': [" FOUND_Q
		    "], 'bindings': [{'source': 'e', 'destination': 'q', 'destination_type': "
		    "'queue', "
		    "'routing_key': '', 'arguments': {'x-match': 'all', 'a': '%s', 'n': 1.0}}]}",
		    words[i]);
		check(settings, text, NULL, expected[i]);
		free(text);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("difference");
	TCase *tc = tcase_create("difference");
	tcase_add_loop_test(
	    tc, topologies_are_compared_object_by_object, 0, (int)ARRAY_LEN(wholes));
	tcase_add_loop_test(
	    tc, values_are_equal_when_they_look_the_same_to_the_api, 0, (int)ARRAY_LEN(values));
	tcase_add_test(tc, null_is_undefined_in_the_arguments_of_a_binding);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
