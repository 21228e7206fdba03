/*
 * routing_rows.h - what matches what: the unit tests ask the library, tests/broker/routes_agree
 * asks a broker.
 */
#ifndef BROKER_ROUTING_ROWS_H
#define BROKER_ROUTING_ROWS_H

#include "base/mem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>

static const struct topic_row {
	const char *pattern, *key;
	bool matches;
} topic_rows[] = {
    {"", "", true},
    {"", "a", false},
    {"", ".", false},
    {"a", "", false},
    {"#", "", true},
    {"#", "a", true},
    {"#", "a.b.c", true},
    {"#", ".", true},
    {"*", "", false},
    {"*", "a", true},
    {"*", ".", false},
    {"*.*", ".", true},
    {"*.*", "a", false},
    {".", ".", true},
    {".", "", false},
    {".", "a.b", false},
    {".a", ".a", true},
    {".a", "a", false},
    {"a.", "a.", true},
    {"a.", "a", false},
    {"a.*", "a.", true},
    {"a.*", "a", false},
    {"a.#", "a", true},
    {"a.#", "a.", true},
    {"a.#", "a.b.c", true},
    {"a.#", "b.a", false},
    {"#.a", "a", true},
    {"#.a", "b.c.a", true},
    {"#.a", "a.b", false},
    {"a.#.b", "a.b", true},
    {"a.#.b", "a.c.c.b", true},
    {"a.#.b", "a.b.c", false},
    {"a.#.b", "a", false},
    {"#.#", "", true},
    {"#.#", "a", true},
    {"#.*", "", false},
    {"#.*", "a", true},
    {"*.#", "", false},
    {"*.#.*", "a", false},
    {"*.#.*", "a.b", true},
    {"#.a.#", "b.a.c", true},
    {"#.a.#", "b.c", false},
    {"#.a.#.b", "a.b.a", false},
    {"#.a.*.b.#", "x.a.a.b.b", true},
    {"a..b", "a..b", true},
    {"a.*.b", "a..b", true},
    {"a.b", "a..b", false},
    {"a*", "a*", true},
    {"a*", "ab", false},
    {"a#", "a", false},
    {"**", "a", false},
    {"a", "*", false},
    {"a", "#", false},
    {"*", "#", true},
    {"#", "#.*", true},
    {"a.b", "a.B", false},
};

#define INT8(n) "{'$type': 'int8', 'value': " #n "}"
#define BYTES(text) "{'$type': 'bytes', 'value': '" text "'}"

/* What is wanted, what is there. JSON stands here with ' for ", to be read by people. */
static const struct headers_row {
	const char *arguments, *headers;
	bool matches;
} headers_rows[] = {
    {"{}", "{}", true},
    {"{}", "{'a': 1}", true},
    {"{'x-match': 'all'}", "{}", true},
    {"{'x-match': 'any'}", "{}", false},
    {"{'x-match': 'any'}", "{'a': 1}", false},
    {"{'x-match': 'any-with-x'}", "{'a': 1}", false},
    {"{'x-match': 'any-with-x'}", "{'x-match': 'any-with-x'}", false},
    {"{'a': 1}", "{'a': 1, 'b': 2}", true},
    {"{'a': 1}", "{'A': 1}", false},
    {"{'a': 1, 'b': 2}", "{'a': 1}", false},
    {"{'x-match': 'all', 'a': 1, 'b': 2}", "{'b': 2, 'a': 1}", true},
    {"{'x-match': 'any', 'a': 1, 'b': 2}", "{'b': 2}", true},
    {"{'x-match': 'any', 'a': 1, 'b': 2}", "{'b': 3, 'c': 1}", false},
    /* existence */
    {"{'a': null}", "{'a': 'anything'}", true},
    {"{'a': null}", "{'a': null}", true},
    {"{'a': null}", "{'b': null}", false},
    {"{'a': 1}", "{'a': null}", false},
    {"{'x-match': 'any', 'a': null, 'b': 1}", "{'a': 7}", true},
    /* x- */
    {"{'x-a': 1}", "{}", true},
    {"{'x-': 1}", "{}", true},
    {"{'x-match': 'any', 'x-a': 1}", "{'x-a': 1}", false},
    {"{'x-match': 'all-with-x', 'x-a': 1}", "{}", false},
    {"{'x-match': 'all-with-x', 'x-a': 1}", "{'x-a': 1}", true},
    {"{'x-match': 'any-with-x', 'x-a': 1}", "{'x-a': 1}", true},
    {"{'X-a': 1}", "{}", false},
    /* values */
    {"{'a': 1}", "{'a': '1'}", false},
    {"{'a': true}", "{'a': 'true'}", false},
    {"{'a': true}", "{'a': 1}", false},
    {"{'a': 1}", "{'a': " INT8(1) "}", true},
    {"{'a': 1}", "{'a': 1.0}", true},
    {"{'a': 1}", "{'a': 1.5}", false},
    {"{'a': -1}", "{'a': " INT8(-1) "}", true},
    {"{'a': 255}", "{'a': " INT8(-1) "}", false},
    {"{'a': -1}", "{'a': {'$type': 'uint64', 'value': '18446744073709551615'}}", true},
    {"{'a': 5}", "{'a': {'$type': 'timestamp', 'value': 5}}", true},
    {"{'a': 0.1}", "{'a': {'$type': 'float', 'value': 0.1}}", false},
    {"{'a': 0.5}", "{'a': {'$type': 'float', 'value': 0.5}}", true},
    {"{'a': 0}", "{'a': -0.0}", true},
    {"{'a': 9007199254740993}", "{'a': 9007199254740992.0}", false},
    {"{'a': 9007199254740992}", "{'a': 9007199254740992.0}", true},
    {"{'a': 1e300}", "{'a': 1e300}", true},
    {"{'a': 9223372036854775807}", "{'a': 9223372036854775808.0}", false},
    {"{'a': -9223372036854775808}", "{'a': -9223372036854775808.0}", true},
    {"{'a': true}", "{'a': {'$type': 'bool', 'value': 2}}", true},
    {"{'a': 'a'}", "{'a': " BYTES("YQ==") "}", true},
    {"{'a': ''}", "{'a': []}", false},
    {"{'a': {'$type': 'decimal', 'scale': 1, 'value': 10}}",
	"{'a': {'$type': 'decimal', 'scale': 0, 'value': 1}}", false},
    {"{'a': 1}", "{'a': {'$type': 'decimal', 'scale': 0, 'value': 1}}", false},
    /* lists and tables */
    {"{'a': [1, 'b']}", "{'a': [1, 'b']}", true},
    {"{'a': [1]}", "{'a': [1, 2]}", false},
    {"{'a': [1]}", "{'a': [" INT8(1) "]}", false},
    {"{'a': [1]}", "{'a': [{'$type': 'uint64', 'value': 1}]}", true},
    {"{'a': [1]}", "{'a': [1.0]}", false},
    {"{'a': ['a']}", "{'a': [" BYTES("YQ==") "]}", false},
    {"{'a': [null]}", "{'a': [1]}", false},
    {"{'a': []}", "{'a': {}}", true},
    {"{'a': [1]}", "{'a': {'1': 1}}", false},
    {"{'a': [[]]}", "{'a': [{}]}", false},
    {"{'a': {'k': 1, 'l': 2}}", "{'a': {'k': 1, 'l': 2}}", true},
    {"{'a': {'k': 1, 'l': 2}}", "{'a': {'l': 2, 'k': 1}}", false},
    {"{'a': {'k': [{'l': true}]}}", "{'a': {'k': [{'l': true}]}}", true},
    {"{'a': {'k': [{'l': true}]}}", "{'a': {'k': [{'l': false}]}}", false},
    /* doubled: the first meets the first */
    {"{'a': 2}", "{'$type': 'table', 'entries': [['a', 1], ['a', 2]]}", false},
    {"{'a': 1}", "{'$type': 'table', 'entries': [['a', 1], ['a', 2]]}", true},
};

/* NULL when it is not JSON. */
static inline json_t *routing_rows_parse(const char *text)
{
	char *copy = mem_strdup(text);
	for (char *c = copy; *c != '\0'; c++)
		if (*c == '\'')
			*c = '"';
	json_t *json = json_loads(copy, 0, NULL);
	free(copy);
	return json;
}

#endif
