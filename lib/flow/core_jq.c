#include "flow/core_jq.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/death.h"
#include "model/table.h"

#include <jq.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#define DEFAULT_LIMIT_NS (5 * CHRONO_S)
#define MAX_COMPLAINT_BYTES 400

struct core_jq {
	jq_state *jq;
	enum flow_fate hidden_fate;
	unsigned used; /* bit i: the expression may read variables[i] */
	struct itimerval limit;
	struct buf complaint; /* jq's first, while it compiles */
	struct buf scratch;
	uint64_t hidden, errors;
};

/* ---- what jq sees ---- */

static jv string_value(struct slice s)
{
	if (s.len == 0)
		return jv_string("");
	return s.len <= INT_MAX ? jv_string_sized(s.ptr, (int)s.len) : jv_null();
}

/* Not jv_parse_sized: on failure that one reads its input up to a NUL that is not there. */
static bool parse_json(struct slice text, jv *out)
{
	if (text.len > INT_MAX)
		return false;
	struct jv_parser *parser = jv_parser_new(0);
	jv_parser_set_buf(parser, text.ptr, (int)text.len, 0);
	jv value = jv_parser_next(parser);
	bool good = jv_is_valid(value);
	if (good) { /* what follows has to be nothing, not another value nor rubbish */
		jv rest = jv_parser_next(parser);
		good = !jv_is_valid(rest) && !jv_invalid_has_msg(jv_copy(rest));
		jv_free(rest);
	}
	jv_parser_free(parser);
	if (good)
		*out = value;
	else
		jv_free(value);
	return good;
}

static jv body_value(struct slice body)
{
	jv value;
	if (parse_json(body, &value))
		return value;
	return text_is_utf8(body) ? string_value(body) : jv_null();
}

static jv exchange_value(struct core_jq *core, const struct flow_message *m)
{
	(void)core;
	return string_value(m->message->exchange);
}

static jv routing_key_value(struct core_jq *core, const struct flow_message *m)
{
	(void)core;
	return string_value(m->message->routing_key);
}

static jv queue_value(struct core_jq *core, const struct flow_message *m)
{
	(void)core;
	return string_value(m->queue);
}

static jv redelivered_value(struct core_jq *core, const struct flow_message *m)
{
	(void)core;
	return jv_bool(m->redelivered);
}

static jv property_value(const struct message *m, const struct message_property_row *row)
{
	const char *member = (const char *)m + row->offset;
	switch (row->value) {
	case MESSAGE_VALUE_OCTET:
		return jv_number(*(const uint8_t *)member);
	case MESSAGE_VALUE_TIMESTAMP:
		return jv_number((double)*(const uint64_t *)(const void *)member);
	case MESSAGE_VALUE_TEXT:
	case MESSAGE_VALUE_TABLE:
		break;
	}
	return string_value(*message_slice_const(m, row));
}

static jv properties_value(struct core_jq *core, const struct flow_message *m)
{
	(void)core;
	jv all = jv_object();
	for (size_t i = 0; i < ARRAY_LEN(message_properties); i++) {
		const struct message_property_row *row = &message_properties[i];
		if ((m->message->present & row->bit) != 0 && row->bit != MESSAGE_HEADERS)
			all = jv_object_set(
			    all, jv_string(row->name), property_value(m->message, row));
	}
	return all;
}

/* Without headers an empty object, so that `$headers | has("x")` works; damaged ones are null. */
static jv headers_value(struct core_jq *core, const struct flow_message *m)
{
	if ((m->message->present & MESSAGE_HEADERS) == 0)
		return jv_object();
	struct error ignored = {0}; /* null says it */
	jv value;
	buf_clear(&core->scratch);
	if (!table_write_json(m->message->headers, &core->scratch, &ignored) ||
	    !parse_json(buf_slice(&core->scratch), &value))
		return jv_null();
	return value;
}

static jv death_value(struct core_jq *core, const struct flow_message *m)
{
	struct death d;
	jv value;
	death_read(m->message, &d);
	buf_clear(&core->scratch);
	death_write_json(&d, &core->scratch);
	return parse_json(buf_slice(&core->scratch), &value) ? value : jv_null();
}

static const struct variable {
	const char *name;
	jv (*value)(struct core_jq *core, const struct flow_message *m);
} variables[] = {
    {"exchange", exchange_value},
    {"routing_key", routing_key_value},
    {"queue", queue_value},
    {"redelivered", redelivered_value},
    {"properties", properties_value},
    {"headers", headers_value},
    {"death", death_value},
};

/* {body: .., NAME: ..} for the variables that may be read. */
static jv input_value(struct core_jq *core, const struct flow_message *m)
{
	jv input = jv_object_set(jv_object(), jv_string("body"), body_value(m->message->body));
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if ((core->used & 1U << i) != 0)
			input = jv_object_set(
			    input, jv_string(variables[i].name), variables[i].value(core, m));
	return input;
}

/* ---- the watchdog ---- */

/* jq cannot be interrupted, so a message that takes too long ends the process, and the broker gives
 * what is not settled to the next consumer. Only calls that a signal handler may make. */
static void on_alarm(int number)
{
	static const char text[] =
	    "error: the filter did not come to an end on a message; giving up, so that "
	    "the broker delivers again what is not settled\n";
	(void)number;
	IGNORE_RESULT(write(STDERR_FILENO, text, sizeof text - 1)); /* nowhere left to complain */
	_exit(ERROR_INTERNAL);
}

/* The same, where jq would abort. */
static void on_no_memory(void *ctx)
{
	static const char text[] = "error: the filter needs more memory than there is\n";
	(void)ctx;
	IGNORE_RESULT(write(STDERR_FILENO, text, sizeof text - 1)); /* nowhere left to complain */
	_exit(ERROR_INTERNAL);
}

static void watch_alarm(void)
{
	struct sigaction action = {.sa_handler = on_alarm};
	sigemptyset(&action.sa_mask);
	sigaction(SIGALRM, &action, NULL);
}

static void disarm(void)
{
	const struct itimerval never = {0};
	setitimer(ITIMER_REAL, &never, NULL);
}

void core_jq_set_limit(struct core_jq *core, uint64_t limit_ns)
{
	core->limit = (struct itimerval){
	    .it_value = {(time_t)(limit_ns / CHRONO_S), (suseconds_t)(limit_ns % CHRONO_S / 1000)},
	};
}

/* ---- compiling ---- */

/* jq complains in several calls; the first tells the cause, the last only how many there were. */
static void keep_complaint(void *ctx, jv message)
{
	struct core_jq *core = ctx;
	if (core->complaint.len == 0 && jv_get_kind(message) == JV_KIND_STRING)
		buf_append_str(&core->complaint, jv_string_value(message));
	jv_free(message);
}

/*
 * jq says "jq: error: WHAT (Unix shell quoting issues?) at <top-level>, line N:" and then quotes
 * the line, with what we put in front of it. WHAT stays, and N when there are several lines.
 */
static bool refuse(const char *expression, const struct buf *complaint, struct error *err)
{
	static const char opening[] = "jq: error: ", place[] = " at <top-level>";
	const char *said = complaint->len > 0 ? complaint->ptr : "no reason given";
	if (strncmp(said, opening, strlen(opening)) == 0)
		said += strlen(opening);
	const char *end = strstr(said, place);
	const char *line = end != NULL ? end + strlen(place) : "";
	const char *remark = strstr(said, " (Unix shell quoting");
	if (remark != NULL && (end == NULL || remark < end))
		end = remark;
	struct slice what = {said, end != NULL ? (size_t)(end - said) : strcspn(said, "\n")};
	struct buf reason = {0};
	text_escape(what, MAX_COMPLAINT_BYTES, &reason);
	if (strchr(expression, '\n') != NULL && strncmp(line, ", ", 2) == 0)
		buf_printf(&reason, " (%.*s)", (int)strcspn(line + 2, ":\n"), line + 2);
	char *name = text_quote(slice_str(expression));
	error_set(err, ERROR_USAGE, "cannot compile the jq expression '%s': %s", name, reason.ptr);
	free(name);
	buf_release(&reason);
	return false;
}

/*
 * The expression stands behind the last `|` and not in parentheses, so that it cannot close them
 * and errors are about its own text; on the first line, so that its lines count from 1. What is
 * blinded: the environment, where passwords are, and standard error, where `stderr` writes raw
 * bytes.
 */
static char *wrap(const struct core_jq *core, const char *expression)
{
	struct buf program = {0};
	buf_append_str(&program, "def env: {}; def stderr: .; {} as $ENV | ");
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if ((core->used & 1U << i) != 0)
			buf_printf(&program, ".%s as $%s | ", variables[i].name, variables[i].name);
	buf_append_str(&program, ".body | ");
	buf_append_str(&program, expression);
	return buf_take(&program);
}

/* jq reads ~/.jq into every program: a file that means another thing on every machine. */
static bool compile_without_home(jq_state *jq, const char *program)
{
	const char *home = getenv("HOME");
	char *kept = home != NULL ? mem_strdup(home) : NULL;
	setenv("HOME", "/dev/null", 1);
	bool good = jq_compile(jq, program) != 0;
	if (kept != NULL)
		setenv("HOME", kept, 1);
	else
		unsetenv("HOME");
	free(kept);
	return good;
}

static bool compile(struct core_jq *core, const char *expression, struct error *err)
{
	core->jq = jq_init();
	if (core->jq == NULL)
		return error_set(err, ERROR_INTERNAL, "cannot start jq");
	jq_set_error_cb(core->jq, keep_complaint, core);
	jq_set_nomem_handler(core->jq, on_no_memory, NULL);
	jq_set_debug_cb(core->jq, NULL, NULL); /* jq 1.6 leaves these two uninitialised, */
	jq_set_input_cb(core->jq, NULL, NULL); /* and `debug` and `input` call them */
	jq_set_attr(core->jq, jv_string("JQ_LIBRARY_PATH"), jv_array()); /* unset: jq may abort */
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (strstr(expression, variables[i].name) != NULL)
			core->used |= 1U << i;
	char *program = wrap(core, expression);
	bool good = compile_without_home(core->jq, program);
	free(program);
	return good || refuse(expression, &core->complaint, err);
}

struct core_jq *core_jq_create(const char *expression, enum flow_fate hidden, struct error *err)
{
	struct core_jq *core = mem_alloc(1, sizeof *core);
	core->hidden_fate = hidden;
	core_jq_set_limit(core, DEFAULT_LIMIT_NS);
	if (!compile(core, expression, err)) {
		core_jq_free(core);
		return NULL;
	}
	watch_alarm();
	return core;
}

void core_jq_free(struct core_jq *core)
{
	if (core == NULL)
		return;
	if (core->jq != NULL)
		jq_teardown(&core->jq);
	buf_release(&core->complaint);
	buf_release(&core->scratch);
	free(core);
}

/* ---- messages ---- */

/* A filter that fails on one message tends to fail on all of them: one line is enough. */
static void note_failure(struct core_jq *core, jv message)
{
	if (core->errors++ == 0) {
		if (jv_get_kind(message) != JV_KIND_STRING)
			message = jv_dump_string(message, 0);
		const char *bytes = jv_string_value(message);
		struct slice said = {bytes, (size_t)jv_string_length_bytes(jv_copy(message))};
		char *quoted = text_quote(said);
		log_write(LOG_WARNING,
		    "the filter fails on a message and hides it: %s (further failures are "
		    "only counted)",
		    quoted);
		free(quoted);
	}
	jv_free(message);
}

static jv run(struct core_jq *core, const struct flow_message *m)
{
	setitimer(ITIMER_REAL, &core->limit, NULL);
	jq_start(core->jq, input_value(core, m), 0);
	jv first = jq_next(core->jq);
	disarm();
	return first;
}

bool core_jq_passes(struct core_jq *core, const struct flow_message *m)
{
	jv first = run(core, m);
	jv_kind kind = jv_get_kind(first);
	if (kind == JV_KIND_INVALID && jv_invalid_has_msg(jv_copy(first)))
		note_failure(core, jv_invalid_get_msg(first));
	else
		jv_free(first);
	return kind != JV_KIND_INVALID && kind != JV_KIND_NULL && kind != JV_KIND_FALSE;
}

static enum flow_answer apply(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)flow, (void)slot, (void)out;
	struct core_jq *core = self;
	if (core_jq_passes(core, in))
		return FLOW_PASS;
	core->hidden++;
	verdict->fate = core->hidden_fate;
	return FLOW_SETTLE;
}

struct flow_core core_jq_core(struct core_jq *core)
{
	static const struct flow_core_kind kind = {.apply = apply};
	return (struct flow_core){&kind, core};
}

uint64_t core_jq_hidden(const struct core_jq *core)
{
	return core->hidden;
}

uint64_t core_jq_errors(const struct core_jq *core)
{
	return core->errors;
}
