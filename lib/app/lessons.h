/* lessons.h - settings files with a script: which there are, and playing one. */
#ifndef APP_LESSONS_H
#define APP_LESSONS_H

#include "app/tool.h"
#include "lab/lab.h"

/* A line for each lesson in settings/ and among the installed ones: name and title. */
void lessons_render_list(struct buf *out);

struct lessons_options {
	const char *lesson; /* a file, or a name as --settings has it */
	struct lab_options lab;
	bool here;	   /* in the lab that runs, not in one of its own */
	const char *vhost; /* of that lab, which is there; NULL: a new one, which goes afterwards */
	bool yes;	   /* pauses do not wait */
};

/* Plays it; tool->status is 1 when something was not as the lesson expects. Fails with
 * ERROR_USAGE when the settings have no lesson, as settings_load, lab_find and attend_command do,
 * and as stage_play does. */
bool lessons_play(
    struct tool *tool, const struct lessons_options *options, struct error *err) MUST_CHECK;

#endif
