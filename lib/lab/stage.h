/* stage.h - plays a lesson: step after step with real tools at a real broker, and a check at the
 * end. */
#ifndef LAB_STAGE_H
#define LAB_STAGE_H

#include "base/error.h"
#include "lab/lesson.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Where it takes place. Borrowed. */
struct stage_site {
	const char *url;		 /* of the broker, with the vhost */
	const struct topology *topology; /* of the settings; declared first */
	const char *settings;		 /* the file of the lesson, absolute */
	const char *folder;		 /* that it lies in */
	FILE *out;	 /* gets what there is to see; the caller looks at its errors */
	size_t width;	 /* of the terminal; 0: none */
	bool has_cursor; /* it is one that can place it */
	bool color;
	bool pauses; /* at each pause, until a line comes on standard input */
};

/*
 * Plays it and prints the verdict; *is_met tells whether everything was as expected. What it
 * started has ended when it returns. Sets the variables that lead tools to the broker, and takes
 * away the others of ours, for this process and those it starts.
 *
 * Fails without a verdict: a tool cannot be started, something that is waited for does not come,
 * the broker is lost, or it is interrupted (ERROR_UNAVAILABLE); a jq expression of a check does not
 * compile (ERROR_USAGE).
 */
bool stage_play(const struct lesson *lesson, const struct stage_site *site, bool *is_met,
    struct error *err) MUST_CHECK;

#endif
