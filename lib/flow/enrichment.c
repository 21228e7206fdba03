#include "flow/enrichment.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "base/text.h"
#include "config/input.h"
#include "fake/value.h"
#include "fake/volumes.h"
#include "store/select.h"
#include "store/subjects.h"

#include <stdlib.h>
#include <string.h>

struct enrichment {
	bool (*find)(struct enrichment *e, struct slice key, struct datum *out, struct error *err);
	const struct volume *volume;
	uint64_t seed;
	struct buf text, spare;
	struct datum table; /* of a file: an object */
	struct store *store;
};

/* ---- made-up data ---- */

static bool find_volume(
    struct enrichment *e, struct slice key, struct datum *out, struct error *err)
{
	static const enum value_kind kinds[] = {
	    [VOLUME_TEXT] = VALUE_TEXT, [VOLUME_NUMBER] = VALUE_NUMBER, [VOLUME_BOOL] = VALUE_BOOL};
	unsigned char seed[SIPHASH_KEY_BYTES] = {0};
	struct rng rng;
	(void)err;
	memcpy(seed, &e->seed, sizeof e->seed);
	rng_seed(&rng, siphash_128(seed, key).low);
	buf_clear(&e->text);
	e->volume->generate(&rng, chrono_wall_ms(), &e->text);
	value_make_json(kinds[e->volume->kind], &e->text, 0, &e->spare);
	if (!datum_parse(buf_slice(&e->text), out))
		*out = datum_null();
	return true;
}

static bool open_volume(struct enrichment *e, const char *name, struct error *err)
{
	e->find = find_volume;
	e->volume = volumes_find(slice_str(name));
	if (e->volume != NULL)
		return true;
	char *shown = text_quote(slice_str(name));
	error_set(err, ERROR_USAGE, "'%s' is no kind of made-up data", shown);
	free(shown);
	return false;
}

/* ---- a file ---- */

static bool find_row(struct enrichment *e, struct slice key, struct datum *out, struct error *err)
{
	(void)err;
	*out = datum_get(&e->table, key);
	return true;
}

static bool fail_at(const char *path, size_t line, const char *what, struct error *err)
{
	char *shown = text_quote(slice_str(path));
	if (line > 0)
		error_set(err, ERROR_DATA, "'%s', line %zu: %s", shown, line, what);
	else
		error_set(err, ERROR_DATA, "'%s' %s", shown, what);
	free(shown);
	return false;
}

static bool add_row(struct enrichment *e, struct slice line, const char *by)
{
	struct datum row;
	struct slice key;
	if (!datum_parse(line, &row))
		return false;
	struct datum value = datum_get(&row, slice_str(by));
	bool good = datum_exists(&value) && !datum_is_null(&value);
	buf_clear(&e->text);
	if (good && !datum_is_text(&value, &key)) {
		datum_write(&value, &e->text);
		key = buf_slice(&e->text);
	}
	if (good)
		datum_put_take(&e->table, key, datum_copy(&row));
	datum_free(&value);
	datum_free(&row);
	return good;
}

static bool read_lines(
    struct enrichment *e, const char *path, struct slice text, const char *by, struct error *err)
{
	e->table = datum_object();
	for (size_t line = 1; text.len > 0; line++) {
		const char *end = memchr(text.ptr, '\n', text.len);
		size_t len = end != NULL ? (size_t)(end - text.ptr) : text.len;
		struct slice one = slice_trim((struct slice){text.ptr, len});
		if (one.len > 0 && !add_row(e, one, by)) {
			char *what = mem_printf("it is no JSON object with a member '%s'", by);
			fail_at(path, line, what, err);
			free(what);
			return false;
		}
		len += end != NULL;
		text = (struct slice){text.ptr + len, text.len - len};
	}
	return true;
}

static bool has_end(const char *path, const char *end)
{
	size_t len = strlen(path), most = strlen(end);
	return len >= most && strcmp(path + len - most, end) == 0;
}

static bool open_file(struct enrichment *e, const char *path, const char *by, struct error *err)
{
	struct buf text = {0};
	bool is_file;
	e->find = find_row;
	bool good = input_read(path, ENRICHMENT_MAX_FILE, &text, &is_file, err);
	if (good && (has_end(path, ".jsonl") || has_end(path, ".ndjson")))
		good = read_lines(e, path, buf_slice(&text), by, err);
	else if (good && (!datum_parse(buf_slice(&text), &e->table) || !datum_is_object(&e->table)))
		good = fail_at(path, 0,
		    "is no JSON object by key; a file of JSON lines has a name that ends in .jsonl",
		    err);
	buf_release(&text);
	return good;
}

/* ---- an event store ---- */

static bool read_latest(struct enrichment *e, const char *subject, uint64_t version,
    struct datum *out, struct error *err)
{
	const struct select_filter filter = {
	    .subject = subject, .after_version = version - 1, .limit = 1};
	struct select_event event;
	struct select *select = select_open(e->store, &filter, err);
	if (select == NULL)
		return false;
	if (select_next(select, &event, err))
		*out = datum_body(event.data);
	select_close(select);
	return err->kind == ERROR_NONE;
}

static bool find_subject(
    struct enrichment *e, struct slice key, struct datum *out, struct error *err)
{
	uint64_t version;
	*out = (struct datum){0};
	if (memchr(key.ptr, '\0', key.len) != NULL)
		return true; /* no subject has that */
	if (!subjects_version(e->store, key, STORE_MAX_POSITION, &version, err))
		return false;
	if (version == 0)
		return true;
	char *subject = mem_strndup(key.ptr, key.len);
	bool good = read_latest(e, subject, version, out, err);
	free(subject);
	return good;
}

static bool open_store(struct enrichment *e, const char *path, struct error *err)
{
	e->find = find_subject;
	e->store = store_open(path, STORE_READ, err);
	return e->store != NULL;
}

/* ---- life ---- */

static bool open_source(
    struct enrichment *e, const struct enrichment_options *options, struct error *err)
{
	if ((options->volume != NULL) + (options->file != NULL) + (options->store != NULL) != 1)
		return error_set(
		    err, ERROR_USAGE, "enrich takes its value from one of volume, file and store");
	if (options->volume != NULL)
		return open_volume(e, options->volume, err);
	if (options->file != NULL)
		return open_file(e, options->file, options->by != NULL ? options->by : "id", err);
	return open_store(e, options->store, err);
}

struct enrichment *enrichment_open(const struct enrichment_options *options, struct error *err)
{
	struct enrichment *e = mem_alloc(1, sizeof *e);
	e->seed = options->seed;
	if (open_source(e, options, err))
		return e;
	enrichment_close(e);
	return NULL;
}

void enrichment_close(struct enrichment *e)
{
	if (e == NULL)
		return;
	datum_free(&e->table);
	store_close(e->store);
	buf_release(&e->text);
	buf_release(&e->spare);
	free(e);
}

bool enrichment_find(struct enrichment *e, struct slice key, struct datum *out, struct error *err)
{
	*out = (struct datum){0};
	return e->find(e, key, out, err);
}
