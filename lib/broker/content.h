/* content.h - a message that comes in several frames: its method, its header, pieces of its body.
 */
#ifndef BROKER_CONTENT_H
#define BROKER_CONTENT_H

#include "broker/frames.h"

#define CONTENT_MAX_BODY_BYTES (UINT64_C(512) << 20) /* RabbitMQ's own limit is a quarter of it */

/* `= {0}` is "none under way". Owns copies of what came. */
struct content {
	uint32_t method_id; /* 0: none under way */
	bool has_header;
	uint64_t body_bytes; /* announced by the header */
	struct buf method, header, body;
};

/* True for basic.deliver, basic.return and the like: frames with a message follow. */
bool content_follows(uint32_t method_id);

/* Each takes the payload of one frame; fails with ERROR_REFUSED when it does not belong there. */
bool content_begin(struct content *c, struct slice method, struct error *err) MUST_CHECK;
bool content_add_header(struct content *c, struct slice header, struct error *err) MUST_CHECK;
bool content_add_body(struct content *c, struct slice piece, struct error *err) MUST_CHECK;

/* True when the whole body is there; then *m borrows from the content, but for what the method
 * says. */
bool content_is_whole(const struct content *c, struct message *m);
/* Ready for the next message; keeps its memory. */
void content_clear(struct content *c);
void content_release(struct content *c);

#endif
