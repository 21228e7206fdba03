/*
 * pattern.h - a message pattern of the settings, compiled once, rendered without allocating.
 *
 * Takes time and randomness as arguments: the same settings and seed give the same bytes.
 */
#ifndef FAKE_PATTERN_H
#define FAKE_PATTERN_H

#include "base/error.h"
#include "base/rng.h"
#include "model/message.h"
#include "model/reader.h"

#include <jansson.h>

struct pattern;
struct pattern_pools;

/*
 * The shared pools (`pools:` of the settings): name -> {size, pick, fields}. A row is made of the
 * fields once, here, with a generator seeded by `seed` and the pool's name, so that every message
 * type and every run with the seed sees the same customer 17. Rows know no clock ("now" is refused)
 * and may refer to pools that stand before theirs. NULL when something was reported: then do not
 * compile patterns, whose references would all be unknown.
 */
struct pattern_pools *pattern_pools_create(
    const json_t *pools, uint64_t seed, reader_report_fn *report, void *ctx);
void pattern_pools_free(struct pattern_pools *pools);

/*
 * Compiles one value of `messages:`; uses exchange, routing_key, fields, body, files, headers,
 * properties, broken, cloudevents, trace; ignores the keys of pacing. `directory` is where relative
 * `files` begin (the folder of the settings file). `name` is that of the message, from which its
 * events come; NULL: it has none. pools may be NULL. Several things may be reported. NULL when
 * something was. pools must outlive the pattern; the JSON may go.
 */
struct pattern *pattern_create(const char *name, const json_t *spec, const char *directory,
    const struct pattern_pools *pools, reader_report_fn *report, void *ctx);
void pattern_free(struct pattern *p);

/*
 * Renders message number `sequence` (from 0). The slices of *out stay valid until the next render
 * of this pattern. Allocates only until the buffers have seen the largest message. Reading `files`
 * is done by pattern_create. A rendered routing key or short string over 255 bytes fails with
 * ERROR_DATA.
 */
bool pattern_render(struct pattern *p, struct rng *r, int64_t wall_ms, uint64_t sequence,
    struct message *out, struct error *err) MUST_CHECK;

/* Gives the message rendered last another body, which must live as long as its slices; in a
 * structured event it is the data. */
void pattern_set_body(struct pattern *p, struct slice body, struct message *m);

#endif
