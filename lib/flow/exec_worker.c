#include "flow/exec_worker.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES (64 * 1024)
#define KEPT_BYTES (1024 * 1024) /* of memory, after a large line */
#define GRACE_NS (2 * CHRONO_S)
#define LOOK_NS (2 * CHRONO_MS)

struct exec_worker {
	struct exec_child child;
	struct exec_worker_listener listener;
	struct buf question; /* the last line it was given */
	size_t fed;	     /* of its bytes */
	struct buf answer;   /* as far as it has come */
	bool is_asked, has_read;
	bool is_ending; /* what it writes counts no more */
	bool was_killed;
	enum exec_worker_ending ending;
	uint64_t timer;
};

/* ---- the end of a worker that lives ---- */

/* How many bytes wait in a pipe, at either end of it. */
static size_t bytes_in(int fd)
{
	int count = 0;
	return fd >= 0 && ioctl(fd, FIONREAD, &count) == 0 && count > 0 ? (size_t)count : 0;
}

static void close_input(struct exec_worker *w)
{
	if (w->child.input >= 0)
		w->has_read = w->is_asked && bytes_in(w->child.input) < w->fed;
	exec_child_close(&w->child, &w->child.input);
}

static void set_timer(struct exec_worker *w, uint64_t span_ns, loop_timer_fn *fn)
{
	loop_cancel(w->child.loop, w->timer);
	w->timer = loop_at(w->child.loop, chrono_after(chrono_now_ns(), span_ns), fn, w);
}

static void kill_it(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	struct exec_worker *w = ctx;
	w->was_killed = true;
	exec_child_signal(&w->child, SIGKILL);
}

static void terminate(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	struct exec_worker *w = ctx;
	w->was_killed = true;
	exec_child_signal(&w->child, SIGTERM);
	set_timer(w, GRACE_NS, kill_it);
}

static void begin_ending(struct exec_worker *w, enum exec_worker_ending why)
{
	w->is_ending = true;
	w->ending = why;
	exec_child_close(&w->child, &w->child.output);
	close_input(w);
}

/* It has closed a pipe, and so dies, or else has to. */
static void let_die(struct exec_worker *w, enum exec_worker_ending why)
{
	if (w->is_ending)
		return;
	begin_ending(w, why);
	set_timer(w, GRACE_NS, terminate);
}

static void end(struct exec_worker *w, enum exec_worker_ending why)
{
	if (w->is_ending)
		return;
	begin_ending(w, why);
	terminate(w, 0);
}

static void on_timeout(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	end(ctx, EXEC_WORKER_TIMED_OUT);
}

void exec_worker_dismiss(struct exec_worker *w)
{
	end(w, EXEC_WORKER_DISMISSED);
}

/* ---- asking ---- */

static void on_writable(void *ctx, short revents);

static void feed(struct exec_worker *w)
{
	while (w->fed < w->question.len) {
		ssize_t count =
		    write(w->child.input, w->question.ptr + w->fed, w->question.len - w->fed);
		if (count > 0)
			w->fed += (size_t)count;
		else if (count < 0 && errno == EAGAIN)
			break;
		else if (count < 0 && errno != EINTR) {
			let_die(w, EXEC_WORKER_CLOSED_INPUT);
			return;
		}
	}
	if (w->fed < w->question.len)
		loop_watch(w->child.loop, w->child.input, POLLOUT, on_writable, w);
	else
		loop_unwatch(w->child.loop, w->child.input);
}

static void on_writable(void *ctx, short revents)
{
	(void)revents;
	feed(ctx);
}

bool exec_worker_is_free(struct exec_worker *w)
{
	if (w->is_asked || w->is_ending || w->child.is_dead)
		return false;
	if (bytes_in(w->child.output) == 0)
		return true;
	end(w, EXEC_WORKER_OUT_OF_STEP);
	return false;
}

static void forget(struct buf *b)
{
	if (b->capacity > KEPT_BYTES)
		buf_release(b);
	buf_clear(b);
}

void exec_worker_ask(struct exec_worker *w, struct slice line, uint64_t timeout_ns)
{
	forget(&w->question);
	buf_append(&w->question, line);
	w->fed = 0;
	w->is_asked = true;
	if (timeout_ns > 0)
		set_timer(w, timeout_ns, on_timeout);
	feed(w);
}

/* ---- answers ---- */

/* The answer is whole; what stands behind it, or is written before the question was read, shows
 * that it does not keep in step. */
static void take_answer(struct exec_worker *w, size_t length)
{
	bool keeps_step = w->answer.len == length + 1 && w->fed == w->question.len;
	loop_cancel(w->child.loop, w->timer);
	w->is_asked = false;
	if (!keeps_step)
		end(w, EXEC_WORKER_OUT_OF_STEP);
	struct buf line = w->answer;
	w->answer = (struct buf){0}; /* the next one may begin in the callback */
	w->listener.on_answer(w->listener.ctx, (struct slice){line.ptr, length});
	if (w->answer.ptr == NULL) {
		w->answer = line;
		forget(&w->answer);
	} else {
		buf_release(&line);
	}
}

/* The bytes behind `before` are new. */
static void look_at_answer(struct exec_worker *w, size_t before)
{
	if (w->answer.len == before)
		return;
	if (!w->is_asked) {
		end(w, EXEC_WORKER_OUT_OF_STEP);
		return;
	}
	const char *line_feed = memchr(w->answer.ptr + before, '\n', w->answer.len - before);
	if (line_feed != NULL)
		take_answer(w, (size_t)(line_feed - w->answer.ptr));
	else if (w->answer.len > EXEC_WORKER_MAX_LINE)
		end(w, EXEC_WORKER_WROTE_TOO_MUCH);
}

/* Reads once, at most `most` bytes. */
static void read_some(struct exec_worker *w, size_t most)
{
	size_t before = w->answer.len;
	ssize_t count = read(w->child.output, buf_reserve(&w->answer, most), most);
	if (count > 0)
		w->answer.len += (size_t)count;
	look_at_answer(w, before);
	if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
		let_die(w, EXEC_WORKER_CLOSED_OUTPUT);
}

static void on_readable(void *ctx, short revents)
{
	(void)revents;
	read_some(ctx, READ_BYTES);
}

/* What it has written before it died counts. Others may hold the pipe open and go on writing. */
static void on_death(void *ctx)
{
	struct exec_worker *w = ctx;
	size_t left = bytes_in(w->child.output);
	if (left > 0 && !w->is_ending)
		read_some(w, left);
	close_input(w);
	exec_child_close(&w->child, &w->child.output);
	loop_cancel(w->child.loop, w->timer);
	exec_child_signal(&w->child, SIGKILL);
	const struct exec_worker_result result = {.ending = w->ending,
	    .was_killed = w->was_killed,
	    .has_read = w->has_read,
	    .wait_status = exec_child_reap(&w->child)};
	w->listener.on_end(w->listener.ctx, &result);
}

/* ---- life ---- */

struct exec_worker *exec_worker_start(struct loop *loop, const struct exec_child_program *program,
    const struct exec_worker_listener *listener, struct error *err)
{
	struct exec_worker *w = mem_alloc(1, sizeof *w);
	w->listener = *listener;
	if (!exec_child_start(&w->child, loop, program, on_death, w, err)) {
		exec_worker_free(w);
		return NULL;
	}
	loop_watch(loop, w->child.output, POLLIN, on_readable, w);
	return w;
}

void exec_worker_free(struct exec_worker *w)
{
	if (w == NULL)
		return;
	if (w->child.loop != NULL)
		loop_cancel(w->child.loop, w->timer);
	exec_child_release(&w->child);
	buf_release(&w->question);
	buf_release(&w->answer);
	free(w);
}

static bool is_alive(const struct exec_worker *w)
{
	siginfo_t info = {0};
	return w->child.pid > 0 &&
	       waitid(P_PID, (id_t)w->child.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0;
}

/* Until none of them lives, but not beyond GRACE_NS. */
static void wait_for_all(struct exec_worker *workers[], size_t count)
{
	uint64_t deadline_ns = chrono_after(chrono_now_ns(), GRACE_NS);
	for (size_t i = 0; i < count; i++)
		while (workers[i] != NULL && is_alive(workers[i]) && chrono_now_ns() < deadline_ns)
			(void)nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
}

void exec_worker_free_all(struct exec_worker *workers[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (workers[i] == NULL)
			continue;
		if (workers[i]->is_asked)
			exec_child_signal(&workers[i]->child, SIGTERM);
		exec_child_close(&workers[i]->child, &workers[i]->child.input);
	}
	wait_for_all(workers, count);
	for (size_t i = 0; i < count; i++)
		if (workers[i] != NULL && is_alive(workers[i]))
			exec_child_signal(&workers[i]->child, SIGTERM);
	wait_for_all(workers, count);
	for (size_t i = 0; i < count; i++)
		exec_worker_free(workers[i]);
}
