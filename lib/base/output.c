#include "base/output.h"

#include "base/chrono.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#define FULL_BYTES (4u << 20)

void output_init(struct output *o, int fd, const char *name, struct loop *loop)
{
	struct stat st;
	*o = (struct output){.fd = fd, .name = name, .loop = loop};
	o->regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

void output_release(struct output *o)
{
	if (o->watching)
		loop_unwatch(o->loop, o->fd);
	o->watching = false;
	buf_release(&o->waiting);
}

struct buf *output_buf(struct output *o)
{
	return &o->waiting;
}

uint64_t output_position(const struct output *o)
{
	return o->total + output_waiting(o);
}

size_t output_waiting(const struct output *o)
{
	return o->waiting.len - o->written;
}

bool output_is_full(const struct output *o)
{
	return output_waiting(o) > FULL_BYTES;
}

/* ---- writing ---- */

static void note_writable(void *ctx, short revents)
{
	(void)ctx; /* the loop is awake, so whoever turns it flushes */
	(void)revents;
}

static void watch(struct output *o)
{
	bool wanted = o->loop != NULL && output_waiting(o) > 0;
	if (wanted && !o->watching)
		loop_watch(o->loop, o->fd, POLLOUT, note_writable, NULL);
	else if (!wanted && o->watching)
		loop_unwatch(o->loop, o->fd);
	o->watching = wanted;
}

static bool is_writable(const struct output *o)
{
	struct pollfd p = {.fd = o->fd, .events = POLLOUT};
	return o->regular || poll(&p, 1, 0) > 0;
}

bool output_flush(struct output *o, struct error *err)
{
	while (output_waiting(o) > 0 && is_writable(o)) {
		size_t left = output_waiting(o);
		size_t piece = !o->regular && left > PIPE_BUF ? PIPE_BUF : left;
		ssize_t n = write(o->fd, o->waiting.ptr + o->written, piece);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return error_set(
			    err, ERROR_IO, "cannot write to %s: %s", o->name, strerror(errno));
		o->written += (size_t)n;
		o->total += (uint64_t)n;
	}
	/* a reader that is always behind never lets it be empty */
	if (o->written >= output_waiting(o)) {
		buf_consume(&o->waiting, o->written);
		o->written = 0;
	}
	watch(o);
	return true;
}

/* One wait for room, where the loop's other business goes on. */
static bool wait_for_room(struct output *o, uint64_t deadline_ns, struct error *err)
{
	struct pollfd p = {.fd = o->fd, .events = POLLOUT};
	if (o->loop != NULL)
		return loop_turn(o->loop, deadline_ns, err);
	(void)poll(&p, 1, -1); /* the next write tells */
	return true;
}

bool output_drain(struct output *o, uint64_t grace_ns, struct error *err)
{
	uint64_t deadline = CHRONO_NEVER;
	for (;;) {
		if (!output_flush(o, err))
			return false;
		if (output_waiting(o) == 0)
			return true;
		bool stopped = o->loop != NULL && loop_stop_requested(o->loop);
		if (stopped && deadline == CHRONO_NEVER)
			deadline = chrono_after(chrono_now_ns(), grace_ns);
		if (chrono_now_ns() >= deadline)
			return error_set(err, ERROR_IO,
			    "%s takes no more: %zu bytes are not written", o->name,
			    output_waiting(o));
		if (!wait_for_room(o, deadline, err))
			return false;
	}
}
