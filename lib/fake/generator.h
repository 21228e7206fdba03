/*
 * generator.h - one SPEC of the settings ("ean", {"number": {...}}, {"list": ...}) as a tree to
 * run.
 *
 * A SPEC is the name of a volume, or a map with one of the keys volume constant sequence number
 * choice pattern template now uuid reference list object optional text.
 */
#ifndef FAKE_GENERATOR_H
#define FAKE_GENERATOR_H

#include "fake/pool.h"
#include "fake/report.h"
#include "fake/value.h"

struct generator;

/* What a SPEC may refer to, and where its mistakes go. All borrowed while compiling. */
struct generator_scope {
	struct report *report;
	const char *const *fields; /* the names a template may use; NULL at the end */
	uint64_t *uses;		   /* one for each field: how often templates insert it */
	const struct pattern_pools *pools;
	bool *pool_uses; /* one for each pool: set when a reference uses it */
	bool timeless;	 /* the rows of a pool: made once, so that "now" would mislead */
	unsigned depth;	 /* of nested SPECs, from 0 */
	uint64_t copies; /* how often the SPEC is rendered for one message: 1, more in lists */
};

struct generator_span {
	enum value_kind kind;
	size_t at, len; /* in the arena */
};

/* One message being rendered. */
struct generator_context {
	struct rng *rng;
	int64_t wall_ms;
	uint64_t sequence;
	const struct pattern_pools *pools;
	const size_t *rows;		     /* the row taken of each pool */
	const struct generator_span *fields; /* in the order of the scope's names */
	struct buf arena;		     /* plain texts of the fields; owned */
	struct buf spare;		     /* owned scratch */
};

/* NULL when something was reported. */
struct generator *generator_create(
    const json_t *spec, const struct report_path *at, struct generator_scope *scope);
/* From the text of a template: {{field}}, with {{{{ for a literal {{. */
struct generator *generator_from_template(
    struct slice text, const struct report_path *at, struct generator_scope *scope);

/* True when each message gets the same text; then *kind and *text (valid as long as g). */
bool generator_is_constant(const struct generator *g, enum value_kind *kind, struct slice *text);

/* Appends the plain text of one value and returns its kind. Allocates only when a buf grows. */
enum value_kind generator_render(
    const struct generator *g, struct generator_context *x, struct buf *out);

void generator_free(struct generator *g);

#endif
