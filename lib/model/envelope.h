/*
 * envelope.h - CloudEvents 1.0 on messages of AMQP 0-9-1.
 *
 * The official binding is AMQP 1.0's alone. What is done here is its nearest equal, which becomes
 * the official form when RabbitMQ 4 hands a message to a client of AMQP 1.0:
 *  - binary mode: an attribute is a header, `cloudEvents_id`; read also `cloudEvents:id` and
 *    Knative's `ce-id`, upper and lower case as here. content_type is datacontenttype.
 *  - structured mode: content_type is application/cloudevents+json, the body the whole event.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
 */
#ifndef MODEL_ENVELOPE_H
#define MODEL_ENVELOPE_H

#include "base/buf.h"
#include "model/message.h"

enum envelope_mode { ENVELOPE_NONE, ENVELOPE_BINARY, ENVELOPE_STRUCTURED };

#define ENVELOPE_CONTENT_TYPE "application/cloudevents+json"

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
 *
 * An attribute that breaks the rules of its type counts as absent: it is empty, has control
 * characters or is not UTF-8; time is not RFC 3339. What is no string in binary mode becomes its
 * canonical text (numbers, booleans, bytes as base64, an AMQP timestamp); reals, lists and tables
 * count as absent, and so does everything but strings in structured mode.
 *
 * One prefix makes one event: of the prefixes in the order above, the first whose headers have all
 * that is required; headers with the others are then headers like any. Of two headers of one name
 * the first counts; a structured event that names something twice is none, nor is one whose JSON is
 * damaged. `data_base64` becomes data when it holds JSON.
 */
void envelope_read(const struct message *m, struct buf *scratch, struct envelope *out);

/* "cloudEvents_", "cloudEvents:" and "ce-", in the order in which they count. */
#define ENVELOPE_PREFIX_COUNT 3
extern const struct slice envelope_prefixes[ENVELOPE_PREFIX_COUNT];
/* Which of them a header's name begins with; ENVELOPE_PREFIX_COUNT: with none. */
size_t envelope_find_prefix(struct slice header);

/* Whether it can be an attribute: a String of CloudEvents (spec.md, Type System) has no control
 * characters, nor is it empty. */
bool envelope_is_string(struct slice text);

/* Whether data of this content type is JSON: application/json, text/json, application/x+json; ...
 */
bool envelope_is_json(struct slice content_type);

#endif
