/* report_of.c - test instrument: the result document on stdin as the page of bench, on stdout. */
#include "bench/report.h"

#include <stdlib.h>

int main(void)
{
	struct buf page = {0};
	json_error_t where;
	json_t *result = json_loadf(stdin, JSON_DECODE_ANY, &where);
	if (result == NULL) {
		fprintf(stderr, "report_of: line %d: %s\n", where.line, where.text);
		return EXIT_FAILURE;
	}
	report_write(result, &page);
	bool good = fwrite(page.ptr, 1, page.len, stdout) == page.len && fflush(stdout) == 0;
	json_decref(result);
	buf_release(&page);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
