#include "flow/workflow_logic.h"

#include "base/mem.h"
#include "model/envelope.h"
#include "jq/program.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST_LETTERS (2 * WORKFLOW_MAX_STEPS + 2)

struct row {
	const struct workflow_letter *letter;
	struct program *body, *failed; /* or NULL */
};

struct workflow_logic {
	const struct workflow *workflow;
	struct program *id;
	struct row rows[MOST_LETTERS];
	size_t row_count;
	/* while it is made */
	struct reader r;
};

/* ---- compiling ---- */

static struct program *compile(struct workflow_logic *logic, const char *key, const char *text)
{
	const struct program_options options = {
	    .expression = text,
	    .endless = "error: a jq program of a workflow did not come to an end; giving up, so "
		       "that the broker delivers again what is not settled\n",
	    .greedy = "error: a jq program of a workflow needs more memory than there is\n",
	    .status = ERROR_INTERNAL,
	};
	struct error err = {0};
	if (text == NULL)
		return NULL;
	struct program *program = program_create(&options, &err);
	if (program == NULL)
		reader_fail_at(&logic->r, key, "%s", err.text);
	return program;
}

static void add(struct workflow_logic *logic, const char *key, const char *failed_key,
    const struct workflow_letter *letter)
{
	size_t mark = reader_enter(&logic->r, key);
	struct row *row = &logic->rows[logic->row_count++];
	row->letter = letter;
	row->body = compile(logic, "body", letter->body);
	if (failed_key == NULL)
		row->failed = compile(logic, "failed", letter->failed);
	reader_leave(&logic->r, mark);
	if (failed_key != NULL) /* it stands beside the request */
		row->failed = compile(logic, failed_key, letter->failed);
}

static void add_steps(struct workflow_logic *logic)
{
	const struct workflow *w = logic->workflow;
	size_t mark = reader_enter(&logic->r, "steps");
	for (size_t i = 0; i < w->step_count; i++) {
		size_t inner = reader_enter_item(&logic->r, i);
		add(logic, "request", "failed", &w->steps[i].request);
		if (w->steps[i].has_compensation)
			add(logic, "compensate", NULL, &w->steps[i].compensation);
		reader_leave(&logic->r, inner);
	}
	reader_leave(&logic->r, mark);
}

struct workflow_logic *workflow_logic_create(
    const struct workflow *w, reader_report_fn *report, void *ctx)
{
	struct workflow_logic *logic = mem_alloc(1, sizeof *logic);
	logic->workflow = w;
	logic->r = (struct reader){.report = report, .ctx = ctx};
	size_t mark = reader_enter(&logic->r, w->name);
	size_t inner = reader_enter(&logic->r, "start");
	logic->id = compile(logic, "id", w->id);
	reader_leave(&logic->r, inner);
	add_steps(logic);
	if (w->has_completed)
		add(logic, "completed", NULL, &w->completed);
	if (w->has_failed)
		add(logic, "failed", NULL, &w->failed);
	reader_leave(&logic->r, mark);
	reader_release(&logic->r);
	if (!logic->r.failed)
		return logic;
	workflow_logic_free(logic);
	return NULL;
}

void workflow_logic_free(struct workflow_logic *logic)
{
	if (logic == NULL)
		return;
	program_free(logic->id);
	for (size_t i = 0; i < logic->row_count; i++) {
		program_free(logic->rows[i].body);
		program_free(logic->rows[i].failed);
	}
	free(logic);
}

const struct workflow *workflow_logic_workflow(const struct workflow_logic *logic)
{
	return logic->workflow;
}

/* ---- running ---- */

static bool complain(struct datum *failure, struct error *err)
{
	char *words = program_complaint(failure);
	error_set(err, ERROR_DATA, "%s", words);
	free(words);
	datum_free(failure);
	return false;
}

/* Its only output; takes the input. */
static bool run(struct program *program, struct datum input, struct datum *out, struct error *err)
{
	struct datum first, second;
	program_start(program, &input, NULL);
	enum program_answer answer = program_next(program, &first);
	if (answer == PROGRAM_FAILED)
		return complain(&first, err);
	if (answer == PROGRAM_END)
		return error_set(err, ERROR_DATA, "it has no output");
	answer = program_next(program, &second);
	if (answer == PROGRAM_END) {
		*out = first;
		return true;
	}
	datum_free(&first);
	if (answer == PROGRAM_FAILED)
		return complain(&second, err);
	datum_free(&second);
	/* a run that is not at its end is given up by the next start */
	return error_set(err, ERROR_DATA, "it has more than one output");
}

/* A number is written as it is in the body, so that .order_id may be one. */
static bool write_id(const struct datum *id, struct buf *out, struct error *err)
{
	size_t before = out->len;
	struct slice text;
	if (datum_is_text(id, &text))
		buf_append(out, text);
	else
		datum_write(id, out);
	struct slice written = slice_from(buf_slice(out), before);
	bool is_number = written.len > 0 && strspn(written.ptr, "-0123456789") == written.len;
	if (written.len == 0 || (!is_number && !datum_is_text(id, &text)))
		error_set(err, ERROR_DATA, "its id is no text and no whole number");
	else if (written.len > WORKFLOW_LOGIC_MAX_ID || !envelope_is_string(written))
		error_set(err, ERROR_DATA,
		    "its id is longer than %d bytes, not UTF-8, or has control characters in it",
		    WORKFLOW_LOGIC_MAX_ID);
	else
		return true;
	buf_truncate(out, before);
	return false;
}

bool workflow_logic_id(struct workflow_logic *logic, const struct datum *body,
    struct slice message_id, struct buf *out, struct error *err)
{
	struct datum id;
	if (logic->id == NULL && message_id.len == 0)
		return error_set(
		    err, ERROR_DATA, "it has no message_id, which would be the id of the instance");
	if (logic->id == NULL)
		id = datum_text(message_id);
	else if (!run(logic->id, datum_copy(body), &id, err))
		return error_context(err, "its id");
	bool good = write_id(&id, out, err);
	datum_free(&id);
	return good;
}

static const struct row *find(
    const struct workflow_logic *logic, const struct workflow_letter *letter)
{
	const struct row *row = logic->rows;
	while (row->letter != letter)
		row++;
	return row;
}

bool workflow_logic_body(struct workflow_logic *logic, const struct workflow_letter *letter,
    struct datum view, struct datum *out, struct error *err)
{
	const struct row *row = find(logic, letter);
	if (row->body != NULL)
		return run(row->body, view, out, err);
	*out = datum_move(&view, "input");
	datum_free(&view);
	return true;
}

bool workflow_logic_has_failed(struct workflow_logic *logic, const struct workflow_letter *letter,
    const struct datum *reply, struct error *why)
{
	const struct row *row = find(logic, letter);
	struct datum verdict;
	if (row->failed == NULL)
		return false;
	if (!run(row->failed, datum_copy(reply), &verdict, why))
		return true;
	bool has_failed = datum_is_true(&verdict);
	datum_free(&verdict);
	return has_failed;
}
