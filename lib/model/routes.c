#include "model/routes.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/headers.h"
#include "model/table.h"
#include "model/topic.h"

#include <stdlib.h>

/* An exchange whose bindings are being looked at. */
struct visit {
	const struct topology_exchange *exchange;
	size_t next; /* of the topology's bindings */
	size_t looked_at;
	bool has_match, is_unknown;
};

struct walk {
	const struct topology *t;
	struct routes *out;
	struct buf headers, arguments; /* encoded; the arguments of one binding */
	json_t *seen, *served;	       /* sets: exchanges; queues */
	struct visit *visits;	       /* a stack */
	size_t depth, visit_capacity;
};

/* ---- names ---- */

static void add_name(const char ***names, size_t *count, size_t *capacity, const char *name)
{
	*names = mem_grow(*names, capacity, *count + 1, sizeof **names);
	(*names)[(*count)++] = name;
}

/* Adds a name that is not there yet; false when it is. */
static bool add_to_set(json_t *set, const char *name)
{
	return json_object_get(set, name) == NULL &&
	       json_object_set_new_nocheck(set, name, json_true()) == 0;
}

/* Once is enough. */
static void add_key(struct routes *r, const char *key)
{
	for (size_t i = 0; i < r->key_count; i++)
		if (strcmp(r->keys[i], key) == 0)
			return;
	add_name(&r->keys, &r->key_count, &r->key_capacity, key);
}

/* Once, however many ways lead to it. */
static void add_queue(struct walk *w, const char *queue)
{
	struct routes *r = w->out;
	if (add_to_set(w->served, queue))
		add_name(&r->queues, &r->queue_count, &r->queue_capacity, queue);
}

/* ---- words ---- */

/* A key as it is; in quotes when it would not be seen for one. */
static void write_key(const char *key, struct buf *out)
{
	bool is_plain = key[0] != '\0' && strpbrk(key, " ,;:'\"") == NULL;
	buf_append_str(out, is_plain ? "" : "'");
	text_escape(slice_str(key), 255, out);
	buf_append_str(out, is_plain ? "" : "'");
}

static void write_keys(const struct routes *r, struct buf *out)
{
	for (size_t i = 0; i < r->key_count; i++) {
		buf_append_str(out, i == 0 ? "" : i + 1 < r->key_count ? ", " : " or ");
		write_key(r->keys[i], out);
	}
}

/* ---- matching ---- */

typedef enum routes_match match_fn(struct walk *w, const struct topology_exchange *e,
    const struct topology_binding *b, struct buf *why, struct error *err);

static enum routes_match match_fanout(struct walk *w, const struct topology_exchange *e,
    const struct topology_binding *b, struct buf *why, struct error *err)
{
	(void)w, (void)e, (void)b, (void)err;
	buf_append_str(why, "a fanout exchange passes everything on");
	return ROUTES_YES;
}

static enum routes_match match_direct(struct walk *w, const struct topology_exchange *e,
    const struct topology_binding *b, struct buf *why, struct error *err)
{
	(void)e, (void)err;
	const struct routes *r = w->out;
	bool matches = false;
	for (size_t i = 0; i < r->key_count; i++)
		matches |= strcmp(r->keys[i], b->routing_key) == 0;
	write_key(b->routing_key, why);
	buf_append_str(why, matches ? " is the routing key" : " wanted, the routing key is ");
	if (!matches)
		write_keys(r, why);
	return matches ? ROUTES_YES : ROUTES_NO;
}

static enum routes_match match_topic(struct walk *w, const struct topology_exchange *e,
    const struct topology_binding *b, struct buf *why, struct error *err)
{
	(void)e, (void)err;
	const struct routes *r = w->out;
	size_t i = 0;
	while (i < r->key_count && !topic_matches(b->routing_key, r->keys[i]))
		i++;
	write_key(b->routing_key, why);
	if (i < r->key_count) {
		buf_append_str(why, " matches ");
		write_key(r->keys[i], why);
		return ROUTES_YES;
	}
	buf_append_str(why, " does not match ");
	write_keys(r, why);
	if (r->key_count == 1)
		topic_write_reason(b->routing_key, r->keys[0], why);
	return ROUTES_NO;
}

static enum routes_match match_headers(struct walk *w, const struct topology_exchange *e,
    const struct topology_binding *b, struct buf *why, struct error *err)
{
	buf_clear(&w->arguments);
	if (b->arguments != NULL && !table_encode(b->arguments, &w->arguments, err)) {
		char *shown = text_quote(slice_str(e->name));
		error_context(err, "a binding of exchange '%s'", shown);
		free(shown);
		return ROUTES_UNKNOWN;
	}
	bool matches = headers_match(buf_slice(&w->arguments), buf_slice(&w->headers), why);
	return matches ? ROUTES_YES : ROUTES_NO;
}

static enum routes_match match_nobody_knows(struct walk *w, const struct topology_exchange *e,
    const struct topology_binding *b, struct buf *why, struct error *err)
{
	(void)w, (void)b, (void)err;
	buf_append_str(why, "how an exchange of type ");
	text_escape(slice_str(e->type), 255, why);
	buf_append_str(why, " routes is not known to warren");
	return ROUTES_UNKNOWN;
}

static match_fn *find_matcher(const char *type)
{
	static const struct {
		const char *type;
		match_fn *match;
	} matchers[] = {{"direct", match_direct}, {"fanout", match_fanout}, {"topic", match_topic},
	    {"headers", match_headers}};
	for (size_t i = 0; i < ARRAY_LEN(matchers); i++)
		if (strcmp(type, matchers[i].type) == 0)
			return matchers[i].match;
	return match_nobody_knows;
}

/* ---- the walk ---- */

static struct routes_step *add_step(struct routes *r, struct routes_step step)
{
	r->steps = mem_grow(r->steps, &r->step_capacity, r->step_count + 1, sizeof *r->steps);
	r->steps[r->step_count] = step;
	return &r->steps[r->step_count++];
}

/* False when the message has been there. */
static bool enter(struct walk *w, const char *name)
{
	if (!add_to_set(w->seen, name))
		return false;
	const struct topology_exchange *e = topology_find_exchange(w->t, slice_str(name));
	add_step(
	    w->out, (struct routes_step){
			.kind = ROUTES_EXCHANGE, .depth = w->depth, .exchange = name, .found = e});
	if (e == NULL)
		return true;
	w->visits = mem_grow(w->visits, &w->visit_capacity, w->depth + 1, sizeof *w->visits);
	w->visits[w->depth++] = (struct visit){.exchange = e};
	return true;
}

/* Where the message goes next by a step. */
static void follow(struct walk *w, size_t step, const char *exchange)
{
	bool is_new = enter(w, exchange);
	w->out->steps[step].again = !is_new;
}

static bool look_at(
    struct walk *w, struct visit *v, const struct topology_binding *b, struct error *err)
{
	const struct topology_exchange *e = v->exchange;
	struct routes *r = w->out;
	struct buf why = {0};
	enum routes_match match = find_matcher(e->type)(w, e, b, &why, err);
	if (err->kind != ERROR_NONE) {
		buf_release(&why);
		return false;
	}
	add_step(r, (struct routes_step){.kind = ROUTES_BINDING,
			.depth = w->depth - 1,
			.exchange = e->name,
			.found = e,
			.destination = b->destination,
			.to_exchange = b->to_exchange,
			.binding = b,
			.match = match,
			.why = buf_take(&why)});
	v->looked_at++;
	v->has_match |= match == ROUTES_YES;
	v->is_unknown |= match == ROUTES_UNKNOWN;
	r->is_complete &= match != ROUTES_UNKNOWN;
	if (match == ROUTES_YES && b->to_exchange)
		follow(w, r->step_count - 1, b->destination); /* v may have moved */
	else if (match == ROUTES_YES)
		add_queue(w, b->destination);
	return true;
}

/* All bindings have been looked at. */
static void leave(struct walk *w)
{
	const struct visit v = w->visits[--w->depth];
	const struct topology_exchange *e = v.exchange;
	const char *alternate =
	    json_string_value(json_object_get(e->arguments, "alternate-exchange"));
	if (v.has_match || (v.is_unknown && alternate == NULL))
		return;
	add_step(w->out, (struct routes_step){.kind = ROUTES_END,
			     .depth = w->depth,
			     .exchange = e->name,
			     .found = e,
			     .destination = alternate,
			     .to_exchange = true,
			     .match = v.is_unknown ? ROUTES_UNKNOWN : ROUTES_YES,
			     .why = mem_strdup(v.is_unknown	 ? "if no binding matches"
					       : v.looked_at > 0 ? "no binding matches"
								 : "there are no bindings")});
	if (alternate == NULL || v.is_unknown)
		return;
	/* one level deeper, as behind a binding; there is nothing more to do here */
	w->visits[w->depth++] = (struct visit){.exchange = e, .has_match = true, .next = SIZE_MAX};
	follow(w, w->out->step_count - 1, alternate);
}

static bool step(struct walk *w, struct error *err)
{
	const struct topology *t = w->t;
	struct visit *v = &w->visits[w->depth - 1];
	while (v->next < t->binding_count) {
		const struct topology_binding *b = &t->bindings[v->next++];
		if (strcmp(b->exchange, v->exchange->name) == 0)
			return look_at(w, v, b, err);
	}
	leave(w);
	return true;
}

/* The default exchange has every queue under its name, and no bindings else: to whom it is the
 * alternate, it gives nothing. */
static void walk_default(struct walk *w)
{
	struct routes *r = w->out;
	const struct topology_exchange *e = topology_find_exchange(w->t, SLICE(""));
	add_step(r, (struct routes_step){.exchange = "", .found = e});
	for (size_t i = 0; i < r->key_count; i++) {
		const char *key = r->keys[i];
		bool found = topology_find_queue(w->t, slice_str(key)) != NULL;
		struct buf why = {0};
		if (found)
			buf_append_str(&why, "the routing key is its name");
		char *unknown = found ? NULL : topology_explain_unknown(w->t, true, key);
		buf_append_str(&why, found ? "" : unknown);
		free(unknown);
		add_step(r, (struct routes_step){.kind = ROUTES_BINDING,
				.exchange = "",
				.found = e,
				.destination = key,
				.match = found ? ROUTES_YES : ROUTES_NO,
				.why = buf_take(&why)});
		if (found)
			add_queue(w, key);
	}
}

/* ---- the message ---- */

/* RabbitMQ closes the channel over a list that is none, and passes over items that are no text. */
static bool read_keys(struct routes *r, const json_t *headers, const char *name, struct error *err)
{
	const json_t *list = json_object_get(headers, name);
	const json_t *key;
	size_t i;
	if (list != NULL && !json_is_array(list))
		return error_set(err, ERROR_REFUSED,
		    "the broker refuses a message whose header %s is not a list of routing keys "
		    "(406)",
		    name);
	json_array_foreach(list, i, key) if (json_is_string(key))
	    add_key(r, json_string_value(key));
	return true;
}

static bool read_headers(struct walk *w, const json_t *headers, struct error *err)
{
	if (headers == NULL)
		return true;
	if (!read_keys(w->out, headers, "CC", err) || !read_keys(w->out, headers, "BCC", err))
		return false;
	json_t *seen = json_copy((json_t *)(uintptr_t)headers);
	json_object_del(seen, "BCC"); /* the broker takes it off before it routes */
	bool good = table_encode(seen, &w->headers, err);
	json_decref(seen);
	return good;
}

static bool check_exchange(const struct topology *t, const char *name, struct error *err)
{
	const struct topology_exchange *e = topology_find_exchange(t, slice_str(name));
	if (e == NULL) {
		char *text = topology_explain_unknown(t, false, name);
		error_set(err, ERROR_USAGE, "%s", text);
		free(text);
		return false;
	}
	if (!e->internal)
		return true;
	char *shown = text_quote(slice_str(name));
	error_set(err, ERROR_REFUSED,
	    "exchange '%s' is internal: it takes messages from bindings, and the broker refuses "
	    "those that are published to it (403)",
	    shown);
	free(shown);
	return false;
}

static bool walk(struct walk *w, const struct routes_message *m, struct error *err)
{
	add_key(w->out, m->routing_key);
	if (!check_exchange(w->t, m->exchange, err) || !read_headers(w, m->headers, err))
		return false;
	if (m->exchange[0] == '\0') {
		walk_default(w);
		return true;
	}
	enter(w, m->exchange);
	while (w->depth > 0)
		if (!step(w, err))
			return false;
	return true;
}

bool routes_find(
    const struct topology *t, const struct routes_message *m, struct routes *out, struct error *err)
{
	struct walk w = {.t = t, .out = out, .seen = json_object(), .served = json_object()};
	out->is_complete = true;
	bool good = walk(&w, m, err);
	if (!good)
		routes_release(out);
	buf_release(&w.headers);
	buf_release(&w.arguments);
	json_decref(w.seen);
	json_decref(w.served);
	free(w.visits);
	return good;
}

void routes_release(struct routes *r)
{
	for (size_t i = 0; i < r->step_count; i++)
		free(r->steps[i].why);
	free(r->steps);
	free(r->queues);
	free(r->keys);
	*r = (struct routes){0};
}
