#include "broker/uri.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "broker/uri_private.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#define MAX_BYTES 4096
#define MAX_SCHEME_BYTES 16
#define MASK "***"

/* An address cut at its separators; nothing decoded, nothing judged. */
struct parts {
	struct slice scheme; /* empty when there is no "scheme://" in front */
	struct slice user, password;
	struct slice host; /* IPv6 without its brackets */
	struct slice port;
	struct slice tail; /* all from the first '/', '?' or '#' after the host on */
	struct slice path; /* with its '/' */
	struct slice query;
	bool has_user, has_password, has_port, has_query;
	bool is_bracketed, is_broken; /* broken: '[' without its ']', or text after that */
};

struct slice uri_cut_before(struct slice s, const char *stops, struct slice *rest)
{
	size_t n = 0;
	while (n < s.len && (s.ptr[n] == '\0' || strchr(stops, s.ptr[n]) == NULL))
		n++;
	*rest = slice_from(s, n);
	return (struct slice){s.ptr, n};
}

bool uri_drop_front(struct slice *s)
{
	if (s->len == 0)
		return false;
	s->ptr++;
	s->len--;
	return true;
}

static bool has_byte(struct slice s, char c)
{
	return s.len > 0 && memchr(s.ptr, c, s.len) != NULL;
}

static bool is_scheme(struct slice s)
{
	if (s.len == 0 || s.len > MAX_SCHEME_BYTES)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char lower = (char)(s.ptr[i] | 32);
		if (!(lower >= 'a' && lower <= 'z') && !(s.ptr[i] >= '0' && s.ptr[i] <= '9'))
			return false;
	}
	return true;
}

/* The last '@' counts: one that belongs to the password must never make a part of it the host. */
static void split_user(struct slice *authority, struct parts *p)
{
	const char *at = authority->len > 0 ? memrchr(authority->ptr, '@', authority->len) : NULL;
	if (at == NULL)
		return;
	struct slice info = {authority->ptr, (size_t)(at - authority->ptr)};
	p->has_user = true;
	p->user = uri_cut_before(info, ":", &p->password);
	p->has_password = uri_drop_front(&p->password);
	authority->len -= info.len + 1;
	authority->ptr = at + 1;
}

static void split_host(struct slice s, struct parts *p)
{
	p->is_bracketed = s.len > 0 && s.ptr[0] == '[';
	if (p->is_bracketed) {
		uri_drop_front(&s);
		p->host = uri_cut_before(s, "]", &s);
		p->is_broken = !uri_drop_front(&s) || (s.len > 0 && s.ptr[0] != ':');
		p->port = s;
	} else {
		p->host = uri_cut_before(s, ":", &p->port);
	}
	p->has_port = uri_drop_front(&p->port);
}

static struct parts split(struct slice text)
{
	struct parts p = {0};
	struct slice rest;
	struct slice scheme = uri_cut_before(text, ":", &rest);
	if (!is_scheme(scheme) || rest.len < 3 || memcmp(rest.ptr, "://", 3) != 0)
		return p;
	p.scheme = scheme;
	rest.ptr += 3;
	rest.len -= 3;
	struct slice authority = uri_cut_before(rest, "/?#", &p.tail);
	split_user(&authority, &p);
	split_host(authority, &p);
	p.path = uri_cut_before(p.tail, "?#", &p.query);
	p.has_query = p.query.len > 0 && p.query.ptr[0] == '?';
	if (!uri_drop_front(&p.query) || !p.has_query)
		p.query.len = 0; /* a fragment: refused, and never shown */
	p.query = uri_cut_before(p.query, "#", &rest);
	return p;
}

static bool is_port(struct slice s, uint64_t *out)
{
	struct error ignored = {0}; /* never shown: the bytes may be those of a password */
	return num_parse_u64(s, 1, UINT16_MAX, out, &ignored);
}

/* Whether what stands where the password cannot be may be a piece of it after all, because it was
 * not percent-encoded: "user:pa/ss@host", or "user:password" with the host left out. */
static bool is_doubtful(const struct parts *p)
{
	uint64_t port;
	return p->scheme.len == 0 || p->is_broken || has_byte(p->tail, '@') ||
	       (p->port.len > 0 && !is_port(p->port, &port));
}

/* The address without its password, not yet escaped. */
static void mask(struct slice text, struct buf *out)
{
	struct parts p = split(text);
	buf_append(out, p.scheme);
	buf_append_str(out, p.scheme.len > 0 ? "://" : "");
	if (is_doubtful(&p)) {
		buf_append_str(out, MASK);
		return;
	}
	if (!p.has_password && (has_byte(p.user, '%') || has_byte(p.user, '@')))
		buf_append_str(out, MASK); /* "bob%3Asecret@": its ':' may be encoded */
	else
		buf_append(out, p.user);
	buf_append_str(out, p.has_password ? ":" MASK "@" : p.has_user ? "@" : "");
	buf_append_str(out, p.is_bracketed ? "[" : "");
	buf_append(out, p.host);
	buf_append_str(out, p.is_bracketed ? "]" : "");
	buf_append_str(out, p.has_port ? ":" : "");
	buf_append(out, p.port);
	buf_append(out, p.path);
	buf_append_str(out, p.has_query ? "?" : "");
	if (uri_takes_all_params(p.query))
		buf_append(out, p.query);
	else
		buf_append_str(out, MASK);
}

char *uri_mask(struct slice text)
{
	struct buf masked = {0}, shown = {0};
	mask(text, &masked);
	text_escape(buf_slice(&masked), SIZE_MAX, &shown);
	buf_release(&masked);
	return buf_take(&shown);
}

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	char lower = c >= 'A' && c <= 'F' ? (char)(c | 32) : c;
	const char *at = c != '\0' ? strchr(digits, lower) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

bool uri_decode(struct slice s, const char *part, char **out, struct error *err)
{
	char *text = mem_alloc(s.len + 1, 1), *end = text;
	bool good = true;
	for (size_t i = 0; good && i < s.len; i++) {
		if (s.ptr[i] != '%') {
			*end++ = s.ptr[i];
			continue;
		}
		int high = i + 2 < s.len ? hex_value(s.ptr[i + 1]) : -1;
		int low = i + 2 < s.len ? hex_value(s.ptr[i + 2]) : -1;
		if (high < 0 || low < 0)
			good = error_set(err, ERROR_SETTINGS,
			    "a '%%' in the %s is not followed by two hexadecimal digits; "
			    "write '%%' itself as %%25",
			    part);
		else if (high + low == 0)
			good =
			    error_set(err, ERROR_SETTINGS, "%%00 is not accepted in the %s", part);
		else
			*end++ = (char)(high * 16 + low);
		i += 2;
	}
	if (!good) {
		explicit_bzero(text, s.len);
		free(text);
		return false;
	}
	free(*out);
	*out = text;
	return true;
}

/* What is wrong with the text as a whole, before any part of it is looked at. */
static bool check_bytes(struct slice text, struct error *err)
{
	if (text.len > MAX_BYTES)
		return error_set(err, ERROR_SETTINGS, "longer than %d bytes", MAX_BYTES);
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == '\x7f')
			return error_set(err, ERROR_SETTINGS,
			    "a space or control character; write it percent-encoded, a space as "
			    "%%20");
	return true;
}

static bool check_separators(const struct parts *p, struct error *err)
{
	if (has_byte(p->user, '@') || has_byte(p->password, '@'))
		return error_set(err, ERROR_SETTINGS,
		    "more than one '@'; percent-encode the one in the user or password as %%40");
	if (has_byte(p->tail, '@'))
		return error_set(err, ERROR_SETTINGS,
		    "an '@' after a '%c'; percent-encode both in a user or password: '@' as %%40, "
		    "'/' as %%2f, '?' as %%3f, '#' as %%23",
		    p->tail.ptr[0]);
	if (has_byte(p->tail, '#'))
		return error_set(err, ERROR_SETTINGS,
		    "a '#', which begins nothing here; percent-encode it as %%23");
	return true;
}

static bool read_scheme(const struct parts *p, struct uri *u, struct error *err)
{
	static const struct {
		const char *name;
		bool tls;
		uint16_t port;
	} schemes[] = {{"amqp", false, 5672}, {"amqps", true, 5671}};

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		if (p->scheme.len != strlen(schemes[i].name) ||
		    strncasecmp(p->scheme.ptr, schemes[i].name, p->scheme.len) != 0)
			continue;
		u->tls = schemes[i].tls;
		u->port = schemes[i].port;
		return true;
	}
	return error_set(err, ERROR_SETTINGS,
	    "does not begin with amqp:// or amqps://, as in "
	    "amqp://user:password@host:5672/vhost");
}

static bool read_user(const struct parts *p, struct uri *u, struct error *err)
{
	struct slice user = p->has_user ? p->user : SLICE("guest");
	struct slice password = p->has_user ? p->password : SLICE("guest");
	u->has_password = p->has_password;
	return uri_decode(user, "user", &u->user, err) &&
	       uri_decode(password, "password", &u->password, err);
}

static bool is_ipv6(const char *host)
{
	char address[INET6_ADDRSTRLEN];
	unsigned char bytes[sizeof(struct in6_addr)];
	size_t len = strcspn(host, "%"); /* the zone of fe80::1%eth0 is the system's to judge */
	if (len >= sizeof address || strcmp(host + len, "%") == 0)
		return false;
	memcpy(address, host, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, bytes) == 1;
}

static bool is_host_name(const char *host)
{
	for (const char *c = host; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || strchr("\x7f/@:[]?#%\\\"<>", *c) != NULL)
			return false;
	return true;
}

static bool read_host(const struct parts *p, struct uri *u, struct error *err)
{
	if (!p->is_bracketed && has_byte(p->port, ':'))
		return error_set(err, ERROR_SETTINGS,
		    "more than one ':' after the user; an IPv6 address stands in brackets, as in "
		    "amqp://[::1]:5672");
	if (p->is_broken)
		return error_set(err, ERROR_SETTINGS,
		    "brackets that do not hold the whole host; accepted is [address] or "
		    "[address]:port");
	bool absent = p->host.len == 0 && !p->is_bracketed;
	if (!uri_decode(absent ? SLICE("localhost") : p->host, "host", &u->host, err))
		return false;
	if (p->is_bracketed && !is_ipv6(u->host))
		return error_set(err, ERROR_SETTINGS,
		    "no IPv6 address in the brackets; accepted is for example [::1]");
	if (!p->is_bracketed && !is_host_name(u->host))
		return error_set(err, ERROR_SETTINGS,
		    "a character in the host that no host name has; accepted is a name, an IPv4 "
		    "address, or an IPv6 address in brackets");
	uint64_t port = u->port;
	if (p->has_port && !is_port(p->port, &port))
		return error_set(
		    err, ERROR_SETTINGS, "the port is not a whole number from 1 to 65535");
	u->port = (uint16_t)port;
	return true;
}

static bool read_vhost(const struct parts *p, struct uri *u, struct error *err)
{
	struct slice vhost = p->path;
	uri_drop_front(&vhost);
	if (has_byte(vhost, '/'))
		return error_set(err, ERROR_SETTINGS,
		    "more than one '/' after the host; percent-encode one in the vhost as %%2f");
	return uri_decode(vhost.len > 0 ? vhost : SLICE("%2f"), "vhost", &u->vhost, err);
}

bool uri_parse(struct slice text, struct uri *out, struct error *err)
{
	struct uri u = {.heartbeat_s = UINT64_MAX};
	struct error reason = {0};
	struct parts p = split(text);
	if (check_bytes(text, &reason) && read_scheme(&p, &u, &reason) &&
	    check_separators(&p, &reason) && read_host(&p, &u, &reason) &&
	    read_user(&p, &u, &reason) && read_vhost(&p, &u, &reason) &&
	    uri_read_query(p.query, &u, &reason)) {
		u.shown = uri_mask(text);
		*out = u;
		return true;
	}
	uri_release(&u);
	struct buf masked = {0};
	mask(text, &masked);
	char *quoted = text_quote(buf_slice(&masked)); /* short, so that the reason has room */
	error_set(err, reason.kind, "address '%s': %s", quoted, reason.text);
	free(quoted);
	buf_release(&masked);
	return false;
}

static void wipe_password(const struct uri *u)
{
	if (u->password != NULL)
		explicit_bzero(u->password, strlen(u->password));
}

void uri_set_password(struct uri *u, const char *password)
{
	wipe_password(u);
	free(u->password);
	u->password = mem_strdup(password);
}

void uri_release(struct uri *u)
{
	wipe_password(u);
	char *const owned[] = {u->host, u->user, u->password, u->vhost, u->shown, u->cacertfile,
	    u->certfile, u->keyfile, u->server_name};
	for (size_t i = 0; i < ARRAY_LEN(owned); i++)
		free(owned[i]);
	*u = (struct uri){0};
}
