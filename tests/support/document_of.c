/* document_of.c - test instrument: document_of FILE.yaml [SCHEMA.json] prints a YAML file as JSON,
 * its variables replaced; or what is wrong with it, by itself or by the schema. */
#include "base/buf.h"
#include "config/document.h"

#include <stdio.h>
#include <stdlib.h>

static bool check(
    const struct document *d, const char *path, struct problems *problems, struct error *err)
{
	json_error_t where;
	json_t *root = json_load_file(path, 0, &where);
	if (root == NULL)
		return error_set(err, ERROR_NO_INPUT, "%s:%d: %s", path, where.line, where.text);
	struct schema *schema = schema_create(root, 0, err);
	bool good = schema != NULL && document_check(d, schema, problems, err);
	schema_free(schema);
	json_decref(root);
	return good;
}

int main(int argc, char *argv[])
{
	struct problems problems = {0};
	struct error err = {0};
	struct buf out = {0};
	if (argc < 2 || argc > 3)
		return EXIT_FAILURE;
	struct document *d = document_load(argv[1], &problems, &err);
	bool good = d != NULL && (argc < 3 || check(d, argv[2], &problems, &err));
	if (good)
		good = json_dumpf(document_root(d), stdout, JSON_COMPACT) == 0 && puts("") >= 0;
	problems_write(&problems, 100, argv[1], (struct slice){0}, &out);
	if (!good)
		fprintf(stderr, "%s%s\n", out.len > 0 ? out.ptr : "", err.text);
	buf_release(&out);
	problems_release(&problems);
	document_free(d);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
