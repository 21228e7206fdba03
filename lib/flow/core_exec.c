#include "flow/core_exec.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "flow/exec_command.h"
#include "flow/exec_environment.h"
#include "flow/exec_process.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_RETRY 75	 /* EX_TEMPFAIL */
#define MOST_WARNINGS 10 /* a command that fails once tends to fail always */

/* A message and its command; while it waits there is no process yet. */
struct job {
	struct core_exec *core;
	struct job *next; /* of those that wait, or of those that run */
	struct flow *flow;
	uint64_t slot;
	struct message *message;
	char *queue;
	bool redelivered;
	struct exec_process *process;
};

struct core_exec {
	struct loop *loop;
	char **argv;
	char *path;
	char *name; /* the command for texts, escaped */
	struct exec_environment *environment;
	uint64_t timeout_ns;
	size_t jobs, running_count;
	struct job *running;
	struct job *waiting, **waiting_end; /* first come, first served */
	unsigned warnings;
	struct buf reason; /* of the last message that was given up */
	bool stopping;
};

/* ---- jobs ---- */

static struct job *create_job(
    struct core_exec *core, struct flow *flow, uint64_t slot, const struct flow_message *m)
{
	struct job *job = mem_alloc(1, sizeof *job);
	job->core = core;
	job->flow = flow;
	job->slot = slot;
	job->message = message_copy(m->message);
	job->queue = mem_strndup(m->queue.len > 0 ? m->queue.ptr : "", m->queue.len);
	job->redelivered = m->redelivered;
	return job;
}

static void free_job(struct job *job)
{
	exec_process_free(job->process);
	free(job->message);
	free(job->queue);
	free(job);
}

static void free_jobs(struct job *first)
{
	while (first != NULL) {
		struct job *next = first->next;
		free_job(first);
		first = next;
	}
}

static void push_waiting(struct core_exec *core, struct job *job)
{
	*core->waiting_end = job;
	core->waiting_end = &job->next;
}

static struct job *pop_waiting(struct core_exec *core)
{
	struct job *job = core->waiting;
	core->waiting = job->next;
	if (core->waiting == NULL)
		core->waiting_end = &core->waiting;
	return job;
}

static void add_running(struct core_exec *core, struct job *job)
{
	job->next = core->running;
	core->running = job;
	core->running_count++;
}

static void remove_running(struct core_exec *core, struct job *job)
{
	struct job **at = &core->running;
	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	core->running_count--;
}

/* ---- verdicts ---- */

/* Appends what happened when it was no success. */
static void describe(
    const struct core_exec *core, const struct exec_process_result *result, struct buf *out)
{
	int status = result->wait_status;
	switch (result->ending) {
	case EXEC_PROCESS_TIMED_OUT:
		buf_append_str(out, "took longer than ");
		num_format_duration(core->timeout_ns, out);
		return;
	case EXEC_PROCESS_WROTE_TOO_MUCH:
		buf_append_str(out, "wrote more than ");
		num_format_size(EXEC_PROCESS_MAX_OUTPUT, out);
		return;
	case EXEC_PROCESS_ENDED:
		break;
	}
	if (WIFSIGNALED(status))
		buf_printf(out, "was killed by signal %d (%s)", WTERMSIG(status),
		    sigdescr_np(WTERMSIG(status)));
	else
		buf_printf(out, "ended with status %d", WEXITSTATUS(status));
}

static void warn(struct job *job, const char *why, enum flow_fate fate)
{
	struct core_exec *core = job->core;
	struct buf line = {0};
	if (core->warnings++ >= MOST_WARNINGS)
		return;
	buf_printf(&line, "'%s' %s", core->name, why);
	struct slice id = job->message->message_id;
	buf_append_str(&line, id.len > 0 ? ": message " : ": the message");
	text_escape(id, SIZE_MAX, &line);
	buf_append_str(&line, fate == FLOW_RETRY ? " asks for another try" : " is rejected");
	if (core->warnings == MOST_WARNINGS)
		buf_append_str(&line, " (further ones are only counted)");
	log_write(LOG_WARNING, "%s", line.ptr);
	buf_release(&line);
}

/* why is filled with the reason of a verdict that is no success. */
static enum flow_answer judge(struct job *job, const struct exec_process_result *result,
    enum flow_fate *fate, struct buf *why)
{
	bool exited = result->ending == EXEC_PROCESS_ENDED && WIFEXITED(result->wait_status);
	int status = exited ? WEXITSTATUS(result->wait_status) : -1;
	if (status == 0)
		return FLOW_PASS;
	*fate = status == STATUS_RETRY ? FLOW_RETRY : FLOW_REJECTED;
	describe(job->core, result, why);
	warn(job, why->ptr, *fate);
	return FLOW_SETTLE;
}

/* ---- running ---- */

static void start_waiting(struct core_exec *core);

static void on_end(void *ctx, const struct exec_process_result *result)
{
	struct job *job = ctx;
	struct core_exec *core = job->core;
	enum flow_fate fate = FLOW_REJECTED;
	struct buf why = {0};
	buf_append_str(&why, "");
	enum flow_answer answer = judge(job, result, &fate, &why);
	const struct flow_verdict verdict = {.fate = fate, .reason = why.ptr};
	struct message message = *job->message;
	if (result->output.len > 0)
		message.body = result->output;
	const struct flow_message m = {
	    .message = &message, .queue = slice_str(job->queue), .redelivered = job->redelivered};
	remove_running(core, job);
	flow_resume(job->flow, job->slot, answer, &verdict, &m);
	buf_release(&why);
	free_job(job);
	start_waiting(core);
}

static bool start(struct job *job, struct error *err)
{
	struct core_exec *core = job->core;
	const struct flow_message m = {.message = job->message,
	    .queue = slice_str(job->queue),
	    .redelivered = job->redelivered};
	char **envp = exec_environment_fill(core->environment, &m);
	const struct exec_process_spec spec = {
	    .path = core->path,
	    .argv = core->argv,
	    .envp = envp,
	    .input = job->message->body,
	    .timeout_ns = core->timeout_ns,
	    .on_end = on_end,
	    .ctx = job,
	};
	job->process = exec_process_start(core->loop, &spec, err);
	free(envp);
	if (job->process == NULL)
		return error_context(err, "cannot start '%s'", core->name);
	add_running(core, job);
	return true;
}

/* The fate of a message whose command does not start. Unless it is the message, which then is
 * too big for an environment and stays so, it would be the same with every other: the run fails. */
static struct flow_verdict give_up(struct job *job, const struct error *why)
{
	struct flow *flow = job->flow;
	struct core_exec *core = job->core;
	buf_clear(&core->reason);
	buf_append_str(&core->reason, why->text);
	free_job(job);
	if (why->kind == ERROR_DATA) {
		log_write(LOG_WARNING, "%s: the message is rejected", why->text);
		return (struct flow_verdict){.fate = FLOW_REJECTED, .reason = core->reason.ptr};
	}
	flow_fail(flow, why);
	return (struct flow_verdict){.fate = FLOW_RELEASED, .reason = core->reason.ptr};
}

static void start_waiting(struct core_exec *core)
{
	while (core->running_count < core->jobs && core->waiting != NULL) {
		struct job *job = pop_waiting(core);
		struct flow *flow = job->flow;
		uint64_t slot = job->slot;
		struct error err = {0};
		if (start(job, &err))
			continue;
		const struct flow_verdict verdict = give_up(job, &err);
		flow_resume(flow, slot, FLOW_SETTLE, &verdict, NULL);
	}
}

/* Another core before this one may send messages even after the stop: they wait no more. */
static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)out;
	struct core_exec *core = self;
	bool must_wait = core->running_count >= core->jobs;
	if (must_wait && core->stopping) {
		verdict->fate = FLOW_RELEASED;
		return FLOW_SETTLE;
	}
	struct job *job = create_job(core, flow, slot, in);
	struct error err = {0};
	if (must_wait) {
		push_waiting(core, job);
	} else if (!start(job, &err)) {
		*verdict = give_up(job, &err);
		return FLOW_SETTLE;
	}
	return FLOW_PENDING;
}

static void stop(void *self)
{
	struct core_exec *core = self;
	core->stopping = true;
	while (core->waiting != NULL) {
		struct job *job = pop_waiting(core);
		flow_resume(job->flow, job->slot, FLOW_SETTLE,
		    &(struct flow_verdict){.fate = FLOW_RELEASED, .reason = ""}, NULL);
		free_job(job);
	}
}

struct flow_core core_exec_core(struct core_exec *core)
{
	static const struct flow_core_kind kind = {.apply = apply, .stop = stop};
	return (struct flow_core){&kind, core};
}

/* ---- life ---- */

static bool prepare(
    struct core_exec *core, const struct core_exec_options *options, struct error *err)
{
	core->argv = options->shell ? exec_command_for_shell(options->command)
				    : exec_command_split(options->command, err);
	if (core->argv == NULL)
		return false;
	core->path = exec_command_find(core->argv[0], err);
	return core->path != NULL;
}

struct core_exec *core_exec_create(
    struct loop *loop, const struct core_exec_options *options, struct error *err)
{
	struct core_exec *core = mem_alloc(1, sizeof *core);
	core->loop = loop;
	core->name = text_quote(slice_str(options->command));
	core->timeout_ns = options->timeout_ns;
	core->jobs = options->jobs > 0 ? options->jobs : 1;
	core->waiting_end = &core->waiting;
	if (!prepare(core, options, err)) {
		core_exec_free(core);
		return NULL;
	}
	core->environment = exec_environment_create(environ);
	return core;
}

void core_exec_free(struct core_exec *core)
{
	if (core == NULL)
		return;
	free_jobs(core->waiting);
	free_jobs(core->running);
	exec_environment_free(core->environment);
	free(core->argv);
	free(core->path);
	free(core->name);
	buf_release(&core->reason);
	free(core);
}
