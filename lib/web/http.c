#include "web/http.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct http {
	struct loop *loop;
	const struct http_page *pages;
	size_t page_count;
	struct MHD_Daemon *daemon;
	int epoll; /* the daemon's; readable when it has something to do */
	uint64_t timer;
	bool has_room; /* a connection has ended in this run of the daemon */
	char *address;
	uint16_t port;
};

/* A connection: what it takes to end it. */
struct visit {
	int fd; /* the daemon's */
	uint64_t timer;
};

/* ---- the address ---- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool parse_host(struct slice host, bool is_v6, union address *out)
{
	char text[INET6_ADDRSTRLEN];
	if (!is_v6 && (host.len == 0 || slice_is(host, "localhost")))
		host = SLICE("127.0.0.1");
	if (host.len >= sizeof text)
		return false;
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	out->any.sa_family = is_v6 ? AF_INET6 : AF_INET;
	void *bytes = is_v6 ? (void *)&out->v6.sin6_addr : (void *)&out->v4.sin_addr;
	return inet_pton(out->any.sa_family, text, bytes) == 1;
}

static bool parse_address(const char *text, union address *out)
{
	struct error ignored = {0}; /* the caller says what is accepted */
	const char *colon = strrchr(text, ':');
	uint64_t port;
	if (colon == NULL || !num_parse_u64(slice_str(colon + 1), 0, UINT16_MAX, &port, &ignored))
		return false;
	struct slice host = {text, (size_t)(colon - text)};
	bool is_v6 = host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
	if (is_v6)
		host = (struct slice){host.ptr + 1, host.len - 2};
	if (!parse_host(host, is_v6, out))
		return false;
	*(is_v6 ? &out->v6.sin6_port : &out->v4.sin_port) = htons((uint16_t)port);
	return true;
}

static uint16_t port_of(const union address *a)
{
	return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

/* To free(). */
static char *show_address(const union address *a)
{
	char host[INET6_ADDRSTRLEN];
	bool is_v6 = a->any.sa_family == AF_INET6;
	const void *bytes = is_v6 ? (const void *)&a->v6.sin6_addr : (const void *)&a->v4.sin_addr;
	inet_ntop(a->any.sa_family, bytes, host, sizeof host);
	return mem_printf(is_v6 ? "[%s]:%u" : "%s:%u", host, port_of(a));
}

/* Returns a listening socket, or -1 with errno set; *address gets the port that was found. */
static int listen_on(union address *address)
{
	int on = 1,
	    fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t size = sizeof *address;
	if (fd < 0)
		return -1;
	/* what the last run has left behind is not in the way */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, &address->any, size) == 0 && listen(fd, SOMAXCONN) == 0 &&
	    getsockname(fd, &address->any, &size) == 0)
		return fd;
	int code = errno;
	close(fd);
	errno = code;
	return -1;
}

static int open_socket(const char *text, union address *address, struct error *err)
{
	if (!parse_address(text, address)) {
		char *shown = text_quote(slice_str(text));
		error_set(err, ERROR_USAGE,
		    "'%s' is not an address to listen on, such as 127.0.0.1:9464, :9464 (the "
		    "same), "
		    "[::1]:9464 or 0.0.0.0:9464 (for other machines too)",
		    shown);
		free(shown);
		return -1;
	}
	int fd = listen_on(address), code = errno;
	if (fd < 0) {
		char *shown = show_address(address);
		error_set(err, ERROR_UNAVAILABLE, "cannot listen on %s: %s", shown,
		    code == EADDRINUSE ? "the port is in use; take another, or 0 for any free one"
				       : strerror(code));
		free(shown);
	}
	return fd;
}

/* ---- answering ---- */

static enum MHD_Result respond(
    struct MHD_Connection *connection, unsigned status, const char *content_type, struct buf *body)
{
	size_t len = body->len;
	struct MHD_Response *response =
	    MHD_create_response_from_buffer(len, buf_take(body), MHD_RESPMEM_MUST_FREE);
	if (response == NULL)
		return MHD_NO; /* ends the connection */
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	enum MHD_Result result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *text)
{
	struct buf body = {0};
	buf_append_str(&body, text);
	return respond(connection, status, "text/plain; charset=utf-8", &body);
}

static const struct http_page *find_page(const struct http *http, const char *path)
{
	for (size_t i = 0; i < http->page_count; i++)
		if (strcmp(http->pages[i].path, path) == 0)
			return &http->pages[i];
	return NULL;
}

/* Called when the headers are there. An answer at this point ends the connection after it: a body
 * that a client may send is not even read. */
/* NOLINTBEGIN(readability-non-const-parameter): the library says what it looks like */
static enum MHD_Result answer(void *ctx, struct MHD_Connection *connection, const char *path,
    const char *method, const char *version, const char *upload, size_t *upload_size, void **memory)
/* NOLINTEND(readability-non-const-parameter) */
{
	(void)version, (void)upload, (void)upload_size, (void)memory;
	const struct http_page *page = find_page(ctx, path);
	struct buf body = {0};
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return refuse(
		    connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are answered\n");
	if (page == NULL)
		return refuse(connection, MHD_HTTP_NOT_FOUND, "there is no such page\n");
	page->write(page->ctx, &body);
	return respond(connection, MHD_HTTP_OK, page->content_type, &body);
}

/* ---- connections ---- */

/* Not closed, which is for the daemon to do: it sees the end of the connection. */
static void end_visit(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	struct visit *visit = ctx;
	visit->timer = 0;
	(void)shutdown(visit->fd, SHUT_RDWR); /* fails only when it has ended by itself */
}

/* The daemon itself knows limits on silence alone; who sends a byte now and then would stay. */
static void note_visit(void *ctx, struct MHD_Connection *connection, void **memory,
    enum MHD_ConnectionNotificationCode code)
{
	struct http *http = ctx;
	struct visit *visit = *memory; /* NULL at first */
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*memory = visit = mem_alloc(1, sizeof *visit);
		visit->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
				->connect_fd;
		visit->timer =
		    loop_at(http->loop, chrono_now_ns() + HTTP_MAX_LIFE_NS, end_visit, visit);
		return;
	}
	loop_cancel(http->loop, visit->timer);
	http->has_room = true;
	free(visit);
}

/* ---- the daemon in our loop ---- */

static void run(struct http *http);

static void on_ready(void *ctx, short revents)
{
	(void)revents;
	run(ctx);
}

static void on_timer(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	struct http *http = ctx;
	http->timer = 0;
	run(http);
}

/* It begins to accept again, after it had to stop, only in the run after that which made room. */
static void run(struct http *http)
{
	MHD_UNSIGNED_LONG_LONG wait_ms = 0;
	http->has_room = false;
	(void)MHD_run(http->daemon); /* fails only when epoll does */
	loop_cancel(http->loop, http->timer);
	http->timer = 0;
	if (http->has_room || MHD_get_timeout(http->daemon, &wait_ms) == MHD_YES)
		http->timer =
		    loop_at(http->loop, chrono_now_ns() + wait_ms * CHRONO_MS, on_timer, http);
}

static bool start_daemon(struct http *http, int fd, struct error *err)
{
	http->daemon =
	    MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, http, MHD_OPTION_LISTEN_SOCKET,
		fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_MAX_CONNECTIONS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_MAX_REQUEST_BYTES,
		MHD_OPTION_NOTIFY_CONNECTION, note_visit, http, MHD_OPTION_END);
	if (http->daemon == NULL)
		return error_set(
		    err, ERROR_UNAVAILABLE, "cannot start to listen on %s", http->address);
	http->epoll = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	loop_watch(http->loop, http->epoll, POLLIN, on_ready, http);
	return true;
}

struct http *http_listen(struct loop *loop, const char *address, const struct http_page *pages,
    size_t count, struct error *err)
{
	union address bound = {0};
	int fd = open_socket(address, &bound, err);
	if (fd < 0)
		return NULL;
	struct http *http = mem_alloc(1, sizeof *http);
	*http = (struct http){.loop = loop,
	    .pages = pages,
	    .page_count = count,
	    .address = show_address(&bound),
	    .port = port_of(&bound)};
	if (start_daemon(http, fd, err)) /* the socket is the daemon's, even if this fails */
		return http;
	http_close(http);
	return NULL;
}

void http_close(struct http *http)
{
	if (http == NULL)
		return;
	if (http->daemon != NULL) {
		loop_unwatch(http->loop, http->epoll);
		MHD_stop_daemon(http->daemon);
		loop_cancel(http->loop, http->timer);
	}
	free(http->address);
	free(http);
}

uint16_t http_port(const struct http *http)
{
	return http->port;
}

const char *http_address(const struct http *http)
{
	return http->address;
}
