#include "bench/report.h"

#include "base/embed.h"

#define PLACEHOLDER "\"@RESULT@\"" /* a JSON string, so that the bare page works too */

EMBED_TEXT(report_page, "web/report.html");

/* Inside a script element only '<' begins something that the parser of HTML obeys ("</script",
 * "<!--"), and JSON has it in strings alone. */
static int append_piece(const char *piece, size_t len, void *ctx)
{
	struct buf *out = ctx;
	const char *end = piece + len, *sign;
	while ((sign = memchr(piece, '<', (size_t)(end - piece))) != NULL) {
		buf_append(out, (struct slice){piece, (size_t)(sign - piece)});
		buf_append_str(out, "\\u003c");
		piece = sign + 1;
	}
	buf_append(out, (struct slice){piece, (size_t)(end - piece)});
	return 0;
}

/* ASCII alone: U+2028, U+2029 and whatever else becomes \uXXXX. */
static void append_result(const json_t *result, struct buf *out)
{
	size_t before = out->len;
	size_t flags = JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15);
	if (json_dump_callback(result, append_piece, out, flags) != 0) {
		buf_truncate(out, before);
		buf_append_str(out, "null");
	}
}

void report_write(const json_t *result, struct buf *out)
{
	const char *hole = strstr(report_page, PLACEHOLDER);
	buf_append(out, (struct slice){report_page, (size_t)(hole - report_page)});
	append_result(result, out);
	buf_append_str(out, hole + strlen(PLACEHOLDER));
}
