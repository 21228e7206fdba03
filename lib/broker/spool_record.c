#include "broker/spool_record.h"

#include "broker/content.h"
#include "broker/frames.h"

#include <endian.h>

/* A frame of any size: the file has no frame_max. */
#define FRAME_MAX UINT32_MAX
/* The longest body, what stands around it, and headers of any size that came in a frame. */
#define MESSAGE_BYTES (CONTENT_MAX_BODY_BYTES + (UINT64_C(64) << 20))

/* As it stands in the file; without gaps. */
struct head {
	uint32_t head_check, payload_check, length, kind;
	uint64_t number;
};
_Static_assert(sizeof(struct head) == SPOOL_RECORD_HEAD_BYTES, "a head has no gaps");

static uint32_t check_head(const struct crc *c, const char *head, uint64_t offset)
{
	char bytes[sizeof(uint64_t) + SPOOL_RECORD_HEAD_BYTES - sizeof(uint32_t)];
	uint64_t place = htole64(offset);
	memcpy(bytes, &place, sizeof place);
	memcpy(bytes + sizeof place, head + sizeof(uint32_t), sizeof bytes - sizeof place);
	return crc_of(c, 0, (struct slice){bytes, sizeof bytes});
}

/* ---- writing ---- */

void spool_record_put_head(
    const struct crc *c, const struct spool_record *r, uint64_t offset, char *out)
{
	struct head h = {.payload_check = htole32(r->check),
	    .length = htole32(r->length),
	    .kind = htole32(r->kind),
	    .number = htole64(r->number)};
	memcpy(out, &h, sizeof h);
	h.head_check = htole32(check_head(c, out, offset));
	memcpy(out, &h, sizeof h);
}

/* Leaves room for a head; returns where the record begins. */
static size_t begin(struct buf *out)
{
	size_t mark = out->len;
	buf_reserve(out, SPOOL_RECORD_HEAD_BYTES);
	out->len += SPOOL_RECORD_HEAD_BYTES;
	return mark;
}

/* Fills the head, now that the payload is there. */
static void finish(const struct crc *c, struct buf *out, size_t mark, enum spool_record_kind kind,
    uint64_t number, uint64_t offset)
{
	size_t start = mark + SPOOL_RECORD_HEAD_BYTES;
	struct slice payload = {out->ptr + start, out->len - start};
	struct spool_record r = {kind, (uint32_t)payload.len, crc_of(c, 0, payload), number};
	spool_record_put_head(c, &r, offset, out->ptr + mark);
}

static void put_u64(struct buf *out, uint64_t value)
{
	uint64_t v = htole64(value);
	buf_append(out, (struct slice){(const char *)&v, sizeof v});
}

void spool_record_put_run(const struct crc *c, struct buf *out, uint64_t offset, uint64_t first,
    uint64_t next, struct slice identity)
{
	size_t mark = begin(out);
	put_u64(out, next);
	buf_append(out, identity);
	finish(c, out, mark, SPOOL_RECORD_RUN, first, offset);
}

bool spool_record_put_message(const struct crc *c, struct buf *out, uint64_t offset,
    uint64_t number, const struct message *m, bool mandatory, struct error *err)
{
	if (m->body.len > CONTENT_MAX_BODY_BYTES)
		return error_set(err, ERROR_DATA, "the body has %zu bytes; at most %llu fit",
		    m->body.len, (unsigned long long)CONTENT_MAX_BODY_BYTES);
	if (m->headers.len > MESSAGE_BYTES - CONTENT_MAX_BODY_BYTES - 65536)
		return error_set(err, ERROR_DATA, "the headers have %zu bytes; no frame holds that",
		    m->headers.len);
	size_t mark = begin(out);
	if (!frames_put_publish(out, 0, m, mandatory, FRAME_MAX, err)) {
		buf_truncate(out, mark);
		return false;
	}
	finish(c, out, mark, SPOOL_RECORD_MESSAGE, number, offset);
	return true;
}

void spool_record_put_settled(const struct crc *c, struct buf *out, uint64_t offset,
    const struct spool_record_range *ranges, size_t count)
{
	size_t mark = begin(out);
	for (size_t i = 0; i < count; i++) {
		put_u64(out, ranges[i].first);
		put_u64(out, ranges[i].count);
	}
	finish(c, out, mark, SPOOL_RECORD_SETTLED, 0, offset);
}

/* ---- reading ---- */

bool spool_record_read_head(
    const struct crc *c, const char *head, uint64_t offset, struct spool_record *out)
{
	struct head h;
	memcpy(&h, head, sizeof h);
	uint32_t kind = le32toh(h.kind), length = le32toh(h.length);
	/* the cheap ones first: torn ends are searched for heads byte by byte */
	if (kind < SPOOL_RECORD_RUN || kind > SPOOL_RECORD_SETTLED ||
	    length > (kind == SPOOL_RECORD_MESSAGE ? MESSAGE_BYTES : SPOOL_RECORD_SMALL_BYTES) ||
	    le32toh(h.head_check) != check_head(c, head, offset))
		return false;
	*out = (struct spool_record){
	    (enum spool_record_kind)kind, length, le32toh(h.payload_check), le64toh(h.number)};
	return true;
}

static bool take_u64(struct slice *in, uint64_t *out)
{
	uint64_t v;
	if (in->len < sizeof v)
		return false;
	memcpy(&v, in->ptr, sizeof v);
	*out = le64toh(v);
	in->ptr += sizeof v;
	in->len -= sizeof v;
	return true;
}

bool spool_record_read_run(struct slice payload, uint64_t *next, struct slice *identity)
{
	bool good = take_u64(&payload, next);
	*identity = payload;
	return good;
}

bool spool_record_read_message(struct slice payload, struct message *m, bool *mandatory)
{
	return frames_take_publish(&payload, NULL, mandatory, m) && payload.len == 0;
}

bool spool_record_next_range(struct slice *payload, struct spool_record_range *out)
{
	return take_u64(payload, &out->first) && take_u64(payload, &out->count);
}
