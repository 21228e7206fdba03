#include "app/rpc.h"

#include "app/rpc_private.h"
#include "app/verbs.h"
#include "base/mem.h"
#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

static bool check_verb(bool calls, const struct rpc_options *o, struct error *err)
{
	const struct verbs_option rows[] = {
	    {"--message", o->messages.count > 0, "call"},
	    {"--from", o->from != NULL, "call"},
	    {"--from-format", o->has_from_format, "call"},
	    {"--exchange", o->exchange != NULL, "call"},
	    {"--routing-key", o->routing_key != NULL, "call"},
	    {"--reply-queue", o->reply_queue != NULL, "call"},
	    {"--amount", o->has_amount, "call"},
	    {"--in-flight", o->has_in_flight, "call"},
	    {"--deadline", o->has_deadline, "call"},
	    {"--seed", o->has_seed, "call"},
	    {"--rate", o->has_rate, "call"},
	    {"--jq", o->jq != NULL, "serve"},
	    {"--exec", o->exec != NULL, "serve"},
	    {"--echo", o->echo, "serve"},
	    {"--exec-shell", o->exec_shell, "serve"},
	    {"--exec-timeout", o->has_exec_timeout, "serve"},
	    {"--exec-jobs", o->has_exec_jobs, "serve"},
	    {"--prefetch", o->has_prefetch, "serve"},
	    {"--count", o->has_count, "serve"},
	    {"--idle", o->has_idle, "serve"},
	};
	if (calls && o->deadline_ns == 0)
		return error_set(
		    err, ERROR_USAGE, "--deadline is how long a call waits for its reply, not 0");
	return verbs_check(calls ? "call" : "serve", rows, ARRAY_LEN(rows), err);
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
