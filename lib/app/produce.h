/* produce.h - the wiring of the producer: patterns or lines -> exchange. */
#ifndef APP_PRODUCE_H
#define APP_PRODUCE_H

#include "app/tool.h"

enum produce_format { PRODUCE_AUTO, PRODUCE_PRETTY, PRODUCE_JSON, PRODUCE_NONE };

/* What to do about a message that makes the broker close the channel. */
enum produce_refusal { PRODUCE_REFUSAL_END, PRODUCE_REFUSAL_SKIP };

struct produce_options {
	struct tool_options tool; /* first */
	bool has_amount, has_delay, has_rate, has_seed, has_mandatory;
	uint64_t amount, delay_ns, seed, window;
	double rate; /* per second */
	const char *from;
	int from_format; /* enum source_lines_format */
	const char *exchange, *routing_key;
	bool mandatory, declare, contract, yes;
	int format;	/* enum produce_format */
	int on_refusal; /* enum produce_refusal */
	uint64_t nack_retries;
	const char *spool;
	bool spool_sync;
};

/* options are a struct produce_options. */
tool_run_fn produce_run;

#endif
