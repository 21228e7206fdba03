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
#include "links.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const fault_names[] = {
    "cut", "reset", "delay", "fragment", "blackhole", "hang", "refuse", "throttle"};

/* ---- commands ---- */

static void do_cut(struct proxy *p, uint64_t number, enum fault fault)
{
	(void)number;
	for (struct link *l = p->links; l != NULL; l = l->next) {
		p->done[fault] += l->fd[0] >= 0;
		links_close(l, fault == RESET);
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
		p->done[fault] += !links_is_black(l);
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
		links_listen(p);
}

/* For so many milliseconds; 0: until resume. */
static void do_refuse(struct proxy *p, uint64_t number, enum fault fault)
{
	if (p->listener >= 0)
		links_refuse(p);
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
		l->lanes[0].cut_after = l->lanes[1].cut_after = LINKS_NO_LIMIT;
		l->lanes[0].free_ns = l->lanes[1].free_ns = 0;
		links_pump(l);
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
	links_plan_fault(&p);
	p.loop = loop_create(&err);
	if (p.loop == NULL) {
		fprintf(stderr, "proxy: %s\n", err.text);
		return 1;
	}
	links_listen(&p);
	loop_watch(p.loop, STDIN_FILENO, POLLIN, on_command, &p);
	printf("%u\n", p.port);
	fflush(stdout);
	while (!loop_stop_requested(p.loop) && loop_turn(p.loop, CHRONO_NEVER, &err))
		links_sweep(&p);
	answer(&p, "end");
	do_cut(&p, 0, CUT);
	links_sweep(&p);
	loop_free(p.loop);
	buf_release(&p.commands);
	return err.kind == ERROR_NONE ? 0 : 1;
}
