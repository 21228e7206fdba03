/* volume.h - one kind of fake data: its name, and how a value of it is made. */
#ifndef FAKE_VOLUME_H
#define FAKE_VOLUME_H

#include "base/buf.h"
#include "base/rng.h"

/* How a value is written in JSON. */
enum volume_kind {
	VOLUME_TEXT,   /* a string */
	VOLUME_NUMBER, /* a JSON number */
	VOLUME_BOOL,   /* true or false */
};

/* Appends one value as plain text, in UTF-8. Allocates only when the buf grows. */
typedef void volume_fn(struct rng *r, int64_t wall_ms, struct buf *out);

struct volume {
	const char *name;
	enum volume_kind kind;
	volume_fn *generate;
	const char *help; /* a few words, with an example */
};

#endif
