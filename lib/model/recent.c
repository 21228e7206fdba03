#include "model/recent.h"

#include "base/ids.h"
#include "base/mem.h"

#include <stdlib.h>

struct recent {
	/* a ring of `window`; a hash that came again stands in it twice, the table knows the later
	 * place */
	struct siphash *hashes;
	int64_t *times; /* of the same; NULL: however old they are */
	size_t window, first, count;
	uint64_t age_ms;
	int64_t last_ms;
	struct ids places;
};

struct recent *recent_create(size_t window, uint64_t age_ms)
{
	struct recent *r = mem_alloc(1, sizeof *r);
	r->hashes = mem_alloc(window, sizeof *r->hashes);
	r->times = age_ms > 0 ? mem_alloc(window, sizeof *r->times) : NULL;
	r->window = window;
	r->age_ms = age_ms;
	r->last_ms = INT64_MIN;
	return r;
}

void recent_free(struct recent *r)
{
	if (r == NULL)
		return;
	ids_release(&r->places);
	free(r->hashes);
	free(r->times);
	free(r);
}

bool recent_has(const struct recent *r, struct siphash hash)
{
	size_t place;
	return ids_find(&r->places, r->hashes, hash, &place);
}

bool recent_find(const struct recent *r, struct siphash hash, size_t *newer)
{
	size_t place;
	if (!ids_find(&r->places, r->hashes, hash, &place))
		return false;
	size_t older = place >= r->first ? place - r->first : place + r->window - r->first;
	*newer = r->count - 1 - older;
	return true;
}

static void drop_first(struct recent *r)
{
	size_t place;
	if (ids_find(&r->places, r->hashes, r->hashes[r->first], &place) && place == r->first)
		ids_remove(&r->places, r->hashes, place);
	r->first = r->first + 1 < r->window ? r->first + 1 : 0;
	r->count--;
}

void recent_add(struct recent *r, struct siphash hash, int64_t at_ms)
{
	size_t place;
	if (r->count == r->window)
		drop_first(r);
	if (ids_find(&r->places, r->hashes, hash, &place))
		ids_remove(&r->places, r->hashes, place);
	place = (r->first + r->count++) % r->window;
	r->hashes[place] = hash;
	ids_add(&r->places, r->hashes, place);
	r->last_ms = at_ms > r->last_ms ? at_ms : r->last_ms;
	if (r->times != NULL)
		r->times[place] = r->last_ms;
}

void recent_expire(struct recent *r, int64_t now_ms)
{
	while (r->times != NULL && r->count > 0 && r->times[r->first] < now_ms &&
	       (uint64_t)(now_ms - r->times[r->first]) >= r->age_ms)
		drop_first(r);
}

size_t recent_count(const struct recent *r)
{
	return r->count;
}
