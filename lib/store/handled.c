#include "store/handled.h"

#include "base/mem.h"
#include "model/recent.h"
#include "store/handled_private.h"
#include "store/store_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

/* Rows of a scope are numbered without gaps; the last ones are those in memory. */
struct handled {
	struct handled_options options;
	char *scope;
	unsigned char key[SIPHASH_KEY_BYTES];
	struct recent *recent;
	struct answers *answers; /* NULL: none */
	uint64_t last;		 /* number of the last mark that is known; 0: none */
	uint64_t trimmed;	 /* up to there the file has none */
	uint64_t changes;	 /* of the store, when it was last looked at */
	int64_t now_ms;		 /* of the transaction */
	struct siphash *written; /* in it */
	size_t written_count, written_capacity;
	sqlite3_stmt *read, *insert, *trim;
};

/* ---- memory ---- */

struct siphash handled_hash(const struct handled *h, struct slice key)
{
	return siphash_128(h->key, key);
}

/* Up to this number they are. */
static uint64_t forgotten(const struct handled *h)
{
	return h->last - recent_count(h->recent);
}

bool handled_has(struct handled *h, struct siphash mark, int64_t now_ms)
{
	recent_expire(h->recent, now_ms);
	return recent_has(h->recent, mark);
}

void handled_add(
    struct handled *h, struct siphash mark, struct message *answer_take, int64_t now_ms)
{
	struct error ignored = {0}; /* memory does not fail */
	recent_add(h->recent, mark, now_ms);
	recent_expire(h->recent, now_ms);
	h->last++;
	if (h->answers == NULL) {
		free(answer_take);
		return;
	}
	IGNORE_RESULT(answers_forget(h->answers, forgotten(h), &ignored));
	if (answer_take != NULL)
		answers_take(h->answers, h->last, answer_take);
}

bool handled_keeps(const struct handled *h, const struct message *answer)
{
	return h->options.answers_bytes > 0 && answers_size(answer) <= h->options.answers_bytes;
}

bool handled_answer(struct handled *h, struct siphash mark, struct message **out, struct error *err)
{
	size_t newer;
	*out = NULL;
	if (h->options.answers_bytes == 0 || !recent_find(h->recent, mark, &newer))
		return true;
	const struct slice bytes = {(const char *)&mark, sizeof mark};
	return answers_find(h->answers, h->last - newer, bytes, out, err);
}

/* ---- the file ---- */

static struct siphash mark_of(struct slice bytes)
{
	struct siphash mark = {0};
	if (bytes.len == sizeof mark) /* others come from elsewhere, and match nothing */
		memcpy(&mark, bytes.ptr, sizeof mark);
	return mark;
}

/* Those behind the last one that is known. */
static bool read_on(struct handled *h, struct error *err)
{
	bool row = true;
	store_bind_text(h->read, 1, slice_str(h->scope));
	store_bind_u64(h->read, 2, h->last);
	while (store_step(h->options.store, h->read, &row, err) && row) {
		h->last = store_column_u64(h->read, 0);
		recent_add(
		    h->recent, mark_of(store_column(h->read, 1)), sqlite3_column_int64(h->read, 2));
	}
	return err->kind == ERROR_NONE;
}

bool handled_catch_up(struct handled *h, struct error *err)
{
	uint64_t changes;
	if (h->options.store == NULL)
		return true;
	if (!store_changes(h->options.store, &changes, err))
		return false;
	if (changes == h->changes)
		return true;
	h->changes = changes;
	return read_on(h, err);
}

bool handled_begin(struct handled *h, int64_t now_ms, struct error *err)
{
	if (!read_on(h, err))
		return false;
	recent_expire(h->recent, now_ms);
	h->now_ms = now_ms;
	h->written_count = 0;
	uint64_t first = forgotten(h);
	if (first <= h->trimmed)
		return true;
	store_bind_text(h->trim, 1, slice_str(h->scope));
	store_bind_u64(h->trim, 2, first);
	if (!store_run(h->options.store, h->trim, err) ||
	    (h->answers != NULL && !answers_forget(h->answers, first, err)))
		return false;
	h->trimmed = first;
	return true;
}

bool handled_bound(struct handled *h, struct error *err)
{
	return h->answers == NULL || answers_bound(h->answers, err);
}

bool handled_write(
    struct handled *h, struct siphash mark, const struct message *answer, struct error *err)
{
	size_t count = h->written_count + 1;
	h->written = mem_grow(h->written, &h->written_capacity, count, sizeof *h->written);
	h->written[h->written_count++] = mark;
	store_bind_text(h->insert, 1, slice_str(h->scope));
	store_bind_u64(h->insert, 2, h->last + count);
	store_bind_blob(h->insert, 3, (struct slice){(const char *)&mark, sizeof mark});
	sqlite3_bind_int64(h->insert, 4, h->now_ms);
	return store_run(h->options.store, h->insert, err) &&
	       (answer == NULL || answers_write(h->answers, h->last + count, answer, err));
}

void handled_end(struct handled *h, bool kept)
{
	if (!kept)
		h->trimmed = 0;
	for (size_t i = 0; kept && i < h->written_count; i++) {
		recent_add(h->recent, h->written[i], h->now_ms);
		h->last++;
	}
	h->written_count = 0;
}

/* ---- life ---- */

static bool prepare(struct handled *h, struct error *err)
{
	struct store *store = h->options.store;
	memcpy(h->key, store->key, sizeof h->key);
	h->read = store_prepare(store,
	    "SELECT number, mark, at FROM handled WHERE scope = ?1 AND number > ?2 ORDER BY number",
	    err);
	h->insert = store_prepare(
	    store, "INSERT INTO handled (scope, number, mark, at) VALUES (?1, ?2, ?3, ?4)", err);
	h->trim =
	    store_prepare(store, "DELETE FROM handled WHERE scope = ?1 AND number <= ?2", err);
	return h->read != NULL && h->insert != NULL && h->trim != NULL;
}

/* The number of the last mark, less the window: those before need not be read. */
static bool find_first(struct handled *h, struct error *err)
{
	bool row;
	sqlite3_stmt *s = store_prepare(
	    h->options.store, "SELECT max(number) FROM handled WHERE scope = ?1", err);
	if (s == NULL)
		return false;
	store_bind_text(s, 1, slice_str(h->scope));
	bool good = store_step(h->options.store, s, &row, err);
	uint64_t last = good && row ? store_column_u64(s, 0) : 0;
	h->last = last > h->options.window ? last - h->options.window : 0;
	sqlite3_finalize(s);
	return good;
}

static bool make_key(struct handled *h, struct error *err)
{
	if (getrandom(h->key, sizeof h->key, 0) == (ssize_t)sizeof h->key)
		return true;
	return error_set(err, ERROR_IO, "cannot get random bytes: %s", strerror(errno));
}

struct handled *handled_open(const struct handled_options *options, struct error *err)
{
	struct handled *h = mem_alloc(1, sizeof *h);
	h->options = *options;
	h->recent = recent_create(options->window, options->age_ms);
	h->scope = options->scope != NULL ? mem_strdup(options->scope) : NULL;
	bool good = options->store == NULL
			? make_key(h, err)
			: prepare(h, err) && find_first(h, err) && read_on(h, err);
	good = good &&
	       answers_open(options->store, h->scope, options->answers_bytes, &h->answers, err);
	if (good)
		return h;
	handled_close(h);
	return NULL;
}

void handled_close(struct handled *h)
{
	if (h == NULL)
		return;
	sqlite3_finalize(h->read);
	sqlite3_finalize(h->insert);
	sqlite3_finalize(h->trim);
	recent_free(h->recent);
	answers_close(h->answers);
	free(h->scope);
	free(h->written);
	free(h);
}
