/*
 * chain.h - the hash of an event: SHA-256 over the hash before it and everything that was recorded.
 *
 * Who changes, removes or inserts an event has to write every later hash anew; and then the last
 * one is another than the one that was kept elsewhere. Hashed are, one behind the other: the
 * previous hash (32 bytes; zeros before the first event); as unsigned 64-bit little-endian numbers
 * position, received, redelivered (0 or 1), stream_offset (-1: none), and the lengths in bytes of
 * queue, exchange, routing_key, properties and body; then these five.
 */
#ifndef STORE_CHAIN_H
#define STORE_CHAIN_H

#include "base/digest.h"

#include <stdbool.h>
#include <stdint.h>

struct chain_event {
	uint64_t position;
	int64_t received_us; /* since 1970 */
	bool redelivered;
	int64_t stream_offset;
	struct slice queue, exchange, routing_key, properties, body;
};

/* `hash` is that of the event before and becomes that of this one. */
void chain_next(
    struct digest *digest, const struct chain_event *event, unsigned char hash[DIGEST_BYTES]);

#endif
