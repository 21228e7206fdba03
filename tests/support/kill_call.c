/*
 * kill_call - ends a program, as kill -9 does, before it does something that others can see.
 * Preloaded into it:
 *
 *   LD_PRELOAD=kill_call.so KILL_CALL_AFTER="waiting for" KILL_CALL=3 program ...
 *
 * Once the program has written that text to standard error, its calls of send, write, pwrite, fsync
 * and fdatasync, but those to standard output and error, are counted, and it is killed before the
 * third; with KILL_CALL_COUNT=FILE their number is written there when it ends by itself.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned long calls;
static int counts;

static void count(int fd)
{
	const char *at = getenv("KILL_CALL");
	if (!counts || fd == STDOUT_FILENO || fd == STDERR_FILENO)
		return;
	if (++calls == (at != NULL ? strtoul(at, NULL, 10) : 0))
		kill(getpid(), SIGKILL);
}

static void listen_for_start(const void *bytes, size_t len)
{
	const char *text = getenv("KILL_CALL_AFTER");
	if (text != NULL && memmem(bytes, len, text, strlen(text)) != NULL)
		counts = 1;
}

/* ISO C has no cast from an object's address to a function's: the bytes are the same. */
#define FORWARD(type, name, ...)                                   \
	static type(*real) PARAMETERS_##name;                      \
	if (real == NULL)                                          \
		*(void **)(void *)&real = dlsym(RTLD_NEXT, #name); \
	return real(__VA_ARGS__)

#define PARAMETERS_fwrite (const void *, size_t, size_t, FILE *)
#define PARAMETERS_send (int, const void *, size_t, int)
#define PARAMETERS_write (int, const void *, size_t)
#define PARAMETERS_pwrite (int, const void *, size_t, off_t)
#define PARAMETERS_pwrite64 (int, const void *, size_t, off64_t)
#define PARAMETERS_fsync (int)
#define PARAMETERS_fdatasync (int)

size_t fwrite(const void *bytes, size_t size, size_t many, FILE *file)
{
	if (file == stderr)
		listen_for_start(bytes, size * many);
	FORWARD(size_t, fwrite, bytes, size, many, file);
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
	count(fd);
	FORWARD(ssize_t, send, fd, bytes, len, flags);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	count(fd);
	FORWARD(ssize_t, write, fd, bytes, len);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	count(fd);
	FORWARD(ssize_t, pwrite, fd, bytes, len, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	count(fd);
	FORWARD(ssize_t, pwrite64, fd, bytes, len, at);
}

int fsync(int fd)
{
	count(fd);
	FORWARD(int, fsync, fd);
}

int fdatasync(int fd)
{
	count(fd);
	FORWARD(int, fdatasync, fd);
}

__attribute__((destructor)) static void report(void)
{
	const char *path = getenv("KILL_CALL_COUNT");
	FILE *file = path != NULL && counts ? fopen(path, "w") : NULL;
	if (file == NULL)
		return;
	fprintf(file, "%lu\n", calls);
	fclose(file);
}
