#include "lab/control.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "lab/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET "control"
#define REQUEST_LIMIT_NS (250 * CHRONO_MS)
#define VERSION 1 /* of struct request and of struct error */

/* Both ends are usually the same program; where they are not, size and version tell. */
struct request {
	uint32_t version, verb, node, others;
};

/* The path of a socket may be no longer than 107 bytes, that of a folder may: so the socket is
 * named through a descriptor of the folder, which the caller closes. */
static int locate(const char *dir, struct sockaddr_un *out)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	(void)snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/" SOCKET,
	    fd); /* always short enough */
	return fd;
}

typedef int attach_fn(int fd, const struct sockaddr *address, socklen_t length);

/* A socket that is bound to, or connected with, the one of the folder; -1 with errno set. */
static int open_socket(const char *dir, attach_fn *attach)
{
	struct sockaddr_un address;
	int folder = locate(dir, &address);
	int fd = folder < 0 ? -1 : socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0 && attach(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		int cause = errno;
		close(fd);
		errno = cause;
		fd = -1;
	}
	int cause = errno;
	if (folder >= 0)
		close(folder);
	errno = cause;
	return fd;
}

int control_listen(const char *dir, struct error *err)
{
	int fd = open_socket(dir, bind);
	if (fd >= 0 && listen(fd, 16) == 0)
		return fd;
	error_set(err, ERROR_CANNOT_CREATE, "cannot listen for commands: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool is_sound(const struct request *request, size_t node_count)
{
	return request->version == VERSION && request->verb < CHANGE_VERB_COUNT &&
	       request->node < node_count && request->others >> node_count == 0;
}

void control_serve(int listener, size_t node_count, control_act_fn *act, void *ctx)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct request request = {0};
	struct error answer = {0};
	if (fd < 0)
		return;
	if (wait_one(fd, POLLIN, chrono_after(chrono_now_ns(), REQUEST_LIMIT_NS)) &&
	    recv(fd, &request, sizeof request, 0) == (ssize_t)sizeof request &&
	    is_sound(&request, node_count))
		IGNORE_RESULT(act(ctx,
		    &(struct change){.verb = (enum change_verb)request.verb,
			.node = request.node,
			.others = request.others},
		    &answer)); /* the answer says it */
	else
		error_set(&answer, ERROR_USAGE,
		    "the lab does not know this request; it was started "
		    "by another version of warren");
	ssize_t ignored = send(fd, &answer, sizeof answer, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)ignored; /* who does not wait for the answer does not want it */
	close(fd);
}

bool control_ask(
    const char *dir, const struct change *change, uint64_t deadline_ns, struct error *err)
{
	const struct request request = {.version = VERSION,
	    .verb = (uint32_t)change->verb,
	    .node = (uint32_t)change->node,
	    .others = change->others};
	struct error answer;
	int fd = open_socket(dir, connect);
	if (fd < 0)
		return error_set(err, ERROR_UNAVAILABLE,
		    "the lab takes no commands (%s): it is starting, ending, or of an older "
		    "version",
		    strerror(errno));
	bool answered =
	    send(fd, &request, sizeof request, MSG_NOSIGNAL) == (ssize_t)sizeof request &&
	    wait_one(fd, POLLIN, deadline_ns) &&
	    recv(fd, &answer, sizeof answer, 0) == (ssize_t)sizeof answer;
	close(fd);
	if (!answered)
		return error_set(err, ERROR_UNAVAILABLE, "the lab's supervisor does not answer");
	if (answer.kind == ERROR_NONE)
		return true;
	*err = answer;
	return false;
}
