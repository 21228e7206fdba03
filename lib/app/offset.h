/* offset.h - where reading a stream begins, from the command line. */
#ifndef APP_OFFSET_H
#define APP_OFFSET_H

#include "base/error.h"

#include <jansson.h>

/* The x-stream-offset argument: first, last, next, a number, or a time. Owned; NULL with
 * ERROR_USAGE. */
json_t *offset_read(const char *text, struct error *err);

#endif
