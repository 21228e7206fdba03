#define PCRE2_CODE_UNIT_WIDTH 8

#include "schema/schema_private.h"

#include "base/mem.h"
#include "base/text.h"

#include <pcre2.h>
#include <stdlib.h>

#define MAX_PATTERN_BYTES 10000
#define MATCH_LIMIT 1000000 /* steps of backtracking: some ten milliseconds */
#define DEPTH_LIMIT 10000
#define HEAP_LIMIT_KIB 10000
#define JIT_STACK_MIN ((size_t)32 * 1024)
#define JIT_STACK_MAX ((size_t)1024 * 1024)

struct schema_regex {
	pcre2_code *code;
};

struct schema_matcher {
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack; /* made when the default one turns out too small */
};

/* Without PCRE2's offset: it counts in the translated pattern. */
static void report_compile(struct slice pattern, int code, struct error *err)
{
	PCRE2_UCHAR why[256];
	char *shown = text_quote(pattern);
	if (pcre2_get_error_message(code, why, sizeof why) < 0)
		why[0] = '\0';
	error_set(
	    err, ERROR_SETTINGS, "pattern '%s' does not compile: %s", shown, (const char *)why);
	free(shown);
}

static pcre2_code *compile(struct slice pattern, struct slice translated, struct error *err)
{
	int code;
	size_t offset;
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	if (context == NULL) {
		error_set(err, ERROR_INTERNAL, "cannot prepare a pattern: out of memory");
		return NULL;
	}
	(void)pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX); /* always 0 */
	pcre2_code *re = pcre2_compile((PCRE2_SPTR)translated.ptr, translated.len,
	    PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_ALLOW_EMPTY_CLASS |
		PCRE2_NEVER_BACKSLASH_C,
	    &code, &offset, context);
	pcre2_compile_context_free(context);
	if (re == NULL)
		report_compile(pattern, code, err);
	return re;
}

struct schema_regex *schema_regex_create(struct slice pattern, struct error *err)
{
	struct buf translated = {0};
	struct schema_regex *regex = NULL;
	if (pattern.len > MAX_PATTERN_BYTES) {
		error_set(
		    err, ERROR_SETTINGS, "pattern is longer than %d bytes", MAX_PATTERN_BYTES);
		return NULL;
	}
	if (schema_ecma_translate(pattern, &translated, err)) {
		pcre2_code *code = compile(pattern, buf_slice(&translated), err);
		if (code != NULL) {
			(void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* without it: slower */
			regex = mem_alloc(1, sizeof *regex);
			regex->code = code;
		}
	}
	buf_release(&translated);
	return regex;
}

void schema_regex_free(struct schema_regex *regex)
{
	if (regex == NULL)
		return;
	pcre2_code_free(regex->code);
	free(regex);
}

static struct schema_matcher *create_matcher(void)
{
	struct schema_matcher *m = mem_alloc(1, sizeof *m);
	m->data = pcre2_match_data_create(1, NULL);
	m->context = pcre2_match_context_create(NULL);
	if (m->data == NULL || m->context == NULL)
		return m;
	pcre2_set_match_limit(m->context, MATCH_LIMIT);
	pcre2_set_depth_limit(m->context, DEPTH_LIMIT);
	pcre2_set_heap_limit(m->context, HEAP_LIMIT_KIB);
	return m;
}

static int match(const struct schema_regex *regex, struct schema_matcher *m, struct slice text)
{
	const char *subject = text.len > 0 ? text.ptr : "";
	int result =
	    pcre2_match(regex->code, (PCRE2_SPTR)subject, text.len, 0, 0, m->data, m->context);
	if (result != PCRE2_ERROR_JIT_STACKLIMIT || m->stack != NULL)
		return result;
	m->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
	if (m->stack == NULL)
		return result;
	pcre2_jit_stack_assign(m->context, NULL, m->stack);
	return pcre2_match(regex->code, (PCRE2_SPTR)subject, text.len, 0, 0, m->data, m->context);
}

enum schema_match schema_regex_match(
    const struct schema_regex *regex, struct schema_matcher **scratch, struct slice text)
{
	if (*scratch == NULL)
		*scratch = create_matcher();
	if ((*scratch)->data == NULL || (*scratch)->context == NULL)
		return SCHEMA_MATCH_LIMIT;
	int result = match(regex, *scratch, text);
	if (result >= 0)
		return SCHEMA_MATCH_YES;
	/* Text that is not UTF-8 matches nothing. */
	bool is_utf_error = result <= PCRE2_ERROR_UTF8_ERR1 && result >= PCRE2_ERROR_UTF8_ERR21;
	return result == PCRE2_ERROR_NOMATCH || is_utf_error ? SCHEMA_MATCH_NO : SCHEMA_MATCH_LIMIT;
}

void schema_regex_free_matcher(struct schema_matcher *m)
{
	if (m == NULL)
		return;
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->context);
	pcre2_jit_stack_free(m->stack);
	free(m);
}
