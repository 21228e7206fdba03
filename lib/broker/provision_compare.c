/* What differs, as far as the broker tells over AMQP. */
#include "broker/provision.h"

#include "base/mem.h"
#include "base/num.h"
#include "broker/provision_private.h"

#include <stdlib.h>

#define MOST_ROUNDS 64 /* attributes of one object; there are fewer */

/* An attribute that is a member, not an argument; one of the two is set. */
struct member {
	const char *name;
	bool *flag;
	const char **text;
};

/* What is being asked for: what the settings want, with what is there in place of each difference
 * that was told. */
struct question {
	const struct member *members;
	size_t member_count;
	json_t *arguments; /* owned */
	json_t *texts;	   /* owned: keeps what *text points to alive */
};

/* ---- the broker's words ---- */

/* "'5'" or "the value '5' of type 'long'" to a value; where no type is told it has that of what was
 * asked for. NULL for "none". */
static json_t *read_current(const char *words, const json_t *asked)
{
	struct error ignored = {0}; /* then it is a text */
	const char *first = strchr(words, '\''), *type = strstr(words, "' of type '");
	const char *last = type != NULL ? type : strrchr(words, '\'');
	if (first == NULL || last == NULL || last <= first)
		return NULL;
	struct slice value = {first + 1, (size_t)(last - first - 1)};
	bool is_text = type != NULL ? strstr(type, "longstr") != NULL : json_is_string(asked);
	int64_t number;
	if (!is_text && (slice_is(value, "true") || slice_is(value, "false")))
		return json_boolean(slice_is(value, "true"));
	if (!is_text && num_parse_i64(value, INT64_MIN, INT64_MAX, &number, &ignored))
		return json_integer(number);
	return json_stringn_nocheck(value.ptr, value.len);
}

/* ---- one difference ---- */

static const struct member *find_member(const struct question *q, const char *name)
{
	for (size_t i = 0; i < q->member_count; i++)
		if (strcmp(q->members[i].name, name) == 0)
			return &q->members[i];
	return NULL;
}

static json_t *member_value(const struct member *m)
{
	return m->flag != NULL ? json_boolean(*m->flag) : json_string(*m->text);
}

static void put_member(struct question *q, const struct member *m, json_t *current)
{
	if (m->flag != NULL) {
		*m->flag = json_is_true(current);
		return;
	}
	json_array_append(q->texts, current);
	*m->text = json_string_value(current);
}

/* Notes what the broker said, and asks for what is there the next time. False when that cannot be
 * made out. */
static bool take_answer(
    struct question *q, const struct refusal_difference *said, struct difference_item *item)
{
	bool is_type = strcmp(said->attribute, "x-queue-type") == 0;
	const struct member *m = find_member(q, is_type ? "type" : said->attribute);
	json_t *asked = json_incref(json_object_get(q->arguments, said->attribute));
	if (m != NULL && asked == NULL)
		asked = member_value(m);
	json_t *current = read_current(said->current, asked);
	bool is_new = current != NULL || (m == NULL && asked != NULL);
	difference_add_attribute(
	    item, is_type ? "type" : said->attribute, asked, json_incref(current));
	if (is_new && m != NULL && !is_type)
		put_member(q, m, current);
	else if (is_new && current != NULL)
		json_object_set(q->arguments, said->attribute, current);
	else if (is_new)
		json_object_del(q->arguments, said->attribute);
	json_decref(current);
	return is_new;
}

/* ---- one object ---- */

/* Declares what was found: changes nothing, and is refused for one attribute at a time. */
static bool ask(struct provision_run *run, struct question *q,
    bool (*put)(struct provision_run *run, const void *object, struct error *err),
    const void *object, struct difference_item *item, bool *partly, struct error *err)
{
	for (int round = 0; round < MOST_ROUNDS; round++) {
		struct error raw = {0};
		struct refusal_difference said = {0};
		if (put(run, object, &raw))
			return true;
		const struct connection_refusal *refusal = connection_refusal(run->connection);
		if (raw.kind != ERROR_REFUSED)
			return error_set(err, raw.kind, "%s", raw.text);
		if (refusal->code != 406 || !refusal_split(refusal->text, &said))
			break;
		bool goes_on = take_answer(q, &said, item);
		refusal_difference_release(&said);
		if (!goes_on)
			break;
	}
	*partly = true;
	return true;
}

static bool put_exchange(struct provision_run *run, const void *object, struct error *err)
{
	return provision_put_exchange(run, object, err);
}

static bool put_queue(struct provision_run *run, const void *object, struct error *err)
{
	return provision_put_queue(run, object, err);
}

static struct question begin_question(
    const struct member *members, size_t count, const json_t *arguments)
{
	return (struct question){members, count, json_deep_copy(arguments), json_array()};
}

static void end_question(struct question *q)
{
	json_decref(q->arguments);
	json_decref(q->texts);
}

static bool ask_exchange(struct provision_run *run, const struct topology_exchange *e,
    struct difference_item *item, bool *partly, struct error *err)
{
	struct topology_exchange asked = *e;
	const struct member members[] = {
	    {"type", NULL, &asked.type},
	    {"durable", &asked.durable, NULL},
	    {"auto_delete", &asked.auto_delete, NULL},
	    {"internal", &asked.internal, NULL},
	};
	struct question q = begin_question(members, ARRAY_LEN(members), e->arguments);
	asked.arguments = q.arguments;
	bool good = ask(run, &q, put_exchange, &asked, item, partly, err);
	end_question(&q);
	return good;
}

static bool ask_queue(struct provision_run *run, const struct topology_queue *queue,
    struct difference_item *item, bool *partly, struct error *err)
{
	struct topology_queue asked = *queue;
	const struct member members[] = {
	    {"type", NULL, &asked.type},
	    {"durable", &asked.durable, NULL},
	    {"auto_delete", &asked.auto_delete, NULL},
	};
	struct question q = begin_question(members, ARRAY_LEN(members), queue->arguments);
	asked.arguments = q.arguments;
	bool good = ask(run, &q, put_queue, &asked, item, partly, err);
	end_question(&q);
	return good;
}

/* ---- the whole ---- */

/* What a look alone decides; EQUAL: there is more to ask. */
static enum difference_kind kind_of(const struct provision_state *state, bool declared, bool left)
{
	if (left)
		return DIFFERENCE_LEFT;
	if (!state->exists)
		return declared ? DIFFERENCE_CREATE : DIFFERENCE_MISSING;
	return DIFFERENCE_EQUAL;
}

static bool compare_exchange(struct provision_run *run, const struct topology_exchange *e,
    struct difference *out, bool *partly, struct error *err)
{
	struct provision_state state = {0};
	if (!provision_find_exchange(run, e->name, &state, err))
		return false;
	struct difference_item *item = difference_add(out, kind_of(&state, e->declared, false));
	item->exchange = e;
	bool good = !state.exists || !e->declared || ask_exchange(run, e, item, partly, err);
	difference_settle(out, item);
	return good;
}

/* An exclusive queue would become ours with a declaration; one of another connection tells nothing
 * but that. */
static bool compare_queue(struct provision_run *run, const struct topology_queue *q,
    struct difference *out, bool *partly, struct error *err)
{
	struct provision_state state = {0};
	if (!provision_find_queue(run, q->name, &state, err))
		return false;
	struct difference_item *item =
	    difference_add(out, kind_of(&state, q->declared, q->exclusive));
	item->queue = q;
	bool asks = item->kind == DIFFERENCE_EQUAL && q->declared, good = true;
	if (asks && state.locked)
		difference_add_attribute(item, "exclusive", json_false(), json_true());
	else if (asks)
		good = ask_queue(run, q, item, partly, err);
	difference_settle(out, item);
	return good;
}

bool provision_compare(struct connection *c, const struct topology *t, struct difference *out,
    bool *partly, struct error *err)
{
	struct provision_run run = provision_begin(c, NULL, NULL);
	bool good = true;
	*out = (struct difference){0};
	*partly = false;
	for (size_t i = 0; good && i < t->exchange_count; i++)
		good = compare_exchange(&run, &t->exchanges[i], out, partly, err);
	for (size_t i = 0; good && i < t->queue_count; i++)
		good = compare_queue(&run, &t->queues[i], out, partly, err);
	for (size_t i = 0; good && i < t->binding_count; i++)
		difference_add(out, DIFFERENCE_UNSEEN)->binding = &t->bindings[i];
	provision_end(&run);
	if (!good)
		difference_release(out);
	return good;
}
