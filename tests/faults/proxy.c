/*
 * proxy - stands between tools and a broker and hurts their connections, by command and by chance.
 *
 *   proxy TARGET_PORT [SEED [FAULTS EVERY_BYTES]]
 *
 * Prints "PORT\n" and serves 127.0.0.1:PORT until SIGTERM; then, how often it did what. FAULTS is a
 * schedule: about every EVERY_BYTES that flow, the connection on which they flow is cut, reset,
 * delayed or fragmented, by SEED. On a silent line nothing happens, so the faults fall where they
 * hurt. Commands come on standard input, a line each; each is answered by one line.
 */
#include "base/buf.h"
#include "base/chrono.h"
#include "base/error.h"
#include "base/fifo.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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
#define NO_LIMIT SIZE_MAX

enum fault { CUT, RESET, DELAY, FRAGMENT, BLACKHOLE, HANG, REFUSE, THROTTLE, FAULT_COUNT };
static const char *const fault_names[] = {
    "cut", "reset", "delay", "fragment", "blackhole", "hang", "refuse", "throttle"};
#define SCHEDULED_FAULTS 4 /* the first of them */

struct piece { /* bytes that came together */
	uint64_t due_ns;
	size_t len;
};

struct lane { /* one direction: 0 up to the broker, 1 down from it */
	struct buf bytes;
	size_t at; /* bytes that are out */
	struct fifo pieces;
	size_t due_bytes;   /* of bytes, may go now */
	uint64_t newest_ns; /* when the last piece may go: order is kept */
	uint64_t free_ns;   /* nothing goes before: a throttled lane */
	size_t tiny_left;   /* bytes that still go in tiny writes */
	size_t cut_after;   /* the link is cut when so many more have come */
	bool black;	    /* what comes is dropped */
};

struct link {
	struct proxy *proxy;
	int fd[2];	      /* 0 the tool's, 1 the broker's; -1 closed */
	struct lane lanes[2]; /* lane i comes from fd i */
	bool connecting;
	bool ending; /* one side has closed: the other closes when it has got all */
	uint64_t timer;
	struct link *next;
};

struct proxy {
	struct loop *loop;
	struct rng rng;
	int listener;
	uint16_t port, target;
	struct link *links;
	struct buf commands;
	uint64_t done[FAULT_COUNT];
	uint64_t accepted, bytes[2];
	/* the schedule */
	uint64_t faults_left, every_bytes;
	uint64_t next_fault; /* bytes from now */
	/* what holds until resume */
	uint64_t delay_ns, throttle;
	size_t tiny;
	bool black[2], hang;
};

static void pump(struct link *l);

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

/* The link is freed later, between two turns: its callers still look at it. */
static void close_link(struct link *l, bool reset)
{
	close_end(l, 0, reset);
	close_end(l, 1, reset);
}

static bool is_black(const struct link *l)
{
	return l->lanes[0].black || l->lanes[1].black;
}

/* A side is gone. A link that drops bytes also drops this: the other side learns nothing. */
static void side_gone(struct link *l, int side, bool reset)
{
	close_end(l, side, false);
	if (is_black(l))
		return;
	if (reset)
		close_link(l, true);
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

static void sweep(struct proxy *p)
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
	pump(l);
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

/* Writes what may go, and arranges for the rest. */
static void pump(struct link *l)
{
	uint64_t now_ns = chrono_now_ns();
	for (int i = 0; i < 2 && !l->connecting; i++) {
		let_due_pieces_go(&l->lanes[i], now_ns);
		write_lane(l, i);
	}
	for (int i = 0; i < 2 && l->ending; i++)
		if (l->fd[i] < 0 && waiting(&l->lanes[i]) == 0)
			close_link(l, false);
	if (l->fd[0] >= 0 || l->fd[1] >= 0)
		watch_ends(l);
}

/* ---- faults ---- */

/* Cuts or resets a link in the middle of what came: its last `drop` bytes do not go on. */
static void break_link(struct link *l, struct lane *lane, size_t drop, enum fault fault)
{
	lane->bytes.len -= drop;
	lane->due_bytes = waiting(lane);
	pump(l);
	close_link(l, fault == RESET);
}

static void plan_next_fault(struct proxy *p)
{
	p->next_fault = p->faults_left > 0 ? 1 + rng_below(&p->rng, 2 * p->every_bytes) : 0;
}

/* A fault of the schedule strikes, `rest` bytes before the end of what came. */
static void strike(struct link *l, struct lane *lane, size_t rest)
{
	struct proxy *p = l->proxy;
	enum fault fault = (enum fault)rng_below(&p->rng, SCHEDULED_FAULTS);
	p->done[fault]++;
	p->faults_left--;
	plan_next_fault(p);
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
	if (lane->cut_after != NO_LIMIT && lane->cut_after < came) {
		p->done[CUT]++;
		break_link(l, lane, came - lane->cut_after, CUT);
		return false;
	}
	if (lane->cut_after != NO_LIMIT)
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
			close_link(l, true);
	} else if (l->connecting && (revents & (POLLHUP | POLLERR))) {
		close_link(l, true);
	} else if (revents & (POLLIN | POLLHUP | POLLERR)) {
		read_side(l, side);
	}
	pump(l);
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
		l->lanes[i].cut_after = NO_LIMIT;
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

static void start_listening(struct proxy *p)
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

static void stop_listening(struct proxy *p)
{
	loop_unwatch(p->loop, p->listener);
	close(p->listener);
	p->listener = -1;
}

/* ---- commands ---- */

static void do_cut(struct proxy *p, uint64_t number, enum fault fault)
{
	(void)number;
	for (struct link *l = p->links; l != NULL; l = l->next) {
		p->done[fault] += l->fd[0] >= 0;
		close_link(l, fault == RESET);
	}
}

/* In the direction in which bytes come first. */
static void do_cut_after(struct proxy *p, uint64_t number, enum fault fault)
{
	(void)fault;
	for (struct link *l = p->links; l != NULL; l = l->next)
		l->lanes[0].cut_after = number;
}

static void do_delay(struct proxy *p, uint64_t number, enum fault fault)
{
	p->delay_ns = number * CHRONO_MS;
	p->done[fault]++;
}

static void do_fragment(struct proxy *p, uint64_t number, enum fault fault)
{
	p->tiny = (size_t)number;
	p->done[fault]++;
}

static void do_throttle(struct proxy *p, uint64_t number, enum fault fault)
{
	p->throttle = number;
	p->done[fault]++;
}

/* 0 both directions, 1 up, 2 down; of the links that are there and those to come. */
static void do_blackhole(struct proxy *p, uint64_t number, enum fault fault)
{
	for (int i = 0; i < 2; i++)
		p->black[i] = number != (uint64_t)(2 - i);
	for (struct link *l = p->links; l != NULL; l = l->next) {
		p->done[fault] += !is_black(l);
		for (int i = 0; i < 2; i++)
			l->lanes[i].black |= p->black[i];
	}
}

static void do_hang(struct proxy *p, uint64_t number, enum fault fault)
{
	(void)number, (void)fault;
	p->hang = true;
}

static void on_open_again(void *ctx, uint64_t now_ns)
{
	struct proxy *p = ctx;
	(void)now_ns;
	if (p->listener < 0)
		start_listening(p);
}

/* For so many milliseconds; 0: until resume. */
static void do_refuse(struct proxy *p, uint64_t number, enum fault fault)
{
	if (p->listener >= 0)
		stop_listening(p);
	if (number > 0)
		loop_at(p->loop, chrono_now_ns() + number * CHRONO_MS, on_open_again, p);
	p->done[fault]++;
}

/* What dropped bytes stays dead, as its bytes are missing; new connections are served. */
static void do_resume(struct proxy *p, uint64_t number, enum fault fault)
{
	(void)number, (void)fault;
	p->delay_ns = p->throttle = p->tiny = 0;
	p->black[0] = p->black[1] = p->hang = false;
	on_open_again(p, 0);
	for (struct link *l = p->links; l != NULL; l = l->next) {
		l->lanes[0].cut_after = l->lanes[1].cut_after = NO_LIMIT;
		l->lanes[0].free_ns = l->lanes[1].free_ns = 0;
		pump(l);
	}
}

static void do_nothing(struct proxy *p, uint64_t number, enum fault fault)
{
	(void)p, (void)number, (void)fault;
}

static const struct command {
	const char *name;
	void (*fn)(struct proxy *p, uint64_t number, enum fault fault);
	enum fault fault;
} commands[] = {
    {"cut", do_cut, CUT},
    {"reset", do_cut, RESET},
    {"cut-after", do_cut_after, CUT},	 /* N bytes more to the broker */
    {"delay", do_delay, DELAY},		 /* every byte by N ms */
    {"fragment", do_fragment, FRAGMENT}, /* writes of 1 to N bytes */
    {"throttle", do_throttle, THROTTLE}, /* N bytes a second each way */
    {"blackhole", do_blackhole, BLACKHOLE},
    {"hang", do_hang, HANG}, /* take connections, say nothing */
    {"refuse", do_refuse, REFUSE},
    {"resume", do_resume, FAULT_COUNT},
    {"state", do_nothing, FAULT_COUNT},
};

static void answer(const struct proxy *p, const char *word)
{
	unsigned links = 0;
	for (const struct link *l = p->links; l != NULL; l = l->next)
		links += l->fd[0] >= 0;
	printf("%s links=%u accepted=%" PRIu64 " up=%" PRIu64 " down=%" PRIu64 " left=%" PRIu64,
	    word, links, p->accepted, p->bytes[0], p->bytes[1], p->faults_left);
	for (size_t i = 0; i < FAULT_COUNT; i++)
		printf(" %s=%" PRIu64, fault_names[i], p->done[i]);
	printf("\n");
	fflush(stdout);
}

static void obey(struct proxy *p, struct slice line)
{
	const char *blank = memchr(line.ptr, ' ', line.len);
	size_t len = blank != NULL ? (size_t)(blank - line.ptr) : line.len;
	struct slice word = {line.ptr, len};
	struct error err = {0};
	uint64_t number = 0;
	if (blank != NULL && !num_parse_u64((struct slice){blank + 1, line.len - len - 1}, 0,
				 UINT32_MAX, &number, &err)) {
		answer(p, "bad");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (slice_is(word, commands[i].name)) {
			commands[i].fn(p, number, commands[i].fault);
			answer(p, "ok");
			return;
		}
	answer(p, "unknown");
}

static void on_command(void *ctx, short revents)
{
	struct proxy *p = ctx;
	const char *end;
	ssize_t n = read(STDIN_FILENO, buf_reserve(&p->commands, 4096), 4096);
	(void)revents;
	if (n <= 0) {
		loop_unwatch(p->loop, STDIN_FILENO);
		return;
	}
	p->commands.len += (size_t)n;
	while (
	    p->commands.len > 0 && (end = memchr(p->commands.ptr, '\n', p->commands.len)) != NULL) {
		size_t len = (size_t)(end - p->commands.ptr);
		obey(p, (struct slice){p->commands.ptr, len});
		buf_consume(&p->commands, len + 1);
	}
}

/* ---- the program ---- */

static uint64_t argument(int argc, char *argv[], int i, uint64_t otherwise)
{
	struct error err = {0};
	uint64_t value = otherwise;
	if (argc > i && !num_parse_u64(slice_str(argv[i]), 0, UINT64_MAX / 4, &value, &err)) {
		fprintf(stderr, "proxy: '%s' is %s\n", argv[i], err.text);
		exit(64);
	}
	return value;
}

int main(int argc, char *argv[])
{
	struct error err = {0};
	struct proxy p = {.listener = -1,
	    .target = (uint16_t)argument(argc, argv, 1, 5672),
	    .faults_left = argument(argc, argv, 3, 0),
	    .every_bytes = argument(argc, argv, 4, 100000)};
	rng_seed(&p.rng, argument(argc, argv, 2, 1));
	plan_next_fault(&p);
	p.loop = loop_create(&err);
	if (p.loop == NULL)
		die(err.text);
	start_listening(&p);
	loop_watch(p.loop, STDIN_FILENO, POLLIN, on_command, &p);
	printf("%u\n", p.port);
	fflush(stdout);
	while (!loop_stop_requested(p.loop) && loop_turn(p.loop, CHRONO_NEVER, &err))
		sweep(&p);
	answer(&p, "end");
	return err.kind == ERROR_NONE ? 0 : 1;
}
