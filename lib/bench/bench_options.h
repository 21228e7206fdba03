/* bench_options.h - what a load run is asked for, as on the command line. */
#ifndef BENCH_BENCH_OPTIONS_H
#define BENCH_BENCH_OPTIONS_H

#include "app/tool.h"

enum bench_queue_type { BENCH_CLASSIC, BENCH_QUORUM, BENCH_STREAM };
enum bench_arrivals { BENCH_REGULAR, BENCH_POISSON };
enum bench_exit_when { BENCH_EXIT_NEVER, BENCH_EXIT_EMPTY, BENCH_EXIT_IDLE };
enum bench_format { BENCH_TABLE, BENCH_COMPACT, BENCH_QUIET };
enum bench_churn { BENCH_NO_CHURN, BENCH_CONNECTIONS, BENCH_CHANNELS, BENCH_QUEUES };

/* As on the command line; texts are looked at by plan.h. */
struct bench_options {
	struct tool_options tool; /* first */
	/* how many */
	uint64_t producers, consumers, producer_channels, consumer_channels, threads;
	/* between them */
	const char *exchange, *type, *routing_key;
	struct option_list queues, queue_arguments;
	const char *queue_pattern;
	uint64_t queue_from, queue_to;
	bool has_queue_to;
	int queue_type; /* enum bench_queue_type */
	bool has_type, auto_delete, durable, exclusive, random_routing_key, predeclared;
	/* when */
	double rate, total_rate;
	uint64_t interval_ns; /* between two messages */
	bool has_rate, has_total_rate, has_interval;
	struct option_list schedule;
	int arrivals; /* enum bench_arrivals */
	uint64_t random_start_ns, quantum_ns;
	/* what */
	uint64_t size;
	bool has_size;
	struct option_list sizes, bodies, flags, properties;
	const char *content_type;
	int stamp; /* enum emit_stamp */
	int clock; /* enum probe_clock */
	uint64_t confirm, confirm_timeout_ns;
	/* consuming */
	bool autoack, nack, requeue, polling, slow_start;
	uint64_t ack_every, prefetch, latency_ns, poll_ns, start_delay_ns;
	double consumer_rate;
	struct option_list latencies, consumer_arguments;
	const char *offset;
	/* how long */
	uint64_t time_ns, pmessages, cmessages, drain_ns, warm_up_ns;
	bool has_time, has_pmessages, has_cmessages;
	int exit_when; /* enum bench_exit_when */
	/* what is made of it */
	uint64_t report_ns; /* an interval of the results */
	int format;	    /* enum bench_format */
	const char *csv, *html, *metrics, *compare;
	bool json;
	struct option_list expect;
	bool find_max;
	uint64_t latency_bound_ns;
	int churn; /* enum bench_churn */
};

/* The defaults. */
extern const struct bench_options bench_defaults;

#endif
