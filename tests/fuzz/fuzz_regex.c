/* fuzz_regex.c - up to the first NUL a pattern of ECMA-262, behind it a text: translated or
 * refused, and matched within the limits that schema_regex sets. */
#include "schema/schema_private.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *end = size > 0 ? memchr(text, '\0', size) : NULL;
	size_t len = end != NULL ? (size_t)(end - text) : size;
	struct slice pattern = {text, len}, subject = {text + len, size - len};
	struct error err = {0};
	struct schema_regex *regex = schema_regex_create(pattern, &err);
	struct schema_matcher *scratch = NULL;
	if ((regex == NULL) != (err.kind != ERROR_NONE))
		abort();
	if (regex != NULL) {
		enum schema_match first = schema_regex_match(regex, &scratch, subject);
		if (schema_regex_match(regex, &scratch, subject) != first)
			abort();
	}
	schema_regex_free_matcher(scratch);
	schema_regex_free(regex);
	return 0;
}
