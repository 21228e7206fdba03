#include "app/chain_exec.h"

#include "base/mem.h"
#include "flow/core_exec.h"
#include "model/reader.h"

#include <stdlib.h>

#define DEFAULT_TIMEOUT_NS (30 * CHRONO_S)
#define MAX_JOBS 1000

struct chain_exec {
	struct core_exec *command;
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

static bool read_options(const json_t *step, struct core_exec_options *options, struct error *err)
{
	struct reader reader = {.report = reader_keep_first, .ctx = err};
	const json_t *exec = json_object_get(step, "exec");
	uint64_t jobs = 1;
	if (has_nul(exec))
		return error_set(err, ERROR_USAGE, "a command cannot hold a NUL character");
	if (json_is_array(exec) && json_is_true(json_object_get(step, "shell")))
		return error_set(err, ERROR_USAGE, "shell goes with a command that is one text");
	*options = (struct core_exec_options){
	    .command = json_string_value(exec), .timeout_ns = DEFAULT_TIMEOUT_NS, .in_order = true};
	reader_bool(&reader, step, "shell", &options->shell);
	reader_bool(&reader, step, "order", &options->in_order);
	reader_duration(&reader, step, "timeout", &options->timeout_ns);
	reader_count(&reader, step, "jobs", 1, MAX_JOBS, &jobs);
	options->jobs = (size_t)jobs;
	reader_release(&reader);
	return !reader.failed;
}

struct chain_exec *chain_exec_open(struct tool *tool, const json_t *step, struct error *err)
{
	struct core_exec_options options;
	if (!read_options(step, &options, err))
		return NULL;
	const char **words = words_of(json_object_get(step, "exec"));
	options.words = words;
	options.folder = tool->settings.directory;
	struct core_exec *command = core_exec_create(tool->loop, &options, err);
	free(words);
	if (command == NULL)
		return NULL;
	struct chain_exec *exec = mem_alloc(1, sizeof *exec);
	exec->command = command;
	return exec;
}

void chain_exec_free(struct chain_exec *exec)
{
	if (exec == NULL)
		return;
	core_exec_free(exec->command);
	free(exec);
}

struct flow_core chain_exec_core(const struct chain_exec *exec)
{
	return core_exec_core(exec->command);
}
