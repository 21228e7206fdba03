#include "flow/source_lines.h"

#include "base/mem.h"
#include "model/record.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define READ_BYTES (64u * 1024)

struct source_lines {
	struct source_lines_options options;
	struct rng content, timing;
	struct pace pace;
	bool started, stopped, at_end, watching;
	int read_error; /* errno of a failed read */
	struct buf input;
	size_t input_at;   /* bytes of input already taken */
	size_t scanned;	   /* bytes of input known to hold no line feed */
	uint64_t line;	   /* number of the line last taken */
	uint64_t to_pass;  /* lines still to be passed over */
	uint64_t made;	   /* messages that the pattern has made */
	struct buf record; /* bytes of the message last read from a record */
};

struct source_lines *source_lines_create(const struct source_lines_options *options)
{
	struct source_lines *source = mem_alloc(1, sizeof *source);
	source->options = *options;
	source->to_pass = options->is_read_on ? 0 : options->skip;
	rng_seed(&source->content, options->seed);
	rng_seed(&source->timing, options->seed + 1);
	return source;
}

void source_lines_free(struct source_lines *source)
{
	if (source == NULL)
		return;
	if (source->watching)
		loop_unwatch(source->options.loop, source->options.fd);
	buf_release(&source->input);
	buf_release(&source->record);
	free(source);
}

/* ---- reading ---- */

static void on_readable(void *ctx, short revents)
{
	struct source_lines *source = ctx;
	(void)revents;
	if (source->input_at > 0) {
		buf_consume(&source->input, source->input_at);
		source->scanned -= source->input_at;
		source->input_at = 0;
	}
	char *room = buf_reserve(&source->input, READ_BYTES);
	ssize_t n = read(source->options.fd, room, READ_BYTES);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0)
		source->read_error = errno;
	if (n <= 0)
		source->at_end = true;
	else
		source->input.len += (size_t)n;
}

static void watch(struct source_lines *source, bool wanted)
{
	if (wanted && !source->watching)
		loop_watch(source->options.loop, source->options.fd, POLLIN, on_readable, source);
	else if (!wanted && source->watching)
		loop_unwatch(source->options.loop, source->options.fd);
	source->watching = wanted;
}

/* Takes the next whole line, without its line feed; the last one may lack it. */
static bool take_line(struct source_lines *source, struct slice *out)
{
	struct buf *in = &source->input;
	if (source->scanned < source->input_at)
		source->scanned = source->input_at;
	size_t left = in->len - source->scanned;
	const char *feed = left > 0 ? memchr(in->ptr + source->scanned, '\n', left) : NULL;
	source->scanned = feed != NULL ? source->scanned : in->len;
	if (feed == NULL && (!source->at_end || source->input_at == in->len))
		return false;
	const char *end = feed != NULL ? feed : in->ptr + in->len;
	*out =
	    (struct slice){in->ptr + source->input_at, (size_t)(end - in->ptr) - source->input_at};
	source->input_at = (size_t)(end - in->ptr) + (feed != NULL);
	source->scanned = source->input_at;
	source->line++;
	return true;
}

/* ---- lines to messages ---- */

/* What the settings say about a message, before the line says its own. */
static bool begin_message(
    struct source_lines *source, int64_t wall_ms, struct message *m, struct error *err)
{
	if (!pattern_render(
		source->options.pattern, &source->content, wall_ms, source->made, m, err))
		return false;
	source->made++;
	if (!source->options.is_routed)
		m->exchange = m->routing_key = (struct slice){0};
	return true;
}

static bool read_record(
    struct source_lines *source, struct slice line, struct message *m, struct error *err)
{
	struct message base;
	if (!begin_message(source, chrono_wall_ms(), &base, err) ||
	    !record_read(line, m, &source->record, err))
		return false;
	if (m->exchange.ptr == NULL && m->routing_key.ptr == NULL) {
		m->exchange = base.exchange;
		m->routing_key = base.routing_key;
	}
	return true;
}

static bool read_line(
    struct source_lines *source, struct slice line, struct message *m, struct error *err)
{
	if (source->options.format == SOURCE_LINES_RECORDS) {
		if (!read_record(source, line, m, err))
			return false;
	} else {
		if (!begin_message(source, chrono_wall_ms(), m, err))
			return false;
		pattern_set_body(source->options.pattern, line, m);
	}
	if (source->options.exchange.ptr != NULL)
		m->exchange = source->options.exchange;
	if (source->options.routing_key.ptr != NULL)
		m->routing_key = source->options.routing_key;
	if (m->exchange.ptr == NULL && m->routing_key.ptr == NULL)
		return error_set(err, ERROR_DATA,
		    "nothing says where it goes: give --exchange or --routing-key, or a message "
		    "of the settings");
	return true;
}

static bool is_blank_record(const struct source_lines *source, struct slice line)
{
	return source->options.format == SOURCE_LINES_RECORDS && slice_trim(line).len == 0;
}

static bool offer_line(
    struct source_lines *source, struct flow *flow, struct slice line, struct error *err)
{
	struct message m;
	if (source->options.format == SOURCE_LINES_AUTO)
		source->options.format =
		    record_looks_like(line) ? SOURCE_LINES_RECORDS : SOURCE_LINES_BODIES;
	if (is_blank_record(source, line))
		return true;
	if (source->to_pass > 0) {
		source->to_pass--;
		return true;
	}
	if (!read_line(source, line, &m, err))
		return error_context(
		    err, "%s:%llu", source->options.name, (unsigned long long)source->line);
	pace_take(&source->pace);
	struct flow_message offered = {.message = &m};
	flow_offer(flow, &offered, 0);
	return true;
}

/* ---- the turn ---- */

/* Makes what the settings say about the messages that were dealt with before. */
static bool start(struct source_lines *source, uint64_t now_ns, struct error *err)
{
	struct message m;
	int64_t wall_ms = chrono_wall_ms();
	source->started = true;
	pace_start(&source->pace, source->options.plan, &source->timing, now_ns);
	while (source->made < source->options.skip)
		if (!begin_message(source, wall_ms, &m, err))
			return false;
	return true;
}

static bool check_input(const struct source_lines *source, struct error *err)
{
	if (source->read_error != 0)
		return error_set(err, ERROR_IO, "cannot read %s: %s", source->options.name,
		    strerror(source->read_error));
	if (source->input.len - source->input_at > SOURCE_LINES_MAX_BYTES)
		return error_set(err, ERROR_DATA, "%s:%llu: a line of more than 256 MiB",
		    source->options.name, (unsigned long long)source->line + 1);
	return true;
}

static bool tick(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	struct source_lines *source = self;
	if (!source->started && !start(source, now_ns, err))
		return false;
	if (!check_input(source, err))
		return false;
	struct slice line;
	while (!source->stopped && flow_room(flow) > 0) {
		if (pace_due(&source->pace) > now_ns && source->to_pass == 0) {
			uint64_t due = pace_due(&source->pace);
			*wake_ns = due < *wake_ns ? due : *wake_ns;
			watch(source, false);
			return true;
		}
		if (!take_line(source, &line)) {
			watch(source, !source->at_end);
			return true;
		}
		if (!offer_line(source, flow, line, err))
			return false;
	}
	watch(source, false);
	return true;
}

static void settle(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	(void)self; /* a line is not put back */
	(void)token;
	(void)outcome;
}

static void stop(void *self)
{
	struct source_lines *source = self;
	source->stopped = true;
	watch(source, false);
}

static bool is_done(const void *self)
{
	const struct source_lines *source = self;
	bool used_up =
	    source->at_end && source->read_error == 0 && source->input_at == source->input.len;
	return source->stopped || used_up || (source->started && pace_done(&source->pace));
}

struct flow_source source_lines_source(struct source_lines *source)
{
	static const struct flow_source_kind kind = {tick, settle, stop, is_done};
	return (struct flow_source){&kind, source};
}
