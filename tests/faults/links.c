#include "links.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES (64u * 1024)
#define MOST_WAITING (1024u * 1024) /* then a lane is not read */
#define TINY_BYTES 7		    /* of a scheduled fragmentation: writes of 1 to so many */
#define FRAGMENTED_BYTES 4096	    /* so many bytes at most go so */
#define MOST_DELAY_MS 200	    /* of a scheduled delay */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- the ends of a link ---- */

static void close_end(struct link *l, int side, bool reset)
{
	struct linger now = {1, 0};
	if (l->fd[side] < 0)
		return;
	if (reset)
		setsockopt(l->fd[side], SOL_SOCKET, SO_LINGER, &now, sizeof now);
	loop_unwatch(l->proxy->loop, l->fd[side]);
	close(l->fd[side]);
	l->fd[side] = -1;
}

void links_close(struct link *l, bool reset)
{
	close_end(l, 0, reset);
	close_end(l, 1, reset);
}

bool links_is_black(const struct link *l)
{
	return l->lanes[0].black || l->lanes[1].black;
}

/* A side is gone. A link that drops bytes also drops this: the other side learns nothing. */
static void side_gone(struct link *l, int side, bool reset)
{
	close_end(l, side, false);
	if (links_is_black(l))
		return;
	if (reset)
		links_close(l, true);
	l->ending = true;
}

static void free_link(struct link *l)
{
	loop_cancel(l->proxy->loop, l->timer);
	for (int i = 0; i < 2; i++) {
		buf_release(&l->lanes[i].bytes);
		fifo_release(&l->lanes[i].pieces);
	}
	free(l);
}

void links_sweep(struct proxy *p)
{
	for (struct link **at = &p->links; *at != NULL;) {
		struct link *l = *at;
		if (l->fd[0] < 0 && l->fd[1] < 0) {
			*at = l->next;
			free_link(l);
		} else {
			at = &l->next;
		}
	}
}

/* ---- bytes ---- */

static size_t waiting(const struct lane *lane)
{
	return lane->bytes.len - lane->at;
}

static void let_due_pieces_go(struct lane *lane, uint64_t now_ns)
{
	struct piece *first;
	while ((first = fifo_front(&lane->pieces)) != NULL && first->due_ns <= now_ns) {
		lane->due_bytes += first->len;
		fifo_pop(&lane->pieces);
	}
}

/* How many bytes the next write takes. */
static size_t write_size(struct proxy *p, const struct lane *lane)
{
	size_t size = lane->due_bytes;
	size_t tiny = lane->tiny_left > 0 ? TINY_BYTES : p->tiny;
	if (tiny > 0)
		size = 1 + rng_below(&p->rng, tiny);
	else if (p->throttle > 0)
		size = 1 + p->throttle / 100;
	return size < lane->due_bytes ? size : lane->due_bytes;
}

static void write_lane(struct link *l, int side)
{
	struct proxy *p = l->proxy;
	struct lane *lane = &l->lanes[side];
	int to = l->fd[1 - side];
	while (to >= 0 && lane->due_bytes > 0 && chrono_now_ns() >= lane->free_ns) {
		size_t size = write_size(p, lane);
		ssize_t n = send(to, lane->bytes.ptr + lane->at, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			side_gone(l, 1 - side, true);
		if (n <= 0)
			break;
		lane->at += (size_t)n;
		lane->due_bytes -= (size_t)n;
		lane->tiny_left -= lane->tiny_left < (size_t)n ? lane->tiny_left : (size_t)n;
		if (p->throttle > 0)
			lane->free_ns = chrono_now_ns() + (uint64_t)n * CHRONO_S / p->throttle;
	}
	if (lane->at == lane->bytes.len) {
		buf_clear(&lane->bytes);
		lane->at = 0;
	} else if (lane->at > MOST_WAITING) {
		buf_consume(&lane->bytes, lane->at);
		lane->at = 0;
	}
}

static void on_due(void *ctx, uint64_t now_ns)
{
	struct link *l = ctx;
	(void)now_ns;
	l->timer = 0;
	links_pump(l);
}

/* When the lane has something to do that no descriptor tells. */
static uint64_t next_due_ns(const struct lane *lane)
{
	const struct piece *first = fifo_front(&lane->pieces);
	if (lane->due_bytes > 0)
		return lane->free_ns > chrono_now_ns() ? lane->free_ns : CHRONO_NEVER;
	return first != NULL ? first->due_ns : CHRONO_NEVER;
}

static void on_tool(void *ctx, short revents);
static void on_broker(void *ctx, short revents);

static void watch_ends(struct link *l)
{
	uint64_t due_ns = CHRONO_NEVER;
	for (int i = 0; i < 2; i++) {
		const struct lane *in = &l->lanes[i], *out = &l->lanes[1 - i];
		short events = waiting(in) < MOST_WAITING && !l->connecting ? POLLIN : 0;
		if (out->due_bytes > 0 && chrono_now_ns() >= out->free_ns)
			events |= POLLOUT;
		if (i == 1 && l->connecting)
			events = POLLOUT;
		if (l->fd[i] >= 0)
			loop_watch(
			    l->proxy->loop, l->fd[i], events, i == 0 ? on_tool : on_broker, l);
		uint64_t lane_ns = next_due_ns(in);
		due_ns = lane_ns < due_ns ? lane_ns : due_ns;
	}
	loop_cancel(l->proxy->loop, l->timer);
	l->timer = due_ns == CHRONO_NEVER ? 0 : loop_at(l->proxy->loop, due_ns, on_due, l);
}

void links_pump(struct link *l)
{
	uint64_t now_ns = chrono_now_ns();
	for (int i = 0; i < 2 && !l->connecting; i++) {
		let_due_pieces_go(&l->lanes[i], now_ns);
		write_lane(l, i);
	}
	for (int i = 0; i < 2 && l->ending; i++)
		if (l->fd[i] < 0 && waiting(&l->lanes[i]) == 0)
			links_close(l, false);
	if (l->fd[0] >= 0 || l->fd[1] >= 0)
		watch_ends(l);
}

/* ---- faults ---- */

/* Cuts or resets a link in the middle of what came: its last `drop` bytes do not go on. */
static void break_link(struct link *l, struct lane *lane, size_t drop, enum fault fault)
{
	lane->bytes.len -= drop;
	lane->due_bytes = waiting(lane);
	links_pump(l);
	links_close(l, fault == RESET);
}

void links_plan_fault(struct proxy *p)
{
	p->next_fault = p->faults_left > 0 ? 1 + rng_below(&p->rng, 2 * p->every_bytes) : 0;
}

/* A fault of the schedule strikes, `rest` bytes before the end of what came. */
static void strike(struct link *l, struct lane *lane, size_t rest)
{
	struct proxy *p = l->proxy;
	enum fault fault = (enum fault)rng_below(&p->rng, LINKS_SCHEDULED);
	p->done[fault]++;
	p->faults_left--;
	links_plan_fault(p);
	if (fault == DELAY)
		lane->newest_ns =
		    chrono_now_ns() + (1 + rng_below(&p->rng, MOST_DELAY_MS)) * CHRONO_MS;
	else if (fault == FRAGMENT)
		lane->tiny_left = 1 + rng_below(&p->rng, FRAGMENTED_BYTES);
	else
		break_link(l, lane, rest, fault);
}

/* ---- reading ---- */

static void note_piece(struct proxy *p, struct lane *lane, size_t len)
{
	struct piece piece = {chrono_now_ns() + p->delay_ns, len};
	if (piece.due_ns < lane->newest_ns)
		piece.due_ns = lane->newest_ns;
	lane->newest_ns = piece.due_ns;
	fifo_push(&lane->pieces, &piece);
}

/* Bytes have come in; false when the link has been broken by them. */
static bool judge(struct link *l, struct lane *lane, size_t came)
{
	struct proxy *p = l->proxy;
	if (lane->cut_after != LINKS_NO_LIMIT && lane->cut_after < came) {
		p->done[CUT]++;
		break_link(l, lane, came - lane->cut_after, CUT);
		return false;
	}
	if (lane->cut_after != LINKS_NO_LIMIT)
		lane->cut_after -= came;
	if (p->next_fault > came)
		p->next_fault -= came;
	else if (p->next_fault > 0)
		strike(l, lane, came - p->next_fault);
	return l->fd[0] >= 0;
}

static void read_side(struct link *l, int side)
{
	struct lane *lane = &l->lanes[side];
	char *room = buf_reserve(&lane->bytes, READ_BYTES);
	ssize_t n = recv(l->fd[side], room, READ_BYTES, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		side_gone(l, side, n < 0);
		return;
	}
	l->proxy->bytes[side] += (size_t)n;
	if (lane->black || l->fd[1 - side] < 0)
		return; /* dropped */
	lane->bytes.len += (size_t)n;
	if (judge(l, lane, (size_t)n))
		note_piece(l->proxy, lane, (size_t)n);
}

static void on_side(struct link *l, int side, short revents)
{
	int error = 0;
	socklen_t len = sizeof error;
	if (l->connecting && side == 1) {
		getsockopt(l->fd[1], SOL_SOCKET, SO_ERROR, &error, &len);
		l->connecting = false;
		if (error != 0)
			links_close(l, true);
	} else if (l->connecting && (revents & (POLLHUP | POLLERR))) {
		links_close(l, true);
	} else if (revents & (POLLIN | POLLHUP | POLLERR)) {
		read_side(l, side);
	}
	links_pump(l);
}

static void on_tool(void *ctx, short revents)
{
	on_side(ctx, 0, revents);
}

static void on_broker(void *ctx, short revents)
{
	on_side(ctx, 1, revents);
}

/* ---- accepting ---- */

static int dial(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || (connect(fd, (struct sockaddr *)&a, sizeof a) != 0 && errno != EINPROGRESS))
		die("connect");
	return fd;
}

static void on_accept(void *ctx, short revents)
{
	struct proxy *p = ctx;
	int on = 1, fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	(void)revents;
	if (fd < 0)
		return;
	struct link *l = mem_alloc(1, sizeof *l);
	*l = (struct link){.proxy = p, .fd = {fd, -1}, .next = p->links};
	for (int i = 0; i < 2; i++) {
		l->lanes[i].pieces.size = sizeof(struct piece);
		l->lanes[i].cut_after = LINKS_NO_LIMIT;
		l->lanes[i].black = p->black[i] || p->hang;
	}
	p->links = l;
	p->accepted++;
	if (p->hang) {
		p->done[HANG]++;
	} else {
		l->fd[1] = dial(p->target);
		l->connecting = true;
		setsockopt(l->fd[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	watch_ends(l);
}

void links_listen(struct proxy *p)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons(p->port)};
	socklen_t size = sizeof a;
	int on = 1;
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(p->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(p->listener, (struct sockaddr *)&a, size) != 0 || listen(p->listener, 128) != 0 ||
	    getsockname(p->listener, (struct sockaddr *)&a, &size) != 0)
		die("listen");
	p->port = ntohs(a.sin_port);
	loop_watch(p->loop, p->listener, POLLIN, on_accept, p);
}

void links_refuse(struct proxy *p)
{
	loop_unwatch(p->loop, p->listener);
	close(p->listener);
	p->listener = -1;
}
