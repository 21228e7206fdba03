/* address.h - the addresses of the broker: several in one text, and what the settings say of TLS.
 */
#ifndef APP_ADDRESS_H
#define APP_ADDRESS_H

#include "broker/uri.h"
#include "model/reader.h"

/* Takes the first of several that are parted by a blank off the front of *rest. Another blank may
 * be part of a password: it stays, for uri_parse to refuse. */
struct slice address_take(struct slice *rest);

/* True when one of them is amqps. */
bool address_has_tls(const struct uri *uris, size_t count);

/* Whether it can be the address of the HTTP API: http[s]://[user[:password]@]host[:port][/prefix],
 * and nothing behind that. Fails with ERROR_SETTINGS, without the password. */
bool address_check_api(const char *url, struct error *err) MUST_CHECK;

/* Gives the amqps addresses what they do not say themselves. tls is the section (or NULL), in which
 * the reader stands; file names in it are relative to the directory. */
void address_apply_tls(
    const json_t *tls, const char *directory, struct uri *uris, size_t count, struct reader *r);

#endif
