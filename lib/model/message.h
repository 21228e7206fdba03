/* message.h - a message: body, properties, headers. The noun every other module shares. */
#ifndef MODEL_MESSAGE_H
#define MODEL_MESSAGE_H

#include "base/buf.h"

/* The basic properties, by their bit in the property flags of AMQP 0-9-1 (section 4.2.6.1). */
enum message_property {
	MESSAGE_CLUSTER_ID = 1 << 2,
	MESSAGE_APP_ID = 1 << 3,
	MESSAGE_USER_ID = 1 << 4,
	MESSAGE_TYPE = 1 << 5,
	MESSAGE_TIMESTAMP = 1 << 6,
	MESSAGE_MESSAGE_ID = 1 << 7,
	MESSAGE_EXPIRATION = 1 << 8,
	MESSAGE_REPLY_TO = 1 << 9,
	MESSAGE_CORRELATION_ID = 1 << 10,
	MESSAGE_PRIORITY = 1 << 11,
	MESSAGE_DELIVERY_MODE = 1 << 12,
	MESSAGE_HEADERS = 1 << 13,
	MESSAGE_CONTENT_ENCODING = 1 << 14,
	MESSAGE_CONTENT_TYPE = 1 << 15,
};

#define MESSAGE_TRANSIENT 1
#define MESSAGE_PERSISTENT 2

/*
 * Borrowed bytes throughout: whoever fills a message says until when. A property counts only when
 * its bit is set in `present`. `headers` is an encoded AMQP field table without its length, so that
 * it passes through a tool unchanged, whatever it holds; model/table.h reads and writes it.
 */
struct message {
	struct slice exchange;
	struct slice routing_key;
	struct slice body;
	unsigned present; /* enum message_property */
	uint8_t delivery_mode;
	uint8_t priority;
	uint64_t timestamp; /* seconds since 1970 */
	struct slice content_type;
	struct slice content_encoding;
	struct slice headers;
	struct slice correlation_id;
	struct slice reply_to;
	struct slice expiration; /* milliseconds, in decimal digits */
	struct slice message_id;
	struct slice type;
	struct slice user_id;
	struct slice app_id;
	struct slice cluster_id;
};

enum message_value {
	MESSAGE_VALUE_TEXT,	 /* a short string: struct slice of at most 255 bytes */
	MESSAGE_VALUE_OCTET,	 /* uint8_t */
	MESSAGE_VALUE_TIMESTAMP, /* uint64_t */
	MESSAGE_VALUE_TABLE,	 /* struct slice of an encoded field table */
};

/* One row a property, in the order of the wire (content_type first). */
struct message_property_row {
	const char *name; /* "content_type", as in settings and JSON lines */
	enum message_property bit;
	enum message_value value;
	size_t offset; /* of the member in struct message */
};

#define MESSAGE_PROPERTY_COUNT 14
extern const struct message_property_row message_properties[MESSAGE_PROPERTY_COUNT];

/* The rows of what is present, one a call: takes the first off the set; NULL when it is empty. */
static inline const struct message_property_row *message_next_property(unsigned *present)
{
	unsigned left = *present & 0xfffc; /* the last two bits are no properties */
	if (left == 0)
		return NULL;
	const struct message_property_row *row =
	    &message_properties[__builtin_clz(left) - __builtin_clz(MESSAGE_CONTENT_TYPE)];
	*present = left & ~(unsigned)row->bit;
	return row;
}

/* NULL when there is no such property. */
const struct message_property_row *message_property_find(struct slice name);

/* The member of a message that a row with a text or table value describes. */
static inline struct slice *message_slice(struct message *m, const struct message_property_row *row)
{
	return (struct slice *)(void *)((char *)m + row->offset);
}

static inline const struct slice *message_slice_const(
    const struct message *m, const struct message_property_row *row)
{
	return (const struct slice *)(const void *)((const char *)m + row->offset);
}

/* Copies the message and all its bytes into one allocation, to release with free(). */
struct message *message_copy(const struct message *m);

#endif
