#include "flow/sink_terminal.h"

#include "base/chrono.h"
#include "base/fifo.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/output.h"
#include "base/text.h"
#include "model/pretty.h"
#include "model/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A message whose bytes end at a position of the output. */
struct printed {
	uint64_t slot;
	uint64_t end;
};

struct sink_terminal {
	struct sink_terminal_options options;
	struct output output;
	bool is_terminal;
	uint64_t unshown;
	struct fifo printed; /* struct printed: they wait for their bytes to be written */
};

struct sink_terminal *sink_terminal_create(const struct sink_terminal_options *options)
{
	struct sink_terminal *sink = mem_alloc(1, sizeof *sink);
	sink->options = *options;
	sink->is_terminal = isatty(options->fd);
	sink->printed.size = sizeof(struct printed);
	const char *name = options->name != NULL ? options->name : "standard output";
	output_init(&sink->output, options->fd, name, options->loop);
	return sink;
}

void sink_terminal_free(struct sink_terminal *sink)
{
	if (sink == NULL)
		return;
	output_release(&sink->output);
	fifo_release(&sink->printed);
	free(sink);
}

static void write_body(const struct sink_terminal *sink, struct slice body, struct buf *out)
{
	if (sink->is_terminal)
		text_escape_lines(body, SIZE_MAX, out);
	else
		buf_append(out, body);
	if (body.len == 0 || body.ptr[body.len - 1] != '\n')
		buf_append_char(out, '\n');
}

static void write_pretty(
    const struct sink_terminal *sink, const struct flow_message *m, struct buf *out)
{
	struct pretty_line line = {.mark = "[<<]",
	    .wall_ms = chrono_wall_ms(),
	    .message = m->message,
	    .queue = sink->options.show_queue ? m->queue : (struct slice){0},
	    .redelivered = m->redelivered,
	    .color = sink->options.color};
	pretty_write(&line, out);
	if (sink->options.show_death)
		death_write_lines(m->message, out);
}

static bool write_message(
    struct sink_terminal *sink, const struct flow_message *m, struct error *err)
{
	struct buf *out = output_buf(&sink->output);
	struct record_extra extra = {.redelivered = &m->redelivered, .queue = m->queue};
	struct death death;
	switch (sink->options.format) {
	case SINK_TERMINAL_JSON:
		if (sink->options.show_death) {
			death_read(m->message, &death);
			extra.death = &death;
		}
		return record_write(m->message, &extra, out, err);
	case SINK_TERMINAL_PRETTY:
		write_pretty(sink, m, out);
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
	return output_is_full(&sink->output) ? 0 : SIZE_MAX;
}

static bool put(
    void *self, struct flow *flow, uint64_t slot, const struct flow_message *m, struct error *err)
{
	struct sink_terminal *sink = self;
	struct error unprintable;
	error_clear(&unprintable);
	(void)err;
	if (!write_message(sink, m, &unprintable)) {
		log_write(LOG_WARNING, "a message cannot be shown and stays in its queue: %s",
		    unprintable.text);
		sink->unshown++;
		flow_settle(flow, slot, FLOW_HELD, unprintable.text);
		return true;
	}
	fifo_push(&sink->printed, &(struct printed){slot, output_position(&sink->output)});
	return true;
}

static void settle_front(struct sink_terminal *sink, struct flow *flow, enum flow_fate fate)
{
	const struct printed *front = fifo_front(&sink->printed);
	uint64_t slot = front->slot;
	fifo_pop(&sink->printed);
	flow_settle(flow, slot, fate, fate == FLOW_ACCEPTED ? "" : "not written");
}

static bool flush(void *self, struct flow *flow, struct error *err)
{
	struct sink_terminal *sink = self;
	uint64_t before = sink->output.total;
	if (!output_flush(&sink->output, err))
		return false;
	if (sink->options.durable && sink->output.total > before &&
	    fdatasync(sink->options.fd) != 0 && errno != EINVAL) /* a pipe has no disk */
		return error_set(
		    err, ERROR_IO, "cannot write to %s: %s", sink->output.name, strerror(errno));
	const struct printed *front;
	while ((front = fifo_front(&sink->printed)) != NULL && front->end <= sink->output.total)
		settle_front(sink, flow, FLOW_ACCEPTED);
	return true;
}

static void abandon(void *self, struct flow *flow)
{
	struct sink_terminal *sink = self;
	while (!fifo_is_empty(&sink->printed))
		settle_front(sink, flow, FLOW_RELEASED);
	output_release(&sink->output);
}

struct flow_sink sink_terminal_sink(struct sink_terminal *sink)
{
	static const struct flow_sink_kind kind = {room, put, flush, NULL, NULL, abandon};
	return (struct flow_sink){&kind, sink};
}

uint64_t sink_terminal_unshown(const struct sink_terminal *sink)
{
	return sink->unshown;
}
