/* pattern_fields.h - the `fields:` of a message or of a pool: compiled, and rendered in the order
 * they need. */
#ifndef FAKE_PATTERN_FIELDS_H
#define FAKE_PATTERN_FIELDS_H

#include "fake/generator.h"

struct pattern_fields {
	const char **names; /* in the order of the settings, NULL at the end; owned */
	struct generator **generators;
	uint64_t **uses; /* uses[i][k]: how often field i inserts field k */
	size_t count;
	size_t *order;	 /* what a template inserts comes before it */
	bool *pool_uses; /* one for each pool */
};

/* `spec` is a list of volumes, a map of names to SPECs, or NULL for no fields. False when something
 * was reported; release in any case. */
bool pattern_fields_create(struct pattern_fields *f, const json_t *spec,
    const struct report_path *at, struct report *report, const struct pattern_pools *pools,
    bool timeless);

/* A scope in which templates see these fields. `uses` has f->count items. */
struct generator_scope pattern_fields_scope(struct pattern_fields *f, uint64_t *uses,
    struct report *report, const struct pattern_pools *pools);

/* Takes the rows that references need, then renders all fields into x->arena, which is cleared.
 * spans has f->count items, rows one for each pool. */
void pattern_fields_render(const struct pattern_fields *f, struct generator_context *x,
    struct generator_span *spans, size_t *rows);

void pattern_fields_release(struct pattern_fields *f);

#endif
