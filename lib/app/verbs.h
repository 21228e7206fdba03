/* verbs.h - which option goes with which verb of a tool. */
#ifndef APP_VERBS_H
#define APP_VERBS_H

#include "base/error.h"

#include <stddef.h>

struct verbs_option {
	const char *name; /* "--prefetch" */
	bool given;
	const char *with; /* the verbs that take it: "list, export" */
};

/* Whether each option that was given goes with the verb; else ERROR_USAGE tells what it goes with.
 */
bool verbs_check(const char *verb, const struct verbs_option *options, size_t count,
    struct error *err) MUST_CHECK;

#endif
