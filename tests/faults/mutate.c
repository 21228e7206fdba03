#include "mutate.h"

#include <stdlib.h>

#define IDLE_MS 60 /* a tool with nothing to say is left: what could come has come */
#define LOGIN_FRAMES 9
#define ALL_FRAMES 70
#define DELIVERIES 20

static const struct slice bodies[] = {
    {"", 0}, {"{\"n\":1}", 7}, {"\0\377\033[2J", 6}, {"caf\303\251", 5}, {"a line\nanother", 14}};

/* A field of each kind. */
static const char headers[] =
    "\1aS\0\0\0\3one\1bI\0\0\0\7\1ct\1\1dV\1eF\0\0\0\4\1xt\0"
    "\1fA\0\0\0\5I\0\0\0\1\1gT\0\0\0\0\145\216\34\0\1hd\77\360\0\0\0\0\0\0"
    "\1iD\2\0\0\0\52\1jx\0\0\0\2\0\1\1kl\0\0\0\0\0\0\0\11\1mb\2\1ns\0\4\1ou\0\5";

/* ---- damage ---- */

/* A byte that often matters. */
static char some_byte(struct rng *r)
{
	static const char telling[] = "\0\1\2\3\10\74\177\200\316\376\377FSAx\n\033";
	return rng_below(r, 2) == 0 ? telling[rng_below(r, sizeof telling)]
				    : (char)rng_below(r, 256);
}

static void put_at(struct buf *b, size_t at, struct slice bytes)
{
	struct buf rest = {0};
	buf_append(&rest, (struct slice){b->ptr + at, b->len - at});
	buf_truncate(b, at);
	buf_append(b, bytes);
	buf_append(b, buf_slice(&rest));
	buf_release(&rest);
}

static void flip(struct rng *r, struct buf *frame)
{
	frame->ptr[rng_below(r, frame->len)] ^= (char)(1 << rng_below(r, 8));
}

static void overwrite(struct rng *r, struct buf *frame)
{
	size_t at = rng_below(r, frame->len), len = 1 + rng_below(r, 4);
	for (; len > 0 && at < frame->len; len--)
		frame->ptr[at++] = some_byte(r);
}

static void insert(struct rng *r, struct buf *frame)
{
	char bytes[16];
	size_t len = 1 + rng_below(r, sizeof bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = some_byte(r);
	put_at(frame, rng_below(r, frame->len), (struct slice){bytes, len});
}

static void delete (struct rng *r, struct buf *frame)
{
	size_t at = rng_below(r, frame->len), len = 1 + rng_below(r, 16);
	len = len < frame->len - at ? len : frame->len - at;
	memmove(frame->ptr + at, frame->ptr + at + len, frame->len - at - len);
	buf_truncate(frame, frame->len - len);
}

static void duplicate(struct rng *r, struct buf *frame)
{
	char *copy = malloc(frame->len + 1);
	size_t len = frame->len;
	if (copy == NULL)
		abort();
	memcpy(copy, frame->ptr, len);
	for (uint64_t times = 1 + rng_below(r, 3); times > 0; times--)
		buf_append(frame, (struct slice){copy, len});
	free(copy);
}

static void set_u32(struct buf *frame, size_t at, uint64_t value)
{
	for (size_t i = 0; i < 4 && at + i < frame->len; i++)
		frame->ptr[at + i] = (char)(value >> (24 - 8 * i));
}

static uint64_t some_size(struct rng *r, uint64_t real)
{
	const uint64_t sizes[] = {0, 1, real - 1, real + 1, real * 2, 4095, 131064, 131065, 65536,
	    FRAMES_MAX_HEADER, FRAMES_MAX_HEADER + 1, INT32_MAX, UINT32_MAX, rng_below(r, 200000)};
	return sizes[rng_below(r, sizeof sizes / sizeof sizes[0])];
}

static void resize(struct rng *r, struct buf *frame)
{
	set_u32(frame, 3, some_size(r, frame->len - FRAMES_OVERHEAD));
}

/* Four bytes anywhere inside: of a header's body size, a table's or a string's length. */
static void resize_inside(struct rng *r, struct buf *frame)
{
	set_u32(frame, 7 + rng_below(r, frame->len), some_size(r, frame->len));
}

static void rename_type(struct rng *r, struct buf *frame)
{
	frame->ptr[0] = (char)(rng_below(r, 2) == 0 ? 1 + rng_below(r, 3) : rng_below(r, 256));
}

static void rename_channel(struct rng *r, struct buf *frame)
{
	frame->ptr[1] = (char)(rng_below(r, 4) == 0 ? rng_below(r, 256) : 0);
	frame->ptr[2] = (char)rng_below(r, 4);
}

static void rename_method(struct rng *r, struct buf *frame)
{
	static const char classes[] = {10, 20, 40, 50, 60, 85, 90};
	if (frame->len < 12)
		return;
	frame->ptr[8] = classes[rng_below(r, sizeof classes)];
	frame->ptr[10] = (char)(rng_below(r, 13) * 10 + rng_below(r, 2));
}

static void replace(struct rng *r, struct buf *frame)
{
	for (size_t i = 7; i + 1 < frame->len; i++)
		frame->ptr[i] = some_byte(r);
}

static void drop(struct rng *r, struct buf *frame)
{
	buf_truncate(frame, rng_below(r, 2) == 0 ? 0 : rng_below(r, frame->len));
}

static void beat(struct rng *r, struct buf *frame)
{
	static const char heartbeat[] = "\10\0\0\0\0\0\0\316";
	put_at(frame, rng_below(r, 2) == 0 ? 0 : frame->len, SLICE(heartbeat));
}

typedef void damage_fn(struct rng *r, struct buf *frame);
static damage_fn *const damages[] = {flip, flip, overwrite, overwrite, insert, delete, duplicate,
    resize, resize_inside, resize_inside, rename_type, rename_channel, rename_method, replace, drop,
    beat};

static void aim(struct mutate *m)
{
	uint64_t span = rng_below(&m->rng, 3) == 0 ? LOGIN_FRAMES : ALL_FRAMES;
	m->target = m->frame + rng_below(&m->rng, m->frame == 0 ? span : ALL_FRAMES / 4);
}

/* Damages the frame where it is its turn; a frame may be held back to go behind the next. */
static void damage(struct mutate *m, struct buf *frame)
{
	if (m->frame++ != m->target || m->left == 0)
		return;
	for (uint64_t times = 1 + rng_below(&m->rng, 2); times > 0 && frame->len >= 8; times--)
		damages[rng_below(&m->rng, sizeof damages / sizeof damages[0])](&m->rng, frame);
	if (--m->left > 0)
		aim(m);
}

static void on_sending(struct peer *p)
{
	struct mutate *m = p->ctx;
	struct buf whole = p->out, held = {0};
	struct slice rest = buf_slice(&whole);
	p->out = (struct buf){0};
	while (rest.len >= FRAMES_OVERHEAD) {
		const unsigned char *size = (const unsigned char *)rest.ptr + 3;
		size_t len = ((size_t)size[0] << 24 | (size_t)size[1] << 16 | (size_t)size[2] << 8 |
				 size[3]) +
			     FRAMES_OVERHEAD;
		struct buf frame = {0};
		bool hold = m->frame == m->target && m->left > 0 && rng_below(&m->rng, 8) == 0;
		buf_append(&frame, (struct slice){rest.ptr, len});
		damage(m, &frame);
		buf_append(hold ? &held : &p->out, buf_slice(&frame));
		if (!hold) {
			buf_append(&p->out, buf_slice(&held));
			buf_clear(&held);
		}
		buf_release(&frame);
		rest.ptr += len;
		rest.len -= len;
	}
	buf_append(&p->out, buf_slice(&held));
	buf_release(&held);
	buf_release(&whole);
}

/* ---- the good session ---- */

static void put_deliveries(struct peer *p)
{
	struct slice table = SLICE(headers);
	for (uint64_t tag = 1; tag <= DELIVERIES; tag++)
		peer_put_message(p, tag, tag % 3 == 0 ? NULL : &table,
		    bodies[tag % (sizeof bodies / sizeof bodies[0])]);
}

static bool at_moment(struct peer *p, enum moment moment)
{
	amqp_basic_return_t returned = {
	    312, amqp_cstring_bytes("NO_ROUTE"), amqp_cstring_bytes("e"), amqp_cstring_bytes("k")};
	if (moment == AT_CONSUME)
		put_deliveries(p);
	if (moment == AT_PUBLISH && p->published % 5 == 0) {
		struct slice table = SLICE(headers);
		peer_put(p, p->channel, AMQP_BASIC_RETURN_METHOD, &returned);
		peer_put_header(p, p->channel, 4, &table);
		peer_put_body(p, p->channel, SLICE("back"));
	}
	return false;
}

void mutate_session(struct mutate *m, struct peer *p, uint64_t seed)
{
	*m = (struct mutate){0};
	rng_seed(&m->rng, seed);
	m->left = 1 + (unsigned)rng_below(&m->rng, 3);
	aim(m);
	p->ctx = m;
	p->idle_ms = IDLE_MS;
	p->mute = true;
	p->at = at_moment;
	p->sending = on_sending;
}
