#include "app/fold_table.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/ids.h"

#include <stdlib.h>

#define STEP 5000 /* events in a transaction */

/* States are kept at hand, as values, until they are more than this. */
#define MAX_STATES 20000
#define MAX_STATE_BYTES ((size_t)32 << 20) /* as JSON */

struct entry {
	struct fold_state state; /* its stream is `name` */
	char *name;
	bool has_changed;
};

struct fold_table {
	struct fold_table_options options;
	struct entry *entries;
	struct siphash *hashes; /* one each */
	size_t count, capacity, hash_capacity;
	struct ids ids;
	size_t *changed; /* of entries, in the order of their first change */
	size_t changed_count, changed_capacity;
	size_t bytes; /* of states read and written since the entries were dropped */
	uint64_t seen;
	unsigned char hash[STORE_HASH_BYTES]; /* of the event at `seen` */
	struct buf json;
};

struct fold_table *fold_table_create(const struct fold_table_options *options)
{
	struct fold_table *t = mem_alloc(1, sizeof *t);
	t->options = *options;
	t->seen = projection_position(options->projection);
	return t;
}

static void drop_entries(struct fold_table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		datum_free(&t->entries[i].state.value);
		free(t->entries[i].name);
	}
	if (t->count > 0)
		memset(t->entries, 0, t->count * sizeof *t->entries);
	ids_release(&t->ids);
	t->ids = (struct ids){0};
	t->count = t->bytes = 0;
}

void fold_table_free(struct fold_table *t)
{
	if (t == NULL)
		return;
	drop_entries(t);
	free(t->entries);
	free(t->hashes);
	free(t->changed);
	buf_release(&t->json);
	free(t);
}

/* ---- the states at hand ---- */

static bool load(struct fold_table *t, struct entry *e, struct error *err)
{
	struct projection_row row;
	if (!projection_find(t->options.projection, e->state.stream, &row, err))
		return false;
	if (row.version == 0)
		e->state.value = fold_initial(t->options.fold);
	else if (!datum_parse(row.state, &e->state.value)) {
		char *name = text_quote(row.stream);
		error_set(err, ERROR_DATA, "the kept state of stream '%s' is not JSON", name);
		free(name);
		return false;
	}
	t->bytes += row.state.len;
	e->state.version = row.version;
	e->state.position = row.position;
	return true;
}

/* The entry of a stream; NULL: it cannot be read. */
static struct entry *find(struct fold_table *t, struct slice stream, struct error *err)
{
	/* of 128 bits: no two names meet */
	static const unsigned char key[SIPHASH_KEY_BYTES];
	size_t place;
	struct siphash hash = siphash_128(key, stream);
	if (ids_find(&t->ids, t->hashes, hash, &place))
		return &t->entries[place];
	t->entries = mem_grow(t->entries, &t->capacity, t->count + 1, sizeof *t->entries);
	t->hashes = mem_grow(t->hashes, &t->hash_capacity, t->count + 1, sizeof *t->hashes);
	struct entry *e = &t->entries[t->count];
	e->name = mem_strndup(stream.len > 0 ? stream.ptr : "", stream.len);
	e->state.stream = (struct slice){e->name, stream.len};
	t->hashes[t->count] = hash;
	ids_add(&t->ids, t->hashes, t->count++);
	return load(t, e, err) ? e : NULL;
}

/* ---- one step ---- */

static bool take(struct fold_table *t, const struct select_event *event, struct error *err)
{
	struct slice stream;
	t->seen = event->position;
	memcpy(t->hash, event->hash, STORE_HASH_BYTES);
	if (!fold_stream(t->options.fold, event, &stream))
		return true;
	struct entry *e = find(t, stream, err);
	if (e == NULL || !fold_apply(t->options.fold, event, &e->state, err))
		return false;
	if (!e->has_changed) {
		t->changed = mem_grow(
		    t->changed, &t->changed_capacity, t->changed_count + 1, sizeof *t->changed);
		t->changed[t->changed_count++] = (size_t)(e - t->entries);
		e->has_changed = true;
	}
	return t->options.every == NULL || t->options.every(t->options.ctx, &e->state, err);
}

static bool read_events(struct fold_table *t, uint64_t to, size_t *count, struct error *err)
{
	const struct select_filter filter = {.from = t->seen + 1, .to = to, .limit = STEP};
	struct select_event event;
	struct select *select = select_open(t->options.store, &filter, err);
	bool good = select != NULL;
	*count = 0;
	while (good && t->bytes < MAX_STATE_BYTES && select_next(select, &event, err)) {
		good = take(t, &event, err);
		++*count;
	}
	select_close(select);
	return good && err->kind == ERROR_NONE;
}

static bool put(struct fold_table *t, const struct fold_state *state, struct error *err)
{
	if (!fold_check_state(state, err))
		return false;
	buf_clear(&t->json);
	datum_write(&state->value, &t->json);
	t->bytes += t->json.len;
	const struct projection_row row = {
	    state->stream, state->version, state->position, buf_slice(&t->json)};
	return projection_put(t->options.projection, &row, err);
}

static bool write_states(struct fold_table *t, struct error *err)
{
	struct projection *p = t->options.projection;
	bool good = projection_begin(p, err);
	for (size_t i = 0; good && i < t->changed_count; i++)
		good = put(t, &t->entries[t->changed[i]].state, err);
	return good && projection_commit(p, t->seen, t->hash, err);
}

static bool tell_changes(struct fold_table *t, struct error *err)
{
	bool good = true;
	for (size_t i = 0; i < t->changed_count; i++) {
		struct entry *e = &t->entries[t->changed[i]];
		e->has_changed = false;
		if (good && t->options.changed != NULL)
			good = t->options.changed(t->options.ctx, &e->state, err);
	}
	t->changed_count = 0;
	return good;
}

bool fold_table_advance(struct fold_table *t, uint64_t to, bool *more, struct error *err)
{
	size_t count = 0;
	if (t->seen < to && !read_events(t, to, &count, err))
		return false;
	*more = count > 0;
	if (count == 0)
		return true;
	if (!write_states(t, err) || !tell_changes(t, err))
		return false;
	if (t->count > MAX_STATES || t->bytes > MAX_STATE_BYTES)
		drop_entries(t);
	return true;
}
