/* pattern_bench.h - what the tests of patterns share: settings in, messages out. */
#ifndef TESTS_UNIT_PATTERN_BENCH_H
#define TESTS_UNIT_PATTERN_BENCH_H

#include "fake/pattern.h"
#include "json_bench.h"

#define WALL_MS INT64_C(1700000000123) /* 2023-11-14T22:13:20.123Z */
#define DRAWS 20000
#define CUSTOMERS "{'customers': {'size': 5, 'fields': {'id': 'ean', 'name': 'name'}}}"

/* Each problem as "pointer: text" and a line feed. */
static inline void note_problem(void *ctx, const char *pointer, const char *text)
{
	buf_printf(ctx, "%s: %s\n", pointer, text);
}

struct bench {
	json_t *spec, *pools_spec;
	struct pattern_pools *pools;
	struct pattern *pattern;
	struct buf problems;
	struct rng rng;
	struct message m;
	struct error err;
	uint64_t next;
};

static inline void try_setup(struct bench *b, const char *spec, const char *pools)
{
	*b = (struct bench){0};
	b->spec = read_json(spec);
	b->pools_spec = pools ? read_json(pools) : NULL;
	b->pools = pattern_pools_create(b->pools_spec, 1, note_problem, &b->problems);
	b->pattern = pattern_create(
	    "made", b->spec, "tests/cases/pattern", b->pools, note_problem, &b->problems);
	rng_seed(&b->rng, 42);
}

static inline void setup(struct bench *b, const char *spec, const char *pools)
{
	try_setup(b, spec, pools);
	ck_assert_msg(b->pattern != NULL, "%s: %s", spec, b->problems.ptr);
	ck_assert_uint_eq(b->problems.len, 0);
}

static inline void render(struct bench *b)
{
	ck_assert_msg(pattern_render(b->pattern, &b->rng, WALL_MS, b->next++, &b->m, &b->err), "%s",
	    b->err.text);
}

static inline void teardown(struct bench *b)
{
	pattern_free(b->pattern);
	pattern_pools_free(b->pools);
	json_decref(b->spec);
	json_decref(b->pools_spec);
	buf_release(&b->problems);
}

static inline void assert_slice(struct slice s, const char *expected)
{
	struct buf text = {0};
	buf_append(&text, s);
	ck_assert_str_eq(text.ptr, expected);
	buf_release(&text);
}

#endif
