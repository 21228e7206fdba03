#include "app/keep.h"

#include "app/lessons.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "lab/attend.h"
#include "lab/child.h"
#include "lab/drill.h"
#include "lab/fault.h"
#include "lab/folder.h"
#include "lab/logs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
	struct tool *tool;
	const struct keep_options *options;
	struct lab_options lab;
	char **operands; /* after the verb */
};

/* Prints a text and releases it. */
static bool print_take(struct buf *text, struct error *err)
{
	bool good = tool_print(buf_slice(text), err);
	buf_release(text);
	return good;
}

static bool describe(
    const struct run *run, const struct state *state, const char *opening, struct error *err)
{
	struct buf text = {0}, option = {0};
	char *standard = folder_default();
	if (strcmp(standard, run->lab.dir) != 0) {
		buf_append_str(&option, " --dir ");
		state_quote(run->lab.dir, &option);
	}
	buf_printf(&text, "%s\n", opening);
	state_render_addresses(state, run->lab.dir, &text);
	buf_printf(&text, "use it: eval \"$(%s env%s)\"   end it: %s down%s\n", run->tool->program,
	    option.ptr ? option.ptr : "", run->tool->program, option.ptr ? option.ptr : "");
	free(standard);
	buf_release(&option);
	return print_take(&text, err);
}

static void describe_ready(void *ctx, const struct state *state)
{
	struct run *run = ctx;
	struct error unprinted = {0};
	if (!describe(run, state, "the lab is up", &unprinted))
		log_write(
		    LOG_WARNING, "%s", unprinted.text); /* the lab is worth more than its line */
}

static bool run_up(struct run *run, struct error *err)
{
	struct state state;
	bool was_up;
	if (run->options->foreground)
		return attend_person(&run->lab, describe_ready, run, err);
	if (!lab_up(&run->lab, &state, &was_up, err))
		return false;
	return describe(run, &state, was_up ? "the lab was already up" : "the lab is up", err);
}

static bool run_down(struct run *run, struct error *err)
{
	bool was_running;
	if (!lab_down(run->lab.dir, &was_running, err))
		return false;
	return tool_print(
	    was_running ? SLICE("the lab is down\n") : SLICE("no lab was running\n"), err);
}

static bool run_status(struct run *run, struct error *err)
{
	struct state state;
	struct buf text = {0};
	if (!lab_find(run->lab.dir, &state, err))
		return false;
	if (run->options->format == 1)
		state_render_json(&state, run->lab.dir, &text);
	else
		state_render_table(&state, chrono_wall_ms(), &text);
	run->tool->status = state.phase == STATE_RUNNING ? 0 : ERROR_UNAVAILABLE;
	return print_take(&text, err);
}

static bool run_env(struct run *run, struct error *err)
{
	struct state state;
	struct buf text = {0};
	if (!lab_find(run->lab.dir, &state, err))
		return false;
	if (state.phase != STATE_RUNNING)
		return error_set(err, ERROR_UNAVAILABLE, "the lab is still starting, or ending");
	state_render_exports(&state, run->lab.dir, &text);
	return print_take(&text, err);
}

/* Without a folder that is named, in a temporary one, whatever lab is around. */
static void leave_default_dir(struct run *run)
{
	if (run->options->dir == NULL)
		run->lab.dir = NULL;
}

static bool run_lesson(struct run *run, struct error *err)
{
	if (run->operands[1] != NULL)
		return error_set(err, ERROR_USAGE,
		    "run takes one lesson; a command stands behind --: lab run -- COMMAND...");
	if (!run->options->here)
		leave_default_dir(run);
	const struct lessons_options options = {.lesson = run->operands[0],
	    .lab = run->lab,
	    .here = run->options->here,
	    .vhost = run->options->vhost,
	    .yes = run->options->yes};
	return lessons_play(run->tool, &options, err);
}

static bool run_run(struct run *run, struct error *err)
{
	if (run->options->list) {
		struct buf text = {0};
		lessons_render_list(&text);
		return print_take(&text, err);
	}
	if (run->operands[0] == NULL)
		return error_set(err, ERROR_USAGE,
		    "run needs a command or a lesson: lab run -- COMMAND..., or lab run LESSON; "
		    "'lab run --list' names them");
	/* options stand before the verb, and "--" ends them: see options_parse */
	if (strcmp(run->tool->operands[-1], "--") != 0)
		return run_lesson(run, err);
	leave_default_dir(run);
	return attend_command(&run->lab, run->operands, &run->tool->status, err);
}

/* A first word of one letter names a node: rabbitmqctl has no such command. */
static bool run_ctl(struct run *run, struct error *err)
{
	char **args = run->operands;
	const char *node = args[0] != NULL && strlen(args[0]) == 1 ? *args++ : NULL;
	if (args[0] == NULL)
		return error_set(
		    err, ERROR_USAGE, "ctl needs a command: lab ctl [NODE] -- ARGS...");
	return lab_become_ctl(run->lab.dir, run->lab.programs, node, args, err);
}

static bool run_logs(struct run *run, struct error *err)
{
	bool good = logs_print(run->lab.dir, run->operands[0], run->options->follow, stdout, err);
	if (good && (fflush(stdout) != 0 || ferror(stdout)))
		return error_set(
		    err, ERROR_IO, "cannot write to standard output: %s", strerror(errno));
	return good;
}

static bool run_fault(struct run *run, struct error *err)
{
	struct buf text = {0};
	const struct fault_site site = {.dir = run->lab.dir,
	    .programs = run->lab.programs,
	    .vhost = run->options->vhost ? run->options->vhost : "/",
	    .wait_ns = run->lab.wait_ns};
	bool good = fault_run(&site, run->tool->operands[0], run->operands, &text, err);
	struct error unprinted = {0}; /* the first failure counts */
	return print_take(&text, good ? err : &unprinted) && good;
}

/* A drill in a private lab is this program once more, beside that lab. */
static bool drill_privately(struct run *run, const struct drill *drill, struct error *err)
{
	struct child_words command = {0};
	child_words_take(&command, mem_strdup("/proc/self/exe"));
	child_words_take(&command, mem_strdup("drill"));
	child_words_take(&command, mem_strdup(run->operands[0]));
	child_words_take(&command, mem_strdup("--here"));
	child_words_take(&command, mem_printf("--rabbitmq=%s", run->lab.programs));
	leave_default_dir(run);
	run->lab.node_count = drill_node_count(drill);
	log_write(LOG_INFO, "starting a private lab of %zu node(s)", run->lab.node_count);
	bool good = attend_command(&run->lab, command.items, &run->tool->status, err);
	child_words_release(&command);
	return good;
}

static bool drill_here(struct run *run, const struct drill *drill, struct error *err)
{
	struct state state;
	bool was_lost;
	if (!lab_find(run->lab.dir, &state, err))
		return false;
	if (state.phase != STATE_RUNNING || state.node_count < drill_node_count(drill))
		return error_set(err, ERROR_UNAVAILABLE,
		    "this drill needs a lab with %zu node(s) that run", drill_node_count(drill));
	const struct drill_site site = {
	    .state = &state, .dir = run->lab.dir, .programs = run->lab.programs, .out = stdout};
	bool good = drill_run(drill, &site, &was_lost, err);
	if (good && (fflush(stdout) != 0 || ferror(stdout)))
		return error_set(
		    err, ERROR_IO, "cannot write to standard output: %s", strerror(errno));
	if (good && was_lost)
		run->tool->status = ERROR_UNDELIVERED;
	return good;
}

static bool run_drill(struct run *run, struct error *err)
{
	struct buf text = {0};
	const char *name = run->operands[0];
	if (name == NULL || strcmp(name, "list") == 0) {
		drill_render_list(&text);
		return print_take(&text, err);
	}
	const struct drill *drill = drill_find(name, err);
	if (drill == NULL)
		return false;
	return run->options->here ? drill_here(run, drill, err) : drill_privately(run, drill, err);
}

static const struct action {
	const char *verb;
	size_t operand_limit;
	bool (*run)(struct run *run, struct error *err);
} actions[] = {
    {"up", 0, run_up},
    {"down", 0, run_down},
    {"status", 0, run_status},
    {"env", 0, run_env},
    {"run", SIZE_MAX, run_run},
    {"ctl", SIZE_MAX, run_ctl},
    {"logs", 1, run_logs},
    {"drill", 1, run_drill},
};

static bool act(struct run *run, const char *verb, struct error *err)
{
	if (fault_is_verb(verb))
		return run_fault(run, err);
	const struct action *action = actions;
	while (strcmp(action->verb, verb) != 0)
		action++; /* options_parse lets only verbs through */
	size_t count = 0;
	while (run->operands[count] != NULL)
		count++;
	if (count > action->operand_limit) {
		char *shown = text_quote(slice_str(run->operands[action->operand_limit]));
		error_set(err, ERROR_USAGE, "unexpected argument '%s'", shown);
		free(shown);
		return false;
	}
	return action->run(run, err);
}

static char *choose_dir(const struct keep_options *options)
{
	const char *dir = options->dir ? options->dir : getenv("WARREN_LAB_DIR");
	return dir != NULL && dir[0] != '\0' ? folder_absolute(dir) : folder_default();
}

bool keep_run(struct tool *tool, const void *options, struct error *err)
{
	const struct keep_options *o = options;
	const char *verb = tool->operands[0];
	if (verb == NULL)
		return error_set(err, ERROR_USAGE,
		    "what is to be done? one of up, down, status, env, run, ctl, logs, kill, "
		    "stop, start, pause, resume, cut, heal, alarm, leader, drill");
	char *dir = choose_dir(o);
	struct run run = {.tool = tool,
	    .options = o,
	    .lab = {.dir = dir,
		.programs = o->programs,
		.node_count = (size_t)o->nodes,
		.tls = o->tls,
		.wait_ns = o->wait_ns},
	    .operands = tool->operands + 1};
	bool good = act(&run, verb, err);
	free(dir);
	return good;
}
