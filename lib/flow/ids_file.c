#include "flow/ids_file.h"

#include "base/mem.h"
#include "base/text.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "warren-ids\r\n\x1a\n\0"
#define VERSION 1
#define MOST_OPENINGS 10 /* while another process renames what we open */
#define COPY_RECORDS 4096

struct header {
	char magic[16];
	uint32_t version, record_bytes; /* little endian */
	unsigned char key[SIPHASH_KEY_BYTES];
	char rest[24];
};

struct record {
	uint64_t low, high; /* little endian */
};

_Static_assert(
    sizeof(struct header) == 64 && sizeof(struct record) == 16 && sizeof(struct siphash) == 16,
    "as the file has them");

struct ids_file {
	char *path, *name; /* the name is printable */
	int fd;
	size_t window;
	uint64_t count; /* records in the file */
	struct header header;
};

static off_t place_of(uint64_t record)
{
	return (off_t)(sizeof(struct header) + record * sizeof(struct record));
}

static bool fail(const struct ids_file *file, const char *what, struct error *err)
{
	return error_set(err, ERROR_IO, "cannot %s '%s': %s", what, file->name, strerror(errno));
}

/* ---- bytes ---- */

static bool write_whole(
    const struct ids_file *file, int fd, const void *bytes, size_t len, off_t at, struct error *err)
{
	ssize_t written = pwrite(fd, bytes, len, at);
	if (written == (ssize_t)len)
		return true;
	if (written >= 0) /* the disk is full: the next write says so */
		errno = ENOSPC;
	fail(file, "write", err);
	IGNORE_RESULT(ftruncate(fd, at)); /* or else the next opening cuts it */
	return false;
}

static bool read_whole(
    const struct ids_file *file, void *out, size_t len, off_t at, struct error *err)
{
	ssize_t got = pread(file->fd, out, len, at);
	if (got == (ssize_t)len)
		return true;
	if (got >= 0)
		errno = EIO;
	return fail(file, "read", err);
}

/* ---- opening ---- */

static bool lock(const struct ids_file *file, int fd, struct error *err)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		return error_set(err, ERROR_IO, "'%s' is in use by another process", file->name);
	return fail(file, "lock", err);
}

/* Whether the path still leads to what we have opened. */
static bool is_current(const struct ids_file *file)
{
	struct stat opened, found;
	return fstat(file->fd, &opened) == 0 && lstat(file->path, &found) == 0 &&
	       opened.st_dev == found.st_dev && opened.st_ino == found.st_ino;
}

static bool open_locked(struct ids_file *file, struct error *err)
{
	for (int i = 0; i < MOST_OPENINGS; i++) {
		file->fd = open(file->path,
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
		if (file->fd < 0)
			return fail(file, "open", err);
		if (!lock(file, file->fd, err))
			return false;
		if (is_current(file))
			return true;
		close(file->fd);
		file->fd = -1;
	}
	return error_set(err, ERROR_IO, "'%s' is in use by another process", file->name);
}

static bool begin(struct ids_file *file, struct error *err)
{
	struct header *h = &file->header;
	memcpy(h->magic, MAGIC, sizeof h->magic);
	h->version = htole32(VERSION);
	h->record_bytes = htole32(sizeof(struct record));
	if (getrandom(h->key, sizeof h->key, 0) != (ssize_t)sizeof h->key)
		return error_set(err, ERROR_IO, "cannot get random bytes: %s", strerror(errno));
	return write_whole(file, file->fd, h, sizeof *h, 0, err);
}

static bool check_header(const struct ids_file *file, struct error *err)
{
	const struct header *h = &file->header;
	if (memcmp(h->magic, MAGIC, sizeof h->magic) != 0)
		return error_set(err, ERROR_DATA,
		    "'%s' is not a file of ids that warren made; name another one", file->name);
	if (le32toh(h->version) != VERSION || le32toh(h->record_bytes) != sizeof(struct record))
		return error_set(err, ERROR_DATA,
		    "'%s' has version %u, this program knows version %d", file->name,
		    le32toh(h->version), VERSION);
	return true;
}

static bool examine(struct ids_file *file, struct error *err)
{
	struct stat st;
	if (fstat(file->fd, &st) != 0)
		return fail(file, "look at", err);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_DATA, "'%s' is not a regular file", file->name);
	if (st.st_size == 0)
		return begin(file, err);
	uint64_t size = (uint64_t)st.st_size;
	if (size < sizeof file->header)
		return check_header(file, err); /* which is zero, so it fails */
	if (!read_whole(file, &file->header, sizeof file->header, 0, err) ||
	    !check_header(file, err))
		return false;
	file->count = (size - sizeof file->header) / sizeof(struct record);
	if (ftruncate(file->fd, place_of(file->count)) != 0)
		return fail(file, "shorten", err);
	return true;
}

/* ---- writing it anew ---- */

static bool copy_records(struct ids_file *file, int to, uint64_t count, struct error *err)
{
	struct record *records = mem_alloc(COPY_RECORDS, sizeof *records);
	bool good = true;
	for (uint64_t done = 0; good && done < count;) {
		size_t step = count - done < COPY_RECORDS ? (size_t)(count - done) : COPY_RECORDS;
		size_t len = step * sizeof *records;
		good = read_whole(file, records, len, place_of(file->count - count + done), err) &&
		       write_whole(file, to, records, len, place_of(done), err);
		done += step;
	}
	free(records);
	return good;
}

static bool write_anew(
    struct ids_file *file, const char *path, int to, uint64_t count, struct error *err)
{
	if (!lock(file, to, err) ||
	    !write_whole(file, to, &file->header, sizeof file->header, 0, err) ||
	    !copy_records(file, to, count, err))
		return false;
	/* the new file must not be emptier than the old one, whatever happens */
	if (fsync(to) != 0 || rename(path, file->path) != 0)
		return fail(file, "replace", err);
	return true;
}

static bool compact(struct ids_file *file, struct error *err)
{
	uint64_t count = file->window;
	if (file->count < 2 * count)
		return true;
	char *path = mem_printf("%s.new", file->path);
	int to = open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool good = to >= 0 ? write_anew(file, path, to, count, err) : fail(file, "replace", err);
	free(path);
	if (!good) {
		if (to >= 0)
			close(to);
		return false;
	}
	close(file->fd);
	file->fd = to;
	file->count = count;
	return true;
}

/* ---- what is used ---- */

struct ids_file *ids_file_open(const char *path, size_t window, struct error *err)
{
	struct ids_file *file = mem_alloc(1, sizeof *file);
	file->path = mem_strdup(path);
	file->name = text_quote(slice_str(path));
	file->fd = -1;
	file->window = window;
	if (open_locked(file, err) && examine(file, err) && compact(file, err))
		return file;
	ids_file_close(file);
	return NULL;
}

void ids_file_close(struct ids_file *file)
{
	if (file == NULL)
		return;
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	free(file->name);
	free(file);
}

const unsigned char *ids_file_key(const struct ids_file *file)
{
	return file->header.key;
}

bool ids_file_read(struct ids_file *file, struct siphash *out, size_t *count, struct error *err)
{
	size_t wanted = file->count < file->window ? (size_t)file->count : file->window;
	/* a siphash is a record, but for the order of its bytes */
	if (wanted > 0 &&
	    !read_whole(file, out, wanted * sizeof *out, place_of(file->count - wanted), err))
		return false;
	for (size_t i = 0; i < wanted; i++)
		out[i] = (struct siphash){le64toh(out[i].low), le64toh(out[i].high)};
	*count = wanted;
	return true;
}

bool ids_file_append(struct ids_file *file, struct siphash id, struct error *err)
{
	const struct record r = {htole64(id.low), htole64(id.high)};
	if (!write_whole(file, file->fd, &r, sizeof r, place_of(file->count), err))
		return false;
	file->count++;
	return compact(file, err);
}
