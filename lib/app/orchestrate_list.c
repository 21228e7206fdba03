/* workflow list: the instances in the store, by what happened last. */
#include "app/orchestrate_private.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/sheet.h"
#include "flow/workflow_instance.h"
#include "store/select.h"

#include <stdlib.h>

static const char *const names[] = {
    "workflow", "id", "state", "step", "attempt", "since", "started", "events"};

static const char *state_of(enum workflow_happening what)
{
	static const char *const states[WORKFLOW_HAPPENINGS] = {[WORKFLOW_STARTED] = "running",
	    [WORKFLOW_REQUESTED] = "running",
	    [WORKFLOW_REPLIED] = "completing",
	    [WORKFLOW_FAILED] = "aborting",
	    [WORKFLOW_COMPENSATING] = "compensating",
	    [WORKFLOW_COMPENSATED] = "aborting",
	    [WORKFLOW_COMPLETED] = "completed",
	    [WORKFLOW_ABORTED] = "aborted"};
	return states[what];
}

/* The last event of each instance is kept as {type, step, attempt, since, started, events}. */
static void note(json_t *all, const struct select_event *e)
{
	struct slice prefix = SLICE(WORKFLOW_INSTANCE_TYPES);
	enum workflow_happening what;
	if (e->subject.ptr == NULL || e->type.len < prefix.len ||
	    !workflow_happening_find(slice_from(e->type, prefix.len), &what))
		return;
	json_t *row = json_object_getn(all, e->subject.ptr, e->subject.len);
	if (row == NULL) {
		row = json_pack("{s:I}", "started", (json_int_t)e->received_us);
		json_object_setn_new_nocheck(all, e->subject.ptr, e->subject.len, row);
	}
	json_t *data = json_loadb(e->body.len > 0 ? e->body.ptr : "", e->body.len, 0, NULL);
	json_t *step = json_object_get(data, "step"), *attempt = json_object_get(data, "attempt");
	json_object_set_new(row, "what", json_integer((json_int_t)what));
	json_object_set_new(row, "since", json_integer((json_int_t)e->received_us));
	json_object_set_new(row, "events", json_integer((json_int_t)e->version));
	json_object_set(row, "step", step != NULL ? step : json_null());
	json_object_set(row, "attempt", attempt != NULL ? attempt : json_null());
	json_decref(data);
}

static bool is_wanted(
    const struct orchestrate_options *o, char **operands, struct slice workflow, bool has_ended)
{
	bool named = operands[0] == NULL;
	for (size_t i = 0; operands[i] != NULL; i++)
		named = named || slice_is(workflow, operands[i]);
	return named &&
	       (o->which == ORCHESTRATE_ALL || (o->which == ORCHESTRATE_ENDED) == has_ended);
}

static struct sheet_cell time_cell(const json_t *row, const char *key, struct buf *out)
{
	size_t before = out->len;
	chrono_format(json_integer_value(json_object_get(row, key)) / 1000, out);
	return sheet_text(slice_from(buf_slice(out), before));
}

static bool print_row(struct sheet *sheet, struct slice workflow, struct slice id,
    const json_t *row, struct error *err)
{
	struct buf since = {0}, started = {0};
	enum workflow_happening what =
	    (enum workflow_happening)json_integer_value(json_object_get(row, "what"));
	const json_t *step = json_object_get(row, "step"),
		     *attempt = json_object_get(row, "attempt");
	const struct sheet_cell none = {.kind = SHEET_NULL};
	const struct sheet_cell cells[ARRAY_LEN(names)] = {sheet_text(workflow), sheet_text(id),
	    sheet_text(slice_str(state_of(what))),
	    json_is_string(step) ? sheet_text(slice_str(json_string_value(step))) : none,
	    json_is_number(attempt) ? sheet_integer((uint64_t)json_number_value(attempt)) : none,
	    time_cell(row, "since", &since), time_cell(row, "started", &started),
	    sheet_integer((uint64_t)json_integer_value(json_object_get(row, "events")))};
	bool good = sheet_add(sheet, cells, err);
	buf_release(&since);
	buf_release(&started);
	return good;
}

static bool print(
    const struct orchestrate_options *o, char **operands, json_t *all, struct error *err)
{
	struct sheet *sheet = sheet_create(
	    o->format == ORCHESTRATE_JSON ? SHEET_JSON : SHEET_TABLE, names, ARRAY_LEN(names));
	const char *subject;
	json_t *row;
	bool good = true;
	json_object_foreach(all, subject, row)
	{
		struct slice workflow, id;
		enum workflow_happening what =
		    (enum workflow_happening)json_integer_value(json_object_get(row, "what"));
		bool has_ended = what == WORKFLOW_COMPLETED || what == WORKFLOW_ABORTED;
		if (good && workflow_instance_parse(slice_str(subject), &workflow, &id) &&
		    is_wanted(o, operands, workflow, has_ended))
			good = print_row(sheet, workflow, id, row, err);
	}
	good = good && sheet_end(sheet, err);
	sheet_free(sheet);
	return good;
}

bool orchestrate_list(struct tool *tool, const struct orchestrate_options *options, char **operands,
    struct error *err)
{
	const struct select_filter filter = {
	    .where = "type >= '" WORKFLOW_INSTANCE_TYPES "' AND type < 'warren.workflow/'"};
	struct store *store = store_open(options->store, STORE_READ, err);
	struct select *select = store != NULL ? select_open(store, &filter, err) : NULL;
	struct select_event event;
	json_t *all = json_object();
	bool good = select != NULL;
	(void)tool;
	while (good && select_next(select, &event, err))
		note(all, &event);
	good = good && err->kind == ERROR_NONE && print(options, operands, all, err);
	json_decref(all);
	select_close(select);
	store_close(store);
	return good;
}
