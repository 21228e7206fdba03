/*
 * http.h - a few pages over HTTP, served from our loop: for Prometheus and for a browser.
 *
 * No threads. A client can do no harm by being slow, silent or loud: there is a limit on
 * connections, on what is read of a request, and on how long a connection lives; further clients
 * wait. Each connection has one request. Nothing is encrypted and nobody is asked for a password.
 */
#ifndef WEB_HTTP_H
#define WEB_HTTP_H

#include "base/buf.h"
#include "base/error.h"
#include "base/loop.h"

struct http;

#define HTTP_MAX_CONNECTIONS 32
#define HTTP_MAX_REQUEST_BYTES 16384 /* its line and headers */
/* from the connect to the last byte of the answer */
#define HTTP_MAX_LIFE_NS UINT64_C(10000000000)

/* GET and HEAD of `path` (which a query may follow) are answered with what `write` appends now. It
 * runs within a turn of the loop and must not wait. */
struct http_page {
	const char *path; /* "/metrics" */
	const char *content_type;
	void (*write)(void *ctx, struct buf *out);
	void *ctx;
};

/*
 * Listens on "127.0.0.1:9464", "[::1]:9464", "0.0.0.0:9464" (every interface), ":9464" or
 * "localhost:9464" (this machine alone); port 0 is any that is free. Other names are not looked up.
 * The pages are borrowed until http_close, which must come before loop_free. NULL on failure:
 * ERROR_USAGE for what is no such address, ERROR_UNAVAILABLE when it cannot be had (in use, not
 * ours).
 */
struct http *http_listen(struct loop *loop, const char *address, const struct http_page *pages,
    size_t count, struct error *err);
/* Cuts off who is connected. NULL is ignored; not from a page's `write`. */
void http_close(struct http *http);

uint16_t http_port(const struct http *http);
/* What it listens on, with the port that was found: "127.0.0.1:43211". Borrowed until http_close.
 */
const char *http_address(const struct http *http);

#endif
