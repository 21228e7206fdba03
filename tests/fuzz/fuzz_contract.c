/* fuzz_contract.c - lines of JSON: samples, or schemas. A schema made of samples is good, and they
 * follow it; what is called compatible lets every one of the lines pass that follows the writer's.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "schema/compat.h"
#include "schema/infer.h"
#include "schema/schema.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_LINES 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

static size_t read_lines(const uint8_t *data, size_t size, json_t *lines[MOST_LINES])
{
	size_t count = 0;
	const char *at = (const char *)data, *end = at + size;
	while (at < end && count < MOST_LINES) {
		const char *feed = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((feed != NULL ? feed : end) - at);
		json_t *json = json_loadb(at, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		if (json != NULL)
			lines[count++] = json;
		at += len + 1;
	}
	return count;
}

static void check_infer(json_t *const *lines, size_t count)
{
	struct error err = {0};
	struct infer *infer = infer_create(3);
	for (size_t i = 0; i < count; i++)
		infer_add(infer, lines[i]);
	json_t *json = infer_schema(infer);
	struct schema *schema = schema_create(json, SCHEMA_ASSERT_FORMAT, &err);
	if (schema == NULL)
		fail(err.text);
	for (size_t i = 0; i < count; i++)
		if (!schema_validate(schema, lines[i], NULL, NULL, &err) && err.kind == ERROR_NONE)
			fail("a sample breaks the schema that was made of it");
	schema_free(schema);
	json_decref(json);
	infer_free(infer);
}

static void check_pair(
    json_t *const *lines, size_t count, const struct schema *writer, const struct schema *reader)
{
	if (compat_check(lines[0], lines[1], 0, NULL, NULL) != COMPAT_YES)
		return;
	for (size_t i = 0; i < count; i++) {
		struct error err = {0};
		if (schema_validate(writer, lines[i], NULL, NULL, &err) &&
		    !schema_validate(reader, lines[i], NULL, NULL, &err) && err.kind == ERROR_NONE)
			fail("compatible, but for this one");
	}
}

static void check_compat(json_t *const *lines, size_t count)
{
	struct error err = {0};
	if (count < 2)
		return;
	struct schema *writer = schema_create(lines[0], SCHEMA_ASSERT_FORMAT, &err);
	struct schema *reader = schema_create(lines[1], SCHEMA_ASSERT_FORMAT, &err);
	if (writer != NULL && reader != NULL)
		check_pair(lines, count, writer, reader);
	schema_free(writer);
	schema_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *lines[MOST_LINES];
	size_t count = read_lines(data, size, lines);
	check_infer(lines, count);
	check_compat(lines, count);
	for (size_t i = 0; i < count; i++)
		json_decref(lines[i]);
	return 0;
}
