#include "app/rpc_print.h"

#include "base/chrono.h"
#include "base/text.h"
#include "model/pretty.h"

#include <unistd.h>

#define GRACE_NS (2 * CHRONO_S) /* for the reader of what is printed, after a stop */

void rpc_print_init(
    struct rpc_print *p, const struct tool *tool, enum rpc_format format, const char *mark)
{
	*p = (struct rpc_print){.format = format,
	    .color = tool_wants_color(tool, STDOUT_FILENO),
	    .is_terminal = isatty(STDOUT_FILENO),
	    .mark = mark,
	    .loop = tool->loop};
	output_init(&p->out, STDOUT_FILENO, "standard output", tool->loop);
}

void rpc_print_release(struct rpc_print *p)
{
	output_release(&p->out);
}

static void flush(struct rpc_print *p)
{
	if (p->failed.kind != ERROR_NONE || !output_flush(&p->out, &p->failed))
		loop_request_stop(p->loop);
}

bool rpc_print_is_ready(struct rpc_print *p)
{
	if (output_waiting(&p->out) > 0)
		flush(p);
	return !output_is_full(&p->out);
}

static void write_body(const struct rpc_print *p, struct slice body, struct buf *out)
{
	if (p->is_terminal)
		text_escape_lines(body, SIZE_MAX, out);
	else
		buf_append(out, body);
	if (body.len == 0 || body.ptr[body.len - 1] != '\n')
		buf_append_char(out, '\n');
}

void rpc_print_message(struct rpc_print *p, const struct message *m, struct slice place,
    const struct record_extra *extra)
{
	struct buf *out = output_buf(&p->out);
	/* for people the address of a reply is noise */
	struct message shown = *m;
	shown.exchange = (struct slice){0};
	shown.routing_key = place;
	struct pretty_line line = {
	    .mark = p->mark, .wall_ms = chrono_wall_ms(), .message = &shown, .color = p->color};
	if (p->failed.kind != ERROR_NONE || p->format == RPC_NONE)
		return;
	if (p->format == RPC_PRETTY)
		pretty_write(&line, out);
	else if (p->format == RPC_BODY)
		write_body(p, m->body, out);
	else if (!record_write(m, extra, out, &p->failed))
		loop_request_stop(p->loop);
	flush(p);
}

bool rpc_print_finish(struct rpc_print *p, struct error *err)
{
	if (p->failed.kind == ERROR_NONE && output_drain(&p->out, GRACE_NS, &p->failed))
		return true;
	return error_set(err, p->failed.kind, "%s", p->failed.text);
}
