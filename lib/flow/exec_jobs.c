#include "flow/exec_jobs.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

#define MOST_HELD (64 * 1024 * 1024) /* bytes of results; then only who is waited for works on */
#define MOST_WARNINGS 10	     /* a minute */
#define MINUTE_NS (60 * CHRONO_S)

/* ---- the list ---- */

static void append(struct exec_jobs *jobs, struct exec_job *job)
{
	job->previous = jobs->last;
	if (jobs->last != NULL)
		jobs->last->next = job;
	else
		jobs->first = job;
	jobs->last = job;
	if (jobs->waiting == NULL)
		jobs->waiting = job;
}

static void unlink_job(struct exec_jobs *jobs, struct exec_job *job)
{
	if (job->previous != NULL)
		job->previous->next = job->next;
	else
		jobs->first = job->next;
	if (job->next != NULL)
		job->next->previous = job->previous;
	else
		jobs->last = job->previous;
}

static void free_job(struct exec_jobs *jobs, struct exec_job *job)
{
	if (job->work != NULL)
		jobs->release(job->work);
	free(job->outcome);
	free(job->message);
	free(job->queue);
	free(job);
}

void exec_jobs_add(
    struct exec_jobs *jobs, struct flow *flow, uint64_t slot, const struct flow_message *m)
{
	struct exec_job *job = mem_alloc(1, sizeof *job);
	job->flow = flow;
	job->slot = slot;
	job->number = jobs->count++;
	job->message = message_copy(m->message);
	job->queue = mem_strndup(m->queue.len > 0 ? m->queue.ptr : "", m->queue.len);
	job->redelivered = m->redelivered;
	append(jobs, job);
}

/* Behind the first that waits mostly all wait; so this is short. */
static void find_waiting(struct exec_jobs *jobs, struct exec_job *from)
{
	while (from != NULL && from->state != EXEC_JOB_WAITS)
		from = from->next;
	jobs->waiting = from;
}

struct exec_job *exec_jobs_take(struct exec_jobs *jobs)
{
	struct exec_job *job = jobs->waiting;
	bool is_full =
	    jobs->at_work >= jobs->most || (jobs->held_bytes > MOST_HELD && jobs->at_work > 0);
	if (job == NULL || is_full)
		return NULL;
	job->state = EXEC_JOB_AT_WORK;
	jobs->at_work++;
	find_waiting(jobs, job->next);
	return job;
}

void exec_jobs_put_back(struct exec_jobs *jobs, struct exec_job *job)
{
	job->state = EXEC_JOB_WAITS;
	jobs->at_work--;
	if (jobs->waiting == NULL || jobs->waiting->number > job->number)
		jobs->waiting = job;
}

/* ---- results ---- */

struct flow_message exec_jobs_message(const struct exec_job *job)
{
	return (struct flow_message){.message = job->message,
	    .queue = slice_str(job->queue),
	    .redelivered = job->redelivered};
}

/* Tells the flow, and frees the job. */
static void deliver(
    struct exec_jobs *jobs, struct exec_job *job, const struct exec_jobs_outcome *outcome)
{
	const struct flow_verdict verdict = {.fate = outcome->fate, .reason = outcome->reason};
	struct flow_message m = exec_jobs_message(job);
	unlink_job(jobs, job);
	if (outcome->answer == FLOW_PASS)
		m.message = &outcome->results[0];
	for (size_t i = 0; outcome->answer == FLOW_SPLIT && i < outcome->result_count; i++) {
		m.message = &outcome->results[i];
		flow_branch(job->flow, job->slot, &m);
	}
	flow_resume(job->flow, job->slot, outcome->answer, &verdict, &m);
	free_job(jobs, job);
}

/* A copy but for the bytes of the results, in one allocation. */
static struct exec_jobs_outcome *keep(const struct exec_jobs_outcome *outcome)
{
	size_t reason_len = strlen(outcome->reason) + 1,
	       results_len = outcome->result_count * sizeof *outcome->results;
	struct exec_jobs_outcome *copy = mem_alloc(1, sizeof *copy + results_len + reason_len);
	struct message *results = (struct message *)(void *)(copy + 1);
	char *reason = (char *)(copy + 1) + results_len;
	*copy = *outcome;
	if (results_len > 0)
		memcpy(results, outcome->results, results_len);
	memcpy(reason, outcome->reason, reason_len);
	copy->results = results;
	copy->reason = reason;
	return copy;
}

/* NOLINTBEGIN(clang-analyzer-unix.Malloc): a job is out of the list before it is freed */

/* Those at the front whose turn it is. */
static void deliver_held(struct exec_jobs *jobs)
{
	while (jobs->first != NULL && jobs->first->state == EXEC_JOB_DONE) {
		struct exec_job *job = jobs->first;
		struct exec_jobs_outcome *outcome = job->outcome;
		job->outcome = NULL;
		jobs->held_bytes -= outcome->bytes;
		deliver(jobs, job, outcome);
		free(outcome);
	}
}

void exec_jobs_end(
    struct exec_jobs *jobs, struct exec_job *job, const struct exec_jobs_outcome *outcome)
{
	jobs->at_work--;
	job->state = EXEC_JOB_DONE;
	if (jobs->in_order && job != jobs->first) {
		job->outcome = keep(outcome);
		jobs->held_bytes += outcome->bytes;
		return;
	}
	deliver(jobs, job, outcome);
	deliver_held(jobs);
}

void exec_jobs_give_back(struct exec_jobs *jobs)
{
	static const struct exec_jobs_outcome released = {
	    .answer = FLOW_SETTLE, .fate = FLOW_RELEASED, .reason = ""};
	while (jobs->waiting != NULL) {
		struct exec_job *job = jobs->waiting;
		find_waiting(jobs, job->next);
		deliver(jobs, job, &released);
	}
	deliver_held(jobs);
}

void exec_jobs_free(struct exec_jobs *jobs)
{
	while (jobs->first != NULL) {
		struct exec_job *job = jobs->first;
		unlink_job(jobs, job);
		free_job(jobs, job);
	}
	jobs->waiting = NULL;
}

/* NOLINTEND(clang-analyzer-unix.Malloc) */

bool exec_jobs_has_waiting(const struct exec_jobs *jobs)
{
	return jobs->waiting != NULL;
}

/* ---- warnings ---- */

/* False when enough was said; *is_last: it is the last for now. */
static bool may_warn(struct exec_jobs *jobs, bool *is_last)
{
	uint64_t now = chrono_now_ns();
	if (jobs->warnings == 0 || now - jobs->warned_ns >= MINUTE_NS) {
		jobs->warned_ns = now;
		jobs->warnings = 0;
	}
	*is_last = ++jobs->warnings == MOST_WARNINGS;
	return jobs->warnings <= MOST_WARNINGS;
}

void exec_jobs_warn(
    struct exec_jobs *jobs, const struct exec_job *job, const char *what, enum flow_fate fate)
{
	struct buf line = {0};
	bool is_last;
	if ((job != NULL && jobs->is_told) || !may_warn(jobs, &is_last))
		return;
	buf_printf(&line, "'%s' %s", jobs->name, what);
	if (job != NULL) {
		struct slice id = job->message->message_id;
		buf_append_str(&line, id.len > 0 ? ": message " : ": the message");
		text_escape(id, SIZE_MAX, &line);
		buf_append_str(
		    &line, fate == FLOW_RETRY ? " asks for another try" : " is rejected");
	}
	if (is_last)
		buf_append_str(&line, " (further ones of this minute are only counted)");
	log_write(LOG_WARNING, "%s", line.ptr);
	buf_release(&line);
}
