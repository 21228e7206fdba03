#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Marks a text that did not fit. */
static void mark_cut(char *text, int wanted)
{
	if (wanted >= ERROR_TEXT_BYTES)
		memcpy(text + ERROR_TEXT_BYTES - 4, "...", 4);
}

bool(error_set)(struct error *err, enum error_kind kind, const char *fmt, ...)
{
	if (err->kind != ERROR_NONE)
		return false;
	va_list args;
	va_start(args, fmt);
	int wanted = vsnprintf(err->text, sizeof err->text, fmt, args);
	va_end(args);
	mark_cut(err->text, wanted);
	err->kind = kind;
	return false;
}

bool(error_context)(struct error *err, const char *fmt, ...)
{
	char cause[ERROR_TEXT_BYTES];
	memcpy(cause, err->text, sizeof cause);
	va_list args;
	va_start(args, fmt);
	int context = vsnprintf(err->text, sizeof err->text, fmt, args);
	va_end(args);
	if (context < 0 || context >= ERROR_TEXT_BYTES) {
		mark_cut(err->text, context);
		return false;
	}
	size_t room = sizeof err->text - (size_t)context;
	int rest = snprintf(err->text + context, room, ": %s", cause);
	mark_cut(err->text, context + rest);
	return false;
}
