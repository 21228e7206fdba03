/* rpc - requests and replies: asks and waits for the answer, or answers. */
#include "app/rpc.h"

#include "app/watch.h"
#include "base/chrono.h"
#include "model/calls.h"

#include <stddef.h>

#define MEMBER(name) offsetof(struct rpc_options, name)

static const char *const format_choices[] = {"pretty", "json", "body", "none", NULL};
static const char *const from_choices[] = {"auto", "lines", "records", NULL};

static const struct option general_options[] = {
    {.name = "format",
	.letter = 'f',
	.type = OPTION_CHOICE,
	.offset = MEMBER(format),
	.argument = "FORM",
	.choices = format_choices,
	.help = "of the replies: pretty: a line for people; json: lossless, with fate and latency; "
		"body; none"},
    {.name = "declare",
	.type = OPTION_FLAG,
	.offset = MEMBER(declare),
	.help =
	    "declare the settings' exchanges, queues and bindings first; serve: and a queue that "
	    "is not there (default)"},
    {0},
};

static const struct option call_options[] = {
    {.name = "in-flight",
	.letter = 'w',
	.type = OPTION_COUNT,
	.offset = MEMBER(in_flight),
	.given = MEMBER(has_in_flight),
	.min = 1,
	.max = CALLS_MOST,
	.argument = "N",
	.help = "most calls that wait for their reply at any time (default 1)"},
    {.name = "deadline",
	.letter = 'd',
	.type = OPTION_DURATION,
	.offset = MEMBER(deadline_ns),
	.given = MEMBER(has_deadline),
	.argument = "D",
	.help = "wait so long for each reply (default 5s)"},
    {.name = "amount",
	.letter = 'n',
	.type = OPTION_COUNT,
	.offset = MEMBER(amount),
	.given = MEMBER(has_amount),
	.min = 1,
	.argument = "N",
	.help = "make N calls: BODYs in turn, or of each pattern"},
    {.name = "rate",
	.letter = 'r',
	.type = OPTION_RATE,
	.offset = MEMBER(rate),
	.given = MEMBER(has_rate),
	.argument = "R",
	.help = "so many a second, as far as --in-flight goes"},
    {.name = "message",
	.letter = 'm',
	.type = OPTION_LIST,
	.offset = MEMBER(messages),
	.argument = "NAME",
	.help = "requests are made up by this pattern of the settings"},
    {.name = "from",
	.type = OPTION_TEXT,
	.offset = MEMBER(from),
	.argument = "FILE",
	.help = "a request a line, bodies or records as consumer -f json prints them; a directory: "
		"one a file; -: standard input"},
    {.name = "from-format",
	.type = OPTION_CHOICE,
	.offset = MEMBER(from_format),
	.given = MEMBER(has_from_format),
	.argument = "FORM",
	.choices = from_choices,
	.help = "what a line is: a body, a record; auto: by the first one"},
    {.name = "exchange",
	.type = OPTION_TEXT,
	.offset = MEMBER(exchange),
	.argument = "X",
	.help = "ask by way of this exchange instead of a QUEUE"},
    {.name = "routing-key",
	.type = OPTION_TEXT,
	.offset = MEMBER(routing_key),
	.argument = "K",
	.help = "with this key"},
    {.name = "reply-queue",
	.type = OPTION_TEXT,
	.offset = MEMBER(reply_queue),
	.argument = "Q",
	.help = "take replies from this queue, alone; auto: from one of our own (default: direct "
		"reply-to, without a queue)"},
    {.name = "seed",
	.type = OPTION_COUNT,
	.offset = MEMBER(seed),
	.given = MEMBER(has_seed),
	.argument = "N",
	.help = "the same seed makes up the same requests"},
    {0},
};

static const struct option serve_options[] = {
    {.name = "jq",
	.type = OPTION_TEXT,
	.offset = MEMBER(jq),
	.argument = "JQ",
	.help = "answer with what this jq program makes of the body"},
    {.name = "exec",
	.letter = 'x',
	.type = OPTION_TEXT,
	.offset = MEMBER(exec),
	.argument = "CMD",
	.help = "answer with what this command prints, body on stdin: 0 answers, 75 tries again, "
		"else an error"},
    {.name = "exec-shell",
	.type = OPTION_FLAG,
	.offset = MEMBER(exec_shell),
	.help = "hand the command to /bin/sh"},
    {.name = "exec-timeout",
	.type = OPTION_DURATION,
	.offset = MEMBER(exec_timeout_ns),
	.given = MEMBER(has_exec_timeout),
	.argument = "D",
	.help = "end a command that takes longer (default 30s)"},
    {.name = "exec-jobs",
	.letter = 'j',
	.type = OPTION_COUNT,
	.offset = MEMBER(exec_jobs),
	.given = MEMBER(has_exec_jobs),
	.min = 1,
	.max = 1000,
	.argument = "N",
	.help = "commands at the same time (default 1)"},
    {.name = "echo",
	.type = OPTION_FLAG,
	.offset = MEMBER(echo),
	.help = "answer with the request"},
    {.name = "prefetch",
	.letter = 'p',
	.type = OPTION_COUNT,
	.offset = MEMBER(prefetch),
	.given = MEMBER(has_prefetch),
	.min = 1,
	.max = UINT16_MAX,
	.argument = "N",
	.help = "most requests of each queue at work (default 100; with commands as many as run)"},
    {.name = "count",
	.type = OPTION_COUNT,
	.offset = MEMBER(count),
	.given = MEMBER(has_count),
	.min = 1,
	.argument = "N",
	.help = "stop after N answers"},
    {.name = "idle",
	.letter = 'i',
	.type = OPTION_DURATION,
	.offset = MEMBER(idle_ns),
	.given = MEMBER(has_idle),
	.argument = "D",
	.help = "stop when nothing has come for so long"},
    {0},
};

static const struct option *const groups[] = {general_options, call_options, serve_options,
    tool_broker_options, tool_recovery_options, tool_watch_options, tool_summary_options,
    tool_talk_options, tool_common_options, NULL};

static const struct command_verb verbs[] = {
    {"call", "send requests and wait for the reply to each"},
    {"serve", "take requests, answer them, acknowledge each once its reply is safe"},
    {0},
};

static const struct command command = {
    .tool = "rpc",
    .summary = "ask and be answered over queues: request and reply",
    .operands = "[QUEUE [BODY...]|RESPONDER...]",
    .groups = groups,
    .verbs = verbs,
    .notes =
	"call: QUEUE and the BODYs of the requests, a call each; with --exchange or --message only "
	"BODYs. Each call ends once: answered, with an error that the server carries back, as a "
	"timeout, returned (no such queue), nacked, or lost with the connection. Nothing is sent "
	"again by itself: the server may have done the work.\n\n"
	"serve: responders of the settings, all or those that are named; or QUEUEs, with --jq, "
	"--exec or --echo. A request is acknowledged after the broker has confirmed its reply, so "
	"a "
	"server that dies in between leaves it to another one, which does the work once more.\n\n"
	"Exit status 1 of call: not every call was answered.\n\n"
	"Examples:\n"
	"  rpc serve prices --exec ./price\n"
	"  rpc call prices '{\"sku\": 17}'\n"
	"  rpc call prices '{\"sku\": 17}' --amount 10000 --in-flight 100 --format none\n"
	"  rpc serve -s hotel\n"
	"  rpc call -s hotel --message book_room",
};

int main(int argc, char *argv[])
{
	struct rpc_options o = {.tool = {.watcher = &watch_watcher},
	    .declare = true,
	    .in_flight = 1,
	    .deadline_ns = 5 * CHRONO_S,
	    .exec_jobs = 1};
	return tool_main(&command, argc, argv, &o, rpc_run);
}
