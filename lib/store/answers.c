#include "store/answers.h"

#include "base/fifo.h"
#include "base/mem.h"
#include "store/store_private.h"

#include <stdlib.h>

/* One in memory. */
struct item {
	uint64_t number, size;
	struct message *answer; /* owned */
};

struct answers {
	struct store *store; /* NULL: in memory */
	const char *scope;
	uint64_t most;	   /* bytes */
	struct fifo items; /* struct item, their numbers rise */
	uint64_t size;	   /* of the items */
	sqlite3_stmt *insert, *forget, *last, *first, *read;
};

uint64_t answers_size(const struct message *answer)
{
	uint64_t size = ANSWERS_OVERHEAD_BYTES + answer->body.len;
	unsigned left = answer->present;
	for (const struct message_property_row *row; (row = message_next_property(&left)) != NULL;)
		if (row->value == MESSAGE_VALUE_TEXT || row->value == MESSAGE_VALUE_TABLE)
			size += message_slice_const(answer, row)->len;
	return size;
}

/* ---- memory ---- */

static void drop_oldest(struct answers *a)
{
	const struct item *oldest = fifo_front(&a->items);
	a->size -= oldest->size;
	free(oldest->answer);
	fifo_pop(&a->items);
}

void answers_take(struct answers *a, uint64_t number, struct message *answer)
{
	const struct item item = {number, answers_size(answer), answer};
	if (item.size > a->most) {
		free(answer);
		return;
	}
	while (!fifo_is_empty(&a->items) && a->size + item.size > a->most)
		drop_oldest(a);
	fifo_push(&a->items, &item);
	a->size += item.size;
}

static void forget_items(struct answers *a, uint64_t number)
{
	const struct item *oldest;
	while ((oldest = fifo_front(&a->items)) != NULL && oldest->number <= number)
		drop_oldest(a);
}

static int compare(const void *key, const void *item)
{
	uint64_t number = *(const uint64_t *)key, other = ((const struct item *)item)->number;
	return (number > other) - (number < other);
}

static struct message *find_item(const struct answers *a, uint64_t number)
{
	const struct item *found = fifo_is_empty(&a->items)
				       ? NULL
				       : bsearch(&number, fifo_front(&a->items),
					     fifo_count(&a->items), sizeof *found, compare);
	return found != NULL ? message_copy(found->answer) : NULL;
}

/* ---- the store ---- */

/* In the order of the columns, behind those of every row. */
static const enum message_property kept[] = {
    MESSAGE_CONTENT_TYPE, MESSAGE_CONTENT_ENCODING, MESSAGE_TYPE};
#define FIRST_KEPT 5

/* The bytes of all answers that there have been, up to the latest one that is there. */
static bool find_last(struct answers *a, uint64_t *upto, struct error *err)
{
	bool row;
	store_bind_text(a->last, 1, slice_str(a->scope));
	if (!store_step(a->store, a->last, &row, err))
		return false;
	*upto = row ? store_column_u64(a->last, 0) : 0;
	sqlite3_reset(a->last);
	return true;
}

static struct slice property(const struct message *m, enum message_property bit)
{
	unsigned one = bit;
	return (m->present & bit) != 0 ? *message_slice_const(m, message_next_property(&one))
				       : (struct slice){0};
}

bool answers_write(
    struct answers *a, uint64_t number, const struct message *answer, struct error *err)
{
	uint64_t upto, size = answers_size(answer);
	if (size > a->most)
		return true;
	if (!find_last(a, &upto, err))
		return false;
	store_bind_text(a->insert, 1, slice_str(a->scope));
	store_bind_u64(a->insert, 2, number);
	store_bind_u64(a->insert, 3, upto + size);
	store_bind_u64(a->insert, 4, size);
	for (int i = 0; i < (int)ARRAY_LEN(kept); i++)
		store_bind_text(a->insert, FIRST_KEPT + i, property(answer, kept[i]));
	store_bind_blob(a->insert, 8, property(answer, MESSAGE_HEADERS));
	store_bind_blob(a->insert, 9, answer->body);
	return store_run(a->store, a->insert, err);
}

static bool forget_rows(struct answers *a, uint64_t number, struct error *err)
{
	store_bind_text(a->forget, 1, slice_str(a->scope));
	store_bind_u64(a->forget, 2, number);
	return store_run(a->store, a->forget, err);
}

bool answers_forget(struct answers *a, uint64_t number, struct error *err)
{
	if (a->store != NULL)
		return forget_rows(a, number, err);
	forget_items(a, number);
	return true;
}

bool answers_bound(struct answers *a, struct error *err)
{
	uint64_t upto, last = 0;
	bool row = true, is_over = true;
	if (!find_last(a, &upto, err))
		return false;
	store_bind_text(a->first, 1, slice_str(a->scope));
	while (is_over && row) {
		if (!store_step(a->store, a->first, &row, err))
			return false;
		is_over = row && upto - store_column_u64(a->first, 1) > a->most;
		last = is_over ? store_column_u64(a->first, 0) : last;
	}
	sqlite3_reset(a->first);
	return last == 0 || forget_rows(a, last, err);
}

static struct message *copy_row(sqlite3_stmt *s)
{
	struct message m = {.body = store_column(s, 4)};
	struct slice headers = store_column(s, 3);
	for (int i = 0; i < (int)ARRAY_LEN(kept); i++) {
		struct slice value = store_column(s, i);
		unsigned one = kept[i];
		if (value.ptr == NULL)
			continue;
		m.present |= kept[i];
		*message_slice(&m, message_next_property(&one)) = value;
	}
	if (headers.len > 0) {
		m.present |= MESSAGE_HEADERS;
		m.headers = headers;
	}
	return message_copy(&m);
}

static bool find_row(
    struct answers *a, uint64_t number, struct slice mark, struct message **out, struct error *err)
{
	bool row;
	store_bind_text(a->read, 1, slice_str(a->scope));
	store_bind_u64(a->read, 2, number);
	store_bind_blob(a->read, 3, mark);
	if (!store_step(a->store, a->read, &row, err))
		return false;
	*out = row ? copy_row(a->read) : NULL;
	sqlite3_reset(a->read);
	return true;
}

bool answers_find(
    struct answers *a, uint64_t number, struct slice mark, struct message **out, struct error *err)
{
	if (a->store != NULL)
		return find_row(a, number, mark, out, err);
	*out = find_item(a, number);
	return true;
}

/* ---- life ---- */

static bool prepare(struct answers *a, struct error *err)
{
	const struct {
		sqlite3_stmt **statement;
		const char *sql;
	} all[] = {
	    {&a->insert, "INSERT INTO answer (scope, number, upto, size, content_type, "
			 "content_encoding, type,"
			 " headers, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
	    {&a->forget, "DELETE FROM answer WHERE scope = ?1 AND number <= ?2"},
	    {&a->last, "SELECT upto FROM answer WHERE scope = ?1 ORDER BY number DESC LIMIT 1"},
	    {&a->first, "SELECT number, upto - size FROM answer WHERE scope = ?1 ORDER BY number"},
	    {&a->read, "SELECT content_type, content_encoding, type, headers, body FROM answer"
		       " JOIN handled USING (scope, number) WHERE scope = ?1 AND number = ?2 AND "
		       "mark = ?3"},
	};
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if ((*all[i].statement = store_prepare(a->store, all[i].sql, err)) == NULL)
			return false;
	return true;
}

bool answers_open(
    struct store *store, const char *scope, uint64_t bytes, struct answers **out, struct error *err)
{
	uint64_t upto = 0;
	struct answers *a = mem_alloc(1, sizeof *a);
	*a = (struct answers){
	    .store = store, .scope = scope, .most = bytes, .items.size = sizeof(struct item)};
	bool good = store == NULL || (prepare(a, err) && find_last(a, &upto, err));
	bool has_use = good && (bytes > 0 || upto > 0);
	*out = has_use ? a : NULL;
	if (!has_use)
		answers_close(a);
	return good;
}

void answers_close(struct answers *a)
{
	if (a == NULL)
		return;
	while (!fifo_is_empty(&a->items))
		drop_oldest(a);
	fifo_release(&a->items);
	sqlite3_finalize(a->insert);
	sqlite3_finalize(a->forget);
	sqlite3_finalize(a->last);
	sqlite3_finalize(a->first);
	sqlite3_finalize(a->read);
	free(a);
}
