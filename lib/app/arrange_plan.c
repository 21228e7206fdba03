/* topology plan: what apply would make, what it could not change, and what stands beside it. */
#include "app/arrange_private.h"

#include "app/api.h"
#include "base/num.h"
#include "base/text.h"

#include <stdlib.h>
#include <unistd.h>

static const struct kind {
	char mark;
	const char *color;
	const char *json;
	const char *count; /* "3 to create" */
	bool is_difference;
} kinds[DIFFERENCE_KIND_COUNT] = {
    [DIFFERENCE_EQUAL] = {'=', "", "equal", "equal", false},
    [DIFFERENCE_CREATE] = {'+', "\033[32m", "create", "to create", true},
    [DIFFERENCE_CHANGE] = {'~', "\033[33m", "differs", "different", true},
    [DIFFERENCE_EXTRA] = {'-', "\033[31m", "undeclared", "not declared", true},
    [DIFFERENCE_MISSING] = {'!', "\033[31m", "missing", "missing", true},
    [DIFFERENCE_LEFT] = {'.', "", "left", "left to their consumers", false},
    [DIFFERENCE_UNSEEN] = {'?', "", "unseen", "not seen", false},
};

#define RESET "\033[0m"

struct plan {
	const struct arrange_look *live;
	enum arrange_format form;
	bool color, all; /* what is equal, too */
	size_t differences;
	struct buf out;
};

/* ---- notes ---- */

struct notes {
	struct buf text;
	json_t *list;
};

static void add_note(void *ctx, const char *policy, const char *key, const json_t *value)
{
	struct notes *notes = ctx;
	char *shown = arrange_show_value(value);
	buf_append_str(&notes->text, "    note: policy '");
	text_escape(slice_str(policy), 255, &notes->text);
	buf_append_str(&notes->text, "' sets ");
	text_escape(slice_str(key), 255, &notes->text);
	buf_printf(&notes->text, " to %s\n", shown);
	json_array_append_new(notes->list, json_pack("{s:s, s:s, s:O}", "policy", policy, "key",
					       key, "value", (json_t *)(uintptr_t)value));
	free(shown);
}

static struct notes find_notes(const struct plan *plan, const struct difference_item *item)
{
	struct notes notes = {.list = json_array()};
	if (item->queue != NULL && item->kind != DIFFERENCE_EXTRA)
		arrange_look_notes(plan->live, item->queue, add_note, &notes);
	return notes;
}

static const char *explain_extra(const struct difference_item *item)
{
	struct slice queue;
	const char *name = difference_name(item);
	if (item->kind != DIFFERENCE_EXTRA || name == NULL || !topology_made_for(name, &queue))
		return NULL;
	return strstr(name + queue.len, ".migration") == name + queue.len
		   ? "of a migration that was interrupted, or is under way"
		   : "made by a retry policy that the settings do not have any more";
}

/* ---- as text ---- */

static void write_attribute(const struct difference_attribute *a, struct buf *out)
{
	char *wanted = arrange_show_value(a->wanted), *found = arrange_show_value(a->found);
	buf_append_str(out, "    ");
	text_escape(slice_str(a->name), 255, out);
	buf_printf(out, ": wanted %s, found %s\n", wanted, found);
	free(wanted);
	free(found);
}

static void write_head(struct plan *plan, const struct difference_item *item)
{
	const struct kind *kind = &kinds[item->kind];
	struct buf *out = &plan->out;
	if (plan->color)
		buf_append_str(out, kind->color);
	buf_printf(out, "%c%s %s ", kind->mark, plan->color ? RESET : "", difference_object(item));
	if (item->binding != NULL) {
		arrange_write_binding(item->binding, out);
		return;
	}
	text_escape(slice_str(difference_name(item)), 255, out);
	if (item->kind != DIFFERENCE_CREATE)
		return;
	buf_append_char(out, ' ');
	if (item->queue != NULL)
		arrange_write_queue(item->queue, out);
	else
		arrange_write_exchange(item->exchange, out);
}

static void write_item_text(
    struct plan *plan, const struct difference_item *item, const struct notes *notes)
{
	const char *why = explain_extra(item);
	bool is_quiet = item->kind == DIFFERENCE_EQUAL || item->kind == DIFFERENCE_UNSEEN;
	if (is_quiet && !plan->all && notes->text.len == 0)
		return;
	write_head(plan, item);
	if (item->kind == DIFFERENCE_MISSING)
		buf_append_str(&plan->out, "  (declared: false, and not on the broker)");
	else if (item->kind == DIFFERENCE_LEFT)
		buf_append_str(&plan->out, "  (exclusive: left to its consumer)");
	else if (why != NULL)
		buf_printf(&plan->out, "  (%s)", why);
	buf_append_char(&plan->out, '\n');
	for (size_t i = 0; i < item->attribute_count; i++)
		write_attribute(&item->attributes[i], &plan->out);
	buf_append(&plan->out, buf_slice(&notes->text));
}

static void write_end_text(struct plan *plan)
{
	const size_t *counts = plan->live->difference.counts;
	struct buf *out = &plan->out;
	size_t first = out->len;
	for (size_t i = 1; i <= DIFFERENCE_KIND_COUNT; i++) {
		size_t kind = i % DIFFERENCE_KIND_COUNT; /* equal comes last */
		if (counts[kind] == 0 && kind != DIFFERENCE_EQUAL)
			continue;
		buf_append_str(out, out->len > first ? ", " : "");
		num_format_count(counts[kind], out);
		buf_printf(out, " %s", kinds[kind].count);
	}
	buf_append_char(out, '\n');
	if (plan->live->is_http)
		return;
	buf_append_str(out,
	    "over AMQP alone: bindings cannot be seen, nor what is not declared, nor arguments "
	    "that the broker knows nothing of; --management URL shows them\n");
	if (plan->live->partly)
		buf_append_str(
		    out, "and the broker may have named only some of the attributes that differ\n");
}

/* ---- as JSON ---- */

static json_t *nullable(json_t *value)
{
	return value != NULL ? json_incref(value) : json_null();
}

static void write_item_json(
    struct plan *plan, const struct difference_item *item, const struct notes *notes)
{
	const char *why = explain_extra(item);
	json_t *line = json_pack(
	    "{s:s, s:s}", "change", kinds[item->kind].json, "object", difference_object(item));
	json_t *attributes = json_array();
	if (item->binding != NULL)
		arrange_describe_binding(item->binding, line);
	else
		json_object_set_new(line, "name", json_string(difference_name(item)));
	for (size_t i = 0; i < item->attribute_count; i++) {
		const struct difference_attribute *a = &item->attributes[i];
		json_array_append_new(
		    attributes, json_pack("{s:s, s:o, s:o}", "attribute", a->name, "wanted",
				    nullable(a->wanted), "found", nullable(a->found)));
	}
	if (item->kind == DIFFERENCE_CHANGE)
		json_object_set(line, "attributes", attributes);
	if (json_array_size(notes->list) > 0)
		json_object_set(line, "notes", notes->list);
	if (why != NULL)
		json_object_set_new(line, "why", json_string(why));
	json_decref(attributes);
	arrange_write_json(line, &plan->out);
}

static void write_end_json(struct plan *plan)
{
	const struct difference *d = &plan->live->difference;
	json_t *counts = json_object();
	for (size_t i = 0; i < DIFFERENCE_KIND_COUNT; i++)
		json_object_set_new(counts, kinds[i].json, json_integer((json_int_t)d->counts[i]));
	arrange_write_json(json_pack("{s:o, s:s, s:b}", "plan", counts, "through",
			       plan->live->is_http ? "http" : "amqp", "partly", plan->live->partly),
	    &plan->out);
}

/* ---- the whole ---- */

static void write_plan(struct plan *plan)
{
	const struct difference *d = &plan->live->difference;
	bool json = plan->form == ARRANGE_JSON;
	for (size_t i = 0; i < d->item_count; i++) {
		struct notes notes = find_notes(plan, &d->items[i]);
		plan->differences += kinds[d->items[i].kind].is_difference;
		(json ? write_item_json : write_item_text)(plan, &d->items[i], &notes);
		buf_release(&notes.text);
		json_decref(notes.list);
	}
	(json ? write_end_json : write_end_text)(plan);
}

bool arrange_plan(
    struct tool *tool, const struct arrange_options *o, enum arrange_format form, struct error *err)
{
	struct arrange_look live = {0};
	struct plan plan = {.live = &live,
	    .form = form,
	    .color = tool_wants_color(tool, STDOUT_FILENO),
	    .all = o->tool.verbose};
	if (!tool_load_settings(tool, true, 0, err))
		return false;
	if (o->prefix != NULL && !api_is_known(tool))
		return error_set(err, ERROR_USAGE,
		    "--prefix needs the HTTP API: give --management URL, or broker.management in "
		    "the settings");
	if ((!api_is_known(tool) && !tool_connect(tool, err)) ||
	    !arrange_look(tool, o->prefix, &live, err))
		return false;
	write_plan(&plan);
	bool good = tool_print(buf_slice(&plan.out), err);
	if (good && plan.differences > 0)
		tool->status = ERROR_UNDELIVERED;
	buf_release(&plan.out);
	arrange_look_release(&live);
	return good;
}
