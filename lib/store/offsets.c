#include "store/offsets.h"

#include "store/store_private.h"

bool offsets_last(struct store *store, const char *queue, int64_t *out, struct error *err)
{
	bool row;
	sqlite3_stmt *s = store_prepare(store,
	    "SELECT stream_offset FROM event WHERE queue = ?1 AND stream_offset IS NOT NULL"
	    " ORDER BY stream_offset DESC LIMIT 1",
	    err);
	if (s == NULL)
		return false;
	store_bind_text(s, 1, slice_str(queue));
	bool good = store_step(store, s, &row, err);
	if (good)
		*out = row ? sqlite3_column_int64(s, 0) : -1;
	sqlite3_finalize(s);
	return good;
}
