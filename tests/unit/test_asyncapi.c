#include "app/asyncapi.h"

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

START_TEST(member_says_what_the_settings_say)
{
	json_t *document = describe(CASES "everything.yaml");
	char *value = json_dumps(find(document, facts[_i].path), JSON_COMPACT | JSON_ENCODE_ANY);
	ck_assert_msg(value != NULL, "%s", facts[_i].path);
	for (char *c = value; *c != '\0'; c++)
		*c = (char)(*c == '"' ? '\'' : *c);
	ck_assert_str_eq(value, facts[_i].value);
	free(value);
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
	json_t *document = describe(CASES "everything.yaml");
	json_t *again = describe(CASES "everything.yaml");
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
	tcase_add_test(tc, no_password_and_the_same_each_time);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	globfree(&files);
	json_decref(schema_json);
	return failed == 0 ? 0 : 1;
}
