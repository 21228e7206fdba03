/* fates.h - what became of each message of a drill, by its id: confirmed to the one tool, received
 * by the other. A few thousand of them, so lists that are sorted when somebody asks. */
#ifndef LAB_FATES_H
#define LAB_FATES_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FATES_ID_BYTES 40 /* a UUID and its NUL; what is longer is cut */

enum fates_kind {
	FATES_CONFIRMED,
	FATES_RETURNED,
	FATES_NACKED,
	FATES_UNCONFIRMED,
	FATES_RECEIVED,
	FATES_KIND_COUNT
};

struct fates_note {
	char id[FATES_ID_BYTES];
	uint64_t at_ns;
};

struct fates_list {
	struct fates_note *notes; /* owned, in order of time */
	size_t count, capacity;
};

/* `= {0}` is empty. */
struct fates {
	struct fates_list lists[FATES_KIND_COUNT];
};

/* Notes a line of `producer --format json` (which has a fate) or `consumer --format json`. False
 * when it is neither, or has no message id: half a line of a tool that was killed. */
bool fates_note_line(struct fates *fates, struct slice line, uint64_t now_ns);

struct fates_verdict {
	uint64_t counts[FATES_KIND_COUNT]; /* notes */
	uint64_t distinct;		   /* ids that were received */
	uint64_t lost;			   /* ids that were confirmed and never received */
	uint64_t duplicated;		   /* receipts of what had been received before */
	/* The longest time without a confirm, up to end_ns. */
	uint64_t gap_ns, gap_began_ns;
};

void fates_judge(const struct fates *fates, uint64_t end_ns, struct fates_verdict *out);
void fates_release(struct fates *fates);

#endif
