#include "flow/exec_process.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_BYTES (64 * 1024)
#define GRACE_NS (2 * CHRONO_S)
#define LOOK_NS (5 * CHRONO_MS)

struct exec_process {
	struct loop *loop;
	pid_t pid;		    /* leads the process group; 0: reaped */
	int exit_fd, input, output; /* -1: closed */
	struct slice unfed;
	struct buf result;
	uint64_t timer;
	uint64_t look_timer; /* without exit_fd */
	enum exec_process_ending ending;
	bool is_dead;	/* but not reaped: until then nobody else gets the number of the group */
	bool is_killed; /* the whole group */
	exec_process_fn *on_end;
	void *ctx;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void unwatch(struct exec_process *p, int *fd)
{
	if (*fd >= 0)
		loop_unwatch(p->loop, *fd);
	close_fd(fd);
}

static void kill_group(struct exec_process *p, int number)
{
	(void)kill(-p->pid, number); /* fails when all of them are gone, which is as good */
	p->is_killed = p->is_killed || number == SIGKILL;
}

static int reap(struct exec_process *p)
{
	int status = 0;
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	p->pid = 0;
	return status;
}

/* ---- standard input and output ---- */

/* Writes what the pipe takes, and closes it behind the last byte. A process that has closed its end
 * wants no more: that is no failure. */
static void feed(struct exec_process *p)
{
	while (p->unfed.len > 0) {
		ssize_t count = write(p->input, p->unfed.ptr, p->unfed.len);
		if (count < 0 && errno == EAGAIN)
			return;
		if (count < 0 && errno != EINTR)
			break;
		if (count > 0)
			p->unfed =
			    (struct slice){p->unfed.ptr + count, p->unfed.len - (size_t)count};
	}
	unwatch(p, &p->input);
}

static void on_writable(void *ctx, short revents)
{
	(void)revents;
	feed(ctx);
}

/* Reads once, at most `most` bytes. */
static void read_some(struct exec_process *p, size_t most)
{
	char *room = buf_reserve(&p->result, most);
	ssize_t count = read(p->output, room, most);
	if (count > 0)
		p->result.len += (size_t)count;
	if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
		unwatch(p, &p->output);
	if (p->result.len > EXEC_PROCESS_MAX_OUTPUT) {
		unwatch(p, &p->output);
		if (p->ending == EXEC_PROCESS_ENDED)
			p->ending = EXEC_PROCESS_WROTE_TOO_MUCH;
		kill_group(p, SIGKILL);
	}
}

/* What a dead process has left in the pipe: that much and no more, because others may hold the
 * pipe open and go on writing. */
static void read_rest(struct exec_process *p)
{
	int left = 0;
	if (p->output >= 0 && ioctl(p->output, FIONREAD, &left) == 0 && left > 0)
		read_some(p, (size_t)left);
}

/* ---- the end ---- */

/* Who ran out of time and died may leave others of its group behind: they have their two seconds
 * too, as long as one of them holds the output. */
static bool is_over(const struct exec_process *p)
{
	return p->is_dead && (p->ending != EXEC_PROCESS_TIMED_OUT || p->is_killed || p->output < 0);
}

static void end_if_over(struct exec_process *p)
{
	if (!is_over(p))
		return;
	read_rest(p);
	if (p->ending != EXEC_PROCESS_ENDED)
		kill_group(p, SIGKILL);
	unwatch(p, &p->input);
	unwatch(p, &p->output);
	loop_cancel(p->loop, p->timer);
	const struct exec_process_result result = {
	    .ending = p->ending,
	    .wait_status = reap(p),
	    .output = buf_slice(&p->result),
	};
	p->on_end(p->ctx, &result);
}

static void on_readable(void *ctx, short revents)
{
	(void)revents;
	struct exec_process *p = ctx;
	read_some(p, READ_BYTES);
	end_if_over(p);
}

static void on_death(void *ctx, short revents)
{
	(void)revents;
	struct exec_process *p = ctx;
	p->is_dead = true;
	unwatch(p, &p->exit_fd);
	end_if_over(p);
}

/* Asks again and again, where the kernel does not tell: the loop wakes at SIGCHLD but calls nobody.
 */
static void look_for_death(void *ctx, uint64_t now_ns)
{
	struct exec_process *p = ctx;
	siginfo_t info = {0};
	if (waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid != 0)
		on_death(p, 0);
	else
		p->look_timer = loop_at(p->loop, chrono_after(now_ns, LOOK_NS), look_for_death, p);
}

/* pidfd_open is not there before Linux 5.3, nor in valgrind 3.19, and some sandboxes forbid it. */
static void watch_death(struct exec_process *p)
{
	p->exit_fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (p->exit_fd >= 0)
		loop_watch(p->loop, p->exit_fd, POLLIN, on_death, p);
	else
		p->look_timer = loop_at(p->loop, 0, look_for_death, p);
}

static void on_grace_over(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	struct exec_process *p = ctx;
	kill_group(p, SIGKILL);
	end_if_over(p);
}

static void on_timeout(void *ctx, uint64_t now_ns)
{
	struct exec_process *p = ctx;
	if (p->ending == EXEC_PROCESS_ENDED)
		p->ending = EXEC_PROCESS_TIMED_OUT;
	kill_group(p, SIGTERM);
	p->timer = loop_at(p->loop, chrono_after(now_ns, GRACE_NS), on_grace_over, p);
}

/* ---- the start ---- */

static void set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t all, none;
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_init(attributes);
	posix_spawnattr_setsigdefault(attributes, &all); /* we ignore SIGPIPE */
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setpgroup(attributes, 0);
	posix_spawnattr_setflags(
	    attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
}

/* Returns 0 or an errno. */
static int spawn(const struct exec_process_spec *spec, int input, int output, pid_t *pid)
{
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_t actions;
	set_attributes(&attributes);
	posix_spawn_file_actions_init(&actions);
	int cause = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (cause == 0)
		cause = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (cause == 0)
		cause = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	if (cause == 0)
		cause = posix_spawn(pid, spec->path, &actions, &attributes, spec->argv, spec->envp);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return cause;
}

/* A pipe of which our end does not block. */
static bool make_pipe(int ends[2], int ours)
{
	return pipe2(ends, O_CLOEXEC) == 0 && fcntl(ends[ours], F_SETFL, O_NONBLOCK) == 0;
}

/* Returns 0 or an errno; what it opened then belongs to the process, whatever the result. */
static int run(struct exec_process *p, const struct exec_process_spec *spec)
{
	int input[2] = {-1, -1}, output[2] = {-1, -1}, cause = 0;
	if (!make_pipe(input, 1) || !make_pipe(output, 0))
		cause = errno;
	p->input = input[1];
	p->output = output[0];
	if (cause == 0)
		cause = spawn(spec, input[0], output[1], &p->pid);
	close_fd(&input[0]);
	close_fd(&output[1]);
	if (cause != 0)
		p->pid = 0; /* posix_spawn may have written there all the same */
	return cause;
}

static bool cannot_run(int cause, struct error *err)
{
	static const struct {
		int cause;
		enum error_kind kind;
	} known[] = {{ENOENT, ERROR_NO_INPUT}, {EACCES, ERROR_NO_INPUT}, {ENOEXEC, ERROR_NO_INPUT},
	    {E2BIG, ERROR_DATA}};
	enum error_kind kind = ERROR_IO;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].cause == cause)
			kind = known[i].kind;
	return error_set(err, kind, "%s", strerror(cause));
}

struct exec_process *exec_process_start(
    struct loop *loop, const struct exec_process_spec *spec, struct error *err)
{
	struct exec_process *p = mem_alloc(1, sizeof *p);
	*p = (struct exec_process){.loop = loop,
	    .exit_fd = -1,
	    .input = -1,
	    .output = -1,
	    .unfed = spec->input,
	    .on_end = spec->on_end,
	    .ctx = spec->ctx};
	int cause = run(p, spec);
	if (cause != 0) {
		cannot_run(cause, err);
		exec_process_free(p);
		return NULL;
	}
	watch_death(p);
	loop_watch(loop, p->output, POLLIN, on_readable, p);
	feed(p);
	if (p->input >= 0)
		loop_watch(loop, p->input, POLLOUT, on_writable, p);
	if (spec->timeout_ns > 0)
		p->timer =
		    loop_at(loop, chrono_after(chrono_now_ns(), spec->timeout_ns), on_timeout, p);
	return p;
}

void exec_process_free(struct exec_process *p)
{
	if (p == NULL)
		return;
	unwatch(p, &p->exit_fd);
	unwatch(p, &p->input);
	unwatch(p, &p->output);
	loop_cancel(p->loop, p->timer);
	loop_cancel(p->loop, p->look_timer);
	if (p->pid > 0) {
		kill_group(p, SIGKILL);
		(void)reap(p); /* nobody asks any more how it ended */
	}
	buf_release(&p->result);
	free(p);
}
