/*
 * Fuzzes schema/schema: the input up to the first NUL is a schema, the rest an instance. The first
 * byte of the instance's text chooses the flags. Whatever is in them, nothing may crash, the bare
 * verdict equals the reported one, and a "no" without error comes with a finding.
 */

#include "schema/schema.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_finding(void *ctx, const struct schema_finding *finding)
{
	size_t *bytes = ctx;
	*bytes += 1 + strlen(finding->instance) + strlen(finding->schema) + strlen(finding->text);
	*bytes += finding->property != NULL ? strlen(finding->property) : 0;
	if (finding->value == NULL || finding->expected == NULL || finding->subschema == NULL)
		abort();
}

static void judge(const struct schema *s, const json_t *instance)
{
	struct error first = {0}, second = {0};
	size_t bytes = 0;
	bool bare = schema_validate(s, instance, NULL, NULL, &first);
	bool reported = schema_validate(s, instance, read_finding, &bytes, &second);
	bool failed = first.kind != ERROR_NONE || second.kind != ERROR_NONE;
	if (!failed && (bare != reported || reported != (bytes == 0)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *end = size > 0 ? memchr(text, '\0', size) : NULL;
	size_t schema_len = end != NULL ? (size_t)(end - text) : size;
	size_t rest = end != NULL ? size - schema_len - 1 : 0;
	unsigned flags = rest > 0 && end[1] == ' ' ? SCHEMA_ASSERT_FORMAT : 0;
	struct error err = {0};
	json_t *root = json_loadb(text, schema_len, JSON_DECODE_ANY, NULL);
	json_t *instance =
	    rest > 0 ? json_loadb(end + 1, rest, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
	struct schema *s = root != NULL ? schema_create(root, flags, &err) : NULL;
	if (s != NULL && instance != NULL)
		judge(s, instance);
	schema_free(s);
	json_decref(root);
	json_decref(instance);
	return 0;
}
