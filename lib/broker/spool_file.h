/*
 * spool_file.h - the file of a spool as the system sees it: opened with care, locked, written
 * whole.
 *
 * It is ours alone: a regular file of this user, mode 0600, no symbolic link, and locked (fcntl,
 * which a program started by us does not inherit) until it is closed. The lock is the process's:
 * within one process the caller sees to it that a path is opened once.
 */
#ifndef BROKER_SPOOL_FILE_H
#define BROKER_SPOOL_FILE_H

#include "base/error.h"
#include "base/slice.h"

#include <stdint.h>

struct spool_file {
	char *path;
	char *shown;	/* for an error text */
	char *new_path; /* of what is going to replace it */
	int fd;
};

/* Opens or creates it. ERROR_CANNOT_CREATE: not a file of ours, or the system refuses;
 * ERROR_UNAVAILABLE: another process holds it. `= {.fd = -1}` is a closed one. */
bool spool_file_open(struct spool_file *f, const char *path, struct error *err) MUST_CHECK;
void spool_file_close(struct spool_file *f);

/* Writes all of it, in one call if the system takes it. Failed: ERROR_IO, and some of it may be
 * there. */
bool spool_file_write(
    const struct spool_file *f, struct slice bytes, uint64_t offset, struct error *err) MUST_CHECK;
/* Reads exactly so many bytes. */
bool spool_file_read(const struct spool_file *f, char *bytes, size_t len, uint64_t offset,
    struct error *err) MUST_CHECK;
bool spool_file_size(const struct spool_file *f, uint64_t *out, struct error *err) MUST_CHECK;
bool spool_file_truncate(const struct spool_file *f, uint64_t size, struct error *err) MUST_CHECK;
/* Returns when the data is on the disk. */
bool spool_file_sync(const struct spool_file *f, struct error *err) MUST_CHECK;
/* The same for the name of the file. */
bool spool_file_sync_name(const struct spool_file *f, struct error *err) MUST_CHECK;

/* An empty file beside it, locked, to be filled and put in its place. Nobody else sees it. */
bool spool_file_create_new(
    const struct spool_file *f, struct spool_file *out, struct error *err) MUST_CHECK;
/* `made` becomes the file, in one step; on failure it is removed, and *f is as it was. Either way
 * `made` is closed. */
bool spool_file_replace(
    struct spool_file *f, struct spool_file *made, struct error *err) MUST_CHECK;
/* Closes and removes it. */
void spool_file_discard_new(struct spool_file *made);
/* Takes away what others may do with an older file, which was made by hand. */
bool spool_file_restrict(const struct spool_file *f, struct error *err) MUST_CHECK;
/* Removes what a process that died left while it made a new file: only a file of ours that begins
 * with `magic`, or like it. */
void spool_file_remove_stale(const struct spool_file *f, struct slice magic);

#endif
