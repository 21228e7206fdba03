/* address.h - what the settings say of TLS, brought into the addresses of the broker. */
#ifndef APP_ADDRESS_H
#define APP_ADDRESS_H

#include "broker/uri.h"
#include "model/reader.h"

/* True when one of them is amqps. */
bool address_has_tls(const struct uri *uris, size_t count);

/* Gives the amqps addresses what they do not say themselves. tls is the section (or NULL), in which
 * the reader stands; file names in it are relative to the directory. */
void address_apply_tls(
    const json_t *tls, const char *directory, struct uri *uris, size_t count, struct reader *r);

#endif
