#include "model/span.h"

#include "base/text.h"
#include "base/version.h"

#define MOST_TEXT 1024 /* bytes of a value */

#define HAS_IS_REMOTE 0x100 /* flags of the protocol above those of traceparent */
#define IS_REMOTE 0x200

static void write_text(struct slice text, struct buf *out)
{
	struct buf safe = {0};
	if (text.len > MOST_TEXT || !text_is_utf8(text)) {
		text_escape(text, MOST_TEXT, &safe);
		text = buf_slice(&safe);
	}
	text_json(text, out);
	buf_release(&safe);
}

static void write_time(const char *key, uint64_t ns, struct buf *out)
{
	buf_append_str(out, key);
	buf_append_u64(out, ns);
	buf_append_char(out, '"');
}

static void write_id(const char *key, const char *id, size_t len, struct buf *out)
{
	buf_append_str(out, key);
	buf_append(out, (struct slice){id, len});
	buf_append_char(out, '"');
}

static void write_name(const struct span *s, struct buf *out)
{
	struct buf name = {0};
	buf_append(&name, s->operation);
	buf_append_char(&name, ' ');
	buf_append(&name, s->target);
	buf_append_str(out, ",\"name\":");
	write_text(buf_slice(&name), out);
	buf_release(&name);
}

void span_begin(const struct span *s, struct buf *out)
{
	unsigned flags = s->trace.flags | HAS_IS_REMOTE;
	write_id("{\"traceId\":\"", s->trace.trace_id, TRACE_ID_CHARS, out);
	write_id(",\"spanId\":\"", s->trace.span_id, TRACE_SPAN_CHARS, out);
	if (s->parent != NULL)
		write_id(",\"parentSpanId\":\"", s->parent, TRACE_SPAN_CHARS, out);
	if (s->parent != NULL && s->is_remote)
		flags |= IS_REMOTE;
	if (s->state.len > 0) {
		buf_append_str(out, ",\"traceState\":");
		write_text(s->state, out);
	}
	buf_append_str(out, ",\"flags\":");
	buf_append_u64(out, flags);
	write_name(s, out);
	buf_append_str(out, ",\"kind\":");
	buf_append_u64(out, (uint64_t)s->kind);
	write_time(",\"startTimeUnixNano\":\"", s->start_ns, out);
	buf_append_str(out, ",\"attributes\":[");
}

static void begin_attribute(const char *key, struct buf *out)
{
	bool is_first = out->len > 0 && out->ptr[out->len - 1] == '[';
	buf_append_str(out, is_first ? "{\"key\":\"" : ",{\"key\":\"");
	buf_append_str(out, key);
	buf_append_str(out, "\",\"value\":{");
}

void span_add_text(struct buf *out, const char *key, struct slice value)
{
	if (value.len == 0)
		return;
	begin_attribute(key, out);
	buf_append_str(out, "\"stringValue\":");
	write_text(value, out);
	buf_append_str(out, "}}");
}

void span_add_int(struct buf *out, const char *key, int64_t value)
{
	begin_attribute(key, out);
	buf_printf(out, "\"intValue\":\"%lld\"}}", (long long)value);
}

void span_end(struct buf *out, uint64_t end_ns, const char *error)
{
	buf_append_char(out, ']');
	write_time(",\"endTimeUnixNano\":\"", end_ns, out);
	buf_append_str(out, ",\"status\":{");
	if (error != NULL) {
		buf_append_str(out, "\"code\":2");
		if (error[0] != '\0') {
			buf_append_str(out, ",\"message\":");
			write_text(slice_str(error), out);
		}
	}
	buf_append_str(out, "}}");
}

void span_write_head(const struct span_attribute *resource, size_t count, struct buf *out)
{
	buf_append_str(out, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
	for (size_t i = 0; i < count; i++) {
		buf_append_str(out, i > 0 ? ",{\"key\":" : "{\"key\":");
		write_text(slice_str(resource[i].key), out);
		buf_append_str(out, ",\"value\":{\"stringValue\":");
		write_text(slice_str(resource[i].value), out);
		buf_append_str(out, "}}");
	}
	buf_append_str(out,
	    "]},\"scopeSpans\":[{\"scope\":{\"name\":\"warren\",\"version\":\"" WARREN_VERSION
	    "\"},\"spans\":[");
}

void span_write_tail(struct buf *out)
{
	buf_append_str(out, "]}]}]}");
}
