#include "app/produce.h"

#include "app/progress.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/output.h"
#include "base/text.h"
#include "broker/provision.h"
#include "flow/sink_exchange.h"
#include "flow/source_lines.h"
#include "flow/source_pattern.h"
#include "model/pretty.h"
#include "model/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DRAIN_NS (30 * CHRONO_S)
#define SLOW_GAP_NS (50 * CHRONO_MS) /* messages further apart than this are printed one by one */

#define MAX_WAITING_BYTES (4u << 20)

/* One pattern as it is run: the settings' or the command line's pace. */
struct job {
	const struct settings_message *message;
	struct pace_plan plan; /* owned */
};

struct run {
	struct tool *tool;
	const struct produce_options *options;
	struct job *jobs;
	size_t job_count;
	struct pattern *lines_pattern; /* of plain lines, or of a directory's files; owned */
	struct output out;	       /* what is printed of each message */
	enum produce_format format;
	bool color;
	struct error print_error;
	int input; /* descriptor of --from, or -1 */
};

/* ---- which messages, at which pace ---- */

/* The pace of the settings with the command line's amount, delay or rate instead. */
static json_t *paced_spec(const json_t *spec, const struct produce_options *o)
{
	json_t *copy = spec != NULL ? json_copy((json_t *)(uintptr_t)spec) : json_object();
	if (o->has_delay || o->has_rate) {
		static const char *const paces[] = {
		    "delay", "rate", "schedule", "repeat", "jitter", "arrivals"};
		size_t count = o->has_rate ? 4 : ARRAY_LEN(paces); /* a rate keeps how it arrives */
		for (size_t i = 0; i < count; i++)
			json_object_del(copy, paces[i]);
	}
	if (o->has_amount)
		json_object_set_new(copy, "amount", json_integer((json_int_t)o->amount));
	if (o->has_delay)
		json_object_set_new(copy, "delay", json_real((double)o->delay_ns / 1e9));
	if (o->has_rate)
		json_object_set_new(copy, "rate", json_real(o->rate));
	return copy;
}

static void note_first(void *ctx, const char *pointer, const char *text)
{
	error_set(ctx, ERROR_USAGE, "%s: %s", pointer, text);
}

static bool read_plan(
    const json_t *spec, const struct produce_options *o, struct pace_plan *plan, struct error *err)
{
	json_t *paced = paced_spec(spec, o);
	bool good = pace_plan_read(paced, plan, note_first, err);
	json_decref(paced);
	return good;
}

static bool add_job(struct run *run, const struct settings_message *m, struct error *err)
{
	struct job *job = &run->jobs[run->job_count];
	job->message = m;
	if (!read_plan(m != NULL ? m->spec : NULL, run->options, &job->plan, err))
		return false;
	run->job_count++;
	return true;
}

static bool unknown_message(const struct settings *s, const char *name, struct error *err)
{
	const char **names = mem_alloc(s->message_count + 1, sizeof *names);
	for (size_t i = 0; i < s->message_count; i++)
		names[i] = s->messages[i].name;
	const char *near = text_suggest(slice_str(name), names);
	char *shown = text_quote(slice_str(name));
	if (near != NULL)
		error_set(err, ERROR_USAGE, "the settings have no message '%s'; did you mean '%s'?",
		    shown, near);
	else
		error_set(err, ERROR_USAGE, "the settings have no message '%s'", shown);
	free(shown);
	free(names);
	return false;
}

/* The messages named on the command line, or all. */
static bool choose_jobs(struct run *run, struct error *err)
{
	const struct settings *s = &run->tool->settings;
	char **names = run->tool->operands;
	size_t named = 0;
	while (names[named] != NULL)
		named++;
	run->jobs = mem_alloc(named + s->message_count + 1, sizeof *run->jobs);
	for (size_t i = 0; i < named; i++) {
		const struct settings_message *m = settings_find_message(s, names[i]);
		if (m == NULL)
			return unknown_message(s, names[i], err);
		if (!add_job(run, m, err))
			return false;
	}
	for (size_t i = 0; named == 0 && i < s->message_count; i++)
		if (!add_job(run, &s->messages[i], err))
			return false;
	return true;
}

/* ---- --from ---- */

/* The pattern of a message with another body: for lines, an empty one that each line replaces. */
static struct pattern *derive_pattern(
    struct run *run, const json_t *spec, json_t *files, struct error *err)
{
	json_t *copy = spec != NULL ? json_copy((json_t *)(uintptr_t)spec) : json_object();
	json_object_del(copy, "broken");
	json_object_del(copy, "files");
	json_object_del(copy, "body");
	if (files != NULL)
		json_object_set_new(copy, "files", files);
	else
		json_object_set_new(copy, "body", json_string(""));
	if (run->options->exchange != NULL)
		json_object_set_new(copy, "exchange", json_string(run->options->exchange));
	if (run->options->routing_key != NULL)
		json_object_set_new(copy, "routing_key", json_string(run->options->routing_key));
	struct pattern *pattern =
	    pattern_create(copy, ".", run->tool->settings.pools, note_first, err);
	json_decref(copy);
	return pattern;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The regular files of a directory, by name, as patterns that glob takes literally. */
static json_t *list_files(const char *directory, struct error *err)
{
	struct dirent **entries = NULL;
	int count = scandir(directory, &entries, is_visible, by_name);
	json_t *files = json_array();
	for (int i = 0; i < count; i++) {
		struct buf path = {0};
		char *plain = mem_printf("%s/%s", directory, entries[i]->d_name);
		struct stat st;
		for (const char *p = plain; *p != '\0'; p++) {
			if (strchr("*?[\\", *p) != NULL)
				buf_append_char(&path, '\\');
			buf_append_char(&path, *p);
		}
		if (stat(plain, &st) == 0 && S_ISREG(st.st_mode))
			json_array_append_new(files, json_stringn_nocheck(path.ptr, path.len));
		free(plain);
		buf_release(&path);
		free(entries[i]);
	}
	free(entries);
	if (json_array_size(files) > 0)
		return files;
	error_set(err, ERROR_NO_INPUT, "--from: no files in the directory");
	json_decref(files);
	return NULL;
}

/* The message that says where lines go: the one named, or the only one. */
static bool choose_model(struct run *run, const struct settings_message **model, struct error *err)
{
	if (run->tool->operands[0] != NULL && run->tool->operands[1] != NULL)
		return error_set(err, ERROR_USAGE, "--from takes one MESSAGE at most");
	bool only = run->tool->settings.message_count == 1;
	bool chosen = run->tool->operands[0] != NULL || only;
	*model = chosen && run->job_count > 0 ? run->jobs[0].message : NULL;
	return true;
}

static bool open_input(struct run *run, struct error *err)
{
	const char *from = run->options->from;
	run->input = strcmp(from, "-") == 0 ? dup(STDIN_FILENO) : open(from, O_RDONLY | O_CLOEXEC);
	if (run->input >= 0)
		return true;
	char *shown = text_quote(slice_str(from));
	error_set(err, ERROR_NO_INPUT, "cannot read '%s': %s", shown, strerror(errno));
	free(shown);
	return false;
}

static bool is_directory(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- printing ---- */

static const char *const fate_names[FLOW_FATE_COUNT] = {
    [FLOW_ACCEPTED] = "confirmed",
    [FLOW_RETURNED] = "returned",
    [FLOW_NACKED] = "nacked",
    [FLOW_UNCONFIRMED] = "unconfirmed",
    [FLOW_RELEASED] = "unsent",
};

/* A slow reader is waited for only when too much has gathered. */
static void write_out(struct run *run)
{
	bool much = output_buf(&run->out)->len > MAX_WAITING_BYTES;
	if (run->print_error.kind == ERROR_NONE &&
	    !(much ? output_drain : output_flush)(&run->out, &run->print_error))
		loop_request_stop(run->tool->loop);
}

/* People see a message when it goes; what becomes of it only when that is bad news. */
static void on_put(void *ctx, const struct flow_message *m)
{
	struct run *run = ctx;
	struct pretty_line line = {.mark = "[>>]",
	    .wall_ms = chrono_wall_ms(),
	    .message = m->message,
	    .color = run->color};
	pretty_write(&line, output_buf(&run->out));
	write_out(run);
}

static void report_bad(const struct flow_message *m, enum flow_fate fate, const char *reason)
{
	struct buf line = {0};
	buf_append_str(&line, m->id.len > 0 ? "message " : "a message without an id");
	text_escape(m->id, SIZE_MAX, &line);
	if (m->message != NULL) {
		buf_append_str(&line, " to exchange '");
		text_escape(m->message->exchange, SIZE_MAX, &line);
		buf_append_str(&line, "' with key '");
		text_escape(m->message->routing_key, SIZE_MAX, &line);
		buf_append_str(&line, "'");
	}
	buf_printf(&line, " was %s%s%s", fate_names[fate], reason[0] != '\0' ? ": " : "", reason);
	log_write(LOG_INFO, "%s", line.ptr);
	buf_release(&line);
}

static void on_fate(
    void *ctx, const struct flow_message *m, enum flow_fate fate, const char *reason)
{
	struct run *run = ctx;
	struct record_extra extra = {.fate = fate_names[fate], .reason = slice_str(reason)};
	if (run->format != PRODUCE_JSON) {
		if (fate != FLOW_ACCEPTED)
			report_bad(m, fate, reason);
		return;
	}
	if (!record_write(m->message, &extra, output_buf(&run->out), &run->print_error))
		loop_request_stop(run->tool->loop);
	write_out(run);
}

/* Whether a person can follow the messages one by one. */
static bool is_slow(const struct run *run)
{
	if (run->options->from != NULL)
		return isatty(run->input);
	for (size_t i = 0; i < run->job_count; i++) {
		const struct pace_plan *p = &run->jobs[i].plan;
		bool slow = p->delay_from_ns >= SLOW_GAP_NS ||
			    (p->step_count == 1 && p->steps[0].from_per_second <= 20 &&
				p->steps[0].to_per_second <= 20) ||
			    (!p->unlimited && p->amount <= 20);
		if (!slow)
			return false;
	}
	return true;
}

/* ---- the banner ---- */

static void write_pace(const struct pace_plan *p, struct buf *out)
{
	if (p->unlimited)
		buf_append_str(out, "until stopped");
	else
		num_format_count(p->amount, out);
	if (p->step_count == 1 && p->steps[0].length_ns == CHRONO_NEVER) {
		buf_printf(out, ", %g a second", p->steps[0].from_per_second);
	} else if (p->step_count > 0) {
		buf_append_str(out, ", by schedule");
	} else if (p->delay_to_ns > 0) {
		buf_append_str(out, ", one every ");
		num_format_duration(p->delay_to_ns, out);
	}
}

static void show_banner(const struct run *run)
{
	log_write(LOG_INFO, "broker %s (%s)", connection_shown(run->tool->connection),
	    connection_server(run->tool->connection));
	for (size_t i = 0; run->options->from == NULL && i < run->job_count; i++) {
		const struct job *job = &run->jobs[i];
		const json_t *spec = job->message->spec;
		const char *exchange = json_string_value(json_object_get(spec, "exchange"));
		const char *key = json_string_value(json_object_get(spec, "routing_key"));
		struct buf line = {0};
		buf_append_str(&line, "message ");
		text_escape(slice_str(job->message->name), 255, &line);
		buf_append_str(&line, ": exchange '");
		text_escape(slice_str(exchange), 255, &line);
		buf_append_str(&line, "', key '");
		text_escape(slice_str(key), 255, &line);
		buf_append_str(&line, "', ");
		write_pace(&job->plan, &line);
		log_write(LOG_INFO, "%s", line.ptr);
		buf_release(&line);
	}
}

static void enter_pressed(void *ctx, short revents)
{
	(void)revents;
	char line[256];
	*(bool *)ctx = true;
	/* what was typed before Enter has no meaning */
	ssize_t ignored = read(STDIN_FILENO, line, sizeof line);
	(void)ignored;
}

/* On a terminal only: the walkthrough's "press Enter to start". False when stopped instead. */
static bool wait_for_enter(const struct run *run, struct error *err)
{
	struct loop *loop = run->tool->loop;
	bool pressed = run->options->yes || run->options->from != NULL || !isatty(STDIN_FILENO) ||
		       !isatty(STDERR_FILENO);
	if (!pressed)
		log_write(LOG_INFO, "press Enter to start");
	loop_watch(loop, STDIN_FILENO, POLLIN, enter_pressed, &pressed);
	while (!pressed && !loop_stop_requested(loop) && err->kind == ERROR_NONE)
		if (!loop_turn(loop, CHRONO_NEVER, err) ||
		    !connection_check(run->tool->connection, err))
			break;
	loop_unwatch(loop, STDIN_FILENO);
	return err->kind == ERROR_NONE;
}

/* ---- the run ---- */

static void report_run(const struct run *run, const struct flow *flow, uint64_t elapsed_ns)
{
	const struct flow_counts *c = flow_counts(flow);
	const struct summary_row rows[] = {
	    {"sent", c->put, false},
	    {"confirmed", c->fates[FLOW_ACCEPTED], false},
	    {"returned", c->fates[FLOW_RETURNED], false},
	    {"nacked", c->fates[FLOW_NACKED], false},
	    {"unconfirmed", c->fates[FLOW_UNCONFIRMED], false},
	};
	tool_summarize(run->tool, rows, ARRAY_LEN(rows), elapsed_ns);
}

static uint64_t goal_of(const struct run *run)
{
	uint64_t goal = 0;
	if (run->options->from != NULL)
		return run->options->has_amount ? run->options->amount : FLOW_NO_LIMIT;
	for (size_t i = 0; i < run->job_count; i++) {
		if (run->jobs[i].plan.unlimited)
			return FLOW_NO_LIMIT;
		goal += run->jobs[i].plan.amount;
	}
	return goal;
}

static bool run_flow(struct run *run, struct flow_source source, struct error *err)
{
	const struct produce_options *o = run->options;
	const struct settings *settings = &run->tool->settings;
	struct sink_exchange_options sending = {.window = o->window,
	    .mandatory = !o->has_mandatory ? SINK_EXCHANGE_AS_SETTINGS
			 : o->mandatory	   ? SINK_EXCHANGE_ALWAYS
					   : SINK_EXCHANGE_NEVER,
	    .topology = o->tool.settings != NULL ? &settings->topology : NULL};
	struct sink_exchange *sink = sink_exchange_open(run->tool->connection, &sending, err);
	if (sink == NULL)
		return false;
	struct flow_options options = {.source = source,
	    .sink = sink_exchange_sink(sink),
	    .window = o->window,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = DRAIN_NS,
	    .keep_messages = run->format != PRODUCE_NONE,
	    .on_put = run->format == PRODUCE_PRETTY ? on_put : NULL,
	    .on_fate = on_fate,
	    .ctx = run};
	struct flow *flow = flow_create(run->tool->loop, &options);
	struct progress *progress = NULL;
	if (run->format == PRODUCE_NONE && !o->tool.quiet)
		progress = progress_start(run->tool->loop, flow, goal_of(run), "sent", "confirmed");
	uint64_t start = chrono_now_ns();
	bool good = flow_run(flow, err);
	if (run->print_error.kind == ERROR_NONE)
		IGNORE_RESULT(output_drain(&run->out, &run->print_error)); /* told below */
	if (good && run->print_error.kind != ERROR_NONE)
		good = error_set(err, run->print_error.kind, "%s", run->print_error.text);
	progress_stop(progress);
	report_run(run, flow, chrono_now_ns() - start);
	const struct flow_counts *counts = flow_counts(flow);
	if (good && counts->fates[FLOW_ACCEPTED] != counts->offered)
		run->tool->status = ERROR_UNDELIVERED;
	sink_exchange_close(sink);
	flow_free(flow);
	return good;
}

static bool send_patterns(struct run *run, uint64_t seed, struct error *err)
{
	struct source_pattern_member *members = mem_alloc(run->job_count, sizeof *members);
	for (size_t i = 0; i < run->job_count; i++)
		members[i] = (struct source_pattern_member){
		    run->jobs[i].message->name, run->jobs[i].message->pattern, &run->jobs[i].plan};
	struct source_pattern *source = source_pattern_create(members, run->job_count, seed);
	bool good = run_flow(run, source_pattern_source(source), err);
	source_pattern_free(source);
	free(members);
	return good;
}

static bool send_lines(
    struct run *run, const struct settings_message *model, uint64_t seed, struct error *err)
{
	const struct produce_options *o = run->options;
	struct pace_plan plan = {0};
	/* the amount and pace of a pattern are not those of what is read */
	if (!read_plan(NULL, o, &plan, err))
		return false;
	if (model != NULL)
		run->lines_pattern = derive_pattern(run, model->spec, NULL, err);
	char *name = strcmp(o->from, "-") == 0 ? mem_strdup("standard input")
					       : text_quote(slice_str(o->from));
	struct source_lines_options reading = {.loop = run->tool->loop,
	    .fd = run->input,
	    .name = name,
	    .format = (enum source_lines_format)o->from_format,
	    .pattern = run->lines_pattern,
	    .exchange = slice_str(o->exchange),
	    .routing_key = slice_str(o->routing_key),
	    .plan = &plan,
	    .seed = seed};
	bool good = err->kind == ERROR_NONE;
	struct source_lines *source = source_lines_create(&reading);
	good = good && run_flow(run, source_lines_source(source), err);
	source_lines_free(source);
	pace_plan_release(&plan);
	free(name);
	return good;
}

static bool send_files(
    struct run *run, const struct settings_message *model, uint64_t seed, struct error *err)
{
	struct pace_plan plan = {0};
	json_t *files = list_files(run->options->from, err);
	if (files == NULL)
		return false;
	uint64_t count = json_array_size(files);
	run->lines_pattern = derive_pattern(run, model != NULL ? model->spec : NULL, files, err);
	if (run->lines_pattern == NULL || !read_plan(NULL, run->options, &plan, err))
		return false;
	if (plan.unlimited) {
		plan.unlimited = false;
		plan.amount = count;
	}
	struct source_pattern_member member = {"files", run->lines_pattern, &plan};
	struct source_pattern *source = source_pattern_create(&member, 1, seed);
	bool good = run_flow(run, source_pattern_source(source), err);
	source_pattern_free(source);
	pace_plan_release(&plan);
	return good;
}

static bool send(struct run *run, uint64_t seed, struct error *err)
{
	const struct settings_message *model = NULL;
	if (run->options->from == NULL)
		return send_patterns(run, seed, err);
	if (!choose_model(run, &model, err))
		return false;
	bool files = is_directory(run->options->from);
	return files ? send_files(run, model, seed, err) : send_lines(run, model, seed, err);
}

static void choose_format(struct run *run)
{
	run->format = (enum produce_format)run->options->format;
	if (run->format == PRODUCE_AUTO)
		run->format =
		    is_slow(run) && !run->options->tool.quiet ? PRODUCE_PRETTY : PRODUCE_NONE;
	run->color = tool_wants_color(run->tool, STDOUT_FILENO);
	output_init(&run->out, STDOUT_FILENO, "standard output");
}

static bool prepare(struct run *run, uint64_t seed, struct error *err)
{
	const struct produce_options *o = run->options;
	if (o->has_delay && o->has_rate)
		return error_set(err, ERROR_USAGE, "--delay and --rate exclude each other");
	if (o->from == NULL && (o->exchange != NULL || o->routing_key != NULL))
		return error_set(err, ERROR_USAGE,
		    "--exchange and --routing-key go with --from; for patterns use --set");
	if (!tool_load_settings(run->tool, o->from == NULL, seed, err) || !choose_jobs(run, err))
		return false;
	if (o->from == NULL && run->job_count == 0)
		return error_set(err, ERROR_SETTINGS, "the settings have no messages to send");
	bool lines = o->from != NULL && !is_directory(o->from);
	if (lines && !open_input(run, err))
		return false;
	choose_format(run);
	if (!tool_connect(run->tool, err))
		return false;
	show_banner(run);
	return !o->declare || provision_apply(run->tool->connection, &run->tool->settings.topology,
				  NULL, NULL, NULL, err);
}

bool produce_run(struct tool *tool, const void *options, struct error *err)
{
	const struct produce_options *o = options;
	struct run run = {.tool = tool, .options = o, .input = -1};
	uint64_t seed = o->has_seed ? o->seed : rng_entropy();
	bool good = prepare(&run, seed, err) && wait_for_enter(&run, err) && send(&run, seed, err);
	for (size_t i = 0; i < run.job_count; i++)
		pace_plan_release(&run.jobs[i].plan);
	free(run.jobs);
	pattern_free(run.lines_pattern);
	output_release(&run.out);
	if (run.input >= 0)
		close(run.input);
	return good;
}
