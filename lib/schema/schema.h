/*
 * schema.h - JSON Schema validation: draft 2020-12 (the default), 2019-09 and draft 7.
 *
 * https://json-schema.org/draft/2020-12/json-schema-core and -validation. Nothing is ever fetched:
 * a $ref leads into the schema itself, into the documents given with schema_add, or to the
 * meta-schemas, which are built in. `format` is an assertion only when asked for.
 */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include "base/error.h"

#include <jansson.h>

struct schema;

/* One thing that is wrong with an instance. The strings live until the report returns. */
struct schema_finding {
	/* JSON pointer (RFC 6901) to the value, "" for the whole. An unknown or misnamed property
	 * is pointed at itself, a missing one by the object that lacks it. */
	const char *instance;
	/* JSON pointer to the keyword that refused it, with "uri#" in front when it stands in a
	 * document that schema_add brought, or in a meta-schema */
	const char *schema;
	const char *keyword; /* "type", "required", ...; "" when the whole schema is `false` */
	/* the unknown, missing or misnamed property, not escaped; NULL for other findings */
	const char *property;
	const json_t *value;	 /* the instance value at `instance` */
	const json_t *expected;	 /* the keyword's value in the schema */
	const json_t *subschema; /* the schema object that holds the keyword */
	const char *text;	 /* "expected integer, found string", for people; escaped already */
};

typedef void schema_report_fn(void *ctx, const struct schema_finding *finding);

enum schema_flags {
	SCHEMA_ASSERT_FORMAT = 1, /* treat `format` as an assertion where it is known */
};

/* Prepares a schema; all patterns are compiled and references resolved here and in schema_add, so
 * that schema_validate changes nothing and several threads may share one. Borrows the tree, which
 * must outlive the result and stay unchanged. NULL with ERROR_SETTINGS when the schema itself is
 * broken (a pattern that does not compile, a $ref that leads nowhere is found when it is used). */
struct schema *schema_create(const json_t *root, unsigned flags, struct error *err);
void schema_free(struct schema *s);

/* Makes a further document known under its URI, for $ref and $schema; of two with the same URI the
 * first counts. Without a $schema it speaks the dialect of the main one. Borrows it likewise. A
 * broken one fails with ERROR_SETTINGS and changes nothing. */
bool schema_add(
    struct schema *s, const char *uri, const json_t *document, struct error *err) MUST_CHECK;

/* Whether every $ref leads somewhere by now, and every $schema is known. ERROR_SETTINGS tells of
 * the first that does not. */
bool schema_is_whole(const struct schema *s, struct error *err) MUST_CHECK;

/*
 * Judges an instance and reports everything that is wrong with it, in the order of the instance;
 * report may be NULL for the bare verdict. Of anyOf and oneOf that fail, the findings of the
 * branch that came nearest are reported. Returns true when valid. A fault of the schema met on the
 * way (a $ref to nowhere, an unknown $schema, regex limits, recursion without end: 1000 schemas
 * at work within each other) makes it false, sets err (ERROR_SETTINGS) and reports nothing;
 * otherwise err stays clear. At most 1000 findings are reported.
 */
bool schema_validate(const struct schema *s, const json_t *instance, schema_report_fn *report,
    void *ctx, struct error *err) MUST_CHECK;

#endif
