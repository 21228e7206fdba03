/* client.h - asks a server over HTTP or HTTPS, and turns the loop until the answer is there. */
#ifndef WEB_CLIENT_H
#define WEB_CLIENT_H

#include "base/buf.h"
#include "base/error.h"
#include "base/loop.h"

/* Borrowed until client_open returns. */
struct client_options {
	const char *url;	     /* http[s]://[user[:password]@]host[:port][/prefix] */
	const char *user, *password; /* where the URL has neither; NULL: none */
	const char *ca, *cert, *key; /* PEM files for https; NULL: the system's, none, in cert */
	bool verify_none;	     /* anybody may be the server */
	uint64_t limit_ns;	     /* for one answer; 0: none */
};

struct client;

/* Fails with ERROR_SETTINGS when it is no such URL; nothing is sent yet. The loop must outlive it.
 */
struct client *client_open(
    struct loop *loop, const struct client_options *options, struct error *err);
void client_close(struct client *c); /* harmless for NULL */

/* The URL, printable and without a password. */
const char *client_shown(const struct client *c);
/* The host that gets the user and password of the options, an IPv6 address in brackets; NULL: the
 * URL has its own, or there are none. */
const char *client_lent_to(const struct client *c);
bool client_is_tls(const struct client *c);

/*
 * GET of the URL with the path behind it ("/api/overview", encoded already). *status is that of
 * the answer, and the body is appended. Fails with ERROR_UNAVAILABLE when there is none, or a
 * signal came first; with ERROR_REFUSED when it is too long to be one.
 */
bool client_get(struct client *c, const char *path, unsigned *status, struct buf *body,
    struct error *err) MUST_CHECK;

#endif
