#include "store/chain.h"

static void add_number(struct digest *digest, uint64_t number)
{
	unsigned char bytes[8];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(number >> 8 * i);
	digest_add(digest, (struct slice){(const char *)bytes, sizeof bytes});
}

static void add_text(struct digest *digest, struct slice text)
{
	add_number(digest, text.len);
	digest_add(digest, text);
}

void chain_next(
    struct digest *digest, const struct chain_event *event, unsigned char hash[DIGEST_BYTES])
{
	digest_begin(digest);
	digest_add(digest, (struct slice){(const char *)hash, DIGEST_BYTES});
	add_number(digest, event->position);
	add_number(digest, (uint64_t)event->received_us);
	add_number(digest, event->redelivered);
	add_number(digest, (uint64_t)event->stream_offset);
	add_text(digest, event->queue);
	add_text(digest, event->exchange);
	add_text(digest, event->routing_key);
	add_text(digest, event->properties);
	add_text(digest, event->body);
	digest_end(digest, hash);
}
