#include "lab/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_BYTES 4096 /* a longer one is cut, as systemd does */

/* unix(7), autobind: without a name the kernel chooses one that nobody has, an abstract one, which
 * is gone with the socket. It begins with a zero byte, for which the variable has '@'. */
static bool bind_anywhere(struct notify *notify)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = offsetof(struct sockaddr_un, sun_path);
	if (bind(notify->fd, (struct sockaddr *)&address, length) != 0)
		return false;
	length = sizeof address;
	if (getsockname(notify->fd, (struct sockaddr *)&address, &length) != 0)
		return false;
	int digits = (int)(length - offsetof(struct sockaddr_un, sun_path)) - 1;
	(void)snprintf(notify->address, sizeof notify->address, "@%.*s", digits,
	    address.sun_path + 1); /* five digits, always short enough */
	return true;
}

bool notify_open(struct notify *notify, struct error *err)
{
	notify_close(notify);
	notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (notify->fd >= 0 && bind_anywhere(notify))
		return true;
	error_set(err, ERROR_UNAVAILABLE, "cannot listen for readiness: %s", strerror(errno));
	if (notify->fd >= 0)
		close(notify->fd);
	*notify = (struct notify){0};
	return false;
}

/* A message is a list of assignments, one a line. */
static bool says_ready(char *message)
{
	char *rest = message;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (strcmp(line, "READY=1") == 0)
			return true;
	return false;
}

bool notify_is_ready(struct notify *notify)
{
	char message[MESSAGE_BYTES];
	bool ready = false;
	for (ssize_t n; (n = recv(notify->fd, message, sizeof message - 1, 0)) >= 0;) {
		message[n] = '\0';
		ready = says_ready(message) || ready;
	}
	return ready;
}

void notify_close(struct notify *notify)
{
	if (notify->address[0] != '\0')
		close(notify->fd);
	*notify = (struct notify){0};
}
