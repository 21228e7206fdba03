#include "schema/schema_private.h"

#include "base/text.h"

/* Names and addresses: hostname, ipv4, ipv6, email, uri, iri. */

#define MAX_HOSTNAME 253
#define MAX_LABEL 63

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* Splits off what stands before the separator; the rest begins after it, or is empty. */
static struct slice take_field(struct slice *rest, char separator, bool *found)
{
	const char *end = rest->len > 0 ? memchr(rest->ptr, separator, rest->len) : NULL;
	struct slice field = {rest->ptr, end != NULL ? (size_t)(end - rest->ptr) : rest->len};
	*found = end != NULL;
	size_t used = field.len + (end != NULL);
	rest->ptr += used;
	rest->len -= used;
	return field;
}

/* ---- hosts ---- */

/* RFC 1123: letters, digits and hyphens, no hyphen at the ends. */
static bool is_label(struct slice label)
{
	if (label.len == 0 || label.len > MAX_LABEL)
		return false;
	for (size_t i = 0; i < label.len; i++) {
		bool inside = i > 0 && i + 1 < label.len;
		char c = label.ptr[i];
		if (!is_letter(c) && !is_digit(c) && !(c == '-' && inside))
			return false;
	}
	return true;
}

bool schema_format_net_is_hostname(struct slice text)
{
	if (text.len == 0 || text.len > MAX_HOSTNAME)
		return false;
	for (bool more = true; more;)
		if (!is_label(take_field(&text, '.', &more)))
			return false;
	return true;
}

/* 0 to 255, without leading zeros: they are octal to some. */
static bool is_octet(struct slice text)
{
	unsigned value = 0;
	if (text.len == 0 || text.len > 3 || (text.len > 1 && text.ptr[0] == '0'))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!is_digit(text.ptr[i]))
			return false;
		value = value * 10 + (unsigned)(text.ptr[i] - '0');
	}
	return value <= 255;
}

bool schema_format_net_is_ipv4(struct slice text)
{
	size_t octets = 0;
	for (bool more = true; more; octets++)
		if (!is_octet(take_field(&text, '.', &more)))
			return false;
	return octets == 4;
}

static bool is_group(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_hex(text.ptr[i]))
			return false;
	return text.len >= 1 && text.len <= 4;
}

/* Groups between colons; the last may be an IPv4 address, which counts twice. */
static bool count_groups(struct slice text, bool may_end_in_ipv4, size_t *count)
{
	if (text.len == 0)
		return true;
	for (bool more = true; more; ++*count) {
		struct slice group = take_field(&text, ':', &more);
		if (!more && may_end_in_ipv4 && schema_format_net_is_ipv4(group))
			++*count;
		else if (!is_group(group))
			return false;
	}
	return true;
}

/* RFC 4291 section 2.2: eight groups, or fewer around one "::". */
bool schema_format_net_is_ipv6(struct slice text)
{
	size_t before = 0, after = 0;
	const char *gap = text.len > 0 ? memmem(text.ptr, text.len, "::", 2) : NULL;
	if (gap == NULL)
		return count_groups(text, true, &before) && before == 8;
	struct slice left = {text.ptr, (size_t)(gap - text.ptr)};
	struct slice right = {gap + 2, text.len - left.len - 2};
	return count_groups(left, false, &before) && count_groups(right, true, &after) &&
	       before + after <= 7;
}

/* ---- mail ---- */

/* RFC 5321 section 4.1.2, atext; beyond ASCII when the address may be international. */
static bool is_atext(char c, bool international)
{
	return is_letter(c) || is_digit(c) || is_one_of(c, "!#$%&'*+-/=?^_`{|}~") ||
	       (international && (unsigned char)c >= 0x80);
}

static bool is_dot_atom(struct slice text, bool international)
{
	for (bool more = true; more;) {
		struct slice atom = take_field(&text, '.', &more);
		for (size_t i = 0; i < atom.len; i++)
			if (!is_atext(atom.ptr[i], international))
				return false;
		if (atom.len == 0)
			return false;
	}
	return true;
}

static bool is_quoted_string(struct slice text)
{
	if (text.len < 2 || text.ptr[0] != '"' || text.ptr[text.len - 1] != '"')
		return false;
	for (size_t i = 1; i + 1 < text.len; i++) {
		char c = text.ptr[i];
		bool escapes = c == '\\' && i + 2 < text.len;
		if ((unsigned char)c < 0x20 || c == '"' || (c == '\\' && !escapes))
			return false;
		i += escapes;
	}
	return true;
}

static bool is_address_literal(struct slice text)
{
	if (text.len < 2 || text.ptr[0] != '[' || text.ptr[text.len - 1] != ']')
		return false;
	struct slice inner = {text.ptr + 1, text.len - 2};
	if (inner.len > 5 && memcmp(inner.ptr, "IPv6:", 5) == 0)
		return schema_format_net_is_ipv6((struct slice){inner.ptr + 5, inner.len - 5});
	return schema_format_net_is_ipv4(inner);
}

static bool is_address(struct slice text, bool international)
{
	const char *at = text.len > 0 ? memrchr(text.ptr, '@', text.len) : NULL;
	if (at == NULL)
		return false;
	struct slice local = {text.ptr, (size_t)(at - text.ptr)};
	struct slice domain = {at + 1, text.len - local.len - 1};
	if (!is_dot_atom(local, international) && !is_quoted_string(local))
		return false;
	return schema_format_net_is_hostname(domain) || is_address_literal(domain) ||
	       (international && is_dot_atom(domain, true));
}

bool schema_format_net_is_email(struct slice text)
{
	return is_address(text, false);
}

bool schema_format_net_is_idn_email(struct slice text)
{
	return is_address(text, true);
}

/* ---- RFC 3986 and 3987 ---- */

/* Every byte one of the set, unreserved, percent-encoded or (in an IRI) beyond ASCII. */
static bool is_made_of(struct slice text, const char *set, bool international)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '%') {
			if (i + 2 >= text.len || !is_hex(text.ptr[i + 1]) ||
			    !is_hex(text.ptr[i + 2]))
				return false;
			i += 2;
		} else if (!is_letter(c) && !is_digit(c) && !is_one_of(c, "-._~") &&
			   !is_one_of(c, set) && !(international && (unsigned char)c >= 0x80)) {
			return false;
		}
	}
	return true;
}

#define SUB_DELIMS "!$&'()*+,;="
#define PCHAR SUB_DELIMS ":@"

static bool is_digits(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_digit(text.ptr[i]))
			return false;
	return true;
}

static bool is_ip_literal(struct slice text)
{
	bool more;
	if (text.len > 0 && (text.ptr[0] | 0x20) == 'v') {
		struct slice version = take_field(&text, '.', &more);
		return more && version.len > 1 && text.len > 0 &&
		       is_made_of(text, SUB_DELIMS ":", false);
	}
	return schema_format_net_is_ipv6(text);
}

/* [user@]host[:port] */
static bool is_authority(struct slice text, bool international)
{
	bool found;
	struct slice rest = text;
	struct slice user = take_field(&rest, '@', &found);
	if (found && !is_made_of(user, SUB_DELIMS ":", international))
		return false;
	text = found ? rest : text;
	if (text.len > 0 && text.ptr[0] == '[') {
		struct slice inner = take_field(&text, ']', &found);
		if (!found || !is_ip_literal((struct slice){inner.ptr + 1, inner.len - 1}))
			return false;
		return text.len == 0 || (text.ptr[0] == ':' &&
					    is_digits((struct slice){text.ptr + 1, text.len - 1}));
	}
	struct slice host = take_field(&text, ':', &found);
	return is_made_of(host, SUB_DELIMS, international) && is_digits(text);
}

static bool is_scheme(struct slice text)
{
	for (size_t i = 1; i < text.len; i++)
		if (!is_letter(text.ptr[i]) && !is_digit(text.ptr[i]) &&
		    !is_one_of(text.ptr[i], "+-."))
			return false;
	return text.len > 0 && is_letter(text.ptr[0]);
}

static bool is_relative_part(struct slice text, bool international)
{
	if (text.len >= 2 && text.ptr[0] == '/' && text.ptr[1] == '/') {
		bool more;
		text.ptr += 2;
		text.len -= 2;
		if (!is_authority(take_field(&text, '/', &more), international))
			return false;
	}
	return is_made_of(text, PCHAR "/", international);
}

static bool is_reference(struct slice text, bool international, bool needs_scheme)
{
	bool found;
	struct slice fragment = text;
	struct slice query = take_field(&fragment, '#', &found);
	struct slice path = take_field(&query, '?', &found);
	if (!is_made_of(fragment, PCHAR "/?", international) ||
	    !is_made_of(query, PCHAR "/?", international))
		return false;
	struct slice rest = path;
	struct slice scheme = take_field(&rest, ':', &found);
	if (found && is_scheme(scheme))
		return is_relative_part(rest, international);
	/* Without a scheme, the first segment holds no colon: it would read as one. */
	bool ambiguous = found && memchr(scheme.ptr, '/', scheme.len) == NULL;
	return !needs_scheme && !ambiguous && is_relative_part(path, international);
}

bool schema_format_net_is_uri(struct slice text)
{
	return is_reference(text, false, true);
}

bool schema_format_net_is_uri_reference(struct slice text)
{
	return is_reference(text, false, false);
}

bool schema_format_net_is_iri(struct slice text)
{
	return text_is_utf8(text) && is_reference(text, true, true);
}

bool schema_format_net_is_iri_reference(struct slice text)
{
	return text_is_utf8(text) && is_reference(text, true, false);
}
