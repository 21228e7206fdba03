/* consume.h - the wiring of the consumer: queues -> contract, dedupe, filter, command -> terminal.
 */
#ifndef APP_CONSUME_H
#define APP_CONSUME_H

#include "app/tool.h"

enum consume_unmatched { CONSUME_HOLD, CONSUME_UNMATCHED_ACK, CONSUME_UNMATCHED_REJECT };

/* What to do when the broker ends the consumer: the queue is gone or went elsewhere. */
enum consume_cancel { CONSUME_CANCEL_END, CONSUME_CANCEL_RENEW };

struct consume_options {
	struct tool_options tool; /* first */
	bool has_count, has_idle, has_prefetch;
	uint64_t count, idle_ns, prefetch;
	bool until_empty;
	int ack;    /* enum source_queue_ack */
	int format; /* enum sink_terminal_format */
	const char *filter;
	int unmatched; /* enum consume_unmatched */
	const char *exec;
	bool exec_shell, exec_worker;
	uint64_t exec_timeout_ns, exec_jobs;
	const char *offset; /* of streams: first, last, next, a number or a time */
	bool declare, contract;
	int on_cancel; /* enum consume_cancel */
	bool dedupe;
	uint64_t dedupe_window;
	/* each of these switches it on as well */
	const char *dedupe_by, *dedupe_store;
	uint64_t dedupe_age_ns;
};

tool_run_fn consume_run;

#endif
