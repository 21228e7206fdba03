#include "app/chain_exec.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "flow/core_exec.h"
#include "flow/core_worker.h"
#include "model/reader.h"

#include <stdlib.h>

#define DEFAULT_TIMEOUT_NS (30 * CHRONO_S)
#define MAX_JOBS 1000
#define ENDING_NS (4 * CHRONO_S) /* of one that ran out of time */

/* One of the two. */
struct chain_exec {
	struct core_exec *command;
	struct core_worker *worker;
	uint64_t timeout_ns;
};

/* What the settings say. */
struct wish {
	struct exec_command command;
	const char **words; /* of the command, to free() */
	uint64_t timeout_ns, jobs, restart_from_ns, restart_to_ns;
	bool in_order, is_worker;
};

/* The words of a list, which ends with NULL, to free(); NULL when it is a text. */
static const char **words_of(const json_t *list)
{
	if (!json_is_array(list))
		return NULL;
	const char **words = mem_alloc(json_array_size(list) + 1, sizeof *words);
	for (size_t i = 0; i < json_array_size(list); i++)
		words[i] = json_string_value(json_array_get(list, i));
	return words;
}

/* A program would see less than was written. */
static bool has_nul(const json_t *exec)
{
	bool found = false;
	for (size_t i = 0; i < json_array_size(exec); i++)
		found |= has_nul(json_array_get(exec, i));
	return found || (json_is_string(exec) &&
			    strlen(json_string_value(exec)) != json_string_length(exec));
}

static bool check_command(const json_t *step, struct error *err)
{
	const json_t *exec = json_object_get(step, "exec");
	if (has_nul(exec))
		return error_set(err, ERROR_USAGE, "a command cannot hold a NUL character");
	if (json_is_array(exec) && json_is_true(json_object_get(step, "shell")))
		return error_set(err, ERROR_USAGE, "shell goes with a command that is one text");
	if (json_object_get(step, "restart") != NULL &&
	    !json_is_true(json_object_get(step, "worker")))
		return error_set(err, ERROR_USAGE, "restart goes with worker: true");
	return true;
}

static bool read_wish(const json_t *step, struct wish *wish, struct error *err)
{
	struct reader reader = {.report = reader_keep_first, .ctx = err};
	const json_t *exec = json_object_get(step, "exec");
	*wish = (struct wish){.command.text = json_string_value(exec),
	    .timeout_ns = DEFAULT_TIMEOUT_NS,
	    .jobs = 1,
	    .restart_from_ns = CORE_WORKER_RESTART_FROM_NS,
	    .restart_to_ns = CORE_WORKER_RESTART_TO_NS,
	    .in_order = true};
	if (!check_command(step, err))
		return false;
	reader_bool(&reader, step, "shell", &wish->command.shell);
	reader_bool(&reader, step, "order", &wish->in_order);
	reader_bool(&reader, step, "worker", &wish->is_worker);
	reader_duration(&reader, step, "timeout", &wish->timeout_ns);
	reader_count(&reader, step, "jobs", 1, MAX_JOBS, &wish->jobs);
	reader_duration_range(
	    &reader, step, "restart", &wish->restart_from_ns, &wish->restart_to_ns);
	reader_release(&reader);
	wish->command.words = wish->words = words_of(exec);
	return !reader.failed;
}

static struct core_exec *open_command(struct loop *loop, const struct wish *wish,
    const struct chain_exec_options *o, struct error *err)
{
	const struct core_exec_options options = {.command = wish->command.text,
	    .words = wish->command.words,
	    .shell = wish->command.shell,
	    .folder = wish->command.folder,
	    .timeout_ns = wish->timeout_ns,
	    .jobs = (size_t)wish->jobs,
	    .in_order = wish->in_order,
	    .is_told = o->is_told};
	return core_exec_create(loop, &options, err);
}

static struct core_worker *open_worker(struct loop *loop, const struct wish *wish,
    const struct chain_exec_options *o, struct error *err)
{
	const struct core_worker_options options = {.command = wish->command,
	    .timeout_ns = wish->timeout_ns,
	    .workers = (size_t)wish->jobs,
	    .in_order = wish->in_order,
	    .one_answer = o->one_answer,
	    .clears_exchange = true,
	    .is_told = o->is_told,
	    .restart_from_ns = wish->restart_from_ns,
	    .restart_to_ns = wish->restart_to_ns};
	return core_worker_create(loop, &options, err);
}

struct chain_exec *chain_exec_open(struct loop *loop, const struct chain_exec_options *options,
    const json_t *step, struct error *err)
{
	struct wish wish;
	struct chain_exec exec = {0};
	bool good = read_wish(step, &wish, err);
	wish.command.folder = options->folder;
	if (good && wish.is_worker)
		exec.worker = open_worker(loop, &wish, options, err);
	else if (good)
		exec.command = open_command(loop, &wish, options, err);
	free(wish.words);
	if (exec.worker == NULL && exec.command == NULL)
		return NULL;
	struct chain_exec *opened = mem_alloc(1, sizeof *opened);
	*opened = exec;
	opened->timeout_ns = wish.timeout_ns;
	return opened;
}

void chain_exec_free(struct chain_exec *exec)
{
	if (exec == NULL)
		return;
	core_exec_free(exec->command);
	core_worker_free(exec->worker);
	free(exec);
}

struct flow_core chain_exec_core(const struct chain_exec *exec)
{
	return exec->worker != NULL ? core_worker_core(exec->worker)
				    : core_exec_core(exec->command);
}

bool chain_exec_routes(const struct chain_exec *exec)
{
	return exec->worker != NULL;
}

uint64_t chain_exec_left_out(const struct chain_exec *exec)
{
	return exec->command != NULL ? core_exec_left_out(exec->command) : 0;
}

uint64_t chain_exec_patience_ns(const struct chain_exec *exec)
{
	uint64_t timeout = exec->timeout_ns > 0 ? exec->timeout_ns : DEFAULT_TIMEOUT_NS;
	return chrono_after(timeout, ENDING_NS);
}
