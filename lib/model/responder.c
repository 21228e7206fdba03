#include "model/responder.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

static void refuse_shared(struct reader *r, const struct responder_list *list, const char *queue)
{
	for (size_t i = 0; i + 1 < list->count; i++) {
		if (strcmp(list->items[i].queue, queue) != 0)
			continue;
		char *shown = text_quote(slice_str(list->items[i].name));
		reader_fail_at(r, "queue",
		    "'%s' answers the requests of that queue already: each of the two would get "
		    "some of them",
		    shown);
		free(shown);
		return;
	}
}

static void check_queue(struct reader *r, const struct topology *t,
    const struct responder_list *list, const char *queue)
{
	const struct topology_queue *q = topology_find_queue(t, slice_str(queue));
	if (q == NULL) {
		char *text = topology_explain_unknown(t, true, queue);
		reader_fail_at(r, "queue", "%s", text);
		free(text);
	} else if (strcmp(q->type, "stream") == 0) {
		reader_fail_at(r, "queue",
		    "a stream keeps its messages, so that requests would be answered again and "
		    "again; it takes a classic or a quorum queue");
	}
	refuse_shared(r, list, queue);
}

bool responder_read(const json_t *section, const struct topology *topology,
    struct responder_list *out, reader_report_fn *report, void *ctx)
{
	struct reader r = {.report = report, .ctx = ctx};
	const char *name;
	json_t *spec;
	out->items = mem_alloc(json_object_size(section), sizeof *out->items);
	json_object_foreach((json_t *)(uintptr_t)section, name, spec)
	{
		size_t mark = reader_enter(&r, name);
		struct responder *it = &out->items[out->count++];
		*it = (struct responder){
		    .name = name, .queue = "", .core = reader_member(spec, "core")};
		(void)reader_count(&r, spec, "prefetch", 1, UINT16_MAX, &it->prefetch);
		if (reader_text(&r, spec, "queue", &it->queue))
			check_queue(&r, topology, out, it->queue);
		reader_leave(&r, mark);
	}
	bool good = !r.failed;
	reader_release(&r);
	return good;
}

void responder_release(struct responder_list *list)
{
	free(list->items);
	*list = (struct responder_list){0};
}

const struct responder *responder_find(const struct responder_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}
