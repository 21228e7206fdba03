#include "flow/core_worker.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "flow/exec_answer.h"
#include "flow/exec_environment.h"
#include "flow/exec_jobs.h"
#include "flow/exec_worker.h"
#include "model/record.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_RETRY 75 /* EX_TEMPFAIL */

/* A worker, or the pause before the next one. */
struct place {
	struct core_worker *core;
	size_t number;		    /* from 1 */
	struct exec_worker *worker; /* NULL: there is none now */
	struct exec_job *job;	    /* that it is at work on */
	bool has_answered;
	unsigned failures; /* in a row, of those that answered nothing */
	uint64_t timer;
};

struct core_worker {
	struct loop *loop;
	struct core_worker_options options;
	struct exec_command_program program;
	struct exec_environment *environment;
	struct place *places;
	struct exec_jobs jobs; /* of which one that is answered has its answer as its work */
	struct flow *flow;     /* NULL: it does not run yet */
	struct buf line;
	bool stopping;
};

static void give_work(struct core_worker *core);

/* ---- verdicts ---- */

static void free_answer(void *self)
{
	exec_answer_release(self);
	free(self);
}

static void reject(struct core_worker *core, struct exec_job *job, const char *why)
{
	exec_jobs_warn(&core->jobs, job, why, FLOW_REJECTED);
	const struct exec_jobs_outcome outcome = {
	    .answer = FLOW_SETTLE, .fate = FLOW_REJECTED, .reason = why};
	exec_jobs_end(&core->jobs, job, &outcome);
}

/* The worker's own verdict. */
static void refuse(struct core_worker *core, struct exec_job *job, const struct exec_answer *answer)
{
	enum flow_fate fate = answer->kind == EXEC_ANSWER_RETRY ? FLOW_RETRY : FLOW_REJECTED;
	char *said = mem_printf("says '%s'", answer->reason);
	exec_jobs_warn(&core->jobs, job, said, fate);
	free(said);
	const struct exec_jobs_outcome outcome = {
	    .answer = FLOW_SETTLE, .fate = fate, .reason = answer->reason};
	exec_jobs_end(&core->jobs, job, &outcome);
}

static void conclude(struct core_worker *core, struct exec_job *job, struct exec_answer *answer)
{
	if (answer->kind != EXEC_ANSWER_RESULTS) {
		refuse(core, job, answer);
		return;
	}
	const struct exec_jobs_outcome outcome = {
	    .answer = answer->count == 1 ? FLOW_PASS : FLOW_SPLIT,
	    .reason = "",
	    .results = answer->results,
	    .result_count = answer->count,
	    .bytes = answer->bytes};
	exec_jobs_end(&core->jobs, job, &outcome);
}

/* False: the answer is none, and the worker is not to be asked again. */
static bool read_answer(
    struct core_worker *core, struct exec_job *job, struct slice line, struct error *err)
{
	struct exec_answer *answer = mem_alloc(1, sizeof *answer);
	job->work = answer;
	if (!exec_answer_read(line, job->message, core->options.clears_exchange, answer, err))
		return error_context(err, "answered");
	if (core->options.one_answer && answer->kind == EXEC_ANSWER_RESULTS && answer->count != 1)
		return error_set(err, ERROR_DATA,
		    "answered with %zu results, and one answer is wanted", answer->count);
	conclude(core, job, answer);
	return true;
}

static void on_answer(void *ctx, struct slice line)
{
	struct place *place = ctx;
	struct core_worker *core = place->core;
	struct exec_job *job = place->job;
	struct error err;
	error_clear(&err);
	place->job = NULL;
	if (read_answer(core, job, line, &err)) {
		place->has_answered = true;
		place->failures = 0;
	} else {
		exec_worker_dismiss(place->worker);
		reject(core, job, err.text);
	}
	give_work(core);
}

/* ---- the end of a worker ---- */

/* Appends what it did. */
static void describe(
    const struct place *place, const struct exec_worker_result *result, struct buf *out)
{
	int status = result->wait_status;
	if (result->ending == EXEC_WORKER_TIMED_OUT) {
		buf_append_str(out, "took longer than ");
		num_format_duration(place->core->options.timeout_ns, out);
		if (!place->has_answered)
			buf_append_str(out, " (it must send each line off at once: flush it)");
	} else if (result->ending == EXEC_WORKER_WROTE_TOO_MUCH) {
		buf_append_str(out, "wrote a line of more than ");
		num_format_size(EXEC_WORKER_MAX_LINE, out);
	} else if (result->ending == EXEC_WORKER_OUT_OF_STEP) {
		buf_append_str(out, "wrote what nobody had asked for");
	} else if (result->was_killed) {
		buf_printf(out, "closed its %s",
		    result->ending == EXEC_WORKER_CLOSED_INPUT ? "input" : "output");
	} else if (WIFSIGNALED(status)) {
		buf_printf(out, "was killed by signal %d (%s)", WTERMSIG(status),
		    sigdescr_np(WTERMSIG(status)));
	} else {
		buf_printf(out, "ended with status %d", WEXITSTATUS(status));
	}
}

/* It can be given to another worker: this one has not seen a byte of it, and had time to. */
static bool is_untouched(const struct exec_worker_result *result)
{
	return !result->has_read && result->ending != EXEC_WORKER_TIMED_OUT &&
	       result->ending != EXEC_WORKER_WROTE_TOO_MUCH;
}

/* What becomes of the message that was with a worker that has ended. */
static void settle_job(struct core_worker *core, struct exec_job *job,
    const struct exec_worker_result *result, const char *why)
{
	bool by_itself = !result->was_killed && WIFEXITED(result->wait_status);
	bool was_asked =
	    !result->was_killed && exec_child_was_asked(core->loop, result->wait_status);
	if (is_untouched(result) || was_asked) {
		exec_jobs_put_back(&core->jobs, job);
	} else if (by_itself && WEXITSTATUS(result->wait_status) == STATUS_RETRY) {
		exec_jobs_warn(&core->jobs, job, why, FLOW_RETRY);
		const struct exec_jobs_outcome outcome = {
		    .answer = FLOW_SETTLE, .fate = FLOW_RETRY, .reason = why};
		exec_jobs_end(&core->jobs, job, &outcome);
	} else {
		reject(core, job, why);
	}
}

static void start_place(struct place *place);

static void on_pause_over(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	struct place *place = ctx;
	place->timer = 0;
	start_place(place);
	give_work(place->core);
}

static uint64_t pause_of(const struct place *place)
{
	const struct core_worker_options *o = &place->core->options;
	uint64_t pause = o->restart_from_ns;
	for (unsigned i = 1; i < place->failures && pause < o->restart_to_ns; i++)
		pause *= 2;
	return pause < o->restart_to_ns ? pause : o->restart_to_ns;
}

/* Who ends with status 0 after it has done something wants to be started afresh. */
static bool is_fault(const struct place *place, const struct exec_worker_result *result)
{
	return !place->has_answered || result->ending != EXEC_WORKER_ENDED ||
	       !WIFEXITED(result->wait_status) || WEXITSTATUS(result->wait_status) != 0;
}

static void warn_of_end(
    const struct place *place, const struct exec_worker_result *result, const char *what)
{
	struct core_worker *core = place->core;
	bool was_told = result->ending == EXEC_WORKER_DISMISSED;
	if (core->stopping || was_told || !is_fault(place, result))
		return;
	struct buf line = {0};
	buf_append_str(&line, what);
	buf_append_str(&line, ": it is started again in ");
	num_format_duration(pause_of(place), &line);
	exec_jobs_warn(&core->jobs, NULL, line.ptr, FLOW_ACCEPTED);
	buf_release(&line);
}

static void on_end(void *ctx, const struct exec_worker_result *result)
{
	struct place *place = ctx;
	struct core_worker *core = place->core;
	struct exec_job *job = place->job;
	struct buf why = {0};
	describe(place, result, &why);
	exec_worker_free(place->worker);
	place->worker = NULL;
	place->job = NULL;
	place->failures = place->has_answered ? 0 : place->failures + 1;
	if (job == NULL || is_untouched(result))
		warn_of_end(place, result, why.ptr);
	if (job != NULL)
		settle_job(core, job, result, why.ptr);
	buf_release(&why);
	if (core->stopping)
		exec_jobs_give_back(&core->jobs);
	else
		place->timer = loop_at(core->loop, chrono_after(chrono_now_ns(), pause_of(place)),
		    on_pause_over, place);
	give_work(core);
}

/* ---- the work ---- */

static void start_place(struct place *place)
{
	struct core_worker *core = place->core;
	const struct exec_worker_listener listener = {on_answer, on_end, place};
	char **envp = exec_environment_of_worker(core->environment, place->number);
	const struct exec_child_program program = {
	    core->program.path, core->program.argv, envp, core->program.folder};
	struct error err = {0};
	place->has_answered = false;
	place->worker = exec_worker_start(core->loop, &program, &listener, &err);
	free(envp);
	if (place->worker != NULL)
		return;
	error_context(&err, "cannot start '%s'", core->program.name);
	flow_fail(core->flow, &err);
}

static void begin(struct core_worker *core, struct flow *flow)
{
	if (core->flow != NULL)
		return;
	core->flow = flow;
	for (size_t i = 0; i < core->options.workers; i++)
		start_place(&core->places[i]);
}

/* Its line; false with the reason when it has none. */
static bool write_line(struct core_worker *core, const struct exec_job *job, struct error *err)
{
	const struct record_extra extra = {
	    .redelivered = &job->redelivered, .queue = slice_str(job->queue)};
	buf_clear(&core->line);
	return record_write(job->message, &extra, &core->line, err);
}

static void ask(struct place *place, struct exec_job *job)
{
	struct core_worker *core = place->core;
	place->job = job;
	exec_worker_ask(place->worker, buf_slice(&core->line), core->options.timeout_ns);
}

static struct place *find_free(struct core_worker *core)
{
	for (size_t i = 0; i < core->options.workers; i++) {
		struct place *place = &core->places[i];
		if (place->worker != NULL && exec_worker_is_free(place->worker))
			return place;
	}
	return NULL;
}

static void give_work(struct core_worker *core)
{
	struct place *place;
	while (exec_jobs_has_waiting(&core->jobs) && (place = find_free(core)) != NULL) {
		struct exec_job *job = exec_jobs_take(&core->jobs);
		struct error err;
		error_clear(&err);
		if (job == NULL)
			return;
		if (write_line(core, job, &err))
			ask(place, job);
		else
			reject(core, job, err.text);
	}
}

/* Another core before this one may send messages even after the stop: they wait no more. */
static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)out, (void)verdict;
	struct core_worker *core = self;
	begin(core, flow);
	exec_jobs_add(&core->jobs, flow, slot, in);
	give_work(core);
	if (core->stopping)
		exec_jobs_give_back(&core->jobs);
	return FLOW_PENDING;
}

static void advance(void *self, struct flow *flow)
{
	begin(self, flow);
}

static void stop(void *self)
{
	struct core_worker *core = self;
	core->stopping = true;
	for (size_t i = 0; i < core->options.workers; i++) {
		loop_cancel(core->loop, core->places[i].timer);
		core->places[i].timer = 0;
	}
	exec_jobs_give_back(&core->jobs);
}

struct flow_core core_worker_core(struct core_worker *core)
{
	static const struct flow_core_kind kind = {
	    .apply = apply, .advance = advance, .stop = stop};
	return (struct flow_core){&kind, core};
}

/* ---- life ---- */

struct core_worker *core_worker_create(
    struct loop *loop, const struct core_worker_options *options, struct error *err)
{
	struct exec_command_program program;
	if (!exec_command_prepare(&options->command, &program, err))
		return NULL;
	struct core_worker *core = mem_alloc(1, sizeof *core);
	core->loop = loop;
	core->options = *options;
	core->program = program;
	core->environment = exec_environment_create(environ);
	core->places = mem_alloc(options->workers, sizeof *core->places);
	for (size_t i = 0; i < options->workers; i++)
		core->places[i] = (struct place){.core = core, .number = i + 1};
	core->jobs = (struct exec_jobs){.most = options->workers,
	    .in_order = options->in_order,
	    .release = free_answer,
	    .name = core->program.name,
	    .is_told = options->is_told};
	return core;
}

static void free_workers(struct core_worker *core)
{
	size_t count = core->options.workers;
	struct exec_worker **workers = mem_alloc(count, sizeof *workers);
	for (size_t i = 0; i < count; i++) {
		loop_cancel(core->loop, core->places[i].timer);
		workers[i] = core->places[i].worker;
	}
	exec_worker_free_all(workers, count);
	free(workers);
}

void core_worker_free(struct core_worker *core)
{
	if (core == NULL)
		return;
	free_workers(core);
	exec_jobs_free(&core->jobs);
	exec_environment_free(core->environment);
	exec_command_release(&core->program);
	buf_release(&core->line);
	free(core->places);
	free(core);
}
