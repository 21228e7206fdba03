#include "schema/infer.h"

#include "base/mem.h"
#include "schema/schema.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DIALECT "https://json-schema.org/draft/2020-12/schema"

/* Types in the order in which a list of them is written. */
enum kind {
	KIND_OBJECT,
	KIND_ARRAY,
	KIND_STRING,
	KIND_INTEGER,
	KIND_NUMBER,
	KIND_BOOLEAN,
	KIND_NULL,
	KIND_COUNT
};
static const char *const kind_names[KIND_COUNT] = {
    "object", "array", "string", "integer", "number", "boolean", "null"};

/* The formats that are looked for; the first that all texts have is told. */
static const struct format_row {
	const char *name;
	const char *needs; /* what a text has to have besides: else too much would look like one */
} formats[] = {
    {"date-time", "T"},
    {"date", "-"},
    {"time", ":"},
    {"uuid", "-"},
    {"ipv4", "."},
    {"ipv6", ":"},
    {"email", "@"},
    {"uri", "://"},
};
#define FORMAT_COUNT ARRAY_LEN(formats)
#define ALL_FORMATS ((1u << FORMAT_COUNT) - 1)

/* What is known of one place in the samples. */
struct node {
	size_t seen; /* values */
	size_t counts[KIND_COUNT];
	unsigned formats;	/* set of those that every text had */
	json_t *texts;		/* {text: true}; NULL when there are too many */
	json_t *names;		/* name -> index in members, in order of coming */
	struct member *members; /* of objects */
	size_t member_count, member_capacity;
	struct node *items; /* of arrays; or NULL */
	bool is_map;	    /* of objects with too many names */
	bool anything;	    /* too deep, or too many */
};

struct member {
	size_t seen; /* objects that have it */
	struct node *node;
};

struct infer {
	size_t max_enum, node_count;
	struct schema *formats[FORMAT_COUNT];
	json_t *format_roots[FORMAT_COUNT];
	struct node *root;
};

/* ---- places ---- */

static struct node *make_node(struct infer *i, unsigned depth)
{
	struct node *n = mem_alloc(1, sizeof *n);
	n->formats = ALL_FORMATS;
	n->anything = depth > INFER_MAX_DEPTH || i->node_count >= INFER_MAX_NODES;
	i->node_count++;
	return n;
}

/* The depth is bounded by what make_node hands out. */
static void free_node(struct node *n)
{
	if (n == NULL)
		return;
	for (size_t m = 0; m < n->member_count; m++)
		free_node(n->members[m].node);
	free(n->members);
	json_decref(n->names);
	json_decref(n->texts);
	free_node(n->items);
	free(n);
}

static enum kind kind_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return KIND_OBJECT;
	case JSON_ARRAY:
		return KIND_ARRAY;
	case JSON_STRING:
		return KIND_STRING;
	case JSON_INTEGER:
		return KIND_INTEGER;
	case JSON_REAL:
		return KIND_NUMBER;
	case JSON_TRUE:
	case JSON_FALSE:
		return KIND_BOOLEAN;
	case JSON_NULL:
		break;
	}
	return KIND_NULL;
}

/* ---- texts ---- */

static bool has_format(const struct infer *i, size_t format, const json_t *text)
{
	struct error ignored = {0}; /* then it has not */
	return strstr(json_string_value(text), formats[format].needs) != NULL &&
	       schema_validate(i->formats[format], text, NULL, NULL, &ignored);
}

static void add_text(const struct infer *i, struct node *n, const json_t *text)
{
	for (size_t f = 0; f < FORMAT_COUNT; f++)
		if ((n->formats & 1u << f) != 0 && !has_format(i, f, text))
			n->formats &= ~(1u << f);
	if (n->counts[KIND_STRING] == 1 && i->max_enum > 0)
		n->texts = json_object();
	if (n->texts == NULL)
		return;
	json_object_set_new(n->texts, json_string_value(text), json_true());
	if (json_object_size(n->texts) <= i->max_enum &&
	    strlen(json_string_value(text)) == json_string_length(text)) /* no NUL in it */
		return;
	json_decref(n->texts);
	n->texts = NULL;
}

/* ---- objects ---- */

static struct member *need_member(struct infer *i, struct node *n, const char *name, unsigned depth)
{
	const json_t *known = json_object_get(n->names, name);
	if (known != NULL)
		return &n->members[json_integer_value(known)];
	if (n->member_count == INFER_MAX_PROPERTIES || i->node_count >= INFER_MAX_NODES)
		return NULL;
	if (n->names == NULL)
		n->names = json_object();
	n->members =
	    mem_grow(n->members, &n->member_capacity, n->member_count + 1, sizeof *n->members);
	struct member *m = &n->members[n->member_count];
	*m = (struct member){.node = make_node(i, depth)};
	json_object_set_new(n->names, name, json_integer((json_int_t)n->member_count++));
	return m;
}

static void add_value(struct infer *i, struct node *n, const json_t *value, unsigned depth);

/* With names beyond the bound it is a map, of which no more is told. */
static void add_object(struct infer *i, struct node *n, const json_t *object, unsigned depth)
{
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		struct member *m = need_member(i, n, name, depth + 1);
		n->is_map = n->is_map || m == NULL;
		if (n->is_map)
			return;
		m->seen++;
		add_value(i, m->node, value, depth + 1);
	}
}

static void add_array(struct infer *i, struct node *n, const json_t *array, unsigned depth)
{
	size_t index;
	json_t *value;
	if (json_array_size(array) == 0)
		return;
	if (n->items == NULL)
		n->items = make_node(i, depth + 1);
	json_array_foreach((json_t *)(uintptr_t)array, index, value)
	    add_value(i, n->items, value, depth + 1);
}

static void add_value(struct infer *i, struct node *n, const json_t *value, unsigned depth)
{
	enum kind kind = kind_of(value);
	n->seen++;
	n->counts[kind]++;
	if (n->anything)
		return;
	if (kind == KIND_STRING)
		add_text(i, n, value);
	else if (kind == KIND_OBJECT)
		add_object(i, n, value, depth);
	else if (kind == KIND_ARRAY)
		add_array(i, n, value, depth);
}

void infer_add(struct infer *i, const json_t *sample)
{
	add_value(i, i->root, sample, 0);
}

/* ---- out ---- */

static json_t *write_node(const struct node *n);

static void write_types(const struct node *n, json_t *out)
{
	json_t *types = json_array();
	for (size_t k = 0; k < KIND_COUNT; k++)
		if (n->counts[k] > 0 && (k != KIND_INTEGER || n->counts[KIND_NUMBER] == 0))
			json_array_append_new(types, json_string(kind_names[k]));
	if (json_array_size(types) == 1)
		json_object_set(out, "type", json_array_get(types, 0));
	else
		json_object_set(out, "type", types);
	json_decref(types);
}

static int compare_texts(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* An enum is for every type: so only where there is nothing but text, and perhaps null. */
static bool write_enum(const struct node *n, json_t *out)
{
	size_t count = json_object_size(n->texts), i = 0;
	size_t others = n->seen - n->counts[KIND_STRING] - n->counts[KIND_NULL];
	if (n->texts == NULL || others > 0 || n->counts[KIND_STRING] < INFER_ENUM_SAMPLES)
		return false;
	const char **texts = mem_alloc(count, sizeof *texts);
	json_t *values = json_array(), *unused;
	const char *text;
	json_object_foreach(n->texts, text, unused)
	{
		(void)unused;
		texts[i++] = text;
	}
	qsort(texts, count, sizeof *texts, compare_texts);
	for (i = 0; i < count; i++)
		json_array_append_new(values, json_string(texts[i]));
	if (n->counts[KIND_NULL] > 0)
		json_array_append_new(values, json_null());
	json_object_set_new(out, "enum", values);
	free(texts);
	return true;
}

static void write_format(const struct node *n, json_t *out)
{
	for (size_t f = 0; f < FORMAT_COUNT; f++)
		if ((n->formats & 1u << f) != 0) {
			json_object_set_new(out, "format", json_string(formats[f].name));
			return;
		}
}

static void write_members(const struct node *n, json_t *out)
{
	json_t *required = json_array(), *properties = json_object(), *index;
	const char *name;
	json_object_foreach(n->names, name, index)
	{
		const struct member *m = &n->members[json_integer_value(index)];
		json_object_set_new(properties, name, write_node(m->node));
		if (m->seen == n->counts[KIND_OBJECT])
			json_array_append_new(required, json_string(name));
	}
	if (json_object_size(properties) > 0)
		json_object_set(out, "properties", properties);
	if (json_array_size(required) > 0)
		json_object_set(out, "required", required);
	json_decref(properties);
	json_decref(required);
}

/* Of a map only that it is an object is told. */
static json_t *write_node(const struct node *n)
{
	json_t *out = json_object();
	if (n->seen == 0 || n->anything)
		return out;
	write_types(n, out);
	if (n->counts[KIND_STRING] > 0 && !write_enum(n, out))
		write_format(n, out);
	if (n->counts[KIND_OBJECT] > 0 && !n->is_map)
		write_members(n, out);
	if (n->items != NULL) {
		json_t *items = write_node(n->items);
		if (json_object_size(items) > 0)
			json_object_set(out, "items", items);
		json_decref(items);
	}
	return out;
}

json_t *infer_schema(const struct infer *i)
{
	json_t *schema = json_pack("{s:s}", "$schema", DIALECT);
	json_t *root = write_node(i->root);
	json_object_update(schema, root);
	json_decref(root);
	return schema;
}

/* ---- life ---- */

struct infer *infer_create(size_t max_enum)
{
	struct infer *i = mem_alloc(1, sizeof *i);
	i->max_enum = max_enum <= INFER_MAX_ENUM ? max_enum : INFER_MAX_ENUM;
	for (size_t f = 0; f < FORMAT_COUNT; f++) {
		struct error ignored = {0}; /* these are good */
		i->format_roots[f] = json_pack("{s:s}", "format", formats[f].name);
		i->formats[f] = schema_create(i->format_roots[f], SCHEMA_ASSERT_FORMAT, &ignored);
	}
	i->root = make_node(i, 0);
	return i;
}

void infer_free(struct infer *i)
{
	if (i == NULL)
		return;
	free_node(i->root);
	for (size_t f = 0; f < FORMAT_COUNT; f++) {
		schema_free(i->formats[f]);
		json_decref(i->format_roots[f]);
	}
	free(i);
}
