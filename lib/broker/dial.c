#include "broker/dial.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/lookup.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A link on which nobody says anything is asked for after half a minute, and dead half a minute
 * later: routers and firewalls forget idle connections, and tell nobody. */
#define KEEP_IDLE_S 30
#define KEEP_INTERVAL_S 10
#define KEEP_COUNT 3

static void note_ready(void *ctx, short revents)
{
	(void)revents;
	*(bool *)ctx = true;
}

/* Waits until the socket can be written, which is when connect() has ended; returns its errno. */
static int wait_connected(struct loop *loop, int fd, uint64_t deadline_ns)
{
	bool ready = false;
	struct error err = {0};
	loop_watch(loop, fd, POLLOUT, note_ready, &ready);
	while (!ready && !loop_stop_requested(loop) && chrono_now_ns() < deadline_ns)
		if (!loop_turn(loop, deadline_ns, &err))
			break;
	loop_unwatch(loop, fd);
	int code = ready ? 0 : loop_stop_requested(loop) ? EINTR : ETIMEDOUT;
	socklen_t size = sizeof code;
	if (ready)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
	return code;
}

static void set_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
	    {IPPROTO_TCP, TCP_NODELAY, 1},
	    {SOL_SOCKET, SO_KEEPALIVE, 1},
	    {IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S},
	    {IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S},
	    {IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT},
	};
	/* a socket that refuses these works all the same */
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
		    sizeof options[i].value);
}

void dial_limit_silence(int fd, uint64_t limit_ns)
{
	uint64_t ms = limit_ns / CHRONO_MS;
	unsigned value = ms < INT_MAX ? (unsigned)ms : INT_MAX;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, sizeof value); /* as above */
}

/* Returns a connected socket, or -1 with errno set. */
static int connect_address(struct loop *loop, const struct addrinfo *a, uint64_t deadline_ns)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	set_options(fd);
	int code = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
	if (code == EINPROGRESS)
		code = wait_connected(loop, fd, deadline_ns);
	if (code == 0)
		return fd;
	close(fd);
	errno = code;
	return -1;
}

static size_t count_addresses(const struct addrinfo *a)
{
	size_t count = 0;
	for (; a != NULL; a = a->ai_next)
		count++;
	return count;
}

int dial_tcp(
    struct loop *loop, const char *host, uint16_t port, uint64_t deadline_ns, struct error *err)
{
	struct addrinfo *list = lookup_host(loop, host, port, deadline_ns, err);
	size_t left = count_addresses(list);
	int fd = -1;
	if (list == NULL)
		return -1;
	for (struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next, left--) {
		uint64_t now = chrono_now_ns();
		uint64_t share = deadline_ns > now ? (deadline_ns - now) / left : 0;
		fd = connect_address(loop, a, now + share);
	}
	if (fd < 0) {
		const char *why = strerror(errno);
		char *shown = text_quote(slice_str(host));
		error_set(err, ERROR_UNAVAILABLE, "cannot connect to %s:%u: %s", shown, port, why);
		free(shown);
	}
	freeaddrinfo(list);
	return fd;
}
