#include "app/events_line.h"

#include "base/chrono.h"
#include "model/record.h"

/* As text, so that the empty name of the default exchange is told as well. */
static struct slice told(struct slice text)
{
	return text.ptr != NULL ? text : SLICE("");
}

bool events_line_write(const struct select_event *e, struct buf *out, struct error *err)
{
	struct buf received = {0};
	chrono_format_us(e->received_us, &received);
	struct message m = {
	    .exchange = told(e->exchange), .routing_key = told(e->routing_key), .body = e->body};
	struct record_extra extra = {.position = e->position,
	    .received = buf_slice(&received),
	    .redelivered = &e->redelivered,
	    .queue = e->queue,
	    .offset = e->stream_offset >= 0 ? &e->stream_offset : NULL,
	    .properties = e->properties};
	bool good = record_write(&m, &extra, out, err);
	buf_release(&received);
	return good;
}
