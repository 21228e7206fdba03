#include "app/events.h"

#include "app/events_private.h"

#include <stdlib.h>
#include <string.h>

static const struct verb {
	const char *name;
	events_verb_fn *run;
} verbs[] = {
    {"record", events_record},
    {"replay", events_replay},
    {0},
};

static bool run_verb(struct tool *tool, const struct events_options *o, struct error *err)
{
	char **operands = tool->operands;
	if (operands[0] == NULL)
		return error_set(err, ERROR_USAGE, "what is to be done? --help lists the verbs");
	const struct verb *verb = verbs;
	while (verb->name != NULL && strcmp(verb->name, operands[0]) != 0)
		verb++; /* options_parse lets only verbs through */
	return verb->run(tool, o, operands + 1, err);
}

bool events_run(struct tool *tool, const void *options, struct error *err)
{
	const struct events_options *o = options;
	bool good = run_verb(tool, o, err);
	free(o->types.items);
	free(o->ids.items);
	free(o->keys.items);
	free(o->taps.items);
	free(o->masks.items);
	return good;
}
