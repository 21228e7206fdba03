#include "flow/exec_child.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_NS (5 * CHRONO_MS)

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void exec_child_close(struct exec_child *child, int *fd)
{
	if (*fd >= 0)
		loop_unwatch(child->loop, *fd);
	close_fd(fd);
}

void exec_child_signal(const struct exec_child *child, int number)
{
	if (child->pid > 0)
		(void)kill(-child->pid, number); /* fails when all are gone, which is as good */
}

/* ---- death ---- */

static void on_exit_fd(void *ctx, short revents)
{
	(void)revents;
	struct exec_child *child = ctx;
	child->is_dead = true;
	exec_child_close(child, &child->exit_fd);
	child->on_death(child->ctx);
}

/* Asks again and again, where the kernel does not tell: the loop wakes at SIGCHLD but calls nobody.
 */
static void look_for_death(void *ctx, uint64_t now_ns)
{
	struct exec_child *child = ctx;
	siginfo_t info = {0};
	if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid != 0)
		on_exit_fd(child, 0);
	else
		child->look_timer =
		    loop_at(child->loop, chrono_after(now_ns, LOOK_NS), look_for_death, child);
}

/* pidfd_open is not there before Linux 5.3, nor in valgrind 3.19, and some sandboxes forbid it. */
static void watch_death(struct exec_child *child)
{
	child->exit_fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (child->exit_fd >= 0)
		loop_watch(child->loop, child->exit_fd, POLLIN, on_exit_fd, child);
	else
		child->look_timer = loop_at(child->loop, 0, look_for_death, child);
}

int exec_child_reap(struct exec_child *child)
{
	int status = 0;
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
	return status;
}

bool exec_child_was_asked(const struct loop *loop, int wait_status)
{
	int number = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
	return (number == SIGINT || number == SIGTERM || number == SIGHUP) &&
	       loop_stop_requested(loop);
}

void exec_child_release(struct exec_child *child)
{
	if (child->loop == NULL)
		return;
	exec_child_close(child, &child->exit_fd);
	exec_child_close(child, &child->input);
	exec_child_close(child, &child->output);
	loop_cancel(child->loop, child->look_timer);
	if (child->pid > 0) {
		exec_child_signal(child, SIGKILL);
		(void)exec_child_reap(child); /* nobody asks any more how it ended */
	}
	*child = (struct exec_child){0};
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
static int set_actions(
    posix_spawn_file_actions_t *actions, int input, int output, const char *folder)
{
	int cause = posix_spawn_file_actions_adddup2(actions, input, STDIN_FILENO);
	if (cause == 0)
		cause = posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
	if (cause == 0)
		cause = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
	if (cause == 0 && folder != NULL)
		cause = posix_spawn_file_actions_addchdir_np(actions, folder);
	return cause;
}

/* Returns 0 or an errno. */
static int spawn(const struct exec_child_program *program, int input, int output, pid_t *pid)
{
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_t actions;
	set_attributes(&attributes);
	posix_spawn_file_actions_init(&actions);
	int cause = set_actions(&actions, input, output, program->folder);
	if (cause == 0)
		cause = posix_spawn(
		    pid, program->path, &actions, &attributes, program->argv, program->envp);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return cause;
}

/* A pipe of which our end does not block. */
static bool make_pipe(int ends[2], int ours)
{
	return pipe2(ends, O_CLOEXEC) == 0 && fcntl(ends[ours], F_SETFL, O_NONBLOCK) == 0;
}

/* Returns 0 or an errno; what it opened then belongs to the child, whatever the result. */
static int run(struct exec_child *child, const struct exec_child_program *program)
{
	int input[2] = {-1, -1}, output[2] = {-1, -1}, cause = 0;
	if (!make_pipe(input, 1) || !make_pipe(output, 0))
		cause = errno;
	child->input = input[1];
	child->output = output[0];
	if (cause == 0)
		cause = spawn(program, input[0], output[1], &child->pid);
	close_fd(&input[0]);
	close_fd(&output[1]);
	if (cause != 0)
		child->pid = 0; /* posix_spawn may have written there all the same */
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

bool exec_child_start(struct exec_child *child, struct loop *loop,
    const struct exec_child_program *program, void (*on_death)(void *ctx), void *ctx,
    struct error *err)
{
	*child = (struct exec_child){.loop = loop,
	    .exit_fd = -1,
	    .input = -1,
	    .output = -1,
	    .on_death = on_death,
	    .ctx = ctx};
	int cause = run(child, program);
	if (cause != 0) {
		exec_child_release(child);
		return cannot_run(cause, err);
	}
	watch_death(child);
	return true;
}
