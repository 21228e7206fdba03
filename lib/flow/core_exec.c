#include "flow/core_exec.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "flow/exec_command.h"
#include "flow/exec_environment.h"
#include "flow/exec_jobs.h"
#include "flow/exec_process.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_RETRY 75 /* EX_TEMPFAIL */

struct core_exec {
	struct loop *loop;
	struct exec_command_program program;
	struct exec_environment *environment;
	uint64_t timeout_ns;
	struct exec_jobs jobs; /* of which one that is at work has its process as its work */
	bool stopping;
};

/* A process and whose it is; freed with the job, so that what it wrote lives until then. */
struct work {
	struct core_exec *core;
	struct exec_job *job;
	struct exec_process *process;
};

static void free_work(void *self)
{
	struct work *work = self;
	exec_process_free(work->process);
	free(work);
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

/* why is filled with the reason of a verdict that is no success. */
static struct exec_jobs_outcome judge(struct core_exec *core, const struct exec_job *job,
    const struct exec_process_result *result, struct buf *why)
{
	bool exited = result->ending == EXEC_PROCESS_ENDED && WIFEXITED(result->wait_status);
	int status = exited ? WEXITSTATUS(result->wait_status) : -1;
	if (status == 0)
		return (struct exec_jobs_outcome){
		    .answer = FLOW_PASS, .reason = "", .bytes = result->output.len};
	if (result->ending == EXEC_PROCESS_ENDED &&
	    exec_child_was_asked(core->loop, result->wait_status))
		return (struct exec_jobs_outcome){
		    .answer = FLOW_SETTLE, .fate = FLOW_RELEASED, .reason = ""};
	enum flow_fate fate = status == STATUS_RETRY ? FLOW_RETRY : FLOW_REJECTED;
	describe(core, result, why);
	exec_jobs_warn(&core->jobs, job, why->ptr, fate);
	return (struct exec_jobs_outcome){.answer = FLOW_SETTLE, .fate = fate, .reason = why->ptr};
}

/* ---- running ---- */

static void start_waiting(struct core_exec *core);

static void on_end(void *ctx, const struct exec_process_result *result)
{
	struct work *work = ctx;
	struct core_exec *core = work->core;
	struct exec_job *job = work->job;
	struct buf why = {0};
	struct message message = *job->message;
	struct exec_jobs_outcome outcome = judge(core, job, result, &why);
	if (result->output.len > 0)
		message.body = result->output;
	outcome.results = &message;
	outcome.result_count = 1;
	exec_jobs_end(&core->jobs, job, &outcome);
	buf_release(&why);
	start_waiting(core);
}

static bool start(struct core_exec *core, struct exec_job *job, struct error *err)
{
	const struct flow_message m = exec_jobs_message(job);
	char **envp = exec_environment_fill(core->environment, &m);
	struct work *work = mem_alloc(1, sizeof *work);
	*work = (struct work){.core = core, .job = job};
	job->work = work;
	const struct exec_process_spec spec = {
	    .program = {core->program.path, core->program.argv, envp, core->program.folder},
	    .input = job->message->body,
	    .timeout_ns = core->timeout_ns,
	    .on_end = on_end,
	    .ctx = work,
	};
	work->process = exec_process_start(core->loop, &spec, err);
	free(envp);
	return work->process != NULL || error_context(err, "cannot start '%s'", core->program.name);
}

/* The fate of a message whose command does not start. Unless it is the message, which then is
 * too big for an environment and stays so, it would be the same with every other: the run fails. */
static void give_up(struct core_exec *core, struct exec_job *job, const struct error *why)
{
	bool is_its_fault = why->kind == ERROR_DATA;
	if (!is_its_fault)
		flow_fail(job->flow, why);
	else if (!core->jobs.is_told)
		log_write(LOG_WARNING, "%s: the message is rejected", why->text);
	const struct exec_jobs_outcome outcome = {.answer = FLOW_SETTLE,
	    .fate = is_its_fault ? FLOW_REJECTED : FLOW_RELEASED,
	    .reason = why->text};
	exec_jobs_end(&core->jobs, job, &outcome);
}

static void start_waiting(struct core_exec *core)
{
	struct exec_job *job;
	while ((job = exec_jobs_take(&core->jobs)) != NULL) {
		struct error err = {0};
		if (!start(core, job, &err))
			give_up(core, job, &err);
	}
}

/* Another core before this one may send messages even after the stop: they wait no more. */
static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)out, (void)verdict;
	struct core_exec *core = self;
	exec_jobs_add(&core->jobs, flow, slot, in);
	start_waiting(core);
	if (core->stopping)
		exec_jobs_give_back(&core->jobs);
	return FLOW_PENDING;
}

static void stop(void *self)
{
	struct core_exec *core = self;
	core->stopping = true;
	exec_jobs_give_back(&core->jobs);
}

struct flow_core core_exec_core(struct core_exec *core)
{
	static const struct flow_core_kind kind = {.apply = apply, .stop = stop};
	return (struct flow_core){&kind, core};
}

uint64_t core_exec_left_out(const struct core_exec *core)
{
	return exec_environment_left_out(core->environment);
}

/* ---- life ---- */

struct core_exec *core_exec_create(
    struct loop *loop, const struct core_exec_options *options, struct error *err)
{
	const struct exec_command command = {
	    options->command, options->words, options->shell, options->folder};
	struct exec_command_program program;
	if (!exec_command_prepare(&command, &program, err))
		return NULL;
	struct core_exec *core = mem_alloc(1, sizeof *core);
	core->loop = loop;
	core->program = program;
	core->timeout_ns = options->timeout_ns;
	core->environment = exec_environment_create(environ);
	core->jobs = (struct exec_jobs){.most = options->jobs > 0 ? options->jobs : 1,
	    .in_order = options->in_order,
	    .release = free_work,
	    .name = core->program.name,
	    .is_told = options->is_told};
	return core;
}

void core_exec_free(struct core_exec *core)
{
	if (core == NULL)
		return;
	exec_jobs_free(&core->jobs);
	exec_environment_free(core->environment);
	exec_command_release(&core->program);
	free(core);
}
