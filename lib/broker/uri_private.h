/* uri_private.h - what the two halves of the address reader share. */
#ifndef BROKER_URI_PRIVATE_H
#define BROKER_URI_PRIVATE_H

#include "broker/uri.h"

/* The bytes before the first of `stops`; what is left, that byte included, goes to *rest. */
struct slice uri_cut_before(struct slice s, const char *stops, struct slice *rest);
/* Takes the separator off the front; false when there is none, and so nothing behind it. */
bool uri_drop_front(struct slice *s);

/* Decodes %XX into a new string. Errors name the part, never its bytes. *out is replaced and its
 * old value freed; it may hold a password, so all goes into one allocation that is never moved. */
bool uri_decode(struct slice s, const char *part, char **out, struct error *err) MUST_CHECK;

/* Reads name=value&name=value into the members of the address. */
bool uri_read_query(struct slice query, struct uri *u, struct error *err) MUST_CHECK;
/* Whether all names in it are those of parameters, so that it can be shown. */
bool uri_takes_all_params(struct slice query);

#endif
