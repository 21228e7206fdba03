#include "base/loop.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct watch {
	loop_watch_fn *fn; /* NULL: free slot */
	void *ctx;
};

struct timer {
	uint64_t id, due_ns;
	loop_timer_fn *fn;
	void *ctx;
};

/* polled[i] belongs to watches[i]; the first is the reading end of the wake pipe. */
struct loop {
	struct pollfd *polled;
	struct watch *watches;
	size_t count, polled_capacity, watches_capacity;
	struct timer *timers; /* few, so unsorted */
	size_t timer_count, timer_capacity;
	uint64_t last_id;
	uint64_t slept_ns;
	int wake_pipe[2];
	bool takes_signals;
	atomic_bool stop_requested;
};

/* What the signal handler may touch. */
static volatile sig_atomic_t stop_signals;
static volatile sig_atomic_t signal_fd = -1; /* writing end of the wake pipe of the loop */

static void write_wake(int fd)
{
	ssize_t ignored = write(fd, "", 1); /* full: the loop is awake anyway */
	(void)ignored;
}

static void on_signal(int number)
{
	int saved = errno;
	if (number != SIGCHLD && stop_signals++ > 0)
		_exit(128 + number);
	write_wake(signal_fd);
	errno = saved;
}

static const int handled_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};

/* What nohup has made of SIGHUP stays. */
static bool is_left_alone(int number)
{
	struct sigaction now;
	return number == SIGHUP && sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static void set_handlers(void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(handled_signals); i++)
		if (!is_left_alone(handled_signals[i]))
			sigaction(handled_signals[i], &action, NULL);
}

static void drain_wake_pipe(void *ctx, short revents)
{
	(void)revents;
	struct loop *loop = ctx;
	char bytes[64];
	while (read(loop->wake_pipe[0], bytes, sizeof bytes) > 0)
		;
	if (loop->takes_signals && stop_signals > 0)
		loop->stop_requested = true;
}

struct loop *loop_create_worker(struct error *err)
{
	int wake_pipe[2];
	if (pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
		error_set(err, ERROR_IO, "cannot make a pipe: %s", strerror(errno));
		return NULL;
	}
	struct loop *loop = mem_alloc(1, sizeof *loop);
	memcpy(loop->wake_pipe, wake_pipe, sizeof wake_pipe);
	loop_watch(loop, wake_pipe[0], POLLIN, drain_wake_pipe, loop);
	return loop;
}

struct loop *loop_create(struct error *err)
{
	struct loop *loop = loop_create_worker(err);
	if (loop == NULL)
		return NULL;
	loop->takes_signals = true;
	stop_signals = 0;
	signal_fd = loop->wake_pipe[1];
	signal(SIGPIPE, SIG_IGN);
	set_handlers(on_signal);
	return loop;
}

void loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	if (loop->takes_signals) {
		set_handlers(SIG_DFL);
		signal(SIGPIPE, SIG_DFL);
		signal_fd = -1;
	}
	close(loop->wake_pipe[0]);
	close(loop->wake_pipe[1]);
	free(loop->polled);
	free(loop->watches);
	free(loop->timers);
	free(loop);
}

static size_t find_watch(const struct loop *loop, int fd)
{
	size_t i = 0;
	while (i < loop->count && (loop->watches[i].fn == NULL || loop->polled[i].fd != fd))
		i++;
	return i;
}

static size_t find_free_slot(const struct loop *loop)
{
	size_t i = 0;
	while (i < loop->count && loop->watches[i].fn != NULL)
		i++;
	return i;
}

void loop_watch(struct loop *loop, int fd, short events, loop_watch_fn *fn, void *ctx)
{
	size_t i = find_watch(loop, fd);
	if (i == loop->count)
		i = find_free_slot(loop);
	if (i == loop->count) {
		loop->polled =
		    mem_grow(loop->polled, &loop->polled_capacity, i + 1, sizeof *loop->polled);
		loop->watches =
		    mem_grow(loop->watches, &loop->watches_capacity, i + 1, sizeof *loop->watches);
		loop->count++;
	}
	loop->polled[i] = (struct pollfd){.fd = fd, .events = events};
	loop->watches[i] = (struct watch){fn, ctx};
}

void loop_unwatch(struct loop *loop, int fd)
{
	size_t i = find_watch(loop, fd);
	if (i == loop->count)
		return;
	loop->polled[i].fd = -1; /* poll skips it, and so does the dispatch that may be going on */
	loop->polled[i].revents = 0;
	loop->watches[i].fn = NULL;
}

uint64_t loop_at(struct loop *loop, uint64_t due_ns, loop_timer_fn *fn, void *ctx)
{
	loop->timers = mem_grow(
	    loop->timers, &loop->timer_capacity, loop->timer_count + 1, sizeof *loop->timers);
	loop->timers[loop->timer_count++] = (struct timer){++loop->last_id, due_ns, fn, ctx};
	return loop->last_id;
}

void loop_cancel(struct loop *loop, uint64_t id)
{
	for (size_t i = 0; loop->timers != NULL && i < loop->timer_count; i++) {
		if (loop->timers[i].id == id) {
			loop->timers[i] = loop->timers[--loop->timer_count];
			return;
		}
	}
}

/* The timer that is due first, of those no newer than an id; NULL when there is none. */
static struct timer *first_timer(const struct loop *loop, uint64_t newest)
{
	struct timer *first = NULL;
	for (size_t i = 0; i < loop->timer_count; i++) {
		struct timer *t = &loop->timers[i];
		if (t->id <= newest && (first == NULL || t->due_ns < first->due_ns))
			first = t;
	}
	return first;
}

static void run_timers(struct loop *loop, uint64_t now_ns)
{
	uint64_t newest = loop->last_id; /* what a callback adds waits for the next turn */
	for (;;) {
		struct timer *t = first_timer(loop, newest);
		if (t == NULL || t->due_ns > now_ns)
			return;
		struct timer due = *t;
		loop_cancel(loop, due.id);
		due.fn(due.ctx, chrono_now_ns()); /* the one before it may have taken a while */
	}
}

static void run_watches(struct loop *loop)
{
	for (size_t i = 0; i < loop->count; i++) {
		short revents = loop->polled[i].revents;
		loop->polled[i].revents = 0;
		if (revents != 0 && loop->watches[i].fn != NULL)
			loop->watches[i].fn(loop->watches[i].ctx, revents);
	}
}

/* ppoll, for a wait that is exact to the nanosecond: rates are paced by it. */
static int wait_for_events(struct loop *loop, uint64_t now_ns, uint64_t deadline_ns)
{
	uint64_t span = deadline_ns <= now_ns ? 0 : deadline_ns - now_ns;
	const uint64_t day_ns = 86400 * CHRONO_S;
	if (span > day_ns)
		span = day_ns;
	struct timespec limit = {(time_t)(span / CHRONO_S), (long)(span % CHRONO_S)};
	return ppoll(loop->polled, loop->count, &limit, NULL);
}

bool loop_turn(struct loop *loop, uint64_t deadline_ns, struct error *err)
{
	struct timer *t = first_timer(loop, loop->last_id);
	if (t != NULL && t->due_ns < deadline_ns)
		deadline_ns = t->due_ns;
	uint64_t before_ns = chrono_now_ns();
	int ready = wait_for_events(loop, before_ns, deadline_ns);
	loop->slept_ns += chrono_now_ns() - before_ns;
	if (ready < 0 && errno != EINTR)
		return error_set(err, ERROR_IO, "cannot poll: %s", strerror(errno));
	if (ready > 0)
		run_watches(loop);
	run_timers(loop, chrono_now_ns());
	return true;
}

uint64_t loop_slept_ns(const struct loop *loop)
{
	return loop->slept_ns;
}

void loop_wake(struct loop *loop)
{
	write_wake(loop->wake_pipe[1]);
}

bool loop_stop_requested(const struct loop *loop)
{
	return loop->stop_requested;
}

void loop_request_stop(struct loop *loop)
{
	loop->stop_requested = true;
	loop_wake(loop);
}

void loop_reset_child_signals(void)
{
	set_handlers(SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
