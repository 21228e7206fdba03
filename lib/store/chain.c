#include "store/chain.h"

#include "base/mem.h"

#include <string.h>

static unsigned char *put_number(unsigned char *out, uint64_t number)
{
	for (size_t i = 0; i < 8; i++)
		out[i] = (unsigned char)(number >> 8 * i);
	return out + 8;
}

void chain_next(
    struct digest *digest, const struct chain_event *event, unsigned char hash[DIGEST_BYTES])
{
	const struct slice texts[] = {
	    event->queue, event->exchange, event->routing_key, event->properties, event->body};
	unsigned char head[DIGEST_BYTES + 9 * 8], *end = head + DIGEST_BYTES;
	memcpy(head, hash, DIGEST_BYTES);
	end = put_number(end, event->position);
	end = put_number(end, (uint64_t)event->received_us);
	end = put_number(end, event->redelivered);
	end = put_number(end, (uint64_t)event->stream_offset);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		end = put_number(end, texts[i].len);
	digest_begin(digest);
	digest_add(digest, (struct slice){(const char *)head, sizeof head});
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		digest_add(digest, texts[i]);
	digest_end(digest, hash);
}
