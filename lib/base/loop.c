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
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MANY 32 /* descriptors, above which poll, which looks at each, costs more than epoll */
#define MOST_EVENTS 256 /* taken from epoll at once */

struct watch {
	loop_watch_fn *fn; /* NULL: free slot */
	void *ctx;
	/* with epoll: */
	bool is_known;	 /* epoll has it */
	bool is_changed; /* and is to be told something new */
	bool is_file;	 /* epoll takes no files; they are always ready */
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
	size_t *slots; /* by descriptor: its place in polled, from 1; 0: not watched */
	size_t slots_capacity;
	/* the kernel's own list, once there are many; changes are told before the next wait */
	int epoll; /* -1: not yet */
	size_t *changed;
	size_t changed_count, changed_capacity, file_count;
	size_t ready[2 * MOST_EVENTS];
	size_t ready_count;
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
}

struct loop *loop_create_worker(struct error *err)
{
	int wake_pipe[2];
	if (pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
		error_set(err, ERROR_IO, "cannot make a pipe: %s", strerror(errno));
		return NULL;
	}
	struct loop *loop = mem_alloc(1, sizeof *loop);
	loop->epoll = -1;
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
	/* waits end when they are due, not up to 50 us later; threads to come inherit it */
	(void)prctl(PR_SET_TIMERSLACK, 1UL); /* a kernel without it is only less exact */
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
	if (loop->epoll >= 0)
		close(loop->epoll);
	free(loop->changed);
	free(loop->polled);
	free(loop->slots);
	free(loop->watches);
	free(loop->timers);
	free(loop);
}

/* The place of a descriptor; the count when it is not watched. */
static size_t find_watch(const struct loop *loop, int fd)
{
	size_t slot = (size_t)fd < loop->slots_capacity ? loop->slots[fd] : 0;
	return slot > 0 ? slot - 1 : loop->count;
}

static size_t find_free_slot(const struct loop *loop)
{
	size_t i = 0;
	while (i < loop->count && loop->watches[i].fn != NULL)
		i++;
	return i;
}

static void note_change(struct loop *loop, size_t i)
{
	if (loop->epoll < 0 || loop->watches[i].is_changed)
		return;
	loop->watches[i].is_changed = true;
	loop->changed = mem_grow(
	    loop->changed, &loop->changed_capacity, loop->changed_count + 1, sizeof *loop->changed);
	loop->changed[loop->changed_count++] = i;
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
	loop->slots =
	    mem_grow(loop->slots, &loop->slots_capacity, (size_t)fd + 1, sizeof *loop->slots);
	loop->slots[fd] = i + 1;
	loop->polled[i] = (struct pollfd){.fd = fd, .events = events};
	loop->watches[i].fn = fn;
	loop->watches[i].ctx = ctx;
	note_change(loop, i);
}

void loop_unwatch(struct loop *loop, int fd)
{
	size_t i = find_watch(loop, fd);
	if (i == loop->count)
		return;
	loop->slots[fd] = 0;
	if (loop->watches[i].is_known) /* at once: the descriptor may be closed next */
		(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
	loop->file_count -= loop->watches[i].is_file;
	loop->watches[i].is_known = loop->watches[i].is_file = false;
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

static void run_watch(struct loop *loop, size_t i)
{
	short revents = loop->polled[i].revents;
	loop->polled[i].revents = 0;
	if (revents != 0 && loop->watches[i].fn != NULL)
		loop->watches[i].fn(loop->watches[i].ctx, revents);
}

static void run_watches(struct loop *loop)
{
	if (loop->epoll < 0)
		for (size_t i = 0; i < loop->count; i++)
			run_watch(loop, i);
	else
		for (size_t i = 0; i < loop->ready_count; i++)
			run_watch(loop, loop->ready[i]);
}

/* ---- waiting ---- */

/* A wait that is exact to the nanosecond: rates are paced by it. */
static struct timespec until(uint64_t now_ns, uint64_t deadline_ns)
{
	uint64_t span = deadline_ns <= now_ns ? 0 : deadline_ns - now_ns;
	const uint64_t day_ns = 86400 * CHRONO_S;
	if (span > day_ns)
		span = day_ns;
	return (struct timespec){(time_t)(span / CHRONO_S), (long)(span % CHRONO_S)};
}

static void start_epoll(struct loop *loop)
{
	loop->epoll = epoll_create1(EPOLL_CLOEXEC); /* without one, poll goes on to do */
	for (size_t i = 0; i < loop->count; i++)
		note_change(loop, i);
}

static void tell_epoll(struct loop *loop, size_t i)
{
	struct watch *w = &loop->watches[i];
	const struct pollfd *p = &loop->polled[i];
	struct epoll_event event = {.events = (uint32_t)p->events, .data.u64 = i};
	w->is_changed = false;
	if (w->fn == NULL || w->is_file)
		return;
	int operation = w->is_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	w->is_known = epoll_ctl(loop->epoll, operation, p->fd, &event) == 0 || w->is_known;
	w->is_file = !w->is_known;
	loop->file_count += w->is_file;
}

static int wait_for_epoll(
    int epoll, struct epoll_event events[MOST_EVENTS], const struct timespec *limit)
{
	static atomic_bool is_old; /* a kernel before 5.11, or valgrind */
	int ready = is_old ? -1 : epoll_pwait2(epoll, events, MOST_EVENTS, limit, NULL);
	if (!is_old && (ready >= 0 || errno != ENOSYS))
		return ready;
	struct pollfd list = {.fd = epoll, .events = POLLIN};
	is_old = true;
	ready = ppoll(&list, 1, limit, NULL);
	return ready < 0 ? ready : epoll_wait(epoll, events, MOST_EVENTS, 0);
}

/* As poll would have: revents of what is ready, and how many there are. */
static int wait_with_epoll(struct loop *loop, struct timespec limit)
{
	struct epoll_event events[MOST_EVENTS];
	for (size_t i = 0; i < loop->changed_count; i++)
		tell_epoll(loop, loop->changed[i]);
	loop->changed_count = 0;
	if (loop->file_count > 0)
		limit = (struct timespec){0, 0};
	int ready = wait_for_epoll(loop->epoll, events, &limit);
	loop->ready_count = 0;
	for (int e = 0; e < ready; e++) {
		size_t i = (size_t)events[e].data.u64;
		loop->polled[i].revents = (short)events[e].events;
		loop->ready[loop->ready_count++] = i;
	}
	for (size_t i = 0; loop->file_count > 0 && i < loop->count; i++)
		if (loop->watches[i].is_file && loop->ready_count < ARRAY_LEN(loop->ready)) {
			loop->polled[i].revents = loop->polled[i].events;
			loop->ready[loop->ready_count++] = i;
		}
	return ready < 0 ? ready : (int)loop->ready_count;
}

static int wait_for_events(struct loop *loop, uint64_t now_ns, uint64_t deadline_ns)
{
	struct timespec limit = until(now_ns, deadline_ns);
	if (loop->epoll < 0 && loop->count > MANY)
		start_epoll(loop);
	if (loop->epoll >= 0)
		return wait_with_epoll(loop, limit);
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

/* The signal itself counts, not the byte in the pipe: a wait that was cut short by other events may
 * return without that byte, and what they bring is judged with the signal in mind. */
bool loop_stop_requested(const struct loop *loop)
{
	return loop->stop_requested || (loop->takes_signals && stop_signals > 0);
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
