#include "lab/supervisor.h"

#include "base/buf.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/num.h"
#include "lab/certificates.h"
#include "lab/change.h"
#include "lab/child.h"
#include "lab/control.h"
#include "lab/folder.h"
#include "lab/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBE_EVERY_NS (20 * CHRONO_MS)
#define PROBE_LIMIT_NS (250 * CHRONO_MS)
#define END_LIMIT_NS (10 * CHRONO_S)
#define TAIL_BYTES 700 /* with what stands before it, less than an error's text */

struct supervisor {
	const struct supervisor_plan *plan;
	struct node_site site;
	struct state state;
	struct ports ports;
	struct loop *loop;
	uint64_t deadline_ns;
	size_t started_count; /* nodes, from the first */
	pid_t ctl;	      /* rabbitmqctl, while it runs */
	int control;	      /* listens for commands once the lab runs; else -1 */
	bool is_complete;     /* all nodes are in the cluster */
	struct error *err;    /* set when something of the lab has ended that should not */
};

/* A line of the log. */
static void note(const char *fmt, ...) ERROR_FORMAT(1, 2);

static void note(const char *fmt, ...)
{
	char text[ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args); /* a cut line is still worth having */
	va_end(args);
	struct buf now = {0};
	chrono_format(chrono_wall_ms(), &now);
	log_write(LOG_INFO, "%s %s", now.ptr, text);
	buf_release(&now);
}

/* Keeps state.json true; a reader that finds an old one is only late, so the lab goes on. */
static void publish(struct supervisor *s)
{
	struct error err = {0};
	if (!state_write(&s->state, s->plan->dir, &err))
		note("%s", err.text);
}

static void fail(struct supervisor *s, const char *who, int wait_status, const char *log)
{
	struct buf end = {0}, tail = {0};
	child_describe_end(wait_status, &end);
	child_log_tail(log, TAIL_BYTES, &tail);
	error_set(s->err, ERROR_UNAVAILABLE, "%s %s%s%s", who, end.ptr,
	    tail.len > 0 ? "; its last lines:\n" : " and said nothing",
	    tail.len > 0 ? tail.ptr : "");
	buf_release(&end);
	buf_release(&tail);
}

static void on_epmd_end(struct supervisor *s, int wait_status)
{
	char *log = mem_printf("%s/" SUPERVISOR_EPMD_LOG, s->plan->dir);
	fail(s, "epmd", wait_status, log);
	free(log);
}

static void on_ctl_end(struct supervisor *s, int wait_status)
{
	s->ctl = 0;
	s->is_complete = child_exit_status(wait_status) == 0;
	if (s->is_complete)
		return;
	char *log = mem_printf("%s/ctl.log", s->plan->dir);
	fail(s, "rabbitmqctl await_online_nodes", wait_status, log);
	free(log);
}

static bool has_future(const struct supervisor *s)
{
	for (size_t i = 0; i < s->state.node_count; i++)
		if (s->state.nodes[i].state != NODE_ENDED)
			return true;
	return false;
}

/* A start needs every node. A lab that runs goes on with those it has, as a cluster would, and
 * with none while somebody may start again what was stopped on purpose. */
static void on_node_end(struct supervisor *s, struct node *node, int wait_status)
{
	struct buf end = {0};
	child_describe_end(wait_status, &end);
	note("node '%s' %s", node->name, end.ptr);
	buf_release(&end);
	node->state = node->ends_as;
	node->pid = 0;
	publish(s);
	if (s->state.phase == STATE_RUNNING && has_future(s))
		return;
	char who[] = "node 'a'";
	who[sizeof who - 3] = node->name[0];
	char *log = node_console_path(s->plan->dir, node->name);
	fail(s, who, wait_status, log);
	free(log);
}

static void on_end(struct supervisor *s, pid_t pid, int wait_status)
{
	if (pid == s->state.epmd)
		on_epmd_end(s, wait_status);
	else if (pid == s->ctl)
		on_ctl_end(s, wait_status);
	for (size_t i = 0; i < s->state.node_count; i++)
		if (pid == s->state.nodes[i].pid) /* 0 while it has no process */
			on_node_end(s, &s->state.nodes[i], wait_status);
}

static void on_lifeline(void *ctx, short revents)
{
	(void)revents; /* nobody writes to it: it can only end */
	struct supervisor *s = ctx;
	loop_request_stop(s->loop);
}

static void on_folder_gone(void *ctx, short revents)
{
	(void)revents; /* only that one event was asked for */
	struct supervisor *s = ctx;
	note("the folder was removed");
	loop_request_stop(s->loop);
}

/* Who removes the folder of a lab by hand wants no broker either, and could not find it any more.
 * Returns a descriptor, or -1 where the kernel has no more of them: then the lab just goes on. */
static int watch_folder(struct supervisor *s)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char *marker = mem_printf("%s/" FOLDER_MARKER, s->plan->dir);
	if (fd >= 0 && inotify_add_watch(fd, marker, IN_DELETE_SELF | IN_MOVE_SELF) >= 0)
		loop_watch(s->loop, fd, POLLIN, on_folder_gone, s);
	free(marker);
	return fd;
}

static bool must_end(const struct supervisor *s)
{
	return s->err->kind != ERROR_NONE || loop_stop_requested(s->loop);
}

/* Waits for events until until_ns; false when the lab must end. */
static bool turn(struct supervisor *s, uint64_t until_ns)
{
	int wait_status;
	if (!loop_turn(s->loop, until_ns, s->err))
		return false;
	for (pid_t pid; (pid = waitpid(-1, &wait_status, WNOHANG)) > 0;)
		on_end(s, pid, wait_status);
	return !must_end(s);
}

typedef bool ready_fn(struct supervisor *s);

/* Turns until the condition holds; false when the lab must end or the time is over. */
static bool await(struct supervisor *s, ready_fn *is_ready, const char *what)
{
	while (!is_ready(s)) {
		uint64_t now_ns = chrono_now_ns();
		if (now_ns >= s->deadline_ns) {
			struct buf wait = {0};
			num_format_duration(s->plan->wait_ns, &wait);
			error_set(s->err, ERROR_UNAVAILABLE,
			    "%s within %s; give it more time with --wait", what, wait.ptr);
			buf_release(&wait);
			return false;
		}
		uint64_t next_ns = chrono_after(now_ns, PROBE_EVERY_NS);
		if (!turn(s, next_ns < s->deadline_ns ? next_ns : s->deadline_ns))
			return false;
	}
	return true;
}

static bool epmd_listens(struct supervisor *s)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons(s->state.epmd_port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bool listens = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
	close(fd);
	return listens;
}

/* In the foreground and on a port of its own: an epmd that Erlang starts by itself on the usual
 * port would outlive the lab. */
static bool start_epmd(struct supervisor *s)
{
	struct child_words argv = {0};
	child_words_take(&argv, mem_strdup("epmd"));
	child_words_take(&argv, mem_strdup("-relaxed_command_check"));
	child_words_take(&argv, mem_strdup("-port"));
	child_words_take(&argv, mem_printf("%u", s->state.epmd_port));
	char *log = mem_printf("%s/" SUPERVISOR_EPMD_LOG, s->plan->dir);
	bool good =
	    node_spawn_free(&s->site, &s->state.nodes[0], &argv, log, &s->state.epmd, s->err);
	free(log);
	return good && await(s, epmd_listens, "epmd did not listen");
}

static bool all_answer(struct supervisor *s)
{
	bool all = true;
	for (size_t i = 0; i < s->started_count; i++) {
		struct node *node = &s->state.nodes[i];
		uint64_t limit_ns = chrono_after(chrono_now_ns(), PROBE_LIMIT_NS);
		if (node->state == NODE_STARTING && node_answers(node, limit_ns)) {
			note("node '%s' answers", node->name);
			node->state = NODE_RUNNING;
			publish(s);
		}
		all = all && node->state == NODE_RUNNING;
	}
	return all;
}

static bool start_node(struct supervisor *s, size_t index)
{
	struct node *node = &s->state.nodes[index];
	bool good = node_prepare(&s->site, node, s->err) && node_start(&s->site, node, s->err);
	s->started_count = index + 1;
	publish(s);
	return good;
}

/* The first node alone, then the others together, which find it and join: quicker than all at once,
 * because nobody has to wait for anybody's lock. */
static bool start_nodes(struct supervisor *s)
{
	static const char late[] = "not every node answered";
	if (!start_node(s, 0) || !await(s, all_answer, late))
		return false;
	for (size_t i = 1; i < s->state.node_count; i++)
		if (!start_node(s, i))
			return false;
	return await(s, all_answer, late);
}

static bool is_complete(struct supervisor *s)
{
	return s->is_complete;
}

/* A node that answers may still be alone: the first of the cluster knows when all have joined. */
static bool await_cluster(struct supervisor *s)
{
	if (s->state.node_count == 1)
		return true;
	struct child_words argv = {0};
	child_words_take(&argv, mem_printf("%s/rabbitmqctl", s->plan->programs));
	child_words_take(&argv, mem_strdup("await_online_nodes"));
	child_words_take(&argv, mem_printf("%zu", s->state.node_count));
	char *log = mem_printf("%s/ctl.log", s->plan->dir);
	bool good = node_spawn_free(&s->site, &s->state.nodes[0], &argv, log, &s->ctl, s->err);
	free(log);
	return good && await(s, is_complete, "the nodes did not form a cluster");
}

/* The secret that lets nodes and rabbitmqctl talk to each other. */
static bool write_cookie(const char *dir, struct error *err)
{
	unsigned char secret[20];
	char text[2 * sizeof secret + 1];
	bool good = getrandom(secret, sizeof secret, 0) == (ssize_t)sizeof secret;
	for (size_t i = 0; i < sizeof secret; i++)
		snprintf(text + 2 * i, 3, "%02x", secret[i]);
	char *path = mem_printf("%s/.erlang.cookie", dir);
	int fd = good ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400) : -1;
	good = fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1;
	if (!good)
		error_set(err, ERROR_CANNOT_CREATE, "cannot create the Erlang cookie: %s",
		    strerror(errno));
	if (fd >= 0)
		close(fd);
	free(path);
	return good;
}

static bool reserve_ports(struct supervisor *s)
{
	if (!ports_reserve(&s->ports, &s->state.epmd_port, s->err))
		return false;
	for (size_t i = 0; i < s->state.node_count; i++) {
		node_name(i, s->state.nodes[i].name);
		for (size_t p = 0; p < NODE_PORT_COUNT; p++)
			if ((p != NODE_PORT_AMQPS || s->plan->tls) &&
			    !ports_reserve(&s->ports, &s->state.nodes[i].ports[p], s->err))
				return false;
	}
	s->site.epmd_port = s->state.epmd_port;
	return true;
}

static bool bring_up(struct supervisor *s)
{
	note("starting %zu node(s)", s->state.node_count);
	if (!write_cookie(s->plan->dir, s->err) || !reserve_ports(s) ||
	    (s->plan->tls && !certificates_make(s->plan->dir, s->err)))
		return false;
	publish(s);
	return start_epmd(s) && start_nodes(s) && await_cluster(s);
}

/* While a node is starting somebody waits for it to answer. */
static uint64_t next_look(const struct supervisor *s)
{
	for (size_t i = 0; i < s->state.node_count; i++)
		if (s->state.nodes[i].state == NODE_STARTING)
			return chrono_after(chrono_now_ns(), PROBE_EVERY_NS);
	return CHRONO_NEVER;
}

static bool on_change(void *ctx, const struct change *change, struct error *err)
{
	struct supervisor *s = ctx;
	bool good = change_apply(&s->site, &s->state, change, err);
	note("asked to %s%s%s: %s", change_verb_names[change->verb],
	    change->verb == CHANGE_HEAL ? "" : " ",
	    change->verb == CHANGE_HEAL ? "" : s->state.nodes[change->node].name,
	    good ? "done" : err->text);
	publish(s);
	return good;
}

static void on_control(void *ctx, short revents)
{
	(void)revents; /* a listener has nothing but connections */
	struct supervisor *s = ctx;
	control_serve(s->control, s->state.node_count, on_change, s);
}

static void serve(struct supervisor *s)
{
	s->control = control_listen(s->plan->dir, s->err);
	if (s->control < 0)
		return;
	loop_watch(s->loop, s->control, POLLIN, on_control, s);
	s->state.phase = STATE_RUNNING;
	publish(s);
	note("ready");
	s->plan->ready(s->plan->ctx, &s->state);
	if (!s->plan->tethered)
		loop_unwatch(s->loop, s->plan->lifeline);
	while (turn(s, next_look(s)))
		(void)all_answer(s); /* for its notes on nodes that were started again */
}

static void end(struct supervisor *s)
{
	note("ending%s%s", s->err->kind ? ": " : "", s->err->text);
	if (!child_end_all(chrono_after(chrono_now_ns(), END_LIMIT_NS)))
		error_set(s->err, ERROR_INTERNAL, "some processes of the lab did not end");
	s->state.phase = STATE_ENDED;
	for (size_t i = 0; i < s->state.node_count; i++)
		s->state.nodes[i].state = NODE_ENDED;
	if (s->control >= 0)
		close(s->control);
	publish(s);
	ports_release(&s->ports);
}

bool supervisor_run(const struct supervisor_plan *plan, struct error *err)
{
	struct supervisor s = {.plan = plan,
	    .site = {.dir = plan->dir, .programs = plan->programs, .node_count = plan->node_count},
	    .state = {.phase = STATE_STARTING,
		.supervisor = getpid(),
		.started_ms = chrono_wall_ms(),
		.node_count = plan->node_count},
	    .control = -1,
	    .deadline_ns = chrono_after(chrono_now_ns(), plan->wait_ns),
	    .err = err};
	s.loop = loop_create(err);
	if (s.loop == NULL)
		return false;
	child_adopt_orphans();
	loop_watch(s.loop, plan->lifeline, POLLIN, on_lifeline, &s);
	int folder = watch_folder(&s);
	if (bring_up(&s))
		serve(&s);
	end(&s);
	if (folder >= 0)
		close(folder);
	loop_free(s.loop);
	return err->kind == ERROR_NONE;
}
