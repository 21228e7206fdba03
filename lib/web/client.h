/*
 * client.h - asks a server over HTTP or HTTPS, and turns the loop until the answer is there; or
 * tells it something, and goes on meanwhile.
 */
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
	const char *const *headers;  /* "Name: value" of every request; ended by NULL; or NULL */
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

/* Borrowed until the callback returns. */
struct client_answer {
	unsigned status;	 /* 0: there is none */
	const char *why;	 /* printable; without a status */
	uint64_t retry_after_ns; /* what Retry-After says; 0: nothing */
	struct slice body;
};
typedef void client_answer_fn(void *ctx, const struct client_answer *answer);

/*
 * POST of a JSON text to the URL with the path behind it. Returns at once; the loop calls fn, which
 * may begin the next one: there is one at a time. The body must live until then. Not while
 * client_get is at work.
 */
bool client_post(struct client *c, const char *path, struct slice body, client_answer_fn *fn,
    void *ctx, struct error *err) MUST_CHECK;

#endif
