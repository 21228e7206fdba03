#include "store/handled_batch.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "store/handled_private.h"
#include "store/store_private.h"

#include <stdlib.h>

#define LOOK_BACK \
	8 /* the parts of a message come one after the other; a mark may also stand twice */

struct row {
	struct handled *handled;
	struct siphash mark;
	const struct message *answer; /* NULL: none */
	bool is_there;
};

struct handled_batch {
	struct row *rows;
	size_t count, capacity;
	struct handled **touched; /* each once */
	size_t touched_count, touched_capacity;
};

struct handled_batch *handled_batch_create(void)
{
	return mem_alloc(1, sizeof(struct handled_batch));
}

void handled_batch_free(struct handled_batch *b)
{
	if (b == NULL)
		return;
	free(b->rows);
	free(b->touched);
	free(b);
}

/* There is one of them in a chain, seldom more. */
static void touch(struct handled_batch *b, struct handled *handled)
{
	for (size_t i = 0; i < b->touched_count; i++)
		if (b->touched[i] == handled)
			return;
	b->touched = mem_grow(
	    b->touched, &b->touched_capacity, b->touched_count + 1, sizeof(struct handled *));
	b->touched[b->touched_count++] = handled;
}

static bool is_same(const struct row *row, const struct handled *handled, struct siphash mark)
{
	return row->handled == handled && row->mark.low == mark.low && row->mark.high == mark.high;
}

size_t handled_batch_add(struct handled_batch *b, struct handled *handled, struct siphash mark)
{
	for (size_t i = b->count; i > 0 && b->count - i < LOOK_BACK; i--)
		if (is_same(&b->rows[i - 1], handled, mark))
			return i - 1;
	b->rows = mem_grow(b->rows, &b->capacity, b->count + 1, sizeof *b->rows);
	b->rows[b->count] = (struct row){.handled = handled, .mark = mark};
	touch(b, handled);
	return b->count++;
}

void handled_batch_answer(struct handled_batch *b, size_t index, const struct message *answer)
{
	b->rows[index].answer = answer;
}

size_t handled_batch_count(const struct handled_batch *b)
{
	return b->count;
}

void handled_batch_take_back(struct handled_batch *b, size_t count)
{
	b->count = count;
}

void handled_batch_clear(struct handled_batch *b)
{
	b->count = b->touched_count = 0;
}

bool handled_batch_begin(struct handled_batch *b, struct error *err)
{
	int64_t now_ms = chrono_wall_ms();
	for (size_t i = 0; i < b->touched_count; i++)
		if (!handled_begin(b->touched[i], now_ms, err))
			return false;
	for (size_t i = 0; i < b->count; i++)
		b->rows[i].is_there = handled_has(b->rows[i].handled, b->rows[i].mark, now_ms);
	return true;
}

bool handled_batch_is_there(const struct handled_batch *b, size_t index)
{
	return b->rows[index].is_there;
}

bool handled_batch_write(struct handled_batch *b, struct error *err)
{
	for (size_t i = 0; i < b->count; i++) {
		const struct row *row = &b->rows[i];
		if (!row->is_there && !handled_write(row->handled, row->mark, row->answer, err))
			return false;
	}
	for (size_t i = 0; i < b->touched_count; i++)
		if (!handled_bound(b->touched[i], err))
			return false;
	return true;
}

void handled_batch_end(struct handled_batch *b, bool kept)
{
	for (size_t i = 0; i < b->touched_count; i++)
		handled_end(b->touched[i], kept);
	if (kept)
		handled_batch_clear(b);
}

bool handled_batch_commit(struct handled_batch *b, struct store *store, struct error *err)
{
	if (b->count == 0)
		return true;
	if (!store_is_there(store, err) || !store_begin(store, err))
		return false;
	bool good = handled_batch_begin(b, err) && handled_batch_write(b, err);
	good = store_end(store, good, err);
	handled_batch_end(b, good);
	return good;
}
