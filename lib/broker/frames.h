/*
 * frames.h - AMQP 0-9-1 frames: messages and methods into bytes, bytes into frames. No I/O.
 *
 * What moves messages (publish, deliver, return, acknowledge, content headers) is encoded and
 * decoded here, straight between the wire and `struct message`; every other method goes through
 * rabbitmq-c's public encoder and decoder. https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf,
 * sections 2.3 and 4.2.
 */
#ifndef BROKER_FRAMES_H
#define BROKER_FRAMES_H

#include "base/error.h"
#include "model/message.h"

#define FRAMES_OVERHEAD 8u    /* type, channel, size in front; the end octet behind */
#define FRAMES_MIN_SIZE 4096u /* the least frame_max the protocol allows */
#define FRAMES_DEFAULT_SIZE 131072u
/* The longest payload of a content header that is taken, whatever was agreed: RabbitMQ cuts bodies
 * to what was agreed, but not the properties and headers of what it delivers. Those may have come
 * over a connection with larger frames, or over another protocol, and it adds to them itself
 * (x-death). A message of RabbitMQ 4 has no more than this in all, unless it is told otherwise. */
#define FRAMES_MAX_HEADER (16u << 20)

enum frame_type {
	FRAME_METHOD = 1,
	FRAME_HEADER = 2,
	FRAME_BODY = 3,
	FRAME_HEARTBEAT = 8,
};

struct frame {
	enum frame_type type;
	uint16_t channel;
	struct slice payload; /* borrowed from the input */
};

enum frames_status { FRAMES_OK, FRAMES_MORE, FRAMES_BAD };

/* Takes the next frame off the front of *input. FRAMES_MORE: it is not all there yet. FRAMES_BAD:
 * not AMQP (err says what), the connection is of no further use. A frame has at most frame_max
 * bytes in all; a content header may have more (FRAMES_MAX_HEADER). */
enum frames_status frames_next(
    struct slice *input, uint32_t frame_max, struct frame *out, struct error *err);

/* The four numbers that begin a method frame's payload: class << 16 | method, as rabbitmq-c writes
 * it. 0 when the payload is too short. */
uint32_t frames_method_id(struct slice payload);

/* ---- writing; each appends whole frames ---- */

void frames_put_protocol_header(struct buf *out);
void frames_put_heartbeat(struct buf *out);

/* `request` is rabbitmq-c's struct for the method (amqp_framing.h). Fails with ERROR_DATA when it
 * does not fit into a frame or a string is too long; out as before. */
bool frames_put_method(struct buf *out, uint16_t channel, uint32_t method_id, void *request,
    uint32_t frame_max, struct error *err) MUST_CHECK;

/* basic.publish, the content header and the body. Fails with ERROR_DATA, out as before, over what
 * would poison the connection if it were found out half-way: strings over 255 bytes, a header that
 * does not fit into one frame. */
bool frames_put_publish(struct buf *out, uint16_t channel, const struct message *m, bool mandatory,
    uint32_t frame_max, struct error *err) MUST_CHECK;

/* What frames_put_publish would say of the message. */
bool frames_fit_publish(const struct message *m, uint32_t frame_max, struct error *err) MUST_CHECK;

void frames_put_ack(struct buf *out, uint16_t channel, uint64_t tag, bool multiple);
void frames_put_nack(struct buf *out, uint16_t channel, uint64_t tag, bool multiple, bool requeue);

/* ---- reading; slices borrow from the payload; false when the payload is damaged ---- */

struct frames_deliver {
	struct slice consumer_tag;
	uint64_t tag;
	bool redelivered;
};
/* basic.deliver; fills exchange and routing_key of the message. */
bool frames_read_deliver(struct slice payload, struct frames_deliver *out, struct message *m);

/* basic.get-ok; the same, without a consumer tag. */
bool frames_read_get_ok(struct slice payload, struct frames_deliver *out, struct message *m);

struct frames_return {
	uint16_t code;
	struct slice text;
};
bool frames_read_return(struct slice payload, struct frames_return *out, struct message *m);

struct frames_settle {
	uint64_t tag;
	bool multiple;
};
/* basic.ack and basic.nack. */
bool frames_read_settle(struct slice payload, struct frames_settle *out);

/* basic.publish, as frames_put_publish writes it; fills exchange and routing_key of the message. */
bool frames_read_publish(struct slice payload, bool *mandatory, struct message *m);

/* A whole message as frames_put_publish wrote it, off the front of *frames. *m borrows from there;
 * a body in several frames is put together in *body, where NULL refuses it. False: damaged. */
bool frames_take_publish(
    struct slice *frames, struct buf *body, bool *mandatory, struct message *m);

/* A content header: body size and properties. */
bool frames_read_header(struct slice payload, uint64_t *body_bytes, struct message *m);

/* ---- every other method ---- */

/* Memory of decoded methods. */
struct frames_arena;
struct frames_arena *frames_arena_create(void);
void frames_arena_free(struct frames_arena *arena);
/* Decodes into rabbitmq-c's struct for the method; valid until the next call. NULL when damaged or
 * unknown. */
void *frames_decode(struct frames_arena *arena, struct slice payload);

#endif
