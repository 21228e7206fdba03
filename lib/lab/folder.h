/* folder.h - the folder of a lab: made private, locked while a lab runs in it, removed with care.
 */
#ifndef LAB_FOLDER_H
#define LAB_FOLDER_H

#include "base/error.h"

#include <sys/types.h>

#define FOLDER_MARKER ".warren-lab" /* the file without which nothing is ever removed */

/* $XDG_RUNTIME_DIR/warren/lab, else /tmp/warren-UID/lab; to be released with free(). */
char *folder_default(void);

/* The path from the root, without slashes at the end; to be released with free(). */
char *folder_absolute(const char *path);

/*
 * Makes the folder with mode 0700 and what is missing above it, and marks it. One that exists must
 * be ours, no symbolic link, and either empty or a lab's; the folder above the default one must be
 * ours alone too, because anybody may write to /tmp. Fails with ERROR_CANNOT_CREATE.
 */
bool folder_create(const char *dir, struct error *err) MUST_CHECK;

/* True when the marker is there. */
bool folder_is_lab(const char *dir);

/*
 * Takes the lock for the life of this process; *out_fd is -1 when another process has it. The lock
 * is a POSIX one: the kernel names its holder, so no stale file can lie. It goes when the process
 * closes any descriptor of that file: a holder never calls folder_holder on the same folder.
 */
bool folder_lock(const char *dir, int *out_fd, struct error *err) MUST_CHECK;

/* The process that holds the lock, -1 when it cannot be seen from here, 0 when there is none. */
pid_t folder_holder(const char *dir);

/* Removes what an earlier lab left, all but marker and lock. For the holder of the lock. */
bool folder_clear(const char *dir, struct error *err) MUST_CHECK;

/* Removes the folder. True also when it is not there, or is empty and no lab's, which is left
 * alone. Refuses what is not a lab's or not ours with ERROR_ACCESS. */
bool folder_remove(const char *dir, struct error *err) MUST_CHECK;

#endif
