#include "schema/schema_private.h"

#include "base/mem.h"

#include <stdlib.h>

/* Keywords that judge the value itself by other schemas, or by a pattern. */

bool schema_check_pattern(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	if (!json_is_string(at->value))
		return true;
	if (schema_run_matches(r, rule->regex, schema_value_text(at->value)))
		return true;
	if (!r->broken)
		schema_fault_assert(r, rule, at);
	return false;
}

/* ---- references ---- */

static bool nowhere(struct schema_run *r, const struct schema_rule *rule)
{
	char *text = schema_text_nowhere(rule);
	schema_run_break(r, "%s", text);
	free(text);
	return false;
}

bool schema_check_reference(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	return rule->target != NULL ? schema_run_node(r, rule->target, at) : nowhere(r, rule);
}

static const struct schema_node *find_dynamic(
    const struct schema_resource *resource, const char *name)
{
	for (size_t i = 0; i < resource->anchor_count; i++)
		if (resource->anchors[i].dynamic && strcmp(resource->anchors[i].name, name) == 0)
			return resource->anchors[i].node;
	return NULL;
}

/* Of all schemas entered on the way here, the outermost that has the anchor decides. */
bool schema_check_dynamic(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	const struct schema_node *target = rule->target;
	if (target == NULL)
		return nowhere(r, rule);
	for (const struct schema_scope *s = r->scope; s != NULL && rule->dynamic != NULL;
	     s = s->up) {
		const struct schema_node *found = find_dynamic(s->resource, rule->dynamic);
		if (found != NULL)
			target = found;
	}
	return schema_run_node(r, target, at);
}

bool schema_check_recursive(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	const struct schema_node *target = rule->target;
	if (target == NULL)
		return nowhere(r, rule);
	bool is_dynamic = target == target->resource->node && target->resource->recursive;
	for (const struct schema_scope *s = r->scope; s != NULL && is_dynamic; s = s->up)
		if (s->resource->recursive)
			target = s->resource->node;
	return schema_run_node(r, target, at);
}

/* ---- combinations ---- */

/* Judges without recording faults. What a refusing schema has seen does not count. */
static bool run_quietly(
    struct schema_run *r, const struct schema_node *n, const struct schema_place *at)
{
	size_t seen = r->seen_count;
	r->quiet++;
	bool ok = schema_run_node(r, n, at);
	r->quiet--;
	if (!ok)
		r->seen_count = seen;
	return ok;
}

bool schema_check_all_of(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	bool ok = true;
	for (size_t i = 0; i < rule->branch_count && !schema_run_done(r, ok); i++)
		ok = schema_run_node(r, rule->branches[i].node, at) && ok;
	return ok;
}

/* The faults of the branches tried so far: [from, count) are those worth keeping. */
struct attempts {
	size_t from;
	size_t tried, passed;
	struct schema_nearness nearest;
};

/* The branch before last left [from, start), the last one [start, count): keeps the nearer one.
 * Branches that accept none of such values are kept together, to be merged. */
static void keep_nearest(
    struct schema_run *r, struct attempts *a, size_t start, const struct schema_place *at)
{
	struct schema_nearness latest = schema_fault_nearness(&r->faults, start, at);
	if (a->tried == 0 || schema_fault_is_nearer(latest, a->nearest)) {
		schema_fault_drop(&r->faults, a->from, start);
		a->nearest = latest;
	} else if (!(latest.refuses_all && a->nearest.refuses_all)) {
		schema_fault_drop(&r->faults, start, r->faults.count);
	}
	a->tried++;
}

static void try_branch(struct schema_run *r, struct attempts *a, const struct schema_node *n,
    const struct schema_place *at)
{
	size_t seen = r->seen_count, start = r->faults.count;
	if (schema_run_node(r, n, at)) {
		a->passed++;
		return;
	}
	r->seen_count = seen;
	if (r->quiet == 0)
		keep_nearest(r, a, start, at);
}

/* Turns what the attempts left into the faults of the keyword. */
static void finish_attempts(struct schema_run *r, const struct attempts *a,
    const struct schema_rule *rule, const struct schema_place *at)
{
	if (a->passed > 0)
		schema_fault_drop(&r->faults, a->from, r->faults.count);
	else if (r->quiet == 0 && a->nearest.refuses_all)
		schema_fault_merge(r, a->from, rule, at);
}

bool schema_check_any_of(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	struct attempts a = {.from = r->faults.count};
	for (size_t i = 0; i < rule->branch_count && !r->broken; i++) {
		try_branch(r, &a, rule->branches[i].node, at);
		if (a.passed > 0 && !r->collecting)
			break; /* the others could only tell what they have seen */
	}
	finish_attempts(r, &a, rule, at);
	return a.passed > 0 && !r->broken;
}

bool schema_check_one_of(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	struct attempts a = {.from = r->faults.count};
	for (size_t i = 0; i < rule->branch_count && !r->broken; i++)
		try_branch(r, &a, rule->branches[i].node, at);
	finish_attempts(r, &a, rule, at);
	if (a.passed > 1 && r->quiet == 0)
		schema_fault_add(r, rule, at, NULL,
		    mem_printf("matches %zu of the %zu alternatives, exactly 1 is accepted",
			a.passed, rule->branch_count));
	return a.passed == 1 && !r->broken;
}

bool schema_check_not(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	size_t seen = r->seen_count;
	bool matches = run_quietly(r, rule->branches[0].node, at);
	r->seen_count = seen;
	if (matches && r->quiet == 0)
		schema_fault_assert(r, rule, at);
	return !matches && !r->broken;
}

bool schema_check_if(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	bool holds = run_quietly(r, rule->branches[0].node, at);
	const struct schema_rule *next = schema_run_peer(rule, holds ? KEYWORD_THEN : KEYWORD_ELSE);
	if (r->broken)
		return false;
	return next == NULL || schema_run_node(r, next->branches[0].node, at);
}

/* ---- dependencies ---- */

bool schema_check_dependent_schemas(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	bool ok = true;
	for (size_t i = 0; i < rule->branch_count && !schema_run_done(r, ok); i++)
		if (json_object_get(at->value, rule->branches[i].name) != NULL)
			ok = schema_run_node(r, rule->branches[i].node, at) && ok;
	return ok;
}

bool schema_check_dependencies(
    struct schema_run *r, const struct schema_rule *rule, const struct schema_place *at)
{
	bool ok = true;
	for (size_t i = 0; i < rule->branch_count && !schema_run_done(r, ok); i++) {
		const struct schema_branch *b = &rule->branches[i];
		if (json_object_get(at->value, b->name) == NULL)
			continue;
		ok = (b->node != NULL ? schema_run_node(r, b->node, at)
				      : schema_children_need(r, rule, at, b->value, b->name)) &&
		     ok;
	}
	return ok;
}
