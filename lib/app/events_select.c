#include "app/events_select.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "flow/core_jq.h"

#include <stdlib.h>

struct events_select {
	struct select_filter filter;
	struct core_jq *jq; /* NULL: none */
	uint64_t limit;	    /* 0: none */
	uint64_t given;
	struct select *rows; /* after events_select_open */
	struct select_event event;
	struct message message; /* of the event, when has_message */
	bool has_message;
	struct buf kept; /* its bytes */
};

/* ---- the options ---- */

/* "2026-11-21" and "2026-11-21T08:00Z" with what they lack. */
static void complete_time(struct slice text, struct buf *out)
{
	const size_t date = 10, minutes = 16;
	bool has_seconds = text.len > minutes && text.ptr[minutes] == ':';
	buf_append(out, text);
	if (text.len == date) {
		buf_append_str(out, "T00:00:00Z");
	} else if (text.len > minutes && !has_seconds) {
		buf_truncate(out, minutes);
		buf_append_str(out, ":00");
		buf_append(out, slice_from(text, minutes));
	}
}

bool events_select_time(
    const char *option, const char *text, int64_t now_us, int64_t *out_us, struct error *err)
{
	struct error ignored = {0}; /* the text below tells what is accepted */
	struct buf time = {0};
	uint64_t ago_ns;
	complete_time(slice_str(text), &time);
	bool good = chrono_parse_us(buf_slice(&time), out_us, &ignored);
	buf_release(&time);
	if (good)
		return true;
	error_clear(&ignored);
	if (!num_parse_duration(slice_str(text), &ago_ns, &ignored))
		return error_set(err, ERROR_USAGE,
		    "option '%s' takes a time such as 2026-11-21T08:15:30Z, or 10m for ten minutes "
		    "ago",
		    option);
	*out_us = now_us - (int64_t)(ago_ns / CHRONO_US);
	return true;
}

static bool read_times(
    struct select_filter *f, const struct events_options *o, int64_t now_us, struct error *err)
{
	if (o->since != NULL && !events_select_time("--since", o->since, now_us, &f->since_us, err))
		return false;
	if (o->until != NULL && !events_select_time("--until", o->until, now_us, &f->until_us, err))
		return false;
	if (o->since != NULL && o->until != NULL && f->since_us >= f->until_us)
		return error_set(err, ERROR_USAGE, "nothing lies between --since and --until");
	if (o->has_from && o->has_to && o->from > o->to)
		return error_set(err, ERROR_USAGE, "nothing lies between --from and --to");
	return true;
}

struct events_select *events_select_create(
    const struct events_options *o, int64_t now_us, struct error *err)
{
	struct events_select *s = mem_alloc(1, sizeof *s);
	s->limit = o->has_limit ? o->limit : 0;
	s->filter = (struct select_filter){.from = o->has_from ? o->from : 0,
	    .to = o->has_to ? o->to : 0,
	    .types = o->types.items,
	    .type_count = o->types.count,
	    .ids = o->ids.items,
	    .id_count = o->ids.count,
	    .keys = o->keys.items,
	    .key_count = o->keys.count,
	    .exchange = o->exchange,
	    .subject = o->stream,
	    .grep = o->grep,
	    .where = o->where,
	    .reverse = o->reverse,
	    .limit = o->jq == NULL ? s->limit : 0};
	bool good = read_times(&s->filter, o, now_us, err);
	if (good && o->jq != NULL)
		good = (s->jq = core_jq_create(o->jq, FLOW_HELD, err)) != NULL;
	if (good)
		return s;
	events_select_free(s);
	return NULL;
}

void events_select_free(struct events_select *s)
{
	if (s == NULL)
		return;
	select_close(s->rows);
	core_jq_free(s->jq);
	buf_release(&s->kept);
	free(s);
}

struct select_filter *events_select_filter(struct events_select *s)
{
	return &s->filter;
}

/* ---- the events ---- */

bool events_select_open(struct events_select *s, struct store *store, struct error *err)
{
	select_close(s->rows);
	s->given = 0;
	s->rows = select_open(store, &s->filter, err);
	return s->rows != NULL;
}

bool events_select_message(struct events_select *s, const struct message **out, struct error *err)
{
	if (!s->has_message && !select_message(&s->event, &s->kept, &s->message, err))
		return false;
	s->has_message = true;
	*out = &s->message;
	return true;
}

static bool passes(struct events_select *s, bool *yes, struct error *err)
{
	const struct message *m;
	*yes = true;
	if (s->jq == NULL)
		return true;
	if (!events_select_message(s, &m, err))
		return false;
	struct flow_message asked = {
	    .message = m, .queue = s->event.queue, .redelivered = s->event.redelivered};
	*yes = core_jq_passes(s->jq, &asked);
	return true;
}

bool events_select_next(struct events_select *s, struct select_event *out, struct error *err)
{
	bool yes = false;
	if (s->limit > 0 && s->given == s->limit)
		return false;
	while (!yes) {
		s->has_message = false;
		if (!select_next(s->rows, &s->event, err) || !passes(s, &yes, err))
			return false;
	}
	s->given++;
	*out = s->event;
	return true;
}
