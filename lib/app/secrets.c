#include "app/secrets.h"

#include "app/password.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- passwords ---- */

static bool lacks_password(const struct uri *u)
{
	return !u->has_password && !u->external;
}

static const struct uri *find_lacking(const struct settings *s)
{
	for (size_t i = 0; i < s->uri_count; i++)
		if (lacks_password(&s->uris[i]))
			return &s->uris[i];
	return NULL;
}

static char *ask(const struct uri *u, struct error *err)
{
	char *user = text_quote(slice_str(u->user)), *host = text_quote(slice_str(u->host));
	char *prompt = mem_printf("password of '%s' at %s: ", user, host);
	char *password = password_ask(prompt, err);
	free(user);
	free(host);
	free(prompt);
	return password;
}

static bool fill_passwords(
    struct settings *s, const struct secrets_options *options, struct error *err)
{
	const char *file = options->password_file ? options->password_file : s->password_file;
	const struct uri *lacking = find_lacking(s);
	if (options->password_file != NULL && strcmp(options->password_file, "-") == 0)
		return error_set(err, ERROR_USAGE,
		    "--password-file wants a file; standard input is for messages");
	if (file == NULL && !options->ask_password)
		return true;
	if (lacking == NULL) {
		if (file != s->password_file || options->ask_password)
			log_write(LOG_WARNING,
			    "%s is not used: every address has a password of its own",
			    options->ask_password ? "--ask-password" : "--password-file");
		return true;
	}
	char *password = options->ask_password ? ask(lacking, err)
					       : password_from_file(file, "password file", err);
	for (size_t i = 0; password != NULL && i < s->uri_count; i++)
		if (lacks_password(&s->uris[i]))
			uri_set_password(&s->uris[i], password);
	bool good = password != NULL;
	password_free(password);
	return good;
}

/* ---- what is not safe ---- */

static bool stands_in(struct slice text, const json_t *value)
{
	size_t len = json_string_length(value);
	return len > 0 && text.len >= len &&
	       memmem(text.ptr, text.len, json_string_value(value), len) != NULL;
}

/* Whether an address with a password stands in the file itself, not in a variable. */
static bool holds_password(const struct settings *s)
{
	struct slice text = document_text(s->document);
	const json_t *broker = json_object_get(document_root(s->document), "broker");
	const json_t *url = json_object_get(broker, "url");
	for (size_t i = 0; i < s->uri_count; i++) {
		const json_t *one = json_is_array(url) ? json_array_get(url, i) : url;
		if (s->uris[i].has_password &&
		    strcmp(s->uris[i].password, SECRETS_KNOWN_PASSWORD) != 0 &&
		    stands_in(text, one))
			return true;
	}
	char *shown = s->management != NULL ? uri_mask(slice_str(s->management)) : NULL;
	bool holds = shown != NULL && strcmp(shown, s->management) != 0 &&
		     strstr(s->management, ":" SECRETS_KNOWN_PASSWORD "@") == NULL &&
		     stands_in(text, json_object_get(broker, "management"));
	free(shown);
	return holds;
}

static const char *key_of(const struct uri *u)
{
	return u->keyfile != NULL ? u->keyfile : u->certfile;
}

static void warn_of_key(const struct settings *s, size_t index)
{
	const char *key = key_of(&s->uris[index]);
	for (size_t i = 0; i < index && key != NULL; i++)
		if (key_of(&s->uris[i]) != NULL && strcmp(key_of(&s->uris[i]), key) == 0)
			key = NULL; /* told */
	if (key != NULL)
		password_warn_exposed(key, "key");
}

static void warn(const struct settings *s, const struct secrets_options *options)
{
	if (!options->has_url && s->document != NULL && holds_password(s))
		password_warn_exposed(
		    document_name(s->document), "settings file, with a password in it,");
	for (size_t i = 0; i < s->uri_count; i++) {
		if (s->uris[i].tls && s->uris[i].verify_none)
			log_write(LOG_WARNING,
			    "NOBODY CHECKS who answers at %s (verify none): whoever it is gets the "
			    "password and every message",
			    s->uris[i].shown);
		warn_of_key(s, i);
	}
}

bool secrets_prepare(struct settings *s, const struct secrets_options *options, struct error *err)
{
	warn(s, options); /* before passwords come in that stand in no file of settings */
	return fill_passwords(s, options, err);
}
