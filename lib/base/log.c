#include "base/log.h"

#include "base/buf.h"
#include "base/chrono.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
	const char *tool;
	enum log_level most;
	enum log_format format;
	void (*hook)(void *ctx, bool before);
	void *hook_ctx;
} settings = {.tool = "warren", .most = LOG_WARNING};

void log_setup(const char *tool, enum log_level most, enum log_format format)
{
	settings.tool = tool;
	settings.most = most;
	settings.format = format;
}

void log_set_hook(void (*hook)(void *ctx, bool before), void *ctx)
{
	settings.hook = hook;
	settings.hook_ctx = ctx;
}

static void write_text(enum log_level level, const char *text, struct buf *line)
{
	static const char *const marks[] = {"", "warning: ", "", "debug: "};
	buf_printf(line, "%s: %s%s\n", settings.tool, marks[level], text);
}

static void write_json(enum log_level level, const char *text, struct buf *line)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};
	buf_append_str(line, "{\"time\":\"");
	chrono_format(chrono_wall_ms(), line);
	buf_printf(
	    line, "\",\"level\":\"%s\",\"tool\":\"%s\",\"message\":", names[level], settings.tool);
	text_json(slice_str(text), line);
	buf_append_str(line, "}\n");
}

void log_write(enum log_level level, const char *fmt, ...)
{
	if (level > settings.most)
		return;
	char text[2 * ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args); /* a cut text is still worth having */
	va_end(args);
	struct buf line = {0};
	(settings.format == LOG_JSON ? write_json : write_text)(level, text, &line);
	if (settings.hook != NULL)
		settings.hook(settings.hook_ctx, true);
	(void)fwrite(line.ptr, 1, line.len, stderr); /* nowhere left to complain */
	(void)fflush(stderr);
	if (settings.hook != NULL)
		settings.hook(settings.hook_ctx, false);
	buf_release(&line);
}
