#include "app/events_replay_cursor.h"

#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>

static json_t *list_of(const struct option_list *list)
{
	json_t *out = list->count > 0 ? json_array() : json_null();
	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(out, json_string(list->items[i]));
	return out;
}

/* The members are the names of the options. */
char *events_replay_cursor_what(const struct events_options *o)
{
	json_t *what = json_pack("{s:o, s:o, s:s?, s:o, s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:s?, "
				 "s:s?, s:o}",
	    "type", list_of(&o->types), "id", list_of(&o->ids), "stream", o->stream, "key",
	    list_of(&o->keys), "since", o->since, "until", o->until, "grep", o->grep, "jq", o->jq,
	    "where", o->where, "from",
	    o->has_from ? json_integer((json_int_t)o->from) : json_null(), "exchange", o->exchange,
	    "routing-key", o->routing_key, "mask", list_of(&o->masks));
	char *text = json_dumps(what, JSON_COMPACT);
	json_decref(what);
	return text;
}

static void write_value(const char *option, const json_t *value, struct buf *out)
{
	if (json_is_null(value) || value == NULL) {
		buf_printf(out, "without --%s", option);
		return;
	}
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	char *shown = text_quote(slice_str(text));
	buf_printf(out, "with --%s %s", option, shown);
	free(shown);
	free(text);
}

/* In the first option that is not the same. */
static bool differ(const char *name, json_t *before, json_t *now, struct error *err)
{
	const char *option;
	json_t *value;
	struct buf then = {0}, here = {0};
	char *shown = text_quote(slice_str(name));
	json_object_foreach(now, option, value)
	{
		if (json_equal(value, json_object_get(before, option)))
			continue;
		write_value(option, json_object_get(before, option), &then);
		write_value(option, value, &here);
		error_set(err, ERROR_USAGE,
		    "cursor '%s' was begun %s; it does not go on %s: take another name", shown,
		    then.ptr, here.ptr);
		break;
	}
	free(shown);
	buf_release(&then);
	buf_release(&here);
	return err->kind == ERROR_NONE;
}

bool events_replay_cursor_look(struct store *store, const char *name, const char *what,
    struct cursors_place *place, struct error *err)
{
	struct buf kept = {0};
	bool good = cursors_look(store, name, &kept, place, err);
	if (good && kept.len > 0) {
		json_t *before = json_loadb(kept.ptr, kept.len, 0, NULL);
		json_t *now = json_loads(what, 0, NULL);
		good = differ(name, before, now, err);
		json_decref(before);
		json_decref(now);
	}
	buf_release(&kept);
	return good;
}
