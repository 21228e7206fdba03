/* folder_bench.h - a folder of a test's own, and files in it. */
#ifndef TESTS_UNIT_FOLDER_BENCH_H
#define TESTS_UNIT_FOLDER_BENCH_H

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[32], path[64];

/* path is that of a file of the folder then. */
static inline void name_file(const char *name)
{
	(void)snprintf(path, sizeof path, "%s/%s", folder, name); /* tests have short names */
}

static inline void make_folder(void)
{
	strcpy(folder, "/tmp/warren-unit.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static inline int remove_entry(
    const char *name, const struct stat *info, int kind, struct FTW *where)
{
	(void)info, (void)kind, (void)where;
	return remove(name);
}

/* With all that is in it. */
static inline void remove_folder(void)
{
	ck_assert_int_eq(nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* Makes a folder that is the current one until leave_folder. */
static inline void enter_folder(void)
{
	make_folder();
	ck_assert_int_eq(chdir(folder), 0);
}

static inline void leave_folder(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	remove_folder();
}

static inline void write_file_mode(const char *to, const char *text, mode_t mode)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(close(fd), 0);
}

static inline void write_file(const char *to, const char *text)
{
	write_file_mode(to, text, 0600);
}

/* An executable script for sh. */
static inline void write_script(const char *to, const char *text)
{
	write_file_mode(to, text, 0700);
}

#endif
