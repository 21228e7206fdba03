#include "lab/child.h"

#include "base/chrono.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void child_words_take(struct child_words *words, char *word)
{
	words->items =
	    mem_grow(words->items, &words->capacity, words->count + 2, sizeof *words->items);
	words->items[words->count++] = word;
}

void child_words_release(struct child_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->items[i]);
	free(words->items);
	*words = (struct child_words){0};
}

static bool redirect(const char *path, int flags, int to)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	return fd >= 0 && dup2(fd, to) >= 0;
}

/* Everything between fork and exec that can go wrong; errno says what did. */
static bool prepare(const struct child_spec *spec, pid_t parent)
{
	loop_reset_child_signals();
	if (prctl(PR_SET_PDEATHSIG, spec->death_signal) != 0)
		return false;
	if (getppid() != parent) { /* it died before the line above */
		errno = ESRCH;
		return false;
	}
	if (spec->own_group && (setpgid(0, 0) != 0 || !redirect("/dev/null", O_RDONLY, 0)))
		return false;
	if (spec->in > 0 && dup2(spec->in, 0) < 0)
		return false;
	if (spec->log != NULL &&
	    (!redirect(spec->log, O_WRONLY | O_CREAT | O_APPEND, 1) || dup2(1, 2) < 0))
		return false;
	if (spec->out > 0 && dup2(spec->out, 1) < 0)
		return false;
	if (spec->errors > 0 && dup2(spec->errors, 2) < 0)
		return false;
	return spec->folder == NULL || chdir(spec->folder) == 0;
}

static _Noreturn void become(const struct child_spec *spec, pid_t parent, int report)
{
	extern char **environ;
	if (prepare(spec, parent))
		execvpe(spec->argv[0], spec->argv, spec->envp ? spec->envp : environ);
	int cause = errno;
	ssize_t ignored = write(report, &cause, sizeof cause); /* the parent sees the end anyway */
	(void)ignored;
	_exit(127);
}

/* Waits for the exec, which closes the pipe; returns 0 or the errno of the child. */
static int await_exec(int report)
{
	int cause = 0;
	ssize_t length;
	do
		length = read(report, &cause, sizeof cause);
	while (length < 0 && errno == EINTR);
	return length == (ssize_t)sizeof cause ? cause : 0;
}

static bool cannot_run(const struct child_spec *spec, int cause, struct error *err)
{
	char *name = text_quote(slice_str(spec->argv[0]));
	error_set(err, ERROR_UNAVAILABLE, "cannot run '%s': %s", name, strerror(cause));
	free(name);
	errno = cause;
	return false;
}

bool child_start(const struct child_spec *spec, pid_t *out, struct error *err)
{
	int report[2];
	if (pipe2(report, O_CLOEXEC) != 0)
		return cannot_run(spec, errno, err);
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		become(spec, parent, report[1]);
	int cause = pid < 0 ? errno : 0;
	close(report[1]);
	if (pid > 0)
		cause = await_exec(report[0]);
	close(report[0]);
	if (cause == 0) {
		*out = pid;
		return true;
	}
	if (pid > 0)
		(void)waitpid(pid, NULL, 0); /* it has nothing more to say */
	return cannot_run(spec, cause, err);
}

bool child_are_there(void)
{
	siginfo_t info;
	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

void child_adopt_orphans(void)
{
	(void)prctl(
	    PR_SET_CHILD_SUBREAPER, 1); /* without it they go to init and end by themselves */
}

/* The parent of a process: the second field after the name, which is in parentheses. */
static pid_t parent_of(const char *pid)
{
	char path[64], stat[512];
	if (snprintf(path, sizeof path, "/proc/%s/stat", pid) >= (int)sizeof path)
		return 0;
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return 0;
	size_t length = fread(stat, 1, sizeof stat - 1, file);
	(void)fclose(file); /* only read from */
	stat[length] = '\0';
	const char *name_end = strrchr(stat, ')');
	if (name_end == NULL || strlen(name_end) < 5)
		return 0;
	struct slice field = {name_end + 4, strcspn(name_end + 4, " ")};
	uint64_t parent;
	struct error ignored = {0}; /* gone, or not readable: not ours then */
	return num_parse_u64(field, 1, INT32_MAX, &parent, &ignored) ? (pid_t)parent : 0;
}

static void kill_children(void)
{
	DIR *proc = opendir("/proc");
	if (proc == NULL)
		return;
	for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
		uint64_t pid;
		struct error ignored = {0}; /* not a process */
		if (num_parse_u64(slice_str(entry->d_name), 1, INT32_MAX, &pid, &ignored) &&
		    parent_of(entry->d_name) == getpid())
			kill((pid_t)pid, SIGKILL);
	}
	closedir(proc);
}

bool child_end_all(uint64_t deadline_ns)
{
	sigset_t wanted, before;
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	sigprocmask(SIG_BLOCK, &wanted, &before);
	pid_t pid;
	for (;;) {
		kill_children();
		do
			pid = waitpid(-1, NULL, WNOHANG);
		while (pid > 0);
		if (pid < 0 || chrono_now_ns() >= deadline_ns)
			break;
		/* An orphan that is handed to us sends no signal, so the wait is short. */
		(void)sigtimedwait(&wanted, NULL, &(struct timespec){.tv_nsec = 10000000});
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid < 0;
}

void child_describe_end(int wait_status, struct buf *out)
{
	if (WIFSIGNALED(wait_status))
		buf_printf(out, "was killed by signal %d (%s)", WTERMSIG(wait_status),
		    strsignal(WTERMSIG(wait_status)));
	else
		buf_printf(out, "ended with status %d", WEXITSTATUS(wait_status));
}

int child_exit_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

void child_log_tail(const char *path, size_t max_bytes, struct buf *out)
{
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return;
	struct buf tail = {0};
	char *end = buf_reserve(&tail, max_bytes);
	bool is_cut = fseek(file, -(long)max_bytes, SEEK_END) == 0;
	if (!is_cut)
		rewind(file);
	tail.len = fread(end, 1, max_bytes, file);
	(void)fclose(file); /* only read from */
	struct slice text = buf_slice(&tail);
	const char *line = is_cut && text.len > 0 ? memchr(text.ptr, '\n', text.len) : NULL;
	if (line != NULL)
		text = (struct slice){line + 1, text.len - (size_t)(line + 1 - text.ptr)};
	text_escape_lines(slice_trim(text), SIZE_MAX, out);
	buf_release(&tail);
}
