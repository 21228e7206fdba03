/* generator_kinds.h - the kinds of generators: one row each. Only for the generator_*.c files. */
#ifndef FAKE_GENERATOR_PRIVATE_H
#define FAKE_GENERATOR_PRIVATE_H

#include "fake/distribution.h"
#include "fake/generator.h"
#include "fake/volumes.h"

struct generator_kind {
	const char *name;
	/* Fills in g from what stands behind the key. False when something was reported; the caller
	 * then releases g. */
	bool (*compile)(struct generator *g, const json_t *spec, const struct report_path *at,
	    struct generator_scope *scope);
	enum value_kind (*render)(
	    const struct generator *g, struct generator_context *x, struct buf *out);
	void (*release)(struct generator *g); /* NULL: nothing to release */
};

struct generator_piece {
	struct slice literal; /* in the template's text */
	size_t field;	      /* after the literal; SIZE_MAX: none */
};

struct generator_member {
	char *prefix; /* ,"name": */
	struct generator *value;
};

struct generator_choice {
	enum value_kind kind;
	char *text;
	size_t len;
	double up_to; /* the sum of the weights up to and with this one */
};

struct generator_bounds {
	uint64_t min, max;
};

enum generator_format { GENERATOR_RFC3339, GENERATOR_DATE, GENERATOR_EPOCH_S, GENERATOR_EPOCH_MS };

struct generator {
	const struct generator_kind *kind;
	union {
		const struct volume *volume;
		struct {
			enum value_kind kind;
			char *text;
			size_t len;
		} constant; /* also pattern, whose text it is */
		struct {
			int64_t from, step;
		} sequence;
		struct {
			struct distribution distribution; /* of value * 10^decimals */
			unsigned decimals;
		} number;
		struct {
			struct generator_choice *items;
			size_t count;
		} choice;
		struct {
			char *text;
			struct generator_piece *pieces;
			size_t count;
		} template;
		struct {
			enum generator_format format;
			int64_t offset_ms;
		} now;
		struct {
			size_t pool, column;
		} reference;
		struct {
			struct generator *of;
			struct generator_bounds count;
		} list;
		struct {
			struct generator_member *members;
			size_t count;
		} object;
		struct {
			struct generator *of;
			double probability;
			enum value_kind otherwise;
		} optional;
		struct generator_bounds bytes; /* text */
	} u;
};

/* generator_number.c */
extern const struct generator_kind generator_number, generator_sequence;
/* generator_template.c */
extern const struct generator_kind generator_template;
/* generator_composite.c */
extern const struct generator_kind generator_choice, generator_list, generator_object,
    generator_optional;

/* A whole number or {min, max} (both needed) within [0, most]. */
bool generator_read_bounds(const json_t *spec, uint64_t most, const struct report_path *at,
    struct report *report, struct generator_bounds *out);
/* Appends the constant that a JSON value is; false and reported when it is nested too deeply. */
bool generator_read_constant(const json_t *json, const struct report_path *at,
    struct report *report, enum value_kind *kind, struct buf *out);

#endif
