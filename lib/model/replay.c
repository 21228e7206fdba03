#include "model/replay.h"

#include "model/marks.h"

void replay_message(const struct message *m, const struct replay_order *order, struct message *out,
    struct buf *store, struct replay_outcome *outcome)
{
	const struct mark marks[] = {
	    {.key = MARKS_REPLAYED, .kind = MARK_INT, .number = (int64_t)order->position},
	    {.key = MARKS_REPLAYED_AGAIN, .kind = MARK_TRUE},
	};
	bool elsewhere = order->exchange != NULL || order->routing_key != NULL;
	struct buf kept = {0};
	*out = *m;
	*outcome = (struct replay_outcome){0};
	buf_clear(store);
	if ((m->present & MESSAGE_HEADERS) != 0)
		marks_strip(m->headers, elsewhere, &kept);
	marks_set(buf_slice(&kept), marks, order->again ? 2 : 1, store);
	buf_release(&kept);
	out->headers = buf_slice(store);
	out->present |= MESSAGE_HEADERS;
	if (order->exchange != NULL)
		out->exchange = slice_str(order->exchange);
	if (order->routing_key != NULL)
		out->routing_key = slice_str(order->routing_key);
	if ((m->present & MESSAGE_USER_ID) != 0 &&
	    (order->user == NULL || !slice_is(m->user_id, order->user))) {
		out->present &= ~(unsigned)MESSAGE_USER_ID;
		outcome->lost_user_id = true;
	}
}
