#include "store/snapshots.h"

#include "base/buf.h"
#include "base/mem.h"
#include "store/store_private.h"

#include <stdlib.h>
#include <string.h>

#define MAX_WAITING 512
#define MAX_WAITING_BYTES ((size_t)4 << 20)

/* The texts stand one behind the other in `bytes`. */
struct waiting {
	uint64_t version, position;
	unsigned char hash[STORE_HASH_BYTES];
	size_t stream_len, state_len;
};

struct snapshots {
	struct store *store;
	unsigned char reducer[DIGEST_BYTES];
	char *owner; /* NULL: none */
	struct waiting *waiting;
	size_t count, capacity;
	struct buf bytes;
	struct buf found; /* the state of the last snapshots_find */
	unsigned char found_hash[STORE_HASH_BYTES];
	struct digest *digest;
	sqlite3_stmt *find;
};

struct snapshots *snapshots_create(
    struct store *store, const unsigned char reducer[DIGEST_BYTES], const char *owner)
{
	struct snapshots *s = mem_alloc(1, sizeof *s);
	s->store = store;
	s->digest = digest_create();
	memcpy(s->reducer, reducer, DIGEST_BYTES);
	s->owner = owner != NULL ? mem_strdup(owner) : NULL;
	return s;
}

void snapshots_free(struct snapshots *s)
{
	if (s == NULL)
		return;
	sqlite3_finalize(s->find);
	digest_free(s->digest);
	free(s->owner);
	free(s->waiting);
	buf_release(&s->bytes);
	buf_release(&s->found);
	free(s);
}

static struct slice reducer_of(const struct snapshots *s)
{
	return (struct slice){(const char *)s->reducer, DIGEST_BYTES};
}

/* ---- the seal ---- */

static void add_number(struct digest *digest, uint64_t number)
{
	unsigned char bytes[8];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(number >> (8 * i));
	digest_add(digest, (struct slice){(const char *)bytes, sizeof bytes});
}

static void add_text(struct digest *digest, struct slice text)
{
	add_number(digest, text.len);
	digest_add(digest, text);
}

void snapshots_seal(struct digest *digest, struct slice reducer, struct slice stream,
    const struct snapshot *snapshot, unsigned char out[DIGEST_BYTES])
{
	digest_begin(digest);
	add_text(digest, reducer);
	add_text(digest, stream);
	add_number(digest, snapshot->version);
	add_number(digest, snapshot->position);
	digest_add(digest, (struct slice){(const char *)snapshot->hash, STORE_HASH_BYTES});
	add_text(digest, snapshot->state);
	digest_end(digest, out);
}

/* ---- finding ---- */

/* False when it is not what was written: an older one may be. */
static bool take(struct snapshots *s, struct slice stream, struct snapshot *out)
{
	unsigned char seal[DIGEST_BYTES];
	struct snapshot found = {.version = store_column_u64(s->find, 0),
	    .position = store_column_u64(s->find, 1),
	    .hash = (const unsigned char *)store_column(s->find, 2).ptr,
	    .state = store_column(s->find, 3)};
	snapshots_seal(s->digest, reducer_of(s), stream, &found, seal);
	if (!slice_equal(store_column(s->find, 4), (struct slice){(char *)seal, sizeof seal}))
		return false;
	memcpy(s->found_hash, found.hash, STORE_HASH_BYTES);
	buf_append(&s->found, found.state);
	found.hash = s->found_hash;
	found.state = buf_slice(&s->found);
	*out = found;
	return true;
}

bool snapshots_find(struct snapshots *s, struct slice stream, uint64_t position,
    struct snapshot *out, struct error *err)
{
	/* CROSS JOIN: SQLite keeps this order of the tables, newest snapshot first */
	static const char sql[] =
	    "SELECT s.version, s.position, s.hash, s.state, s.seal FROM snapshot AS s CROSS JOIN "
	    "event AS e"
	    " ON e.position = s.position AND e.hash = s.hash AND length(s.hash) = 32"
	    " WHERE s.reducer = ?1 AND s.stream = ?2 AND s.position <= ?3"
	    " ORDER BY s.position DESC";
	bool row = true, taken = false;
	*out = (struct snapshot){0};
	buf_clear(&s->found);
	if (s->find == NULL && (s->find = store_prepare(s->store, sql, err)) == NULL)
		return false;
	store_bind_blob(s->find, 1, reducer_of(s));
	store_bind_text(s->find, 2, stream);
	store_bind_u64(s->find, 3, position);
	while (row && !taken) {
		if (!store_step(s->store, s->find, &row, err))
			return false;
		taken = row && take(s, stream, out);
	}
	sqlite3_reset(s->find);
	return true;
}

/* ---- keeping ---- */

void snapshots_add(struct snapshots *s, struct slice stream, const struct snapshot *snapshot)
{
	if (snapshot->state.len > SNAPSHOTS_MAX_BYTES)
		return;
	s->waiting = mem_grow(s->waiting, &s->capacity, s->count + 1, sizeof *s->waiting);
	struct waiting *w = &s->waiting[s->count++];
	*w = (struct waiting){.version = snapshot->version,
	    .position = snapshot->position,
	    .stream_len = stream.len,
	    .state_len = snapshot->state.len};
	memcpy(w->hash, snapshot->hash, STORE_HASH_BYTES);
	buf_append(&s->bytes, stream);
	buf_append(&s->bytes, snapshot->state);
}

bool snapshots_is_full(const struct snapshots *s)
{
	return s->count >= MAX_WAITING || s->bytes.len >= MAX_WAITING_BYTES;
}

static bool delete_older(struct snapshots *s, struct error *err)
{
	if (s->owner == NULL)
		return true;
	sqlite3_stmt *delete =
	    store_prepare(s->store, "DELETE FROM snapshot WHERE owner = ?1 AND reducer <> ?2", err);
	if (delete == NULL)
		return false;
	store_bind_text(delete, 1, slice_str(s->owner));
	store_bind_blob(delete, 2, reducer_of(s));
	bool good = store_run(s->store, delete, err);
	sqlite3_finalize(delete);
	return good;
}

static bool insert_all(struct snapshots *s, sqlite3_stmt *insert, struct error *err)
{
	unsigned char seal[DIGEST_BYTES];
	const char *bytes = s->bytes.ptr;
	store_bind_blob(insert, 1, reducer_of(s));
	store_bind_text(insert, 7, slice_str(s->owner));
	for (size_t i = 0; i < s->count; i++) {
		const struct waiting *w = &s->waiting[i];
		struct slice stream = {bytes, w->stream_len};
		struct slice state = {bytes + w->stream_len, w->state_len};
		const struct snapshot snapshot = {w->version, w->position, w->hash, state};
		bytes += w->stream_len + w->state_len;
		snapshots_seal(s->digest, reducer_of(s), stream, &snapshot, seal);
		store_bind_text(insert, 2, stream);
		store_bind_u64(insert, 3, w->position);
		store_bind_u64(insert, 4, w->version);
		store_bind_blob(insert, 5, (struct slice){(const char *)w->hash, STORE_HASH_BYTES});
		store_bind_text(insert, 6, state);
		store_bind_blob(insert, 8, (struct slice){(const char *)seal, sizeof seal});
		if (!store_run(s->store, insert, err))
			return false;
	}
	return true;
}

bool snapshots_write(struct snapshots *s, struct error *err)
{
	static const char sql[] =
	    "INSERT OR REPLACE INTO snapshot (reducer, stream, position, version, hash, state,"
	    " owner, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
	if (s->count == 0)
		return true;
	sqlite3_stmt *insert = store_prepare(s->store, sql, err);
	bool good = insert != NULL && store_begin(s->store, err) &&
		    store_end(s->store, delete_older(s, err) && insert_all(s, insert, err), err);
	sqlite3_finalize(insert);
	s->count = 0;
	buf_clear(&s->bytes);
	return good;
}
