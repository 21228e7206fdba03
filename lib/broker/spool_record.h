/*
 * spool_record.h - how a spool file is written: the bytes of its records, and nothing about files.
 *
 * A file is SPOOL_RECORD_MAGIC and records behind each other, every number little-endian:
 *
 *   head, 24 bytes:  check of the head u32, check of the payload u32, length of the payload u32,
 *                    kind u32, number u64
 *   payload
 *
 * The check of a head covers its place in the file, too. So a head that is found where none was
 * looked for is a head, and not what somebody put into the body of a message.
 *
 *   RUN      number: of message 0 of the run's source. Payload: the number that comes next, u64,
 *            and the identity (empty: no run is under way)
 *   MESSAGE  number: its own; they go up. Payload: the message as the wire would have it, each of
 *            method, header and body in one frame of any size
 *   SETTLED  payload: the messages that have their fate, as pairs of u64: the first, and how many
 *
 * Who changes any of this counts the magic's number up: another version is refused, not guessed at.
 */
#ifndef BROKER_SPOOL_RECORD_H
#define BROKER_SPOOL_RECORD_H

#include "base/crc.h"
#include "base/error.h"
#include "model/message.h"

#define SPOOL_RECORD_MAGIC SLICE("warren spool 01\n")
#define SPOOL_RECORD_FAMILY SLICE("warren spool ") /* what every version begins with */
#define SPOOL_RECORD_HEAD_BYTES 24u
#define SPOOL_RECORD_SMALL_BYTES 65536u /* the longest payload of a RUN or SETTLED */
#define SPOOL_RECORD_IDENTITY_BYTES (SPOOL_RECORD_SMALL_BYTES - 8)
#define SPOOL_RECORD_RANGES (SPOOL_RECORD_SMALL_BYTES / sizeof(struct spool_record_range))

enum spool_record_kind { SPOOL_RECORD_RUN = 1, SPOOL_RECORD_MESSAGE, SPOOL_RECORD_SETTLED };

struct spool_record {
	enum spool_record_kind kind;
	uint32_t length; /* of the payload */
	uint32_t check;	 /* of the payload: its crc_of */
	uint64_t number;
};

struct spool_record_range {
	uint64_t first, count;
};

/* ---- writing: appends to what comes to stand at `offset` of the file ---- */

void spool_record_put_head(
    const struct crc *c, const struct spool_record *r, uint64_t offset, char *out);
void spool_record_put_run(const struct crc *c, struct buf *out, uint64_t offset, uint64_t first,
    uint64_t next, struct slice identity);
/* Fails with ERROR_DATA, out as before, over what no frame of AMQP can hold. */
bool spool_record_put_message(const struct crc *c, struct buf *out, uint64_t offset,
    uint64_t number, const struct message *m, bool mandatory, struct error *err) MUST_CHECK;
/* At most SPOOL_RECORD_RANGES. */
void spool_record_put_settled(const struct crc *c, struct buf *out, uint64_t offset,
    const struct spool_record_range *ranges, size_t count);

/* ---- reading: false when it is not what was written ---- */

/* `head` has SPOOL_RECORD_HEAD_BYTES. */
bool spool_record_read_head(
    const struct crc *c, const char *head, uint64_t offset, struct spool_record *out);
bool spool_record_read_run(struct slice payload, uint64_t *next, struct slice *identity);
/* *m borrows from the payload. */
bool spool_record_read_message(struct slice payload, struct message *m, bool *mandatory);
/* Takes one range off the front of the payload; false at its end. */
bool spool_record_next_range(struct slice *payload, struct spool_record_range *out);

#endif
