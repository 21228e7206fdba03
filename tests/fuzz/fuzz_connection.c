/*
 * fuzz_connection.c - any bytes as what a broker says: login, calls, deliveries, confirms. The
 * connection, a subscriber or a publisher talk over a real socket, in one thread: the other end is
 * a watch in the same loop, which says the next piece whenever it hears something, or soon. Then
 * it hangs up, so everything must come to its end.
 *
 * The first byte chooses subscriber or publisher; then pieces, each behind two bytes of length.
 */
#include "broker/publisher.h"
#include "broker/subscriber.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGES 6
#define SOON_NS (300 * CHRONO_US)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct broker {
	struct loop *loop;
	int listener, fd;
	struct slice left;
	uint64_t timer;
};

/* What the tool's side has seen. */
struct tool {
	struct subscriber *subscriber;
	unsigned fates[MESSAGES];
	unsigned ended;
};

/* ---- the other end ---- */

static void hang_up(struct broker *b)
{
	struct linger now = {1, 0}; /* leaves no port behind that waits */
	if (b->fd < 0)
		return;
	setsockopt(b->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	loop_unwatch(b->loop, b->fd);
	loop_cancel(b->loop, b->timer);
	close(b->fd);
	b->fd = -1;
}

static void on_soon(void *ctx, uint64_t now_ns);

static void say_next(struct broker *b)
{
	size_t len = 0;
	if (b->left.len >= 2)
		len = (size_t)(unsigned char)b->left.ptr[0] << 8 | (unsigned char)b->left.ptr[1];
	if (b->left.len < 2) {
		hang_up(b);
		return;
	}
	b->left.ptr += 2;
	b->left.len -= 2;
	len = len < b->left.len ? len : b->left.len;
	IGNORE_RESULT(send(b->fd, b->left.ptr, len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0);
	b->left.ptr += len;
	b->left.len -= len;
	loop_cancel(b->loop, b->timer);
	b->timer = loop_at(b->loop, chrono_now_ns() + SOON_NS, on_soon, b);
}

static void on_soon(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	say_next(ctx);
}

static void on_bytes(void *ctx, short revents)
{
	struct broker *b = ctx;
	char heard[16384];
	(void)revents;
	if (recv(b->fd, heard, sizeof heard, MSG_DONTWAIT) <= 0)
		hang_up(b);
	else
		say_next(b);
}

static void on_accept(void *ctx, short revents)
{
	struct broker *b = ctx;
	int fd = accept4(b->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	(void)revents;
	if (fd < 0)
		return;
	hang_up(b);
	b->fd = fd;
	loop_watch(b->loop, fd, POLLIN, on_bytes, b);
}

static uint16_t listen_anywhere(struct broker *b)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	b->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(b->listener, (struct sockaddr *)&a, len) != 0 || listen(b->listener, 8) != 0 ||
	    getsockname(b->listener, (struct sockaddr *)&a, &len) != 0)
		abort();
	loop_watch(b->loop, b->listener, POLLIN, on_accept, b);
	return ntohs(a.sin_port);
}

/* ---- the tool's end ---- */

static void check_told(const struct error *err)
{
	if (err->kind == ERROR_NONE || err->text[0] == '\0' || !text_is_utf8(slice_str(err->text)))
		abort();
	for (const char *c = err->text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == '\x7f')
			abort();
}

static void on_delivery(void *ctx, const struct subscriber_delivery *d)
{
	struct tool *t = ctx;
	struct buf line = {0};
	text_escape(d->message->body, SIZE_MAX, &line); /* reads all of it */
	text_escape(d->message->headers, SIZE_MAX, &line);
	buf_release(&line);
	if (t->subscriber != NULL)
		subscriber_settle(
		    t->subscriber, d->tag, d->redelivered ? SUBSCRIBER_REJECT : SUBSCRIBER_ACK);
}

static void on_ended(void *ctx, const struct error *why)
{
	struct tool *t = ctx;
	check_told(why);
	if (t->ended++ > 0)
		abort();
}

static void on_fate(void *ctx, uint64_t token, enum publisher_fate fate, const char *reason)
{
	struct tool *t = ctx;
	(void)fate;
	if (token >= MESSAGES || t->fates[token]++ > 0 || reason == NULL)
		abort();
}

/* Until the connection is lost: the other end hangs up in any case. */
static void turn(struct loop *loop, struct connection *c, struct tool *t)
{
	struct error lost = {0}, failed = {0};
	while (connection_check(c, &lost)) {
		uint64_t wake_ns = chrono_now_ns() + CHRONO_MS;
		if (t->subscriber != NULL)
			subscriber_flush_due(t->subscriber, chrono_now_ns(), &wake_ns);
		connection_flush(c);
		if (!loop_turn(loop, wake_ns, &failed))
			abort();
	}
	check_told(&lost);
}

static void consume(struct loop *loop, struct connection *c)
{
	struct tool t = {0};
	struct error err = {0};
	struct subscriber_options options = {
	    .queue = "q", .prefetch = 10, .deliver = on_delivery, .ended = on_ended, .ctx = &t};
	t.subscriber = subscriber_open(c, &options, &err);
	if (t.subscriber == NULL)
		check_told(&err);
	else
		turn(loop, c, &t);
	subscriber_close(t.subscriber);
}

static void publish(struct loop *loop, struct connection *c)
{
	struct tool t = {0};
	struct error err = {0};
	struct publisher_options options = {.window = 4, .fate = on_fate, .ctx = &t};
	struct publisher *p = publisher_open(c, &options, &err);
	struct message m = {.routing_key = SLICE("q"), .body = SLICE("a body")};
	uint64_t sent = 0;
	if (p == NULL) {
		check_told(&err);
		return;
	}
	while (sent < MESSAGES && publisher_check(p, &err) && publisher_room(p) > 0)
		if (!publisher_send(p, &m, true, sent++, &err))
			abort();
	turn(loop, c, &t);
	publisher_close(p);
	for (uint64_t i = 0; i < MESSAGES; i++)
		if (t.fates[i] != (i < sent))
			abort(); /* one fate for each that was sent */
}

/* ---- one run ---- */

/* The loop, the listener and the address stay: making them takes longer than a run. */
static struct broker broker = {.listener = -1, .fd = -1};
static struct uri uri;

static void start(void)
{
	struct error err = {0};
	broker.loop = loop_create_worker(&err);
	char *address = mem_printf("amqp://u:p@127.0.0.1:%u?heartbeat=0", listen_anywhere(&broker));
	if (broker.loop == NULL || !uri_parse(slice_str(address), &uri, &err))
		abort();
	free(address);
	log_setup("fuzz", LOG_ERROR, LOG_TEXT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = {0};
	if (size < 1)
		return 0;
	if (broker.loop == NULL)
		start();
	broker.left = (struct slice){(const char *)data + 1, size - 1};
	struct connection_options options = {.uri = &uri, .name = "fuzz"};
	struct connection *c = connection_open(broker.loop, &options, &err);
	if (c == NULL)
		check_told(&err);
	else if (data[0] % 2 == 0)
		consume(broker.loop, c);
	else
		publish(broker.loop, c);
	connection_close(c);
	hang_up(&broker);
	return 0;
}
