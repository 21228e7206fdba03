/* pattern_samples.h - the `files:` of a message: bodies read once, in the order of their paths. */
#ifndef FAKE_PATTERN_SAMPLES_H
#define FAKE_PATTERN_SAMPLES_H

#include "fake/report.h"

struct pattern_sample {
	char *path;
	struct buf body;
	struct slice content_type; /* by the ending; a literal */
};

/* Owned; `= {0}` is empty. */
struct pattern_samples {
	struct pattern_sample *items;
	size_t count, capacity;
};

/* `spec` is a path or glob, or a list of such, relative to `directory`. Reads each file, at most
 * 128 MiB. False when something was reported; release in any case. */
bool pattern_samples_read(struct pattern_samples *s, const json_t *spec, const char *directory,
    const struct report_path *at, struct report *report);

void pattern_samples_release(struct pattern_samples *s);

#endif
