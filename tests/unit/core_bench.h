/* core_bench.h - messages through one core of a flow, and what came out of it: a source of the
 * messages of an array, and a sink that accepts them. */
#ifndef TESTS_UNIT_CORE_BENCH_H
#define TESTS_UNIT_CORE_BENCH_H

#include "base/chrono.h"
#include "base/mem.h"
#include "flow/flow.h"
#include "folder_bench.h"
#include "slice_bench.h"

#define MANY 256
#define PATIENCE_NS (60 * CHRONO_S) /* for the last fates, on a machine that stands still */

/* What is kept is of the first MANY; { .messages, .count } is a run of all of them to the end. */
struct run {
	const struct flow_message *messages;
	size_t count, next;
	bool endless; /* done only after stop, as a queue */
	bool stopped;
	bool stop_at_once;	     /* asks for the end when everything is offered */
	const char *stop_at_file;    /* asks for the end once this file exists; NULL: never */
	const char *stop_makes_file; /* there once the source is stopped */
	size_t window;		     /* of the flow; 0: MANY */
	size_t room;		     /* of the sink; 0: for all of them */
	struct loop *loop;

	/* by message */
	uint64_t offered_ns[MANY];
	enum flow_fate fates[MANY];
	char *reasons[MANY];

	/* by what reached the sink, in that order */
	size_t passed;
	struct message *results[MANY];
	uint64_t parts[MANY], passed_ns[MANY];
	bool redelivered[MANY];
	struct buf keys; /* their routing keys, with blanks between; "" when nothing came */
};

static inline bool run_tick(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	(void)err;
	struct run *run = self;
	while (run->next < run->count && flow_room(flow) > 0) {
		size_t i = run->next++;
		if (i < MANY)
			run->offered_ns[i] = chrono_now_ns();
		struct flow_message m = run->messages[i];
		struct message *gone = message_copy(m.message); /* when the core looks again */
		m.message = gone;
		flow_offer(flow, &m, i);
		free(gone);
	}
	if (run->stop_at_once ? run->next == run->count
			      : run->stop_at_file != NULL && access(run->stop_at_file, F_OK) == 0)
		loop_request_stop(run->loop);
	if (run->stop_at_once || run->stop_at_file != NULL)
		*wake_ns = now_ns + 5 * CHRONO_MS; /* to look again, and for the stop to be seen */
	return true;
}

static inline void run_settle(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	struct run *run = self;
	if (token >= MANY)
		return;
	ck_assert_ptr_null(run->reasons[token]); /* each once */
	run->fates[token] = outcome->fate;
	run->reasons[token] = mem_strdup(outcome->reason);
}

static inline void run_stop(void *self)
{
	struct run *run = self;
	run->next = run->count;
	run->stopped = true;
	if (run->stop_makes_file != NULL)
		write_file(run->stop_makes_file, "");
}

static inline bool run_is_done(const void *self)
{
	const struct run *run = self;
	return run->stopped || (!run->endless && run->next == run->count);
}

static inline size_t run_room(const void *self)
{
	const struct run *run = self;
	return run->room > 0 ? run->room : SIZE_MAX;
}

static inline bool run_put(
    void *self, struct flow *flow, uint64_t slot, const struct flow_message *m, struct error *err)
{
	(void)err;
	struct run *run = self;
	size_t i = run->passed++;
	ck_assert(slice_equal(m->queue, run->messages[0].queue)); /* one for all of them */
	if (i < MANY) {
		run->results[i] = message_copy(m->message);
		run->parts[i] = m->part;
		run->redelivered[i] = m->redelivered;
		run->passed_ns[i] = chrono_now_ns();
		buf_append_str(&run->keys, i > 0 ? " " : "");
		buf_append(&run->keys, m->message->routing_key);
	}
	flow_settle(flow, slot, FLOW_ACCEPTED, "");
	return true;
}

static inline bool run_flush(void *self, struct flow *flow, struct error *err)
{
	(void)self, (void)flow, (void)err;
	return true;
}

static inline void run_abandon(void *self, struct flow *flow)
{
	(void)self, (void)flow;
}

/* On the loop that the core was made for. *err is what the run failed with. */
static inline struct flow_counts run_through(
    struct run *run, struct loop *loop, struct flow_core core, uint64_t drain_ns, struct error *err)
{
	static const struct flow_source_kind source = {run_tick, run_settle, run_stop, run_is_done};
	static const struct flow_sink_kind sink = {
	    run_room, run_put, run_flush, NULL, NULL, run_abandon};
	const struct flow_options options = {.source = {&source, run},
	    .cores = {core},
	    .core_count = 1,
	    .sink = {&sink, run},
	    .window = run->window > 0 ? run->window : MANY,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = drain_ns};
	buf_append_str(&run->keys, "");
	run->loop = loop;
	struct flow *flow = flow_create(loop, &options);
	bool good = flow_run(flow, err);
	ck_assert_int_eq(good, err->kind == ERROR_NONE);
	struct flow_counts counts = *flow_counts(flow);
	flow_free(flow);
	return counts;
}

static inline struct loop *make_loop(void)
{
	struct error err = {0};
	struct loop *loop = loop_create(&err);
	ck_assert_msg(loop != NULL, "%s", err.text);
	return loop;
}

/* The same through a core that needs no loop, and that must not fail. */
static inline struct flow_counts run_simply(struct run *run, struct flow_core core)
{
	struct error err = {0};
	struct loop *loop = make_loop();
	struct flow_counts counts = run_through(run, loop, core, PATIENCE_NS, &err);
	ck_assert_str_eq(err.text, "");
	loop_free(loop);
	return counts;
}

static inline void release_run(struct run *run)
{
	for (size_t i = 0; i < MANY; i++) {
		free(run->reasons[i]);
		free(run->results[i]);
	}
	buf_release(&run->keys);
}

#endif
