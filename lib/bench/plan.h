/*
 * plan.h - what a load run will do, decided before anything is done: topology, connections, their
 * channels, and what each of them sends or reads.
 */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include "bench/bench_options.h"
#include "bench/emit.h"

/* A message pattern as one channel sends it. */
struct plan_member {
	const char *name;
	const json_t *spec; /* as in `messages:` */
	struct pace_plan pace;
};

/* One channel. */
struct plan_lane {
	/* that publishes */
	uint32_t publisher; /* in the ledger */
	struct plan_member *members;
	size_t member_count;
	uint64_t offset_ns; /* of its first message, after the start */
	/* or consumes */
	const char **queues;
	bool *is_stream;
	size_t *queue_numbers; /* in the ledger */
	size_t queue_count;
};

/* One connection. */
struct plan_link {
	bool publishes;
	struct plan_lane *lanes;
	size_t lane_count;
	uint64_t delay_ns; /* of opening it, after the start */
};

struct plan {
	const struct bench_options *options;
	const struct settings *settings;
	const char *const *named; /* messages of the settings to send; none: all */
	uint32_t run;
	json_t *document; /* the topology that is declared, as in settings; NULL: the settings' */
	struct topology own;
	const struct topology *topology; /* NULL: nothing is declared */
	char **queues;			 /* that messages end in */
	size_t queue_count, queue_capacity;
	bool are_streams;
	bool is_removed; /* the topology goes with the run */
	struct plan_link *links;
	size_t link_count;
	size_t publishers, next_publisher, ledger_queues;
	struct steps sizes; /* none: bodies are not made up */
	struct steps services;
	struct slice *bodies;
	size_t body_count;
	json_t *specs; /* of what is sent without settings; owned array */
	json_t *consumer_arguments;
	enum emit_stamp stamp; /* not EMIT_AUTO */
	unsigned stripped;     /* properties that nobody asked for */
	bool mandatory;
};

/* tool: with settings loaded, if any; options and tool must outlive the plan. ERROR_USAGE for
 * options that contradict each other, ERROR_NO_INPUT for a body that cannot be read. Release in
 * any case. */
bool plan_make(struct tool *tool, const struct bench_options *options, struct plan *out,
    struct error *err) MUST_CHECK;
void plan_release(struct plan *plan);

/* Whether the run itself can tell of every message whether it arrived: producers and consumers, a
 * stamp that says which message it is, and a reader for every queue. */
bool plan_is_followed(const struct plan *plan);

/* What the ledger that judges has to know. */
void plan_expect(const struct plan *plan, struct ledger *ledger);

#endif
