#include "flow/sink_terminal.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/output.h"
#include "base/text.h"
#include "model/pretty.h"
#include "model/record.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_WAITING_BYTES (4u << 20)

/* A message whose bytes end at a position of the output. */
struct printed {
	uint64_t slot;
	uint64_t end;
};

struct sink_terminal {
	struct sink_terminal_options options;
	struct output output;
	bool is_terminal;
	bool watching;
	struct printed *printed; /* first..count are waiting for their bytes to be written */
	size_t first, count, capacity;
};

struct sink_terminal *sink_terminal_create(const struct sink_terminal_options *options)
{
	struct sink_terminal *sink = mem_alloc(1, sizeof *sink);
	sink->options = *options;
	sink->is_terminal = isatty(options->fd);
	output_init(&sink->output, options->fd, "standard output");
	return sink;
}

void sink_terminal_free(struct sink_terminal *sink)
{
	if (sink == NULL)
		return;
	output_release(&sink->output);
	free(sink->printed);
	free(sink);
}

static void write_body(const struct sink_terminal *sink, struct slice body, struct buf *out)
{
	if (sink->is_terminal)
		text_escape_lines(body, SIZE_MAX, out);
	else
		buf_append(out, body);
	buf_append_char(out, '\n');
}

static bool write_message(
    struct sink_terminal *sink, const struct flow_message *m, struct error *err)
{
	struct buf *out = output_buf(&sink->output);
	struct record_extra extra = {.redelivered = &m->redelivered, .queue = m->queue};
	struct pretty_line line = {.mark = "[<<]",
	    .wall_ms = chrono_wall_ms(),
	    .message = m->message,
	    .queue = sink->options.show_queue ? m->queue : (struct slice){0},
	    .redelivered = m->redelivered,
	    .color = sink->options.color};
	switch (sink->options.format) {
	case SINK_TERMINAL_JSON:
		return record_write(m->message, &extra, out, err);
	case SINK_TERMINAL_PRETTY:
		pretty_write(&line, out);
		break;
	case SINK_TERMINAL_BODY:
		write_body(sink, m->message->body, out);
		break;
	case SINK_TERMINAL_NONE:
		break;
	}
	return true;
}

static size_t room(const void *self)
{
	const struct sink_terminal *sink = self;
	bool full = sink->output.waiting.len - sink->output.written > MAX_WAITING_BYTES;
	return full ? 0 : SIZE_MAX;
}

static bool put(
    void *self, struct flow *flow, uint64_t slot, const struct flow_message *m, struct error *err)
{
	struct sink_terminal *sink = self;
	struct error unprintable = {0};
	(void)err;
	if (!write_message(sink, m, &unprintable)) {
		log_write(LOG_WARNING, "a message cannot be shown and stays in its queue: %s",
		    unprintable.text);
		flow_settle(flow, slot, FLOW_HELD, unprintable.text);
		return true;
	}
	sink->printed =
	    mem_grow(sink->printed, &sink->capacity, sink->count + 1, sizeof *sink->printed);
	sink->printed[sink->count++] = (struct printed){slot, output_position(&sink->output)};
	return true;
}

static void note_writable(void *ctx, short revents)
{
	(void)ctx; /* the loop is awake, so the next flush goes on */
	(void)revents;
}

/* Wakes the loop when a slow reader takes more. */
static void watch(struct sink_terminal *sink)
{
	bool wanted = !output_is_empty(&sink->output);
	if (wanted && !sink->watching)
		loop_watch(sink->options.loop, sink->options.fd, POLLOUT, note_writable, sink);
	else if (!wanted && sink->watching)
		loop_unwatch(sink->options.loop, sink->options.fd);
	sink->watching = wanted;
}

/* Moves what still waits to the front, when that is the smaller part. */
static void forget_settled(struct sink_terminal *sink)
{
	size_t waiting = sink->count - sink->first;
	if (sink->first < waiting)
		return;
	if (waiting > 0)
		memcpy(sink->printed, sink->printed + sink->first, waiting * sizeof *sink->printed);
	sink->first = 0;
	sink->count = waiting;
}

static bool flush(void *self, struct flow *flow, struct error *err)
{
	struct sink_terminal *sink = self;
	if (!output_flush(&sink->output, err))
		return false;
	while (sink->first < sink->count && sink->printed[sink->first].end <= sink->output.total)
		flow_settle(flow, sink->printed[sink->first++].slot, FLOW_ACCEPTED, "");
	forget_settled(sink);
	watch(sink);
	return true;
}

static void abandon(void *self, struct flow *flow)
{
	struct sink_terminal *sink = self;
	while (sink->first < sink->count)
		flow_settle(flow, sink->printed[sink->first++].slot, FLOW_RELEASED, "not written");
	if (sink->watching)
		loop_unwatch(sink->options.loop, sink->options.fd);
	sink->watching = false;
}

struct flow_sink sink_terminal_sink(struct sink_terminal *sink)
{
	static const struct flow_sink_kind kind = {room, put, flush, abandon};
	return (struct flow_sink){&kind, sink};
}
