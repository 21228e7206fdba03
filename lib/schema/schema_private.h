/* schema_private.h - what the files of the schema module share; nobody else includes it.
 *
 * A schema is compiled once into nodes (one a subschema) of rules (one a keyword), so that judging
 * an instance neither looks up keywords nor resolves references. schema_compile.c makes the nodes,
 * schema_resolve.c connects the references, schema_check.c walks nodes and instance together,
 * schema_fault.c collects what is wrong.
 */
#ifndef SCHEMA_SCHEMA_PRIVATE_H
#define SCHEMA_SCHEMA_PRIVATE_H

#include "schema/schema.h"
#include "schema/schema_uri.h"

#include "base/buf.h"

#include <stdint.h>

#define SCHEMA_MAX_NESTING 500		    /* subschemas within each other in the text */
#define SCHEMA_MAX_DEPTH 1000		    /* nested evaluations: more is recursion without end */
#define SCHEMA_MAX_STEPS UINT64_C(50000000) /* evaluations for one instance: seconds */
#define SCHEMA_MAX_FAULTS 1000		    /* what is recorded; the verdict counts them all */

/* ---- maps: bytes to pointers; keys are borrowed ---- */

struct schema_map {
	struct schema_map_entry *entries;
	size_t count, capacity;
};

void *schema_map_get(const struct schema_map *m, struct slice key);
void schema_map_put(struct schema_map *m, struct slice key, void *value); /* the first one stays */
void schema_map_release(struct schema_map *m);

/* ---- dialects and keywords ---- */

enum schema_draft {
	SCHEMA_DRAFT_7 = 1,
	SCHEMA_DRAFT_2019 = 2,
	SCHEMA_DRAFT_2020 = 4,
};

enum schema_vocabulary {
	SCHEMA_CORE = 1,
	SCHEMA_APPLICATOR = 2,
	SCHEMA_UNEVALUATED = 4,
	SCHEMA_VALIDATION = 8,
	SCHEMA_FORMAT = 16,
	SCHEMA_FORMAT_ASSERTION = 32, /* formats are asserted whatever the flags say */
};

struct schema_dialect {
	unsigned draft;	       /* one of enum schema_draft */
	unsigned vocabularies; /* set of enum schema_vocabulary */
	const char *unknown;   /* the $schema that nobody knows; NULL when all is well */
};

enum schema_type {
	SCHEMA_STRING = 1,
	SCHEMA_INTEGER = 2,
	SCHEMA_NUMBER = 4,
	SCHEMA_BOOLEAN = 8,
	SCHEMA_ARRAY = 16,
	SCHEMA_OBJECT = 32,
	SCHEMA_NULL = 64,
};

/* The rows of the keyword table, in the order in which a node's rules are applied. */
enum schema_keyword_id {
	KEYWORD_TYPE,
	KEYWORD_CONST,
	KEYWORD_ENUM,
	KEYWORD_REF,
	KEYWORD_DYNAMIC_REF,
	KEYWORD_RECURSIVE_REF,
	KEYWORD_MULTIPLE_OF,
	KEYWORD_MINIMUM,
	KEYWORD_EXCLUSIVE_MINIMUM,
	KEYWORD_MAXIMUM,
	KEYWORD_EXCLUSIVE_MAXIMUM,
	KEYWORD_MIN_LENGTH,
	KEYWORD_MAX_LENGTH,
	KEYWORD_PATTERN,
	KEYWORD_FORMAT,
	KEYWORD_MIN_ITEMS,
	KEYWORD_MAX_ITEMS,
	KEYWORD_UNIQUE_ITEMS,
	KEYWORD_MIN_PROPERTIES,
	KEYWORD_MAX_PROPERTIES,
	KEYWORD_REQUIRED,
	KEYWORD_DEPENDENT_REQUIRED,
	KEYWORD_PROPERTY_NAMES,
	KEYWORD_PROPERTIES,
	KEYWORD_PATTERN_PROPERTIES,
	KEYWORD_ADDITIONAL_PROPERTIES,
	KEYWORD_PREFIX_ITEMS,
	KEYWORD_ITEMS,
	KEYWORD_ITEMS_OR_LIST,
	KEYWORD_ADDITIONAL_ITEMS,
	KEYWORD_CONTAINS,
	KEYWORD_ALL_OF,
	KEYWORD_ANY_OF,
	KEYWORD_ONE_OF,
	KEYWORD_IF,
	KEYWORD_NOT,
	KEYWORD_DEPENDENT_SCHEMAS,
	KEYWORD_DEPENDENCIES,
	KEYWORD_UNEVALUATED_ITEMS,
	KEYWORD_UNEVALUATED_PROPERTIES,
	/* These only hold something for others. */
	KEYWORD_THEN,
	KEYWORD_ELSE,
	KEYWORD_MIN_CONTAINS,
	KEYWORD_MAX_CONTAINS,
	KEYWORD_DEFS,
	KEYWORD_DEFINITIONS,
	KEYWORD_CONTENT_SCHEMA,
	KEYWORD_COUNT,
};

/* What the value of a keyword must look like, and what is compiled out of it. */
enum schema_shape {
	SHAPE_ANY,
	SHAPE_TYPE,
	SHAPE_LIST,
	SHAPE_URI,
	SHAPE_NUMBER,
	SHAPE_POSITIVE,
	SHAPE_COUNT,
	SHAPE_STRING,
	SHAPE_PATTERN,
	SHAPE_BOOLEAN,
	SHAPE_NAMES,
	SHAPE_NAMES_MAP,
	SHAPE_SCHEMA,
	SHAPE_SCHEMAS,
	SHAPE_SCHEMA_OR_LIST,
	SHAPE_SCHEMA_MAP,
	SHAPE_PATTERN_MAP,
	SHAPE_DEPENDENCIES,
};

struct schema_run;
struct schema_rule;
struct schema_place;

struct schema_keyword {
	const char *name;
	unsigned drafts;     /* set of enum schema_draft */
	unsigned vocabulary; /* one of enum schema_vocabulary */
	enum schema_shape shape;
	/* One of the two: an assertion on the value alone, or a walk; neither: see others. */
	bool (*holds)(const struct schema_rule *rule, const json_t *value);
	bool (*check)(
	    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at);
	const char *text;	/* template when it does not hold; see schema_text_fill */
	const char *false_text; /* when the subschema below it is `false` */
};

extern const struct schema_keyword schema_keywords[KEYWORD_COUNT];

/* ---- compiled schemas ---- */

struct schema_regex;
typedef bool schema_format_fn(struct slice text);

/* One subschema of a rule, or one entry of a map of names. */
struct schema_branch {
	const char *name; /* key in a map, NULL in a list */
	const json_t *value;
	struct schema_node *node;	  /* NULL when the value is a list of names */
	const struct schema_regex *regex; /* patternProperties */
};

struct schema_rule {
	const struct schema_keyword *keyword;
	const json_t *value;		/* of the keyword */
	const struct schema_node *node; /* the schema object it stands in */
	struct schema_branch *branches;
	size_t branch_count;
	unsigned types;			  /* type */
	const struct schema_regex *regex; /* pattern */
	schema_format_fn *format;
	const struct schema_node *target; /* of a reference; NULL while it leads nowhere */
	const char *dynamic;		  /* $dynamicRef: name to look for in the dynamic scope */
};

struct schema_node {
	const json_t *value;		     /* true, false or an object */
	struct schema_resource *resource;    /* it belongs to */
	const struct schema_resource *outer; /* its parent belongs to */
	const struct schema_rule *within;    /* the rule it is a part of; NULL for a root */
	char *pointer; /* "/properties/a"; with "uri#" in front outside the main document */
	struct schema_rule *rules;
	size_t rule_count;
	bool tracks; /* has unevaluated* */
};

struct schema_anchor {
	const char *name;
	const struct schema_node *node;
	bool dynamic;
};

/* A schema that has its own URI: a document, or a part of one with $id. */
struct schema_resource {
	char *uri; /* without fragment */
	const json_t *json;
	struct schema_node *node;
	struct schema_dialect dialect;
	bool recursive; /* $recursiveAnchor */
	struct schema_anchor *anchors;
	size_t anchor_count, anchor_capacity;
};

struct schema_document {
	char *uri;
	const json_t *json;
	json_t *owned; /* a built-in one that was parsed here; NULL when borrowed */
};

struct schema_list {
	void **items;
	size_t count, capacity;
};

struct schema {
	unsigned flags;
	struct schema_list documents; /* struct schema_document; the first is the main one */
	struct schema_list resources, nodes, regexes;
	struct schema_list references; /* struct schema_rule, in nodes */
	struct schema_map by_uri;      /* resources */
	struct schema_map by_json;     /* nodes, by the address of their object */
	struct schema_map by_pattern;  /* regexes */
	bool waits_for_dialect;	       /* a $schema is not known yet; schema_add may bring it */
	unsigned nesting;
};

/* schema_compile.c */
struct schema_document *schema_compile_add_document(
    struct schema *s, const char *uri, const json_t *json, json_t *owned);
bool schema_compile_document(struct schema *s, const struct schema_document *d, struct error *err);
/* Takes the pointer text. NULL on failure. */
struct schema_node *schema_compile_node(struct schema *s, const json_t *value,
    struct schema_resource *resource, const struct schema_rule *within, char *pointer,
    struct error *err);
char *schema_compile_pointer(const char *pointer, const char *key); /* a step down; to free() */

/* schema_dialect.c: the dialect that "$schema" of a document names; default when it names none. */
bool schema_dialect_find(const struct schema *s, const json_t *document,
    struct schema_dialect *dialect, struct error *err);

/* schema_keyword.c */
/* The row of that name in this dialect; NULL when it means nothing there. */
const struct schema_keyword *schema_keyword_find(const char *name, const struct schema_dialect *d);

/* schema_resolve.c */
bool schema_resolve_references(struct schema *s, struct error *err);

/* schema_meta.c */
/* The text of a built-in meta-schema; NULL when there is none of that URI. */
const char *schema_meta_text(const char *uri);

/* schema_regex.c */
struct schema_matcher; /* scratch memory of matches; NULL to start with */
enum schema_match { SCHEMA_MATCH_NO, SCHEMA_MATCH_YES, SCHEMA_MATCH_LIMIT };

struct schema_regex *schema_regex_create(struct slice pattern, struct error *err);
void schema_regex_free(struct schema_regex *regex);
enum schema_match schema_regex_match(
    const struct schema_regex *regex, struct schema_matcher **scratch, struct slice text);
void schema_regex_free_matcher(struct schema_matcher *m);

/* schema_ecma.c: ECMA-262 in the words of PCRE2; false with err when it is not ECMA-262. */
bool schema_ecma_translate(struct slice pattern, struct buf *out, struct error *err);

/* schema_format.c: NULL when the format is not known. */
schema_format_fn *schema_format_find(const char *name);

/* schema_format_time.c and schema_format_net.c */
schema_format_fn schema_format_time_is_date, schema_format_time_is_time;
schema_format_fn schema_format_time_is_date_time, schema_format_time_is_duration;
schema_format_fn schema_format_net_is_hostname, schema_format_net_is_ipv4;
schema_format_fn schema_format_net_is_ipv6, schema_format_net_is_email;
schema_format_fn schema_format_net_is_idn_email, schema_format_net_is_uri;
schema_format_fn schema_format_net_is_uri_reference, schema_format_net_is_iri;
schema_format_fn schema_format_net_is_iri_reference;

/* ---- values (schema_value.c) ---- */

unsigned schema_value_types(const json_t *value); /* set of enum schema_type */
struct slice schema_value_text(const json_t *string);
size_t schema_value_count(const json_t *value);		   /* characters, items or properties */
bool schema_value_equal(const json_t *a, const json_t *b); /* 1 and 1.0 are */
bool schema_value_find_twins(const json_t *array, size_t *first, size_t *second);
int schema_value_compare(const json_t *a, const json_t *b); /* exact; < 0, 0, > 0 */
bool schema_value_is_multiple(const json_t *value, const json_t *of);

/* ---- judging (schema_run.c) ---- */

/* One step of the way from the root of the instance to a value. */
struct schema_place {
	const struct schema_place *up;
	const json_t *value;
	const char *key; /* NULL in an array */
	size_t index;	 /* in the array */
	size_t depth;
	bool is_name; /* the value is the name of the member `key`, not its value */
};

struct schema_scope {
	const struct schema_scope *up;
	const struct schema_resource *resource;
};

struct schema_faults {
	struct schema_fault *items;
	size_t count, capacity;
	size_t serial;
};

struct schema_run {
	const struct schema *schema;
	struct error *err;
	bool broken;	/* err was set: nothing counts any more */
	unsigned quiet; /* > 0: the verdict is enough */
	unsigned depth;
	uint64_t steps;
	const struct schema_scope *scope;
	struct schema_matcher *matcher;
	struct schema_faults faults;
	/*
	 * What has been evaluated in the instance at hand, for unevaluated*: addresses of an
	 * object's keys, or indexes of an array. What a node saw is seen[seen_from ... count).
	 */
	bool collecting;
	uintptr_t *seen;
	size_t seen_from, seen_count, seen_capacity;
};

bool schema_run_node(
    struct schema_run *r, const struct schema_node *n, const struct schema_place *at);
bool schema_run_matches(struct schema_run *r, const struct schema_regex *regex, struct slice text);
bool schema_run_break(struct schema_run *r, const char *fmt, ...) ERROR_FORMAT(2, 3);
/* True when no further fault can change anything. */
bool schema_run_done(const struct schema_run *r, bool ok);
/* As schema_run_node, for a member or an item instead of the value itself. */
bool schema_run_child(
    struct schema_run *r, const struct schema_node *n, const struct schema_place *child);
void schema_run_mark_seen(struct schema_run *r, uintptr_t what);
/* To ask whether something is among the first `count`, sort them first. */
void schema_run_sort_seen(struct schema_run *r);
bool schema_run_has_seen(const struct schema_run *r, size_t count, uintptr_t what);
/* The rule of another keyword in the same schema object; NULL when it is absent. */
const struct schema_rule *schema_run_peer(
    const struct schema_rule *rule, enum schema_keyword_id keyword);

typedef bool schema_check_fn(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at);

/* In place (schema_check.c). */
schema_check_fn schema_check_reference, schema_check_dynamic, schema_check_recursive;
schema_check_fn schema_check_all_of, schema_check_any_of, schema_check_one_of, schema_check_not;
schema_check_fn schema_check_if, schema_check_dependent_schemas, schema_check_dependencies;
schema_check_fn schema_check_pattern;
/* Into members and items (schema_children.c). */
schema_check_fn schema_children_required, schema_children_dependent_required;
schema_check_fn schema_children_properties, schema_children_pattern_properties;
schema_check_fn schema_children_additional_properties, schema_children_property_names;
schema_check_fn schema_children_prefix_items, schema_children_items, schema_children_items_or_list;
schema_check_fn schema_children_additional_items, schema_children_contains;
/* Reports each of the names that is no member; `because` of another member, or NULL. */
bool schema_children_need(struct schema_run *r, const struct schema_rule *rule,
    const struct schema_place *at, const json_t *names, const char *because);
schema_check_fn schema_children_unevaluated_items, schema_children_unevaluated_properties;

/* ---- sentences (schema_text.c): escaped already ---- */

/* "schema at '/properties/a'", for errors; to free(). */
char *schema_text_place(const struct schema_node *n);
/* Of a reference that leads nowhere; to free(). */
char *schema_text_nowhere(const struct schema_rule *rule);
/* Of a $schema that nobody knows; to free(). */
char *schema_text_unknown(const char *dialect);
unsigned schema_text_type(const char *name); /* one of enum schema_type; 0: no such type */
void schema_text_types(unsigned types, struct buf *out);      /* "integer or null" */
void schema_text_found(const json_t *value, struct buf *out); /* "string \"ten\"" */
/* Fills a template: %v the value, %e the expected one, %b that without quotes, %f as
 * schema_text_found, %t types, %l list of values, %c count with noun and verb, %u which items are
 * equal. */
void schema_text_fill(
    const char *template, const struct schema_rule *rule, const json_t *value, struct buf *out);

/* ---- faults (schema_fault.c) ---- */

/* What is wrong at one place, until it is reported. */
struct schema_fault {
	struct schema_finding finding; /* instance, property, text and schema are owned */
	size_t *position;	       /* ordinal of each step, to sort by */
	size_t depth;
	size_t serial;
	unsigned types; /* when another type was expected: which */
	char *values;	/* when another value was expected: which, as text */
};

/* How far a branch of anyOf or oneOf is from accepting. */
struct schema_nearness {
	bool refuses_all; /* another type or value is expected at the top */
	bool refuses_tag; /* a member has to be another constant */
	size_t depth;
	size_t count;
};

/* All take the text. Nothing happens while the run is quiet. */
void schema_fault_add(struct schema_run *r, const struct schema_rule *rule,
    const struct schema_place *at, const char *property, char *text);
/* The keyword's own sentence. */
void schema_fault_assert(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at);
/* A subschema that is `false`. */
void schema_fault_false(
    struct schema_run *r, const struct schema_node *n, const struct schema_place *at);
void schema_fault_drop(struct schema_faults *faults, size_t from, size_t to);
struct schema_nearness schema_fault_nearness(
    const struct schema_faults *faults, size_t from, const struct schema_place *at);
bool schema_fault_is_nearer(struct schema_nearness a, struct schema_nearness b);
/* Replaces the faults [from, count) by one that accepts what any of them accepts. */
void schema_fault_merge(struct schema_run *r, size_t from, const struct schema_rule *rule,
    const struct schema_place *at);
/* In the order of the instance, without doubles. */
void schema_fault_report(struct schema_faults *faults, schema_report_fn *report, void *ctx);

#endif
