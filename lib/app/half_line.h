/* half_line.h - a file of lines that is written on: whoever wrote there before may have been killed
 * in the middle of one. */
#ifndef APP_HALF_LINE_H
#define APP_HALF_LINE_H

#include "base/error.h"

#include <stdint.h>

/* Makes the file, which is open for reading and writing, end with a whole line: behind a last line
 * that is JSON comes a line feed, one that is none is cut off. *cut: bytes of it. Fails with
 * ERROR_IO; what is no regular file, such as a pipe, is left alone. */
bool half_line_mend(int fd, uint64_t *cut, struct error *err) MUST_CHECK;

#endif
