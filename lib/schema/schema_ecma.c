#include "schema/schema_private.h"

#include "base/mem.h"

#include <stdlib.h>

/*
 * ECMA-262 regular expressions (with the u flag) in the words of PCRE2. Most is common to both;
 * what is not: \p with long names, \s, \v, the dot, surrogate pairs, '[' inside a class, and
 * letters that mean something after a backslash in only one of the two.
 */

/* Unicode white space and line terminators as ECMA-262 counts them, beyond PCRE2's ASCII. */
#define SPACE "\\s\\p{Z}\\u{feff}"

static const struct category_row {
	const char *name;
	const char *code;
} categories[] = {
    {"Cased_Letter", "L&"},
    {"Close_Punctuation", "Pe"},
    {"Combining_Mark", "M"},
    {"Connector_Punctuation", "Pc"},
    {"Control", "Cc"},
    {"Currency_Symbol", "Sc"},
    {"Dash_Punctuation", "Pd"},
    {"Decimal_Number", "Nd"},
    {"Enclosing_Mark", "Me"},
    {"Final_Punctuation", "Pf"},
    {"Format", "Cf"},
    {"Initial_Punctuation", "Pi"},
    {"LC", "L&"},
    {"Letter", "L"},
    {"Letter_Number", "Nl"},
    {"Line_Separator", "Zl"},
    {"Lowercase_Letter", "Ll"},
    {"Mark", "M"},
    {"Math_Symbol", "Sm"},
    {"Modifier_Letter", "Lm"},
    {"Modifier_Symbol", "Sk"},
    {"Nonspacing_Mark", "Mn"},
    {"Number", "N"},
    {"Open_Punctuation", "Ps"},
    {"Other", "C"},
    {"Other_Letter", "Lo"},
    {"Other_Number", "No"},
    {"Other_Punctuation", "Po"},
    {"Other_Symbol", "So"},
    {"Paragraph_Separator", "Zp"},
    {"Private_Use", "Co"},
    {"Punctuation", "P"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Spacing_Mark", "Mc"},
    {"Surrogate", "Cs"},
    {"Symbol", "S"},
    {"Titlecase_Letter", "Lt"},
    {"Unassigned", "Cn"},
    {"Uppercase_Letter", "Lu"},
    {"cntrl", "Cc"},
    {"digit", "Nd"},
    {"punct", "P"},
};

struct translation {
	struct slice rest; /* what is still to be read */
	struct buf *out;
	bool in_class;
};

static void take(struct translation *t, size_t count)
{
	buf_append(t->out, (struct slice){t->rest.ptr, count});
	t->rest.ptr += count;
	t->rest.len -= count;
}

static void replace(struct translation *t, size_t count, const char *by)
{
	buf_append_str(t->out, by);
	t->rest.ptr += count;
	t->rest.len -= count;
}

static bool starts_with(struct slice s, const char *prefix)
{
	size_t len = strlen(prefix);
	return s.len >= len && memcmp(s.ptr, prefix, len) == 0;
}

/* \p{Letter}, \P{gc=Letter}: the rest stands at the backslash. */
static void translate_property(struct translation *t)
{
	static const char *const prefixes[] = {"General_Category=", "gc="};
	const char *end = memchr(t->rest.ptr, '}', t->rest.len);
	if (end == NULL || t->rest.ptr[2] != '{') {
		take(t, 2);
		return;
	}
	struct slice name = {t->rest.ptr + 3, (size_t)(end - t->rest.ptr) - 3};
	size_t whole = name.len + 4;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (!starts_with(name, prefixes[i]))
			continue;
		name.ptr += strlen(prefixes[i]);
		name.len -= strlen(prefixes[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(categories); i++)
		if (slice_is(name, categories[i].name))
			name = slice_str(categories[i].code);
	buf_printf(t->out, "\\%c{%.*s}", t->rest.ptr[1], SLICE_ARGS(name));
	replace(t, whole, "");
}

static bool read_hex4(struct slice s, const char *prefix, uint32_t *out)
{
	static const char digits[] = "0123456789abcdef";
	*out = 0;
	if (s.len < 6 || !starts_with(s, prefix))
		return false;
	for (size_t i = 2; i < 6; i++) {
		char c = s.ptr[i] >= 'A' && s.ptr[i] <= 'F' ? (char)(s.ptr[i] | 0x20) : s.ptr[i];
		const char *digit = c != '\0' ? strchr(digits, c) : NULL;
		if (digit == NULL)
			return false;
		*out = *out << 4 | (uint32_t)(digit - digits);
	}
	return true;
}

/* A surrogate pair is one character; PCRE2 refuses the halves. */
static void translate_unicode(struct translation *t)
{
	uint32_t high, low;
	struct slice second = {t->rest.ptr + 6, t->rest.len > 6 ? t->rest.len - 6 : 0};
	bool is_pair = read_hex4(t->rest, "\\u", &high) && read_hex4(second, "\\u", &low) &&
		       high >= 0xd800 && high < 0xdc00 && low >= 0xdc00 && low < 0xe000;
	if (!is_pair) {
		take(t, 2);
		return;
	}
	buf_printf(
	    t->out, "\\u{%x}", (unsigned)(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)));
	replace(t, 12, "");
}

static bool translate_escape(struct translation *t, struct error *err)
{
	static const char known[] = "bBcdDfknnrtwWxux0123456789";
	char c = t->rest.len > 1 ? t->rest.ptr[1] : '\0';
	bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	if (c == 's')
		replace(t, 2, t->in_class ? SPACE : "[" SPACE "]");
	else if (c == 'S' && !t->in_class)
		replace(t, 2, "[^" SPACE "]");
	else if (c == 'v')
		replace(t, 2, "\\x0b");
	else if ((c == 'p' || c == 'P') && t->rest.len > 2)
		translate_property(t);
	else if (c == 'u')
		translate_unicode(t);
	else if (is_letter && c != 'S' && strchr(known, c) == NULL)
		return error_set(
		    err, ERROR_SETTINGS, "pattern has '\\%c', which ECMA-262 does not know", c);
	else if (c == '\0')
		return error_set(err, ERROR_SETTINGS, "pattern ends in a backslash");
	else
		take(t, 2);
	return true;
}

/* What may stand after "(?": a group, a look, a name, or flags for a part as in (?i:...). The rest
 * of what PCRE2 offers there (recursion, conditions, callouts) is nothing to ECMA-262. */
static bool is_group_known(struct slice rest)
{
	size_t at = 2;
	while (at < rest.len && strchr("ims-", rest.ptr[at]) != NULL && rest.ptr[at] != '\0')
		at++;
	if (at >= rest.len || rest.ptr[at] == '\0')
		return false;
	return rest.ptr[at] == ':' || (at == 2 && strchr("=!<", rest.ptr[at]) != NULL);
}

bool schema_ecma_translate(struct slice pattern, struct buf *out, struct error *err)
{
	struct translation t = {pattern, out, false};
	buf_append_str(out, "");
	while (t.rest.len > 0) {
		char c = t.rest.ptr[0];
		if (c == '\\') {
			if (!translate_escape(&t, err))
				return false;
		} else if (c == '[' && t.in_class) {
			replace(&t, 1, "\\["); /* or PCRE2 sees [:alpha:] */
		} else if (c == '.' && !t.in_class) {
			replace(&t, 1, "[^\\n\\r\\u{2028}\\u{2029}]");
		} else if (!t.in_class && starts_with(t.rest, "(*")) {
			return error_set(
			    err, ERROR_SETTINGS, "pattern has '(*', nothing to repeat");
		} else if (!t.in_class && starts_with(t.rest, "(?") && !is_group_known(t.rest)) {
			return error_set(err, ERROR_SETTINGS,
			    "pattern has a kind of '(?' that ECMA-262 does not know");
		} else {
			t.in_class = c == '[' || (t.in_class && c != ']');
			take(&t, 1);
		}
	}
	return true;
}
