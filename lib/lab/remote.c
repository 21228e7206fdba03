#include "lab/remote.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/text.h"
#include "lab/child.h"
#include "lab/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_NS (10 * CHRONO_S) /* for rabbitmqctl to come and go, around what it waits for */
#define MAX_OUTPUT_BYTES 65536
#define SHOWN_BYTES 500

static bool start_ctl(const struct remote *remote, const struct state *state,
    const struct node *node, const char *expression, int output, pid_t *out, struct error *err)
{
	const struct node_site site = {.dir = remote->dir,
	    .programs = remote->programs,
	    .epmd_port = state->epmd_port,
	    .node_count = state->node_count};
	struct child_words argv = {0}, envp = {0};
	child_words_take(&argv, mem_printf("%s/rabbitmqctl", remote->programs));
	child_words_take(&argv, mem_strdup("-q"));
	child_words_take(&argv, mem_strdup("eval"));
	child_words_take(&argv, mem_strdup(expression));
	node_environment(&site, node, &envp);
	const struct child_spec spec = {.argv = argv.items,
	    .envp = envp.items,
	    .folder = remote->dir,
	    .out = output,
	    .errors = output,
	    .death_signal = SIGKILL,
	    .own_group = true};
	bool good = child_start(&spec, out, err);
	child_words_release(&argv);
	child_words_release(&envp);
	return good;
}

/* Reads to the end; false when the deadline comes first. */
static bool read_until(int fd, uint64_t deadline_ns, struct buf *out)
{
	while (wait_one(fd, POLLIN, deadline_ns)) {
		char *end = buf_reserve(out, MAX_OUTPUT_BYTES);
		ssize_t length = read(fd, end, MAX_OUTPUT_BYTES);
		if (length <= 0)
			return true;
		if (out->len < MAX_OUTPUT_BYTES)
			out->len += (size_t)length;
	}
	return false;
}

static bool failed(
    const struct node *node, const char *how, const struct buf *said, struct error *err)
{
	struct buf shown = {0};
	text_escape(slice_trim(buf_slice(said)), SHOWN_BYTES, &shown);
	error_set(err, ERROR_UNAVAILABLE, "rabbitmqctl at node '%s' %s%s%s", node->name, how,
	    shown.len > 0 ? ": " : "", shown.len > 0 ? shown.ptr : "");
	buf_release(&shown);
	return false;
}

static bool collect(const struct node *node, pid_t pid, int fd, uint64_t deadline_ns,
    struct buf *out, struct error *err)
{
	struct buf said = {0}, how = {0};
	int wait_status = 0;
	bool in_time = read_until(fd, deadline_ns, &said);
	if (!in_time)
		kill(-pid, SIGKILL);
	(void)waitpid(pid, &wait_status, 0); /* it is our child, and has closed its output */
	bool good = in_time && wait_status == 0;
	child_describe_end(wait_status, &how);
	if (!good)
		failed(node, in_time ? how.ptr : "did not answer in time", &said, err);
	else
		buf_append(out, slice_trim(buf_slice(&said)));
	buf_release(&said);
	buf_release(&how);
	return good;
}

bool remote_eval(const struct remote *remote, const struct state *state, const struct node *node,
    const char *expression, struct buf *out, struct error *err)
{
	int ends[2];
	pid_t pid;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_set(err, ERROR_UNAVAILABLE, "cannot make a pipe: %s", strerror(errno));
	bool good = start_ctl(remote, state, node, expression, ends[1], &pid, err);
	close(ends[1]);
	good = good &&
	       collect(node, pid, ends[0], chrono_after(remote->deadline_ns, GRACE_NS), out, err);
	close(ends[0]);
	return good;
}

bool remote_await(const struct remote *remote, const struct state *state, const struct node *node,
    const char *setup, const char *condition, bool *held, struct error *err)
{
	uint64_t now_ns = chrono_now_ns();
	uint64_t left_ns = remote->deadline_ns > now_ns ? remote->deadline_ns - now_ns : 0;
	struct buf answer = {0};
	char *expression = mem_printf("%s "
				      "End = erlang:monotonic_time(millisecond) + %llu, "
				      "Wait = fun(Again) -> case catch (%s) of true -> true; "
				      "_ -> case erlang:monotonic_time(millisecond) >= End of "
				      "true -> false; "
				      "false -> timer:sleep(50), Again(Again) end end end, "
				      "Wait(Wait).",
	    setup, (unsigned long long)(left_ns / CHRONO_MS), condition);
	bool good = remote_eval(remote, state, node, expression, &answer, err);
	if (good && slice_is(buf_slice(&answer), "true"))
		*held = true;
	else if (good && slice_is(buf_slice(&answer), "false"))
		*held = false;
	else if (good)
		good = failed(node, "said something unexpected", &answer, err);
	free(expression);
	buf_release(&answer);
	return good;
}

void remote_render_binary(struct slice bytes, struct buf *out)
{
	buf_append_str(out, "<<");
	for (size_t i = 0; i < bytes.len; i++)
		buf_printf(out, "%s%u", i > 0 ? "," : "", (unsigned)(unsigned char)bytes.ptr[i]);
	buf_append_str(out, ">>");
}
