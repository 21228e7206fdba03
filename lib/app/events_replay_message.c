#include "app/events_replay_message.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>

bool events_replay_message_make(struct events_replay_message *r, const struct select_event *event,
    bool again, const struct message **out, struct error *err)
{
	const struct replay_order order = {.position = event->position,
	    .again = again,
	    .exchange = r->exchange,
	    .routing_key = r->routing_key,
	    .user = r->user};
	const struct message *m;
	struct message masked;
	struct replay_outcome outcome;
	if (!events_select_message(r->select, &m, err))
		return error_context(err, "event %" PRIu64, event->position);
	if (r->mask != NULL) {
		if (!mask_message(r->mask, m, &masked, &r->masked, err))
			return error_context(err, "event %" PRIu64, event->position);
		m = &masked;
	}
	replay_message(m, &order, &r->message, &r->headers, &outcome);
	r->lost_user_ids += outcome.lost_user_id;
	r->again += again;
	*out = &r->message;
	return true;
}

static void count_lacks(struct events_replay_message *r, uint64_t position)
{
	for (size_t i = 0; i < r->field_count; i++) {
		struct events_replay_lack *lack = &r->lacks[i];
		if (mask_found(r->mask, i))
			continue;
		if (lack->count < EVENTS_REPLAY_FIRST)
			lack->first[lack->count] = position;
		lack->count++;
	}
}

static bool try_event(
    struct events_replay_message *r, const struct select_event *event, struct error *err)
{
	const struct message *m;
	struct message masked;
	if (!events_select_message(r->select, &m, err))
		return error_context(err, "event %" PRIu64, event->position);
	if (mask_message(r->mask, m, &masked, &r->masked, err)) {
		count_lacks(r, event->position);
		return true;
	}
	char *id = text_quote(event->id);
	error_context(err, "event %" PRIu64 "%s%s cannot be masked, so nothing is sent",
	    event->position, id[0] != '\0' ? " with id " : "", id);
	free(id);
	return false;
}

bool events_replay_message_try(struct events_replay_message *r, struct store *store, uint64_t from,
    uint64_t last, uint64_t limit, struct error *err)
{
	struct select_filter *filter = events_select_filter(r->select);
	struct select_event event;
	filter->from = from > filter->from ? from : filter->from;
	bool good = events_select_open(r->select, store, err);
	for (uint64_t n = 0; good && (limit == 0 || n < limit); n++) {
		if (!events_select_next(r->select, &event, err) || event.position > last)
			break;
		good = try_event(r, &event, err);
		r->tried++;
	}
	return good && err->kind == ERROR_NONE;
}

void events_replay_message_release(struct events_replay_message *r)
{
	buf_release(&r->masked);
	buf_release(&r->headers);
}
