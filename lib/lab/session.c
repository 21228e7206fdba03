#include "lab/session.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "lab/folder.h"
#include "lab/supervisor.h"
#include "lab/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLOSE_LOOK_NS (5 * CHRONO_MS)
#define CLOSE_LIMIT_NS (20 * CHRONO_S)

/* What the supervisor says once; both ends are the same program, so it travels as it is. */
struct report {
	enum session_answer answer;
	struct error err;
};

static void say(int lifeline, const struct report *report)
{
	ssize_t ignored = send(lifeline, report, sizeof *report, MSG_NOSIGNAL);
	(void)ignored; /* a starter that has gone does not want to know */
}

struct announcement {
	int lifeline;
	bool made;
};

static void announce(void *ctx, const struct state *state)
{
	(void)state; /* it is in the folder, too */
	struct announcement *a = ctx;
	say(a->lifeline, &(struct report){.answer = SESSION_READY});
	a->made = true;
}

static bool open_as(const char *path, int flags, int fd, struct error *err)
{
	int opened = open(path, flags | O_CLOEXEC, 0600);
	bool good = opened >= 0 && dup2(opened, fd) >= 0;
	if (!good)
		error_set(err, ERROR_CANNOT_CREATE, "cannot open the supervisor's files: %s",
		    strerror(errno));
	if (opened >= 0 && opened != fd)
		close(opened);
	return good;
}

/* Nothing of the starter may be held: not its terminal, its pipes, its folder. */
static bool leave_starter(int lifeline, struct error *err)
{
	loop_reset_child_signals(); /* a starter that blocks SIGCHLD would hide the ends of nodes */
	(void)setsid(); /* fails only for the leader of a group, which a new child is not */
	(void)umask(077);
	(void)close_range(3, (unsigned)lifeline - 1, 0); /* fails when it is empty */
	(void)close_range((unsigned)lifeline + 1, ~0u, 0);
	if (chdir("/") != 0)
		return error_set(err, ERROR_INTERNAL, "cannot go to '/': %s", strerror(errno));
	return open_as("/dev/null", O_RDONLY, 0, err) && open_as("/dev/null", O_WRONLY, 1, err);
}

static bool take_log(const struct session_plan *plan, struct error *err)
{
	log_setup("lab", LOG_INFO, LOG_TEXT);
	if (plan->in_sight)
		return true;
	char *path = mem_printf("%s/" SUPERVISOR_LOG, plan->dir);
	bool good = open_as(path, O_WRONLY | O_CREAT | O_APPEND, 2, err);
	free(path);
	return good;
}

/* True when the lab was told to end. Locks before it touches anything in the folder. */
static bool supervise(
    const struct session_plan *plan, struct announcement *announcement, struct error *err)
{
	int lock = -1;
	if (!leave_starter(announcement->lifeline, err) || !folder_lock(plan->dir, &lock, err))
		return false;
	if (lock < 0) {
		say(announcement->lifeline, &(struct report){.answer = SESSION_TAKEN});
		announcement->made = true;
		return false;
	}
	const struct supervisor_plan lab = {.dir = plan->dir,
	    .programs = plan->programs,
	    .node_count = plan->node_count,
	    .tls = plan->tls,
	    .wait_ns = plan->wait_ns,
	    .lifeline = announcement->lifeline,
	    .tethered = plan->tethered,
	    .ready = announce,
	    .ctx = announcement};
	return folder_clear(plan->dir, err) && take_log(plan, err) && supervisor_run(&lab, err) &&
	       folder_remove(plan->dir, err);
}

static _Noreturn void become_supervisor(const struct session_plan *plan, int lifeline)
{
	struct report report = {0};
	struct announcement announcement = {.lifeline = lifeline};
	bool good = supervise(plan, &announcement, &report.err);
	if (!good && !announcement.made)
		say(lifeline, &report);
	_exit(good ? 0 : (int)report.err.kind);
}

bool session_open(const struct session_plan *plan, struct session *out, struct error *err)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return error_set(
		    err, ERROR_UNAVAILABLE, "cannot make a socket: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		become_supervisor(plan, ends[1]);
	}
	int cause = errno;
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return error_set(
		    err, ERROR_UNAVAILABLE, "cannot start a process: %s", strerror(cause));
	}
	*out = (struct session){.pid = pid, .lifeline = ends[0]};
	return true;
}

bool session_await(const struct session *session, uint64_t deadline_ns, int other,
    enum session_answer *out, struct error *err)
{
	struct pollfd polled[] = {
	    {.fd = session->lifeline, .events = POLLIN}, {.fd = other, .events = POLLIN}};
	struct report report = {0};
	if (!wait_any(polled, ARRAY_LEN(polled), deadline_ns))
		return error_set(
		    err, ERROR_UNAVAILABLE, "the lab's supervisor did not answer in time");
	if (polled[0].revents == 0) {
		*out = SESSION_INTERRUPTED;
		return true;
	}
	if (recv(session->lifeline, &report, sizeof report, 0) != (ssize_t)sizeof report)
		return error_set(err, ERROR_UNAVAILABLE, "the lab's supervisor was killed");
	if (report.err.kind != ERROR_NONE) {
		*err = report.err;
		return false;
	}
	*out = report.answer;
	return true;
}

void session_detach(struct session *session)
{
	close(session->lifeline);
	session->lifeline = -1;
}

void session_close(struct session *session)
{
	uint64_t deadline_ns = chrono_after(chrono_now_ns(), CLOSE_LIMIT_NS);
	if (session->pid <= 0)
		return;
	if (session->lifeline >= 0)
		session_detach(session);
	/* How it ended is in its log. */
	while (waitpid(session->pid, NULL, WNOHANG) == 0) {
		uint64_t now_ns = chrono_now_ns();
		if (now_ns >= deadline_ns)
			kill(session->pid, SIGKILL);
		(void)wait_any(NULL, 0, chrono_after(now_ns, CLOSE_LOOK_NS));
	}
	session->pid = 0;
}
