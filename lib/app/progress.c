#include "app/progress.h"

#include "base/buf.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_NS (250 * CHRONO_MS)

struct progress {
	struct loop *loop;
	const struct flow *flow;
	uint64_t goal;
	const char *in_word, *out_word;
	uint64_t start_ns, timer;
	uint64_t last_ns, last_count; /* of the rate shown */
	bool drawn;
};

static void wipe(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

static void write_left(const struct progress *p, uint64_t done, double rate, struct buf *line)
{
	if (p->goal == FLOW_NO_LIMIT || rate <= 0 || done >= p->goal)
		return;
	uint64_t seconds = (uint64_t)((double)(p->goal - done) / rate + 1);
	if (seconds < 60)
		buf_printf(line, ", %us left", (unsigned)seconds);
	else
		buf_printf(line, ", %lum %us left", (unsigned long)(seconds / 60),
		    (unsigned)(seconds % 60));
}

/* A line that wraps could not be wiped. `invisible` bytes of it take no room. */
static void cut_to_width(struct buf *line, size_t invisible)
{
	struct winsize size = {0};
	bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
	size_t most = invisible + (known ? size.ws_col - 1u : 79u);
	if (line->len > most)
		buf_truncate(line, most);
}

static void draw(struct progress *p, uint64_t now_ns)
{
	const struct flow_counts *c = flow_counts(p->flow);
	uint64_t done = c->fates[FLOW_ACCEPTED];
	double rate = (double)(done - p->last_count) * 1e9 / (double)(now_ns - p->last_ns + 1);
	struct buf line = {0};
	buf_append_str(&line, "\r\033[K");
	num_format_count(c->offered, &line);
	if (p->goal != FLOW_NO_LIMIT) {
		buf_append_str(&line, " of ");
		num_format_count(p->goal, &line);
	}
	buf_printf(&line, " %s, ", p->in_word);
	num_format_count(done, &line);
	buf_printf(&line, " %s, ", p->out_word);
	num_format_count((uint64_t)(rate + 0.5), &line);
	buf_append_str(&line, "/s");
	write_left(p, done, rate, &line);
	cut_to_width(&line, strlen("\r\033[K"));
	fputs(line.ptr, stderr);
	fflush(stderr);
	buf_release(&line);
	p->drawn = true;
	p->last_ns = now_ns;
	p->last_count = done;
}

static void on_timer(void *ctx, uint64_t now_ns)
{
	struct progress *p = ctx;
	draw(p, now_ns);
	p->timer = loop_at(p->loop, now_ns + REDRAW_NS, on_timer, p);
}

static void around_log_line(void *ctx, bool before)
{
	if (before)
		wipe(ctx);
}

struct progress *progress_start(struct loop *loop, const struct flow *flow, uint64_t goal,
    const char *in_word, const char *out_word)
{
	if (!isatty(STDERR_FILENO))
		return NULL;
	struct progress *p = mem_alloc(1, sizeof *p);
	uint64_t now = chrono_now_ns();
	*p = (struct progress){.loop = loop,
	    .flow = flow,
	    .goal = goal,
	    .in_word = in_word,
	    .out_word = out_word,
	    .start_ns = now,
	    .last_ns = now};
	p->timer = loop_at(loop, now + REDRAW_NS, on_timer, p);
	log_set_hook(around_log_line, p);
	return p;
}

void progress_stop(struct progress *p)
{
	if (p == NULL)
		return;
	log_set_hook(NULL, NULL);
	loop_cancel(p->loop, p->timer);
	wipe(p);
	free(p);
}
