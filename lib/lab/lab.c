#include "lab/lab.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/text.h"
#include "lab/folder.h"
#include "lab/session.h"
#include "lab/wait.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_EVERY_NS (50 * CHRONO_MS)
#define END_LOOK_NS (5 * CHRONO_MS)
#define END_LIMIT_NS (15 * CHRONO_S)
#define ANSWER_LIMIT_NS (20 * CHRONO_S) /* for clearing up after a start that failed */

static bool check_programs(const char *programs, struct error *err)
{
	char *server = mem_printf("%s/rabbitmq-server", programs);
	bool found = access(server, X_OK) == 0;
	int cause = errno;
	char *name = text_quote(slice_str(server));
	if (!found)
		error_set(err, ERROR_UNAVAILABLE,
		    "RabbitMQ is not installed ('%s': %s); run 'make deps', or name its folder "
		    "with --rabbitmq",
		    name, strerror(cause));
	free(name);
	free(server);
	return found;
}

static bool says_dir(const char *dir, struct error *err, const char *before, const char *after)
{
	char *name = text_quote(slice_str(dir));
	error_set(err, ERROR_UNAVAILABLE, "%s '%s'%s", before, name, after);
	free(name);
	return false;
}

bool lab_find(const char *dir, struct state *out, struct error *err)
{
	if (folder_holder(dir) == 0)
		return says_dir(dir, err, "no lab runs in", "; start one with 'lab up'");
	struct error cause = {0};
	if (state_read(dir, out, &cause))
		return true;
	if (cause.kind == ERROR_NO_INPUT) /* locked a moment ago, or about to be removed */
		return says_dir(dir, err, "the lab in", " is just starting or ending");
	*err = cause;
	return false;
}

/* Somebody else has started the lab: waits for what comes of it. */
static bool await_other(const char *dir, uint64_t deadline_ns, struct state *out, struct error *err)
{
	while (folder_holder(dir) != 0) {
		struct error ignored = {0}; /* not written yet; the deadline tells */
		struct state state;
		if (state_read(dir, &state, &ignored) && state.phase == STATE_RUNNING) {
			*out = state;
			return true;
		}
		uint64_t now_ns = chrono_now_ns();
		if (now_ns >= deadline_ns)
			return says_dir(dir, err, "the lab in", " is still starting");
		(void)wait_any(NULL, 0, chrono_after(now_ns, LOOK_EVERY_NS));
	}
	return says_dir(
	    dir, err, "another process tried to start the lab in", " and failed; see 'lab logs'");
}

bool lab_plan(const struct lab_options *options, struct session_plan *out, struct error *err)
{
	if (!check_programs(options->programs, err) || !folder_create(options->dir, err))
		return false;
	*out = (struct session_plan){.dir = options->dir,
	    .programs = options->programs,
	    .node_count = options->node_count,
	    .tls = options->tls,
	    .wait_ns = options->wait_ns};
	return true;
}

/* SESSION_TAKEN when somebody else was quicker. */
static bool start(const struct lab_options *options, uint64_t deadline_ns,
    enum session_answer *answer, struct error *err)
{
	struct session_plan plan;
	struct session session;
	if (!lab_plan(options, &plan, err) || !session_open(&plan, &session, err))
		return false;
	bool good = session_await(&session, deadline_ns, -1, answer, err);
	if (good && *answer == SESSION_READY)
		session_detach(&session);
	else
		session_close(&session); /* so that the folder is free for the next one */
	return good;
}

bool lab_up(const struct lab_options *options, struct state *out, bool *was_up, struct error *err)
{
	uint64_t deadline_ns =
	    chrono_after(chrono_now_ns(), chrono_after(options->wait_ns, ANSWER_LIMIT_NS));
	enum session_answer answer = SESSION_TAKEN;
	if (folder_holder(options->dir) == 0 && !start(options, deadline_ns, &answer, err))
		return false;
	*was_up = answer == SESSION_TAKEN;
	return *was_up ? await_other(options->dir, deadline_ns, out, err)
		       : state_read(options->dir, out, err);
}

/* Sends the holder of the folder a signal and waits until it has let go. The lock names it at that
 * very moment, so the number cannot have gone to another process long ago. */
static bool end_holder(const char *dir, int number, uint64_t deadline_ns)
{
	pid_t pid = folder_holder(dir);
	if (pid <= 0 || kill(pid, number) != 0)
		return folder_holder(dir) == 0;
	while (folder_holder(dir) != 0) {
		uint64_t now_ns = chrono_now_ns();
		if (now_ns >= deadline_ns)
			return false;
		(void)wait_any(NULL, 0, chrono_after(now_ns, END_LOOK_NS));
	}
	return true;
}

bool lab_down(const char *dir, bool *was_running, struct error *err)
{
	uint64_t deadline_ns = chrono_after(chrono_now_ns(), END_LIMIT_NS);
	*was_running = folder_holder(dir) != 0;
	if (*was_running && !end_holder(dir, SIGTERM, deadline_ns) &&
	    !end_holder(dir, SIGKILL, chrono_after(deadline_ns, CHRONO_S)))
		return says_dir(dir, err, "the supervisor of the lab in", " does not end");
	return folder_remove(dir, err);
}

bool lab_become_ctl(const char *dir, const char *programs, const char *node_name,
    char *const args[], struct error *err)
{
	struct state state;
	if (!check_programs(programs, err) || !lab_find(dir, &state, err))
		return false;
	const struct node *node = state_find_node(&state, node_name, err);
	if (node == NULL)
		return false;
	const struct node_site site = {.dir = dir,
	    .programs = programs,
	    .epmd_port = state.epmd_port,
	    .node_count = state.node_count};
	struct child_words argv = {0}, envp = {0};
	child_words_take(&argv, mem_printf("%s/rabbitmqctl", programs));
	for (size_t i = 0; args[i] != NULL; i++)
		child_words_take(&argv, mem_strdup(args[i]));
	node_environment(&site, node, &envp);
	execve(argv.items[0], argv.items, envp.items);
	error_set(err, ERROR_UNAVAILABLE, "cannot run rabbitmqctl: %s", strerror(errno));
	child_words_release(&argv);
	child_words_release(&envp);
	return false;
}
