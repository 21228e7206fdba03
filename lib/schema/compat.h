/*
 * compat.h - whether whatever follows one JSON Schema is accepted by another one.
 *
 * The writer's schema says what data may look like, the reader's what is accepted: of two versions
 * of a schema, readers of the new one that get old data (backward compatible), or the other way
 * round (forward). Both are compared keyword by keyword, as draft 2020-12, 2019-09 and 7 mean them,
 * with formats asserted. Where that cannot decide the answer is "unknown", never "yes": what is
 * called compatible has no counterexample. What is called incompatible names the place and why; it
 * is wrong only where the writer's schema cannot be fulfilled at all.
 *
 * References lead into their own document (#, #/$defs/a); what is behind others is unknown.
 */
#ifndef SCHEMA_COMPAT_H
#define SCHEMA_COMPAT_H

#include "base/error.h"

#include <jansson.h>

enum compat_verdict { COMPAT_YES, COMPAT_UNKNOWN, COMPAT_NO };

enum compat_flags {
	/* data has only the properties that its schema names, though it may say nothing of others
	 */
	COMPAT_CLOSED = 1,
};

/* One place that stands in the way. The texts live until the report returns. */
struct compat_finding {
	enum compat_verdict verdict; /* COMPAT_UNKNOWN or COMPAT_NO */
	/* JSON pointer into the data, with * for every item or every other property */
	const char *instance;
	const char *reader; /* JSON pointer to the reader's keyword that refuses, or may */
	const char *text;   /* printable: "may be null; accepted is string" */
};
typedef void compat_report_fn(void *ctx, const struct compat_finding *finding);

/* Both must be good schemas (schema_create), and stay unchanged meanwhile. The worst verdict of
 * all findings, of which there are at most 1,000. report may be NULL. */
enum compat_verdict compat_check(const json_t *writer, const json_t *reader, unsigned flags,
    compat_report_fn *report, void *ctx);

#endif
