#include "pattern_bench.h"

#include "fake/shape.h"
#include "fake/volumes.h"
#include "schema/schema.h"

#define POOLS                                                                                   \
	"{'customers': {'size': 5, 'fields': {'id': 'ean', 'vip': {'optional': {'of': 'word', " \
	"'probability': 0.5}}}}, 'cities': {'fields': ['city', 'latitude']}}"

static void tell(void *ctx, const struct schema_finding *finding)
{
	buf_printf(ctx, "%s: %s\n", finding->instance, finding->text);
}

/* Everything that is rendered keeps to the shape. */
static void check_pattern(const char *spec, const char *want)
{
	struct bench b;
	setup(&b, spec, POOLS);
	json_t *shape = shape_fields(json_object_get(b.spec, "fields"), b.pools_spec);
	char *text = json_dumps(shape, JSON_COMPACT);
	for (char *c = text; *c != '\0'; c++)
		*c = (char)(*c == '"' ? '\'' : *c);
	if (want != NULL)
		ck_assert_str_eq(text, want);
	struct schema *schema = schema_create(shape, SCHEMA_ASSERT_FORMAT, &b.err);
	ck_assert_msg(schema != NULL, "%s", b.err.text);
	for (uint64_t i = 0; i < 300; i++) {
		struct buf faults = {0};
		ck_assert(pattern_render(b.pattern, &b.rng, WALL_MS, i, &b.m, &b.err));
		json_t *body = json_loadb(b.m.body.ptr, b.m.body.len, 0, NULL);
		ck_assert_msg(schema_validate(schema, body, tell, &faults, &b.err), "%s\n%.*s\n%s",
		    text, SLICE_ARGS(b.m.body), faults.ptr);
		json_decref(body);
	}
	schema_free(schema);
	json_decref(shape);
	free(text);
	teardown(&b);
}

static const struct {
	const char *fields, *shape; /* of the one field a */
} shapes[] = {
    {"'email'", "{'type':'string','format':'email'}"},
    {"'price'", "{'type':'number'}"},
    {"'boolean'", "{'type':'boolean'}"},
    {"{'volume': 'uuid7'}", "{'type':'string','format':'uuid'}"},
    {"{'constant': {'x': [1, null]}}", "{'const':{'x':[1,null]}}"},
    {"{'sequence': {'from': 5}}", "{'type':'integer'}"},
    {"{'number': {'min': 1, 'max': 6}}", "{'type':'integer','minimum':1,'maximum':6}"},
    {"{'number': {'min': 0.5, 'max': 2.5}}", "{'type':'integer','minimum':0,'maximum':3}"},
    {"{'number': {'min': 0.5, 'max': 2, 'decimals': 2}}",
	"{'type':'number','minimum':0.5,'maximum':2}"},
    {"{'number': {'mean': 5, 'deviation': 2, 'distribution': 'normal'}}", "{'type':'integer'}"},
    {"{'choice': ['a', 1, 'a', null]}", "{'enum':['a',1,null]}"},
    {"{'choice': {'new': 8, 'paid': 2}}", "{'enum':['new','paid']}"},
    {"{'pattern': '##-!'}", "{'type':'string'}"},
    {"{'template': 'x'}", "{'type':'string'}"},
    {"{'text': {'length': 20}}", "{'type':'string'}"},
    {"{'now': {}}", "{'type':'string','format':'date-time'}"},
    {"{'now': {'format': 'date'}}", "{'type':'string','format':'date'}"},
    {"{'now': {'format': 'epoch_ms'}}", "{'type':'integer'}"},
    {"{'uuid': 4}", "{'type':'string','format':'uuid'}"},
    {"{'reference': 'customers.id'}", "{'type':'string'}"},
    {"{'reference': 'cities.latitude'}", "{'type':'number'}"},
    {"{'list': {'of': 'word', 'count': {'min': 1, 'max': 3}}}",
	"{'type':'array','items':{'type':'string'},'minItems':1,'maxItems':3}"},
    {"{'list': {'of': {'reference': 'customers.vip'}, 'count': 4}}",
	"{'type':'array','items':{'type':'string'},'maxItems':4}"},
    {"{'object': {'b': 'city', 'c': {'optional': {'of': 'word', 'probability': 0.5}}}}",
	"{'type':'object','properties':{'b':{'type':'string'},'c':{'type':'string'}},"
	"'required':['b']}"},
    {"{'optional': {'of': 'random_int', 'probability': '50%', 'otherwise': 'null'}}",
	"{'anyOf':[{'type':'number'},{'type':'null'}]}"},
};

START_TEST(what_is_rendered_has_the_shape)
{
	char *spec = mem_printf("{'fields': {'a': %s}}", shapes[_i].fields);
	char *shape = mem_printf(
	    "{'type':'object','properties':{'a':%s},'required':['a']}", shapes[_i].shape);
	check_pattern(spec, shape);
	free(spec);
	free(shape);
}
END_TEST

START_TEST(what_may_be_missing_is_not_required)
{
	check_pattern("{'fields': {'a': {'optional': {'of': 'word', 'probability': 0.5}},"
		      " 'b': {'reference': 'customers.vip'}}}",
	    "{'type':'object','properties':{'a':{'type':'string'},'b':{'type':'string'}}}");
}
END_TEST

START_TEST(every_volume_has_a_shape)
{
	size_t count;
	const struct volume *all = volumes_all(&count);
	for (size_t i = 0; i < count; i++) {
		char *spec = mem_printf("{'fields': ['%s']}", all[i].name);
		check_pattern(spec, NULL);
		free(spec);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shape");
	TCase *tc = tcase_create("shape");
	tcase_add_loop_test(tc, what_is_rendered_has_the_shape, 0, (int)ARRAY_LEN(shapes));
	tcase_add_test(tc, what_may_be_missing_is_not_required);
	tcase_add_test(tc, every_volume_has_a_shape);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
