/*
 * envelope.h - CloudEvents 1.0 on messages of AMQP 0-9-1.
 *
 * The official binding is AMQP 1.0's alone. What is done here is its nearest equal, which becomes
 * the official form when RabbitMQ 4 hands a message to a client of AMQP 1.0:
 *  - binary mode: an attribute is a header, `cloudEvents_id`; read also `cloudEvents:id` and
 *    Knative's `ce-id`, never two prefixes in one message. content_type is datacontenttype.
 *  - structured mode: content_type is application/cloudevents+json, the body the whole event.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
 */
#ifndef MODEL_ENVELOPE_H
#define MODEL_ENVELOPE_H

#include "base/buf.h"
#include "model/message.h"

enum envelope_mode { ENVELOPE_NONE, ENVELOPE_BINARY, ENVELOPE_STRUCTURED };

/* What a message says of its event; absent: ptr NULL. Borrows from the message and the scratch. */
struct envelope {
	enum envelope_mode mode;
	struct slice id, source, type, subject, time, datacontenttype, dataschema;
	struct slice data; /* of a structured one: its `data` as JSON text */
};

/*
 * Never fails: a message without the required attributes (specversion 1.x, id, source, type) is no
 * CloudEvent. Then the properties stand in: id is message_id, type is type, time is timestamp as
 * RFC 3339; there is no subject and no source. `scratch` is cleared first.
 */
void envelope_read(const struct message *m, struct buf *scratch, struct envelope *out);

#endif
