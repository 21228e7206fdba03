#include "lab/ports.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Binds to any free port of 127.0.0.1; returns the descriptor, or -1 with errno set. */
static int bind_any(struct sockaddr_in *address)
{
	*address =
	    (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof *address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) == 0 &&
	    bind(fd, (struct sockaddr *)address, sizeof *address) == 0 &&
	    getsockname(fd, (struct sockaddr *)address, &length) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

bool ports_reserve(struct ports *ports, uint16_t *out, struct error *err)
{
	assert(ports->count < PORTS_MAX);
	struct sockaddr_in address;
	int fd = bind_any(&address);
	if (fd < 0)
		return error_set(err, ERROR_UNAVAILABLE, "cannot find a free port on 127.0.0.1: %s",
		    strerror(errno));
	ports->held[ports->count++] = fd;
	*out = ntohs(address.sin_port);
	return true;
}

void ports_release(struct ports *ports)
{
	while (ports->count > 0)
		close(ports->held[--ports->count]);
}
