/*
 * count_calls - counts what a program asks of the allocator and the kernel. Preloaded into it:
 *
 *   LD_PRELOAD=count_calls.so COUNT_CALLS=FILE program ...
 *
 * writes "ALLOCATIONS CALLS KIB\n" to FILE when the program ends: calls of malloc, calloc and
 * realloc; of send, recv, write and ppoll; the most memory that was resident.
 */
#include <dlfcn.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned long allocations, calls;

/* ISO C has no cast from an object's address to a function's: the bytes are the same. */
#define FORWARD(type, name, ...)                                   \
	static type(*real) PARAMETERS_##name;                      \
	if (real == NULL)                                          \
		*(void **)(void *)&real = dlsym(RTLD_NEXT, #name); \
	return real(__VA_ARGS__)

#define PARAMETERS_send (int, const void *, size_t, int)
#define PARAMETERS_recv (int, void *, size_t, int)
#define PARAMETERS_write (int, const void *, size_t)
#define PARAMETERS_ppoll (struct pollfd *, nfds_t, const struct timespec *, const sigset_t *)

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
	calls++;
	FORWARD(ssize_t, send, fd, bytes, len, flags);
}

ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
	calls++;
	FORWARD(ssize_t, recv, fd, bytes, len, flags);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	calls++;
	FORWARD(ssize_t, write, fd, bytes, len);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *limit, const sigset_t *mask)
{
	calls++;
	FORWARD(int, ppoll, fds, count, limit, mask);
}

/* glibc's own names, for dlsym allocates. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	allocations++;
	return __libc_realloc(old, size);
}

__attribute__((destructor)) static void report(void)
{
	const char *path = getenv("COUNT_CALLS");
	unsigned long counted[] = {allocations, calls};
	struct rusage use = {0};
	FILE *file = path != NULL ? fopen(path, "w") : NULL;
	if (file == NULL)
		return;
	getrusage(RUSAGE_SELF, &use);
	fprintf(file, "%lu %lu %ld\n", counted[0], counted[1], use.ru_maxrss);
	fclose(file);
}
