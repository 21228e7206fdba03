#include "bench/perftest_private.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool perftest_accept(
    const struct perftest_job *job, const char *value, const char *accepted, struct error *err)
{
	return perftest_refuse(job->given, value, err, "accepted: %s", accepted);
}

bool perftest_next_part(const char **rest, struct slice *part)
{
	const char *from = *rest;
	if (from[strspn(from, ",")] == '\0')
		return false;
	*part = (struct slice){from, strcspn(from, ",")};
	*rest = from + part->len + (from[part->len] == ',');
	return true;
}

typedef bool convert_fn(const struct perftest_job *job, struct error *err);

static bool set(const struct perftest_job *job, const char *text)
{
	perftest_set(job->result, job->given->row->target, text, NULL);
	return true;
}

/* For numbers and what stands around them. */
static bool set_printf(const struct perftest_job *job, const char *fmt, ...) ERROR_FORMAT(2, 3);

static bool set_printf(const struct perftest_job *job, const char *fmt, ...)
{
	char text[64];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return set(job, text);
}

/* ---- numbers ---- */

/* Java's Integer.parseInt: 32 bits, either sign. */
static bool read_whole(struct slice text, int64_t *out)
{
	struct error unused = {0};
	if (text.len > 1 && text.ptr[0] == '+' && text.ptr[1] != '-')
		text = (struct slice){text.ptr + 1, text.len - 1};
	return num_parse_i64(text, INT32_MIN, INT32_MAX, out, &unused);
}

static bool take_whole(const struct perftest_job *job, int64_t *out, struct error *err)
{
	return read_whole(slice_str(job->value), out) ||
	       perftest_accept(job, job->value, "a whole number", err);
}

static bool convert_count(const struct perftest_job *job, struct error *err)
{
	int64_t number;
	if (!take_whole(job, &number, err))
		return false;
	if (number < 0)
		return perftest_accept(job, job->value, "a whole number from 0", err);
	return set_printf(job, "%lld", (long long)number);
}

/* A whole number above 0 with a unit behind it; others set nothing. */
static bool convert_unit(const struct perftest_job *job, const char *unit, struct error *err)
{
	int64_t number;
	if (!take_whole(job, &number, err))
		return false;
	return number <= 0 || set_printf(job, "%lld%s", (long long)number, unit);
}

static bool convert_bound(const struct perftest_job *job, struct error *err)
{
	return convert_unit(job, "", err);
}

static bool convert_seconds(const struct perftest_job *job, struct error *err)
{
	return convert_unit(job, "s", err);
}

static bool convert_millis(const struct perftest_job *job, struct error *err)
{
	return convert_unit(job, "ms", err);
}

/* In the largest unit that is exact: 1500000 -> 1500ms. */
static void write_micros(uint64_t us, struct buf *out)
{
	static const struct {
		uint64_t factor;
		const char *name;
	} units[] = {{1000000, "s"}, {1000, "ms"}, {1, "us"}};
	size_t i = 0;
	while (us % units[i].factor != 0)
		i++;
	buf_append_u64(out, us / units[i].factor);
	buf_append_str(out, units[i].name);
}

static bool set_micros(const struct perftest_job *job, uint64_t us)
{
	struct buf text = {0};
	write_micros(us, &text);
	set(job, text.ptr);
	buf_release(&text);
	return true;
}

static bool convert_micros(const struct perftest_job *job, struct error *err)
{
	int64_t number;
	if (!take_whole(job, &number, err))
		return false;
	return number <= 0 || set_micros(job, (uint64_t)number);
}

static bool take_real(const struct perftest_job *job, double *out, struct error *err)
{
	struct error unused = {0};
	return num_parse_double(slice_str(job->value), out, &unused) ||
	       perftest_accept(job, job->value, "a number", err);
}

static bool convert_interval(const struct perftest_job *job, struct error *err)
{
	double seconds;
	if (!take_real(job, &seconds, err))
		return false;
	if (seconds < 0.1 || seconds > INT32_MAX)
		return perftest_accept(job, job->value, "a number of seconds from 0.1", err);
	return set_micros(job, (uint64_t)(seconds * 1000 + 1e-6) * 1000); /* whole ms, as there */
}

static bool convert_rate(const struct perftest_job *job, struct error *err)
{
	double rate;
	if (!take_real(job, &rate, err))
		return false;
	if (rate < 0)
		return true;
	if (rate < 1e15 && rate == (double)(uint64_t)rate)
		return set_printf(job, "%llu/s", (unsigned long long)rate);
	struct buf text = {0};
	num_format_double(rate, &text);
	set_printf(job, "%s/s", text.ptr);
	buf_release(&text);
	return true;
}

static uint64_t size_of(int64_t bytes)
{
	return bytes < 12 ? 12 : (uint64_t)bytes;
}

static bool convert_size(const struct perftest_job *job, struct error *err)
{
	int64_t bytes;
	if (!take_whole(job, &bytes, err))
		return false;
	set_printf(job, "%llu", (unsigned long long)size_of(bytes));
	if (bytes < 12)
		perftest_value(job->result, "size")->comment = "PerfTest's smallest";
	return true;
}

static bool convert_confirm(const struct perftest_job *job, struct error *err)
{
	int64_t most;
	if (!take_whole(job, &most, err))
		return false;
	if (most == 0)
		perftest_set(
		    job->result, "confirm", "65535", "PerfTest's 0: confirms without a bound");
	return most <= 0 || set_printf(job, "%lld", (long long)most);
}

static bool convert_port(const struct perftest_job *job, struct error *err)
{
	int64_t port;
	if (!take_whole(job, &port, err))
		return false;
	if (port < 0 || port > UINT16_MAX)
		return perftest_accept(job, job->value, "a port from 0 to 65535", err);
	if (!perftest_is_set(job->result, "metrics"))
		perftest_note(
		    job->result, job->given, "without --metrics-prometheus it does nothing");
	else
		set_printf(job, "0.0.0.0:%lld", (long long)port);
	return true;
}

/* ---- VALUE:SECONDS ---- */

typedef void write_fn(int64_t value, struct buf *out);

static bool convert_steps(const struct perftest_job *job, write_fn *write, struct error *err)
{
	for (size_t i = 0; i < job->given->count; i++) {
		const char *text = job->given->values[i], *colon = strchr(text, ':');
		int64_t value, seconds;
		if (colon == NULL ||
		    !read_whole((struct slice){text, (size_t)(colon - text)}, &value) ||
		    value < 0 || !read_whole(slice_str(colon + 1), &seconds) || seconds <= 0)
			return perftest_accept(
			    job, text, "VALUE:SECONDS, two whole numbers such as 100:60", err);
		struct buf step = {0};
		write(value, &step);
		buf_printf(&step, ":%llds", (long long)seconds);
		perftest_add(job->result, job->given->row->target, step.ptr);
		buf_release(&step);
	}
	return true;
}

static void write_rate_step(int64_t rate, struct buf *out)
{
	buf_printf(out, "%lld/s", (long long)rate);
}

static void write_size_step(int64_t bytes, struct buf *out)
{
	buf_append_u64(out, size_of(bytes));
}

static void write_latency_step(int64_t us, struct buf *out)
{
	write_micros((uint64_t)us, out);
}

static bool convert_rates(const struct perftest_job *job, struct error *err)
{
	return convert_steps(job, write_rate_step, err);
}

static bool convert_sizes(const struct perftest_job *job, struct error *err)
{
	return convert_steps(job, write_size_step, err);
}

static bool convert_latencies(const struct perftest_job *job, struct error *err)
{
	return convert_steps(job, write_latency_step, err);
}

/* ---- texts ---- */

static bool convert_nothing(const struct perftest_job *job, struct error *err)
{
	(void)err;
	perftest_note(job->result, job->given, job->given->row->reason);
	return true;
}

static bool convert_lost_number(const struct perftest_job *job, struct error *err)
{
	int64_t number;
	return take_whole(job, &number, err) && convert_nothing(job, err);
}

static bool convert_flag(const struct perftest_job *job, struct error *err)
{
	(void)err;
	return set(job, "true");
}

static bool convert_boolean(const struct perftest_job *job, struct error *err)
{
	(void)err;
	return set(job, strcasecmp(job->value, "true") == 0 ? "true" : "false");
}

static bool convert_text(const struct perftest_job *job, struct error *err)
{
	(void)err;
	return set(job, job->value);
}

static bool add_parts(const struct perftest_job *job, bool trim)
{
	const char *rest = job->value;
	perftest_unset(job->result, job->given->row->target);
	for (struct slice part; perftest_next_part(&rest, &part);) {
		part = trim ? slice_trim(part) : part;
		char *item = mem_strndup(part.ptr, part.len);
		perftest_add(job->result, job->given->row->target, item);
		free(item);
	}
	return true;
}

static bool convert_texts(const struct perftest_job *job, struct error *err)
{
	(void)err;
	return add_parts(job, false);
}

static bool convert_files(const struct perftest_job *job, struct error *err)
{
	(void)err;
	return add_parts(job, true);
}

static bool convert_flags(const struct perftest_job *job, struct error *err)
{
	(void)err;
	bool is_known = true;
	for (size_t i = 0; i < job->given->count; i++) {
		const char *flag = job->given->values[i];
		bool is_flag = strcmp(flag, "persistent") == 0 || strcmp(flag, "mandatory") == 0;
		is_known &= is_flag;
		if (is_flag)
			perftest_add_once(job->result, "flag", flag);
	}
	if (!is_known)
		perftest_note(
		    job->result, job->given, "PerfTest knows persistent and mandatory only");
	return true;
}

static bool convert_exchange(const struct perftest_job *job, struct error *err)
{
	(void)err;
	if (job->value == NULL)
		return true;
	return set(job, strcmp(job->value, "amq.default") == 0 ? "" : job->value);
}

/* A word out of a few, as it is. */
static bool convert_choice(
    const struct perftest_job *job, const char *const choices[], struct error *err)
{
	struct buf accepted = {0};
	bool found = false;
	for (size_t i = 0; choices[i] != NULL && !found; i++) {
		found = strcmp(job->value, choices[i]) == 0;
		buf_printf(&accepted, "%s%s", i > 0 ? " or " : "", choices[i]);
	}
	if (found)
		set(job, job->value);
	else
		perftest_accept(job, job->value, accepted.ptr, err);
	buf_release(&accepted);
	return found;
}

static bool convert_exit(const struct perftest_job *job, struct error *err)
{
	static const char *const choices[] = {"empty", "idle", NULL};
	return convert_choice(job, choices, err);
}

static bool convert_format(const struct perftest_job *job, struct error *err)
{
	static const char *const choices[] = {"default", "compact", NULL};
	if (!convert_choice(job, choices, err))
		return false;
	return strcmp(job->value, "default") != 0 || set(job, "table");
}

static bool convert_clock(const struct perftest_job *job, struct error *err)
{
	(void)err;
	return set(job, "wall");
}

static bool convert_prometheus(const struct perftest_job *job, struct error *err)
{
	(void)err;
	perftest_set(job->result, "metrics", "0.0.0.0:8080", "on every address, as PerfTest");
	return true;
}

static bool convert_offset(const struct perftest_job *job, struct error *err)
{
	static const char *const names[] = {"first", "last", "next"};
	struct error unused = {0};
	uint64_t number;
	int64_t wall_ms;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(job->value, names[i]) == 0)
			return set(job, names[i]);
	if (num_parse_u64(slice_str(job->value), 0, UINT64_MAX, &number, &unused) ||
	    chrono_parse(slice_str(job->value), &wall_ms, &unused))
		return set(job, job->value);
	return perftest_accept(job, job->value,
	    "first, last, next, a number or a time such as 2022-06-03T07:45:54Z", err);
}

/* "30" or "30-60", seconds between two tries. */
static bool convert_reconnect(const struct perftest_job *job, struct error *err)
{
	const char *dash = strchr(job->value, '-');
	size_t len = dash != NULL ? (size_t)(dash - job->value) : strlen(job->value);
	struct error unused = {0};
	uint64_t from, to;
	bool good = num_parse_u64((struct slice){job->value, len}, 0, INT32_MAX, &from, &unused);
	to = from;
	if (good && dash != NULL)
		good = num_parse_u64(slice_str(dash + 1), from + 1, INT32_MAX, &to, &unused);
	if (!good)
		return perftest_accept(job, job->value, "seconds, such as 30 or 30-60", err);
	return set_printf(
	    job, "{from: %llus, to: %llus}", (unsigned long long)from, (unsigned long long)to);
}

static convert_fn *const converters[PERFTEST_KINDS] = {
    [PERFTEST_NOT_CARRIED] = convert_nothing,
    [PERFTEST_NUMBER_NOT_CARRIED] = convert_lost_number,
    [PERFTEST_FLAG] = convert_flag,
    [PERFTEST_TEXT] = convert_text,
    [PERFTEST_TEXTS] = convert_texts,
    [PERFTEST_FILES] = convert_files,
    [PERFTEST_BOOLEAN] = convert_boolean,
    [PERFTEST_COUNT] = convert_count,
    [PERFTEST_BOUND] = convert_bound,
    [PERFTEST_SECONDS] = convert_seconds,
    [PERFTEST_MILLIS] = convert_millis,
    [PERFTEST_MICROS] = convert_micros,
    [PERFTEST_INTERVAL] = convert_interval,
    [PERFTEST_RATE] = convert_rate,
    [PERFTEST_SIZE] = convert_size,
    [PERFTEST_RATES] = convert_rates,
    [PERFTEST_SIZES] = convert_sizes,
    [PERFTEST_LATENCIES] = convert_latencies,
    [PERFTEST_FLAGS] = convert_flags,
    [PERFTEST_ARGUMENTS] = perftest_convert_arguments,
    [PERFTEST_PROPERTIES] = perftest_convert_properties,
    [PERFTEST_EXCHANGE] = convert_exchange,
    [PERFTEST_QUORUM] = perftest_convert_quorum,
    [PERFTEST_STREAM] = perftest_convert_stream,
    [PERFTEST_LENGTH_BYTES] = perftest_convert_length_bytes,
    [PERFTEST_SEGMENT_BYTES] = perftest_convert_segment_bytes,
    [PERFTEST_AGE] = perftest_convert_age,
    [PERFTEST_LEADER] = perftest_convert_leader,
    [PERFTEST_OFFSET] = convert_offset,
    [PERFTEST_CONFIRM] = convert_confirm,
    [PERFTEST_EXIT] = convert_exit,
    [PERFTEST_FORMAT] = convert_format,
    [PERFTEST_CLOCK] = convert_clock,
    [PERFTEST_PROMETHEUS] = convert_prometheus,
    [PERFTEST_PORT] = convert_port,
    [PERFTEST_RECONNECT] = convert_reconnect,
};

/* In the order of the rows, so that later ones find what earlier ones set. Of an option that is
 * given twice PerfTest takes the first, or all where it takes many. */
bool perftest_convert(struct perftest_result *r, struct error *err)
{
	const struct perftest_command *c = r->command;
	for (size_t i = 0; i < perftest_row_count; i++) {
		const struct perftest_row *row = &perftest_rows[i];
		bool is_taken = false;
		for (size_t n = 0; n < c->given_count; n++) {
			const struct perftest_given *given = &c->given[n];
			if (given->row != row)
				continue;
			struct perftest_job job = {
			    r, given, given->count > 0 ? given->values[0] : NULL};
			if (is_taken && row->takes == PERFTEST_TAKES_NOTHING)
				continue;
			if (is_taken && row->takes != PERFTEST_TAKES_MANY)
				perftest_note(r, given, "given twice; PerfTest takes the first");
			else if (!converters[row->kind](&job, err))
				return false;
			is_taken = true;
		}
	}
	return true;
}
