#include "broker/spool.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/spool_file.h"
#include "broker/spool_index.h"
#include "broker/spool_record.h"
#include "broker/spool_walk.h"

#include <assert.h>
#include <stdlib.h>

#define COPY_BYTES (1u << 20)	    /* of a compaction, a write */
#define NUMBER_MAX (UINT64_MAX / 2) /* so that nothing overflows */
#define KEEP_BYTES (4u << 20)	    /* of the buffer's memory, after a large message */

_Static_assert(SPOOL_IDENTITY_BYTES == SPOOL_RECORD_IDENTITY_BYTES, "what a record holds");

struct spool {
	struct spool_file file;
	struct crc crc;
	struct spool_index index; /* what is unsettled, in the file or in `out` */
	struct buf identity;
	uint64_t first, next;
	uint64_t flushed_next;		    /* next, at the last flush */
	uint64_t end;			    /* of the whole records in the file */
	struct buf out;			    /* records that are going to stand there */
	struct spool_record_range *settled; /* since the last flush */
	size_t settled_count, settled_capacity;
	uint64_t cut_bytes;
	uint64_t compact_from; /* the size of the file to try again at, after a failure */
	bool is_synced;
	bool is_name_synced; /* what the folder says of the file is on the disk */
	bool is_torn;	     /* something of a failed flush may stand after `end` */
};

/* ---- opening ---- */

struct load {
	struct spool *s;
	uint64_t least; /* what the next message's number is at least */
};

static bool load_run(struct spool *s, const struct spool_record *r, struct slice payload)
{
	uint64_t next;
	struct slice identity;
	if (!spool_record_read_run(payload, &next, &identity) || r->number > next ||
	    next > NUMBER_MAX)
		return false;
	buf_clear(&s->identity);
	buf_append(&s->identity, identity);
	s->first = r->number;
	s->next = next > s->next ? next : s->next;
	return true;
}

static bool load_message(struct load *load, const struct spool_record *r, uint64_t offset)
{
	struct spool *s = load->s;
	if (r->number < load->least || r->number > NUMBER_MAX)
		return false;
	spool_index_add(&s->index,
	    &(struct spool_place){r->number, offset, SPOOL_RECORD_HEAD_BYTES + r->length});
	load->least = r->number + 1;
	s->next = load->least > s->next ? load->least : s->next;
	return true;
}

static bool load_settled(struct spool *s, struct slice payload)
{
	struct spool_record_range range;
	while (spool_record_next_range(&payload, &range))
		spool_index_settle_range(&s->index, range.first, range.count);
	return payload.len == 0;
}

static bool load_record(
    void *ctx, const struct spool_record *r, uint64_t offset, struct slice payload)
{
	struct load *load = ctx;
	switch (r->kind) {
	case SPOOL_RECORD_RUN:
		return load_run(load->s, r, payload);
	case SPOOL_RECORD_MESSAGE:
		return load_message(load, r, offset);
	case SPOOL_RECORD_SETTLED:
		break;
	}
	return load_settled(load->s, payload);
}

/* Cuts a torn end off, and writes the beginning of a new file. */
static bool make_whole(struct spool *s, struct error *err)
{
	uint64_t size;
	if (!spool_file_size(&s->file, &size, err))
		return false;
	s->cut_bytes = s->end > 0 ? size - s->end : 0;
	if (size > s->end && !spool_file_truncate(&s->file, s->end, err))
		return false;
	if (s->end == 0 && !spool_file_write(&s->file, SPOOL_RECORD_MAGIC, 0, err))
		return false;
	s->end = s->end > 0 ? s->end : SPOOL_RECORD_MAGIC.len;
	return true;
}

static bool load(struct spool *s, struct error *err)
{
	struct load load = {.s = s};
	if (!spool_walk(&s->file, &s->crc, load_record, &load, &s->end, err))
		return false;
	spool_file_remove_stale(&s->file, SPOOL_RECORD_MAGIC);
	s->flushed_next = s->next;
	return spool_file_restrict(&s->file, err) && make_whole(s, err);
}

struct spool *spool_open(const char *path, bool is_synced, struct error *err)
{
	struct spool *s = mem_alloc(1, sizeof *s);
	s->is_synced = is_synced;
	crc_init(&s->crc);
	spool_index_init(&s->index);
	if (spool_file_open(&s->file, path, err) && load(s, err))
		return s;
	spool_close(s);
	return NULL;
}

void spool_close(struct spool *s)
{
	if (s == NULL)
		return;
	spool_file_close(&s->file);
	spool_index_release(&s->index);
	buf_release(&s->identity);
	buf_release(&s->out);
	free(s->settled);
	free(s);
}

/* ---- compaction ---- */

/* The start of a file that holds nothing but the run and how far it came. */
static void put_start(const struct spool *s, struct buf *out)
{
	buf_append(out, SPOOL_RECORD_MAGIC);
	spool_record_put_run(&s->crc, out, out->len, s->first, s->next, buf_slice(&s->identity));
}

static bool refuse_damage(const struct spool *s, uint64_t offset, struct error *err)
{
	return error_set(err, ERROR_DATA, "spool '%s' is damaged at byte %llu", s->file.shown,
	    (unsigned long long)offset);
}

/* A record as it is in the file, for another place. */
static bool copy_record(const struct spool *s, const struct spool_place *p, struct buf *out,
    uint64_t offset, struct error *err)
{
	struct spool_record r;
	char *to = buf_reserve(out, p->length);
	if (!spool_file_read(&s->file, to, p->length, p->offset, err))
		return false;
	if (!spool_record_read_head(&s->crc, to, p->offset, &r))
		return refuse_damage(s, p->offset, err);
	spool_record_put_head(&s->crc, &r, offset, to);
	out->len += p->length;
	return true;
}

/* Writes what is unsettled; *start is where the first message came to stand. */
static bool copy_unsettled(
    const struct spool *s, const struct spool_file *to, uint64_t *start, struct error *err)
{
	struct buf out = {0};
	uint64_t at = 0;
	bool good = true;
	put_start(s, &out);
	*start = out.len;
	const struct spool_place *p = spool_index_find(&s->index, 0);
	for (; p != NULL && good; p = spool_index_find(&s->index, p->number + 1)) {
		good = copy_record(s, p, &out, at + out.len, err);
		if (!good || out.len < COPY_BYTES)
			continue;
		good = spool_file_write(to, buf_slice(&out), at, err);
		at += out.len;
		buf_clear(&out);
	}
	good = good && spool_file_write(to, buf_slice(&out), at, err);
	buf_release(&out);
	return good;
}

/* Where everything stands in the new file. */
static void relocate(struct spool *s, uint64_t start)
{
	s->end = start;
	struct spool_place *p = spool_index_find(&s->index, 0);
	for (; p != NULL; p = spool_index_find(&s->index, p->number + 1)) {
		p->offset = s->end;
		s->end += p->length;
	}
}

static bool compact(struct spool *s, struct error *err)
{
	struct spool_file made;
	uint64_t start;
	if (!spool_file_create_new(&s->file, &made, err))
		return false;
	if (!copy_unsettled(s, &made, &start, err) ||
	    (s->is_synced && !spool_file_sync(&made, err))) {
		spool_file_discard_new(&made);
		return false;
	}
	if (!spool_file_replace(&s->file, &made, err))
		return false;
	s->is_name_synced = false;
	relocate(s, start);
	return true;
}

/* After a flush: with more dead bytes than living ones, the file is made anew. That this fails is
 * no fault of the flush. */
static void compact_if_worth_it(struct spool *s)
{
	struct error why = {0};
	if (s->end < s->compact_from || s->end / 2 < s->index.bytes + SPOOL_SLACK_BYTES / 2)
		return;
	s->compact_from = 0;
	if (compact(s, &why))
		return;
	s->compact_from = s->end + SPOOL_SLACK_BYTES;
	log_write(LOG_WARNING, "the spool goes on growing: %s", why.text);
}

/* ---- flushing ---- */

static void put_settled(struct spool *s)
{
	for (size_t done = 0, part; done < s->settled_count; done += part) {
		part = s->settled_count - done;
		part = part < SPOOL_RECORD_RANGES ? part : SPOOL_RECORD_RANGES;
		spool_record_put_settled(
		    &s->crc, &s->out, s->end + s->out.len, s->settled + done, part);
	}
}

static bool write_out(struct spool *s, struct error *err)
{
	if (s->is_torn && !spool_file_truncate(&s->file, s->end, err))
		return false;
	s->is_torn = true; /* until all of it is there */
	if (!spool_file_write(&s->file, buf_slice(&s->out), s->end, err))
		return false;
	if (!s->is_synced || s->next == s->flushed_next)
		return true;
	if (!spool_file_sync(&s->file, err) ||
	    !(s->is_name_synced || spool_file_sync_name(&s->file, err)))
		return false;
	s->is_name_synced = true;
	return true;
}

/* The numbers from `from` on are going to be used again. */
static void forget_settled(struct spool *s, uint64_t from)
{
	size_t kept = 0;
	for (size_t i = 0; i < s->settled_count; i++) {
		struct spool_record_range r = s->settled[i];
		if (r.first >= from)
			continue;
		r.count = r.count < from - r.first ? r.count : from - r.first;
		s->settled[kept++] = r;
	}
	s->settled_count = kept;
}

/* As if the messages since the last flush had never been added. */
static void take_back(struct spool *s)
{
	struct error unused = {0}; /* tried again before the next write */
	s->is_torn = s->is_torn && !spool_file_truncate(&s->file, s->end, &unused);
	spool_index_cut(&s->index, s->flushed_next);
	forget_settled(s, s->flushed_next);
	s->next = s->flushed_next;
}

static void clear_out(struct spool *s)
{
	if (s->out.capacity > KEEP_BYTES)
		buf_release(&s->out);
	buf_clear(&s->out);
}

bool spool_flush(struct spool *s, struct error *err)
{
	put_settled(s);
	if (s->out.len == 0)
		return true;
	if (!write_out(s, err)) {
		take_back(s);
		clear_out(s);
		return false;
	}
	s->is_torn = false;
	s->end += s->out.len;
	s->flushed_next = s->next;
	s->settled_count = 0;
	clear_out(s);
	compact_if_worth_it(s);
	return true;
}

/* ---- the run ---- */

struct slice spool_run(const struct spool *s)
{
	return buf_slice(&s->identity);
}

uint64_t spool_first_number(const struct spool *s)
{
	return s->first;
}

uint64_t spool_next_number(const struct spool *s)
{
	return s->next;
}

/* Leaves the beginning of the file and nothing else; there is no run then. */
static bool empty(struct spool *s, struct error *err)
{
	if (!spool_file_truncate(&s->file, SPOOL_RECORD_MAGIC.len, err))
		return false;
	s->end = SPOOL_RECORD_MAGIC.len;
	s->is_torn = false;
	s->first = s->next;
	buf_clear(&s->identity);
	return true;
}

bool spool_begin(struct spool *s, struct slice identity, struct error *err)
{
	if (identity.len > SPOOL_IDENTITY_BYTES)
		return error_set(err, ERROR_DATA,
		    "what identifies the run has %zu bytes; at most %u fit into a spool",
		    identity.len, SPOOL_IDENTITY_BYTES);
	if (!spool_flush(s, err) || (spool_unsettled_count(s) == 0 && !empty(s, err)))
		return false;
	struct buf old = s->identity;
	uint64_t old_first = s->first;
	s->identity = (struct buf){0};
	buf_append(&s->identity, identity);
	s->first = s->next;
	spool_record_put_run(&s->crc, &s->out, s->end, s->first, s->next, identity);
	bool good = spool_flush(s, err); /* which may make a new file: for the new run */
	if (!good) {
		struct buf unused = s->identity;
		s->identity = old;
		s->first = old_first;
		old = unused;
	}
	buf_release(&old);
	return good;
}

bool spool_end(struct spool *s, struct error *err)
{
	if (!spool_flush(s, err))
		return false;
	if (spool_unsettled_count(s) > 0)
		return spool_begin(s, (struct slice){0}, err);
	return empty(s, err) && (!s->is_synced || spool_file_sync(&s->file, err));
}

/* ---- messages ---- */

bool spool_add(
    struct spool *s, uint64_t number, const struct message *m, bool mandatory, struct error *err)
{
	assert(number >= s->next && number <= NUMBER_MAX);
	size_t mark = s->out.len;
	if (!spool_record_put_message(&s->crc, &s->out, s->end + mark, number, m, mandatory, err))
		return false;
	spool_index_add(
	    &s->index, &(struct spool_place){number, s->end + mark, (uint32_t)(s->out.len - mark)});
	s->next = number + 1;
	return true;
}

void spool_settle(struct spool *s, uint64_t number)
{
	if (!spool_index_settle(&s->index, number))
		return;
	size_t count = s->settled_count;
	struct spool_record_range *last = count > 0 ? &s->settled[count - 1] : NULL;
	if (last != NULL && last->first + last->count == number) {
		last->count++;
		return;
	}
	s->settled = mem_grow(s->settled, &s->settled_capacity, count + 1, sizeof *s->settled);
	s->settled[s->settled_count++] = (struct spool_record_range){number, 1};
}

bool spool_find_unsettled(const struct spool *s, uint64_t from, uint64_t *number)
{
	const struct spool_place *p = spool_index_find(&s->index, from);
	if (p == NULL)
		return false;
	*number = p->number;
	return true;
}

/* The record as it is, or is going to be, in the file. */
static bool fetch(
    const struct spool *s, const struct spool_place *p, struct buf *storage, struct error *err)
{
	buf_clear(storage);
	char *to = buf_reserve(storage, p->length);
	storage->len = p->length;
	if (p->offset < s->end)
		return spool_file_read(&s->file, to, p->length, p->offset, err);
	memcpy(to, s->out.ptr + (p->offset - s->end), p->length);
	return true;
}

bool spool_read(const struct spool *s, uint64_t number, struct buf *storage, struct message *out,
    bool *mandatory, struct error *err)
{
	const struct spool_place *p = spool_index_find(&s->index, number);
	struct spool_record r;
	assert(p != NULL && p->number == number);
	if (!fetch(s, p, storage, err))
		return false;
	struct slice payload = {
	    storage->ptr + SPOOL_RECORD_HEAD_BYTES, p->length - SPOOL_RECORD_HEAD_BYTES};
	if (!spool_record_read_head(&s->crc, storage->ptr, p->offset, &r) || r.number != number ||
	    r.kind != SPOOL_RECORD_MESSAGE || r.length != payload.len ||
	    r.check != crc_of(&s->crc, 0, payload) ||
	    !spool_record_read_message(payload, out, mandatory))
		return refuse_damage(s, p->offset, err);
	return true;
}

/* ---- figures ---- */

size_t spool_unsettled_count(const struct spool *s)
{
	return spool_index_count(&s->index);
}

uint64_t spool_bytes(const struct spool *s)
{
	return s->end + s->out.len;
}

uint64_t spool_cut_bytes(const struct spool *s)
{
	return s->cut_bytes;
}
