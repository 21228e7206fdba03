/* secrets.h - before anybody is connected to: the password that is kept elsewhere, and what about
 * the secrets of this run is not safe. */
#ifndef APP_SECRETS_H
#define APP_SECRETS_H

#include "app/settings.h"

#define SECRETS_KNOWN_PASSWORD "guest" /* no secret: RabbitMQ's own, for its own machine */

struct secrets_options {
	const char *password_file; /* instead of the settings'; NULL: none */
	bool ask_password;	   /* on the terminal, instead of any file */
	bool has_url;		   /* the addresses do not come from the settings */
};

/*
 * Gives each address that has no password of its own the one that the options or the settings name.
 * Warns, once each: of certificates that nobody checks; of a key, a password file, or a settings
 * file with a password in it that is open to others. Fails as password_from_file and password_ask
 * do, and with ERROR_USAGE.
 */
bool secrets_prepare(
    struct settings *s, const struct secrets_options *options, struct error *err) MUST_CHECK;

#endif
