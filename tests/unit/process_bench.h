/* process_bench.h - what the process under test says on standard error, and what it holds open. */
#ifndef TESTS_UNIT_PROCESS_BENCH_H
#define TESTS_UNIT_PROCESS_BENCH_H

#include "base/mem.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static inline int begin_capture(int *saved)
{
	int memory = memfd_create("stderr", MFD_CLOEXEC);
	*saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	dup2(memory, STDERR_FILENO);
	return memory;
}

/* Standard error since begin_capture, as a string to free(). */
static inline char *end_capture(int memory, int saved)
{
	struct stat info;
	dup2(saved, STDERR_FILENO);
	close(saved);
	ck_assert_int_eq(fstat(memory, &info), 0);
	char *text = mem_alloc((size_t)info.st_size + 1, 1);
	ck_assert_int_eq(pread(memory, text, (size_t)info.st_size, 0), info.st_size);
	close(memory);
	return text;
}

static inline size_t count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	ck_assert_ptr_nonnull(dir);
	size_t count = 0;
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

#endif
