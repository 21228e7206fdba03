#include "schema/schema_private.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool schema_run_break(struct schema_run *r, const char *fmt, ...)
{
	char text[ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args); /* too long a text may be cut */
	va_end(args);
	r->broken = true;
	return error_set(r->err, ERROR_SETTINGS, "%s", text);
}

bool schema_run_done(const struct schema_run *r, bool ok)
{
	return r->broken || (!ok && r->quiet > 0);
}

bool schema_run_matches(struct schema_run *r, const struct schema_regex *regex, struct slice text)
{
	enum schema_match match = schema_regex_match(regex, &r->matcher, text);
	if (match == SCHEMA_MATCH_LIMIT)
		return schema_run_break(r, "schema has a pattern that needs too many steps");
	return match == SCHEMA_MATCH_YES;
}

const struct schema_rule *schema_run_peer(
    const struct schema_rule *rule, enum schema_keyword_id keyword)
{
	const struct schema_node *n = rule->node;
	for (size_t i = 0; i < n->rule_count; i++)
		if (n->rules[i].keyword == &schema_keywords[keyword])
			return &n->rules[i];
	return NULL;
}

/* ---- what has been seen ---- */

void schema_run_mark_seen(struct schema_run *r, uintptr_t what)
{
	if (!r->collecting)
		return;
	r->seen = mem_grow(r->seen, &r->seen_capacity, r->seen_count + 1, sizeof *r->seen);
	r->seen[r->seen_count++] = what;
}

static int compare_seen(const void *left, const void *right)
{
	const uintptr_t *a = left, *b = right;
	return *a < *b ? -1 : *a > *b;
}

void schema_run_sort_seen(struct schema_run *r)
{
	if (r->seen_count > r->seen_from)
		qsort(r->seen + r->seen_from, r->seen_count - r->seen_from, sizeof *r->seen,
		    compare_seen);
}

bool schema_run_has_seen(const struct schema_run *r, size_t count, uintptr_t what)
{
	return count > r->seen_from && bsearch(&what, r->seen + r->seen_from, count - r->seen_from,
					   sizeof *r->seen, compare_seen) != NULL;
}

/* ---- nodes ---- */

static bool apply(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	const struct schema_keyword *k = rule->keyword;
	if (k->check != NULL)
		return k->check(r, rule, at);
	if (k->holds == NULL || k->holds(rule, at->value))
		return true;
	schema_fault_assert(r, rule, at);
	return false;
}

/* When the type or the value itself is wrong, the other keywords would only repeat it. */
static bool is_decisive(const struct schema_rule *rule)
{
	return rule->keyword <= &schema_keywords[KEYWORD_ENUM];
}

static bool apply_rules(
    struct schema_run *r, const struct schema_node *n, const struct schema_place *at)
{
	bool ok = true;
	for (size_t i = 0; i < n->rule_count; i++) {
		ok = apply(r, &n->rules[i], at) && ok;
		if (schema_run_done(r, ok) || (!ok && is_decisive(&n->rules[i])))
			return false;
	}
	return ok;
}

static bool check_limits(struct schema_run *r, const struct schema_node *n)
{
	if (r->depth > SCHEMA_MAX_DEPTH)
		return schema_run_break(r,
		    "schema refers to itself without end, or the value nests more than %d deep",
		    SCHEMA_MAX_DEPTH);
	if (++r->steps > SCHEMA_MAX_STEPS)
		return schema_run_break(r, "schema needs too many steps for one value");
	const char *unknown = n->resource->dialect.unknown;
	if (unknown == NULL)
		return true;
	char *text = schema_text_unknown(unknown);
	schema_run_break(r, "%s", text);
	free(text);
	return false;
}

bool schema_run_node(
    struct schema_run *r, const struct schema_node *n, const struct schema_place *at)
{
	if (!json_is_object(n->value)) {
		if (json_is_false(n->value))
			schema_fault_false(r, n, at);
		return json_is_true(n->value);
	}
	const struct schema_scope *outer = r->scope;
	const struct schema_scope scope = {outer, n->resource};
	size_t outer_from = r->seen_from;
	bool outer_collects = r->collecting;
	if (outer == NULL || outer->resource != n->resource)
		r->scope = &scope;
	r->seen_from = r->seen_count;
	r->collecting = outer_collects || n->tracks;
	r->depth++;
	bool ok = check_limits(r, n) && apply_rules(r, n, at);
	r->depth--;
	if (!outer_collects)
		r->seen_count = r->seen_from;
	r->seen_from = outer_from;
	r->collecting = outer_collects;
	r->scope = outer;
	return ok;
}

bool schema_run_child(
    struct schema_run *r, const struct schema_node *n, const struct schema_place *child)
{
	bool collects = r->collecting;
	r->collecting = false; /* the child's own members are no concern of this value */
	bool ok = schema_run_node(r, n, child);
	r->collecting = collects;
	return ok;
}
