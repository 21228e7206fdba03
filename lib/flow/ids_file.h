/*
 * ids_file.h - ids in a file, in order: what was done before a process ended, however it ended.
 *
 * 64 bytes of header: 16 of magic, version and record size as 32-bit little-endian numbers, 16 of
 * hash key, the rest 0; then records of 16 bytes, the two halves of a siphash in little endian.
 * Another layout gets another version; a version that is not known is refused.
 *
 * A record is one write to the end, so it is there when the process dies; nothing is synced, so a
 * machine that loses its power may lose the last ones. A record that is not whole is cut off. The
 * file is 0600, not followed when it is a symbolic link, and locked against a second process. At
 * twice the records that are wanted it is written anew (beside it, as PATH.new, then renamed).
 */
#ifndef FLOW_IDS_FILE_H
#define FLOW_IDS_FILE_H

#include "base/error.h"
#include "base/siphash.h"

struct ids_file;

/* Opens or makes it; `window` is how many of the last records are wanted, from 1. A new file gets a
 * key from the kernel. ERROR_DATA: it is something else; ERROR_IO: it cannot be used, or another
 * process has it. */
struct ids_file *ids_file_open(const char *path, size_t window, struct error *err);
void ids_file_close(struct ids_file *file);

/* SIPHASH_KEY_BYTES. Borrowed. */
const unsigned char *ids_file_key(const struct ids_file *file);
/* The last records, at most `window`, oldest first, into out; *count is how many. */
bool ids_file_read(
    struct ids_file *file, struct siphash *out, size_t *count, struct error *err) MUST_CHECK;
bool ids_file_append(struct ids_file *file, struct siphash id, struct error *err) MUST_CHECK;

#endif
