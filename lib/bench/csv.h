/* csv.h - a load run as CSV (RFC 4180): a line an interval; times in seconds. */
#ifndef BENCH_CSV_H
#define BENCH_CSV_H

#include "base/buf.h"
#include "bench/result.h"

void csv_write_head(struct buf *out);
void csv_write_row(const struct result_row *row, struct buf *out);

#endif
