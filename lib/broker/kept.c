#include "broker/kept.h"

#include <assert.h>

#define MOVE_BYTES (256u * 1024) /* so much must be dead before memory is moved */

void kept_release(struct kept *k)
{
	buf_release(&k->bytes);
}

uint64_t kept_end(const struct kept *k)
{
	return k->base + k->bytes.len;
}

uint64_t kept_add(struct kept *k, struct slice frames)
{
	uint64_t place = kept_end(k);
	buf_append(&k->bytes, frames);
	return place;
}

void kept_forget(struct kept *k, uint64_t place)
{
	size_t dead = (size_t)(place - k->base);
	if (dead == k->bytes.len) {
		buf_clear(&k->bytes);
	} else {
		if (dead < MOVE_BYTES || dead < k->bytes.len / 2)
			return;
		buf_consume(&k->bytes, dead);
	}
	k->base = place;
}

struct message *kept_read(const struct kept *k, uint64_t place, bool *mandatory)
{
	size_t at = (size_t)(place - k->base);
	struct slice rest = {k->bytes.ptr + at, k->bytes.len - at};
	struct message m;
	struct buf body = {0};
	bool good = frames_take_publish(&rest, &body, mandatory, &m);
	assert(good); /* our own frames: they are whole and right */
	(void)good;
	struct message *copy = message_copy(&m);
	buf_release(&body);
	return copy;
}
