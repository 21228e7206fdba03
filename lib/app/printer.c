#include "app/printer.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/text.h"
#include "model/pretty.h"
#include "model/record.h"

#include <unistd.h>

#define GRACE_NS (2 * CHRONO_S) /* for the reader of what is printed, after a stop */

static const char *const fate_names[FLOW_FATE_COUNT] = {
    [FLOW_ACCEPTED] = "confirmed",
    [FLOW_RETURNED] = "returned",
    [FLOW_NACKED] = "nacked",
    [FLOW_UNCONFIRMED] = "unconfirmed",
    [FLOW_RELEASED] = "unsent",
    [FLOW_REJECTED] = "violation",
};

void printer_init(struct printer *p, enum printer_format format, bool color, struct loop *loop)
{
	*p = (struct printer){.format = format, .color = color, .loop = loop};
	output_init(&p->out, STDOUT_FILENO, "standard output", loop);
}

void printer_release(struct printer *p)
{
	output_release(&p->out);
}

static void flush(struct printer *p)
{
	if (p->failed.kind != ERROR_NONE || !output_flush(&p->out, &p->failed))
		loop_request_stop(p->loop);
}

bool printer_is_ready(void *ctx)
{
	struct printer *p = ctx;
	if (output_waiting(&p->out) > 0)
		flush(p);
	return !output_is_full(&p->out);
}

void printer_on_put(void *ctx, const struct flow_message *m)
{
	struct printer *p = ctx;
	if (p->format != PRINTER_PRETTY)
		return;
	struct pretty_line line = {
	    .mark = "[>>]", .wall_ms = chrono_wall_ms(), .message = m->message, .color = p->color};
	pretty_write(&line, output_buf(&p->out));
	flush(p);
}

static void report_bad(const struct flow_message *m, enum flow_fate fate, const char *reason)
{
	struct buf line = {0};
	buf_append_str(&line, m->id.len > 0 ? "message " : "a message without an id");
	text_escape(m->id, SIZE_MAX, &line);
	if (m->message != NULL) {
		buf_append_str(&line, " to exchange '");
		text_escape(m->message->exchange, SIZE_MAX, &line);
		buf_append_str(&line, "' with key '");
		text_escape(m->message->routing_key, SIZE_MAX, &line);
		buf_append_str(&line, "'");
	}
	if (fate == FLOW_REJECTED)
		buf_append_str(&line, " breaks its contract and is not sent");
	else
		buf_printf(&line, " was %s", fate_names[fate]);
	buf_printf(&line, "%s%s", reason[0] != '\0' ? ": " : "", reason);
	log_write(LOG_WARNING, "%s", line.ptr);
	buf_release(&line);
}

void printer_on_fate(
    void *ctx, const struct flow_message *m, enum flow_fate fate, const char *reason)
{
	struct printer *p = ctx;
	struct record_extra extra = {.fate = fate_names[fate], .reason = slice_str(reason)};
	if (p->format != PRINTER_JSON) {
		if (fate != FLOW_ACCEPTED)
			report_bad(m, fate, reason);
		return;
	}
	if (p->failed.kind == ERROR_NONE &&
	    !record_write(m->message, &extra, output_buf(&p->out), &p->failed))
		loop_request_stop(p->loop);
	flush(p);
}

bool printer_finish(struct printer *p, struct error *err)
{
	if (p->failed.kind == ERROR_NONE && output_drain(&p->out, GRACE_NS, &p->failed))
		return true;
	return error_set(err, p->failed.kind, "%s", p->failed.text);
}
