/* contracts_private.h - what the verbs of `contract` share. */
#ifndef APP_CONTRACTS_PRIVATE_H
#define APP_CONTRACTS_PRIVATE_H

#include "app/contracts.h"

#include "base/buf.h"
#include "schema/schema.h"

#define CONTRACTS_MAX_BYTES (UINT64_C(256) << 20) /* of a line, or of a document of several */

typedef bool contracts_verb_fn(
    struct tool *tool, const struct contracts_options *o, char **operands, struct error *err);
contracts_verb_fn contracts_check, contracts_check_samples, contracts_infer, contracts_compat;

/* ---- contracts_read.c: the messages in files ---- */

/* One of them. */
struct contracts_text {
	const char *file; /* printable */
	uint64_t line;	  /* where it begins, from 1 */
	struct slice body;
	const char *fault; /* printable: why the body cannot be told; else NULL */
};
/* False, with err, ends the reading. */
typedef bool contracts_text_fn(void *ctx, const struct contracts_text *text, struct error *err);

/*
 * Tells of each message in the files, of standard input when there are none or one is "-". A file
 * has a JSON value a line, or it is one JSON document; a line may be a record, whose body counts
 * (of a structured event its data). Empty lines are passed over.
 */
bool contracts_read(char *const *files, enum contracts_form form, contracts_text_fn *told,
    void *ctx, struct error *err) MUST_CHECK;

/* ---- contracts_check.c: what is found ---- */

struct contracts_report {
	const struct contracts_options *options;
	struct buf out;
	uint64_t judged, bad, findings;
	/* of the message at hand */
	const char *place; /* printable: "orders.jsonl:3" */
	const char *file;
	uint64_t line;
	size_t count;
};

/* A schema_report_fn: adds a line; ctx is the report. */
void contracts_report_finding(void *ctx, const struct schema_finding *finding);
/* Prints what has come together once it is much, or in any case. */
bool contracts_report_flush(struct contracts_report *r, bool all, struct error *err) MUST_CHECK;
/* The last words, and the exit status: ERROR_DATA when something was found. */
void contracts_report_end(struct contracts_report *r, struct tool *tool);

#endif
