/*
 * record.h - a message as one JSON line, without loss: what `consumer --format json` prints and
 * `producer --from` reads.
 *
 * {"exchange":"order","routing_key":"order.notify","redelivered":false,"queue":"order_notify",
 *  "properties":{"content_type":"application/json","headers":{"n":1},"delivery_mode":2,..},
 *  "body":"text"}
 * A body that is not UTF-8 is "body_base64". Properties stand under their AMQP names, headers as in
 * table.h; a timestamp beyond int64 is a string of digits.
 */
#ifndef MODEL_RECORD_H
#define MODEL_RECORD_H

#include "base/error.h"
#include "model/death.h"
#include "model/message.h"

/* What is told beside the message itself; a member that is NULL or empty is left out. */
struct record_extra {
	const bool *redelivered;
	struct slice queue;
	const char *fate; /* "confirmed", "returned", ...; of a call: "answered", "timeout", ... */
	struct slice reason;	    /* of a return: the broker's text */
	const uint64_t *latency_us; /* of a reply, since its request */
	const struct death *death;
	/* of the event store */
	uint64_t position;	 /* 0: none */
	struct slice received;	 /* RFC 3339 */
	const int64_t *offset;	 /* "stream_offset", of the stream it was taken from */
	struct slice properties; /* their JSON, instead of what the message has */
};

/* Appends the line with its line feed. Only damaged headers fail (ERROR_DATA, out as before). */
bool record_write(const struct message *m, const struct record_extra *extra, struct buf *out,
    struct error *err) MUST_CHECK;

/*
 * Reads a line. The message's bytes live in *store, which is cleared first and must not be touched
 * while the message is used. Unknown keys are refused, save what record_extra has, which is
 * ignored, or read by record_read_told; exchange and routing_key may be absent (ptr NULL: "as the
 * pattern says"); exactly one of body and body_base64 must be there. Checks everything the wire
 * demands: short strings up to 255 bytes, octets in range. ERROR_DATA with the path of the member.
 */
bool record_read(
    struct slice line, struct message *out, struct buf *store, struct error *err) MUST_CHECK;

/* The member `properties` alone, headers included. Writing fails, and out is as before, over
 * damaged headers (ERROR_DATA); reading sets present and the properties of *out, as record_read
 * does. */
bool record_write_properties(
    const struct message *m, struct buf *out, struct error *err) MUST_CHECK;
bool record_read_properties(
    struct slice json, struct message *out, struct buf *store, struct error *err) MUST_CHECK;

/* What a line told beside the message. Texts: in the store; absent: ptr NULL. */
struct record_told {
	bool redelivered;
	struct slice queue;
	struct slice received;
	int64_t offset; /* -1: none */
};

/* record_read, and what is told of where the message was taken from. */
bool record_read_told(struct slice line, struct message *out, struct record_told *told,
    struct buf *store, struct error *err) MUST_CHECK;

/* True when a line looks like a record rather than a body of its own: a JSON object with `body` or
 * `body_base64` and no key that a record does not have. */
bool record_looks_like(struct slice line);

#endif
