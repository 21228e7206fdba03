#include "app/relay.h"

#include "app/progress.h"
#include "app/relay_flow.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <unistd.h>

struct run {
	struct tool *tool;
	const struct relay_options *options;
	struct relay_plan *plans;
	struct relay_flow **relays;
	size_t count, opened; /* the relays; those of them that were made */
	struct printer printer;
	bool has_printer;
	uint64_t elapsed_ns;
};

/* ---- what is said ---- */

static enum printer_format format_of(const struct relay_options *o)
{
	switch (o->format) {
	case RELAY_PRETTY:
		return PRINTER_PRETTY;
	case RELAY_JSON:
		return PRINTER_JSON;
	case RELAY_NONE:
		return PRINTER_NONE;
	default:
		return isatty(STDOUT_FILENO) && !o->tool.quiet ? PRINTER_PRETTY : PRINTER_NONE;
	}
}

static void show_banner(const struct run *run)
{
	struct buf line = {0};
	for (size_t i = 0; i < run->count; i++) {
		const char *const *queues = relay_flow_queues(run->relays[i]);
		for (; queues != NULL && *queues != NULL; queues++) {
			buf_append_str(&line, line.len > 0 ? ", " : "");
			text_escape(slice_str(*queues), 255, &line);
		}
	}
	if (line.len > 0)
		log_write(LOG_INFO, "waiting for messages in %s; Ctrl+C ends", line.ptr);
	buf_release(&line);
}

/* One relay's own counts, where there are several. */
static void report_one(const struct run *run, const struct relay_flow *relay)
{
	struct summary_row rows[RELAY_FLOW_ROWS];
	struct buf line = {0};
	relay_flow_count(relay, rows);
	summary_write(rows, RELAY_FLOW_ROWS, run->elapsed_ns, SUMMARY_TEXT, &line);
	buf_truncate(&line, line.len - 1); /* its line feed */
	log_write(LOG_INFO, "relay %s: %s", relay_flow_name(relay), line.ptr);
	buf_release(&line);
}

static void report_run(const struct run *run)
{
	struct summary_row sum[RELAY_FLOW_ROWS] = {0}, rows[RELAY_FLOW_ROWS];
	for (size_t i = 0; i < run->count; i++) {
		if (run->count > 1)
			report_one(run, run->relays[i]);
		relay_flow_count(run->relays[i], rows);
		for (size_t j = 0; j < RELAY_FLOW_ROWS; j++) {
			rows[j].value += sum[j].value;
			sum[j] = rows[j];
		}
	}
	tool_summarize(run->tool, sum, RELAY_FLOW_ROWS, run->elapsed_ns);
}

/* ---- the run ---- */

/* One turn of all that run; false when one failed: then all end. */
static bool step_all(struct run *run, bool *any, struct error *err)
{
	uint64_t wake_ns = CHRONO_NEVER;
	*any = false;
	for (size_t i = 0; i < run->count; i++) {
		struct relay_flow *relay = run->relays[i];
		if (relay_flow_runs(relay) && !relay_flow_step(relay, &wake_ns, err))
			return false;
		*any = *any || relay_flow_runs(relay);
	}
	return !*any || loop_turn(run->tool->loop, wake_ns, err);
}

/* The others give back what they hold; their failures come after the first one. */
static void finish_all(struct run *run, struct error *err)
{
	bool any = true;
	struct error first = *err, other = {0};
	loop_request_stop(run->tool->loop);
	while (any) {
		error_clear(&other);
		(void)step_all(run, &any, &other); /* a relay that fails has ended */
	}
	*err = first;
}

static bool run_all(struct run *run, struct error *err)
{
	uint64_t start = chrono_now_ns();
	bool any = true, good = true;
	struct progress *progress = NULL;
	if (run->count == 1 && !run->options->tool.quiet &&
	    (run->printer.format == PRINTER_NONE || !isatty(STDOUT_FILENO)))
		progress = progress_start(run->tool->loop, relay_flow_flow(run->relays[0]),
		    run->options->has_count ? run->options->count : FLOW_NO_LIMIT, "received",
		    "settled");
	while (any && good)
		good = step_all(run, &any, err);
	progress_stop(progress);
	if (!good)
		finish_all(run, err);
	run->elapsed_ns = chrono_now_ns() - start;
	return printer_finish(&run->printer, err) && good;
}

/* ---- the whole ---- */

static bool open_all(struct run *run, struct error *err)
{
	run->relays = mem_alloc(run->count, sizeof(struct relay_flow *));
	for (; run->opened < run->count; run->opened++) {
		struct relay_flow **relay = &run->relays[run->opened];
		*relay = relay_flow_create(
		    run->tool, run->options, &run->plans[run->opened], &run->printer, err);
		if (*relay == NULL)
			return false;
	}
	for (size_t i = 0; i < run->count; i++)
		if (!relay_flow_connect(run->relays[i], err))
			return false;
	for (size_t i = 0; i < run->count; i++)
		if (!relay_flow_open(run->relays[i], err))
			return false;
	return true;
}

static bool prepare(struct run *run, struct error *err)
{
	struct tool *tool = run->tool;
	if (!tool_load_settings(tool, false, rng_entropy(), err))
		return false;
	run->plans = relay_plan_make(tool, run->options, &run->count, err);
	if (run->plans == NULL || !tool_prepare_secrets(tool, err) || !tool_open_loop(tool, err))
		return false;
	printer_init(&run->printer, format_of(run->options), tool_wants_color(tool, STDOUT_FILENO),
	    tool->loop);
	run->has_printer = true;
	return open_all(run, err);
}

bool relay_run(struct tool *tool, const void *options, struct error *err)
{
	struct run run = {.tool = tool, .options = options};
	bool good = prepare(&run, err);
	if (good) {
		show_banner(&run);
		good = run_all(&run, err);
		report_run(&run);
	}
	for (size_t i = 0; i < run.opened; i++) {
		if (good && relay_flow_has_lost(run.relays[i]))
			tool->status = ERROR_UNDELIVERED;
		relay_flow_free(run.relays[i]);
	}
	free(run.relays);
	free(run.options->queues.items);
	relay_plan_release(run.plans, run.count);
	if (run.has_printer)
		printer_release(&run.printer);
	return good;
}
