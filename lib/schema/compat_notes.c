/* What stands in the way, and where: in the data, in the reader's schema. */
#include "schema/compat.h"

#include "base/mem.h"
#include "schema/compat_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void compat_drop_notes(struct compat_run *run, size_t from)
{
	while (run->found_count > from) {
		struct compat_found *f = &run->found[--run->found_count];
		free(f->instance);
		free(f->reader);
		free(f->text);
	}
}

/* Several cases tend to have the same to say. */
static bool is_noted(const struct compat_run *run, enum compat_verdict verdict, const char *text)
{
	const char *instance = run->instance.ptr != NULL ? run->instance.ptr : "";
	for (size_t i = 0; i < run->found_count; i++) {
		const struct compat_found *f = &run->found[i];
		if (f->verdict == verdict && strcmp(f->text, text) == 0 &&
		    strcmp(f->instance, instance) == 0)
			return true;
	}
	return false;
}

enum compat_verdict compat_note(struct compat_run *run, const struct compat_parts *writer,
    enum compat_verdict verdict, const char *keyword, const char *fmt, ...)
{
	char text[ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args); /* too long a text may be cut */
	va_end(args);
	if (writer->vague && verdict == COMPAT_NO)
		verdict = COMPAT_UNKNOWN;
	if (run->found_count == COMPAT_MAX_FINDINGS || is_noted(run, verdict, text))
		return verdict;
	run->found =
	    mem_grow(run->found, &run->found_capacity, run->found_count + 1, sizeof *run->found);
	const char *pointer = run->pointer.ptr != NULL ? run->pointer.ptr : "";
	run->found[run->found_count++] = (struct compat_found){.verdict = verdict,
	    .instance = mem_strdup(run->instance.ptr != NULL ? run->instance.ptr : ""),
	    .reader =
		keyword[0] != '\0' ? mem_printf("%s/%s", pointer, keyword) : mem_strdup(pointer),
	    .text = mem_strdup(text)};
	return verdict;
}

/* ---- where we are ---- */

/* RFC 6901. */
static void push(struct buf *pointer, const char *key)
{
	buf_append_char(pointer, '/');
	for (; *key != '\0'; key++)
		if (*key == '~' || *key == '/')
			buf_append_str(pointer, *key == '~' ? "~0" : "~1");
		else
			buf_append_char(pointer, *key);
}

enum compat_verdict compat_include_below(struct compat_run *run, const struct compat_parts *writer,
    const json_t *reader, const char *key, const char *name, const char *step)
{
	size_t instance = run->instance.len, pointer = run->pointer.len;
	push(&run->pointer, key);
	if (name != NULL)
		push(&run->pointer, name);
	if (step != NULL)
		push(&run->instance, step);
	run->level += step != NULL;
	enum compat_verdict verdict = compat_include(run, writer, reader);
	run->level -= step != NULL;
	buf_truncate(&run->instance, instance);
	buf_truncate(&run->pointer, pointer);
	return verdict;
}
