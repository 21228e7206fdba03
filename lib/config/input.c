#include "config/input.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES 65536

static bool is_standard_input(const char *path)
{
	return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdin") == 0;
}

/* Like read(), but waits when there is nothing yet. */
static ssize_t read_some(int fd, char *to, size_t size)
{
	for (;;) {
		ssize_t n = read(fd, to, size);
		if (n >= 0 || (errno != EINTR && errno != EAGAIN))
			return n;
		struct pollfd waiting = {.fd = fd, .events = POLLIN};
		(void)poll(&waiting, 1, -1); /* the next read tells what is the matter */
	}
}

/* 0, or the errno of the failure. Stops one byte beyond the limit. */
static int read_all(int fd, size_t max_bytes, struct buf *out)
{
	size_t first = out->len;
	while (out->len - first <= max_bytes) {
		size_t room = max_bytes + 1 - (out->len - first);
		room = room < CHUNK_BYTES ? room : CHUNK_BYTES;
		ssize_t n = read_some(fd, buf_reserve(out, room), room);
		if (n < 0)
			return errno;
		if (n == 0)
			break;
		out->len += (size_t)n;
	}
	buf_append(out, (struct slice){0}); /* closes it with NUL */
	return 0;
}

static bool read_kind(
    int fd, const char *name, mode_t kind, size_t max_bytes, struct buf *out, struct error *err)
{
	bool standard = fd == STDIN_FILENO;
	if (!S_ISREG(kind) && !S_ISFIFO(kind) && !standard)
		return error_set(err, ERROR_NO_INPUT, "cannot read '%s': %s", name,
		    S_ISDIR(kind) ? strerror(EISDIR) : "it is neither a file nor a pipe");
	int code = read_all(fd, max_bytes, out);
	if (code != 0)
		return error_set(err, ERROR_NO_INPUT, "cannot read '%s': %s", name, strerror(code));
	return true;
}

static bool read_named(const char *path, const char *name, size_t max_bytes, struct buf *out,
    bool *is_file, struct error *err)
{
	bool standard = is_standard_input(path);
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set(
		    err, ERROR_NO_INPUT, "cannot open '%s': %s", name, strerror(errno));
	size_t before = out->len;
	struct stat status = {0};
	bool done = false;
	if (fstat(fd, &status) != 0)
		error_set(err, ERROR_NO_INPUT, "cannot read '%s': %s", name, strerror(errno));
	else
		done = read_kind(fd, name, status.st_mode, max_bytes, out, err);
	if (done && out->len - before > max_bytes)
		done = error_set(
		    err, ERROR_SETTINGS, "'%s' is larger than %zu bytes", name, max_bytes);
	if (done && out->len == before && S_ISFIFO(status.st_mode))
		done =
		    error_set(err, ERROR_NO_INPUT, "cannot read '%s': the pipe gave nothing", name);
	if (!standard)
		(void)close(fd); /* only read from */
	if (!done)
		out->len = before;
	else
		*is_file = S_ISREG(status.st_mode);
	return done;
}

bool input_read(
    const char *path, size_t max_bytes, struct buf *out, bool *is_file, struct error *err)
{
	char *name = text_quote(slice_str(path));
	bool done = read_named(path, name, max_bytes, out, is_file, err);
	free(name);
	return done;
}
