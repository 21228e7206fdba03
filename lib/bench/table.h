/* table.h - a load run as text: a line an interval, and the account at the end. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include "bench/plan.h"
#include "bench/result.h"

/* The columns' names. */
void table_write_head(const struct plan *plan, struct buf *out);
void table_write_row(const struct plan *plan, const struct result_row *row, struct buf *out);
/* The same in few words: "5s sent 5000/s received 5000/s p50 210us p99 1.4ms". */
void table_write_compact(const struct plan *plan, const struct result_row *row, struct buf *out);
/* Rates, percentiles, and what became of the messages. */
void table_write_account(const struct plan *plan, const struct result *r, struct buf *out);

/* A line for each expectation; an array as expectations_judge makes it. */
void table_write_verdicts(const json_t *verdicts, struct buf *out);

/* Three digits and a unit: "210us", "1.45ms", "2.01s". */
void table_write_time(uint64_t ns, struct buf *out);

#endif
