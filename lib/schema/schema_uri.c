#include "schema/schema_uri.h"

#include "base/buf.h"

#include <stdlib.h>

/* The parts of RFC 3986 appendix B; ptr NULL: not there. */
struct uri {
	struct slice scheme, authority, path, query, fragment;
};

/* Takes what stands before the first of the stops (or all) off the text. */
static struct slice take_until(struct slice *rest, const char *stops)
{
	size_t len = 0;
	while (len < rest->len && strchr(stops, rest->ptr[len]) == NULL)
		len++;
	struct slice part = {rest->ptr, len};
	rest->ptr += len;
	rest->len -= len;
	return part;
}

static void skip(struct slice *rest, size_t count)
{
	rest->ptr += count;
	rest->len -= count;
}

static struct uri split(const char *text)
{
	struct uri u = {{0}, {0}, {0}, {0}, {0}};
	struct slice rest = slice_str(text);
	struct slice ahead = rest;
	struct slice scheme = take_until(&ahead, ":/?#");
	if (scheme.len > 0 && ahead.len > 0 && ahead.ptr[0] == ':') {
		u.scheme = scheme;
		skip(&ahead, 1);
		rest = ahead;
	}
	if (rest.len >= 2 && rest.ptr[0] == '/' && rest.ptr[1] == '/') {
		skip(&rest, 2);
		u.authority = take_until(&rest, "/?#");
	}
	u.path = take_until(&rest, "?#");
	if (rest.len > 0 && rest.ptr[0] == '?') {
		skip(&rest, 1);
		u.query = take_until(&rest, "#");
	}
	if (rest.len > 0) {
		skip(&rest, 1);
		u.fragment = rest;
	}
	return u;
}

/* Drops the last segment and the slash before it, never beyond `from`. */
static void drop_segment(struct buf *out, size_t from)
{
	while (out->len > from && out->ptr[out->len - 1] != '/')
		out->len--;
	if (out->len > from)
		out->len--;
	out->ptr[out->len] = '\0';
}

/* RFC 3986 section 5.2.4, segment by segment. */
static void append_path(struct buf *out, struct slice path)
{
	size_t from = out->len;
	(void)buf_reserve(out, path.len); /* so that out->ptr is there */
	bool leading = path.len > 0 && path.ptr[0] == '/';
	if (leading)
		skip(&path, 1);
	for (bool first = true; first || path.len > 0; first = false) {
		struct slice segment = take_until(&path, "/");
		bool more = path.len > 0;
		bool is_dots = slice_is(segment, ".") || slice_is(segment, "..");
		if (slice_is(segment, ".."))
			drop_segment(out, from);
		if (!is_dots || !more) {
			if (leading || out->len > from)
				buf_append_char(out, '/');
			buf_append(out, is_dots ? (struct slice){0} : segment);
		}
		if (!more)
			return;
		skip(&path, 1);
		if (path.len == 0 && (leading || out->len > from))
			buf_append_char(out, '/'); /* ends in one */
	}
}

/* Section 5.2.3: the reference's path in the folder of the base. */
static struct slice merge_paths(struct uri base, struct slice path, struct buf *scratch)
{
	size_t folder = base.path.len;
	while (folder > 0 && base.path.ptr[folder - 1] != '/')
		folder--;
	if (base.authority.ptr != NULL && base.path.len == 0)
		buf_append_char(scratch, '/');
	buf_append(scratch, (struct slice){base.path.ptr, folder});
	buf_append(scratch, path);
	return buf_slice(scratch);
}

static void append_uri(struct buf *out, struct uri u)
{
	if (u.scheme.ptr != NULL) {
		buf_append(out, u.scheme);
		buf_append_char(out, ':');
	}
	if (u.authority.ptr != NULL) {
		buf_append_str(out, "//");
		buf_append(out, u.authority);
	}
	append_path(out, u.path);
	if (u.query.ptr != NULL) {
		buf_append_char(out, '?');
		buf_append(out, u.query);
	}
}

char *schema_uri_resolve(const char *base_text, const char *reference)
{
	struct uri base = split(base_text), u = split(reference);
	struct buf scratch = {0}, out = {0};
	bool has_scheme = u.scheme.ptr != NULL;
	if (!has_scheme)
		u.scheme = base.scheme;
	if (!has_scheme && u.authority.ptr == NULL) {
		u.authority = base.authority;
		if (u.path.len == 0) {
			u.path = base.path;
			u.query = u.query.ptr != NULL ? u.query : base.query;
		} else if (u.path.ptr[0] != '/') {
			u.path = merge_paths(base, u.path, &scratch);
		}
	}
	append_uri(&out, u);
	buf_release(&scratch);
	return buf_take(&out);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *schema_uri_fragment(const char *reference)
{
	struct slice f = split(reference).fragment;
	struct buf out = {0};
	for (size_t i = 0; i < f.len; i++) {
		int high = i + 2 < f.len && f.ptr[i] == '%' ? hex_value(f.ptr[i + 1]) : -1;
		int low = high >= 0 ? hex_value(f.ptr[i + 2]) : -1;
		buf_append_char(&out, low >= 0 ? (char)(high * 16 + low) : f.ptr[i]);
		i += low >= 0 ? 2 : 0;
	}
	return buf_take(&out);
}
