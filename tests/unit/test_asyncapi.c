#include "app/asyncapi.h"

#include "app/asyncapi_logic.h"
#include "app/asyncapi_reader.h"
#include "base/mem.h"

#include <check.h>
#include <glob.h>
#include <stdlib.h>

#define CASES "tests/cases/asyncapi/"

/* Set once by main(), before any test runs. */
static glob_t files;
static json_t *schema_json;

static json_t *describe(const char *path)
{
	const struct settings_options options = {.source = path};
	struct settings settings;
	struct problems problems = {0};
	struct error err = {0};
	ck_assert_msg(
	    settings_load(&options, &settings, &problems, &err), "%s: %s", path, err.text);
	json_t *document = asyncapi_document(&settings, "a title", false);
	settings_release(&settings);
	problems_release(&problems);
	return document;
}

static void tell(void *ctx, const struct schema_finding *finding)
{
	buf_printf(ctx, "%s: %s\n", finding->instance, finding->text);
}

/* What a schema says against an instance; "" for nothing. */
static char *judge(const json_t *schema_root, const json_t *instance)
{
	struct error err = {0};
	struct buf faults = {0};
	struct schema *schema = schema_create(schema_root, SCHEMA_ASSERT_FORMAT, &err);
	ck_assert_msg(schema != NULL, "%s", err.text);
	bool good = schema_validate(schema, instance, tell, &faults, &err);
	ck_assert_msg(err.kind == ERROR_NONE, "%s", err.text);
	ck_assert_int_eq(good, faults.len == 0);
	schema_free(schema);
	buf_append_str(&faults, "");
	return buf_take(&faults);
}

/* The examples keep to the payload that stands beside them. */
static void check_examples(const json_t *document)
{
	const json_t *components = json_object_get(document, "components");
	json_t *message;
	const char *id;
	json_object_foreach(json_object_get(components, "messages"), id, message)
	{
		const json_t *example = json_array_get(json_object_get(message, "examples"), 0);
		const json_t *payload = json_object_get(message, "payload");
		if (json_object_get(payload, "schemaFormat") != NULL)
			payload = json_object_get(payload, "schema");
		if (example == NULL || payload == NULL) /* of files nobody knows the form */
			continue;
		char *faults = judge(payload, json_object_get(example, "payload"));
		ck_assert_msg(faults[0] == '\0', "%s: %s", id, faults);
		free(faults);
	}
}

START_TEST(document_keeps_to_the_schema_of_asyncapi)
{
	json_t *document = describe(files.gl_pathv[_i]);
	char *faults = judge(schema_json, document);
	ck_assert_msg(faults[0] == '\0', "%s:\n%s", files.gl_pathv[_i], faults);
	check_examples(document);
	free(faults);
	json_decref(document);
}
END_TEST

/* Schemas have references of their own, within them. */
static bool is_schema(const char *key)
{
	return strcmp(key, "payload") == 0 || strcmp(key, "headers") == 0 ||
	       strcmp(key, "x-warren-contract") == 0;
}

static void check_references(const json_t *root, json_t *json)
{
	const char *to = json_string_value(json_object_get(json, "$ref")), *key;
	json_t *value;
	size_t i;
	if (to != NULL)
		ck_assert_msg(to[0] == '#' && asyncapi_reader_find(root, to + 1) != NULL, "%s", to);
	json_object_foreach(json, key, value) if (!is_schema(key)) check_references(root, value);
	json_array_foreach(json, i, value) check_references(root, value);
}

static const json_t *follow(const json_t *root, const json_t *reference)
{
	return asyncapi_reader_find(
	    root, json_string_value(json_object_get(reference, "$ref")) + 1);
}

/* What stands under `messages` are some of those of the channel beside it. */
static void check_messages(const char *id, const json_t *has)
{
	const char *channel =
	    json_string_value(json_object_get(json_object_get(has, "channel"), "$ref"));
	char *place = mem_printf("%s/messages/", channel);
	json_t *message;
	size_t i;
	json_array_foreach(json_object_get(has, "messages"), i, message) ck_assert_msg(
	    strncmp(json_string_value(json_object_get(message, "$ref")), place, strlen(place)) == 0,
	    "%s", id);
	free(place);
}

/* What the specification says and its schema cannot. */
START_TEST(references_lead_to_what_they_say)
{
	json_t *document = describe(files.gl_pathv[_i]), *operation;
	const char *id;
	check_references(document, document);
	json_object_foreach(json_object_get(document, "operations"), id, operation)
	{
		const json_t *reply = json_object_get(operation, "reply");
		check_messages(id, operation);
		if (reply == NULL)
			continue;
		const json_t *channel = follow(document, json_object_get(reply, "channel"));
		check_messages(id, reply);
		ck_assert_msg(json_object_get(reply, "address") == NULL ||
				  json_is_null(json_object_get(channel, "address")),
		    "%s: its reply has two addresses", id);
	}
	json_decref(document);
}
END_TEST

static const struct fault {
	const char *object, *key; /* is damaged */
} damages[] = {
    {"servers.broker", "protocol"},
    {"operations.send-made", "action"},
    {"channels.mail.bindings.amqp", "is"},
    {"components.messages.made", "bindings"},
};

static json_t *find(json_t *json, const char *path)
{
	char *copy = mem_strdup(path), *rest = copy;
	for (char *key; json != NULL && (key = strsep(&rest, ".")) != NULL;)
		json = json_object_get(json, key);
	free(copy);
	return json;
}

START_TEST(schema_of_asyncapi_sees_damage)
{
	json_t *document = describe(CASES "everything.yaml");
	json_t *object = find(document, damages[_i].object);
	ck_assert_msg(json_object_get(object, damages[_i].key) != NULL, "%s", damages[_i].object);
	json_object_set_new(object, damages[_i].key, json_integer(5));
	char *faults = judge(schema_json, document);
	ck_assert_str_ne(faults, "");
	free(faults);
	json_decref(document);
}
END_TEST

static const struct fact {
	const char *path, *value;
} facts[] = {
    {"servers.broker", "{'host':'one.example:5672','pathname':'/shop','protocol':'amqp',"
		       "'protocolVersion':'0.9.1'}"},
    {"servers.broker-2", "{'host':'[::1]:5671','pathname':'/%2F','protocol':'amqps',"
			 "'protocolVersion':'0.9.1'}"},
    {"channels.order-placed.address", "'order.{kind}'"},
    {"channels.order-placed.parameters", "{'kind':{'location':'$message.payload#/kind'}}"},
    {"channels.order-placed.bindings.amqp.exchange",
	"{'name':'order','vhost':'shop','durable':true,'autoDelete':false,'type':'topic',"
	"'x-warren-arguments':{'alternate-exchange':'lost'}}"},
    {"channels.made.bindings.amqp.exchange",
	"{'name':'','vhost':'shop','durable':true,'autoDelete':false,'type':'default'}"},
    {"channels.made.x-warren-routing-key", "{'pattern':'##'}"},
    {"channels.braces.x-warren-routing-key", "'a}b'"},
    {"channels.a-b--c-.bindings.amqp.queue",
	"{'name':'a/b {c}','durable':true,'exclusive':true,'autoDelete':false,'vhost':'shop',"
	"'x-warren-arguments':{'x-queue-type':'classic'}}"},
    {"operations.send-order-placed.bindings.amqp",
	"{'deliveryMode':1,'expiration':60000,'priority':3,'timestamp':true,'userId':'guest',"
	"'bindingVersion':'0.3.0'}"},
    {"operations.receive-log.bindings.amqp", "{'ack':true,'bindingVersion':'0.3.0'}"},
    {"components.messages.of-regions",
	"{'name':'of regions','contentType':'text/plain','payload':{'type':'string'},"
	"'headers':{'type':'object','properties':{'region':{'const':'eu'}}},"
	"'bindings':{'amqp':{'contentEncoding':'identity','bindingVersion':'0.3.0'}},"
	"'x-warren-message':{'headers':{'region':'eu'},'body':'hello "
	"{{{{','properties':{'content_encoding':'identity'}}}"},
    {"components.messages.binary-event.headers.properties",
	"{'cloudEvents_specversion':{'const':'1.0'},'cloudEvents_id':{'type':'string'},"
	"'cloudEvents_source':{'const':'/bank'},'cloudEvents_time':{'type':'string','format':"
	"'date-time'},'cloudEvents_type':{'const':'deposited'},'cloudEvents_subject':{'type':"
	"'string','minLength':1},'cloudEvents_tenant':{'const':'acme'},'cloudEvents_nth':{'type':"
	"['string','integer','boolean']},'cloudEvents_traceparent':{'type':'string'},"
	"'traceparent':{'type':'string'}}"},
    {"components.messages.binary-event.bindings.amqp",
	"{'messageType':'deposited','bindingVersion':'0.3.0'}"},
    {"operations.send-binary-event.bindings.amqp",
	"{'deliveryMode':2,'timestamp':true,'bindingVersion':'0.3.0'}"},
    {"components.messages.whole-JSON.payload.properties.data", "{}"},
    {"channels.whole-JSON.parameters", "{'n':{'location':'$message.payload#/data/n'}}"},
    {"components.messages.whole-event.contentType", "'application/cloudevents+json'"},
    {"components.messages.whole-event.payload.properties",
	"{'specversion':{'const':'1.0'},'id':{'type':'string'},'source':{'type':'string'},"
	"'time':{'type':'string','format':'date-time'},'type':{'const':'deposited'},"
	"'subject':{'type':'string','minLength':1},'live':{'const':true},"
	"'datacontenttype':{'type':'string'},'data':{'type':'object','properties':{'account':"
	"{'enum':['a','b']},'note':{'type':'string'}},'required':['account','note']},"
	"'data_base64':{'type':'string'}}"},
};

static void check_fact(const char *file, const struct fact *fact)
{
	char *path = mem_printf("%s%s", CASES, file);
	json_t *document = describe(path);
	char *value = json_dumps(find(document, fact->path), JSON_COMPACT | JSON_ENCODE_ANY);
	ck_assert_msg(value != NULL, "%s", fact->path);
	for (char *c = value; *c != '\0'; c++)
		*c = (char)(*c == '"' ? '\'' : *c);
	ck_assert_str_eq(value, fact->value);
	free(value);
	json_decref(document);
	free(path);
}

START_TEST(member_says_what_the_settings_say)
{
	check_fact("everything.yaml", &facts[_i]);
}
END_TEST

static const struct fact logic[] = {
    {"operations.responder-checks",
	"{'action':'receive','channel':{'$ref':'#/channels/asked'},'bindings':{'amqp':{'ack':true,"
	"'bindingVersion':'0.3.0'}},'reply':{'address':{'description':'The property reply_to of "
	"the request.','location':'$message.header#/replyTo'},'channel':{'$ref':'#/channels/"
	"replies-of-checks'},'messages':[{'$ref':'#/channels/replies-of-checks/messages/"
	"checks-reply'},{'$ref':'#/channels/replies-of-checks/messages/checks-error'}]},'title':"
	"'responder checks','description':'Each request passes the steps filter, jq, contract; "
	"what comes out is the reply. One that a step rejects is answered with the reason.',"
	"'x-warren-responder':'checks'}"},
    {"channels.replies-of-checks.address", "null"},
    {"channels.replies-of-echoes.messages",
	"{'echoes-reply':{'$ref':'#/components/messages/echoes-reply'}}"},
    {"operations.responder-strict.description",
	"'The request is the answer. One that breaks the contract is answered with the reason.'"},
    {"components.messages.checks-reply.payload.schema.required", "['part']"},
    {"components.messages.checks-error.headers.required", "['x-warren-error']"},
    {"channels.refused.messages", "{'refused':{'$ref':'#/components/messages/refused'}}"},
    {"components.messages.refused.payload.schema.required", "['part']"},
    {"operations.relay-many-receive-more.channel", "{'$ref':'#/channels/more'}"},
    {"operations.relay-many-receive-raw.description",
	"'Each message passes the steps filter, enrich, delay.'"},
    {"operations.relay-many-send.channel", "{'$ref':'#/channels/work'}"},
    {"channels.work.address", "'part.{kind}'"},
    {"components.messages.many-result.payload",
	"{'type':'object','properties':{'kind':{'type':['string','integer','boolean']}},"
	"'required':['kind']}"},
    {"components.messages.many-result.headers.properties",
	"{'x-warren-cause':{'type':'string'},'checked':{'const':true}}"},
    {"operations.relay-mover-send.messages", "[{'$ref':'#/channels/all/messages/part'}]"},
    {"operations.relay-types-receive-typed.description",
	"'Each message passes the step dedupe, then is handled by its event type: one, two; "
	"others are dropped.'"},
    {"operations.relay-types-send.description",
	"'What becomes of the messages behind the step dedupe, by their event type.'"},
    {"components.messages.types-result.bindings.amqp.messageType", "'one.done'"},
    {"operations.relay-types-send-two.description",
	"'What becomes of the messages of type two behind the step dedupe, then the steps jq, "
	"contract.'"},
    {"components.messages.types-two-result.payload.schema.required", "['part']"},
    {"operations.relay-saying-receive-raw.description",
	"'Each message passes the step jq. A step may say itself where a message goes.'"},
    {"operations.relay-stored-receive-raw.description",
	"'Each message passes the step jq. The results go to an event store.'"},
    {"operations.relay-kept-receive-raw.description",
	"'Each message passes as it is. The results go to a file.'"},
    {"operations.relay-shovel-send.description",
	"'What becomes of the messages of another broker behind the step exec.'"},
    {"operations.workflow-flow-start.channel", "{'$ref':'#/channels/begun'}"},
    {"operations.workflow-flow-request-ask.description",
	"'The request of step ask. It fails without a reply in 1.5m, 3 times.'"},
    {"operations.workflow-flow-request-ask.reply",
	"{'channel':{'$ref':'#/channels/answers'},'messages':[{'$ref':'#/channels/answers/"
	"messages/checks-reply'},{'$ref':'#/channels/answers/messages/checks-error'}]}"},
    {"operations.workflow-flow-request-start.reply", "{'channel':{'$ref':'#/channels/answers'}}"},
    {"operations.workflow-flow-compensate-ask.channel", "{'$ref':'#/channels/echoed-2'}"},
    {"operations.workflow-flow-completed.channel", "{'$ref':'#/channels/all'}"},
    {"channels.elsewhere.messages", "{'left':{'$ref':'#/components/messages/left'}}"},
    {"channels.done.messages",
	"{'types-result':{'$ref':'#/components/messages/types-result'},'types-two-result':"
	"{'$ref':'#/components/messages/types-two-result'},'shovel-result':{'$ref':"
	"'#/components/messages/shovel-result'}}"},
    {"operations.receive-told.channel", "{'$ref':'#/channels/told'}"},
    {"x-warren-sections.relays.shovel.from",
	"'amqp://far.example:5672/their amqps://[::1]:5671/%2F'"},
    {"x-warren-sections.relays.shovel.core", "[{'exec':['curl','https://***@far.example/']}]"},
};

START_TEST(logic_is_operations)
{
	check_fact("logic.yaml", &logic[_i]);
}
END_TEST

START_TEST(each_kind_of_step_has_its_name)
{
	json_t *schema = json_load_file("settings/warren.schema.json", 0, NULL), *unused;
	const char *kind;
	size_t count = 0;
	json_object_foreach(json_object_get(schema, "$defs"), kind, unused)
	{
		(void)unused;
		if (strncmp(kind, "core_", 5) != 0)
			continue;
		json_t *steps = json_pack("[{s:s}]", kind + 5, "");
		struct buf words = {0};
		char *expected = mem_printf("the step %s", kind + 5);
		asyncapi_logic_name_steps(steps, &words);
		ck_assert_str_eq(words.ptr, expected);
		free(expected);
		buf_release(&words);
		json_decref(steps);
		count++;
	}
	ck_assert_uint_ge(count, 7);
	json_decref(schema);
}
END_TEST

/* What logic takes nobody else receives, and what is another broker's or a file's has none. */
START_TEST(operation_that_nobody_has)
{
	static const char *const none[] = {"receive-asked", "receive-raw", "receive-parts",
	    "receive-begun", "receive-answers", "relay-stored-send", "relay-kept-send",
	    "relay-saying-send", "relay-shipped-send", "relay-shovel-receive-theirs",
	    "relay-types-send-one"};
	json_t *document = describe(CASES "logic.yaml");
	const json_t *operations = json_object_get(document, "operations");
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		ck_assert_msg(json_object_get(operations, none[i]) == NULL, "%s", none[i]);
	ck_assert_ptr_null(find(document, "operations.workflow-flow-compensate-ask.reply"));
	ck_assert_ptr_null(find(document, "components.messages.types-two-result.headers.not"));
	json_decref(document);
}
END_TEST

/* Over bindings, exchanges and alternates, by keys and headers that are made up for each message.
 */
START_TEST(queue_receives_the_messages_that_come_to_it)
{
	static const struct {
		const char *channel, *messages;
	} rows[] = {
	    {"mail", "order-placed same-way "},
	    {"log", "order-placed same-way "},
	    {"a-b--c-", "of-regions "},
	    {"a-b--c--2", "braces nowhere "},
	    {"mail.parked", ""},
	};
	json_t *document = describe(CASES "everything.yaml"), *unused;
	const char *id;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf ids = {0};
		json_t *channel =
		    json_object_get(json_object_get(document, "channels"), rows[i].channel);
		buf_append_str(&ids, "");
		json_object_foreach(json_object_get(channel, "messages"), id, unused)
		{
			(void)unused;
			buf_printf(&ids, "%s ", id);
		}
		ck_assert_str_eq(ids.ptr, rows[i].messages);
		buf_release(&ids);
	}
	json_decref(document);
}
END_TEST

START_TEST(no_password_and_the_same_each_time)
{
	json_t *document = describe(files.gl_pathv[_i]);
	json_t *again = describe(files.gl_pathv[_i]);
	char *text = json_dumps(document, 0);
	ck_assert_ptr_null(strstr(text, "secret"));
	ck_assert_ptr_null(strstr(text, "zoe"));
	ck_assert(json_equal(document, again));
	free(text);
	json_decref(document);
	json_decref(again);
}
END_TEST

START_TEST(a_contract_is_the_payload_in_one_piece)
{
	json_t *document = describe("settings/contracts.yaml");
	json_t *payload = find(document, "components.messages.order.payload");
	json_t *schema = json_object_get(payload, "schema");
	ck_assert_str_eq(json_string_value(json_object_get(payload, "schemaFormat")),
	    "application/schema+json;version=draft-2020-12");
	ck_assert_str_eq(json_string_value(json_object_get(schema, "$id")),
	    "urn:warren:contract:order.schema.json");
	json_t *order =
	    json_pack("{s:i, s:{s:s, s:s}, s:[{s:s, s:f}], s:b}", "order", 1, "customer", "name",
		"Ada", "email", "ada@example.com", "items", "name", "Tea", "price", 2.5, "paid", 1);
	char *faults = judge(schema, order);
	ck_assert_str_eq(faults, "");
	free(faults);
	json_object_set_new(json_object_get(order, "customer"), "email", json_string("ada"));
	faults = judge(schema, order); /* by what was another file */
	ck_assert_str_eq(faults, "/customer/email: \"ada\" is not a valid email\n");
	free(faults);
	json_decref(order);
	json_decref(document);
}
END_TEST

int main(void)
{
	glob("settings/*.yaml", 0, NULL, &files);
	glob(CASES "*.yaml", GLOB_APPEND, NULL, &files);
	schema_json = json_load_file(CASES "3.0.0.schema.json", 0, NULL);
	Suite *suite = suite_create("asyncapi");
	TCase *tc = tcase_create("asyncapi");
	tcase_add_loop_test(tc, document_keeps_to_the_schema_of_asyncapi, 0, (int)files.gl_pathc);
	tcase_add_loop_test(tc, schema_of_asyncapi_sees_damage, 0, (int)ARRAY_LEN(damages));
	tcase_add_loop_test(tc, member_says_what_the_settings_say, 0, (int)ARRAY_LEN(facts));
	tcase_add_test(tc, queue_receives_the_messages_that_come_to_it);
	tcase_add_test(tc, a_contract_is_the_payload_in_one_piece);
	tcase_add_loop_test(tc, no_password_and_the_same_each_time, 0, (int)files.gl_pathc);
	tcase_add_loop_test(tc, references_lead_to_what_they_say, 0, (int)files.gl_pathc);
	tcase_add_loop_test(tc, logic_is_operations, 0, (int)ARRAY_LEN(logic));
	tcase_add_test(tc, operation_that_nobody_has);
	tcase_add_test(tc, each_kind_of_step_has_its_name);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	globfree(&files);
	json_decref(schema_json);
	return failed == 0 ? 0 : 1;
}
