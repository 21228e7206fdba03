#include "app/events_private.h"

#include "base/chrono.h"
#include "base/rng.h"
#include "base/text.h"
#include "config/input.h"
#include "model/table.h"
#include "store/append.h"

#include <jansson.h>
#include <stdlib.h>

#define MAX_ID 255		     /* a short string of AMQP */
#define MAX_DATA ((size_t)128 << 20) /* bytes; what RabbitMQ 3 takes */

/* The texts of an event. */
struct event {
	struct slice id;
	struct slice data;
	char made_id[RNG_UUID_CHARS];
	struct buf input; /* what came from standard input */
	struct buf headers;
	struct buf time;
};

/* ---- the options ---- */

static bool check_text(const char *option, const char *text, struct error *err)
{
	if (text == NULL || text[0] == '\0')
		return error_set(err, ERROR_USAGE, "append wants %s", option);
	return text_is_utf8(slice_str(text)) ||
	       error_set(err, ERROR_USAGE, "option '%s': not UTF-8", option);
}

static bool check_options(const struct events_options *o, char **operands, struct error *err)
{
	if (!events_operands(operands, "append", NULL, err))
		return false;
	if (o->types.count > 1 || o->ids.count > 1 || o->keys.count > 1)
		return error_set(err, ERROR_USAGE, "an event has one --type, one --id, one --key");
	return check_text("--stream S", o->stream, err) &&
	       check_text("--type T", o->types.count > 0 ? o->types.items[0] : NULL, err) &&
	       check_text("--data JSON", o->data, err) &&
	       check_text("--source URI", o->source, err) &&
	       (o->ids.count == 0 || check_text("--id ID", o->ids.items[0], err));
}

static bool read_data(struct event *e, const char *data, struct error *err)
{
	json_error_t where;
	bool is_file;
	struct slice text = slice_str(data);
	if (strcmp(data, "-") == 0) {
		if (!input_read("-", MAX_DATA, &e->input, &is_file, err))
			return false;
		text = buf_slice(&e->input);
	}
	e->data = slice_trim(text);
	/* only looked at; the text is stored as it came, whatever jansson could hold of it */
	json_t *value = json_loadb(e->data.ptr != NULL ? e->data.ptr : "", e->data.len,
	    JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &where);
	bool good = value != NULL;
	json_decref(value);
	if (!good) {
		char *said = text_quote(slice_str(where.text));
		error_set(err, ERROR_DATA, "--data is not JSON: %s", said);
		free(said);
	}
	return good;
}

static bool read_id(struct event *e, const struct events_options *o, struct error *err)
{
	if (o->ids.count == 0) {
		struct rng rng;
		rng_seed(&rng, rng_entropy());
		rng_uuid7(&rng, chrono_wall_ms(), e->made_id);
		e->id = (struct slice){e->made_id, sizeof e->made_id};
		return true;
	}
	e->id = slice_str(o->ids.items[0]);
	return e->id.len <= MAX_ID ||
	       error_set(err, ERROR_USAGE, "option '--id' takes at most %d bytes", MAX_ID);
}

/* ---- the event ---- */

/* One whose id was given can come again, and must be the same then: it tells no time of its own. */
static void write_headers(struct event *e, const struct events_options *o)
{
	struct buf *out = &e->headers;
	table_add_string(out, "cloudEvents_specversion", SLICE("1.0"));
	table_add_string(out, "cloudEvents_id", e->id);
	table_add_string(out, "cloudEvents_source", slice_str(o->source));
	table_add_string(out, "cloudEvents_type", slice_str(o->types.items[0]));
	table_add_string(out, "cloudEvents_subject", slice_str(o->stream));
	if (o->ids.count > 0)
		return;
	chrono_format(chrono_wall_ms(), &e->time);
	table_add_string(out, "cloudEvents_time", buf_slice(&e->time));
}

static bool store_event(const struct event *e, const struct events_options *o,
    struct append *append, const struct append_result **result, struct error *err)
{
	const struct message message = {.exchange = slice_str(o->exchange),
	    .routing_key = slice_str(o->keys.count > 0 ? o->keys.items[0] : NULL),
	    .body = e->data,
	    .present =
		MESSAGE_CONTENT_TYPE | MESSAGE_HEADERS | MESSAGE_DELIVERY_MODE | MESSAGE_MESSAGE_ID,
	    .content_type = SLICE("application/json"),
	    .headers = buf_slice(&e->headers),
	    .delivery_mode = MESSAGE_PERSISTENT,
	    .message_id = e->id};
	const struct append_event event = {.message = &message,
	    .stream_offset = -1,
	    .received_us = (int64_t)(chrono_wall_ns() / CHRONO_US)};
	return append_add(append, &event, err) &&
	       (o->has_expect_version
		       ? append_commit_expecting(append, o->expect_version, result, err)
		       : append_commit(append, result, err));
}

static bool print_result(const struct event *e, const struct append_result *r, struct error *err)
{
	struct buf line = {0};
	buf_printf(&line,
	    "{\"position\":%llu,\"version\":%llu,\"id\":", (unsigned long long)r->position,
	    (unsigned long long)r->version);
	text_json(e->id, &line);
	buf_append_str(&line, "}\n");
	bool good = tool_print(buf_slice(&line), err);
	buf_release(&line);
	return good;
}

static bool add_context(const struct events_options *o, struct error *err)
{
	if (err->kind != ERROR_UNDELIVERED)
		return false;
	char *name = text_quote(slice_str(o->stream));
	error_context(err, "nothing was written to '%s', somebody was first", name);
	free(name);
	return false;
}

bool events_append(
    struct tool *tool, const struct events_options *o, char **operands, struct error *err)
{
	struct event e = {0};
	struct store *store = NULL;
	struct append *append = NULL;
	const struct append_result *result;
	bool good = check_options(o, operands, err) && read_data(&e, o->data, err) &&
		    read_id(&e, o, err) &&
		    (store = events_open_store(tool, o, STORE_CREATE, err)) != NULL;
	if (good) {
		write_headers(&e, o);
		append = append_create(store);
		good = (store_event(&e, o, append, &result, err) || add_context(o, err)) &&
		       print_result(&e, result, err);
	}
	append_free(append);
	store_close(store);
	buf_release(&e.input);
	buf_release(&e.headers);
	buf_release(&e.time);
	return good;
}
