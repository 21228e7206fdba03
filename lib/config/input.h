/* input.h - a whole file in memory, with a size limit, without hanging on what is not a file. */
#ifndef CONFIG_INPUT_H
#define CONFIG_INPUT_H

#include "base/buf.h"
#include "base/error.h"

/*
 * Appends the bytes of a regular file or a pipe (process substitution) to out; "-" and /dev/stdin
 * are standard input, whatever it is. Waits for those who write to a pipe, but a pipe that gives
 * nothing at all is a failure. is_file tells whether it was a regular file.
 *
 * ERROR_NO_INPUT when it cannot be opened or read, ERROR_SETTINGS beyond max_bytes; then out is
 * as it was.
 */
bool input_read(const char *path, size_t max_bytes, struct buf *out, bool *is_file,
    struct error *err) MUST_CHECK;

#endif
