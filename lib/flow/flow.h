/*
 * flow.h - source -> core -> sink: moves messages and decides, alone, when each is settled.
 *
 * A message enters with flow_offer, passes the cores, is put into the sink, and is settled exactly
 * once, which the source is told: accepted only after the sink holds it safely. So at-least-once
 * holds for every pairing of source and sink. The window bounds what is under way.
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include "base/loop.h"
#include "model/message.h"

struct flow;

/* What became of a message. */
enum flow_fate {
	FLOW_ACCEPTED,	  /* confirmed by the broker; or written and flushed */
	FLOW_RETURNED,	  /* the broker found no queue for it */
	FLOW_NACKED,	  /* the broker could not take it */
	FLOW_UNCONFIRMED, /* sent, but nobody knows */
	FLOW_RETRY,	  /* the core asks for another try later */
	FLOW_REJECTED,	  /* the core does not want it: dead-lettered where the queue says so */
	FLOW_HELD,	  /* hidden by a filter or only looked at: given back at the end */
	FLOW_RELEASED,	  /* given back untouched */
	FLOW_FATE_COUNT,
};

/* A message with what its source knows about it. Borrowed throughout. */
struct flow_message {
	const struct message *message; /* NULL for on_fate without keep_messages */
	struct slice id;	       /* for on_fate: the beginning of the message_id */
	struct slice queue; /* where it was taken from; empty when it was generated or read */
	bool redelivered;
	uint64_t number; /* of those offered to the flow, from 0; the flow sets it */
	uint64_t due_ns; /* when a paced source was to offer it; 0 for the others */
	size_t member;	 /* of its source: which of several patterns made it. Cores behind one that
			    waited or split do not know it: 0 */
	uint64_t part;	 /* which of the messages that one was split into, the same each time that
			    one comes; 0: it is whole. The flow sets it. */
};

/* A fate and why: printable, "" when there is nothing to say. */
struct flow_verdict {
	enum flow_fate fate;
	const char *reason;
	struct slice headers; /* an encoded field table: what a dead letter is to carry besides */
};

/* What a source is told in the end. */
struct flow_outcome {
	enum flow_fate fate;
	const char *reason;
	const struct message *message; /* as it was offered; NULL without keep_messages */
	bool redelivered;
	struct slice headers; /* as of the verdict; empty for none */
};

/* One row a kind of source; self is what flow_source.self holds. */
struct flow_source_kind {
	/* Called each turn, outside of every callback, so it may wait. Offers what is due, as far
	 * as flow_room goes, and lowers *wake_ns to when it wants to be called again. */
	bool (*tick)(
	    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err);
	/* What became of the message that was offered with the token; each once. Must not wait. */
	void (*settle)(void *self, uint64_t token, const struct flow_outcome *outcome);
	/* Offer no more. */
	void (*stop)(void *self);
	/* True when nothing will be offered any more, by itself or after stop. */
	bool (*is_done)(const void *self);
};

enum flow_answer {
	FLOW_PASS,    /* on to the next core or the sink, perhaps changed */
	FLOW_PENDING, /* the core will call flow_resume or flow_settle */
	FLOW_SETTLE,  /* ends here, with the fate that was set */
	FLOW_SPLIT,   /* became what flow_branch was given; none is fine: it is accepted */
};

struct flow_core_kind {
	/* Judges a message; may replace parts of *out, which begins as a copy of the message; the
	 * bytes must live until the next call, or until flow_resume returns. A core that answers
	 * FLOW_PENDING copies what it needs; with FLOW_SETTLE it sets the verdict. */
	enum flow_answer (*apply)(void *self, struct flow *flow, uint64_t slot,
	    const struct flow_message *in, struct message *out, struct flow_verdict *verdict);
	/* Called each turn, outside of every callback: what was pending until another message was
	 * settled goes on. NULL when there is none. */
	void (*advance)(void *self, struct flow *flow);
	/* Offer no more: end what is pending, soon. NULL when nothing can be pending. */
	void (*stop)(void *self);
	/* What became of a message that has entered the flow, or of a part of one, and why. NULL
	 * when it does not matter. */
	void (*settled)(void *self, uint64_t slot, enum flow_fate fate, const char *reason);
	/* Asked before that, and before the source hears of it: true holds the fate back until
	 * flow_let_go, because something has to be written down first. NULL: never. */
	bool (*hold)(void *self, uint64_t slot, enum flow_fate fate);
};

struct flow_sink_kind {
	/* How many messages it takes now. */
	size_t (*room)(const void *self);
	/* Takes a message; tells its fate with flow_settle(slot), now or later. A failure ends the
	 * run. */
	bool (*put)(void *self, struct flow *flow, uint64_t slot, const struct flow_message *m,
	    struct error *err);
	/* Called at the end of each turn: push on what was put. A failure ends the run. */
	bool (*flush)(void *self, struct flow *flow, struct error *err);
	/* True while nothing can be done about what has no fate: the broker takes no messages. The
	 * wait for the last fates does not end then. NULL: never. */
	bool (*is_held_up)(const void *self);
	/* Changes while the sink gets on with what has no fate; the wait for the last fates begins
	 * anew then. NULL: never. */
	uint64_t (*progress)(const void *self);
	/* The run ends: what has no fate yet will get none. */
	void (*abandon)(void *self, struct flow *flow);
};

struct flow_source {
	const struct flow_source_kind *kind;
	void *self;
};
struct flow_core {
	const struct flow_core_kind *kind;
	void *self;
};
struct flow_sink {
	const struct flow_sink_kind *kind;
	void *self;
};

/* Whether the caller is ready for more messages; asked often. */
typedef bool flow_ready_fn(void *ctx);
/* Told of each message that the sink has taken. */
typedef void flow_put_fn(void *ctx, const struct flow_message *m);
/* A core has rejected a message, as it was offered: true puts *out into the sink in its place (an
 * answer that says so), whose fate is then the message's. The bytes live until the sink has them.
 * With keep_messages. */
typedef bool flow_rescue_fn(void *ctx, uint64_t slot, const struct flow_message *m,
    const struct flow_verdict *verdict, struct message *out);
/* Told of each fate of a message that was offered; reason is printable. */
typedef void flow_fate_fn(
    void *ctx, const struct flow_message *m, enum flow_fate fate, const char *reason);

#define FLOW_MAX_CORES 64
#define FLOW_CORE_ROOM (FLOW_MAX_CORES + 4) /* with those that only look on */
#define FLOW_NO_LIMIT UINT64_MAX
#define FLOW_MAX_PARTS 1000000 /* that one message becomes; with more it is rejected */

struct flow_options {
	struct flow_source source;
	struct flow_core cores[FLOW_CORE_ROOM];
	/* By core: only for messages on this route (flow_set_route); 0: for all. */
	unsigned routes[FLOW_CORE_ROOM];
	size_t core_count;
	struct flow_sink sink;
	size_t window;	    /* most messages under way */
	uint64_t limit;	    /* messages to finish before stopping; FLOW_NO_LIMIT */
	uint64_t drain_ns;  /* how long to wait for the last fates after the source is done, with no
			       progress */
	bool keep_messages; /* copy each message, for on_fate and the source's settle */
	flow_ready_fn *is_ready; /* or NULL: always */
	flow_rescue_fn *rescue;	 /* or NULL */
	flow_put_fn *on_put;	 /* or NULL */
	flow_fate_fn *on_fate;	 /* or NULL */
	void *ctx;
};

/* The ledger of a run; offered = the sum of fates + what is under way. */
struct flow_counts {
	uint64_t offered;
	uint64_t redelivered;
	uint64_t put; /* taken by the sink */
	/* Towards the limit: accepted by the sink, or settled by a core that was at work on it,
	 * such as a command that rejected it; what a filter hides is not. */
	uint64_t finished;
	uint64_t fates[FLOW_FATE_COUNT];
};

struct flow *flow_create(struct loop *loop, const struct flow_options *options);
void flow_free(struct flow *flow);

/* Runs until the source is done or fails, the limit is reached or a stop is requested, and
 * everything under way is settled (or drain_ns is over: then it is unconfirmed or released). False
 * with the cause when something failed; everything is settled even so. */
bool flow_run(struct flow *flow, struct error *err) MUST_CHECK;

/*
 * The same in steps, for several flows on one loop: flow_step before each turn of the loop, which
 * may sleep until the least *wake_ns; when one is not FLOW_RUNS any more, flow_finish once.
 */
enum flow_state { FLOW_RUNS, FLOW_ENDS, FLOW_FAILS };
enum flow_state flow_step(struct flow *flow, uint64_t *wake_ns, struct error *err);
/* Settles what is left. `err` may hold the failure of flow_step, which stays. */
bool flow_finish(struct flow *flow, struct error *err) MUST_CHECK;
/* Takes nothing more on; the steps go on until all is settled. */
void flow_stop(struct flow *flow);

const struct flow_counts *flow_counts(const struct flow *flow);
size_t flow_under_way(const struct flow *flow);

/* ---- for sources, cores and sinks ---- */

/* How many messages may be offered now; 0 once the flow is stopping. What is offered then is
 * released. */
size_t flow_room(const struct flow *flow);
/* A message enters. Its bytes must live until this returns. */
void flow_offer(struct flow *flow, const struct flow_message *m, uint64_t token);
/* A pending core has its answer: FLOW_PASS with m, which goes on; FLOW_SETTLE with a verdict; or
 * FLOW_SPLIT. */
void flow_resume(struct flow *flow, uint64_t slot, enum flow_answer answer,
    const struct flow_verdict *verdict, const struct flow_message *m);
/* Before FLOW_SPLIT: one more of the messages that this one becomes. They go on behind the core, in
 * order; what the sink has no room for yet waits, and nothing is offered meanwhile. The message is
 * settled when all of them are, accepted if all of them were. Its bytes must live until this
 * returns. */
void flow_branch(struct flow *flow, uint64_t slot, const struct flow_message *m);
/* The message as it was offered, whatever cores have made of it since; NULL without keep_messages.
 * Borrowed until it is settled. */
const struct message *flow_kept(const struct flow *flow, uint64_t slot);
/* The slot of the message as it was offered, which this one is a part of or the same. */
uint64_t flow_origin(const struct flow *flow, uint64_t slot);
/* Which of the cores that follow a message is for: those of its route and those of 0. */
void flow_set_route(struct flow *flow, uint64_t slot, unsigned route);
/* The core that held a fate back lets go of it, from advance; not good: the message is released. */
void flow_let_go(struct flow *flow, uint64_t slot, bool good);
/* For a sink that has the message: whether all that the one it comes from became has arrived, too,
 * so that nothing more will; and the worst fate of what has ended on the way there. */
bool flow_is_whole(const struct flow *flow, uint64_t slot, enum flow_fate *worst);
/* What a message was split from; FLOW_NOBODY: it was offered. */
#define FLOW_NOBODY UINT64_MAX
uint64_t flow_parent(const struct flow *flow, uint64_t slot);
/* A sink tells the fate of a message; or a core, of a pending one that it did nothing about. */
void flow_settle(struct flow *flow, uint64_t slot, enum flow_fate fate, const char *reason);
/* The wait for the last fates begins anew: a connection was lost and is back. */
void flow_restart_drain(struct flow *flow);
/* Something ended that the flow cannot go on without; the run stops with this error. */
void flow_fail(struct flow *flow, const struct error *why);

#endif
