#include "jq/program.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/text.h"
#include "jq/datum_private.h"

#include <assert.h>
#include <errno.h>
#include <jq.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#define DEFAULT_LIMIT_NS (5 * CHRONO_S)
#define MAX_COMPLAINT_BYTES 400

struct program {
	jq_state *jq;
	const char *names[PROGRAM_MAX_VARIABLES];
	size_t name_count;
	unsigned used; /* bit i: the expression may read names[i] */
	const char *endless, *greedy;
	enum error_kind status;
	uint64_t limit_ns;    /* of one output; 0: none */
	struct buf complaint; /* jq's first, while it compiles */
};

/* ---- the watchdog ---- */

/*
 * One timer for all programs. It is not set and unset for each output, which would be two calls of
 * the kernel for a microsecond of work: once set it stays, and who hears it looks whether a program
 * is at work that long.
 */
static const char *volatile endless; /* what is said of the program that runs */
static volatile sig_atomic_t endless_status;
static volatile sig_atomic_t is_running, is_armed;
static volatile uint64_t deadline_ns;	 /* of the program that runs */
static volatile uint64_t armed_until_ns; /* when the timer goes off */

/* Only calls that a signal handler may make. */
static void give_up(const char *text, int status)
{
	IGNORE_RESULT(write(STDERR_FILENO, text, strlen(text))); /* nowhere left to complain */
	_exit(status);
}

static void arm(uint64_t now_ns)
{
	uint64_t pause_ns = deadline_ns - now_ns;
	uint64_t us = pause_ns / 1000 + 1;
	const struct itimerval timer = {
	    .it_value = {(time_t)(us / 1000000), (suseconds_t)(us % 1000000)}};
	armed_until_ns = deadline_ns;
	is_armed = 1;
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void on_alarm(int number)
{
	(void)number;
	int kept = errno;
	uint64_t now = chrono_now_ns();
	is_armed = 0;
	if (is_running && now >= deadline_ns)
		give_up(endless, endless_status);
	if (is_running)
		arm(now);
	errno = kept;
}

/* Where jq would abort. */
static void on_no_memory(void *ctx)
{
	give_up(((const struct program *)ctx)->greedy, ERROR_INTERNAL);
}

static void watch_alarm(void)
{
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	sigemptyset(&action.sa_mask);
	sigaction(SIGALRM, &action, NULL);
}

static void begin_watch(const struct program *p)
{
	if (p->limit_ns == 0)
		return;
	endless = p->endless;
	endless_status = (sig_atomic_t)p->status;
	uint64_t now = chrono_now_ns();
	deadline_ns = chrono_after(now, p->limit_ns);
	is_running = 1;
	/* what was set for a program that may take longer would come too late */
	if (!is_armed || deadline_ns < armed_until_ns)
		arm(now);
}

static void end_watch(void)
{
	is_running = 0;
}

void program_set_limit(struct program *p, uint64_t limit_ns)
{
	p->limit_ns = limit_ns;
}

/* ---- compiling ---- */

/* jq complains in several calls; the first tells the cause, the last only how many there were. */
static void keep_complaint(void *ctx, jv message)
{
	struct program *p = ctx;
	if (p->complaint.len == 0 && jv_get_kind(message) == JV_KIND_STRING)
		buf_append_str(&p->complaint, jv_string_value(message));
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
static char *wrap(const struct program *p, const char *expression)
{
	struct buf program = {0};
	buf_append_str(&program, "def env: {}; def stderr: .; {} as $ENV | ");
	for (size_t i = 0; i < p->name_count; i++)
		if (program_reads(p, i))
			buf_printf(&program, ".%s as $%s | ", p->names[i], p->names[i]);
	if (p->used != 0)
		buf_append_str(&program, ".input | ");
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

static bool compile(struct program *p, const char *expression, struct error *err)
{
	p->jq = jq_init();
	if (p->jq == NULL)
		return error_set(err, ERROR_INTERNAL, "cannot start jq");
	jq_set_error_cb(p->jq, keep_complaint, p);
	jq_set_nomem_handler(p->jq, on_no_memory, p);
	jq_set_debug_cb(p->jq, NULL, NULL); /* jq 1.6 leaves these two uninitialised, */
	jq_set_input_cb(p->jq, NULL, NULL); /* and `debug` and `input` call them */
	jq_set_attr(p->jq, jv_string("JQ_LIBRARY_PATH"), jv_array()); /* unset: jq may abort */
	for (size_t i = 0; i < p->name_count; i++)
		if (strstr(expression, p->names[i]) != NULL)
			p->used |= 1U << i;
	char *program = wrap(p, expression);
	bool good = compile_without_home(p->jq, program);
	free(program);
	return good || refuse(expression, &p->complaint, err);
}

struct program *program_create(const struct program_options *options, struct error *err)
{
	struct program *p = mem_alloc(1, sizeof *p);
	assert(options->variable_count <= PROGRAM_MAX_VARIABLES);
	for (size_t i = 0; i < options->variable_count; i++)
		p->names[p->name_count++] = options->variables[i];
	p->endless = options->endless;
	p->greedy = options->greedy;
	p->status = options->status;
	program_set_limit(p, DEFAULT_LIMIT_NS);
	if (!compile(p, options->expression, err)) {
		program_free(p);
		return NULL;
	}
	watch_alarm();
	return p;
}

void program_free(struct program *p)
{
	if (p == NULL)
		return;
	if (p->jq != NULL)
		jq_teardown(&p->jq);
	buf_release(&p->complaint);
	free(p);
}

bool program_reads(const struct program *p, size_t variable)
{
	return (p->used & 1U << variable) != 0;
}

/* ---- running ---- */

void program_start(struct program *p, struct datum *input, struct datum *variables)
{
	if (p->used == 0) {
		jq_start(p->jq, datum_take_jv(input), 0);
		return;
	}
	struct datum all = datum_object();
	datum_set_take(&all, "input", *input);
	*input = (struct datum){0};
	for (size_t i = 0; i < p->name_count; i++) {
		datum_set_take(&all, p->names[i], variables[i]);
		variables[i] = (struct datum){0};
	}
	jq_start(p->jq, datum_take_jv(&all), 0);
}

/* `halt_error` ends a program as a failure, `halt` just ends it. */
static bool has_halted(const struct program *p, jv *said)
{
	if (!jq_halted(p->jq))
		return false;
	jv code = jq_get_exit_code(p->jq); /* invalid after `halt` */
	bool failed = jv_get_kind(code) == JV_KIND_NUMBER && jv_number_value(code) != 0;
	jv_free(code);
	*said = failed ? jq_get_error_message(p->jq) : jv_null();
	if (failed && !jv_is_valid(*said)) {
		jv_free(*said);
		*said = jv_string("halt_error");
	}
	return failed;
}

enum program_answer program_next(struct program *p, struct datum *out)
{
	begin_watch(p);
	jv next = jq_next(p->jq);
	end_watch();
	enum program_answer answer = PROGRAM_OUTPUT;
	if (!jv_is_valid(next)) {
		bool failed = jv_invalid_has_msg(jv_copy(next)) != 0;
		answer = failed ? PROGRAM_FAILED : PROGRAM_END;
		jv said;
		if (failed) {
			next = jv_invalid_get_msg(next);
		} else if (has_halted(p, &said)) {
			jv_free(next);
			next = said;
			answer = PROGRAM_FAILED;
		}
	}
	*out = datum_of_jv(next);
	return answer;
}

char *program_complaint(const struct datum *failure)
{
	struct slice text;
	if (datum_is_text(failure, &text))
		return text_quote(text);
	struct buf json = {0};
	datum_write(failure, &json);
	char *quoted = text_quote(buf_slice(&json));
	buf_release(&json);
	return quoted;
}
