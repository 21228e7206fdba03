#include "app/asyncapi_spec.h"

#include "app/asyncapi_reader.h"
#include "base/mem.h"
#include "fake/volumes.h"

#include <math.h>
#include <string.h>

#define MAX_DEPTH 16
#define MAX_SPECS 5000 /* of one schema: references may fold out without end */
#define SPAN 1000      /* of numbers whose end is open */

/* What is under way. */
struct maker {
	const json_t *root;
	const json_t *under[MAX_DEPTH]; /* what is being made, from the outside in */
	unsigned depth, made;
};

static json_t *make_spec(struct maker *m, const json_t *schema);

static json_t *constant(const json_t *value)
{
	return json_pack("{s:O}", "constant", value);
}

/* ---- one schema out of several ---- */

static const json_t *resolve(const struct maker *m, const json_t *schema)
{
	const char *to;
	for (unsigned hops = 0; hops < MAX_DEPTH; hops++) {
		to = json_string_value(json_object_get(schema, "$ref"));
		if (to == NULL)
			return schema;
		schema = to[0] == '#' ? asyncapi_reader_find(m->root, to + 1) : NULL;
	}
	return NULL;
}

/* What the other asks for as well. Of two values for a keyword the first stays: whether that was
 * right is seen when it is tried. */
static void merge(json_t *into, const json_t *other)
{
	static const char *const maps[] = {"properties"};
	json_t *member;
	size_t i;
	for (i = 0; i < ARRAY_LEN(maps); i++) {
		json_t *here = json_object_get(into, maps[i]);
		const json_t *there = json_object_get(other, maps[i]);
		if (json_is_object(here) && json_is_object(there)) {
			json_t *both = json_copy(here);
			json_object_update_missing(both, (json_t *)(uintptr_t)there);
			json_object_set_new(into, maps[i], both);
		}
	}
	json_t *required = json_object_get(into, "required");
	if (json_is_array(required)) {
		json_t *both = json_copy(required);
		json_array_foreach(json_object_get(other, "required"), i, member)
		    json_array_append(both, member);
		json_object_set_new(into, "required", both);
	}
	json_object_update_missing(into, (json_t *)(uintptr_t)other);
}

/* A schema within itself: it ends where it may be left out. */
static bool is_under(const struct maker *m, const json_t *schema)
{
	for (unsigned i = 0; i < m->depth; i++)
		if (m->under[i] == schema)
			return true;
	return false;
}

/* The schema with its allOf, and the first of anyOf and oneOf; to json_decref. NULL: there is no
 * such schema, or it is none of an object. */
static json_t *flatten(struct maker *m, const json_t *schema)
{
	static const char *const first_of[] = {"oneOf", "anyOf"};
	schema = resolve(m, schema);
	if (!json_is_object(schema) || m->depth == MAX_DEPTH || is_under(m, schema))
		return NULL;
	m->under[m->depth++] = schema;
	json_t *flat = json_copy((json_t *)(uintptr_t)schema), *branch;
	size_t i;
	json_array_foreach(json_object_get(schema, "allOf"), i, branch)
	{
		json_t *part = flatten(m, branch);
		merge(flat, part);
		json_decref(part);
		m->depth -= part != NULL;
	}
	for (i = 0; i < ARRAY_LEN(first_of); i++) {
		json_t *part = flatten(m, json_array_get(json_object_get(schema, first_of[i]), 0));
		merge(flat, part);
		json_decref(part);
		m->depth -= part != NULL;
	}
	return flat;
}

/* ---- texts ---- */

/* A volume that is called like the property, of a kind that fits. */
static const char *guess(const char *name, enum volume_kind kind)
{
	const struct volume *volume = name != NULL ? volumes_find(slice_str(name)) : NULL;
	return volume != NULL && volume->kind == kind ? name : NULL;
}

static json_t *make_text(const json_t *schema, const char *name)
{
	static const struct {
		const char *format, *volume;
	} formats[] = {
	    {"email", "email"},
	    {"idn-email", "email"},
	    {"uuid", "uuid"},
	    {"date-time", "now"},
	    {"date", "date"},
	    {"uri", "url"},
	    {"uri-reference", "url"},
	    {"iri", "url"},
	    {"url", "url"},
	    {"hostname", "hostname"},
	    {"ipv4", "ipv4"},
	    {"ipv6", "ipv6"},
	};
	const char *format = json_string_value(json_object_get(schema, "format"));
	const json_t *min = json_object_get(schema, "minLength");
	const json_t *max = json_object_get(schema, "maxLength");
	for (size_t i = 0; format != NULL && i < ARRAY_LEN(formats); i++)
		if (strcmp(format, formats[i].format) == 0)
			return json_string(formats[i].volume);
	if (format != NULL && strcmp(format, "time") == 0)
		return constant(json_object_get(schema, "default"));
	if (json_object_get(schema, "pattern") != NULL)
		return NULL; /* no way from an expression to what fits it */
	if (json_integer_value(min) <= 1 && max == NULL)
		return json_string(guess(name, VOLUME_TEXT) ? name : "word");
	double from = json_number_value(min), to = max != NULL ? json_number_value(max) : from + 20;
	if (from < 1)
		from = to < 1 ? 0 : 1;
	if (to > from + 20)
		to = from + 20;
	if (from > 1e6 || to < from)
		return NULL;
	return json_pack(
	    "{s:{s:{s:I, s:I}}}", "text", "length", "min", (json_int_t)from, "max", (json_int_t)to);
}

/* ---- numbers ---- */

/* One end, or where the other one leads; exclusive ends are numbers since draft 6. */
static bool find_end(const json_t *schema, bool is_max, double step, double *end)
{
	const json_t *open =
	    json_object_get(schema, is_max ? "exclusiveMaximum" : "exclusiveMinimum");
	const json_t *closed = json_object_get(schema, is_max ? "maximum" : "minimum");
	bool is_there = json_is_number(closed);
	if (is_there)
		*end = json_number_value(closed);
	if (json_is_number(open)) {
		double next = json_number_value(open) + (is_max ? -step : step);
		if (!is_there || (is_max ? next < *end : next > *end))
			*end = next;
		is_there = true;
	}
	return is_there;
}

static json_t *make_number(const json_t *schema, bool is_whole)
{
	double step = is_whole ? 1 : 0.01, min = 0, max = 0;
	double multiple = json_number_value(json_object_get(schema, "multipleOf"));
	bool has_min = find_end(schema, false, step, &min);
	bool has_max = find_end(schema, true, step, &max);
	if (!has_min)
		min = has_max && max < SPAN ? max - SPAN : 0;
	if (!has_max)
		max = min + SPAN;
	if (is_whole) {
		min = ceil(min);
		max = floor(max);
	}
	if (!(fabs(min) < 9e15 && fabs(max) < 9e15) || max < min)
		return NULL;
	if (multiple > 0 && !(is_whole && multiple == 1)) {
		json_t *choice = json_array();
		for (double k = ceil(min / multiple); k * multiple <= max; k++) {
			double value = k * multiple;
			json_array_append_new(choice, value == floor(value)
							  ? json_integer((json_int_t)value)
							  : json_real(value));
			if (json_array_size(choice) == 10)
				break;
		}
		if (json_array_size(choice) > 0)
			return json_pack("{s:o}", "choice", choice);
		json_decref(choice);
		return NULL;
	}
	if (is_whole)
		return json_pack(
		    "{s:{s:I, s:I}}", "number", "min", (json_int_t)min, "max", (json_int_t)max);
	return json_pack("{s:{s:f, s:f, s:i}}", "number", "min", min, "max", max, "decimals", 2);
}

/* ---- lists and objects ---- */

static json_t *make_list(struct maker *m, const json_t *schema)
{
	const json_t *items = json_object_get(schema, "items");
	json_int_t min = json_integer_value(json_object_get(schema, "minItems"));
	const json_t *most = json_object_get(schema, "maxItems");
	json_int_t max = min > 1 ? min + 2 : 3;
	bool is_set = json_is_true(json_object_get(schema, "uniqueItems"));
	if (json_is_integer(most) && json_integer_value(most) < max)
		max = json_integer_value(most);
	json_t *of = json_is_object(items) ? make_spec(m, items) : json_string("word");
	if (min == 0)
		min = of == NULL || max == 0 ? 0 : 1;
	if (is_set)
		max = min;
	if (of == NULL || max < min || min > 1000) {
		json_decref(of);
		return min == 0 ? json_pack("{s:[]}", "constant") : NULL;
	}
	return json_pack(
	    "{s:{s:o, s:{s:I, s:I}}}", "list", "of", of, "count", "min", min, "max", max);
}

static bool has_text(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;
	json_array_foreach(list, i, item)
	{
		const char *value = json_string_value(item);
		if (value != NULL && strcmp(value, text) == 0)
			return true;
	}
	return false;
}

static json_t *make_named(struct maker *m, const json_t *schema, const char *name);

/* The members as fields; NULL when one that is required cannot be made. */
static json_t *make_members(struct maker *m, const json_t *schema, const json_t *needed)
{
	const json_t *required = json_object_get(schema, "required");
	json_t *fields = json_object(), *property, *item;
	const char *name;
	size_t i;
	json_object_foreach(json_object_get(schema, "properties"), name, property)
	{
		bool is_needed = has_text(required, name) || json_object_get(needed, name) != NULL;
		json_t *spec = make_named(m, property, name);
		if (spec == NULL && is_needed) {
			json_decref(fields);
			return NULL;
		}
		if (spec != NULL && !is_needed)
			spec = json_pack(
			    "{s:{s:o, s:s}}", "optional", "of", spec, "probability", "50%");
		if (spec != NULL)
			json_object_set_new(fields, name, spec);
	}
	json_array_foreach(required, i, item)
	{
		name = json_string_value(item); /* nothing is said of it: anything will do */
		if (name != NULL && json_object_get(fields, name) == NULL)
			json_object_set_new(fields, name, json_string("word"));
	}
	return fields;
}

static json_t *make_object(struct maker *m, const json_t *schema)
{
	json_t *fields = make_members(m, schema, NULL);
	if (fields == NULL)
		return NULL;
	if (json_object_size(fields) > 0)
		return json_pack("{s:o}", "object", fields);
	json_decref(fields);
	return json_pack("{s:{}}", "constant");
}

/* ---- any of them ---- */

/* Of several types the first that is one. */
static const char *find_type(const json_t *schema)
{
	const json_t *type = json_object_get(schema, "type"), *item;
	size_t i;
	json_array_foreach(type, i,
	    item) if (json_is_string(item) &&
		      strcmp(json_string_value(item), "null") != 0) return json_string_value(item);
	if (json_is_array(type))
		return "null";
	if (type == NULL && json_object_get(schema, "properties") != NULL)
		return "object";
	if (type == NULL && json_object_get(schema, "items") != NULL)
		return "array";
	return json_is_string(type) ? json_string_value(type) : "string";
}

static json_t *make_by_type(struct maker *m, const json_t *schema, const char *name)
{
	const char *type = find_type(schema);
	if (strcmp(type, "object") == 0)
		return make_object(m, schema);
	if (strcmp(type, "array") == 0)
		return make_list(m, schema);
	if (strcmp(type, "boolean") == 0)
		return json_string("boolean");
	if (strcmp(type, "null") == 0)
		return json_pack("{s:n}", "constant");
	if (strcmp(type, "string") == 0)
		return make_text(schema, name);
	return make_number(schema, strcmp(type, "integer") == 0);
}

static json_t *make_flat(struct maker *m, const json_t *schema, const char *name)
{
	const json_t *fixed = json_object_get(schema, "const");
	json_t *choice = json_object_get(schema, "enum");
	if (fixed != NULL)
		return constant(fixed);
	if (json_array_size(choice) > 0)
		return json_pack("{s:O}", "choice", choice);
	json_t *spec = make_by_type(m, schema, name);
	const json_t *known = json_array_get(json_object_get(schema, "examples"), 0);
	if (known == NULL)
		known = json_object_get(schema, "default");
	return spec == NULL && known != NULL ? constant(known) : spec;
}

static json_t *make_named(struct maker *m, const json_t *schema, const char *name)
{
	if (json_is_true(schema))
		return json_string("word");
	json_t *flat = m->made++ < MAX_SPECS ? flatten(m, schema) : NULL;
	if (flat == NULL)
		return NULL;
	json_t *spec = make_flat(m, flat, name);
	m->depth--;
	json_decref(flat);
	return spec;
}

static json_t *make_spec(struct maker *m, const json_t *schema)
{
	return make_named(m, schema, NULL);
}

/* ---- the whole ---- */

json_t *asyncapi_spec_fields(const json_t *schema, const json_t *needed)
{
	struct maker m = {.root = schema};
	json_t *flat = flatten(&m, schema), *members = NULL;
	if (flat == NULL || json_object_get(flat, "const") || json_object_get(flat, "enum") ||
	    strcmp(find_type(flat), "object") != 0) {
		json_decref(flat);
		return NULL;
	}
	json_t *fields = make_members(&m, flat, needed);
	if (json_object_size(fields) > 0)
		members = json_pack("{s:O}", "fields", fields);
	json_decref(fields);
	json_decref(flat);
	return members;
}
