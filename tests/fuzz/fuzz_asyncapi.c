/* fuzz_asyncapi.c - a text as an AsyncAPI document: what is made of it is written as YAML that is
 * read again to the same. */
#include "app/asyncapi_import.h"
#include "config/emit.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore_note(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

/* As a file it would come back. */
static void check_text(const json_t *settings)
{
	struct buf text = {0};
	struct problems problems = {0};
	struct error err = {0};
	if (!emit_yaml(settings, &text, &err))
		fail(err.text);
	struct document *back = document_parse("settings", buf_slice(&text), &problems, &err);
	if (back == NULL || !json_equal(document_root(back), settings))
		fail(err.text);
	document_free(back);
	problems_release(&problems);
	buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct asyncapi_import how = {.folder = "contracts", .note = ignore_note};
	struct problems problems = {0};
	struct error err = {0};
	json_t *contracts = NULL;
	struct slice text = {(const char *)data, size};
	struct document *document = document_parse_plain("fuzz", text, &problems, &err);
	if (document != NULL) {
		json_t *settings = asyncapi_import(document, &how, &contracts, &err);
		if (settings == NULL && err.kind == ERROR_NONE)
			fail("refused without a reason");
		if (settings != NULL)
			check_text(settings);
		json_decref(settings);
		json_decref(contracts);
	}
	document_free(document);
	problems_release(&problems);
	return 0;
}
