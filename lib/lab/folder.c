#include "lab/folder.h"

#include "base/mem.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK "lock"
#define MAX_DEPTH 64

static const char marker_text[] = "made by the lab of warren; 'lab down' removes this folder\n";

char *folder_default(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	if (runtime != NULL && runtime[0] == '/')
		return mem_printf("%s/warren/lab", runtime);
	return mem_printf("/tmp/warren-%u/lab", (unsigned)geteuid());
}

char *folder_absolute(const char *path)
{
	char *base = path[0] == '/' ? NULL : getcwd(NULL, 0);
	char *whole =
	    path[0] == '/' ? mem_strdup(path) : mem_printf("%s/%s", base ? base : "", path);
	free(base);
	size_t length = strlen(whole);
	while (length > 1 && whole[length - 1] == '/')
		whole[--length] = '\0';
	return whole;
}

static bool refuse(struct error *err, enum error_kind kind, const char *dir, const char *why)
{
	char *name = text_quote(slice_str(dir));
	error_set(err, kind, "cannot use '%s' for a lab: %s", name, why);
	free(name);
	return false;
}

/* Quotes stop RabbitMQ 3.10 in the middle of its start, without a word. */
static bool check_name(const char *dir, struct error *err)
{
	for (const char *c = dir; *c != '\0'; c++)
		if (*c == '\'' || *c == '"' || (unsigned char)*c < ' ' || *c == 0x7f)
			return refuse(err, ERROR_CANNOT_CREATE, dir,
			    "RabbitMQ cannot live with quotes or control characters in a path");
	return true;
}

/* A directory of this user, and no symbolic link. */
static bool check_ours(const char *dir, mode_t forbidden, struct error *err)
{
	struct stat info;
	if (lstat(dir, &info) != 0)
		return refuse(err, ERROR_CANNOT_CREATE, dir, strerror(errno));
	if (!S_ISDIR(info.st_mode))
		return refuse(err, ERROR_ACCESS, dir, "it is not a directory");
	if (info.st_uid != geteuid())
		return refuse(err, ERROR_ACCESS, dir, "it belongs to another user");
	if ((info.st_mode & forbidden) != 0)
		return refuse(err, ERROR_ACCESS, dir, "other users may write to it");
	return true;
}

/* Makes every missing directory above the last one. */
static bool make_parents(const char *dir, struct error *err)
{
	char *path = mem_strdup(dir);
	bool good = true;
	for (char *slash = strchr(path + 1, '/'); good && slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		good = mkdir(path, 0700) == 0 || errno == EEXIST || access(path, F_OK) == 0 ||
		       refuse(err, ERROR_CANNOT_CREATE, path, strerror(errno));
		*slash = '/';
	}
	free(path);
	return good;
}

static bool check_default_parent(const char *dir, struct error *err)
{
	char *standard = folder_default();
	bool good = true;
	if (strcmp(dir, standard) == 0) {
		*strrchr(standard, '/') = '\0';
		good = check_ours(standard, S_IWGRP | S_IWOTH, err);
	}
	free(standard);
	return good;
}

static bool is_empty(const char *dir)
{
	DIR *stream = opendir(dir);
	if (stream == NULL)
		return false;
	bool empty = true;
	for (struct dirent *entry; empty && (entry = readdir(stream)) != NULL;)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	closedir(stream);
	return empty;
}

bool folder_is_lab(const char *dir)
{
	char *path = mem_printf("%s/%s", dir, FOLDER_MARKER);
	struct stat info;
	bool found = lstat(path, &info) == 0 && S_ISREG(info.st_mode);
	free(path);
	return found;
}

static bool mark(const char *dir, struct error *err)
{
	char *path = mem_printf("%s/%s", dir, FOLDER_MARKER);
	int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	ssize_t length = fd < 0 ? -1 : write(fd, marker_text, sizeof marker_text - 1);
	bool good = length == (ssize_t)sizeof marker_text - 1 ||
		    refuse(err, ERROR_CANNOT_CREATE, dir, strerror(errno));
	if (fd >= 0)
		close(fd);
	free(path);
	return good;
}

bool folder_create(const char *dir, struct error *err)
{
	if (!check_name(dir, err) || !make_parents(dir, err) || !check_default_parent(dir, err))
		return false;
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return refuse(err, ERROR_CANNOT_CREATE, dir, strerror(errno));
	if (!check_ours(dir, 0, err))
		return false;
	if (!folder_is_lab(dir) && !is_empty(dir))
		return refuse(err, ERROR_CANNOT_CREATE, dir,
		    "it is not empty and no lab's folder; name another one with --dir");
	if (chmod(dir, 0700) != 0)
		return refuse(err, ERROR_CANNOT_CREATE, dir, strerror(errno));
	return mark(dir, err);
}

static int open_lock(const char *dir, int flags)
{
	char *path = mem_printf("%s/%s", dir, LOCK);
	int fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
	int saved = errno;
	free(path);
	errno = saved;
	return fd;
}

/* Whether the path still leads to the open file: another process may have removed the folder
 * between our open and our lock. */
static bool is_current(const char *dir, int fd)
{
	struct stat ours, there;
	char *path = mem_printf("%s/%s", dir, LOCK);
	bool same = fstat(fd, &ours) == 0 && lstat(path, &there) == 0 &&
		    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
	free(path);
	return same;
}

bool folder_lock(const char *dir, int *out_fd, struct error *err)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open_lock(dir, O_RDWR | O_CREAT);
	if (fd < 0)
		return refuse(err, ERROR_CANNOT_CREATE, dir, strerror(errno));
	if (fcntl(fd, F_SETLK, &whole) == 0) {
		if (is_current(dir, fd)) {
			*out_fd = fd;
			return true;
		}
		close(fd);
		return refuse(err, ERROR_CANNOT_CREATE, dir, "it was removed at this moment");
	}
	int cause = errno;
	close(fd);
	if (cause != EAGAIN && cause != EACCES)
		return refuse(err, ERROR_CANNOT_CREATE, dir, strerror(cause));
	*out_fd = -1;
	return true;
}

pid_t folder_holder(const char *dir)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open_lock(dir, O_RDWR);
	if (fd < 0)
		return 0;
	bool held = fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
	close(fd);
	return !held ? 0 : whole.l_pid > 0 ? whole.l_pid : -1;
}

/* Removes what is in an open directory, except the names in `kept` (ends with NULL). Takes the
 * descriptor. Never follows a symbolic link. Returns 0 or the errno of the first failure. */
static int clear_at_take(int dir, const char *const kept[], int depth)
{
	DIR *stream = depth > MAX_DEPTH ? NULL : fdopendir(dir);
	if (stream == NULL) {
		close(dir);
		return ELOOP;
	}
	static const char *const nothing[] = {".", "..", NULL};
	int cause = 0;
	for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
		const char *const *name = kept;
		while (*name != NULL && strcmp(*name, entry->d_name) != 0)
			name++;
		if (*name != NULL || unlinkat(dir, entry->d_name, 0) == 0)
			continue;
		int below =
		    openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int failed = below < 0 ? errno : clear_at_take(below, nothing, depth + 1);
		if (failed == 0 && unlinkat(dir, entry->d_name, AT_REMOVEDIR) != 0)
			failed = errno;
		if (cause == 0 && failed != ENOENT)
			cause = failed;
	}
	closedir(stream);
	return cause;
}

bool folder_clear(const char *dir, struct error *err)
{
	static const char *const kept[] = {".", "..", FOLDER_MARKER, LOCK, NULL};
	/* A process that is being killed may still write: what it adds is met on the next round. */
	int cause = ENOTEMPTY;
	for (int round = 0; cause == ENOTEMPTY && round < 100; round++) {
		int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		cause = fd < 0 ? errno : clear_at_take(fd, kept, 0);
	}
	return cause == 0 || refuse(err, ERROR_IO, dir, strerror(cause));
}

bool folder_remove(const char *dir, struct error *err)
{
	if (access(dir, F_OK) != 0 && errno == ENOENT)
		return true;
	if (!check_ours(dir, 0, err))
		return false;
	if (!folder_is_lab(dir))
		return is_empty(dir) || refuse(err, ERROR_ACCESS, dir,
					    "it has no '" FOLDER_MARKER "', so it is no lab's");
	if (!folder_clear(dir, err))
		return false;
	/* The marker goes last: a removal that is interrupted can be repeated. */
	static const char *const last[] = {LOCK, FOLDER_MARKER};
	for (size_t i = 0; i < ARRAY_LEN(last); i++) {
		char *path = mem_printf("%s/%s", dir, last[i]);
		(void)unlink(path); /* rmdir tells */
		free(path);
	}
	return rmdir(dir) == 0 || refuse(err, ERROR_IO, dir, strerror(errno));
}
