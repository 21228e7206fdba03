/* census.h - how often each text occurs. */
#ifndef BASE_CENSUS_H
#define BASE_CENSUS_H

#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

struct census;

struct census_row {
	struct slice text; /* any bytes; NULL ptr never */
	uint64_t count;
};

/* Knows at most so many texts: further ones are counted together. */
struct census *census_create(size_t most);
void census_free(struct census *census);

void census_add(struct census *census, struct slice text);

size_t census_size(const struct census *census);     /* texts that are known */
uint64_t census_others(const struct census *census); /* additions of texts beyond the most */

/* The rows, most frequent first, equal ones in the order of their bytes; or all by their bytes.
 * Borrowed until the next call. */
const struct census_row *census_by_count(struct census *census);
const struct census_row *census_by_text(struct census *census);

#endif
