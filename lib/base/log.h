/* log.h - diagnostics to stderr; level and format are the one process-wide setting. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/error.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

/* Call before the first log_write: what is written is "<tool>: text", or one JSON object a line.
 * tool is borrowed for ever (a literal). */
void log_setup(const char *tool, enum log_level most, enum log_format format);

/* Foreign bytes must have gone through text_escape or text_quote. */
void log_write(enum log_level level, const char *fmt, ...) ERROR_FORMAT(2, 3);

/* A hook called before and after a line is written, so that a progress line can step aside; NULL
 * for none. */
void log_set_hook(void (*hook)(void *ctx, bool before), void *ctx);

#endif
