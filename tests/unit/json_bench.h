/* json_bench.h - JSON that stands in a test with ' for ", to be read by people. */
#ifndef TESTS_UNIT_JSON_BENCH_H
#define TESTS_UNIT_JSON_BENCH_H

#include "base/mem.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>

/* With " for ', to free(). */
static inline char *quoted(const char *text)
{
	char *copy = mem_strdup(text);
	for (char *c = copy; *c != '\0'; c++)
		*c = *c == '\'' ? '"' : *c;
	return copy;
}

/* For json_decref. */
static inline json_t *read_json(const char *text)
{
	json_error_t at;
	char *copy = quoted(text);
	json_t *json =
	    json_loads(copy, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &at);
	ck_assert_msg(json != NULL, "%s: %s", text, at.text);
	free(copy);
	return json;
}

#endif
