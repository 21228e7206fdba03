#include "base/mem.h"
#include "model/definitions.h"

#include <check.h>
#include <stdlib.h>

static bool read_text(const char *text, const char *vhost, struct topology *out, struct error *err)
{
	json_t *definitions = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(definitions);
	bool good = definitions_read(definitions, vhost, out, err);
	json_decref(definitions);
	return good;
}

START_TEST(what_the_api_says_is_a_topology)
{
	struct topology t;
	struct error err = {0};
	ck_assert_msg(
	    read_text(
		"{\"exchanges\": [{\"name\": \"order\", \"vhost\": \"/\", \"type\": \"topic\", "
		"\"durable\": true, \"auto_delete\": false, \"internal\": true, \"arguments\": "
		"{\"alternate-exchange\": \"rest\"}, \"user_who_performed_action\": \"guest\"}],"
		"\"queues\": [{\"name\": \"jobs\", \"vhost\": \"/\", \"type\": \"quorum\", "
		"\"durable\": true, \"auto_delete\": false, \"exclusive\": false, \"arguments\": "
		"{\"x-queue-type\": \"quorum\", \"x-delivery-limit\": 5}, \"node\": \"a@b\"}],"
		"\"bindings\": [{\"source\": \"\", \"vhost\": \"/\", \"destination\": \"jobs\", "
		"\"destination_type\": \"queue\", \"routing_key\": \"jobs\", \"arguments\": {}, "
		"\"properties_key\": \"jobs\"}, {\"source\": \"order\", \"vhost\": \"/\", "
		"\"destination\": \"amq.fanout\", \"destination_type\": \"exchange\", "
		"\"routing_key\": \"#\", \"arguments\": {\"a\": 1}}]}",
		"/", &t, &err),
	    "%s", err.text);
	ck_assert_uint_eq(t.exchange_count, 1);
	ck_assert_str_eq(t.exchanges[0].name, "order");
	ck_assert_str_eq(t.exchanges[0].type, "topic");
	ck_assert(t.exchanges[0].durable && t.exchanges[0].internal && t.exchanges[0].declared);
	ck_assert(!t.exchanges[0].auto_delete);
	ck_assert_str_eq(
	    json_string_value(json_object_get(t.exchanges[0].arguments, "alternate-exchange")),
	    "rest");
	ck_assert_uint_eq(t.queue_count, 1);
	ck_assert_str_eq(t.queues[0].type, "quorum");
	ck_assert_uint_eq(json_object_size(t.queues[0].arguments), 2);
	ck_assert_uint_eq(t.binding_count, 1);
	ck_assert(t.bindings[0].to_exchange);
	ck_assert_str_eq(t.bindings[0].destination, "amq.fanout");
	ck_assert_str_eq(t.bindings[0].routing_key, "#");
	ck_assert_uint_eq(json_object_size(t.bindings[0].arguments), 1);
	topology_release(&t);
}
END_TEST

START_TEST(a_definitions_file_has_the_type_of_a_queue_among_its_arguments)
{
	struct topology t;
	struct error err = {0};
	ck_assert_msg(
	    read_text("{\"queues\": [{\"name\": \"a\", \"durable\": false, \"arguments\": "
		      "{\"x-queue-type\": \"stream\"}}, {\"name\": \"b\"}, "
		      "{\"name\": \"c\", \"arguments\": []}]}",
		"/", &t, &err),
	    "%s", err.text);
	ck_assert_uint_eq(t.queue_count, 3);
	ck_assert_str_eq(t.queues[0].type, "stream");
	ck_assert(!t.queues[0].durable);
	ck_assert_str_eq(t.queues[1].type, "classic");
	ck_assert(t.queues[1].durable);
	ck_assert_str_eq(
	    json_string_value(json_object_get(t.queues[1].arguments, "x-queue-type")), "classic");
	ck_assert_uint_eq(json_object_size(t.queues[2].arguments), 1);
	topology_release(&t);
}
END_TEST

START_TEST(what_the_broker_makes_itself_needs_no_words)
{
	struct topology t;
	struct error err = {0};
	ck_assert(read_text("{\"exchanges\": [{\"name\": \"\", \"type\": \"direct\"}, "
			    "{\"name\": \"amq.topic\", \"type\": \"topic\"}, "
			    "{\"name\": \"amq.rabbitmq.trace\", \"type\": \"topic\", "
			    "\"internal\": true}]}",
	    NULL, &t, &err));
	ck_assert_uint_eq(t.exchange_count, 1);
	ck_assert_str_eq(t.exchanges[0].name, "amq.rabbitmq.trace");
	ck_assert(!t.exchanges[0].declared);
	topology_release(&t);
}
END_TEST

START_TEST(another_vhost_is_passed_over)
{
	static const char text[] = "{\"queues\": [{\"name\": \"a\", \"vhost\": \"/\"}, "
				   "{\"name\": \"b\", \"vhost\": \"x\"}, {\"name\": \"c\"}]}";
	struct topology t;
	struct error err = {0};
	ck_assert(read_text(text, "x", &t, &err));
	ck_assert_uint_eq(t.queue_count, 2);
	ck_assert_str_eq(t.queues[0].name, "b");
	ck_assert_str_eq(t.queues[1].name, "c");
	topology_release(&t);
	ck_assert(read_text(text, NULL, &t, &err));
	ck_assert_uint_eq(t.queue_count, 3);
	topology_release(&t);
}
END_TEST

static const struct {
	const char *text, *error;
} faults[] = {
    {"{\"queues\": {}}", "queues: must be a list"},
    {"{\"queues\": [{\"name\": \"a\"}, 5]}", "queues.1: must be an object"},
    {"{\"queues\": [{\"durable\": true}]}", "queues.0: lacks 'name'"},
    {"{\"queues\": [{\"name\": \"a\", \"arguments\": [1]}]}",
	"queues.0.arguments: must be an object"},
    {"{\"bindings\": [{\"source\": \"a\", \"destination\": \"b\", \"routing_key\": \"\", "
     "\"destination_type\": \"quEue\"}]}",
	"bindings.0.destination_type: "},
};

START_TEST(a_fault_is_told_with_its_place)
{
	struct topology t;
	struct error err = {0};
	ck_assert(!read_text(faults[_i].text, "/", &t, &err));
	ck_assert_int_eq(err.kind, ERROR_DATA);
	ck_assert_ptr_eq(strstr(err.text, faults[_i].error), err.text);
	ck_assert_uint_eq(t.queue_count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("definitions");
	TCase *reading = tcase_create("reading");
	tcase_add_test(reading, what_the_api_says_is_a_topology);
	tcase_add_test(reading, a_definitions_file_has_the_type_of_a_queue_among_its_arguments);
	tcase_add_test(reading, what_the_broker_makes_itself_needs_no_words);
	tcase_add_test(reading, another_vhost_is_passed_over);
	tcase_add_loop_test(reading, a_fault_is_told_with_its_place, 0, (int)ARRAY_LEN(faults));
	suite_add_tcase(suite, reading);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
