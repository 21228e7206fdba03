/*
 * null_broker - takes, confirms and pushes messages as fast as a socket goes, and keeps none: what
 * a client is measured against when the broker shall not be the limit. It knows just enough of
 * AMQP 0-9-1 for well-behaved clients, and shares no code with the library that it measures.
 *
 *   null_broker [BODY_BYTES]     prints "PORT\n", then serves 127.0.0.1 until it is killed
 *
 * Published messages are confirmed once a read, with multiple. A consumer gets messages of
 * BODY_BYTES (256), as many as its prefetch beyond the last one it settled, until it cancels. One
 * process a connection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES (256 * 1024)
#define BLOCK_BYTES (64 * 1024) /* of messages a write */
#define OUT_BYTES (4 * BLOCK_BYTES)
#define FRAME_MAX 131072
#define HEARTBEAT_S 60
#define FRAME_END '\xce'

enum { FRAME_METHOD = 1, FRAME_HEADER = 2, FRAME_BODY = 3 };

/* class << 16 | method, section 1.3 of the protocol's reference */
enum method {
	CONNECTION_START = 10 << 16 | 10,
	CONNECTION_START_OK = 10 << 16 | 11,
	CONNECTION_TUNE = 10 << 16 | 30,
	CONNECTION_OPEN = 10 << 16 | 40,
	CONNECTION_CLOSE = 10 << 16 | 50,
	CONNECTION_CLOSE_OK = 10 << 16 | 51,
	QUEUE_DECLARE = 50 << 16 | 10,
	BASIC_QOS = 60 << 16 | 10,
	BASIC_CONSUME = 60 << 16 | 20,
	BASIC_CANCEL = 60 << 16 | 30,
	BASIC_PUBLISH = 60 << 16 | 40,
	BASIC_DELIVER = 60 << 16 | 60,
	BASIC_ACK = 60 << 16 | 80,
	BASIC_REJECT = 60 << 16 | 90,
	BASIC_NACK = 60 << 16 | 120,
	CONFIRM_SELECT = 85 << 16 | 10,
};

struct client {
	int fd;
	char in[READ_BYTES + FRAME_MAX];
	size_t in_len;
	char out[OUT_BYTES];
	size_t out_at, out_len;
	bool closing;
	/* publishing */
	unsigned confirm_channel; /* 0: no confirms */
	uint64_t published, confirmed;
	/* consuming */
	unsigned push_channel; /* 0: nobody consumes */
	bool no_ack;
	unsigned prefetch; /* 0: no limit */
	uint64_t pushed, acknowledged;
	char message[FRAME_MAX]; /* deliver, header and body; the delivery tag is patched in */
	size_t message_len, tag_at;
};

static size_t body_bytes = 256;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- bytes ---- */

static uint64_t get(const char *p, unsigned bytes)
{
	uint64_t v = 0;
	while (bytes-- > 0)
		v = v << 8 | (unsigned char)*p++;
	return v;
}

static char *put(char *p, unsigned bytes, uint64_t v)
{
	for (unsigned i = bytes; i-- > 0; v >>= 8)
		p[i] = (char)v;
	return p + bytes;
}

static char *put_head(char *p, unsigned type, unsigned channel, size_t size)
{
	return put(put(put(p, 1, type), 2, channel), 4, size);
}

/* A method with its arguments; there is room: what is answered is small and read in turn. */
static void answer(
    struct client *c, unsigned channel, unsigned method, const void *arguments, size_t len)
{
	if (OUT_BYTES - c->out_len < len + 16)
		die("a client that asks without reading");
	char *p = put(put_head(c->out + c->out_len, FRAME_METHOD, channel, 4 + len), 4, method);
	if (len > 0)
		memcpy(p, arguments, len);
	p[len] = FRAME_END;
	c->out_len += 12 + len;
}

/* ---- pushing ---- */

static void make_message(struct client *c, const char *consumer_tag, size_t tag_len)
{
	static const char routing[] = "\0\0\6queue-"; /* redelivered, exchange, key */
	char *p = c->message + 7;
	p = put(p, 4, BASIC_DELIVER);
	p = put(p, 1, tag_len);
	memcpy(p, consumer_tag, tag_len);
	p += tag_len;
	c->tag_at = (size_t)(p - c->message);
	p = put(p, 8, 0);
	memcpy(p, routing, sizeof routing - 1);
	p += sizeof routing - 1;
	put_head(c->message, FRAME_METHOD, c->push_channel, (size_t)(p - c->message) - 7);
	p = put(p, 1, (unsigned char)FRAME_END);
	p = put_head(p, FRAME_HEADER, c->push_channel, 15);
	p = put(put(put(p, 4, 60 << 16), 8, body_bytes), 2, 1 << 12); /* delivery mode */
	p = put(put(p, 1, 1), 1, (unsigned char)FRAME_END);
	p = put_head(p, FRAME_BODY, c->push_channel, body_bytes);
	memset(p, 'x', body_bytes);
	p = put(p + body_bytes, 1, (unsigned char)FRAME_END);
	c->message_len = (size_t)(p - c->message);
}

static void push(struct client *c)
{
	uint64_t most = c->prefetch == 0 || c->no_ack ? UINT64_MAX : c->acknowledged + c->prefetch;
	while (c->push_channel != 0 && c->pushed < most && c->out_len < BLOCK_BYTES) {
		put(c->message + c->tag_at, 8, ++c->pushed);
		memcpy(c->out + c->out_len, c->message, c->message_len);
		c->out_len += c->message_len;
	}
}

/* ---- what the client says ---- */

static void start_pushing(struct client *c, unsigned channel, const char *arguments)
{
	const char *queue = arguments + 2;
	const char *tag = queue + 1 + (unsigned char)*queue;
	size_t tag_len = (unsigned char)*tag;
	c->no_ack = (tag[1 + tag_len] & 2) != 0;
	if (tag_len == 0) {
		tag = "\4null";
		tag_len = 4;
	}
	answer(c, channel, BASIC_CONSUME + 1, tag, tag_len + 1);
	c->push_channel = channel;
	make_message(c, tag + 1, tag_len);
}

static void declare_queue(struct client *c, unsigned channel, const char *arguments)
{
	char ok[264] = {0};
	size_t name_len = (unsigned char)arguments[2];
	memcpy(ok, arguments + 2, name_len + 1);
	answer(c, channel, QUEUE_DECLARE + 1, ok, name_len + 1 + 8);
}

static void on_method(struct client *c, unsigned channel, unsigned method, const char *arguments)
{
	char tune[8];
	switch (method) {
	case CONNECTION_START_OK:
		put(put(put(tune, 2, 2047), 4, FRAME_MAX), 2, HEARTBEAT_S);
		answer(c, 0, CONNECTION_TUNE, tune, sizeof tune);
		break;
	case CONNECTION_TUNE + 1:
		break;
	case CONNECTION_OPEN:
		answer(c, 0, CONNECTION_OPEN + 1, "", 1);
		break;
	case CONNECTION_CLOSE:
		c->push_channel = 0;
		c->closing = true;
		answer(c, 0, CONNECTION_CLOSE_OK, NULL, 0);
		break;
	case CONFIRM_SELECT:
		c->confirm_channel = channel;
		answer(c, channel, CONFIRM_SELECT + 1, NULL, 0);
		break;
	case QUEUE_DECLARE:
		declare_queue(c, channel, arguments);
		break;
	case BASIC_QOS:
		c->prefetch = (unsigned)get(arguments + 4, 2);
		answer(c, channel, BASIC_QOS + 1, NULL, 0);
		break;
	case BASIC_CONSUME:
		start_pushing(c, channel, arguments);
		break;
	case BASIC_CANCEL:
		c->push_channel = 0;
		if (arguments[1 + (unsigned char)*arguments] == 0)
			answer(c, channel, BASIC_CANCEL + 1, arguments,
			    1u + (unsigned char)*arguments);
		break;
	case BASIC_PUBLISH:
		c->published++;
		break;
	case BASIC_ACK:
	case BASIC_NACK:
	case BASIC_REJECT: /* taken as settling all before it, as clients in a hurry do */
		if (get(arguments, 8) > c->acknowledged)
			c->acknowledged = get(arguments, 8);
		break;
	default: /* channel.open-ok has a long string */
		answer(c, channel, method + 1, "\0\0\0", method == (20 << 16 | 10) ? 4 : 0);
	}
}

/* Every whole frame; what is left of the last one moves to the front. */
static void take_frames(struct client *c)
{
	const char *p = c->in, *end = c->in + c->in_len;
	while (end - p >= 8) {
		size_t size = get(p + 3, 4);
		if ((size_t)(end - p) < size + 8)
			break;
		if (*p == FRAME_METHOD && p[size + 7] == FRAME_END)
			on_method(c, (unsigned)get(p + 1, 2), (unsigned)get(p + 7, 4), p + 11);
		p += size + 8;
	}
	c->in_len = (size_t)(end - p);
	memmove(c->in, p, c->in_len);
}

static void confirm(struct client *c)
{
	char arguments[9];
	if (c->confirm_channel == 0 || c->confirmed == c->published)
		return;
	put(put(arguments, 8, c->published), 1, 1);
	answer(c, c->confirm_channel, BASIC_ACK, arguments, sizeof arguments);
	c->confirmed = c->published;
}

/* ---- the connection ---- */

static bool receive(struct client *c)
{
	ssize_t n = recv(c->fd, c->in + c->in_len, READ_BYTES, MSG_DONTWAIT);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	c->in_len += (size_t)n;
	take_frames(c);
	confirm(c);
	return true;
}

static bool transmit(struct client *c)
{
	ssize_t n =
	    send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->out_at += (size_t)n;
	if (c->out_at == c->out_len)
		c->out_at = c->out_len = 0;
	return true;
}

static void greet(struct client *c)
{
	static const char start[] = "\0\11\0\0\0\0\0\0\0\5PLAIN\0\0\0\5en_US";
	char header[8];
	if (recv(c->fd, header, sizeof header, MSG_WAITALL) != sizeof header)
		exit(1);
	answer(c, 0, CONNECTION_START, start, sizeof start - 1);
}

static void serve(int fd)
{
	struct client *c = calloc(1, sizeof *c);
	int on = 1;
	if (c == NULL)
		die("calloc");
	c->fd = fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	greet(c);
	for (bool alive = true; alive && !(c->closing && c->out_len == 0);) {
		push(c);
		struct pollfd p = {fd, (short)(POLLIN | (c->out_len > 0 ? POLLOUT : 0)), 0};
		if (poll(&p, 1, -1) < 0)
			die("poll");
		if (p.revents & (POLLIN | POLLHUP | POLLERR))
			alive = receive(c);
		if (alive && c->out_len > 0)
			alive = transmit(c);
	}
	exit(0);
}

int main(int argc, char *argv[])
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof address;
	if (argc > 1)
		body_bytes = strtoul(argv[1], NULL, 10);
	if (body_bytes == 0 || body_bytes > BLOCK_BYTES)
		die("a body has 1 to 65536 bytes");
	signal(SIGCHLD, SIG_IGN);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
	    listen(listener, 64) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &len) != 0)
		die("listen");
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			die("accept");
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL); /* the end of one is the end of all */
			close(listener);
			serve(fd);
		}
		close(fd);
	}
}
