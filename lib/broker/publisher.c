#include "broker/publisher.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/connection_private.h"
#include "broker/publisher_private.h"
#include "broker/refusal.h"
#include "model/table.h"

#include <amqp.h>
#include <amqp_framing.h>

#include <stdio.h>
#include <stdlib.h>

#define GATHER_NS (2 * CHRONO_MS)    /* confirms are only counted: nobody waits for one of many */
#define MAX_PENDING_BYTES (1u << 20) /* in the connection's output before we stop adding */
#define TELLING_BYTES 64	     /* of headers and body: enough to tell messages apart */
#define SLOWEST_LINK 32768u	     /* bytes a second: how slow a link we bear with */
#define BURST 256		     /* room without confirms: the socket gets its turn */
#define MAX_KEPT_BYTES (64u << 20)

static uint64_t hash_word(uint64_t h, uint64_t word)
{
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

/* Eight bytes a step, in the manner of FNV-1a. */
static uint64_t hash_more(uint64_t h, struct slice s)
{
	uint64_t word;
	h ^= s.len;
	for (; s.len >= sizeof word; s = (struct slice){s.ptr + sizeof word, s.len - sizeof word}) {
		memcpy(&word, s.ptr, sizeof word);
		h = hash_word(h, word);
	}
	for (word = 0; s.len > 0; s.len--)
		word = word << 8 | (unsigned char)s.ptr[s.len - 1];
	return hash_word(h, word);
}

static struct slice beginning(struct slice s)
{
	return (struct slice){s.ptr, s.len < TELLING_BYTES ? s.len : TELLING_BYTES};
}

static uint64_t hash_route(const struct message *m)
{
	uint64_t h = hash_more(UINT64_C(0xcbf29ce484222325), m->exchange);
	return hash_more(h, m->routing_key);
}

/* The broker takes BCC out before it returns a message. */
static uint64_t hash_headers(uint64_t h, struct slice headers)
{
	struct table_entry entry = {.rest = headers};
	while (table_next(&entry) && (size_t)(entry.key.ptr - headers.ptr) <= TELLING_BYTES)
		if (!slice_is(entry.key, "BCC"))
			h = hash_more(hash_more(h, entry.key), beginning(entry.value));
	return h;
}

/* Of where it goes and its message_id, or else the beginning of what it says. */
static uint64_t hash(uint64_t route, const struct message *m)
{
	if ((m->present & MESSAGE_MESSAGE_ID) != 0)
		return hash_more(route, m->message_id);
	if ((m->present & MESSAGE_HEADERS) != 0)
		route = hash_headers(route, m->headers);
	return hash_more(route, beginning(m->body));
}

void publisher_advance(struct publisher *p)
{
	while (p->oldest < p->next && publisher_entry(p, p->oldest)->settled)
		p->oldest++;
	if (p->options.keeps)
		kept_forget(&p->kept, p->oldest < p->next ? publisher_entry(p, p->oldest)->place
							  : kept_end(&p->kept));
}

void publisher_settle(
    struct publisher *p, uint64_t number, enum publisher_fate fate, const char *reason)
{
	struct entry *e = publisher_entry(p, number);
	if (e->settled)
		return;
	char *return_reason = e->return_reason;
	uint64_t token = e->token;
	e->settled = true;
	p->settled++;
	p->settled_in_all++;
	e->return_reason = NULL;
	publisher_advance(p);
	if (fate == PUBLISHER_CONFIRMED && return_reason != NULL)
		p->options.fate(p->options.ctx, token, PUBLISHER_RETURNED, return_reason);
	else
		p->options.fate(p->options.ctx, token, fate, reason);
	free(return_reason);
}

static void settle_up_to(struct publisher *p, const struct frames_settle *s,
    enum publisher_fate fate, const char *reason)
{
	if (s->tag >= p->next) {
		connection_lose(p->connection, ERROR_REFUSED,
		    "the broker settled message %llu, which was not sent",
		    (unsigned long long)s->tag);
		return;
	}
	if (!s->multiple && s->tag < p->oldest)
		return; /* settled before */
	/* tag 0 with multiple means everything sent so far */
	uint64_t last = s->multiple && s->tag == 0 ? p->next - 1 : s->tag;
	if (fate == PUBLISHER_CONFIRMED)
		p->nacks_in_a_row = 0, p->pause_ns = 0;
	for (uint64_t n = s->multiple ? p->oldest : last; n <= last; n++)
		if (fate != PUBLISHER_NACKED || !p->options.keeps || !publisher_put_off(p, n))
			publisher_settle(p, n, fate, reason);
}

static void on_method(void *ctx, uint32_t method_id, struct slice payload)
{
	struct publisher *p = ctx;
	struct frames_settle s;
	bool ack = method_id == AMQP_BASIC_ACK_METHOD;
	if (!ack && method_id != AMQP_BASIC_NACK_METHOD)
		return;
	if (!frames_read_settle(payload, &s))
		connection_lose(
		    p->connection, ERROR_REFUSED, "the broker sent a damaged acknowledgement");
	else
		settle_up_to(p, &s, ack ? PUBLISHER_CONFIRMED : PUBLISHER_NACKED,
		    ack ? "" : "the broker could not take it");
}

/* Returns come in the order of sending, so the first unreturned message with that id is the one.
 * When the broker has changed more than we know of, it is one that went the same way. */
static struct entry *find_returned(struct publisher *p, const struct message *m)
{
	struct entry *likely = NULL;
	uint64_t route = hash_route(m), id = hash(route, m);
	for (uint64_t n = p->oldest; n < p->next; n++) {
		struct entry *e = publisher_entry(p, n);
		if (e->settled || e->return_reason != NULL || e->route_hash != route)
			continue;
		if (e->id_hash == id)
			return e;
		likely = likely != NULL ? likely : e;
	}
	return likely;
}

static void on_content(void *ctx, uint32_t method_id, struct slice payload, struct message *m)
{
	struct publisher *p = ctx;
	struct frames_return r;
	if (method_id != AMQP_BASIC_RETURN_METHOD || !frames_read_return(payload, &r, m)) {
		connection_lose(p->connection, ERROR_REFUSED, "the broker sent a damaged return");
		return;
	}
	if (p->options.window == 0) {
		if (p->options.returned != NULL)
			p->options.returned(p->options.ctx);
		return;
	}
	struct entry *e = find_returned(p, m);
	if (e == NULL) {
		connection_lose(p->connection, ERROR_REFUSED,
		    "the broker returned a message that was not sent");
		return;
	}
	char *text = text_quote(r.text);
	e->return_reason = mem_printf("%u %s", r.code, text);
	free(text);
}

static void abandon(struct publisher *p, const char *reason)
{
	while (p->oldest < p->next)
		publisher_settle(p, p->oldest, PUBLISHER_UNCONFIRMED, reason);
	publisher_abandon_again(p, reason);
}

static void on_closed(void *ctx, const struct error *why)
{
	struct publisher *p = ctx;
	p->channel = 0;
	const struct connection_refusal *refusal = connection_refusal(p->connection);
	struct error lost = {0};
	if (connection_check(p->connection, &lost) && refusal->code != 0) {
		struct refusal_context context = {"publish to", "exchange", NULL};
		refusal_explain(refusal->code, refusal->text, &context, &p->closed);
	} else {
		error_set(&p->closed, why->kind, "%s", why->text);
	}
	if (!p->options.keeps)
		abandon(p, why->text);
}

/* Who does not wait for confirms has the whole window ahead: what is sent, and what can be. */
static void tell_load(void *ctx, struct gather_load *load)
{
	struct publisher *p = ctx;
	load->came = p->settled;
	load->is_unhurried = p->options.is_unhurried;
	load->ahead = load->is_unhurried ? p->options.window : p->next - p->oldest;
	p->settled = 0;
}

static const struct channel_handlers handlers = {
    on_method, on_content, on_closed, tell_load, GATHER_NS};

bool publisher_open_channel(struct publisher *p, struct error *err)
{
	amqp_confirm_select_t select = {0};
	p->channel = connection_open_channel(p->connection, &handlers, p, err);
	return p->channel != 0 &&
	       (p->options.window == 0 ||
		   connection_call(p->connection, p->channel, AMQP_CONFIRM_SELECT_METHOD, &select,
		       AMQP_CONFIRM_SELECT_OK_METHOD, err) != NULL);
}

struct publisher *publisher_open(
    struct connection *c, const struct publisher_options *options, struct error *err)
{
	struct publisher *p = mem_alloc(1, sizeof *p);
	size_t capacity = 1;
	while (capacity < options->window)
		capacity *= 2;
	*p = (struct publisher){.connection = c,
	    .options = *options,
	    .ring = mem_alloc(capacity, sizeof *p->ring),
	    .mask = capacity - 1,
	    .oldest = 1,
	    .next = 1,
	    .again = {.size = sizeof(struct again)}};
	if (!publisher_open_channel(p, err)) {
		publisher_close(p);
		return NULL;
	}
	if (options->keeps)
		publisher_watch_confirms(p);
	return p;
}

void publisher_close(struct publisher *p)
{
	if (p == NULL)
		return;
	connection_close_channel(p->connection, p->channel);
	abandon(p, p->closed.kind != ERROR_NONE ? p->closed.text : "not confirmed in time");
	loop_cancel(connection_loop(p->connection), p->wake_timer);
	loop_cancel(connection_loop(p->connection), p->look_timer);
	fifo_release(&p->again);
	kept_release(&p->kept);
	free(p->ring);
	free(p);
}

bool publisher_fits(const struct connection *c, const struct message *m, struct error *err)
{
	return frames_fit_publish(m, connection_frame_max(c), err);
}

bool publisher_is_open(const struct publisher *p)
{
	return p->channel != 0 && !connection_is_blocked(p->connection) &&
	       connection_pending_bytes(p->connection) <= MAX_PENDING_BYTES;
}

size_t publisher_room(const struct publisher *p)
{
	if (!publisher_is_open(p) || !fifo_is_empty(&p->again) ||
	    p->kept.bytes.len > MAX_KEPT_BYTES)
		return 0;
	if (p->options.window == 0)
		return BURST;
	return p->options.window - (size_t)(p->next - p->oldest);
}

bool publisher_put(struct publisher *p, const struct message *m, bool mandatory,
    const struct entry *entry, struct error *err)
{
	struct buf *out = connection_output(p->connection);
	size_t before = out->len;
	if (!frames_put_publish(
		out, p->channel, m, mandatory, connection_frame_max(p->connection), err))
		return false;
	struct entry *e = publisher_entry(p, p->next++);
	*e = *entry;
	e->bytes = out->len - before;
	if (e->tries == 0)
		p->put_bytes = connection_put_bytes(p->connection);
	e->route_hash = hash_route(m);
	e->id_hash = hash(e->route_hash, m);
	if (p->options.keeps)
		e->place = kept_add(&p->kept, (struct slice){out->ptr + before, out->len - before});
	return true;
}

bool publisher_send(
    struct publisher *p, const struct message *m, bool mandatory, uint64_t token, struct error *err)
{
	if (!publisher_check(p, err))
		return false;
	if (p->options.window > 0)
		return publisher_put(p, m, mandatory, &(struct entry){.token = token}, err);
	if (!frames_put_publish(connection_output(p->connection), p->channel, m, mandatory,
		connection_frame_max(p->connection), err))
		return false;
	p->options.fate(p->options.ctx, token, PUBLISHER_UNCONFIRMED, "");
	return true;
}

bool publisher_sync(struct publisher *p, struct error *err)
{
	amqp_basic_qos_t none = {0}; /* changes nothing for who does not consume */
	return publisher_check(p, err) &&
	       connection_call(p->connection, p->channel, AMQP_BASIC_QOS_METHOD, &none,
		   AMQP_BASIC_QOS_OK_METHOD, err) != NULL;
}

size_t publisher_unconfirmed(const struct publisher *p)
{
	return (size_t)(p->next - p->oldest) + fifo_count(&p->again);
}

/* The oldest message may stand in somebody's buffer for long when the link is slow. */
static bool is_on_its_way(struct publisher *p, uint64_t now_ns)
{
	if (p->oldest == p->next)
		return false;
	return (now_ns - p->moved_ns) / CHRONO_MS * SLOWEST_LINK / 1000 <
	       publisher_entry(p, p->oldest)->bytes;
}

uint64_t publisher_progress(struct publisher *p)
{
	uint64_t taken = connection_taken_bytes(p->connection); /* heartbeats, too */
	uint64_t moved = p->settled_in_all + (taken < p->put_bytes ? taken : p->put_bytes);
	uint64_t now_ns = chrono_now_ns();
	p->progress += moved != p->moved || is_on_its_way(p, now_ns);
	p->moved_ns = moved != p->moved ? now_ns : p->moved_ns;
	p->moved = moved;
	return p->progress;
}

bool publisher_check(const struct publisher *p, struct error *err)
{
	if (p->closed.kind != ERROR_NONE)
		return error_set(err, p->closed.kind, "%s", p->closed.text);
	return connection_check(p->connection, err);
}
