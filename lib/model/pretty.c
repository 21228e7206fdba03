#include "model/pretty.h"

#include "base/chrono.h"
#include "base/num.h"
#include "base/text.h"
#include "model/table.h"

#define DIM "\033[2m"
#define CYAN "\033[36m"
#define RESET "\033[0m"

static void paint(const struct pretty_line *l, const char *code, struct buf *out)
{
	if (l->color)
		buf_append_str(out, code);
}

static void write_body(struct slice body, struct buf *out)
{
	if (body.len == 0)
		buf_append_str(out, "(empty body)");
	else
		text_escape(body, PRETTY_BODY_BYTES, out);
	if (body.len > PRETTY_BODY_BYTES) {
		buf_append_str(out, " (");
		num_format_size(body.len, out);
		buf_append_char(out, ')');
	}
}

static void write_headers(const struct pretty_line *l, struct buf *out)
{
	const struct message *m = l->message;
	struct error ignored = {0}; /* what cannot be read is said in its place */
	if ((m->present & MESSAGE_HEADERS) == 0 || m->headers.len == 0)
		return;
	paint(l, DIM, out);
	buf_append_str(out, "     headers ");
	if (!table_write_json(m->headers, out, &ignored))
		buf_append_str(out, "that cannot be read");
	paint(l, RESET, out);
	buf_append_char(out, '\n');
}

void pretty_write(const struct pretty_line *l, struct buf *out)
{
	const struct message *m = l->message;
	paint(l, CYAN, out);
	buf_append_str(out, l->mark);
	paint(l, RESET, out);
	buf_append_char(out, ' ');
	paint(l, DIM, out);
	if (l->wall_ms != 0) {
		chrono_format_clock(l->wall_ms, out);
		buf_append_char(out, ' ');
	}
	if (l->queue.len > 0) {
		text_escape(l->queue, 255, out);
		buf_append_str(out, " < ");
	}
	text_escape(m->exchange, 255, out);
	buf_append_str(out, m->exchange.len > 0 ? "/" : "");
	text_escape(m->routing_key, 255, out);
	paint(l, RESET, out);
	buf_append_char(out, ' ');
	write_body(m->body, out);
	if (l->redelivered)
		buf_append_str(out, " (redelivered)");
	buf_append_char(out, '\n');
	write_headers(l, out);
}
