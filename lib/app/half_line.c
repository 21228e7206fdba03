#include "app/half_line.h"

#include "base/buf.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536

static bool fail(struct error *err, const char *what)
{
	return error_set(err, ERROR_IO, "cannot %s: %s", what, strerror(errno));
}

/* Where the last line begins: behind the last line feed of the first `size` bytes. */
static bool find_begin(int fd, off_t size, off_t *begin, struct error *err)
{
	char chunk[CHUNK];
	for (off_t end = size; end > 0;) {
		size_t length = end < CHUNK ? (size_t)end : CHUNK;
		if (pread(fd, chunk, length, end - (off_t)length) != (ssize_t)length)
			return fail(err, "read its end");
		const char *feed = memrchr(chunk, '\n', length);
		end -= (off_t)length;
		if (feed != NULL) {
			*begin = end + (feed - chunk) + 1;
			return true;
		}
	}
	*begin = 0;
	return true;
}

static bool is_json(int fd, off_t begin, size_t length)
{
	struct buf line = {0};
	char *at = buf_reserve(&line, length);
	bool good = pread(fd, at, length, begin) == (ssize_t)length;
	json_t *json = good ? json_loadb(at, length, JSON_DECODE_ANY, NULL) : NULL;
	json_decref(json);
	buf_release(&line);
	return json != NULL;
}

bool half_line_mend(int fd, uint64_t *cut, struct error *err)
{
	struct stat st;
	off_t begin = 0;
	*cut = 0;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
		return true;
	if (!find_begin(fd, st.st_size, &begin, err))
		return false;
	if (begin == st.st_size)
		return true;
	if (is_json(fd, begin, (size_t)(st.st_size - begin)))
		return write(fd, "\n", 1) == 1 || fail(err, "end its last line");
	*cut = (uint64_t)(st.st_size - begin);
	return ftruncate(fd, begin) == 0 || fail(err, "cut its half line off");
}
