/*
 * infer.h - a JSON Schema (draft 2020-12) made out of samples, all of which fulfil it.
 *
 * It tells types (integer apart from number), the properties of objects and which of them are in
 * every sample, the items of arrays, formats that every text has, and, when asked, the values of
 * texts that are few. What differs in every sample is not told: no least and greatest numbers, no
 * lengths. The same samples in the same order give the same schema.
 *
 * Bounded: an object with more than INFER_MAX_PROPERTIES names is taken for a map, of which only
 * that is told; what is deeper than INFER_MAX_DEPTH, or new when there are INFER_MAX_NODES places,
 * may be anything.
 */
#ifndef SCHEMA_INFER_H
#define SCHEMA_INFER_H

#include "base/error.h"

#include <jansson.h>
#include <stddef.h>

#define INFER_MAX_PROPERTIES 1000
#define INFER_MAX_DEPTH 100
#define INFER_MAX_NODES 100000
#define INFER_ENUM_SAMPLES 20 /* fewer texts do not show which values there are */
#define INFER_MAX_ENUM 1000

struct infer;

/* `max_enum`: texts of at most so many values, in INFER_ENUM_SAMPLES samples or more, become an
 * enum; 0: none do. */
struct infer *infer_create(size_t max_enum);
void infer_free(struct infer *i);

void infer_add(struct infer *i, const json_t *sample);
/* To json_decref. Without samples it allows anything. */
json_t *infer_schema(const struct infer *i);

#endif
