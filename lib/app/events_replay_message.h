/* events_replay_message.h - the messages of stored events as a replay sends them: masked, marked,
 * to where it goes. */
#ifndef APP_EVENTS_REPLAY_MESSAGE_H
#define APP_EVENTS_REPLAY_MESSAGE_H

#include "app/events_select.h"
#include "fake/mask.h"
#include "model/replay.h"

#define EVENTS_REPLAY_FIRST 3

/* The events that do not have a field that is to be masked, so that nothing is masked there. */
struct events_replay_lack {
	uint64_t count;
	uint64_t first[EVENTS_REPLAY_FIRST]; /* positions */
};

/* `= {0}` sends what was recorded. */
struct events_replay_message {
	struct events_select *select;
	struct mask *mask;				   /* NULL: nothing is masked */
	size_t field_count;				   /* of the mask */
	struct events_replay_lack lacks[MASK_MOST_FIELDS]; /* of its fields, among those tried */
	const char *exchange, *routing_key, *user;	   /* as of struct replay_order */
	uint64_t tried, again, lost_user_ids;		   /* how many messages, so far */
	struct buf masked, headers;
	struct message message;
};

/* The message of the event that the select gave last; lives until the next call. */
bool events_replay_message_make(struct events_replay_message *r, const struct select_event *event,
    bool again, const struct message **out, struct error *err) MUST_CHECK;

/* What would fail in the middle of a replay, told before it begins: looks at these events, of which
 * `limit` (0: all) are sent, and counts in lacks. ERROR_DATA with the first that cannot be masked.
 */
bool events_replay_message_try(struct events_replay_message *r, struct store *store, uint64_t from,
    uint64_t last, uint64_t limit, struct error *err) MUST_CHECK;

void events_replay_message_release(struct events_replay_message *r);

#endif
