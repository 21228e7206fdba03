/* topology delete and purge: look first, ask, and then do all of it or nothing. */
#include "app/arrange_private.h"

#include "app/ask.h"
#include "base/log.h"
#include "base/num.h"
#include "base/text.h"
#include "broker/provision.h"

#include <stdlib.h>

struct removal {
	struct tool *tool;
	const struct arrange_options *options;
	bool deletes; /* else it purges */
	struct topology part;
	struct arrange_look live; /* with limits */
	struct buf list;	  /* what goes, for the question */
	size_t queues, exchanges;
	uint64_t messages;
	struct buf refusal; /* the last one; those before are told */
};

static void refuse(struct removal *r, const char *object, const char *name, const char *why)
{
	char *shown = text_quote(slice_str(name));
	if (r->refusal.len > 0)
		log_write(LOG_ERROR, "%s", r->refusal.ptr);
	buf_clear(&r->refusal);
	buf_printf(&r->refusal, "cannot %s %s '%s': %s", r->deletes ? "delete" : "purge", object,
	    shown, why);
	free(shown);
}

static void list(struct removal *r, const char *object, const char *name, uint64_t messages)
{
	buf_printf(&r->list, "  %s ", object);
	text_escape(slice_str(name), 255, &r->list);
	if (messages > 0) {
		buf_append_str(&r->list, " with ");
		num_format_count(messages, &r->list);
		buf_append_str(&r->list, num_noun(messages, " message", " messages"));
	}
	buf_append_char(&r->list, '\n');
}

/* ---- looking ---- */

/* Why not; NULL: it may go. */
static const char *find_reason(
    const struct removal *r, const struct topology_queue *q, const struct provision_state *state)
{
	bool is_stream = strcmp(q->type, "stream") == 0;
	if (state->locked)
		return r->deletes ? "the queue belongs to another connection (it is exclusive); "
				    "wait until that connection ends, or use another name"
				  : NULL;
	if (r->options->if_unused && state->consumers > 0)
		return "it is in use; stop what uses it, or leave --if-unused out";
	if (r->options->if_empty && is_stream)
		return "a stream does not tell whether it is empty; leave --if-empty out";
	if (r->options->if_empty && state->ready > 0)
		return "it is not empty; consume or purge it first, or leave --if-empty out";
	return NULL;
}

static bool look_at_queue(struct removal *r, const struct topology_queue *q, struct error *err)
{
	struct provision_state state = {0};
	bool stays =
	    !q->declared || (!r->deletes && (q->exclusive || strcmp(q->type, "stream") == 0));
	if (stays)
		return true;
	if (!provision_look_queue(r->tool->connection, q->name, &state, err))
		return false;
	const char *why = find_reason(r, q, &state);
	if (why != NULL)
		refuse(r, "queue", q->name, why);
	if (state.exists && (r->deletes || state.ready > 0)) {
		list(r, "queue", q->name, state.ready);
		r->queues++;
		r->messages += state.ready;
	}
	return true;
}

static bool goes(const struct removal *r, const struct topology_binding *b)
{
	const struct slice name = slice_str(b->destination);
	const struct topology_queue *q =
	    b->to_exchange ? NULL : topology_find_queue(&r->part, name);
	const struct topology_exchange *e =
	    b->to_exchange ? topology_find_exchange(&r->part, name) : NULL;
	return (q != NULL && q->declared) || (e != NULL && e->declared);
}

/* Bindings are not to be seen over AMQP: the broker has the last word there. */
static void look_at_bindings(
    struct removal *r, const struct topology *found, const struct topology_exchange *e)
{
	for (size_t i = 0; i < found->binding_count; i++) {
		const struct topology_binding *b = &found->bindings[i];
		if (strcmp(b->exchange, e->name) != 0 || goes(r, b))
			continue;
		refuse(r, "exchange", e->name,
		    "it is in use: it has a binding to what stays; leave --if-unused out");
		return;
	}
}

static bool look_at_exchange(struct removal *r, const struct topology *found,
    const struct topology_exchange *e, struct error *err)
{
	struct provision_state state = {0};
	if (!e->declared)
		return true;
	if (!provision_look_exchange(r->tool->connection, e->name, &state, err))
		return false;
	if (!state.exists)
		return true;
	list(r, "exchange", e->name, 0);
	r->exchanges++;
	if (r->options->if_unused)
		look_at_bindings(r, found, e);
	return true;
}

/* How a queue is deleted depends on what it is, not on what the settings want. */
static void note_types(struct removal *r, const struct difference *d)
{
	for (size_t i = 0; i < d->item_count; i++)
		for (size_t k = 0; d->items[i].queue != NULL && k < r->part.queue_count; k++)
			if (strcmp(r->part.queues[k].name, d->items[i].queue->name) == 0)
				r->part.queues[k].type = difference_queue_type(&d->items[i]);
}

static bool look(struct removal *r, struct error *err)
{
	bool has_limits = r->options->if_empty || r->options->if_unused;
	bool good = !r->deletes || !has_limits || arrange_look_anyway(r->tool, &r->live, err);
	note_types(r, &r->live.difference);
	for (size_t i = 0; good && i < r->part.queue_count; i++)
		good = look_at_queue(r, &r->part.queues[i], err);
	for (size_t i = 0; good && r->deletes && i < r->part.exchange_count; i++)
		good = look_at_exchange(r, &r->live.found, &r->part.exchanges[i], err);
	if (good && r->refusal.len > 0)
		good = error_set(err, ERROR_REFUSED, "%s (nothing was %s)", r->refusal.ptr,
		    r->deletes ? "deleted" : "purged");
	return good;
}

/* ---- asking ---- */

static void write_count(size_t count, const char *one, struct buf *out)
{
	if (count == 0)
		return;
	num_format_count(count, out);
	buf_printf(out, " %s%s", one, count == 1 ? "" : "s");
}

/* Once, with the list of what goes; a script is not asked. */
static bool agree(struct removal *r, bool *yes, struct error *err)
{
	bool asks = !r->options->yes && r->list.len > 0 && ask_is_possible();
	*yes = true;
	if (!asks)
		return true;
	struct buf question = {0};
	buf_append(&question, buf_slice(&r->list));
	buf_append_str(&question, r->deletes ? "delete " : "purge ");
	write_count(r->queues, "queue", &question);
	buf_append_str(&question, r->queues > 0 && r->exchanges > 0 ? " and " : "");
	write_count(r->exchanges, "exchange", &question);
	buf_append_str(&question, r->messages > 0 ? " with " : "");
	write_count(r->messages, "message", &question);
	buf_append_str(&question, "? [y/N] ");
	bool good = ask_yes(r->tool, question.ptr, yes, err);
	if (good && !*yes)
		log_write(LOG_INFO, "nothing is changed");
	buf_release(&question);
	return good;
}

/* ---- the run ---- */

static bool run(struct removal *r, struct arrange_print *p, struct error *err)
{
	const struct provision_limits limits = {r->options->if_empty, r->options->if_unused};
	bool yes = false;
	if (!look(r, err) || !agree(r, &yes, err))
		return false;
	return !yes || (r->deletes ? provision_delete : provision_purge)(
			   r->tool->connection, &r->part, &limits, arrange_report, p, err);
}

static bool remove_part(struct tool *tool, const struct arrange_options *o,
    enum arrange_format form, bool deletes, struct error *err)
{
	struct arrange_print p = {.form = form};
	struct removal r = {.tool = tool, .options = o, .deletes = deletes};
	if (!tool_load_settings(tool, true, 0, err) || !arrange_check_names(tool, err) ||
	    !tool_connect(tool, err))
		return false;
	r.part = arrange_select(tool);
	bool good = run(&r, &p, err);
	arrange_look_release(&r.live);
	free(r.part.exchanges);
	free(r.part.queues);
	buf_release(&r.list);
	buf_release(&r.refusal);
	return arrange_finish(&p, !o->tool.quiet, good, err);
}

bool arrange_delete(
    struct tool *tool, const struct arrange_options *o, enum arrange_format form, struct error *err)
{
	return remove_part(tool, o, form, true, err);
}

bool arrange_purge(
    struct tool *tool, const struct arrange_options *o, enum arrange_format form, struct error *err)
{
	return remove_part(tool, o, form, false, err);
}
