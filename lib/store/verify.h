/*
 * verify.h - looks for damage, gaps and a changed past.
 *
 * SQLite's own check of the file and its indexes; then every event: its position follows the one
 * before, its hash is that of what it holds and of the hash before, its columns say what its
 * message says, its version is the number of its event among those of its subject. What a damaged
 * file hides is passed over, and said.
 */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include "store/store.h"

struct verify_fault {
	uint64_t position, last; /* an event, or a run of them; 0: of the file as a whole */
	struct slice id;	 /* ptr NULL: none, or not known */
	const char *what;	 /* printable */
};
typedef void verify_report_fn(void *ctx, const struct verify_fault *fault);

struct verify_result {
	uint64_t events;   /* that could be read */
	uint64_t faults;   /* reported */
	uint64_t position; /* of the last event, 0: none */
	unsigned char head[STORE_HASH_BYTES];
	uint64_t wanted_at; /* the event whose hash is the wanted one; 0: none */
};

/* `wanted`: a hash to look for (STORE_HASH_BYTES), or NULL. Fails only when looking does; damage is
 * reported. */
bool verify_run(struct store *store, const unsigned char *wanted, verify_report_fn *report,
    void *ctx, struct verify_result *out, struct error *err) MUST_CHECK;

#endif
