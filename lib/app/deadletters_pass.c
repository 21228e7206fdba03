#include "app/deadletters_pass.h"

#include "app/progress.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/provision.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define WINDOW 1000		    /* messages without a confirm, or not yet written */
#define PREFETCH 2000		    /* where messages are settled; */
#define PREFETCH_LOOKING 65535	    /* where they are only looked at, and the broker keeps them */
#define DRAIN_NS (30 * CHRONO_S)    /* for the last confirms */
#define GIVE_BACK_NS (2 * CHRONO_S) /* for the broker to take what was held */
#define LOOK_AGAIN_NS (10 * CHRONO_MS)
#define IDLE_NS (10 * CHRONO_S) /* other consumers have what does not come by then */

/* ---- both ends ---- */

static uint16_t prefetch_of(const struct deadletters_job *job, bool settles)
{
	uint64_t most = settles ? PREFETCH : PREFETCH_LOOKING;
	bool plain = job->jq == NULL && !deadletters_pick_is_choosy(&job->pick);
	if (plain && job->pick.limit < most)
		most = job->pick.limit; /* disturb no more than are wanted */
	if (job->pick.in_queue < most)
		most = job->pick.in_queue;
	return (uint16_t)(most > 0 ? most : 1);
}

/* There are no dead letters in streams, which keep what is acknowledged. A stream refuses a
 * consumer that has a priority; to other queues this one is what every consumer has. */
static bool open_source(struct deadletters_pass *pass, struct error *err)
{
	static const bool is_stream[] = {false};
	json_t *arguments = json_pack("{s:i}", "x-priority", 0);
	struct source_queue_options reading = {.queues = &pass->job->queue,
	    .queue_count = 1,
	    .prefetch = prefetch_of(pass->job, pass->settles),
	    .ack = pass->settles ? SOURCE_QUEUE_ACK : SOURCE_QUEUE_REQUEUE,
	    .until_empty = true,
	    .idle_ns = IDLE_NS,
	    .retry_ns = CHRONO_S,
	    .arguments = arguments,
	    .is_stream = is_stream,
	    .all_arguments = true};
	pass->source = source_queue_open(pass->job->tool->connection, &reading, err);
	json_decref(arguments);
	if (pass->source == NULL)
		return err->kind == ERROR_REFUSED &&
		       error_context(
			   err, "dead letters end in classic and quorum queues, not in streams");
	pass->guard.source = source_queue_source(pass->source);
	return true;
}

/* On a connection of its own: a broker that takes nothing from a publisher does not read its
 * acknowledgements either. Anybody may write where a message came from, so one over which the
 * broker closes the channel stays, and the others go on. */
static bool open_exchange(struct deadletters_pass *pass, struct error *err)
{
	struct sink_exchange_options publishing = {
	    .window = WINDOW, .mandatory = SINK_EXCHANGE_ALWAYS, .skips_refused = true};
	pass->publishing = tool_connect_beside(pass->job->tool, err);
	if (pass->publishing == NULL)
		return false;
	pass->recovery = tool_recovery(pass->job->tool, pass->publishing, NULL, NULL);
	publishing.recovery = pass->recovery;
	pass->exchange = sink_exchange_open(pass->publishing, &publishing, err);
	if (pass->exchange != NULL)
		pass->guard.sink = sink_exchange_sink(pass->exchange);
	return pass->exchange != NULL;
}

static bool open_save(struct deadletters_pass *pass, const char *path, struct error *err)
{
	pass->save_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (pass->save_fd >= 0)
		return true;
	int why = errno;
	char *shown = text_quote(slice_str(path));
	error_set(err, ERROR_CANNOT_CREATE, "cannot open '%s': %s", shown, strerror(why));
	free(shown);
	return false;
}

/* To standard output, into the file of --save, or nowhere. */
static bool open_terminal(struct deadletters_pass *pass, struct error *err)
{
	const struct deadletters_job *job = pass->job;
	bool saves = pass->settles && job->options->save != NULL;
	struct sink_terminal_options printing = {
	    .fd = STDOUT_FILENO, .format = SINK_TERMINAL_NONE, .loop = job->tool->loop};
	if (saves && !open_save(pass, job->options->save, err))
		return false;
	if (saves) {
		printing.fd = pass->save_fd;
		printing.format = SINK_TERMINAL_JSON;
		printing.durable = true;
		printing.name = "the file of --save";
	} else if (job->verb == DEADLETTERS_SHOW) {
		bool json = job->options->format == DEADLETTERS_JSON;
		printing.format = json ? SINK_TERMINAL_JSON : SINK_TERMINAL_PRETTY;
		printing.color = tool_wants_color(job->tool, STDOUT_FILENO);
		printing.show_death = true;
	}
	pass->terminal = sink_terminal_create(&printing);
	pass->guard.sink = sink_terminal_sink(pass->terminal);
	return true;
}

/* ---- in between ---- */

static void open_route(struct deadletters_pass *pass)
{
	const struct deadletters_options *o = pass->job->options;
	const struct deadletters_route_options route = {.dead_letters = pass->job->queue,
	    .exchange = o->exchange,
	    .routing_key = o->routing_key,
	    .to_queue = o->to_queue,
	    .max_returns = o->force ? UINT64_MAX : o->max_returns,
	    .user = settings_user(&pass->job->tool->settings),
	    .pick = &pass->job->pick};
	pass->route = deadletters_route_create(&route);
}

static void open_flow(struct deadletters_pass *pass)
{
	struct deadletters_job *job = pass->job;
	struct flow_options flow = {.source = guard_source(&pass->guard),
	    .sink = guard_sink(&pass->guard),
	    .window = pass->settles ? WINDOW : SIZE_MAX,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = DRAIN_NS};
	flow.cores[flow.core_count++] = deadletters_pick_core(&job->pick);
	if (job->jq != NULL)
		flow.cores[flow.core_count++] = core_jq_core(job->jq);
	if (job->verb == DEADLETTERS_RETURN) {
		open_route(pass);
		flow.cores[flow.core_count++] = deadletters_route_core(pass->route);
	} else {
		flow.cores[flow.core_count++] = deadletters_pick_take_core(&job->pick);
	}
	pass->flow = flow_create(job->tool->loop, &flow);
}

static bool open_pass(struct deadletters_pass *pass, struct error *err)
{
	struct deadletters_job *job = pass->job;
	bool publishes = pass->settles && job->verb == DEADLETTERS_RETURN;
	job->pick.looked_at = job->pick.taken = 0;
	if (!pass->settles && job->verb != DEADLETTERS_SHOW)
		pass->groups = deadletters_groups_create();
	job->pick.groups = pass->groups;
	if (!open_source(pass, err) ||
	    !(publishes ? open_exchange(pass, err) : open_terminal(pass, err)))
		return false;
	open_flow(pass);
	return true;
}

/* ---- the run ---- */

/* Everything is looked at and settled. What is held goes back when the channel closes. */
static bool is_over(const struct deadletters_pass *pass)
{
	return deadletters_pick_is_over(&pass->job->pick) && flow_under_way(pass->flow) == 0;
}

static bool run_flow(struct deadletters_pass *pass, struct error *err)
{
	const struct tool *tool = pass->job->tool;
	struct flow_sink sink = guard_sink(&pass->guard);
	bool good = true;
	while (good && !is_over(pass)) {
		uint64_t wake_ns = CHRONO_NEVER;
		bool moved = false;
		if (flow_step(pass->flow, &wake_ns, err) != FLOW_RUNS)
			break;
		if (pass->route != NULL)
			good = deadletters_route_advance(
			    pass->route, pass->flow, &sink, tool->connection, &moved, err);
		if (moved || is_over(pass))
			wake_ns = 0;
		good = good && loop_turn(tool->loop, wake_ns, err);
	}
	return flow_finish(pass->flow, err);
}

static void warn_of_missing(const struct deadletters_job *job)
{
	const struct deadletters_pick *p = &job->pick;
	if (deadletters_pick_is_over(p) || loop_stop_requested(job->tool->loop))
		return;
	log_write(LOG_WARNING,
	    "%" PRIu64 " of %" PRIu64
	    " messages did not come: other consumers have them, or they expired",
	    p->in_queue - p->looked_at, p->in_queue);
}

bool deadletters_pass_run(
    struct deadletters_pass *pass, struct deadletters_job *job, bool settles, struct error *err)
{
	pass->job = job;
	pass->settles = settles;
	uint64_t start_ns = chrono_now_ns();
	if (!open_pass(pass, err))
		return false;
	struct progress *progress = NULL;
	if (settles && !job->tool->options->quiet)
		progress =
		    progress_start(job->tool->loop, pass->flow, FLOW_NO_LIMIT, "taken", "settled");
	bool good = run_flow(pass, err);
	progress_stop(progress);
	if (good)
		warn_of_missing(job);
	pass->elapsed_ns = chrono_now_ns() - start_ns;
	return good;
}

/* What was held goes back when the channel closes. A quorum queue takes a moment for that, and who
 * looks next should find it. */
static void wait_for_held(const struct deadletters_job *job, uint64_t taken)
{
	struct provision_state state = {0};
	struct error lost = {0}; /* then nobody waits */
	uint64_t deadline_ns = chrono_after(chrono_now_ns(), GIVE_BACK_NS);
	while (chrono_now_ns() < deadline_ns && !loop_stop_requested(job->tool->loop) &&
	       provision_look_queue(job->tool->connection, job->queue, &state, &lost) &&
	       state.ready + taken < job->pick.in_queue && state.consumers == 0 &&
	       loop_turn(job->tool->loop, chrono_after(chrono_now_ns(), LOOK_AGAIN_NS), &lost))
		;
}

void deadletters_pass_close(struct deadletters_pass *pass)
{
	bool has_run = pass->flow != NULL;
	uint64_t taken =
	    has_run && pass->settles ? flow_counts(pass->flow)->fates[FLOW_ACCEPTED] : 0;
	flow_free(pass->flow);
	source_queue_close(pass->source);
	if (has_run)
		wait_for_held(pass->job, taken);
	sink_exchange_close(pass->exchange);
	recovery_free(pass->recovery);
	connection_close(pass->publishing);
	sink_terminal_free(pass->terminal);
	deadletters_route_free(pass->route);
	deadletters_groups_free(pass->groups);
	if (pass->save_fd >= 0)
		close(pass->save_fd);
	*pass = (struct deadletters_pass){.save_fd = -1};
}
