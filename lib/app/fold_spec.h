/* fold_spec.h - what is to be folded: from the options, or from `projections:` of the settings. */
#ifndef APP_FOLD_SPEC_H
#define APP_FOLD_SPEC_H

#include "app/events.h"
#include "app/fold.h"

struct fold_spec {
	struct fold *fold;
	const char *projection; /* its name, borrowed; NULL: none */
	char *owner;		/* of its snapshots; NULL: nobody */
	uint64_t every;		/* events between two snapshots; 0: none are kept or used */
	bool is_each;		/* of all streams */
};

/*
 * After the settings were loaded. Without --stream, --each or --follow the whole store is one
 * stream, unless the projection says stream_by: then it is each. ERROR_USAGE, ERROR_DATA;
 * ERROR_SETTINGS with the place of the projection.
 */
bool fold_spec_read(const struct tool *tool, const struct events_options *o, struct fold_spec *out,
    struct error *err) MUST_CHECK;
void fold_spec_release(struct fold_spec *spec);

#endif
