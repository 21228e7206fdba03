#include "base/mem.h"
#include "fake/pattern.h"
#include "fake/pattern_fields.h"

#include <stdlib.h>

#define MAX_ROWS 1000000
#define MAX_VALUES 10000000
#define MAX_BYTES ((size_t)256 << 20)
#define ROWS_WALL_MS INT64_C(1767225600000) /* 2026-01-01: rows must not depend on the clock */

/* FNV-1a, so that a pool's rows do not change when another pool is added. */
static uint64_t hash_name(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (const unsigned char *c = (const unsigned char *)name; *c != '\0'; c++)
		hash = (hash ^ *c) * 0x100000001b3;
	return hash;
}

/* Rows in the making: spans in `bytes`, which still moves. */
struct rows {
	struct generator_span *spans;
	struct buf bytes;
};

static bool make_rows(const struct pool *p, const struct pattern_fields *f,
    const struct pattern_pools *earlier, uint64_t seed, struct rows *rows)
{
	struct rng rng;
	rng_seed(&rng, seed ^ hash_name(p->name));
	struct generator_context x = {.rng = &rng, .wall_ms = ROWS_WALL_MS, .pools = earlier};
	struct generator_span *row = mem_alloc(f->count, sizeof *row);
	size_t *taken = mem_alloc(earlier->count, sizeof *taken);
	for (size_t i = 0; i < p->size && rows->bytes.len <= MAX_BYTES; i++) {
		x.sequence = i;
		pattern_fields_render(f, &x, row, taken);
		for (size_t k = 0; k < f->count; k++) {
			rows->spans[i * f->count + k] = (struct generator_span){
			    row[k].kind, rows->bytes.len + row[k].at, row[k].len};
		}
		buf_append(&rows->bytes, buf_slice(&x.arena));
	}
	free(taken);
	free(row);
	buf_release(&x.arena);
	buf_release(&x.spare);
	return rows->bytes.len <= MAX_BYTES;
}

static void keep_columns(struct pool *p, const struct pattern_fields *f)
{
	p->column_count = f->count;
	p->columns = mem_alloc(f->count, sizeof *p->columns);
	for (size_t i = 0; i < f->count; i++)
		p->columns[i] = mem_strdup(f->names[i]);
}

static void keep_rows(struct pool *p, struct rows *rows)
{
	size_t count = p->size * p->column_count;
	p->bytes = buf_take(&rows->bytes);
	p->values = mem_alloc(count, sizeof *p->values);
	for (size_t i = 0; i < count; i++) {
		struct generator_span span = rows->spans[i];
		p->values[i].kind = span.kind;
		p->values[i].text = (struct slice){p->bytes + span.at, span.len};
	}
}

static bool read_size(
    struct pool *p, const json_t *spec, const struct report_path *at, struct report *report)
{
	struct report_path here = {at, "size", 0};
	const json_t *json = json_object_get(spec, "size");
	json_int_t size = json == NULL ? 100 : json_is_integer(json) ? json_integer_value(json) : 0;
	if (size < 1 || size > MAX_ROWS)
		return report_add(report, &here, "must be a whole number from 1 to %d", MAX_ROWS);
	p->size = (size_t)size;
	return true;
}

static bool read_pick(
    struct pool *p, const json_t *spec, const struct report_path *at, struct report *report)
{
	static const char *const names[] = {
	    [POOL_RANDOM] = "random", [POOL_SEQUENTIAL] = "sequential", [POOL_ZIPF] = "zipf"};
	struct report_path here = {at, "pick", 0};
	const json_t *json = json_object_get(spec, "pick");
	for (size_t i = 0; json != NULL && i < ARRAY_LEN(names); i++)
		if (json_is_string(json) && strcmp(json_string_value(json), names[i]) == 0) {
			p->pick = (enum pool_pick)i;
			return true;
		}
	return json == NULL || report_add(report, &here, "must be random, sequential or zipf");
}

static bool create_pool(struct pool *p, const json_t *spec, const struct pattern_pools *earlier,
    uint64_t seed, const struct report_path *at, struct report *report)
{
	static const char *const keys[] = {"size", "pick", "fields", NULL};
	struct report_path here = {at, "fields", 0};
	struct pattern_fields fields = {0};
	struct rows rows = {0};
	if (!json_is_object(spec))
		return report_kind(report, at, "a map with size and fields", spec);
	const json_t *wanted = json_object_get(spec, "fields");
	bool good = report_keys(report, at, spec, keys);
	good &= read_size(p, spec, at, report);
	good &= read_pick(p, spec, at, report);
	if (wanted == NULL)
		return report_kind(
		    report, &here, "a list of volumes or a map of names to generators", NULL);
	good &= pattern_fields_create(&fields, wanted, &here, report, earlier, true);
	keep_columns(p, &fields); /* so that references to it are not reported as unknown */
	if (good && p->size * fields.count > MAX_VALUES)
		good = report_add(report, at, "has more than %d values", MAX_VALUES);
	if (!good || report->count > 0)
		goto done;
	p->favourites = (struct distribution){
	    .kind = DISTRIBUTION_ZIPF, .high = (int64_t)p->size - 1, .exponent = 1};
	distribution_prepare(&p->favourites);
	rows.spans = mem_alloc(p->size * fields.count, sizeof *rows.spans);
	good = make_rows(p, &fields, earlier, seed, &rows);
	if (good)
		keep_rows(p, &rows);
	else
		report_add(report, at, "its rows take more than 256 MiB");
done:
	buf_release(&rows.bytes);
	free(rows.spans);
	pattern_fields_release(&fields);
	return good;
}

struct pattern_pools *pattern_pools_create(
    const json_t *pools, uint64_t seed, reader_report_fn *report_fn, void *ctx)
{
	struct report report = {.add = report_fn, .ctx = ctx};
	struct pattern_pools *made = mem_alloc(1, sizeof *made);
	const char *name;
	json_t *spec;
	if (pools != NULL && !json_is_object(pools))
		report_kind(&report, NULL, "a map of names to pools", pools);
	made->items = mem_alloc(json_object_size(pools), sizeof *made->items);
	json_object_foreach((json_t *)(uintptr_t)pools, name, spec)
	{
		struct report_path here = {NULL, name, 0};
		/* Counted only when it is done: its fields may refer to those before it. */
		struct pool *p = &made->items[made->count];
		p->name = mem_strdup(name);
		(void)create_pool(p, spec, made, seed, &here, &report); /* counted in report */
		made->count++;
	}
	if (report.count == 0)
		return made;
	pattern_pools_free(made);
	return NULL;
}

void pattern_pools_free(struct pattern_pools *pools)
{
	for (size_t i = 0; pools != NULL && i < pools->count; i++)
		pool_release(&pools->items[i]);
	if (pools != NULL)
		free(pools->items);
	free(pools);
}
