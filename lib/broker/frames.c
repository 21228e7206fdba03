#include "broker/frames.h"

#include "base/mem.h"

#include <amqp.h>
#include <amqp_framing.h>

#include <stdlib.h>

#define FRAME_END 0xce
#define FRAME_HEAD 7u
#define BASIC_CLASS 60
#define SHORT_STRING_MAX 255
#define ARENA_PAGE 4096

/* ---- cursors ---- */

static char *put_u16(char *p, unsigned v)
{
	p[0] = (char)(v >> 8);
	p[1] = (char)v;
	return p + 2;
}

static char *put_u32(char *p, uint32_t v)
{
	return put_u16(put_u16(p, v >> 16), v & 0xffff);
}

static char *put_u64(char *p, uint64_t v)
{
	return put_u32(put_u32(p, (uint32_t)(v >> 32)), (uint32_t)v);
}

static char *put_bytes(char *p, struct slice s)
{
	if (s.len > 0)
		memcpy(p, s.ptr, s.len);
	return p + s.len;
}

static char *put_short(char *p, struct slice s)
{
	*p++ = (char)s.len;
	return put_bytes(p, s);
}

static char *put_head(char *p, enum frame_type type, unsigned channel, size_t size)
{
	*p++ = (char)type;
	return put_u32(put_u16(p, channel), (uint32_t)size);
}

static inline uint64_t get_u16(const char *at)
{
	const unsigned char *p = (const unsigned char *)at;
	return (uint64_t)p[0] << 8 | p[1];
}

static inline uint64_t get_u32(const char *at)
{
	const unsigned char *p = (const unsigned char *)at;
	return (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3];
}

/* Reads 1, 2, 4 or 8 big-endian bytes; false at the end of the input. */
static inline bool take_uint(struct slice *in, unsigned bytes, uint64_t *out)
{
	if (in->len < bytes)
		return false;
	const char *p = in->ptr;
	uint64_t v = bytes == 1	  ? (unsigned char)*p
		     : bytes == 2 ? get_u16(p)
		     : bytes == 4 ? get_u32(p)
				  : get_u32(p) << 32 | get_u32(p + 4);
	in->ptr += bytes;
	in->len -= bytes;
	*out = v;
	return true;
}

static inline bool take_bytes(struct slice *in, unsigned length_bytes, struct slice *out)
{
	uint64_t len;
	if (!take_uint(in, length_bytes, &len) || len > in->len)
		return false;
	*out = (struct slice){in->ptr, (size_t)len};
	in->ptr += len;
	in->len -= (size_t)len;
	return true;
}

/* ---- frames ---- */

/* The longest payload that is taken. */
static uint32_t most_bytes(unsigned type, uint32_t frame_max)
{
	uint32_t agreed = frame_max - FRAMES_OVERHEAD;
	return type == FRAME_HEADER && agreed < FRAMES_MAX_HEADER ? FRAMES_MAX_HEADER : agreed;
}

enum frames_status frames_next(
    struct slice *input, uint32_t frame_max, struct frame *out, struct error *err)
{
	if (input->len < FRAME_HEAD)
		return FRAMES_MORE;
	struct slice rest = {input->ptr + FRAME_HEAD, input->len - FRAME_HEAD};
	unsigned type = (unsigned char)input->ptr[0];
	uint64_t channel = get_u16(input->ptr + 1), size = get_u32(input->ptr + 3);
	if (type != FRAME_METHOD && type != FRAME_HEADER && type != FRAME_BODY &&
	    type != FRAME_HEARTBEAT) {
		error_set(err, ERROR_REFUSED, "the broker sent a frame of unknown type %u", type);
		return FRAMES_BAD;
	}
	if (size > most_bytes(type, frame_max)) {
		error_set(err, ERROR_REFUSED,
		    type == FRAME_HEADER
			? "the broker sent a content header of %u bytes; at most %u are taken"
			: "the broker sent a frame of %u bytes; agreed were at most %u",
		    (unsigned)size, most_bytes(type, frame_max));
		return FRAMES_BAD;
	}
	if (rest.len < size + 1)
		return FRAMES_MORE;
	if ((unsigned char)rest.ptr[size] != FRAME_END) {
		error_set(err, ERROR_REFUSED, "the broker sent a frame without its end octet");
		return FRAMES_BAD;
	}
	*out = (struct frame){(enum frame_type)type, (uint16_t)channel, {rest.ptr, (size_t)size}};
	*input = (struct slice){rest.ptr + size + 1, rest.len - (size_t)size - 1};
	return FRAMES_OK;
}

uint32_t frames_method_id(struct slice payload)
{
	uint64_t id;
	return take_uint(&payload, 4, &id) ? (uint32_t)id : 0;
}

/* ---- writing ---- */

void frames_put_protocol_header(struct buf *out)
{
	buf_append(out, (struct slice){"AMQP\0\0\11\1", 8});
}

void frames_put_heartbeat(struct buf *out)
{
	buf_append(out, (struct slice){"\10\0\0\0\0\0\0\316", 8});
}

bool frames_put_method(struct buf *out, uint16_t channel, uint32_t method_id, void *request,
    uint32_t frame_max, struct error *err)
{
	size_t room = frame_max - FRAMES_OVERHEAD - 4;
	char *start = buf_reserve(out, frame_max);
	amqp_bytes_t encoded = {room, start + FRAME_HEAD + 4};
	int size = amqp_encode_method(method_id, request, encoded);
	if (size < 0)
		return error_set(err, ERROR_DATA, "cannot encode %s: %s",
		    amqp_method_name(method_id), amqp_error_string2(size));
	size_t payload = (size_t)size + 4;
	put_u32(put_head(start, FRAME_METHOD, channel, payload), method_id);
	start[FRAME_HEAD + payload] = (char)FRAME_END;
	out->len += payload + FRAMES_OVERHEAD;
	return true;
}

/* The bytes of the properties that are present, without their flags. */
static bool measure_properties(const struct message *m, size_t *out, struct error *err)
{
	const struct message_property_row *row;
	size_t size = 0;
	for (unsigned left = m->present; (row = message_next_property(&left)) != NULL;) {
		switch (row->value) {
		case MESSAGE_VALUE_TEXT:
			size += 1 + message_slice_const(m, row)->len;
			if (message_slice_const(m, row)->len > SHORT_STRING_MAX)
				return error_set(err, ERROR_DATA,
				    "property '%s' has %zu bytes; at most 255 fit", row->name,
				    message_slice_const(m, row)->len);
			break;
		case MESSAGE_VALUE_OCTET:
			size += 1;
			break;
		case MESSAGE_VALUE_TIMESTAMP:
			size += 8;
			break;
		case MESSAGE_VALUE_TABLE:
			size += 4 + message_slice_const(m, row)->len;
			break;
		}
	}
	*out = size;
	return true;
}

/* The bytes of the content header's payload; false when something does not fit. */
static bool measure_header(
    const struct message *m, uint32_t frame_max, size_t *out, struct error *err)
{
	if (m->exchange.len > SHORT_STRING_MAX)
		return error_set(err, ERROR_DATA, "the exchange has %zu bytes; at most 255 fit",
		    m->exchange.len);
	if (m->routing_key.len > SHORT_STRING_MAX)
		return error_set(err, ERROR_DATA, "the routing key has %zu bytes; at most 255 fit",
		    m->routing_key.len);
	if (!measure_properties(m, out, err))
		return false;
	*out += 14;
	if (*out > frame_max - FRAMES_OVERHEAD)
		return error_set(err, ERROR_DATA,
		    "the properties and headers take %zu bytes; one frame holds %u", *out,
		    frame_max - FRAMES_OVERHEAD);
	return true;
}

bool frames_fit_publish(const struct message *m, uint32_t frame_max, struct error *err)
{
	size_t unused = 0;
	return measure_header(m, frame_max, &unused, err);
}

static char *put_properties(char *p, const struct message *m)
{
	p = put_u16(p, m->present & 0xffff);
	const struct message_property_row *row;
	for (unsigned left = m->present; (row = message_next_property(&left)) != NULL;) {
		switch (row->value) {
		case MESSAGE_VALUE_TEXT:
			p = put_short(p, *message_slice_const(m, row));
			break;
		case MESSAGE_VALUE_OCTET:
			*p++ = *((const char *)m + row->offset);
			break;
		case MESSAGE_VALUE_TIMESTAMP:
			p = put_u64(p, m->timestamp);
			break;
		case MESSAGE_VALUE_TABLE:
			p = put_u32(p, (uint32_t)message_slice_const(m, row)->len);
			p = put_bytes(p, *message_slice_const(m, row));
			break;
		}
	}
	return p;
}

static char *put_body(char *p, uint16_t channel, struct slice body, uint32_t frame_max)
{
	size_t most = frame_max - FRAMES_OVERHEAD;
	while (body.len > 0) {
		struct slice part = {body.ptr, body.len < most ? body.len : most};
		p = put_bytes(put_head(p, FRAME_BODY, channel, part.len), part);
		*p++ = (char)FRAME_END;
		body.ptr += part.len;
		body.len -= part.len;
	}
	return p;
}

bool frames_put_publish(struct buf *out, uint16_t channel, const struct message *m, bool mandatory,
    uint32_t frame_max, struct error *err)
{
	size_t method = 4 + 2 + 1 + m->exchange.len + 1 + m->routing_key.len + 1;
	size_t header = 0;
	if (!measure_header(m, frame_max, &header, err))
		return false;
	size_t frames = m->body.len / (frame_max - FRAMES_OVERHEAD) + 1;
	char *start =
	    buf_reserve(out, method + header + m->body.len + (2 + frames) * FRAMES_OVERHEAD);
	char *p = put_head(start, FRAME_METHOD, channel, method);
	p = put_u16(put_u32(p, AMQP_BASIC_PUBLISH_METHOD), 0); /* the reserved ticket */
	p = put_short(put_short(p, m->exchange), m->routing_key);
	*p++ = mandatory ? 1 : 0;
	*p++ = (char)FRAME_END;
	p = put_head(p, FRAME_HEADER, channel, header);
	p = put_u64(put_u16(put_u16(p, BASIC_CLASS), 0), m->body.len);
	p = put_properties(p, m);
	*p++ = (char)FRAME_END;
	p = put_body(p, channel, m->body, frame_max);
	out->len += (size_t)(p - start);
	return true;
}

static void put_settle(
    struct buf *out, uint16_t channel, uint32_t method_id, uint64_t tag, unsigned bits)
{
	char *p = buf_reserve(out, 13 + FRAMES_OVERHEAD);
	p = put_u32(put_head(p, FRAME_METHOD, channel, 13), method_id);
	p = put_u64(p, tag);
	*p++ = (char)bits;
	*p = (char)FRAME_END;
	out->len += 13 + FRAMES_OVERHEAD;
}

void frames_put_ack(struct buf *out, uint16_t channel, uint64_t tag, bool multiple)
{
	put_settle(out, channel, AMQP_BASIC_ACK_METHOD, tag, multiple);
}

void frames_put_nack(struct buf *out, uint16_t channel, uint64_t tag, bool multiple, bool requeue)
{
	put_settle(out, channel, AMQP_BASIC_NACK_METHOD, tag, multiple | (unsigned)requeue << 1);
}

/* ---- reading ---- */

/* Steps over class and method. */
static bool take_method(struct slice *payload)
{
	uint64_t id;
	return take_uint(payload, 4, &id);
}

/* What deliver and get-ok have in common. */
static bool read_delivery(struct slice *payload, struct frames_deliver *out, struct message *m)
{
	uint64_t redelivered = 0;
	bool good = take_uint(payload, 8, &out->tag) && take_uint(payload, 1, &redelivered) &&
		    take_bytes(payload, 1, &m->exchange) && take_bytes(payload, 1, &m->routing_key);
	out->redelivered = (redelivered & 1) != 0;
	return good;
}

bool frames_read_deliver(struct slice payload, struct frames_deliver *out, struct message *m)
{
	return take_method(&payload) && take_bytes(&payload, 1, &out->consumer_tag) &&
	       read_delivery(&payload, out, m);
}

bool frames_read_get_ok(struct slice payload, struct frames_deliver *out, struct message *m)
{
	out->consumer_tag = (struct slice){0};
	return take_method(&payload) && read_delivery(&payload, out, m);
}

bool frames_read_return(struct slice payload, struct frames_return *out, struct message *m)
{
	uint64_t code = 0;
	bool good = take_method(&payload) && take_uint(&payload, 2, &code) &&
		    take_bytes(&payload, 1, &out->text) && take_bytes(&payload, 1, &m->exchange) &&
		    take_bytes(&payload, 1, &m->routing_key);
	out->code = (uint16_t)code;
	return good;
}

bool frames_read_settle(struct slice payload, struct frames_settle *out)
{
	uint64_t bits = 0;
	bool good = take_method(&payload) && take_uint(&payload, 8, &out->tag) &&
		    take_uint(&payload, 1, &bits);
	out->multiple = (bits & 1) != 0;
	return good;
}

bool frames_read_publish(struct slice payload, bool *mandatory, struct message *m)
{
	uint64_t id = 0, ticket = 0, bits = 0;
	bool good = take_uint(&payload, 4, &id) && id == AMQP_BASIC_PUBLISH_METHOD &&
		    take_uint(&payload, 2, &ticket) && take_bytes(&payload, 1, &m->exchange) &&
		    take_bytes(&payload, 1, &m->routing_key) && take_uint(&payload, 1, &bits);
	*mandatory = (bits & 1) != 0;
	return good;
}

/* Reads one property of the kind into its member. */
static bool take_property(
    struct slice *in, const struct message_property_row *row, struct message *m)
{
	uint64_t number = 0;
	switch (row->value) {
	case MESSAGE_VALUE_TEXT:
		return take_bytes(in, 1, message_slice(m, row));
	case MESSAGE_VALUE_TABLE:
		return take_bytes(in, 4, message_slice(m, row));
	case MESSAGE_VALUE_TIMESTAMP:
		return take_uint(in, 8, &m->timestamp);
	case MESSAGE_VALUE_OCTET:
		break;
	}
	if (!take_uint(in, 1, &number))
		return false;
	*((unsigned char *)m + row->offset) = (unsigned char)number;
	return true;
}

bool frames_read_header(struct slice payload, uint64_t *body_bytes, struct message *m)
{
	uint64_t class, weight, flags;
	if (!take_uint(&payload, 2, &class) || class != BASIC_CLASS ||
	    !take_uint(&payload, 2, &weight) || !take_uint(&payload, 8, body_bytes) ||
	    !take_uint(&payload, 2, &flags) || (flags & 3) != 0)
		return false;
	m->present = (unsigned)flags;
	const struct message_property_row *row;
	for (unsigned left = m->present; (row = message_next_property(&left)) != NULL;)
		if (!take_property(&payload, row, m))
			return false;
	return true;
}

/* ---- what was written here ---- */

static bool take_frame(struct slice *frames, enum frame_type type, struct slice *payload)
{
	struct error unused; /* it would be about a broker */
	struct frame f;
	error_clear(&unused);
	bool good = frames_next(frames, UINT32_MAX, &f, &unused) == FRAMES_OK && f.type == type;
	*payload = good ? f.payload : (struct slice){0};
	return good;
}

bool frames_take_publish(struct slice *frames, struct buf *body, bool *mandatory, struct message *m)
{
	struct slice method, header;
	uint64_t body_bytes = 0;
	*m = (struct message){0};
	if (!take_frame(frames, FRAME_METHOD, &method) ||
	    !frames_read_publish(method, mandatory, m) ||
	    !take_frame(frames, FRAME_HEADER, &header) ||
	    !frames_read_header(header, &body_bytes, m))
		return false;
	if (body_bytes == 0)
		return true;
	if (!take_frame(frames, FRAME_BODY, &m->body))
		return false;
	if (m->body.len == body_bytes || body == NULL)
		return m->body.len == body_bytes;
	buf_clear(body);
	buf_append(body, m->body);
	for (struct slice piece; body->len < body_bytes; buf_append(body, piece))
		if (!take_frame(frames, FRAME_BODY, &piece) || piece.len == 0)
			return false;
	m->body = buf_slice(body);
	return body->len == body_bytes;
}

/* ---- other methods ---- */

struct frames_arena {
	amqp_pool_t pool;
};

struct frames_arena *frames_arena_create(void)
{
	struct frames_arena *arena = mem_alloc(1, sizeof *arena);
	init_amqp_pool(&arena->pool, ARENA_PAGE);
	return arena;
}

void frames_arena_free(struct frames_arena *arena)
{
	if (arena == NULL)
		return;
	empty_amqp_pool(&arena->pool);
	free(arena);
}

void *frames_decode(struct frames_arena *arena, struct slice payload)
{
	uint32_t id = frames_method_id(payload);
	if (id == 0)
		return NULL;
	/* the decoder takes a pointer to bytes it does not change */
	amqp_bytes_t arguments = {payload.len - 4, (void *)(uintptr_t)(payload.ptr + 4)};
	void *decoded = NULL;
	recycle_amqp_pool(&arena->pool);
	if (amqp_decode_method(id, &arena->pool, arguments, &decoded) < 0)
		return NULL;
	return decoded;
}
