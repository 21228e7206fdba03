/* consumer - takes messages from queues, prints them and acknowledges what is safely printed. */
#include "app/consume.h"

#include "app/watch.h"
#include "base/chrono.h"
#include "flow/core_dedupe.h"

#include <stddef.h>

#define MEMBER(name) offsetof(struct consume_options, name)

static const char *const ack_choices[] = {"manual", "auto", "reject", "requeue", NULL};
static const char *const format_choices[] = {"pretty", "json", "body", "none", NULL};
static const char *const unmatched_choices[] = {"hold", "ack", "reject", NULL};
static const char *const cancel_choices[] = {"end", "renew", NULL};

static const struct option options[] = {
    {.name = "count",
	.letter = 'n',
	.type = OPTION_COUNT,
	.offset = MEMBER(count),
	.given = MEMBER(has_count),
	.min = 1,
	.argument = "N",
	.help = "stop after N messages (those that a filter hides do not count)"},
    {.name = "idle",
	.letter = 'i',
	.type = OPTION_DURATION,
	.offset = MEMBER(idle_ns),
	.given = MEMBER(has_idle),
	.argument = "D",
	.help = "stop when nothing has come for so long"},
    {.name = "until-empty",
	.letter = 'e',
	.type = OPTION_FLAG,
	.offset = MEMBER(until_empty),
	.help = "stop when the queues are empty"},
    {.name = "prefetch",
	.letter = 'p',
	.type = OPTION_COUNT,
	.offset = MEMBER(prefetch),
	.given = MEMBER(has_prefetch),
	.min = 1,
	.max = UINT16_MAX,
	.argument = "N",
	.help = "most unacknowledged messages of each queue at any time (default 100)"},
    {.name = "ack",
	.letter = 'a',
	.type = OPTION_CHOICE,
	.offset = MEMBER(ack),
	.argument = "HOW",
	.choices = ack_choices,
	.help = "manual: once printed; auto: on sending; reject: dead-letter; requeue: only look, "
		"give back at the end"},
    {.name = "format",
	.letter = 'f',
	.type = OPTION_CHOICE,
	.offset = MEMBER(format),
	.argument = "FORM",
	.choices = format_choices,
	.help = "pretty: a line for people; json: lossless, for producer --from; body; none"},
    {.name = "filter",
	.type = OPTION_TEXT,
	.offset = MEMBER(filter),
	.argument = "JQ",
	.help = "print only messages for which this jq expression on the body is true"},
    {.name = "contract",
	.type = OPTION_FLAG,
	.offset = MEMBER(contract),
	.help = "reject what breaks the contract of its queue, as the settings say (default; with "
		"--ack manual)"},
    {.name = "unmatched",
	.type = OPTION_CHOICE,
	.offset = MEMBER(unmatched),
	.argument = "HOW",
	.choices = unmatched_choices,
	.help = "what becomes of the others: hold and give back at the end, ack, or reject"},
    {.name = "exec",
	.letter = 'x',
	.type = OPTION_TEXT,
	.offset = MEMBER(exec),
	.argument = "CMD",
	.help = "run this for each message, body on stdin: 0 accepts, 75 tries again, else reject"},
    {.name = "exec-shell",
	.type = OPTION_FLAG,
	.offset = MEMBER(exec_shell),
	.help = "hand the command to /bin/sh"},
    {.name = "exec-worker",
	.type = OPTION_FLAG,
	.offset = MEMBER(exec_worker),
	.help = "the command lives on, gets one message after the other as a line of JSON, and "
		"answers each with a line (docs/exec.md)"},
    {.name = "exec-timeout",
	.type = OPTION_DURATION,
	.offset = MEMBER(exec_timeout_ns),
	.argument = "D",
	.help = "end a command that takes longer (default 30s)"},
    {.name = "exec-jobs",
	.letter = 'j',
	.type = OPTION_COUNT,
	.offset = MEMBER(exec_jobs),
	.min = 1,
	.max = 1000,
	.argument = "N",
	.help = "commands at the same time (default 1)"},
    {.name = "offset",
	.letter = 'o',
	.type = OPTION_TEXT,
	.offset = MEMBER(offset),
	.argument = "WHERE",
	.help = "where to begin in a stream: first (default), last, next, a number or a time; a "
		"stream that no settings declare is read as one only with this option"},
    {.name = "on-cancel",
	.type = OPTION_CHOICE,
	.offset = MEMBER(on_cancel),
	.argument = "WHAT",
	.choices = cancel_choices,
	.help = "when the broker ends the consumer (the queue was deleted or moved, a message was "
		"held for too long): end, or renew: declare and consume again"},
    {.name = "dedupe",
	.type = OPTION_FLAG,
	.offset = MEMBER(dedupe),
	.help = "drop a message that was accepted before: one of the same message_id from the same "
		"queue, or see --dedupe-by"},
    {.name = "dedupe-window",
	.type = OPTION_COUNT,
	.offset = MEMBER(dedupe_window),
	.min = 1,
	.max = CORE_DEDUPE_MAX_WINDOW,
	.argument = "N",
	.help = "remember the last N of them (default 1,000,000)"},
    {.name = "dedupe-by",
	.type = OPTION_TEXT,
	.offset = MEMBER(dedupe_by),
	.argument = "WHAT",
	.help = "what makes two messages the same: id (message_id, within its queue; default), "
		"cloudevents (source and id), or a jq expression on the body; implies --dedupe"},
    {.name = "dedupe-age",
	.type = OPTION_DURATION,
	.offset = MEMBER(dedupe_age_ns),
	.argument = "TIME",
	.help = "remember them for so long (default: as long as the window has room); implies "
		"--dedupe"},
    {.name = "dedupe-store",
	.type = OPTION_TEXT,
	.offset = MEMBER(dedupe_store),
	.argument = "FILE",
	.help = "remember them there (SQLite), beyond the end of this process; implies --dedupe"},
    {.name = "dedupe-file",
	.type = OPTION_TEXT,
	.offset = MEMBER(dedupe_store),
	.argument = "FILE",
	.help = "the same, as it was called before"},
    {.name = "declare",
	.type = OPTION_FLAG,
	.offset = MEMBER(declare),
	.help = "declare the settings' exchanges, queues and bindings first (default)"},
    {0},
};

static const struct option *const groups[] = {options, tool_broker_options, tool_recovery_options,
    tool_watch_options, tool_summary_options, tool_talk_options, tool_common_options, NULL};

static const struct command command = {
    .tool = "consumer",
    .summary = "print and acknowledge the messages of queues",
    .operands = "[QUEUE...]",
    .groups = groups,
    .notes =
	"Without QUEUE every queue of the settings is read. A message is acknowledged only after "
	"it is written, so a full disk or a closed pipe loses none.\n\n"
	"Examples:\n"
	"  consumer -s walkthrough\n"
	"  consumer -s walkthrough --until-empty -f json > messages.jsonl\n"
	"  consumer -s publish-subscribe billing --filter '.total > 100'\n"
	"  consumer -s work-queue jobs --exec './convert --fast'\n\n"
	"Where the settings have a retry policy for the queue, a message whose command asks for "
	"another try (75) waits in a queue on the broker and comes again; when its attempts are "
	"used up, or when it is rejected, it is parked. The header x-warren-attempts counts what "
	"failed so far.\n\n"
	"A command gets WARREN_EXCHANGE, WARREN_ROUTING_KEY, WARREN_QUEUE, WARREN_REDELIVERED, one "
	"variable for each property such as WARREN_MESSAGE_ID, WARREN_HEADERS as JSON and one "
	"WARREN_HEADER_NAME for each header; never the broker's address.",
};

int main(int argc, char *argv[])
{
	struct consume_options o = {.tool = {.watcher = &watch_watcher},
	    .prefetch = 100,
	    .exec_timeout_ns = 30 * CHRONO_S,
	    .exec_jobs = 1,
	    .declare = true,
	    .contract = true,
	    .dedupe_window = CORE_DEDUPE_DEFAULT_WINDOW};
	return tool_main(&command, argc, argv, &o, consume_run);
}
