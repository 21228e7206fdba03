/*
 * Fuzzes everything that reads settings: the text as a document, its first line as --set, the rest
 * of it as a .env file. clang -fsanitize=fuzzer,address,undefined; start it with
 * tests/cases/document as the corpus.
 */
#include "config/document.h"

#include "base/mem.h"
#include "base/text.h"
#include "config/variables.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold of all that is shown: no control character gets through. */
static void check_printable(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < 0x20 && text.ptr[i] != '\n' && text.ptr[i] != '\t')
			abort();
	if (!text_is_utf8(text))
		abort();
}

static void check_problems(const struct problems *p, struct slice text)
{
	struct buf out = {0};
	problems_write(p, 20, "f", text, &out);
	check_printable(buf_slice(&out));
	buf_release(&out);
}

static void fuzz_set(struct document *doc, struct slice text)
{
	const char *end = text.len > 0 ? memchr(text.ptr, '\n', text.len) : NULL;
	char *assignment = mem_strndup(
	    text.len > 0 ? text.ptr : "", end != NULL ? (size_t)(end - text.ptr) : text.len);
	struct error err = {0};
	if (!document_set(doc, "--set", assignment, &err))
		check_printable(slice_str(err.text));
	free(assignment);
}

/* Every value has a place: that of its own or of what it stands in. */
static void walk(const struct document *doc, const json_t *value, struct buf *pointer)
{
	size_t before = pointer->len, index;
	const char *key;
	json_t *below;
	struct place place = document_place(doc, pointer->ptr);
	if (place.source == NULL || (place.line == 0) != (strcmp(place.source, "f") != 0))
		abort();
	char *path = document_path(pointer->ptr);
	check_printable(slice_str(path));
	free(path);
	if (json_is_object(value))
		json_object_foreach((json_t *)value, key, below)
		{
			buf_printf(pointer, "/%s", strpbrk(key, "~/") != NULL ? "" : key);
			walk(doc, below, pointer);
			pointer->ptr[pointer->len = before] = '\0';
		}
	json_array_foreach(value, index, below)
	{
		buf_printf(pointer, "/%zu", index);
		walk(doc, below, pointer);
		pointer->ptr[pointer->len = before] = '\0';
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data, size};
	struct problems problems = {0};
	struct variables variables = {0};
	struct error err = {0};
	struct buf pointer = {0};
	struct document *doc = document_parse("f", text, &problems, &err);
	if ((doc == NULL) != (problems.count > 0))
		abort();
	check_problems(&problems, text);
	(void)variables_read(&variables, "f", text, &problems); /* its verdict is not of interest */
	check_problems(&problems, text);
	if (doc == NULL)
		doc = document_empty();
	else
		fuzz_set(doc, text);
	buf_append_str(&pointer, "");
	if (strcmp(document_name(doc), "f") == 0)
		walk(doc, document_root(doc), &pointer);
	buf_release(&pointer);
	document_free(doc);
	variables_release(&variables);
	problems_release(&problems);
	return 0;
}
