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
#define RATE_NS CHRONO_S /* the rate shown is that of such a span */

struct progress {
	struct loop *loop;
	const struct flow *flow;
	uint64_t goal;
	const char *in_word, *out_word;
	uint64_t start_ns, timer;
	uint64_t span_ns, span_count; /* where the span of the rate began */
	double rate;
	bool drawn;
};

static void wipe(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

static double rate_since(uint64_t count, uint64_t since_ns, uint64_t now_ns)
{
	return (double)count * 1e9 / (double)(now_ns - since_ns + 1);
}

/* By the mean of the whole run: a pause does not make it forever. */
static void write_left(const struct progress *p, uint64_t done, uint64_t now_ns, struct buf *line)
{
	if (p->goal == FLOW_NO_LIMIT || done == 0 || done >= p->goal)
		return;
	double mean = rate_since(done, p->start_ns, now_ns);
	uint64_t seconds = (uint64_t)((double)(p->goal - done) / mean + 1);
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
	if (now_ns - p->span_ns >= RATE_NS) {
		p->rate = rate_since(done - p->span_count, p->span_ns, now_ns);
		p->span_ns = now_ns;
		p->span_count = done;
	} else if (p->span_ns == p->start_ns) {
		p->rate = rate_since(done, p->start_ns, now_ns);
	}
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
	num_format_count((uint64_t)(p->rate + 0.5), &line);
	buf_append_str(&line, "/s");
	write_left(p, done, now_ns, &line);
	cut_to_width(&line, strlen("\r\033[K"));
	fputs(line.ptr, stderr);
	fflush(stderr);
	buf_release(&line);
	p->drawn = true;
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
	    .span_ns = now};
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
