#include "app/summary.h"

#include "base/num.h"

#include <inttypes.h>

/* "1 call", "2 calls", "1 id_used_again" */
static void write_name(const struct summary_row *row, struct buf *out)
{
	buf_append_char(out, ' ');
	for (const char *at = row->name; *at != '\0'; at++) {
		bool is_plural = at[0] == 's' && (at[1] == '_' || at[1] == '\0');
		if (row->value != 1 || !is_plural)
			buf_append_char(out, *at);
	}
}

static void write_text(
    const struct summary_row *rows, size_t count, uint64_t elapsed_ns, struct buf *out)
{
	double seconds = (double)elapsed_ns / 1e9;
	for (size_t i = 0, shown = 0; i < count; i++) {
		if (rows[i].optional == SUMMARY_ONLY_JSON ||
		    (rows[i].optional && rows[i].value == 0))
			continue;
		buf_append_str(out, shown++ > 0 ? ", " : "");
		num_format_count(rows[i].value, out);
		write_name(&rows[i], out);
	}
	buf_append_str(out, " in ");
	num_format_duration(elapsed_ns, out);
	double rate = seconds > 0 ? (double)rows[0].value / seconds : 0;
	buf_printf(out, rate >= 10 ? " (%.0f/s)\n" : " (%.2f/s)\n", rate);
}

static void write_json(
    const struct summary_row *rows, size_t count, uint64_t elapsed_ns, struct buf *out)
{
	double seconds = (double)elapsed_ns / 1e9;
	buf_append_char(out, '{');
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "\"%s\":%" PRIu64 ",", rows[i].name, rows[i].value);
	double rate = seconds > 0 ? (double)rows[0].value / seconds : 0;
	buf_printf(out, "\"seconds\":%.6f,\"rate\":%.3f}\n", seconds, rate);
}

void summary_write(const struct summary_row *rows, size_t count, uint64_t elapsed_ns,
    enum summary_format format, struct buf *out)
{
	if (format == SUMMARY_TEXT)
		write_text(rows, count, elapsed_ns, out);
	else if (format == SUMMARY_JSON)
		write_json(rows, count, elapsed_ns, out);
}
