#include "broker/spool_file.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FLAGS (O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
#define OPEN_ATTEMPTS 100

static bool fail(const struct spool_file *f, enum error_kind kind, const char *what, int cause,
    struct error *err)
{
	return error_set(err, kind, "cannot %s spool '%s': %s", what, f->shown, strerror(cause));
}

/* ---- opening ---- */

static bool check_kind(const struct spool_file *f, struct error *err)
{
	struct stat st;
	if (fstat(f->fd, &st) != 0)
		return fail(f, ERROR_CANNOT_CREATE, "open", errno, err);
	if (!S_ISREG(st.st_mode))
		return error_set(
		    err, ERROR_CANNOT_CREATE, "spool '%s' is not a regular file", f->shown);
	if (st.st_uid != geteuid())
		return error_set(err, ERROR_CANNOT_CREATE,
		    "spool '%s' belongs to another user (%u)", f->shown, (unsigned)st.st_uid);
	return true;
}

static bool lock(const struct spool_file *f, struct error *err)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	if (fcntl(f->fd, F_SETLK, &whole) == 0)
		return true;
	if (errno != EAGAIN && errno != EACCES)
		return fail(f, ERROR_CANNOT_CREATE, "lock", errno, err);
	if (fcntl(f->fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK && whole.l_pid > 0)
		return error_set(err, ERROR_UNAVAILABLE, "spool '%s' is in use by process %d",
		    f->shown, (int)whole.l_pid);
	return error_set(err, ERROR_UNAVAILABLE, "spool '%s' is in use", f->shown);
}

/* False when the path has come to mean another file: its holder made it anew. */
static bool is_current(const struct spool_file *f)
{
	struct stat ours, there;
	return fstat(f->fd, &ours) == 0 && lstat(f->path, &there) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

static bool open_once(struct spool_file *f, struct error *err)
{
	f->fd = open(f->path, OPEN_FLAGS | O_CREAT, 0600);
	if (f->fd < 0 && errno == ELOOP)
		return error_set(
		    err, ERROR_CANNOT_CREATE, "spool '%s' is a symbolic link", f->shown);
	if (f->fd < 0)
		return fail(f, ERROR_CANNOT_CREATE, "open", errno, err);
	return check_kind(f, err) && lock(f, err);
}

static void close_descriptor(struct spool_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

bool spool_file_open(struct spool_file *f, const char *path, struct error *err)
{
	*f = (struct spool_file){.path = mem_strdup(path),
	    .shown = text_quote(slice_str(path)),
	    .new_path = mem_printf("%s.new", path),
	    .fd = -1};
	for (int i = 0; i < OPEN_ATTEMPTS; i++) {
		if (!open_once(f, err)) {
			spool_file_close(f);
			return false;
		}
		if (is_current(f))
			return true;
		close_descriptor(f);
	}
	error_set(err, ERROR_UNAVAILABLE, "spool '%s' is replaced again and again", f->shown);
	spool_file_close(f);
	return false;
}

void spool_file_close(struct spool_file *f)
{
	close_descriptor(f);
	free(f->path);
	free(f->shown);
	free(f->new_path);
	*f = (struct spool_file){.fd = -1};
}

/* ---- bytes ---- */

bool spool_file_write(
    const struct spool_file *f, struct slice bytes, uint64_t offset, struct error *err)
{
	while (bytes.len > 0) {
		ssize_t n = pwrite(f->fd, bytes.ptr, bytes.len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(f, ERROR_IO, "write", n < 0 ? errno : ENOSPC, err);
		bytes.ptr += n;
		bytes.len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return true;
}

bool spool_file_read(
    const struct spool_file *f, char *bytes, size_t len, uint64_t offset, struct error *err)
{
	while (len > 0) {
		ssize_t n = pread(f->fd, bytes, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(f, ERROR_IO, "read", errno, err);
		if (n == 0)
			return error_set(err, ERROR_IO,
			    "spool '%s' ends at byte %llu: somebody else cut it", f->shown,
			    (unsigned long long)offset);
		bytes += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return true;
}

bool spool_file_size(const struct spool_file *f, uint64_t *out, struct error *err)
{
	struct stat st;
	if (fstat(f->fd, &st) != 0)
		return fail(f, ERROR_IO, "read", errno, err);
	*out = (uint64_t)st.st_size;
	return true;
}

bool spool_file_truncate(const struct spool_file *f, uint64_t size, struct error *err)
{
	return ftruncate(f->fd, (off_t)size) == 0 || fail(f, ERROR_IO, "cut", errno, err);
}

bool spool_file_sync(const struct spool_file *f, struct error *err)
{
	return fdatasync(f->fd) == 0 || fail(f, ERROR_IO, "sync", errno, err);
}

bool spool_file_sync_name(const struct spool_file *f, struct error *err)
{
	char *path = mem_strdup(f->path);
	int folder = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = folder >= 0 && fsync(folder) == 0;
	if (!good)
		fail(f, ERROR_IO, "sync the folder of", errno, err);
	if (folder >= 0)
		close(folder);
	free(path);
	return good;
}

/* ---- replacing ---- */

bool spool_file_create_new(const struct spool_file *f, struct spool_file *out, struct error *err)
{
	*out = (struct spool_file){.path = mem_strdup(f->new_path),
	    .shown = text_quote(slice_str(f->new_path)),
	    .fd = open(f->new_path, OPEN_FLAGS | O_CREAT | O_EXCL, 0600)};
	bool is_open = out->fd >= 0;
	if (!is_open)
		fail(out, ERROR_CANNOT_CREATE, "create", errno, err);
	if (is_open && lock(out, err))
		return true;
	if (is_open)
		spool_file_discard_new(out);
	else
		spool_file_close(out);
	return false;
}

void spool_file_discard_new(struct spool_file *made)
{
	IGNORE_RESULT(unlink(made->path) == 0); /* the next one to open the spool tries again */
	spool_file_close(made);
}

bool spool_file_replace(struct spool_file *f, struct spool_file *made, struct error *err)
{
	bool good =
	    is_current(f) || error_set(err, ERROR_IO, "spool '%s' was moved away", f->shown);
	if (good && rename(made->path, f->path) != 0)
		good = fail(f, ERROR_IO, "replace", errno, err);
	if (!good) {
		spool_file_discard_new(made);
		return false;
	}
	close_descriptor(f);
	f->fd = made->fd;
	made->fd = -1;
	spool_file_close(made);
	return true;
}

bool spool_file_restrict(const struct spool_file *f, struct error *err)
{
	return fchmod(f->fd, 0600) == 0 || fail(f, ERROR_CANNOT_CREATE, "restrict", errno, err);
}

void spool_file_remove_stale(const struct spool_file *f, struct slice magic)
{
	struct spool_file stale = {.path = f->new_path, .shown = f->new_path};
	struct error unused = {0}; /* whatever it is, it is not ours */
	char start[64];
	stale.fd = open(stale.path, OPEN_FLAGS);
	if (stale.fd < 0)
		return;
	ssize_t n = check_kind(&stale, &unused) ? pread(stale.fd, start, magic.len, 0) : -1;
	if (n >= 0 && memcmp(start, magic.ptr, (size_t)n) == 0)
		IGNORE_RESULT(
		    unlink(stale.path) == 0); /* a new one cannot be made, which is told */
	close_descriptor(&stale);
}
