/* report.h - the result of a bench run as a web page in one file, which opens offline. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "base/buf.h"

#include <jansson.h>

/*
 * Appends web/report.html with the result inside it. The page shows whatever is missing or null as
 * absent, and only a line that there is no result for what is no object or cannot be written as
 * JSON. No string of the result can become markup, whatever it holds.
 */
void report_write(const json_t *result, struct buf *out);

#endif
