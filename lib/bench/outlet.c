#include "bench/outlet.h"

#include "base/mem.h"
#include "base/output.h"
#include "base/text.h"
#include "bench/compare.h"
#include "bench/csv.h"
#include "bench/exposition.h"
#include "bench/report.h"
#include "bench/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define DIGITS 10		/* of a real number: a nanosecond of a second, and some */
#define HEAD_EVERY 20		/* rows on a terminal */
#define GRACE_NS (2 * CHRONO_S) /* for a reader of ours that sleeps, after a stop */

struct outlet {
	struct tool *tool;
	const struct plan *plan;
	const struct bench_options *options;
	struct output table; /* stdout, unless the JSON goes there */
	struct output csv;   /* fd -1: none */
	int html;	     /* -1: none */
	struct exposition *exposition;
	size_t rows;
	struct error failed; /* what could not be written */
};

/* Opened before the run, so that a wrong name costs no measurement. */
static int create_file(const char *path, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	char *shown = text_quote(slice_str(path));
	if (fd < 0)
		error_set(
		    err, ERROR_CANNOT_CREATE, "cannot create '%s': %s", shown, strerror(errno));
	free(shown);
	return fd;
}

static bool open_files(struct outlet *outlet, struct error *err)
{
	const struct bench_options *o = outlet->options;
	if (o->csv != NULL) {
		bool is_stdout = strcmp(o->csv, "-") == 0;
		int fd = is_stdout ? dup(STDOUT_FILENO) : create_file(o->csv, err);
		if (fd < 0)
			return false;
		output_init(&outlet->csv, fd, is_stdout ? "standard output" : o->csv,
		    is_stdout ? outlet->tool->loop : NULL);
		csv_write_head(output_buf(&outlet->csv));
	}
	if (o->html != NULL)
		outlet->html = create_file(o->html, err);
	return o->html == NULL || outlet->html >= 0;
}

struct outlet *outlet_open(struct tool *tool, const struct plan *plan, struct error *err)
{
	struct outlet *outlet = mem_alloc(1, sizeof *outlet);
	const struct bench_options *o = plan->options;
	outlet->tool = tool;
	outlet->plan = plan;
	outlet->options = o;
	outlet->csv.fd = outlet->html = -1;
	bool csv_is_stdout = o->csv != NULL && strcmp(o->csv, "-") == 0;
	bool is_taken = o->json || csv_is_stdout;
	output_init(&outlet->table, is_taken ? STDERR_FILENO : STDOUT_FILENO,
	    is_taken ? "standard error" : "standard output", tool->loop);
	bool good = open_files(outlet, err);
	if (good && o->metrics != NULL) {
		outlet->exposition = exposition_open(tool->loop, o->metrics, err);
		good = outlet->exposition != NULL;
	}
	if (good)
		return outlet;
	outlet_close(outlet);
	return NULL;
}

static void flush(struct outlet *outlet, struct output *output)
{
	if (outlet->failed.kind == ERROR_NONE && !output_flush(output, &outlet->failed))
		loop_request_stop(outlet->tool->loop);
}

/* What is printed is kept from a reader that sleeps, not the run. */
static bool prints(const struct outlet *outlet)
{
	return outlet->options->format != BENCH_QUIET && !outlet->options->tool.quiet &&
	       !output_is_full(&outlet->table);
}

void outlet_on_row(void *ctx, const struct result *result, const struct result_row *row)
{
	struct outlet *outlet = ctx;
	struct buf *out = output_buf(&outlet->table);
	if (prints(outlet) && outlet->options->format == BENCH_COMPACT) {
		table_write_compact(outlet->plan, row, out);
	} else if (prints(outlet)) {
		bool again = outlet->rows % HEAD_EVERY == 0 && isatty(outlet->table.fd);
		if (outlet->rows++ == 0 || again)
			table_write_head(outlet->plan, out);
		table_write_row(outlet->plan, row, out);
	}
	flush(outlet, &outlet->table);
	if (outlet->csv.fd >= 0) {
		csv_write_row(row, output_buf(&outlet->csv));
		flush(outlet, &outlet->csv);
	}
	if (outlet->exposition != NULL)
		exposition_update(outlet->exposition, result);
}

/* ---- the end ---- */

static bool write_html(struct outlet *outlet, const json_t *document, struct error *err)
{
	if (outlet->html < 0)
		return true;
	struct output output;
	output_init(&output, outlet->html, outlet->options->html, NULL);
	report_write(document, output_buf(&output));
	bool good = output_drain(&output, 0, err);
	output_release(&output);
	return good;
}

static bool print_json(const json_t *document, struct error *err)
{
	char *text = json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
	struct buf line = {0};
	buf_append_str(&line, text);
	buf_append_char(&line, '\n');
	bool good = tool_print(buf_slice(&line), err);
	buf_release(&line);
	free(text);
	return good;
}

bool outlet_finish(
    struct outlet *outlet, const struct result *result, json_t *document, struct error *err)
{
	const struct bench_options *o = outlet->options;
	if (!o->tool.quiet)
		table_write_account(outlet->plan, result, output_buf(&outlet->table));
	if (!o->tool.quiet)
		table_write_verdicts(
		    json_object_get(document, "expectations"), output_buf(&outlet->table));
	const json_t *comparison = json_object_get(document, "comparison");
	if (comparison != NULL && !o->tool.quiet)
		compare_write(comparison, output_buf(&outlet->table));
	/* each is written, whatever becomes of the others; the first failure is told */
	bool good = output_drain(&outlet->table, GRACE_NS, err);
	struct error later = {0};
	if (outlet->csv.fd >= 0)
		good = output_drain(&outlet->csv, GRACE_NS, good ? err : &later) && good;
	good = write_html(outlet, document, good ? err : &later) && good;
	good = (!o->json || print_json(document, good ? err : &later)) && good;
	if (good && outlet->failed.kind != ERROR_NONE)
		return error_set(err, outlet->failed.kind, "%s", outlet->failed.text);
	return good;
}

void outlet_close(struct outlet *outlet)
{
	if (outlet == NULL)
		return;
	exposition_close(outlet->exposition);
	output_release(&outlet->table);
	output_release(&outlet->csv);
	if (outlet->csv.fd >= 0)
		close(outlet->csv.fd);
	if (outlet->html >= 0)
		close(outlet->html);
	free(outlet);
}
