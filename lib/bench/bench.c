#include "bench/bench.h"

#include "base/mem.h"
#include "base/text.h"
#include "bench/compare.h"
#include "bench/crew.h"
#include "bench/find_max.h"
#include "bench/outlet.h"
#include "bench/perftest.h"
#include "config/input.h"

#include <stdlib.h>

#define MOST_OLD_BYTES (UINT64_C(256) << 20)

struct run {
	struct tool *tool;
	struct bench_options options; /* of the command line and of the settings */
	json_t *given;		      /* name -> text of those that are no defaults */
	json_t *texts;		      /* the section 'bench' as texts: name -> array */
	const char **found;	      /* what the parser looks at now */
	json_t *old;		      /* of --compare */
	json_t *trials;		      /* of --find-max */
	struct expectations expect;
};

/* ---- options ---- */

/* The texts of one key of the section: the parser takes texts. */
static json_t *as_texts(const json_t *value)
{
	json_t *texts = json_array();
	if (!json_is_array(value)) {
		char *text = json_is_string(value) ? mem_strdup(json_string_value(value))
						   : json_dumps(value, JSON_ENCODE_ANY);
		json_array_append_new(texts, json_string(text));
		free(text);
		return texts;
	}
	size_t i;
	json_t *item;
	json_array_foreach(value, i, item)
	{
		json_t *one = as_texts(item);
		json_array_extend(texts, one);
		json_decref(one);
	}
	return texts;
}

static const char *const *find_option(void *ctx, const char *name)
{
	struct run *run = ctx;
	const json_t *texts = json_object_get(run->texts, name);
	size_t count = json_array_size(texts);
	if (count == 0)
		return NULL;
	free(run->found);
	run->found = mem_alloc(count + 1, sizeof *run->found);
	for (size_t i = 0; i < count; i++)
		run->found[i] = json_string_value(json_array_get(texts, i));
	return run->found;
}

/* Of what is measured, not of what is made of it. Several values of a list become one text. */
static void note_option(void *ctx, const char *name, const char *text)
{
	static const char *const others[] = {"settings", "url", "url-file", "password-file",
	    "ask-password", "wait", "quiet", "verbose", "color", "log-format", "format", "csv",
	    "html", "json", "metrics", "compare", "expect"};
	struct run *run = ctx;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (strcmp(name, others[i]) == 0)
			return;
	const char *before = json_string_value(json_object_get(run->given, name));
	struct buf all = {0};
	if (before != NULL)
		buf_printf(&all, "%s,", before);
	text_escape(slice_str(text), SIZE_MAX, &all);
	json_object_set_new(run->given, name, json_string(all.ptr != NULL ? all.ptr : ""));
	buf_release(&all);
}

/* The command line once more, now with the section of the settings below it. */
static bool read_options(struct run *run, struct error *err)
{
	struct tool *tool = run->tool;
	const json_t *root =
	    tool->settings.document != NULL ? document_root(tool->settings.document) : NULL;
	const char *name;
	json_t *value;
	run->texts = json_object();
	run->given = json_object();
	json_object_foreach(json_object_get(root, "bench"), name, value)
	    json_object_set_new(run->texts, name, as_texts(value));
	struct options_fallback fallback = {"key", "bench.", find_option, note_option, run};
	run->options = bench_defaults;
	bool good = options_parse_with(
	    tool->command, tool->argc, tool->argv, &run->options, &fallback, &tool->operands, err);
	if (run->options.has_queue_to && run->options.queue_pattern == NULL)
		run->options.queue_pattern = "perf-%d";
	if (run->options.churn != BENCH_NO_CHURN)
		run->options.consumers = 0; /* nothing is sent, so nothing is received */
	return good;
}

/* A search sets the rate itself, and makes many runs of one. */
static bool check_search(const struct bench_options *o, struct error *err)
{
	bool has_pace =
	    o->has_rate || o->has_total_rate || o->has_interval || o->schedule.count > 0;
	if (!o->find_max)
		return true;
	if (has_pace || o->has_pmessages || o->has_cmessages || o->churn != BENCH_NO_CHURN ||
	    o->producers == 0)
		return error_set(err, ERROR_USAGE,
		    "--find-max sets the rate of producers itself: not with a rate, a count or "
		    "--churn");
	return (o->csv == NULL && o->metrics == NULL) ||
	       error_set(err, ERROR_USAGE,
		   "--find-max makes many runs: what it tells is in --json and --html, not in "
		   "--csv or --metrics");
}

/* ---- expectations and the old result ---- */

static bool read_expectations(struct run *run, struct error *err)
{
	const struct expectations *settings = &run->tool->settings.expect;
	for (size_t i = 0; i < settings->count; i++) {
		run->expect.items = mem_grow(
		    run->expect.items, &run->expect.capacity, i + 1, sizeof *run->expect.items);
		run->expect.items[run->expect.count++] = settings->items[i];
	}
	for (size_t i = 0; i < run->options.expect.count; i++)
		if (!expectations_add(&run->expect, run->options.expect.items[i], err))
			return error_context(err, "option '--expect'");
	return true;
}

static bool read_old(struct run *run, struct error *err)
{
	struct buf text = {0};
	bool is_file;
	if (run->options.compare == NULL)
		return true;
	if (!input_read(run->options.compare, MOST_OLD_BYTES, &text, &is_file, err))
		return false;
	json_error_t fault;
	run->old = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &fault);
	buf_release(&text);
	if (run->old != NULL) {
		/* what is no result is told before the run, not after it */
		json_t *itself = compare_results(run->old, run->old, err);
		json_decref(itself);
		return itself != NULL;
	}
	char *what = text_quote(slice_str(fault.text));
	char *path = text_quote(slice_str(run->options.compare));
	error_set(
	    err, ERROR_DATA, "'%s' is no result of bench: line %d: %s", path, fault.line, what);
	free(path);
	free(what);
	return false;
}

/* ---- the run ---- */

static uint64_t time_of(const struct bench_options *o)
{
	return o->has_time ? o->time_ns : CHRONO_NEVER;
}

static bool load(struct run *run, const struct plan *plan, struct outlet *outlet,
    struct result *result, struct error *err)
{
	struct crew_options crew = {.tool = run->tool,
	    .plan = plan,
	    .time_ns = time_of(&run->options),
	    .seed = rng_entropy(),
	    .on_row = outlet_on_row,
	    .ctx = outlet};
	if (run->options.find_max)
		return find_max_run(&crew, result, run->trials, err);
	return crew_run(&crew, result, err);
}

static bool is_expected(const struct run *run, const char *name)
{
	const struct expectation_row *rows = expectations_rows(&(size_t){0});
	for (size_t i = 0; i < run->expect.count; i++)
		if (strcmp(rows[run->expect.items[i].row].name, name) == 0)
			return true;
	return false;
}

/* Messages that did not arrive fail a run, unless it was said how many of them may. Without
 * confirms nothing but what came back is known. */
static bool is_all_delivered(const struct run *run, const struct result *result)
{
	static const char *const names[] = {"returned", "lost", "nacked", "unconfirmed"};
	size_t count = run->options.confirm > 0 ? ARRAY_LEN(names) : 1;
	for (size_t i = 0; i < count; i++) {
		double value = 0;
		bool is_known = result_look_up((void *)(uintptr_t)result, names[i], &value);
		if (is_known && value > 0 && !is_expected(run, names[i]))
			return false;
	}
	return true;
}

/* What is told of the run, and the verdict on it. */
static bool finish(
    struct run *run, struct outlet *outlet, const struct result *result, struct error *err)
{
	const struct bench_options *o = &run->options;
	bool is_wanted = o->json || o->html != NULL || o->compare != NULL;
	json_t *document = is_wanted ? result_json(result, run->given) : json_object();
	json_t *verdicts = json_array();
	size_t failed =
	    expectations_judge(&run->expect, result_look_up, (void *)(uintptr_t)result, verdicts);
	bool is_judged = run->expect.count > 0;
	json_object_set_new(document, "expectations", verdicts);
	json_object_set_new(document, "verdict",
	    !is_judged ? json_null() : json_string(failed == 0 ? "met" : "failed"));
	if (json_array_size(run->trials) > 0) {
		json_object_set(document, "trials", run->trials);
		json_object_set_new(document, "max_rate", json_real(find_max_rate(run->trials)));
	}
	bool good = true;
	if (run->old != NULL) {
		json_t *comparison = compare_results(run->old, document, err);
		good = comparison != NULL;
		if (good)
			json_object_set_new(document, "comparison", comparison);
	}
	good = good && outlet_finish(outlet, result, document, err);
	json_decref(document);
	if (failed > 0 || !is_all_delivered(run, result))
		run->tool->status = ERROR_UNDELIVERED;
	return good;
}

static bool run_once(struct run *run, struct plan *plan, struct error *err)
{
	struct outlet *outlet = outlet_open(run->tool, plan, err);
	struct result *result = mem_alloc(1, sizeof *result);
	bool good = outlet != NULL && load(run, plan, outlet, result, err);
	struct error told = {0}; /* a run that failed shows what it has, and tells the failure */
	if (outlet != NULL && (good || result->row_count > 0))
		good = finish(run, outlet, result, good ? err : &told) && good;
	if (!good)
		run->tool->status = 0; /* the failure says more than what it left undelivered */
	result_release(result);
	free(result);
	outlet_close(outlet);
	return good;
}

static bool run_plan(struct run *run, struct error *err)
{
	struct plan plan = {0};
	bool good = plan_make(run->tool, &run->options, &plan, err) &&
		    tool_connect(run->tool, err) && run_once(run, &plan, err);
	plan_release(&plan);
	return good;
}

static bool translate(char *const *operands, struct error *err)
{
	if (operands[1] == NULL || operands[2] != NULL)
		return error_set(err, ERROR_USAGE,
		    "from-perftest takes one command line, in quotes: from-perftest '-x 1 -y 2'");
	struct buf yaml = {0};
	bool good =
	    perftest_translate(operands[1], &yaml, err) && tool_print(buf_slice(&yaml), err);
	buf_release(&yaml);
	return good;
}

static void release_lists(const struct bench_options *o)
{
	const struct option_list *lists[] = {&o->queues, &o->queue_arguments, &o->schedule,
	    &o->sizes, &o->bodies, &o->flags, &o->properties, &o->latencies, &o->consumer_arguments,
	    &o->expect};
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		free(lists[i]->items);
}

static void release(struct run *run)
{
	release_lists(&run->options);
	free(run->options.tool.set.items);
	expectations_release(&run->expect);
	json_decref(run->given);
	json_decref(run->texts);
	json_decref(run->old);
	json_decref(run->trials);
	free(run->found);
}

bool bench_run(struct tool *tool, const void *options, struct error *err)
{
	release_lists(options); /* read again, with what the settings say */
	if (tool->operands[0] != NULL && strcmp(tool->operands[0], "from-perftest") == 0)
		return translate(tool->operands, err);
	struct run run = {.tool = tool, .trials = json_array()};
	bool good = tool_load_settings(tool, false, 0, err) && read_options(&run, err) &&
		    check_search(&run.options, err) && read_expectations(&run, err) &&
		    read_old(&run, err) && run_plan(&run, err);
	release(&run);
	return good;
}
