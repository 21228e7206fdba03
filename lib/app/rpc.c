#include "app/rpc.h"

#include "app/rpc_private.h"
#include "base/mem.h"
#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

static bool check_verb(bool calls, const struct rpc_options *o, struct error *err)
{
	const struct {
		const char *name;
		bool given, to_call;
	} rows[] = {
	    {"--message", o->messages.count > 0, true},
	    {"--from", o->from != NULL, true},
	    {"--from-format", o->has_from_format, true},
	    {"--exchange", o->exchange != NULL, true},
	    {"--routing-key", o->routing_key != NULL, true},
	    {"--reply-queue", o->reply_queue != NULL, true},
	    {"--amount", o->has_amount, true},
	    {"--in-flight", o->has_in_flight, true},
	    {"--deadline", o->has_deadline, true},
	    {"--seed", o->has_seed, true},
	    {"--rate", o->has_rate, true},
	    {"--jq", o->jq != NULL, false},
	    {"--exec", o->exec != NULL, false},
	    {"--echo", o->echo, false},
	    {"--exec-shell", o->exec_shell, false},
	    {"--exec-timeout", o->has_exec_timeout, false},
	    {"--exec-jobs", o->has_exec_jobs, false},
	    {"--prefetch", o->has_prefetch, false},
	    {"--count", o->has_count, false},
	    {"--idle", o->has_idle, false},
	};
	if (o->has_deadline && o->deadline_ns == 0)
		return error_set(
		    err, ERROR_USAGE, "--deadline is how long a call waits for its reply, not 0");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].given && rows[i].to_call != calls)
			return error_set(err, ERROR_USAGE,
			    "%s does not go with %s; it goes with %s", rows[i].name,
			    calls ? "call" : "serve", calls ? "serve" : "call");
	return true;
}

bool rpc_run(struct tool *tool, const void *options, struct error *err)
{
	const struct rpc_options *o = options;
	char **operands = tool->operands;
	if (operands[0] == NULL)
		return error_set(err, ERROR_USAGE, "call or serve? --help tells");
	/* options_parse lets only verbs through */
	bool calls = strcmp(operands[0], "call") == 0;
	bool good = check_verb(calls, o, err) &&
		    tool_load_settings(tool, false, rng_entropy(), err) &&
		    (calls ? rpc_call : rpc_serve)(tool, o, operands + 1, err);
	free(o->messages.items);
	return good;
}
