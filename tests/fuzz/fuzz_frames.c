/* Any bytes as frames of a broker: read to the end or refused, never outside of the input. */
#include "broker/frames.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_everything(struct frames_arena *arena, struct slice payload)
{
	struct message m = {0};
	struct frames_deliver deliver;
	struct frames_return returned;
	struct frames_settle settle;
	uint64_t body_bytes;
	bool mandatory;
	(void)frames_read_publish(payload, &mandatory, &m);
	(void)frames_read_deliver(payload, &deliver, &m);
	(void)frames_read_return(payload, &returned, &m);
	(void)frames_read_settle(payload, &settle);
	if (frames_read_header(payload, &body_bytes, &m)) {
		struct buf out = {0};
		struct error err = {0};
		IGNORE_RESULT(frames_put_publish(&out, 1, &m, true, FRAMES_DEFAULT_SIZE, &err));
		buf_release(&out);
	}
	(void)frames_decode(arena, payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {(const char *)data, size};
	struct frames_arena *arena = frames_arena_create();
	struct error err = {0};
	struct frame f;
	read_everything(arena, in);
	while (frames_next(&in, FRAMES_DEFAULT_SIZE, &f, &err) == FRAMES_OK)
		read_everything(arena, f.payload);
	frames_arena_free(arena);
	return 0;
}
