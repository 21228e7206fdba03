#include "broker/spool_walk.h"

#define WINDOW_BYTES (SPOOL_RECORD_SMALL_BYTES * 4)

struct walk {
	const struct spool_file *file;
	const struct crc *crc;
	uint64_t size;
	struct buf window; /* the bytes of the file from `start` on */
	uint64_t start;
	struct error *err;
};

/* `len` bytes of the file from `offset` on, which are there, valid until the next call; at most
 * WINDOW_BYTES. NULL: they cannot be read. */
static const char *view(struct walk *w, uint64_t offset, size_t len)
{
	if (offset < w->start || offset + len > w->start + w->window.len) {
		uint64_t left = w->size - offset;
		size_t wanted = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
		buf_clear(&w->window);
		if (!spool_file_read(
			w->file, buf_reserve(&w->window, wanted), wanted, offset, w->err))
			return NULL;
		w->window.len = wanted;
		w->start = offset;
	}
	return w->window.ptr + (offset - w->start);
}

static bool damaged(const struct walk *w, uint64_t offset)
{
	return error_set(w->err, ERROR_DATA,
	    "spool '%s' is damaged at byte %llu; nothing was changed", w->file->shown,
	    (unsigned long long)offset);
}

/* An empty file, or the first bytes of a beginning, is a spool that was not made to the end. */
static bool check_magic(struct walk *w, bool *is_whole)
{
	struct slice magic = SPOOL_RECORD_MAGIC, family = SPOOL_RECORD_FAMILY;
	size_t len = w->size < magic.len ? (size_t)w->size : magic.len;
	if (len == 0)
		return true;
	const char *start = view(w, 0, len);
	if (start == NULL)
		return false;
	*is_whole = len == magic.len;
	if (memcmp(start, magic.ptr, len) == 0)
		return true;
	if (*is_whole && memcmp(start, family.ptr, family.len) == 0)
		return error_set(w->err, ERROR_DATA,
		    "spool '%s' is another version's; nothing was changed", w->file->shown);
	return error_set(
	    w->err, ERROR_DATA, "'%s' is not a spool; nothing was changed", w->file->shown);
}

/* Whether the payload is what its head says. False with an error when it cannot be read. */
static bool check_payload(
    struct walk *w, const struct spool_record *r, uint64_t offset, bool *is_good)
{
	uint32_t check = 0;
	for (uint32_t done = 0, part; done < r->length; done += part) {
		part = r->length - done < WINDOW_BYTES ? r->length - done : WINDOW_BYTES;
		const char *bytes = view(w, offset + done, part);
		if (bytes == NULL)
			return false;
		check = crc_of(w->crc, check, (struct slice){bytes, part});
	}
	*is_good = check == r->check;
	return true;
}

/* Whether a whole record stands there. False with an error when it cannot be read. */
static bool find_record(struct walk *w, uint64_t offset, struct spool_record *r, bool *is_there)
{
	*is_there = false;
	if (w->size - offset < SPOOL_RECORD_HEAD_BYTES)
		return true;
	const char *head = view(w, offset, SPOOL_RECORD_HEAD_BYTES);
	if (head == NULL)
		return false;
	if (!spool_record_read_head(w->crc, head, offset, r) ||
	    r->length > w->size - offset - SPOOL_RECORD_HEAD_BYTES)
		return true;
	return check_payload(w, r, offset + SPOOL_RECORD_HEAD_BYTES, is_there);
}

/* What is behind a bad record is torn with it, unless the head of another one is found there. */
static bool check_torn(struct walk *w, uint64_t bad)
{
	struct spool_record unused;
	for (uint64_t at = bad + 1; at + SPOOL_RECORD_HEAD_BYTES <= w->size; at++) {
		const char *head = view(w, at, SPOOL_RECORD_HEAD_BYTES);
		if (head == NULL)
			return false;
		if (spool_record_read_head(w->crc, head, at, &unused))
			return damaged(w, bad);
	}
	return true;
}

static bool walk_records(struct walk *w, spool_walk_fn *each, void *ctx, uint64_t *end)
{
	uint64_t at = SPOOL_RECORD_MAGIC.len;
	while (at < w->size) {
		struct spool_record r;
		struct slice payload = {0};
		bool is_there;
		if (!find_record(w, at, &r, &is_there))
			return false;
		if (!is_there) {
			*end = at;
			return check_torn(w, at);
		}
		if (r.kind != SPOOL_RECORD_MESSAGE)
			payload = (struct slice){
			    view(w, at + SPOOL_RECORD_HEAD_BYTES, r.length), r.length};
		if (r.kind != SPOOL_RECORD_MESSAGE && payload.ptr == NULL)
			return false;
		if (!each(ctx, &r, at, payload))
			return damaged(w, at);
		at += SPOOL_RECORD_HEAD_BYTES + r.length;
	}
	*end = at;
	return true;
}

bool spool_walk(const struct spool_file *f, const struct crc *c, spool_walk_fn *each, void *ctx,
    uint64_t *end, struct error *err)
{
	struct walk w = {.file = f, .crc = c, .err = err};
	bool is_whole = false;
	*end = 0;
	bool good = spool_file_size(f, &w.size, err) && check_magic(&w, &is_whole) &&
		    (!is_whole || walk_records(&w, each, ctx, end));
	buf_release(&w.window);
	return good;
}
