#include "model/definitions.h"

#include "base/mem.h"
#include "json_bench.h"

#include <check.h>
#include <stdlib.h>

static char *dump(const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	for (char *c = text; *c != '\0'; c++)
		if (*c == '"')
			*c = '\'';
	return text;
}

static void collect(void *ctx, const char *text)
{
	struct buf *notes = ctx;
	buf_append_str(notes, text);
	buf_append_char(notes, '\n');
}

static void abort_with(void *ctx, const char *pointer, const char *text)
{
	(void)ctx;
	ck_abort_msg("%s: %s", pointer, text);
}

static json_t *export(const json_t *settings, struct buf *notes)
{
	struct topology t;
	ck_assert(topology_read(settings, &t, abort_with, NULL));
	json_t *out = definitions_export(
	    &t, json_object_get(settings, "definitions"), "given", collect, notes);
	topology_release(&t);
	return out;
}

static void sort(json_t *document)
{
	static const char *const lists[] = {"exchanges", "queues", "bindings"};
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		json_t *list = json_object_get(document, lists[i]);
		for (size_t a = 0; a < json_array_size(list); a++)
			for (size_t b = a + 1; b < json_array_size(list); b++) {
				json_t *x = json_incref(json_array_get(list, a));
				json_t *y = json_incref(json_array_get(list, b));
				char *xs = json_dumps(x, JSON_SORT_KEYS);
				char *ys = json_dumps(y, JSON_SORT_KEYS);
				bool swap = strcmp(xs, ys) > 0;
				json_array_set_new(list, a, swap ? y : x);
				json_array_set_new(list, b, swap ? x : y);
				free(xs);
				free(ys);
			}
	}
}

#define Q(name, arguments)                                                                         \
	"{'name':'" name "','vhost':'/','durable':true,'auto_delete':false,'arguments':" arguments \
	"}"
#define E(name, type)                                                      \
	"{'name':'" name "','vhost':'/','type':'" type "','durable':true," \
	"'auto_delete':false,'internal':false,'arguments':{}}"
#define B(from, to, key, arguments)                                                           \
	"{'source':'" from "','vhost':'/','destination':'" to "','destination_type':'queue'," \
	"'routing_key':'" key "','arguments':" arguments "}"

/* A document, the settings it becomes, and what is noted; it always comes back. */
static const struct way {
	const char *document, *settings, *notes;
} ways[] = {
    {"{'vhosts':[{'name':'/'}],'queues':[],'exchanges':[],'bindings':[]}",
	"{'definitions':{'vhost':'/','others':{'vhosts':[{'name':'/'}]}}}", ""},
    {"{'vhosts':[{'name':'/'}],'queues':[" Q("a",
	 "{'x-queue-type':'quorum','x-message-ttl':60000,"
	 "'x-delivery-limit':-1,'x-overflow':'drop-head'}") "," Q("b",
	 "{'x-queue-type':'classic','x-expires':90061,'x-plugin':[1.0]}") "],"
									  "'exchanges':[],'"
									  "bindings':[]}",
	"{'queues':{'a':{'type':'quorum','message_ttl':'1m','overflow':'drop-head',"
	"'arguments':{'x-delivery-limit':-1}},"
	"'b':{'expires':'90061ms','arguments':{'x-plugin':[1.0]}}},"
	"'definitions':{'vhost':'/','others':{'vhosts':[{'name':'/'}]}}}",
	""},
    {"{'queues':[" Q("a", "{}") "," Q("b", "{'x-queue-type':'classic'}") "," Q("c",
	 "{'x-queue-"
	 "type':'stream'"
	 ",'x-max-age':'"
	 "7D'}") "," Q("d",
	 "{'x-queue-type':'stream','x-max-age':'1Y'}") "],"
						       "'vhosts':[{'name':'/"
						       "','tags':[]}],'exchanges':[" E(
							   "h", "headers") "," E("x",
							   "x-mine") "],"
								     "'bindings':[" B("h", "a", "",
									 "{'x-match':'any','n'"
									 ":1}") "," B("h", "a", "",
									 "{'n':1}") "," B("amq"
											  ".ma"
											  "tc"
											  "h",
									 "b", "k",
									 "{'x-match':'all'}") "]}",
	"{'exchanges':{'h':{'type':'headers'},'x':{'type':'x-mine'}},"
	"'queues':{'a':{},'b':{},'c':{'type':'stream','max_age':'7d'},"
	"'d':{'type':'stream','arguments':{'x-max-age':'1Y'}}},"
	"'bindings':[{'exchange':'h','queue':'a','match':'any','headers':{'n':1}},"
	"{'exchange':'h','queue':'a','arguments':{'n':1}},"
	"{'exchange':'amq.match','queue':'b','routing_key':'k','match':'all'}],"
	"'definitions':{'vhost':'/','untyped':['a'],"
	"'others':{'vhosts':[{'name':'/','tags':[]}]}}}",
	""},
    /* what the settings refuse, and what leans on it */
    {"{'vhosts':[{'name':'/'}],'queues':[" Q("amq.gen-1", "{}") "," Q(
	 "a", "{'x':{'$type':1}}") "," Q("a", "{}") "," Q("b",
	 "{'x-dead-letter-exchange':'gone'}") "," Q("c",
	 "{'x-dead-letter-exchange':'','x-dead-letter-routing-key':'b'}") "],"
									  "'exchanges':[" E("e",
									      "direct") "],"
											"'bindings'"
											":[" B("e",
											    "c",
											    "k",
											    "{}") "," B("e",
											    "e",
											    "k",
											    "{}") "]}",
	"{'exchanges':{'e':{}},'definitions':{'vhost':'/',"
	"'others':{'vhosts':[{'name':'/'}],'queues':[" Q("amq.gen-1", "{}") "," Q(
	    "a", "{'x':{'$type':1}}") "," Q("a", "{}") "," Q("b",
	    "{'x-dead-letter-exchange':'gone'}") "," Q("c",
	    "{'x-dead-letter-exchange':'','x-dead-letter-routing-key':'b'}") "],"
									     "'bindings':[" B("e",
										 "c", "k",
										 "{}") "," B("e",
										 "e", "k",
										 "{}") "]}}}",
	"queue 'a' stays under 'definitions': it is there twice\n"
	"queue 'amq.gen-1' stays under 'definitions': names that begin with 'amq.' are reserved; "
	"with declared: false one that the broker has may be used\n"
	"queue 'a' stays under 'definitions': unknown $type ''; accepted: uint8, decimal, int32, "
	"uint64, string, timestamp, int8, double, float, uint32, int64, int16, bool, uint16, "
	"bytes, "
	"table\n"
	"queue 'b' stays under 'definitions': exchange 'gone' is not declared\n"
	"binding of 'e' stays under 'definitions': queue 'e' is not declared; 'e' is an exchange\n"
	"... and 2 more\n"},
    /* of one vhost, which no object names */
    {"{'policies':[{'name':'p'}],'queues':[{'name':'q','durable':false,'auto_delete':true,"
     "'arguments':{'x-queue-type':'classic'}}],'exchanges':[],'bindings':[]}",
	"{'queues':{'q':{'durable':false,'auto_delete':true}},"
	"'definitions':{'form':'vhost','others':{'policies':[{'name':'p'}]}}}",
	""},
    /* other vhosts, and members that nobody knows */
    {"{'vhosts':[{'name':'/'},{'name':'o'}],'mine':{'a':[null]},'queues':[" Q(
	 "q", "{}") ","
		    "{'name':'q','vhost':'o','durable':true,'auto_delete':false,'arguments':{}}],"
		    "'exchanges':[{'name':'e','vhost':'/"
		    "','type':'direct','durable':true,'auto_delete':false,"
		    "'internal':false,'arguments':{},'why':'so'}],'bindings':[]}",
	"{'queues':{'q':{}},'definitions':{'vhost':'/','untyped':true,'others':"
	"{'vhosts':[{'name':'/'},{'name':'o'}],'mine':{'a':[null]},'queues':["
	"{'name':'q','vhost':'o','durable':true,'auto_delete':false,'arguments':{}}],"
	"'exchanges':[{'name':'e','vhost':'/','type':'direct','durable':true,'auto_delete':false,"
	"'internal':false,'arguments':{},'why':'so'}]}}}",
	"exchange 'e' stays under 'definitions': it holds what the settings cannot say\n"},
    /* a null where there should be a text */
    {"{'vhosts':[{'name':'/'}],'queues':[" Q("q",
	 "{}") "],'exchanges':[],'bindings':["
	       "{'source':'amq.topic','destination':'q','destination_type':null,'routing_key':'',"
	       "'vhost':'/','arguments':{}}]}",
	"{'queues':{'q':{}},'definitions':{'vhost':'/','untyped':true,'others':"
	"{'vhosts':[{'name':'/'}],'bindings':["
	"{'source':'amq.topic','destination':'q','destination_type':null,'routing_key':'',"
	"'vhost':'/','arguments':{}}]}}}",
	"binding of 'amq.topic' stays under 'definitions': it holds what the settings cannot "
	"say\n"},
};

START_TEST(definitions_become_settings_and_come_back)
{
	const struct way *way = &ways[_i];
	struct buf notes = {0}, more = {0};
	struct error err = {0};
	const struct definitions_import how = {.note = collect, .ctx = &notes};
	json_t *document = read_json(way->document);
	json_t *settings = definitions_import(document, &how, &err);
	ck_assert_msg(settings != NULL, "%s", err.text);
	char *got = dump(settings);
	ck_assert_str_eq(got, way->settings);
	ck_assert_str_eq(notes.len > 0 ? notes.ptr : "", way->notes);
	json_t *back = export(settings, &more);
	sort(back);
	sort(document);
	char *again = dump(back);
	ck_assert_msg(json_equal(back, document), "%s", again);
	free(again);
	free(got);
	json_decref(back);
	json_decref(settings);
	json_decref(document);
	buf_release(&notes);
	buf_release(&more);
}
END_TEST

#define USER "'users':[{'name':'u','password_hash':'h'}],'permissions':[{'user':'u'}],"

START_TEST(credentials_come_only_when_asked_for)
{
	static const char kept[] = "'parameters':[{'name':'b','value':{'uri':'amqp://u@h/a:b@c'}}]";
	json_t *document =
	    read_json("{'vhosts':[{'name':'/'}]," USER "'parameters':[{'name':'a','value':"
		      "{'src-uri':['amqp://h','amqp://u:p@h']}},"
		      "{'name':'c','value':{'uri':'amqps://h?keyfile=k&password=k3y'}},"
		      "{'name':'b','value':{'uri':'amqp://u@h/a:b@c'}}]}");
	for (int asked = 0; asked < 2; asked++) {
		struct buf notes = {0};
		struct error err = {0};
		const struct definitions_import how = {
		    .credentials = asked == 1, .note = collect, .ctx = &notes};
		json_t *settings = definitions_import(document, &how, &err);
		char *text = dump(settings);
		ck_assert_int_eq(strstr(text, "password_hash") != NULL, asked);
		ck_assert_int_eq(strstr(text, "permissions") != NULL, asked);
		ck_assert_int_eq(strstr(text, "u:p@") != NULL, asked);
		ck_assert_int_eq(strstr(text, "k3y") != NULL, asked);
		ck_assert_int_eq(strstr(text, kept) != NULL, !asked);
		ck_assert_str_eq(notes.len > 0 ? notes.ptr : "",
		    asked ? ""
			  : "left out: 1 user with permissions, 2 parameters with a password; "
			    "--credentials keeps them\n");
		free(text);
		json_decref(settings);
		buf_release(&notes);
	}
	json_decref(document);
}
END_TEST

START_TEST(permissions_without_users_are_told_too)
{
	json_t *document =
	    read_json("{'permissions':[{'user':'u'}],'topic_permissions':[{'user':'u'}]}");
	struct buf notes = {0};
	definitions_drop_credentials(document, collect, &notes);
	ck_assert_uint_eq(json_object_size(document), 0);
	ck_assert_str_eq(notes.len > 0 ? notes.ptr : "",
	    "left out: 2 permissions, 0 parameters with a password; --credentials keeps them\n");
	json_decref(document);
	buf_release(&notes);
}
END_TEST

static const struct fault {
	const char *document, *vhost, *text;
	enum error_kind kind;
} faults[] = {
    {"[{'queues': []}]", NULL, "not an object: no definitions", ERROR_DATA},
    {"{'queues': {}}", NULL, "queues: must be a list", ERROR_DATA},
    {"{'queues': [{'name': 'a'}, 5]}", NULL, "queues.1: must be an object", ERROR_DATA},
    {"{'queues': [{'name': 'a', 'arguments': 5}]}", NULL, "queues.0.arguments: must be an object",
	ERROR_DATA},
    {"{'exchanges': [{'name': 'a'}]}", NULL, "exchanges.0: lacks 'type'", ERROR_DATA},
    {"{'queues': [{'name': 'a', 'vhost': 'x'}, {'name': 'a', 'vhost': 'y'}]}", NULL,
	"there are several virtual hosts: 'x', 'y'; name one by --vhost", ERROR_USAGE},
    {"{'queues': [{'name': 'a', 'vhost': 'x'}]}", "z\n",
	"--vhost: there is no virtual host 'z\\n'; there is 'x'", ERROR_USAGE},
};

START_TEST(fault_is_told_with_its_place)
{
	struct error err = {0};
	const struct definitions_import how = {.vhost = faults[_i].vhost, .note = collect};
	json_t *document = read_json(faults[_i].document);
	ck_assert_ptr_null(definitions_import(document, &how, &err));
	ck_assert_str_eq(err.text, faults[_i].text);
	ck_assert_int_eq(err.kind, faults[_i].kind);
	json_decref(document);
}
END_TEST

START_TEST(export_leaves_out_what_has_no_place_and_says_so)
{
	struct buf notes = {0};
	json_t *settings = read_json(
	    "{'exchanges':{'e':{},'theirs':{'declared':false}},"
	    "'queues':{'q':{'arguments':{'a':{'$type':'uint8','value':5},"
	    "'t':{'$type':'timestamp','value':1}}},'mine':{'exclusive':true}},"
	    "'bindings':[{'exchange':'e','queue':'mine'},{'exchange':'theirs','queue':'q'}]}");
	json_t *out = export(settings, &notes);
	char *got = dump(out);
	ck_assert_str_eq(got,
	    "{'vhosts':[{'name':'given'}],'queues':[{'name':'q','durable':true,"
	    "'auto_delete':false,'arguments':{'x-queue-type':'classic','a':5},'vhost':'given'}],"
	    "'exchanges':[{'name':'e','type':'direct','durable':true,'auto_delete':false,"
	    "'internal':false,'arguments':{},'vhost':'given'}],'bindings':[{'source':'theirs',"
	    "'destination':'q','destination_type':'queue','routing_key':'','arguments':{},"
	    "'vhost':'given'}]}");
	ck_assert_str_eq(notes.ptr,
	    "queue 'q': its argument 't' is left out: definitions do not have its type\n"
	    "queue 'mine' is left out: it is exclusive, and ends with its connection\n");
	free(got);
	json_decref(out);
	json_decref(settings);
	buf_release(&notes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("definitions_import");
	TCase *tc = tcase_create("definitions_import");
	tcase_add_loop_test(tc, definitions_become_settings_and_come_back, 0, (int)ARRAY_LEN(ways));
	tcase_add_test(tc, credentials_come_only_when_asked_for);
	tcase_add_test(tc, permissions_without_users_are_told_too);
	tcase_add_loop_test(tc, fault_is_told_with_its_place, 0, (int)ARRAY_LEN(faults));
	tcase_add_test(tc, export_leaves_out_what_has_no_place_and_says_so);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
