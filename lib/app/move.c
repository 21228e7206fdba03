#include "app/move.h"

#include "app/guard.h"
#include "app/progress.h"
#include "base/chrono.h"
#include "base/num.h"
#include "base/text.h"
#include "flow/sink_exchange.h"
#include "flow/source_queue.h"
#include "model/marks.h"

#include <inttypes.h>
#include <stdlib.h>

#define WINDOW 1000 /* messages without a confirm */
#define PREFETCH 2000
#define NACK_RETRIES 10		 /* a quorum queue elects its leader meanwhile */
#define DRAIN_NS (30 * CHRONO_S) /* for the last confirms */

/* ---- the address ---- */

/* A core that sends messages to an exchange. */
struct address {
	struct move *move;
	struct slice exchange;
	const char *user; /* the only one whose messages may say so; NULL: nobody */
	struct buf headers;
};

static enum flow_answer readdress(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	struct address *a = self;
	const struct mark signature = {
	    .key = MARKS_USER_ID, .kind = MARK_TEXT, .text = out->user_id};
	(void)flow, (void)slot, (void)in, (void)verdict;
	out->exchange = a->exchange;
	if ((out->present & MESSAGE_USER_ID) == 0 ||
	    (a->user != NULL && slice_is(out->user_id, a->user)))
		return FLOW_PASS;
	buf_clear(&a->headers);
	marks_set((out->present & MESSAGE_HEADERS) != 0 ? out->headers : (struct slice){0},
	    &signature, 1, &a->headers);
	out->headers = buf_slice(&a->headers);
	out->present = (out->present & ~(unsigned)MESSAGE_USER_ID) | MESSAGE_HEADERS;
	a->move->unsigned_count++;
	return FLOW_PASS;
}

static struct flow_core address_core(struct address *a)
{
	static const struct flow_core_kind kind = {.apply = readdress};
	return (struct flow_core){&kind, a};
}

/* ---- one run ---- */

struct run {
	struct address address;
	struct source_queue *source;
	struct sink_exchange *sink;
	struct guard guard;
	struct flow *flow;
	struct buf reason; /* why the first one could not be moved */
};

static void note_fate(
    void *ctx, const struct flow_message *m, enum flow_fate fate, const char *reason)
{
	struct run *run = ctx;
	(void)m;
	if (fate != FLOW_ACCEPTED && fate != FLOW_RELEASED && run->reason.len == 0)
		buf_append_str(&run->reason, reason[0] != '\0' ? reason : "no reason given");
}

static bool open_run(
    struct run *run, struct move *m, const char *queue, uint64_t limit, struct error *err)
{
	static const bool is_stream[] = {false};
	const struct source_queue_options reading = {.queues = &queue,
	    .queue_count = 1,
	    .prefetch = limit < PREFETCH ? (uint16_t)(limit > 0 ? limit : 1) : PREFETCH,
	    .ack = SOURCE_QUEUE_ACK,
	    .until_empty = true,
	    .idle_ns = CHRONO_NEVER,
	    .retry_ns = CHRONO_S,
	    .is_stream = is_stream};
	const struct sink_exchange_options publishing = {.window = WINDOW,
	    .mandatory = SINK_EXCHANGE_ALWAYS,
	    .nack_retries = NACK_RETRIES,
	    .skips_refused = true};
	run->source = source_queue_open(m->tool->connection, &reading, err);
	run->sink =
	    run->source != NULL ? sink_exchange_open(m->publishing, &publishing, err) : NULL;
	if (run->sink == NULL)
		return false;
	run->guard =
	    (struct guard){source_queue_source(run->source), sink_exchange_sink(run->sink), 0};
	const struct flow_options flow = {.source = guard_source(&run->guard),
	    .cores = {address_core(&run->address)},
	    .core_count = 1,
	    .sink = guard_sink(&run->guard),
	    .window = WINDOW,
	    .limit = limit,
	    .drain_ns = DRAIN_NS,
	    .on_fate = note_fate,
	    .ctx = run};
	run->flow = flow_create(m->tool->loop, &flow);
	return true;
}

static void close_run(struct run *run)
{
	flow_free(run->flow);
	source_queue_close(run->source);
	sink_exchange_close(run->sink);
	buf_release(&run->address.headers);
	buf_release(&run->reason);
}

/* What was not moved is in the queue again. */
static bool check_run(
    const struct run *run, const struct move *m, const char *queue, struct error *err)
{
	const struct flow_counts *c = flow_counts(run->flow);
	uint64_t failed = c->fates[FLOW_RETURNED] + c->fates[FLOW_NACKED] +
			  c->fates[FLOW_UNCONFIRMED] + run->guard.unsendable;
	char *shown = text_quote(slice_str(queue));
	if (failed > 0)
		error_set(err, ERROR_UNDELIVERED,
		    "%" PRIu64 " %s in queue '%s' and could not be moved: %s", failed,
		    num_noun(failed, "message stays", "messages stay"), shown,
		    run->reason.len > 0 ? run->reason.ptr : "cannot be sent");
	else if (loop_stop_requested(m->tool->loop))
		error_set(err, ERROR_UNDELIVERED, "stopped while queue '%s' was moved", shown);
	free(shown);
	return err->kind == ERROR_NONE;
}

bool move_messages(struct move *m, const char *queue, const char *exchange, uint64_t limit,
    uint64_t *moved, struct error *err)
{
	struct run run = {.address = {.move = m,
			      .exchange = slice_str(exchange),
			      .user = settings_user(&m->tool->settings)}};
	struct progress *progress = NULL;
	bool good = open_run(&run, m, queue, limit, err);
	if (good && !m->tool->options->quiet)
		progress = progress_start(m->tool->loop, run.flow, limit, "taken", "moved");
	good = good && flow_run(run.flow, err);
	progress_stop(progress);
	if (run.flow != NULL)
		*moved += flow_counts(run.flow)->fates[FLOW_ACCEPTED];
	good = good && check_run(&run, m, queue, err);
	close_run(&run);
	return good;
}

bool move_open(struct move *m, struct tool *tool, struct error *err)
{
	*m = (struct move){.tool = tool, .publishing = tool_connect_beside(tool, err)};
	return m->publishing != NULL;
}

void move_close(struct move *m)
{
	connection_close(m->publishing);
	*m = (struct move){0};
}
