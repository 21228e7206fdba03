#include "lab/verdict.h"

#include "base/mem.h"
#include "flow/core_jq.h"
#include "model/record.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Borrowed messages: of some of the cast, in the order each printed them. */
struct picked {
	const struct actor_message **items; /* owned */
	size_t count, capacity;
};

static void pick(struct picked *picked, const struct actor_message *message)
{
	picked->items =
	    mem_grow(picked->items, &picked->capacity, picked->count + 1, sizeof *picked->items);
	picked->items[picked->count++] = message;
}

/* ---- conditions ---- */

static bool passes(struct core_jq *jq, const struct actor_message *message)
{
	struct buf store = {0};
	struct error ignored = {0}; /* what is no message is an answer, and all of it the body */
	struct message m = {0};
	struct slice line = {message->line, message->length};
	if (!record_read(line, &m, &store, &ignored))
		m = (struct message){.body = line};
	json_t *json = json_loadb(line.ptr, line.len, 0, NULL);
	const json_t *queue = json_object_get(json, "queue");
	const struct flow_message seen = {.message = &m,
	    .queue = {json_string_value(queue), json_string_length(queue)},
	    .redelivered = json_is_true(json_object_get(json, "redelivered"))};
	bool good = core_jq_passes(jq, &seen);
	json_decref(json);
	buf_release(&store);
	return good;
}

static bool has_fate(const struct actor_message *message, const char *fate)
{
	return fate == NULL || message->fate == NULL || strcmp(message->fate, fate) == 0;
}

/* The messages of those who are named, with that fate (NULL: any), for which `where` holds. */
static bool collect(const struct lesson *lesson, struct actor *const cast[], lesson_names who,
    const char *where, const char *fate, struct picked *out, struct error *err)
{
	struct core_jq *jq = where != NULL ? core_jq_create(where, FLOW_HELD, err) : NULL;
	if (where != NULL && jq == NULL)
		return false;
	for (size_t i = 0; i < lesson->cast_count; i++) {
		size_t count;
		const struct actor_message *messages = actor_messages(cast[i], &count);
		for (size_t n = 0; (who & 1U << i) != 0 && n < count; n++)
			if (has_fate(&messages[n], fate) &&
			    (jq == NULL || passes(jq, &messages[n])))
				pick(out, &messages[n]);
	}
	core_jq_free(jq);
	return true;
}

/* ---- each once ---- */

static int by_id(const void *a, const void *b)
{
	const struct actor_message *const *x = a, *const *y = b;
	return strcmp((*x)->id, (*y)->id);
}

static void sort(struct picked *picked)
{
	if (picked->count > 0)
		qsort(picked->items, picked->count, sizeof *picked->items, by_id);
}

struct balance {
	size_t sent, missing, again, foreign;
};

/* Both sorted. A pipeline passes ids on, so the same id may be among the sent twice: one counts. */
static struct balance weigh(const struct picked *sent, const struct picked *got)
{
	struct balance b = {0};
	size_t at = 0;
	for (size_t i = 0; i < sent->count; i++) {
		const struct actor_message *m = sent->items[i];
		if (i > 0 && strcmp(sent->items[i - 1]->id, m->id) == 0)
			continue;
		b.sent++;
		while (at < got->count && strcmp(got->items[at]->id, m->id) < 0)
			at++, b.foreign++;
		size_t copies = 0;
		while (at < got->count && strcmp(got->items[at]->id, m->id) == 0)
			at++, copies++;
		b.missing += copies == 0;
		b.again += copies > 1 ? copies - 1 : 0;
	}
	b.foreign += got->count - at;
	return b;
}

static void describe(const struct balance *b, struct buf *found)
{
	const struct {
		size_t count;
		const char *what;
	} parts[] = {{b->missing, "missing"}, {b->again, "more than once"},
	    {b->foreign, "that should not be there"}};
	buf_printf(found, "%zu of %zu came", b->sent - b->missing, b->sent);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (parts[i].count > 0)
			buf_printf(found, ", %zu %s", parts[i].count, parts[i].what);
}

static bool judge_balance(const struct lesson *lesson, const struct lesson_check *check,
    struct actor *const cast[], bool *is_met, struct buf *found, struct error *err)
{
	struct picked sent = {0}, got = {0};
	bool good = collect(lesson, cast, check->source, check->where, "confirmed", &sent, err) &&
		    collect(lesson, cast, check->of, NULL, NULL, &got, err);
	if (good) {
		sort(&sent);
		sort(&got);
		struct balance b = weigh(&sent, &got);
		*is_met = b.sent > 0 && b.missing == 0 && b.foreign == 0 &&
			  (b.again == 0 || check->kind == LESSON_EVERY);
		describe(&b, found);
	}
	free(sent.items);
	free(got.items);
	return good;
}

/* ---- the others ---- */

static bool judge_count(const struct lesson *lesson, const struct lesson_check *check,
    struct actor *const cast[], bool *is_met, struct buf *found, struct error *err)
{
	struct picked got = {0};
	if (!collect(lesson, cast, check->of, check->where, check->fate, &got, err))
		return false;
	*is_met = got.count >= check->least && got.count <= check->most;
	buf_printf(found, "%zu", got.count);
	free(got.items);
	return true;
}

/* The number of the first expression that holds, or how many there are. */
static size_t rank(struct core_jq *const conditions[], size_t count, const struct actor_message *m)
{
	size_t i = 0;
	while (i < count && !passes(conditions[i], m))
		i++;
	return i;
}

static void judge_ranks(struct core_jq *const conditions[], size_t count, const struct picked *got,
    bool *is_met, struct buf *found)
{
	size_t before = 0, wrong = 0;
	for (size_t i = 0; i < got->count; i++) {
		size_t now = rank(conditions, count, got->items[i]);
		wrong += now < before || now == count;
		before = now;
	}
	*is_met = got->count > 0 && wrong == 0;
	buf_printf(found, "%zu message(s), %zu out of order", got->count, wrong);
}

static bool judge_order(const struct lesson *lesson, const struct lesson_check *check,
    struct actor *const cast[], bool *is_met, struct buf *found, struct error *err)
{
	struct picked got = {0};
	size_t count = json_array_size(check->order);
	struct core_jq **conditions = mem_alloc(count, sizeof(struct core_jq *));
	bool good = collect(lesson, cast, check->of, check->where, NULL, &got, err);
	for (size_t i = 0; good && i < count; i++) {
		conditions[i] = core_jq_create(
		    json_string_value(json_array_get(check->order, i)), FLOW_HELD, err);
		good = conditions[i] != NULL;
	}
	if (good)
		judge_ranks(conditions, count, &got, is_met, found);
	for (size_t i = 0; i < count; i++)
		core_jq_free(conditions[i]);
	free(conditions);
	free(got.items);
	return good;
}

static void judge_status(const struct lesson *lesson, const struct lesson_check *check,
    struct actor *const cast[], bool *is_met, struct buf *found)
{
	*is_met = true;
	for (size_t i = 0; i < lesson->cast_count; i++) {
		int status;
		if ((check->of & 1U << i) == 0)
			continue;
		bool has_ended = actor_status(cast[i], &status);
		*is_met = *is_met && has_ended && status == (int)check->status;
		buf_printf(found, "%s%s ", found->len > 0 ? ", " : "", lesson->cast[i].name);
		if (has_ended)
			buf_printf(found, "ended with %d", status);
		else
			buf_append_str(found, "did not end by itself");
	}
}

bool verdict_is_of_messages(const struct lesson_check *check)
{
	return check->kind != LESSON_STATUS && check->kind != LESSON_QUEUE;
}

bool verdict_judge(const struct lesson *lesson, const struct lesson_check *check,
    struct actor *const cast[], bool *is_met, struct buf *found, struct error *err)
{
	switch (check->kind) {
	case LESSON_COUNT:
		return judge_count(lesson, check, cast, is_met, found, err);
	case LESSON_ONCE:
	case LESSON_EVERY:
		return judge_balance(lesson, check, cast, is_met, found, err);
	case LESSON_ORDER:
		return judge_order(lesson, check, cast, is_met, found, err);
	case LESSON_STATUS:
		judge_status(lesson, check, cast, is_met, found);
		break;
	case LESSON_QUEUE:
		break;
	}
	return true;
}
