#include "broker/wire.h"

#include "base/chrono.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES (256u * 1024)
#define WRITE_SOON_BYTES (64u * 1024)
#define KEPT_BYTES (4u << 20) /* of room for what is read: more is for one large content header */

static void on_socket(void *ctx, short revents);
static void on_gathered(void *ctx, uint64_t now_ns);

static bool reads_when_writable(const struct wire *w)
{
	return w->tls != NULL && tls_read_waits_to_write(w->tls);
}

static void watch(struct wire *w)
{
	/* what TLS has decrypted, or only fetched, the socket does not show any more */
	if (w->tls != NULL && w->more && !w->paused && w->gather_timer == 0)
		w->gather_timer = loop_at(w->loop, w->last_read_ns, on_gathered, w);
	bool waiting = w->out_at < w->out.len || reads_when_writable(w);
	bool reading = !w->paused && w->gather_timer == 0;
	int events = (reading ? POLLIN : 0) | (waiting ? POLLOUT : 0);
	if (events != w->watched)
		loop_watch(w->loop, w->fd, (short)events, on_socket, w);
	w->watched = events;
}

void wire_open(struct wire *w, struct loop *loop, int fd, struct tls *tls)
{
	w->loop = loop;
	w->fd = fd;
	w->tls = tls;
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
	tls_close(w->tls);
	w->tls = NULL;
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
	if (w->out.ptr != NULL)
		explicit_bzero(w->out.ptr, w->out.capacity);
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
	const char *bytes = w->out.ptr + w->out_at;
	size_t size = w->out.len - w->out_at;
	ssize_t n = w->tls != NULL ? tls_write(w->tls, bytes, size)
				   : send(w->fd, bytes, size, MSG_NOSIGNAL);
	if (n > 0) {
		w->out_at += (size_t)n;
		w->written += (uint64_t)n;
		w->last_write_ns = chrono_now_ns();
		return true;
	}
	if (errno == EINTR)
		return true;
	/* on a failure the broker's reason may still be waiting to be read: the reader finds the
	 * end */
	if (errno != EAGAIN && errno != EWOULDBLOCK) {
		w->out_at = w->out.len;
		w->more = w->more || w->tls != NULL; /* the end, which the socket may not show */
	}
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

uint64_t wire_taken_bytes(const struct wire *w)
{
	int on_the_way = 0;
	if (w->fd < 0 || ioctl(w->fd, SIOCOUTQ, &on_the_way) != 0 || on_the_way < 0)
		on_the_way = 0;
	return w->written - (uint64_t)on_the_way;
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
	if (w->in.len == 0 && w->in.capacity > KEPT_BYTES)
		buf_release(&w->in);
}

/* Record by record, until the session has nothing more: sets `more` when that was not reached. */
static ssize_t read_tls(struct wire *w, char *room)
{
	size_t got = 0;
	ssize_t n = 1;
	while (got < READ_BYTES && n > 0) {
		n = tls_read(w->tls, room + got, READ_BYTES - got);
		got += n > 0 ? (size_t)n : 0;
	}
	w->more = got > 0 && (n >= 0 || errno != EAGAIN);
	return got > 0 ? (ssize_t)got : n;
}

static void read_some(struct wire *w)
{
	char *room = buf_reserve(&w->in, READ_BYTES);
	ssize_t n = w->tls != NULL ? read_tls(w, room) : recv(w->fd, room, READ_BYTES, 0);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n <= 0) {
		w->ended(w->ctx, n == 0 ? 0 : errno);
		return;
	}
	w->in.len += (size_t)n;
	if (w->tls == NULL)
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
	if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0 || reads_when_writable(w))
		read_some(w);
	wire_flush(w);
	if (w->tls != NULL && w->fd >= 0)
		watch(w);
}
