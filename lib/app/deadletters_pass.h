/* deadletters_pass.h - one pass over a queue of dead letters, to look or to work. */
#ifndef APP_DEADLETTERS_PASS_H
#define APP_DEADLETTERS_PASS_H

#include "app/deadletters_route.h"
#include "app/guard.h"
#include "app/tool.h"
#include "flow/core_jq.h"
#include "flow/sink_exchange.h"
#include "flow/sink_terminal.h"
#include "flow/source_queue.h"

struct deadletters_options {
	struct tool_options tool; /* first */
	const char *jq, *reason, *queue;
	struct option_list ids;
	uint64_t limit, older_than_ns;
	bool has_limit, has_older_than;
	const char *exchange, *routing_key;
	bool to_queue, force;
	uint64_t max_returns;
	bool has_max_returns;
	const char *save;
	bool dry_run, yes;
	int format; /* enum deadletters_format */
	bool has_format;
};

enum deadletters_format { DEADLETTERS_PRETTY, DEADLETTERS_JSON };

enum deadletters_verb {
	DEADLETTERS_LIST,
	DEADLETTERS_SHOW,
	DEADLETTERS_RETURN,
	DEADLETTERS_PURGE,
	DEADLETTERS_VERB_COUNT,
};

/* What is to be done; the tool is connected. */
struct deadletters_job {
	struct tool *tool;
	const struct deadletters_options *options;
	enum deadletters_verb verb;
	const char *queue;
	struct deadletters_pick pick;
	struct core_jq *jq; /* NULL: no --jq */
};

/* `= {.save_fd = -1}` is a valid start. Open until deadletters_pass_close, for its counts. */
struct deadletters_pass {
	struct deadletters_job *job;
	bool settles; /* it takes messages out of the queue */
	struct deadletters_groups *groups;
	struct deadletters_route *route; /* of return */
	struct source_queue *source;
	struct sink_terminal *terminal;
	struct sink_exchange *exchange;
	struct connection *publishing;
	struct recovery *recovery; /* of that one */
	struct guard guard;
	struct flow *flow;
	int save_fd;
	uint64_t elapsed_ns;
};

/* Goes over the queue once. With `settles` return and purge do their work; without, and for list,
 * messages are put into groups and given back. */
bool deadletters_pass_run(struct deadletters_pass *pass, struct deadletters_job *job, bool settles,
    struct error *err) MUST_CHECK;
void deadletters_pass_close(struct deadletters_pass *pass);

#endif
