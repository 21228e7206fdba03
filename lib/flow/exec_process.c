#include "flow/exec_process.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define READ_BYTES (64 * 1024)
#define GRACE_NS (2 * CHRONO_S)

struct exec_process {
	struct exec_child child;
	struct slice unfed;
	struct buf result;
	uint64_t timer;
	enum exec_process_ending ending;
	bool is_killed; /* the whole group */
	exec_process_fn *on_end;
	void *ctx;
};

static void kill_group(struct exec_process *p, int number)
{
	exec_child_signal(&p->child, number);
	p->is_killed = p->is_killed || number == SIGKILL;
}

/* ---- standard input and output ---- */

/* Writes what the pipe takes, and closes it behind the last byte. A process that has closed its end
 * wants no more: that is no failure. */
static void feed(struct exec_process *p)
{
	while (p->unfed.len > 0) {
		ssize_t count = write(p->child.input, p->unfed.ptr, p->unfed.len);
		if (count < 0 && errno == EAGAIN)
			return;
		if (count < 0 && errno != EINTR)
			break;
		if (count > 0)
			p->unfed =
			    (struct slice){p->unfed.ptr + count, p->unfed.len - (size_t)count};
	}
	exec_child_close(&p->child, &p->child.input);
}

static void on_writable(void *ctx, short revents)
{
	(void)revents;
	feed(ctx);
}

/* Reads once, at most `most` bytes. */
static void read_some(struct exec_process *p, size_t most)
{
	char *room = buf_reserve(&p->result, most);
	ssize_t count = read(p->child.output, room, most);
	if (count > 0)
		p->result.len += (size_t)count;
	if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
		exec_child_close(&p->child, &p->child.output);
	if (p->result.len > EXEC_PROCESS_MAX_OUTPUT) {
		exec_child_close(&p->child, &p->child.output);
		if (p->ending == EXEC_PROCESS_ENDED)
			p->ending = EXEC_PROCESS_WROTE_TOO_MUCH;
		kill_group(p, SIGKILL);
	}
}

/* What a dead process has left in the pipe: that much and no more, because others may hold the
 * pipe open and go on writing. */
static void read_rest(struct exec_process *p)
{
	int left = 0;
	if (p->child.output >= 0 && ioctl(p->child.output, FIONREAD, &left) == 0 && left > 0)
		read_some(p, (size_t)left);
}

/* ---- the end ---- */

/* Who ran out of time and died may leave others of its group behind: they have their two seconds
 * too, as long as one of them holds the output. */
static bool is_over(const struct exec_process *p)
{
	return p->child.is_dead &&
	       (p->ending != EXEC_PROCESS_TIMED_OUT || p->is_killed || p->child.output < 0);
}

static void end_if_over(struct exec_process *p)
{
	if (!is_over(p))
		return;
	read_rest(p);
	if (p->ending != EXEC_PROCESS_ENDED)
		kill_group(p, SIGKILL);
	exec_child_close(&p->child, &p->child.input);
	exec_child_close(&p->child, &p->child.output);
	loop_cancel(p->child.loop, p->timer);
	const struct exec_process_result result = {
	    .ending = p->ending,
	    .wait_status = exec_child_reap(&p->child),
	    .output = buf_slice(&p->result),
	};
	p->on_end(p->ctx, &result);
}

static void on_readable(void *ctx, short revents)
{
	(void)revents;
	struct exec_process *p = ctx;
	read_some(p, READ_BYTES);
	end_if_over(p);
}

static void on_death(void *ctx)
{
	end_if_over(ctx);
}

static void on_grace_over(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	struct exec_process *p = ctx;
	kill_group(p, SIGKILL);
	end_if_over(p);
}

static void on_timeout(void *ctx, uint64_t now_ns)
{
	struct exec_process *p = ctx;
	if (p->ending == EXEC_PROCESS_ENDED)
		p->ending = EXEC_PROCESS_TIMED_OUT;
	kill_group(p, SIGTERM);
	p->timer = loop_at(p->child.loop, chrono_after(now_ns, GRACE_NS), on_grace_over, p);
}

/* ---- the start ---- */

struct exec_process *exec_process_start(
    struct loop *loop, const struct exec_process_spec *spec, struct error *err)
{
	struct exec_process *p = mem_alloc(1, sizeof *p);
	p->unfed = spec->input;
	p->on_end = spec->on_end;
	p->ctx = spec->ctx;
	if (!exec_child_start(&p->child, loop, &spec->program, on_death, p, err)) {
		exec_process_free(p);
		return NULL;
	}
	loop_watch(loop, p->child.output, POLLIN, on_readable, p);
	feed(p);
	if (p->child.input >= 0)
		loop_watch(loop, p->child.input, POLLOUT, on_writable, p);
	if (spec->timeout_ns > 0)
		p->timer =
		    loop_at(loop, chrono_after(chrono_now_ns(), spec->timeout_ns), on_timeout, p);
	return p;
}

void exec_process_free(struct exec_process *p)
{
	if (p == NULL)
		return;
	if (p->timer != 0)
		loop_cancel(p->child.loop, p->timer);
	exec_child_release(&p->child);
	buf_release(&p->result);
	free(p);
}
