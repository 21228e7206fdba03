/*
 * spool.h - messages that are sent and have no fate yet, kept in a file: what is there survives the
 * death of the process that sent them, and what memory does not hold can be read back.
 *
 * The order of things: spool_add what is going to be sent, spool_flush, then let its frames reach
 * the socket; spool_settle what has its fate. So a message whose frames the broker may have seen is
 * in the file until its fate is. After a death, what is unsettled may have been delivered or not:
 * who sends it again marks it as a possible duplicate.
 *
 * A message is known by its number, which only goes up, over the end of runs too. Message i of the
 * source of a run has the number spool_first_number + i.
 *
 * The file has at most twice the bytes of what is unsettled and SPOOL_SLACK_BYTES, while a new one
 * can be made beside it (PATH.new); if not, it grows and says so in the log.
 *
 * Flushed survives the process (the system has it); with is_synced a flush also waits until the
 * disk has what it added, which survives a loss of power. A full disk shows as ERROR_IO from
 * spool_flush; a limit of the file's size (RLIMIT_FSIZE) only in a process that ignores SIGXFSZ.
 */
#ifndef BROKER_SPOOL_H
#define BROKER_SPOOL_H

#include "base/error.h"
#include "model/message.h"

#define SPOOL_SLACK_BYTES (UINT64_C(16) << 20)
#define SPOOL_IDENTITY_BYTES 65528u /* the longest identity of a run */

struct spool;

/*
 * Opens the file or makes it, mode 0600, and locks it. A torn end is cut off: spool_cut_bytes.
 * ERROR_CANNOT_CREATE: a symbolic link, no regular file, another user's, or the system refuses;
 * ERROR_UNAVAILABLE: another process has it open (its pid is in the text); ERROR_DATA: not a spool,
 * or damaged, with the place. In all of these the file is as it was.
 */
struct spool *spool_open(const char *path, bool is_synced, struct error *err);
/* What was not flushed is forgotten. Accepts NULL. */
void spool_close(struct spool *s);

/* ---- the run ---- */

/* What spool_begin was given; empty when no run is under way. Valid until the next begin or end. */
struct slice spool_run(const struct spool *s);
/* The number of the first message of the run's source. */
uint64_t spool_first_number(const struct spool *s);
/* The least number the next message can have; less spool_first_number, it is how far the run's
 * source was read. */
uint64_t spool_next_number(const struct spool *s);
/* A new run begins, in the file too; what is unsettled of an older one stays. The identity is for
 * the caller to know the run again, at most SPOOL_IDENTITY_BYTES. ERROR_DATA, ERROR_IO. */
bool spool_begin(struct spool *s, struct slice identity, struct error *err) MUST_CHECK;
/* The run has nothing more to send: there is none from now on. What is unsettled stays; with
 * nothing unsettled, the file is emptied. */
bool spool_end(struct spool *s, struct error *err) MUST_CHECK;

/* ---- messages ---- */

/* The number is at least spool_next_number, and below 2^63. In memory until spool_flush.
 * ERROR_DATA, with nothing added, for a message that AMQP cannot hold. */
bool spool_add(struct spool *s, uint64_t number, const struct message *m, bool mandatory,
    struct error *err) MUST_CHECK;
/* The message has its fate; in memory until spool_flush. What is not unsettled stays as it is. */
void spool_settle(struct spool *s, uint64_t number);
/*
 * Brings everything into the file, in one write. ERROR_IO: none of it is there. The messages added
 * since the last flush are taken back, spool_next_number with them, and must not be sent; what was
 * settled since is kept for the next flush. Everything else stands, and the spool can be used on.
 */
bool spool_flush(struct spool *s, struct error *err) MUST_CHECK;

/* The first unsettled message whose number is at least `from`. False: there is none. */
bool spool_find_unsettled(const struct spool *s, uint64_t from, uint64_t *number);
/* An unsettled message, flushed or not; it must be one. Borrows from *storage, which is
 * overwritten. ERROR_IO, ERROR_DATA: the file was changed behind our back. */
bool spool_read(const struct spool *s, uint64_t number, struct buf *storage, struct message *out,
    bool *mandatory, struct error *err) MUST_CHECK;

/* ---- figures ---- */

size_t spool_unsettled_count(const struct spool *s);
uint64_t spool_bytes(const struct spool *s);	 /* of the file, once flushed */
uint64_t spool_cut_bytes(const struct spool *s); /* of the torn end that spool_open found */

#endif
