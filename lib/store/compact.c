#include "store/compact.h"

#include "base/mem.h"
#include "store/store_private.h"

#include <stdlib.h>
#include <sys/stat.h>

static uint64_t size_of(const char *path)
{
	struct stat file;
	return stat(path, &file) == 0 ? (uint64_t)file.st_size : 0;
}

static uint64_t size_of_store(const struct store *store)
{
	char *log = mem_printf("%s-wal", store->path);
	uint64_t size = size_of(store->path) + size_of(log);
	free(log);
	return size;
}

/* Waits for readers as long as the store is patient. */
static bool take_up_log(struct store *store, struct error *err)
{
	bool row = false;
	sqlite3_stmt *s = store_prepare(store, "PRAGMA wal_checkpoint(TRUNCATE)", err);
	bool good = s != NULL && store_step(store, s, &row, err);
	if (good && row && sqlite3_column_int(s, 0) != 0)
		good = error_set(err, ERROR_UNAVAILABLE,
		    "store '%s': another process reads it all the time, so its log has to stay",
		    store->shown);
	sqlite3_finalize(s);
	return good;
}

static bool drop_snapshots(struct store *store, uint64_t *count, struct error *err)
{
	bool good = store_exec(store,
	    "DELETE FROM snapshot WHERE owner IS NULL OR hash IS NOT"
	    " (SELECT hash FROM event WHERE event.position = snapshot.position)",
	    err);
	*count = good ? (uint64_t)sqlite3_changes64(store->db) : 0;
	return good;
}

bool compact_run(struct store *store, struct compact_result *out, struct error *err)
{
	out->before = size_of_store(store);
	bool good = drop_snapshots(store, &out->snapshots, err) &&
		    store_exec(store, "VACUUM", err) && take_up_log(store, err);
	out->after = size_of_store(store);
	return good;
}
