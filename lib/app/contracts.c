#include "app/contracts.h"

#include "app/contracts_private.h"
#include "app/verbs.h"
#include "base/mem.h"

#include <stdlib.h>

static const struct verb {
	const char *name;
	contracts_verb_fn *run;
} verbs[] = {
    {"check", contracts_check},
    {"compat", contracts_compat},
    {"infer", contracts_infer},
    {0},
};

/* Which option goes with which verb. */
static bool check_verb(const char *verb, const struct contracts_options *o, struct error *err)
{
	const struct verbs_option rows[] = {
	    {"--schema", o->schema != NULL, "check"},
	    {"--samples", o->has_samples, "check"},
	    {"--seed", o->has_seed, "check"},
	    {"--enum", o->has_max_enum, "infer"},
	    {"--from-format", o->has_from_format, "check, infer"},
	    {"--mode", o->has_mode, "compat"},
	    {"--lenient", o->lenient, "compat"},
	    {"--closed", o->closed, "compat"},
	    {"--format", o->has_format, "check, compat"},
	};
	return verbs_check(verb, rows, ARRAY_LEN(rows), err);
}

bool contracts_run(struct tool *tool, const void *options, struct error *err)
{
	const struct contracts_options *o = options;
	char **operands = tool->operands;
	if (operands[0] == NULL)
		return error_set(err, ERROR_USAGE, "what is to be done? --help lists the verbs");
	const struct verb *verb = verbs;
	while (verb->name != NULL && strcmp(verb->name, operands[0]) != 0)
		verb++; /* options_parse lets only verbs through */
	return check_verb(operands[0], o, err) && verb->run(tool, o, operands + 1, err);
}
