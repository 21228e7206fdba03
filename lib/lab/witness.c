#include "lab/witness.h"

#include "base/buf.h"
#include "base/mem.h"
#include "lab/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_BYTES 65536
#define MAX_LINE_BYTES (1024 * 1024) /* what is longer is passed on in parts */

struct stream {
	struct witness *witness;
	int fd; /* -1 after its end */
	bool is_error;
	struct buf rest; /* the beginning of a line */
};

struct witness {
	struct loop *loop;
	witness_line_fn *line;
	void *ctx;
	pid_t pid;
	bool reaped;
	int wait_status;
	struct stream streams[2];
};

static void pass_on(struct stream *stream, bool is_end)
{
	struct witness *w = stream->witness;
	for (;;) {
		struct slice rest = buf_slice(&stream->rest);
		const char *end = rest.len > 0 ? memchr(rest.ptr, '\n', rest.len) : NULL;
		bool is_whole = end != NULL;
		size_t length = is_whole ? (size_t)(end - rest.ptr) : rest.len;
		if (!is_whole && (length == 0 || (!is_end && length < MAX_LINE_BYTES)))
			return;
		w->line(w->ctx, stream->is_error, (struct slice){rest.ptr, length});
		buf_consume(&stream->rest, length + is_whole);
	}
}

static void close_stream(struct stream *stream)
{
	if (stream->fd < 0)
		return;
	pass_on(stream, true);
	loop_unwatch(stream->witness->loop, stream->fd);
	close(stream->fd);
	stream->fd = -1;
}

static void on_readable(void *ctx, short revents)
{
	(void)revents; /* the read tells */
	struct stream *stream = ctx;
	char *end = buf_reserve(&stream->rest, READ_BYTES);
	ssize_t length = read(stream->fd, end, READ_BYTES);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0) {
		close_stream(stream);
		return;
	}
	stream->rest.len += (size_t)length;
	pass_on(stream, false);
}

static bool open_streams(struct witness *w, bool is_heard, int writers[2], struct error *err)
{
	for (int i = is_heard ? 0 : 1; i < 2; i++) {
		int ends[2];
		if (pipe2(ends, O_CLOEXEC) != 0)
			return error_set(
			    err, ERROR_UNAVAILABLE, "cannot make a pipe: %s", strerror(errno));
		(void)fcntl(ends[0], F_SETFL, O_NONBLOCK); /* a pipe of ours takes it */
		w->streams[i] = (struct stream){.witness = w, .fd = ends[0], .is_error = i == 1};
		writers[i] = ends[1];
		loop_watch(w->loop, ends[0], POLLIN, on_readable, &w->streams[i]);
	}
	return true;
}

struct witness *witness_start(struct loop *loop, const struct witness_spec *spec,
    witness_line_fn *line, void *ctx, struct error *err)
{
	int writers[2] = {-1, -1};
	struct witness *w = mem_alloc(1, sizeof *w);
	*w = (struct witness){.loop = loop,
	    .line = line,
	    .ctx = ctx,
	    .reaped = true,
	    .streams = {{.fd = -1}, {.fd = -1}}};
	bool good = open_streams(w, spec->out == 0, writers, err);
	const struct child_spec child = {.argv = spec->argv,
	    .folder = spec->folder,
	    .in = spec->in,
	    .out = spec->out != 0 ? spec->out : writers[0],
	    .errors = writers[1],
	    .death_signal = SIGKILL,
	    .own_group = true};
	good = good && child_start(&child, &w->pid, err);
	w->reaped = !good;
	for (int i = 0; i < 2; i++)
		if (writers[i] >= 0)
			close(writers[i]);
	if (good)
		return w;
	witness_free(w);
	return NULL;
}

/* A grandchild may hold the pipes open for ever: what is in them when the process has ended is
 * read, and no more is waited for. */
bool witness_has_ended(struct witness *w, int *wait_status)
{
	if (!w->reaped) {
		w->reaped = waitpid(w->pid, &w->wait_status, WNOHANG) == w->pid;
		for (int i = 0; w->reaped && i < 2; i++) {
			if (w->streams[i].fd >= 0)
				on_readable(&w->streams[i], POLLIN);
			close_stream(&w->streams[i]);
		}
	}
	if (w->reaped)
		*wait_status = w->wait_status;
	return w->reaped;
}

void witness_signal(struct witness *w, int number)
{
	if (!w->reaped)
		kill(w->pid, number);
}

void witness_free(struct witness *w)
{
	if (w == NULL)
		return;
	if (!w->reaped) {
		kill(-w->pid, SIGKILL);
		(void)waitpid(w->pid, NULL, 0); /* nobody wants to know how */
	}
	for (int i = 0; i < 2; i++) {
		if (w->streams[i].fd >= 0) {
			loop_unwatch(w->loop, w->streams[i].fd);
			close(w->streams[i].fd);
		}
		buf_release(&w->streams[i].rest);
	}
	free(w);
}
