#include "web/otlp.h"

#include "base/chrono.h"
#include "base/fifo.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "web/client.h"

#include <jansson.h>
#include <stdlib.h>

#define MOST_TRIES 6
#define FIRST_PAUSE_NS CHRONO_S
#define MOST_PAUSE_NS (60 * CHRONO_S)
#define MOST_BYTES ((size_t)4 << 20) /* of a request: collectors refuse larger ones */

struct batch {
	struct buf text;
	size_t count;
};

struct otlp {
	struct loop *loop;
	const struct otlp_options *options;
	struct client *client;
	const char *path;     /* behind the client's URL */
	struct batch filling; /* without the end of the request */
	struct fifo full;     /* struct batch */
	struct batch sending; /* count 0: none */
	bool is_under_way;    /* it waits for its answer, else for a time to be sent again */
	bool is_closing, has_told;
	unsigned tries;
	uint64_t pause_ns;
	size_t queued; /* spans in all of them */
	uint64_t timer, retry_timer;
	uint64_t deadline_ns; /* of the end */
	uint64_t exported, dropped;
};

static void send_next(struct otlp *o);

/* ---- what is lost ---- */

static void drop(struct otlp *o, uint64_t count, const char *why)
{
	o->dropped += count;
	if (o->has_told || count == 0)
		return;
	o->has_told = true;
	log_write(LOG_WARNING,
	    "spans are dropped from now on: %s; nothing else is affected, and the end tells how "
	    "many",
	    why);
}

static void drop_sending(struct otlp *o, const char *why)
{
	drop(o, o->sending.count, why);
	o->queued -= o->sending.count;
	buf_release(&o->sending.text);
	o->sending = (struct batch){0};
}

/* ---- answers ---- */

/* What a collector has not taken of a request that it has accepted. */
static void read_partial(struct otlp *o, struct slice body)
{
	json_t *answer =
	    body.len > 0 ? json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const json_t *partial = json_object_get(answer, "partialSuccess");
	const json_t *rejected = json_object_get(partial, "rejectedSpans");
	const char *text = json_string_value(rejected); /* 64 bits: a text in JSON */
	uint64_t count = json_is_integer(rejected) ? (uint64_t)json_integer_value(rejected) : 0;
	struct error ignored = {0};
	if (text != NULL && !num_parse_u64(slice_str(text), 0, UINT64_MAX, &count, &ignored))
		count = 0;
	const char *message = json_string_value(json_object_get(partial, "errorMessage"));
	if (count > 0) {
		uint64_t lost = count < o->sending.count ? count : o->sending.count;
		char *shown = text_quote(slice_str(message != NULL ? message : ""));
		char *why = mem_printf("%s rejects some: %s", otlp_shown(o), shown);
		drop(o, lost, why);
		o->exported -= lost;
		free(why);
		free(shown);
	}
	json_decref(answer);
}

static bool may_help(unsigned status)
{
	return status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
}

static void on_retry(void *ctx, uint64_t now_ns)
{
	struct otlp *o = ctx;
	(void)now_ns;
	o->retry_timer = 0;
	send_next(o);
}

/* All that waits: nothing will be sent any more. */
static void drop_all(struct otlp *o, const char *why)
{
	drop_sending(o, why);
	for (; !fifo_is_empty(&o->full); fifo_pop(&o->full)) {
		struct batch *batch = fifo_front(&o->full);
		drop(o, batch->count, why);
		o->queued -= batch->count;
		buf_release(&batch->text);
	}
}

/* A pause that is asked for counts, and else a growing one. At the end nobody waits for a collector
 * that does not say for how long. */
static void send_again(struct otlp *o, const struct client_answer *a, const char *why)
{
	uint64_t pause_ns = a->retry_after_ns > 0 ? a->retry_after_ns : o->pause_ns;
	uint64_t when_ns = chrono_after(chrono_now_ns(), pause_ns);
	if (o->is_closing && (a->retry_after_ns == 0 || when_ns >= o->deadline_ns)) {
		drop_all(o, why);
		return;
	}
	if (++o->tries >= MOST_TRIES) {
		drop_sending(o, why);
		send_next(o);
		return;
	}
	o->pause_ns = o->pause_ns * 2 < MOST_PAUSE_NS ? o->pause_ns * 2 : MOST_PAUSE_NS;
	o->retry_timer = loop_at(o->loop, when_ns, on_retry, o);
}

static void on_answer(void *ctx, const struct client_answer *a)
{
	struct otlp *o = ctx;
	o->is_under_way = false;
	if (a->status >= 200 && a->status < 300) {
		o->exported += o->sending.count;
		read_partial(o, a->body);
		o->queued -= o->sending.count;
		buf_release(&o->sending.text);
		o->sending = (struct batch){0};
		send_next(o);
		return;
	}
	char *why = a->status == 0 ? mem_printf("%s: %s", otlp_shown(o), a->why)
				   : mem_printf("%s answers %u", otlp_shown(o), a->status);
	if (may_help(a->status)) {
		send_again(o, a, why);
	} else {
		drop_sending(o, why);
		send_next(o);
	}
	free(why);
}

/* ---- requests ---- */

static void seal(struct otlp *o)
{
	if (o->filling.count == 0)
		return;
	span_write_tail(&o->filling.text);
	fifo_push(&o->full, &o->filling);
	o->filling = (struct batch){0};
	loop_cancel(o->loop, o->timer);
	o->timer = 0;
}

/* Unless one is under way or waits for its time. */
static void send_next(struct otlp *o)
{
	if (o->is_under_way || o->retry_timer != 0)
		return;
	if (o->sending.count == 0) {
		if (fifo_is_empty(&o->full))
			return;
		o->sending = *(struct batch *)fifo_front(&o->full);
		fifo_pop(&o->full);
		o->tries = 0;
		o->pause_ns = FIRST_PAUSE_NS;
	}
	struct error err = {0};
	o->is_under_way = true;
	if (client_post(o->client, o->path, buf_slice(&o->sending.text), on_answer, o, &err))
		return;
	o->is_under_way = false;
	drop_sending(o, err.text);
}

static void on_delay(void *ctx, uint64_t now_ns)
{
	struct otlp *o = ctx;
	(void)now_ns;
	o->timer = 0;
	seal(o);
	send_next(o);
}

/* ---- spans ---- */

static bool has_room(void *ctx)
{
	struct otlp *o = ctx;
	if (o->queued < o->options->queue)
		return true;
	char *why = mem_printf("%zu wait for %s already", o->queued, otlp_shown(o));
	drop(o, 1, why);
	free(why);
	return false;
}

static void take(void *ctx, struct slice span)
{
	struct otlp *o = ctx;
	if (!has_room(o))
		return;
	if (o->filling.count == 0) {
		span_write_head(o->options->resource, o->options->resource_count, &o->filling.text);
		o->timer = loop_at(
		    o->loop, chrono_after(chrono_now_ns(), o->options->delay_ns), on_delay, o);
	} else {
		buf_append_char(&o->filling.text, ',');
	}
	buf_append(&o->filling.text, span);
	o->filling.count++;
	o->queued++;
	if (o->filling.count < o->options->batch && o->filling.text.len < MOST_BYTES)
		return;
	seal(o);
	send_next(o);
}

struct span_outlet otlp_outlet(struct otlp *o)
{
	return (struct span_outlet){has_room, take, o};
}

/* ---- the whole ---- */

struct otlp *otlp_open(struct loop *loop, const struct otlp_options *options, struct error *err)
{
	size_t len = strlen(options->url);
	const struct client_options asking = {.url = options->url,
	    .ca = options->ca,
	    .cert = options->cert,
	    .key = options->key,
	    .headers = (const char *const *)options->headers,
	    .limit_ns = options->timeout_ns};
	struct client *client = client_open(loop, &asking, err);
	if (client == NULL)
		return NULL;
	struct otlp *o = mem_alloc(1, sizeof *o);
	o->loop = loop;
	o->options = options;
	o->client = client;
	o->path = len > 0 && options->url[len - 1] == '/' ? "/" : ""; /* the client has it off */
	o->full.size = sizeof(struct batch);
	return o;
}

/* What waits for a pause of ours is tried at once; one that the collector asked for counts. */
static void flush(struct otlp *o, uint64_t limit_ns)
{
	struct error err = {0};
	o->is_closing = true;
	o->deadline_ns = chrono_after(chrono_now_ns(), limit_ns);
	seal(o);
	if (o->retry_timer != 0) {
		loop_cancel(o->loop, o->retry_timer);
		o->retry_timer = 0;
	}
	send_next(o);
	while (o->queued > 0 && (o->is_under_way || o->retry_timer != 0) &&
	       chrono_now_ns() < o->deadline_ns)
		if (!loop_turn(o->loop, o->deadline_ns, &err))
			break;
}

static void tell_end(const struct otlp *o)
{
	struct buf line = {0};
	num_format_count(o->exported, &line);
	buf_printf(&line, " %s exported, ", num_noun(o->exported, "span", "spans"));
	num_format_count(o->dropped, &line);
	log_write(o->dropped > 0 ? LOG_WARNING : LOG_DEBUG, "%s dropped", line.ptr);
	buf_release(&line);
}

void otlp_close(struct otlp *o, uint64_t limit_ns)
{
	if (o == NULL)
		return;
	if (o->queued > 0)
		flush(o, limit_ns);
	client_close(o->client);
	drop_all(o, "the run ends, and the collector has not taken them in time");
	loop_cancel(o->loop, o->timer);
	loop_cancel(o->loop, o->retry_timer);
	tell_end(o);
	fifo_release(&o->full);
	free(o);
}

const char *otlp_shown(const struct otlp *o)
{
	return client_shown(o->client);
}

uint64_t otlp_exported(const struct otlp *o)
{
	return o->exported;
}

uint64_t otlp_dropped(const struct otlp *o)
{
	return o->dropped;
}
