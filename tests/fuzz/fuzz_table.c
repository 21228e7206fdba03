/* fuzz_table.c - any bytes that read as a field table survive the way to JSON and back. */
#include "base/buf.h"
#include "base/error.h"
#include "model/table.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void fail(const char *what, const char *detail)
{
	fprintf(stderr, "%s: %s\n", what, detail);
	abort();
}

static void check_way_back(struct slice table, const struct buf *json)
{
	struct error err = {0};
	struct buf again = {0};
	json_error_t where;
	json_t *tree =
	    json_loadb(json->ptr, json->len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where);
	if (tree == NULL)
		fail(where.text, json->ptr);
	bool good = table_encode(tree, &again, &err);
	/* numbers that are not finite have no way back */
	if (!good && strstr(err.text, "not a finite number") == NULL)
		fail(err.text, json->ptr);
	if (good && !slice_equal(buf_slice(&again), table))
		fail("the bytes differ", json->ptr);
	json_decref(tree);
	buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice table = {(const char *)data, size};
	struct error err = {0};
	struct buf json = {0};
	if (table_write_json(table, &json, &err))
		check_way_back(table, &json);
	buf_release(&json);
	return 0;
}
