#include "broker/wire.h"

#include "base/chrono.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES (256u * 1024)
#define WRITE_SOON_BYTES (64u * 1024)

static void on_socket(void *ctx, short revents);

static void watch(struct wire *w)
{
	bool waiting = w->out_at < w->out.len;
	bool reading = !w->paused && w->gather_timer == 0;
	int events = (reading ? POLLIN : 0) | (waiting ? POLLOUT : 0);
	if (events != w->watched)
		loop_watch(w->loop, w->fd, (short)events, on_socket, w);
	w->watched = events;
}

void wire_open(struct wire *w, struct loop *loop, int fd)
{
	w->loop = loop;
	w->fd = fd;
	w->last_read_ns = w->last_write_ns = chrono_now_ns();
	w->watched = -1;
	watch(w);
}

void wire_close(struct wire *w)
{
	if (w->fd < 0)
		return;
	loop_unwatch(w->loop, w->fd);
	loop_cancel(w->loop, w->gather_timer);
	w->gather_timer = 0;
	w->events++;
	close(w->fd);
	w->fd = -1;
}

void wire_reset(struct wire *w)
{
	wire_close(w);
	buf_clear(&w->in);
	buf_clear(&w->out);
	w->out_at = 0;
	w->paused = w->more = false;
}

void wire_release(struct wire *w)
{
	wire_close(w);
	buf_release(&w->in);
	buf_release(&w->out);
}

struct buf *wire_output(struct wire *w)
{
	if (wire_pending_bytes(w) >= WRITE_SOON_BYTES)
		wire_flush(w);
	if (w->out_at > WRITE_SOON_BYTES) {
		buf_consume(&w->out, w->out_at);
		w->out_at = 0;
	}
	return &w->out;
}

/* Returns false when the socket takes no more for now. */
static bool write_some(struct wire *w)
{
	ssize_t n = send(w->fd, w->out.ptr + w->out_at, w->out.len - w->out_at, MSG_NOSIGNAL);
	if (n > 0) {
		w->out_at += (size_t)n;
		w->last_write_ns = chrono_now_ns();
		return true;
	}
	if (errno == EINTR)
		return true;
	/* on a failure the broker's reason may still be waiting to be read: the reader finds the
	 * end */
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		w->out_at = w->out.len;
	return false;
}

void wire_flush(struct wire *w)
{
	if (w->fd < 0 || w->out_at == w->out.len)
		return;
	while (w->out_at < w->out.len && write_some(w))
		;
	if (w->out_at == w->out.len) {
		w->out_at = 0;
		buf_clear(&w->out);
	}
	watch(w);
}

size_t wire_pending_bytes(const struct wire *w)
{
	return w->out.len - w->out_at;
}

void wire_pause(struct wire *w, bool paused)
{
	if (w->fd < 0 || w->paused == paused)
		return;
	w->paused = paused;
	w->last_read_ns = chrono_now_ns();
	watch(w);
}

void wire_take(struct wire *w, size_t count)
{
	buf_consume(&w->in, count);
}

static void read_some(struct wire *w)
{
	char *room = buf_reserve(&w->in, READ_BYTES);
	ssize_t n = recv(w->fd, room, READ_BYTES, 0);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n <= 0) {
		w->ended(w->ctx, n == 0 ? 0 : errno);
		return;
	}
	w->in.len += (size_t)n;
	w->more = (size_t)n == READ_BYTES;
	w->last_read_ns = chrono_now_ns();
	w->arrived(w->ctx);
}

static void on_gathered(void *ctx, uint64_t now_ns)
{
	struct wire *w = ctx;
	(void)now_ns;
	w->gather_timer = 0;
	w->events++;
	if (!w->paused)
		read_some(w);
	if (w->fd >= 0)
		watch(w);
}

void wire_gather(struct wire *w, uint64_t for_ns)
{
	if (w->fd < 0 || w->more || w->gather_timer != 0)
		return;
	w->gather_timer = loop_at(w->loop, w->last_read_ns + for_ns, on_gathered, w);
	watch(w);
}

static void on_socket(void *ctx, short revents)
{
	struct wire *w = ctx;
	w->events++;
	if (revents & (POLLIN | POLLHUP | POLLERR))
		read_some(w);
	wire_flush(w);
}
