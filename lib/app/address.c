#include "app/address.h"

#include "app/locate.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static bool begins_another(struct slice text)
{
	static const char *const begins[] = {" amqp://", " amqps://"};
	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (text.len > strlen(begins[i]) &&
		    memcmp(text.ptr, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

struct slice address_take(struct slice *rest)
{
	struct slice address = {rest->ptr, 0};
	while (address.len < rest->len && !begins_another(slice_from(*rest, address.len)))
		address.len++;
	*rest = slice_from(*rest, address.len < rest->len ? address.len + 1 : address.len);
	return address;
}

/* The section, read. All borrowed; NULL: not said. */
struct section {
	const char *ca, *cert, *key, *server_name;
	bool has_verify, verify_none;
};

bool address_has_tls(const struct uri *uris, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (uris[i].tls)
			return true;
	return false;
}

static struct section read_section(const json_t *tls, struct reader *r)
{
	static const char *const choices[] = {"peer", "none", NULL};
	struct section s = {0};
	size_t verify = 0;
	/* each reports itself */
	(void)reader_text(r, tls, "ca", &s.ca);
	(void)reader_text(r, tls, "cert", &s.cert);
	(void)reader_text(r, tls, "key", &s.key);
	(void)reader_text(r, tls, "server_name", &s.server_name);
	s.has_verify = reader_choice(r, tls, "verify", choices, &verify);
	s.verify_none = verify == 1;
	return s;
}

static void set_file(char **file, const char *directory, const char *name)
{
	if (*file == NULL && name != NULL)
		*file = locate_below(directory, name);
}

/* A certificate and its key go together. */
static void apply(const struct section *s, const char *directory, struct uri *uri)
{
	bool has_own = uri->certfile != NULL || uri->keyfile != NULL;
	set_file(&uri->cacertfile, directory, s->ca);
	set_file(&uri->certfile, directory, has_own ? NULL : s->cert);
	set_file(&uri->keyfile, directory, has_own ? NULL : s->key);
	if (uri->server_name == NULL && s->server_name != NULL)
		uri->server_name = mem_strdup(s->server_name);
	if (!uri->has_verify && s->has_verify)
		uri->verify_none = s->verify_none;
}

void address_apply_tls(
    const json_t *tls, const char *directory, struct uri *uris, size_t count, struct reader *r)
{
	const struct section section = read_section(tls, r);
	for (size_t i = 0; i < count; i++)
		if (uris[i].tls)
			apply(&section, directory, &uris[i]);
}

/* The host is judged when it is asked for. */
static bool has_host(const char *authority)
{
	size_t len = strcspn(authority, "/");
	const char *at = memrchr(authority, '@', len);
	const char *host = at != NULL ? at + 1 : authority;
	return host < authority + len && *host != ':';
}

bool address_check_api(const char *url, struct error *err)
{
	const char *authority = strstr(url, "://");
	bool is_http = strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
	bool has_rest = strpbrk(url, "?#") != NULL;
	if (is_http && !has_rest && has_host(authority + 3))
		return true;
	char *shown = uri_mask(slice_str(url));
	error_set(err, ERROR_SETTINGS, "'%s' is no address such as http://localhost:15672%s", shown,
	    is_http && has_rest ? ": nothing may stand behind its path" : "");
	free(shown);
	return false;
}
