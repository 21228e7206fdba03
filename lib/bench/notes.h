/* notes.h - what one thread of a load run writes down. */
#ifndef BENCH_NOTES_H
#define BENCH_NOTES_H

#include "model/ledger.h"
#include "model/tally.h"

struct notes {
	struct tally tally;
	struct ledger *ledger;
	uint64_t last_ns; /* when something was last sent, confirmed or received */
};

#endif
