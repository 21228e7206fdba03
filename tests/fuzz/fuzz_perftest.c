/* Any line: either settings that load, or a reason; never a control character. */
#include "bench/perftest.h"

#include "base/mem.h"
#include "config/document.h"

#include <assert.h>
#include <stdlib.h>

static void assert_is_printable(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		assert(*c == '\n' || ((unsigned char)*c >= ' ' && *c != '\x7f'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = mem_strndup((const char *)data, size);
	struct problems problems = {0};
	struct buf yaml = {0};
	struct error err = {0};
	if (perftest_translate(line, &yaml, &err)) {
		struct document *doc = document_parse("yaml", buf_slice(&yaml), &problems, &err);
		assert_is_printable(yaml.ptr);
		assert(doc != NULL);
		document_free(doc);
	} else {
		assert(err.kind == ERROR_USAGE && yaml.len == 0);
		assert_is_printable(err.text);
	}
	problems_release(&problems);
	buf_release(&yaml);
	free(line);
	return 0;
}
