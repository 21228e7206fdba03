#include "model/replay.h"

#include "base/mem.h"
#include "model/marks.h"
#include "model/table.h"

/* Whole names, and beginnings of names. */
static const struct owned {
	const char *name;
	bool is_prefix;
} owned[] = {
    {"x-death", false},
    {"x-first-death-", true},
    {"x-last-death-", true},
    {"x-delivery-count", false},
    {"x-acquired-count", false},
    {"x-stream-offset", false},
    {"x-received-from", false},
    {"x-shovelled", true},
    {"x-routed-by", false},
    {"x-opt-rabbitmq-", true},
    {"x-opt-mqtt-", true},
    {MARKS_PREFIX, true},
};

static bool is_owned(struct slice key)
{
	for (size_t i = 0; i < ARRAY_LEN(owned); i++) {
		size_t length = strlen(owned[i].name);
		if (key.len >= length && memcmp(key.ptr, owned[i].name, length) == 0 &&
		    (owned[i].is_prefix || key.len == length))
			return true;
	}
	return false;
}

static void keep_headers(struct slice headers, bool elsewhere, struct buf *out)
{
	struct table_entry entry = {.rest = headers};
	const char *at = headers.ptr;
	for (; table_next(&entry); at = entry.rest.ptr) {
		bool routes = slice_is(entry.key, "CC") || slice_is(entry.key, "BCC");
		if (!is_owned(entry.key) && !(elsewhere && routes))
			buf_append(out, (struct slice){at, (size_t)(entry.rest.ptr - at)});
	}
	buf_append(out, entry.rest);
}

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
		keep_headers(m->headers, elsewhere, &kept);
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
