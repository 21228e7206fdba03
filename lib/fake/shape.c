#include "fake/shape.h"

#include "base/mem.h"
#include "fake/volumes.h"
#include "model/trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef json_t *shape_fn(const json_t *spec, const json_t *pools);

static const char *member_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static json_t *of_type(const char *type)
{
	return json_pack("{s:s}", "type", type);
}

static json_t *of_format(const char *format)
{
	return json_pack("{s:s, s:s}", "type", "string", "format", format);
}

/* ---- volumes ---- */

static json_t *of_volume(const char *name)
{
	static const struct {
		const char *name, *format;
	} formats[] = {
	    {"ascii_email", "email"},
	    {"ascii_safe_email", "email"},
	    {"company_email", "email"},
	    {"date", "date"},
	    {"date_of_birth", "date"},
	    {"date_time", "date-time"},
	    {"email", "email"},
	    {"free_email", "email"},
	    {"hostname", "hostname"},
	    {"ipv4", "ipv4"},
	    {"ipv6", "ipv6"},
	    {"iso8601", "date-time"},
	    {"now", "date-time"},
	    {"safe_email", "email"},
	    {"uri", "uri"},
	    {"url", "uri"},
	    {"uuid", "uuid"},
	    {"uuid4", "uuid"},
	    {"uuid7", "uuid"},
	};
	static const char *const types[] = {
	    [VOLUME_TEXT] = "string", [VOLUME_NUMBER] = "number", [VOLUME_BOOL] = "boolean"};
	const struct volume *volume = volumes_find(slice_str(name));
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (strcmp(name, formats[i].name) == 0)
			return of_format(formats[i].format);
	return volume != NULL ? of_type(types[volume->kind]) : json_object();
}

static json_t *shape_volume(const json_t *spec, const json_t *pools)
{
	(void)pools;
	return of_volume(json_string_value(spec));
}

/* ---- generators ---- */

static json_t *shape_constant(const json_t *spec, const json_t *pools)
{
	(void)pools;
	return json_pack("{s:O}", "const", spec);
}

static json_t *shape_sequence(const json_t *spec, const json_t *pools)
{
	(void)spec;
	(void)pools;
	return of_type("integer");
}

static void set_bound(json_t *shape, const char *key, const json_t *bound, double (*round)(double))
{
	double value = json_number_value(bound);
	if (json_is_real(bound) && round != NULL)
		json_object_set_new(shape, key, json_integer((json_int_t)round(value)));
	else
		json_object_set(shape, key, (json_t *)(uintptr_t)bound);
}

static json_t *shape_number(const json_t *spec, const json_t *pools)
{
	bool is_whole = json_integer_value(json_object_get(spec, "decimals")) == 0;
	json_t *shape = of_type(is_whole ? "integer" : "number");
	(void)pools;
	set_bound(shape, "minimum", json_object_get(spec, "min"), is_whole ? floor : NULL);
	set_bound(shape, "maximum", json_object_get(spec, "max"), is_whole ? ceil : NULL);
	return shape;
}

static void add_value(json_t *values, json_t *value)
{
	size_t i;
	json_t *other;
	json_array_foreach(values, i, other) if (json_equal(other, value)) return;
	json_array_append(values, value);
}

static json_t *shape_choice(const json_t *spec, const json_t *pools)
{
	json_t *values = json_array(), *item;
	const char *name;
	size_t i;
	(void)pools;
	json_object_foreach((json_t *)(uintptr_t)spec, name, item)
	    json_array_append_new(values, json_string(name));
	json_array_foreach(spec, i, item) add_value(values, item);
	return json_pack("{s:o}", "enum", values);
}

static json_t *shape_text(const json_t *spec, const json_t *pools)
{
	(void)spec;
	(void)pools;
	return of_type("string");
}

static json_t *shape_now(const json_t *spec, const json_t *pools)
{
	const char *format = member_text(spec, "format");
	(void)pools;
	if (format == NULL || strcmp(format, "rfc3339") == 0)
		return of_format("date-time");
	return strcmp(format, "date") == 0 ? of_format("date") : of_type("integer");
}

static json_t *shape_uuid(const json_t *spec, const json_t *pools)
{
	(void)spec;
	(void)pools;
	return of_format("uuid");
}

/* The SPEC of "customers.id"; NULL in a list of fields, where the name is the volume. */
static const json_t *pool_spec(const char *reference, const json_t *pools, const char **field)
{
	const char *dot = strchr(reference, '.');
	*field = dot + 1;
	const json_t *pool = json_object_getn(pools, reference, (size_t)(dot - reference));
	return json_object_get(json_object_get(pool, "fields"), *field);
}

static json_t *shape_reference(const json_t *spec, const json_t *pools)
{
	const char *field;
	const json_t *inner = pool_spec(json_string_value(spec), pools, &field);
	return inner != NULL ? shape_value(inner, pools) : of_volume(field);
}

/* Whether there may be no value at all. */
static bool may_be_absent(const json_t *spec, const json_t *pools)
{
	const json_t *optional = json_object_get(spec, "optional");
	const char *otherwise = member_text(optional, "otherwise");
	const char *reference = member_text(spec, "reference"), *field;
	if (reference != NULL)
		return may_be_absent(pool_spec(reference, pools, &field), pools);
	if (optional == NULL)
		return false;
	return otherwise == NULL || strcmp(otherwise, "omit") == 0 ||
	       may_be_absent(json_object_get(optional, "of"), pools);
}

static json_t *shape_list(const json_t *spec, const json_t *pools)
{
	json_t *shape = json_pack("{s:s, s:o}", "type", "array", "items",
	    shape_value(json_object_get(spec, "of"), pools));
	const json_t *count = json_object_get(spec, "count");
	bool is_range = json_is_object(count);
	if (!may_be_absent(json_object_get(spec, "of"), pools))
		json_object_set(shape, "minItems",
		    is_range ? json_object_get(count, "min") : (json_t *)(uintptr_t)count);
	json_object_set(shape, "maxItems",
	    is_range ? json_object_get(count, "max") : (json_t *)(uintptr_t)count);
	return shape;
}

static json_t *shape_optional(const json_t *spec, const json_t *pools)
{
	const char *otherwise = member_text(spec, "otherwise");
	json_t *shape = shape_value(json_object_get(spec, "of"), pools);
	if (otherwise == NULL || strcmp(otherwise, "null") != 0)
		return shape;
	return json_pack("{s:[o, o]}", "anyOf", shape, of_type("null"));
}

static const struct {
	const char *key;
	shape_fn *shape;
} generators[] = {
    {"choice", shape_choice},
    {"constant", shape_constant},
    {"list", shape_list},
    {"now", shape_now},
    {"number", shape_number},
    {"object", shape_fields},
    {"optional", shape_optional},
    {"pattern", shape_text},
    {"reference", shape_reference},
    {"sequence", shape_sequence},
    {"template", shape_text},
    {"text", shape_text},
    {"uuid", shape_uuid},
    {"volume", shape_volume},
};

json_t *shape_value(const json_t *spec, const json_t *pools)
{
	if (json_is_string(spec))
		return of_volume(json_string_value(spec));
	for (size_t i = 0; i < ARRAY_LEN(generators); i++) {
		const json_t *inner = json_object_get(spec, generators[i].key);
		if (inner != NULL)
			return generators[i].shape(inner, pools);
	}
	return json_object();
}

static void add_field(json_t *shape, const char *name, json_t *value, bool is_required)
{
	json_object_set_new(json_object_get(shape, "properties"), name, value);
	if (is_required)
		json_array_append_new(json_object_get(shape, "required"), json_string(name));
}

json_t *shape_fields(const json_t *fields, const json_t *pools)
{
	json_t *shape = json_pack("{s:s, s:{}, s:[]}", "type", "object", "properties", "required");
	const char *name;
	json_t *spec;
	size_t i;
	json_array_foreach(fields, i, spec)
	    add_field(shape, json_string_value(spec), of_volume(json_string_value(spec)), true);
	json_object_foreach((json_t *)(uintptr_t)fields, name, spec)
	    add_field(shape, name, shape_value(spec, pools), !may_be_absent(spec, pools));
	if (json_array_size(json_object_get(shape, "required")) == 0)
		json_object_del(shape, "required"); /* draft 4 wants one at least */
	return shape;
}

/* ---- events ---- */

static json_t *shape_attribute(const json_t *value)
{
	const char *text = json_string_value(value);
	if (text != NULL && strstr(text, "{{") == NULL)
		return json_pack("{s:O}", "const", value);
	return text != NULL ? json_pack("{s:s, s:i}", "type", "string", "minLength", 1)
	       : json_is_object(value)
		   ? json_pack("{s:[s, s, s]}", "type", "string", "integer", "boolean")
		   : json_pack("{s:O}", "const", value);
}

/* The attributes by their names; also required, where an event has them in any case. */
static json_t *shape_attributes(const json_t *message, json_t *required)
{
	const json_t *event = json_object_get(message, "cloudevents");
	static const char *const always[] = {"specversion", "type", "source", "id", "time"};
	static const char *const said[] = {"type", "source", "subject", "dataschema"};
	json_t *shapes = json_pack("{s:{s:s}, s:o, s:o, s:o}", "specversion", "const", "1.0", "id",
	    of_type("string"), "source", of_type("string"), "time", of_format("date-time"));
	json_t *extension;
	const char *name;
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		json_array_append_new(required, json_string(always[i]));
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		const json_t *value = json_object_get(event, said[i]);
		if (value != NULL)
			json_object_set_new(shapes, said[i], shape_attribute(value));
	}
	json_object_foreach(json_object_get(event, "extensions"), name, extension)
	    json_object_set_new(shapes, name, shape_attribute(extension));
	if (json_is_true(json_object_get(message, "trace")))
		json_object_set_new(shapes, TRACE_PARENT, of_type("string"));
	return shapes;
}

json_t *shape_event_headers(const json_t *message)
{
	const json_t *event = json_object_get(message, "cloudevents");
	const char *prefix = member_text(event, "prefix"), *mode = member_text(event, "mode"),
		   *name;
	json_t *headers = json_object(), *unused = json_array(), *shape;
	if (event != NULL && (mode == NULL || strcmp(mode, "binary") == 0)) {
		json_t *attributes = shape_attributes(message, unused);
		json_object_foreach(attributes, name, shape)
		{
			char *key = mem_printf("%s%s", prefix ? prefix : "cloudEvents_", name);
			json_object_set(headers, key, shape);
			free(key);
		}
		json_decref(attributes);
	}
	if (json_is_true(json_object_get(message, "trace")))
		json_object_set_new(headers, TRACE_PARENT, of_type("string"));
	json_decref(unused);
	return headers;
}

json_t *shape_event_take(const json_t *message, json_t *data)
{
	json_t *required = json_array(), *properties = shape_attributes(message, required);
	json_object_set_new(properties, "datacontenttype", of_type("string"));
	json_object_set_new(properties, "data", data != NULL ? data : json_object());
	json_object_set_new(properties, "data_base64", of_type("string"));
	json_array_append_new(required, json_string("datacontenttype"));
	return json_pack(
	    "{s:s, s:o, s:o}", "type", "object", "properties", properties, "required", required);
}
