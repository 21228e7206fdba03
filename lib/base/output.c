#include "base/output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

void output_init(struct output *o, int fd, const char *name)
{
	struct stat st;
	*o = (struct output){.fd = fd, .name = name};
	o->regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

void output_release(struct output *o)
{
	buf_release(&o->waiting);
}

struct buf *output_buf(struct output *o)
{
	return &o->waiting;
}

uint64_t output_position(const struct output *o)
{
	return o->total + (o->waiting.len - o->written);
}

bool output_is_empty(const struct output *o)
{
	return o->written == o->waiting.len;
}

static bool is_writable(const struct output *o, int timeout_ms)
{
	struct pollfd p = {.fd = o->fd, .events = POLLOUT};
	return o->regular || poll(&p, 1, timeout_ms) > 0;
}

static bool flush(struct output *o, int timeout_ms, struct error *err)
{
	while (!output_is_empty(o) && is_writable(o, timeout_ms)) {
		size_t left = o->waiting.len - o->written;
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
	if (output_is_empty(o)) {
		buf_clear(&o->waiting);
		o->written = 0;
	}
	return true;
}

bool output_flush(struct output *o, struct error *err)
{
	return flush(o, 0, err);
}

bool output_drain(struct output *o, struct error *err)
{
	while (!output_is_empty(o))
		if (!flush(o, -1, err))
			return false;
	return true;
}
