/*
 * compat_private.h - what the files of the compat module share; nobody else includes it.
 *
 * The writer's schema at one place is a set of parts that all hold there (allOf and $ref taken
 * apart, what several keywords say of one property put together); that of the reader is one schema,
 * each of whose keywords must follow from the parts. To leave a part out is safe: then more data is
 * possible, and less follows. But a "no" that such a part might have prevented is an "unknown".
 */
#ifndef SCHEMA_COMPAT_PRIVATE_H
#define SCHEMA_COMPAT_PRIVATE_H

#include "schema/compat.h"

#include "base/buf.h"

#define COMPAT_MAX_PARTS 48
#define COMPAT_MAX_STEPS 200000 /* comparisons; beyond, nothing is known */
#define COMPAT_MAX_DEPTH 200	/* comparisons within each other */
#define COMPAT_MAX_FINDINGS 1000

enum compat_type {
	COMPAT_OBJECT = 1,
	COMPAT_ARRAY = 2,
	COMPAT_STRING = 4,
	COMPAT_INTEGER = 8,
	COMPAT_FRACTION = 16, /* numbers that are no integers */
	COMPAT_BOOLEAN = 32,
	COMPAT_NULL = 64,
	COMPAT_NUMBERS = COMPAT_INTEGER | COMPAT_FRACTION,
	COMPAT_ALL = 127,
};

/* One of the two schemas. */
struct compat_side {
	const json_t *root;
	unsigned draft;	   /* 7, 2019 or 2020 */
	bool has_inner_id; /* references may mean something else: none is followed */
};

struct compat_parts {
	const json_t *items[COMPAT_MAX_PARTS];
	size_t count;
	unsigned types; /* set of enum compat_type that all of them allow */
	bool never;	/* no data at all */
	bool vague;	/* there is more that narrows them */
};

/* To begin with. */
#define COMPAT_ANYTHING ((struct compat_parts){.types = COMPAT_ALL})

struct compat_found {
	enum compat_verdict verdict;
	char *instance, *reader, *text;
};

/* A comparison that is under way, for schemas that refer to themselves. */
struct compat_frame {
	const struct compat_parts *writer;
	const json_t *reader;
	unsigned level; /* of the data: the same level again leads nowhere */
};

/* A schema of the writer's whose anyOf or oneOf is taken apart, for data of that level. */
struct compat_split {
	const json_t *schema;
	unsigned level;
};

struct compat_run {
	struct compat_side writer, reader;
	unsigned flags;
	uint64_t steps;
	unsigned level;
	struct compat_frame frames[COMPAT_MAX_DEPTH];
	size_t depth;
	struct compat_split split[COMPAT_MAX_DEPTH];
	size_t split_count;
	struct buf instance, pointer; /* where we are: in the data, in the reader's schema */
	struct compat_found *found;
	size_t found_count, found_capacity;
	json_t *types[7]; /* {"type": ...}, one for each type */
};

/* compat.c */
/* Whether all that the parts allow is accepted; notes what stands in the way. */
enum compat_verdict compat_include(
    struct compat_run *run, const struct compat_parts *writer, const json_t *reader);
/* The same without notes. */
enum compat_verdict compat_try(
    struct compat_run *run, const struct compat_parts *writer, const json_t *reader);
static inline enum compat_verdict compat_worst(enum compat_verdict a, enum compat_verdict b)
{
	return a > b ? a : b;
}

/* compat_notes.c */
/* compat_include for a schema below the reader's one, at "/key" (and "/name"), for data at "/step"
 * (NULL: the same data). */
enum compat_verdict compat_include_below(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const char *key, const char *name, const char *step);
/* Notes what stands in the way at a keyword; a "no" is one only when the parts are all there is. */
enum compat_verdict compat_note(struct compat_run *run, const struct compat_parts *writer,
    enum compat_verdict verdict, const char *keyword, const char *fmt, ...) ERROR_FORMAT(5, 6);
/* Keeps the first `from` notes alone. */
void compat_drop_notes(struct compat_run *run, size_t from);

/* compat_side.c */
void compat_side_init(struct compat_side *side, const json_t *root);
/* The value of a keyword, if it means something in the draft; NULL when the schema is no object. */
const json_t *compat_side_get(
    const struct compat_side *side, const json_t *schema, const char *keyword);
/* NULL: it leads elsewhere. */
const json_t *compat_side_follow(const struct compat_side *side, const json_t *reference);
/* Adds a schema and what it consists of. NULL adds nothing. */
void compat_side_add(
    const struct compat_side *side, const json_t *schema, struct compat_parts *parts);
/* The set of enum compat_type of a "type" value. */
unsigned compat_side_types(const json_t *type);
void compat_side_write_types(unsigned types, struct buf *out); /* "string or null" */
/* No reference in it, at any depth. */
bool compat_side_is_plain(const json_t *schema);
/* The values that the parts allow when they are few, as a new array: of an enum or const, or of
 * null and booleans alone; else NULL. Some may be refused by other parts. */
json_t *compat_side_values(const struct compat_side *side, const struct compat_parts *parts);
/* Of each of the values: 1, 0, or -1: that cannot be told. */
void compat_side_judge(
    const struct compat_side *side, const json_t *schema, const json_t *values, int *accepted);
int compat_side_matches(const char *pattern, const char *text);

/* compat_inplace.c, compat_values.c and compat_children.c: the keywords. */
typedef enum compat_verdict compat_rule_fn(struct compat_run *run,
    const struct compat_parts *writer, const json_t *reader, const json_t *value);
compat_rule_fn compat_inplace_reference, compat_inplace_all_of, compat_inplace_any_of;
compat_rule_fn compat_inplace_one_of, compat_inplace_not, compat_inplace_if;
compat_rule_fn compat_values_type, compat_values_enum, compat_values_const;
compat_rule_fn compat_values_minimum, compat_values_exclusive_minimum;
compat_rule_fn compat_values_maximum, compat_values_exclusive_maximum, compat_values_multiple_of;
compat_rule_fn compat_values_min_length, compat_values_max_length, compat_values_pattern;
compat_rule_fn compat_values_format, compat_values_min_items, compat_values_max_items;
compat_rule_fn compat_values_unique_items, compat_values_min_properties;
compat_rule_fn compat_values_max_properties;
compat_rule_fn compat_children_required, compat_children_dependent_required;
compat_rule_fn compat_children_properties, compat_children_pattern_properties;
compat_rule_fn compat_children_additional_properties, compat_children_property_names;
compat_rule_fn compat_children_items, compat_children_contains;

/* What the parts say of one property: `never` when it cannot be there. */
void compat_children_property(struct compat_run *run, const struct compat_parts *parts,
    const char *name, struct compat_parts *out);
bool compat_children_is_required(
    const struct compat_run *run, const struct compat_parts *parts, const char *name);
/* The most items that the parts allow; SIZE_MAX: no bound. */
size_t compat_children_most_items(const struct compat_run *run, const struct compat_parts *parts);

#endif
