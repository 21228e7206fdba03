/* workflow show: what happened to one instance, as a timeline. */
#include "app/orchestrate_private.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/workflow_instance.h"
#include "model/record.h"
#include "store/select.h"

#include <stdlib.h>
#include <unistd.h>

struct show {
	const struct orchestrate_options *options;
	bool color;
	int64_t first_us;
	uint64_t count;
	struct buf out, kept;
};

static bool add_json(struct show *show, const struct select_event *e, struct error *err)
{
	struct message m;
	struct buf received = {0};
	chrono_format_us(e->received_us, &received);
	struct record_extra extra = {.position = e->position, .received = buf_slice(&received)};
	bool good =
	    select_message(e, &show->kept, &m, err) && record_write(&m, &extra, &show->out, err);
	buf_release(&received);
	return good;
}

/* The first with its date, the others by how long after. */
static void add_line(struct show *show, const struct select_event *e)
{
	if (show->count == 0) {
		show->first_us = e->received_us;
		buf_append_str(&show->out, "started at ");
		chrono_format(e->received_us / 1000, &show->out);
		buf_append_char(&show->out, '\n');
	}
	buf_printf(&show->out, "%10.3f s  ", (double)(e->received_us - show->first_us) / 1e6);
	orchestrate_describe(e->type, e->body, show->color, &show->out);
	buf_append_char(&show->out, '\n');
}

/* All events of one subject. */
static bool show_subject(
    struct show *show, struct store *store, const char *subject, struct error *err)
{
	const struct select_filter filter = {.subject = subject};
	struct select *select = select_open(store, &filter, err);
	struct select_event e;
	bool good = select != NULL;
	while (good && select_next(select, &e, err)) {
		if (show->options->format == ORCHESTRATE_JSON)
			good = add_json(show, &e, err);
		else
			add_line(show, &e);
		show->count++;
	}
	select_close(select);
	return good && err->kind == ERROR_NONE;
}

/* The operand is WORKFLOW/ID, or an ID of one of the workflows of the settings. */
static bool find(const struct tool *tool, struct show *show, struct store *store, const char *name,
    struct error *err)
{
	char *subject = mem_printf(WORKFLOW_INSTANCE_SUBJECTS "%s", name);
	bool good = strchr(name, '/') == NULL || show_subject(show, store, subject, err);
	free(subject);
	const struct workflow_list *all = &tool->settings.workflows;
	for (size_t i = 0; good && show->count == 0 && i < all->count; i++) {
		subject = mem_printf(WORKFLOW_INSTANCE_SUBJECTS "%s/%s", all->items[i].name, name);
		good = show_subject(show, store, subject, err);
		free(subject);
	}
	if (!good || show->count > 0)
		return good;
	char *shown = text_quote(slice_str(name));
	error_set(err, ERROR_NO_INPUT, "%s has no instance '%s'%s", store_path(store), shown,
	    all->count == 0 && strchr(name, '/') == NULL
		? "; without settings it is named WORKFLOW/ID"
		: "; 'workflow list' tells those that it has");
	free(shown);
	return false;
}

bool orchestrate_show(struct tool *tool, const struct orchestrate_options *options, char **operands,
    struct error *err)
{
	struct show show = {.options = options, .color = tool_wants_color(tool, STDOUT_FILENO)};
	if (operands[0] == NULL || operands[1] != NULL)
		return error_set(err, ERROR_USAGE, "show takes one instance: ID, or WORKFLOW/ID");
	struct store *store = store_open(options->store, STORE_READ, err);
	bool good = store != NULL && find(tool, &show, store, operands[0], err) &&
		    tool_print(buf_slice(&show.out), err);
	store_close(store);
	buf_release(&show.out);
	buf_release(&show.kept);
	return good;
}
