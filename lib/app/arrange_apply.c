/* topology apply: looks first, and changes nothing when something would be refused. */
#include "app/arrange_private.h"

#include "app/api.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/provision.h"

#include <stdlib.h>

struct apply {
	struct tool *tool;
	const struct arrange_options *options;
	struct arrange_look live;
	struct buf refusal; /* the last one; those before are told */
	bool *migrates;	    /* by queue of the settings */
};

/* ---- what is in the way ---- */

static bool is_named(const struct option_list *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

/* Begins the sentence about one more object. */
static struct buf *begin_refusal(struct apply *a)
{
	if (a->refusal.len > 0)
		log_write(LOG_ERROR, "%s", a->refusal.ptr);
	buf_clear(&a->refusal);
	return &a->refusal;
}

/* An exclusive, auto-deleted or stream queue cannot be migrated. */
static void write_remedy(const struct apply *a, const struct difference_item *item, struct buf *out)
{
	char *name = text_quote(slice_str(difference_name(item)));
	char *file = text_quote(slice_str(a->options->tool.settings));
	if (item->queue != NULL && arrange_migration_refusal(item) == NULL)
		buf_printf(out, "move it: topology apply --migrate %s -s %s; or ", name, file);
	buf_printf(
	    out, "change the settings, or delete it first: topology delete %s -s %s", name, file);
	free(file);
	free(name);
}

static void refuse_change(struct apply *a, const struct difference_item *item)
{
	struct buf *out = begin_refusal(a);
	char *name = text_quote(slice_str(difference_name(item)));
	buf_printf(out, "%s '%s' exists with another ", difference_object(item), name);
	for (size_t i = 0; i < item->attribute_count; i++) {
		const struct difference_attribute *d = &item->attributes[i];
		char *attribute = text_quote(slice_str(d->name));
		char *wanted = arrange_show_value(d->wanted), *found = arrange_show_value(d->found);
		buf_printf(out, "%s'%s': you asked for %s, it is %s", i > 0 ? "; and another " : "",
		    attribute, wanted, found);
		free(found);
		free(wanted);
		free(attribute);
	}
	buf_append_str(out, "; ");
	write_remedy(a, item, out);
	free(name);
}

static void refuse_missing(struct apply *a, const struct difference_item *item)
{
	struct buf *out = begin_refusal(a);
	char *name = text_quote(slice_str(difference_name(item)));
	const char *object = difference_object(item);
	buf_printf(out,
	    "cannot find %s '%s': there is no such %s; whoever it belongs to has to make it "
	    "(declared: false)",
	    object, name, object);
	free(name);
}

static void refuse_left(struct apply *a, const char *queue)
{
	char *name = text_quote(slice_str(queue));
	char *file = text_quote(slice_str(a->options->tool.settings));
	buf_printf(begin_refusal(a),
	    "a migration of queue '%s' is under way, or was interrupted; this finishes it: "
	    "topology apply --migrate %s -s %s",
	    name, name, file);
	free(file);
	free(name);
}

/* ---- what is to be migrated ---- */

static bool choose_migrations(struct apply *a, struct error *err)
{
	const struct topology *t = &a->tool->settings.topology;
	const struct option_list *names = &a->options->migrate;
	a->migrates = mem_alloc(t->queue_count + 1, sizeof *a->migrates);
	for (size_t i = 0; i < names->count; i++) {
		const struct topology_queue *q = topology_find_queue(t, slice_str(names->items[i]));
		if (q != NULL)
			continue;
		char *text = topology_explain_unknown(t, true, names->items[i]);
		error_set(err, ERROR_USAGE, "--migrate: %s", text);
		free(text);
		return false;
	}
	return true;
}

/* A queue of --migrate that needs it, and one that was not asked for but has begun. */
static bool look_at_queue(struct apply *a, const struct difference_item *item, struct error *err)
{
	const struct topology *t = &a->tool->settings.topology;
	const char *name = item->queue->name;
	bool named = is_named(&a->options->migrate, name), left = false;
	if (item->queue->declared && !item->queue->exclusive &&
	    !arrange_migration_is_left(a->tool, &a->live, name, &left, err))
		return false;
	if (left && !named)
		refuse_left(a, name);
	const char *why =
	    named && item->kind == DIFFERENCE_CHANGE ? arrange_migration_refusal(item) : NULL;
	if (why != NULL) {
		char *shown = text_quote(slice_str(name));
		buf_printf(begin_refusal(a), "queue '%s' cannot be migrated: %s", shown, why);
		free(shown);
	}
	a->migrates[item->queue - t->queues] = named && (left || item->kind == DIFFERENCE_CHANGE);
	return true;
}

static bool check(struct apply *a, struct error *err)
{
	const struct difference *d = &a->live.difference;
	const struct topology *t = &a->tool->settings.topology;
	for (size_t i = 0; i < d->item_count; i++) {
		const struct difference_item *item = &d->items[i];
		if (item->kind == DIFFERENCE_EXTRA)
			continue;
		if (item->queue != NULL && !look_at_queue(a, item, err))
			return false;
		bool moves = item->queue != NULL && a->migrates[item->queue - t->queues];
		if (item->kind == DIFFERENCE_CHANGE && !moves)
			refuse_change(a, item);
		else if (item->kind == DIFFERENCE_MISSING)
			refuse_missing(a, item);
	}
	return a->refusal.len == 0 ||
	       error_set(err, ERROR_REFUSED, "%s (nothing was changed)", a->refusal.ptr);
}

/* ---- the work ---- */

/* All but what is to be migrated, so that it has where to go. */
static bool apply_others(struct apply *a, struct error *err)
{
	const struct topology *t = &a->tool->settings.topology;
	struct topology part = *t;
	part.queues = mem_alloc(t->queue_count + 1, sizeof *part.queues);
	part.bindings = mem_alloc(t->binding_count + 1, sizeof *part.bindings);
	part.queue_count = part.binding_count = 0;
	for (size_t i = 0; i < t->queue_count; i++)
		if (!a->migrates[i])
			part.queues[part.queue_count++] = t->queues[i];
	for (size_t i = 0; i < t->binding_count; i++) {
		const struct topology_binding *b = &t->bindings[i];
		const struct topology_queue *q =
		    b->to_exchange ? NULL : topology_find_queue(t, slice_str(b->destination));
		if (q == NULL || !a->migrates[q - t->queues])
			part.bindings[part.binding_count++] = *b;
	}
	bool good = provision_apply(a->tool->connection, &part, NULL, NULL, NULL, err);
	free(part.queues);
	free(part.bindings);
	return good;
}

static bool migrate_all(struct apply *a, struct arrange_print *p, struct error *err)
{
	const struct topology *t = &a->tool->settings.topology;
	bool begun = false;
	for (size_t i = 0; i < t->queue_count; i++) {
		if (!a->migrates[i])
			continue;
		if ((!begun && !apply_others(a, err)) ||
		    !arrange_migrate(a->tool, &t->queues[i], p, err))
			return false;
		begun = true;
	}
	return true;
}

/* Over AMQP alone a migration could see neither all bindings nor what clients hold: it would lose
 * both. */
static bool look(struct apply *a, struct error *err)
{
	if (a->options->migrate.count == 0)
		return arrange_look_anyway(a->tool, &a->live, err);
	if (!api_is_known(a->tool))
		return error_set(err, ERROR_USAGE,
		    "--migrate has to see all bindings and what clients hold: give --management "
		    "URL, or broker.management in the settings");
	return arrange_look(a->tool, NULL, &a->live, err);
}

static bool run(struct apply *a, struct arrange_print *p, struct error *err)
{
	return choose_migrations(a, err) && look(a, err) && check(a, err) &&
	       migrate_all(a, p, err) &&
	       provision_apply(
		   a->tool->connection, &a->tool->settings.topology, NULL, arrange_report, p, err);
}

bool arrange_apply(
    struct tool *tool, const struct arrange_options *o, enum arrange_format form, struct error *err)
{
	struct arrange_print p = {.form = form};
	struct apply a = {.tool = tool, .options = o};
	if (!tool_load_settings(tool, true, 0, err) || !tool_connect(tool, err))
		return false;
	bool good = run(&a, &p, err);
	arrange_look_release(&a.live);
	buf_release(&a.refusal);
	free(a.migrates);
	return arrange_finish(&p, !o->tool.quiet, good, err);
}
