#include "base/skim.h"

#include "base/text.h"

/* Where the reading is; whatever takes something stands behind it afterwards, or says false. */
struct cursor {
	const char *at, *end;
	unsigned depth;
};

static char peek(const struct cursor *c)
{
	return c->at < c->end ? *c->at : '\0'; /* NUL stands nowhere in JSON */
}

static bool take(struct cursor *c, char wanted)
{
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

static void take_space(struct cursor *c)
{
	while (
	    c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r'))
		c->at++;
}

static bool take_word(struct cursor *c, struct slice word)
{
	if ((size_t)(c->end - c->at) < word.len || memcmp(c->at, word.ptr, word.len) != 0)
		return false;
	c->at += word.len;
	return true;
}

static bool take_digits(struct cursor *c)
{
	const char *first = c->at;
	while (peek(c) >= '0' && peek(c) <= '9')
		c->at++;
	return c->at > first;
}

static bool take_number(struct cursor *c)
{
	(void)take(c, '-');
	if (!take(c, '0') && !take_digits(c))
		return false;
	if (take(c, '.') && !take_digits(c))
		return false;
	if (take(c, 'e') || take(c, 'E')) {
		(void)(take(c, '+') || take(c, '-'));
		return take_digits(c);
	}
	return true;
}

static int hex_value(char c)
{
	char low = (char)(c | 0x20);
	return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* The four digits of \uXXXX; -1 when they are not there. */
static int32_t take_hex4(struct cursor *c)
{
	int32_t unit = 0;
	for (int i = 0; i < 4; i++, c->at++) {
		int digit = hex_value(peek(c));
		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

/* Behind the backslash. */
static bool take_escape(struct cursor *c)
{
	if (take(c, 'u'))
		return take_hex4(c) >= 0;
	if (peek(c) == '\0' || strchr("\"\\/bfnrt", *c->at) == NULL)
		return false;
	c->at++;
	return true;
}

/* Behind the quote that begins it, up to and with the one that ends it. */
static bool take_string(struct cursor *c)
{
	for (;;) {
		c->at += text_plain((struct slice){c->at, (size_t)(c->end - c->at)});
		if (c->at == c->end)
			return false;
		unsigned char byte = (unsigned char)*c->at++;
		if (byte == '"')
			return true;
		if (byte < 0x20 || (byte == '\\' && !take_escape(c)))
			return false;
	}
}

static bool take_value(struct cursor *c);

static bool take_array(struct cursor *c)
{
	take_space(c);
	if (take(c, ']'))
		return true;
	do {
		if (!take_value(c))
			return false;
	} while (take(c, ','));
	return take(c, ']');
}

static bool take_object(struct cursor *c)
{
	take_space(c);
	if (take(c, '}'))
		return true;
	do {
		take_space(c);
		if (!take(c, '"') || !take_string(c))
			return false;
		take_space(c);
		if (!take(c, ':') || !take_value(c))
			return false;
	} while (take(c, ','));
	return take(c, '}');
}

static bool take_nested(struct cursor *c, bool (*content)(struct cursor *))
{
	if (c->depth == SKIM_MAX_DEPTH)
		return false;
	c->at++;
	c->depth++;
	bool good = content(c);
	c->depth--;
	return good;
}

static bool take_bare_value(struct cursor *c)
{
	switch (peek(c)) {
	case '{':
		return take_nested(c, take_object);
	case '[':
		return take_nested(c, take_array);
	case '"':
		c->at++;
		return take_string(c);
	case 't':
		return take_word(c, SLICE("true"));
	case 'f':
		return take_word(c, SLICE("false"));
	case 'n':
		return take_word(c, SLICE("null"));
	default:
		return take_number(c);
	}
}

/* With the spaces around it. */
static bool take_value(struct cursor *c)
{
	take_space(c);
	bool good = take_bare_value(c);
	take_space(c);
	return good;
}

/* Of the text; from NULL, which may stand for no bytes, nothing is counted. */
static struct cursor cursor_at(struct slice text)
{
	const char *at = text.len > 0 ? text.ptr : "";
	return (struct cursor){at, at + text.len, 0};
}

bool skim_is_json(struct slice text)
{
	struct cursor c = cursor_at(text);
	return take_value(&c) && c.at == c.end;
}

static bool take_item(struct cursor *c, struct slice *value)
{
	take_space(c);
	value->ptr = c->at;
	if (!take_bare_value(c))
		return false;
	value->len = (size_t)(c->at - value->ptr);
	take_space(c);
	return true;
}

static bool take_member(struct cursor *c, struct skim_member *member)
{
	take_space(c);
	if (!take(c, '"'))
		return false;
	member->key.ptr = c->at;
	if (!take_string(c))
		return false;
	member->key.len = (size_t)(c->at - 1 - member->key.ptr);
	take_space(c);
	if (!take(c, ':'))
		return false;
	return take_item(c, &member->value);
}

/* The bracket that ends it all, and only spaces behind it. */
static bool take_end(struct cursor *c, char bracket)
{
	if (!take(c, bracket))
		return false;
	take_space(c);
	return c->at == c->end;
}

static bool take_begin(struct cursor *c, char bracket)
{
	take_space(c);
	if (!take(c, bracket))
		return false;
	take_space(c);
	return true;
}

bool skim_next(struct skim_member *member)
{
	struct cursor c = cursor_at(member->rest);
	bool is_first = member->key.ptr == NULL;
	member->is_damaged = is_first && !take_begin(&c, '{');
	c.depth = 1;
	if (member->is_damaged || take_end(&c, '}'))
		return false;
	member->is_damaged = (!is_first && !take(&c, ',')) || !take_member(&c, member);
	member->rest = (struct slice){c.at, (size_t)(c.end - c.at)};
	return !member->is_damaged;
}

bool skim_next_item(struct skim_item *item)
{
	struct cursor c = cursor_at(item->rest);
	bool is_first = item->value.ptr == NULL;
	item->is_damaged = is_first && !take_begin(&c, '[');
	c.depth = 1;
	if (item->is_damaged || take_end(&c, ']'))
		return false;
	item->is_damaged = (!is_first && !take(&c, ',')) || !take_item(&c, &item->value);
	item->rest = (struct slice){c.at, (size_t)(c.end - c.at)};
	return !item->is_damaged;
}

/* The character behind \u, of two of them when it takes a surrogate pair; -1: one is missing. */
static int32_t take_character(struct cursor *c)
{
	int32_t high = take_hex4(c);
	if (high < 0xd800 || high > 0xdfff)
		return high;
	int32_t low = high < 0xdc00 && take_word(c, SLICE("\\u")) ? take_hex4(c) : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return -1;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static bool resolve_escape(struct cursor *c, struct buf *out)
{
	static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
	char letter = *c->at++;
	const char *found = strchr(letters, letter);
	if (letter != 'u') {
		buf_append_char(out, found != NULL ? meanings[found - letters] : letter);
		return true;
	}
	int32_t character = take_character(c);
	if (character < 0)
		return false;
	text_utf8((uint32_t)character, out);
	return true;
}

bool skim_unescape(struct slice string, struct buf *out)
{
	struct cursor c = cursor_at(string);
	size_t before = out->len;
	while (c.at < c.end) {
		const char *plain = c.at, *slash = memchr(plain, '\\', (size_t)(c.end - plain));
		c.at = slash != NULL ? slash : c.end;
		buf_append(out, (struct slice){plain, (size_t)(c.at - plain)});
		if (c.at < c.end && (c.at++, !resolve_escape(&c, out))) {
			buf_truncate(out, before);
			return false;
		}
	}
	return true;
}
