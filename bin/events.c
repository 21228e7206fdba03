/* events - records what happens in a store, and answers, replays and folds what has happened. */
#include "app/events.h"

#include "app/watch.h"
#include "base/chrono.h"

#include <stddef.h>

#define MEMBER(name) offsetof(struct events_options, name)

static const char *const format_choices[] = {"table", "json", "csv", NULL};
static const char *const firehose_choices[] = {"none", "publish", "deliver", NULL};

static const struct option general_options[] = {
    {.name = "store",
	.type = OPTION_TEXT,
	.offset = MEMBER(store),
	.argument = "FILE",
	.help = "the event store, a SQLite file (default events.db); stream:QUEUE reads a RabbitMQ "
		"stream"},
    {.name = "format",
	.letter = 'f',
	.type = OPTION_CHOICE,
	.offset = MEMBER(format),
	.given = MEMBER(has_format),
	.argument = "FORM",
	.choices = format_choices,
	.help = "table for people, json lines, or csv"},
    {0},
};

/* Which events: list, stats, replay, export. */
static const struct option select_options[] = {
    {.name = "type",
	.letter = 't',
	.type = OPTION_LIST,
	.offset = MEMBER(types),
	.argument = "T",
	.help = "only events of this type; append: the type"},
    {.name = "id",
	.type = OPTION_LIST,
	.offset = MEMBER(ids),
	.argument = "ID",
	.help = "only the event with this id"},
    {.name = "stream",
	.type = OPTION_TEXT,
	.offset = MEMBER(stream),
	.argument = "S",
	.help = "only events of this subject, such as account/acc1; fold: see --stream-by"},
    {.name = "exchange",
	.letter = 'x',
	.type = OPTION_TEXT,
	.offset = MEMBER(exchange),
	.argument = "X",
	.help = "only what was published to this exchange; replay: publish there instead; "
		"append: of the event"},
    {.name = "key",
	.letter = 'k',
	.type = OPTION_LIST,
	.offset = MEMBER(keys),
	.argument = "K",
	.help = "only routing keys that match, where * is a word and # any words; record --tap: "
		"bind with it; append: of the event"},
    {.name = "since",
	.type = OPTION_TEXT,
	.offset = MEMBER(since),
	.argument = "T",
	.help =
	    "only what was recorded then or later: 2026-11-21T08:00Z, or 10m for ten minutes ago"},
    {.name = "until",
	.type = OPTION_TEXT,
	.offset = MEMBER(until),
	.argument = "T",
	.help = "only what was recorded before"},
    {.name = "from",
	.type = OPTION_COUNT,
	.offset = MEMBER(from),
	.given = MEMBER(has_from),
	.min = 1,
	.argument = "N",
	.help = "begin at this position"},
    {.name = "to",
	.type = OPTION_COUNT,
	.offset = MEMBER(to),
	.given = MEMBER(has_to),
	.min = 1,
	.argument = "N",
	.help = "end after this position"},
    {.name = "grep",
	.type = OPTION_TEXT,
	.offset = MEMBER(grep),
	.argument = "TEXT",
	.help = "only bodies in which this stands"},
    {.name = "jq",
	.type = OPTION_TEXT,
	.offset = MEMBER(jq),
	.argument = "JQ",
	.help = "only events for which this jq expression on the body is true"},
    {.name = "where",
	.type = OPTION_TEXT,
	.offset = MEMBER(where),
	.argument = "SQL",
	.help = "only events for which this SQL expression over the view events is true"},
    {.name = "limit",
	.letter = 'n',
	.type = OPTION_COUNT,
	.offset = MEMBER(limit),
	.given = MEMBER(has_limit),
	.min = 1,
	.argument = "N",
	.help = "at most N of them"},
    {.name = "reverse",
	.letter = 'r',
	.type = OPTION_FLAG,
	.offset = MEMBER(reverse),
	.help = "list: the last first"},
    {0},
};

static const struct option record_options[] = {
    {.name = "tap",
	.type = OPTION_LIST,
	.offset = MEMBER(taps),
	.argument = "X",
	.help = "record what is published to this exchange, by a queue of our own that takes "
		"nothing from others"},
    {.name = "firehose",
	.type = OPTION_CHOICE,
	.offset = MEMBER(firehose),
	.argument = "WHAT",
	.choices = firehose_choices,
	.help = "record what the broker's tracer shows: publish or deliver"},
    {.name = "count",
	.type = OPTION_COUNT,
	.offset = MEMBER(count),
	.given = MEMBER(has_count),
	.min = 1,
	.argument = "N",
	.help = "stop after N messages"},
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
	.help = "stop when the queues are empty; fold --follow: when the table is up to date"},
    {.name = "prefetch",
	.letter = 'p',
	.type = OPTION_COUNT,
	.offset = MEMBER(prefetch),
	.given = MEMBER(has_prefetch),
	.min = 1,
	.max = UINT16_MAX,
	.argument = "N",
	.help = "most unacknowledged messages of each queue (default: four batches)"},
    {.name = "offset",
	.letter = 'o',
	.type = OPTION_TEXT,
	.offset = MEMBER(offset),
	.argument = "WHERE",
	.help = "where to begin in a stream: first, last, next, a number or a time (default: "
		"behind what is in the store)"},
    {.name = "batch",
	.type = OPTION_COUNT,
	.offset = MEMBER(batch),
	.given = MEMBER(has_batch),
	.min = 1,
	.max = 16384,
	.argument = "N",
	.help = "most events in a transaction (default 2000)"},
    {.name = "batch-time",
	.type = OPTION_DURATION,
	.offset = MEMBER(batch_ns),
	.given = MEMBER(has_batch_time),
	.argument = "D",
	.help = "commit and acknowledge after so long at the latest (default 20ms)"},
    {.name = "declare",
	.type = OPTION_FLAG,
	.offset = MEMBER(declare),
	.help = "declare the settings' exchanges, queues and bindings first (default)"},
    {0},
};

static const struct option replay_options[] = {
    {.name = "routing-key",
	.type = OPTION_TEXT,
	.offset = MEMBER(routing_key),
	.argument = "K",
	.help = "publish with this key instead"},
    {.name = "speed",
	.type = OPTION_TEXT,
	.offset = MEMBER(speed),
	.argument = "F",
	.help =
	    "1: with the pauses there were, 10: ten times as fast, max: without pauses (default)"},
    {.name = "rate",
	.type = OPTION_RATE,
	.offset = MEMBER(rate),
	.given = MEMBER(has_rate),
	.argument = "R",
	.help = "so many a second"},
    {.name = "cursor",
	.type = OPTION_TEXT,
	.offset = MEMBER(cursor),
	.argument = "NAME",
	.help = "go on behind what the broker has confirmed under this name"},
    {.name = "mask",
	.type = OPTION_LIST,
	.offset = MEMBER(masks),
	.argument = "FIELD",
	.help = "replace this field of JSON bodies by made-up data of the same shape, such as "
		"customer.email"},
    {.name = "window",
	.letter = 'w',
	.type = OPTION_COUNT,
	.offset = MEMBER(window),
	.given = MEMBER(has_window),
	.min = 1,
	.max = 65536,
	.argument = "N",
	.help = "most messages without a confirm (default 1000)"},
    {.name = "mandatory",
	.type = OPTION_FLAG,
	.offset = MEMBER(mandatory),
	.help = "a message that no queue gets is a failure (default)"},
    {0},
};

static const struct option fold_options[] = {
    {.name = "reduce",
	.type = OPTION_TEXT,
	.offset = MEMBER(reduce),
	.argument = "JQ",
	.help = "the jq program that makes of {state, event} the next state"},
    {.name = "initial",
	.type = OPTION_TEXT,
	.offset = MEMBER(initial),
	.argument = "JSON",
	.help = "the state before the first event (default null)"},
    {.name = "projection",
	.letter = 'P',
	.type = OPTION_TEXT,
	.offset = MEMBER(projection),
	.argument = "NAME",
	.help = "take these from projections of the settings"},
    {.name = "stream-by",
	.type = OPTION_TEXT,
	.offset = MEMBER(stream_by),
	.argument = "WHAT",
	.help = "what parts the events into streams: subject (default), another column, or a jq "
		"expression"},
    {.name = "each",
	.type = OPTION_FLAG,
	.offset = MEMBER(each),
	.help = "the state of every stream"},
    {.name = "as-of",
	.type = OPTION_TEXT,
	.offset = MEMBER(as_of),
	.argument = "WHEN",
	.help = "the state at a time, or after the event of a position"},
    {.name = "history",
	.type = OPTION_FLAG,
	.offset = MEMBER(history),
	.help = "the state after every event"},
    {.name = "snapshot-every",
	.type = OPTION_COUNT,
	.offset = MEMBER(snapshot_every),
	.given = MEMBER(has_snapshot_every),
	.argument = "N",
	.help = "keep the state after every N events of a stream (default 1000; 0: never)"},
    {.name = "follow",
	.type = OPTION_FLAG,
	.offset = MEMBER(follow),
	.help = "keep the table of the projection up to date until stopped"},
    {0},
};

static const struct option append_options[] = {
    {.name = "source",
	.type = OPTION_TEXT,
	.offset = MEMBER(source),
	.given = MEMBER(has_source),
	.argument = "URI",
	.help = "where the event comes from (default /warren)"},
    {.name = "data",
	.type = OPTION_TEXT,
	.offset = MEMBER(data),
	.argument = "JSON",
	.help = "what happened; - reads standard input"},
    {.name = "expect-version",
	.type = OPTION_COUNT,
	.offset = MEMBER(expect_version),
	.given = MEMBER(has_expect_version),
	.argument = "N",
	.help = "only if the stream has so many events: else somebody was first, and nothing is "
		"written"},
    {0},
};

static const struct option verify_options[] = {
    {.name = "head",
	.type = OPTION_TEXT,
	.offset = MEMBER(head),
	.argument = "HASH",
	.help = "a hash that was kept elsewhere, as verify printed it: an event must have it"},
    {0},
};

static const struct option *const groups[] = {general_options, select_options, record_options,
    replay_options, fold_options, append_options, verify_options, tool_broker_options,
    tool_recovery_options, tool_watch_options, tool_summary_options, tool_talk_options,
    tool_common_options, NULL};

static const struct command_verb verbs[] = {
    {"record", "store the messages of queues, acknowledged once they are on the disk"},
    {"append", "store one event"},
    {"list", "print events, a line each"},
    {"show", "print one event whole"},
    {"query", "answer an SQL question over the view events"},
    {"stats", "count events by type, exchange and day"},
    {"replay", "publish events again, in their order"},
    {"fold", "compute the state of a stream from its events, now or at any time"},
    {"export", "print events as JSON lines, without loss"},
    {"import", "store the events of a file of JSON lines"},
    {"trace", "draw the tree of a trace: which message was made of which"},
    {"verify", "look for damage, gaps and a changed past"},
    {"compact", "make the file small again"},
    {0},
};

static const struct command command = {
    .tool = "events",
    .summary = "record events, query, replay and fold them",
    .operands = "[QUEUE...|SQL|FILE]",
    .groups = groups,
    .verbs = verbs,
    .notes =
	"The store is a SQLite file, events.db in this folder unless --store says otherwise. A "
	"message is acknowledged when its event is on the disk; an event that has an id is stored "
	"once, and none is ever changed: each carries a hash over itself and all before it. For "
	"what only reads, --store stream:QUEUE takes a RabbitMQ stream instead of a file.\n\n"
	"record: QUEUE..., --tap and --firehose; with none of them all queues of the settings. It "
	"wants to be the only consumer of a queue, for the sake of the order. query: one SELECT "
	"over the view events. show: a position or an id. trace: a trace id, or one of its events "
	"as show takes it. import: FILE, or - for standard "
	"input.\n\n"
	"fold: the reducer gets {state, event}; event has position, id, type, source, subject, "
	"version, time, received, exchange, routing_key, queue, properties, headers and data. "
	"Without --stream and --each the whole store is one stream.\n\n"
	"Exit status 1: a replay ended at an event that was not confirmed, a message could not be "
	"stored, or --expect-version found another version; 65: verify found damage.\n\n"
	"Examples:\n"
	"  events record -s bank bank_audit\n"
	"  events list --type Deposited --since 10m --jq '.amount > 50'\n"
	"  events query 'SELECT type, count(*) FROM events GROUP BY type'\n"
	"  events fold -s bank --projection balance --stream account/acc1 --as-of 2\n"
	"  events replay --exchange '' --routing-key bank_branch --cursor copy\n"
	"  events append --stream account/acc1 --type Closed --data '{}' --expect-version 3",
};

int main(int argc, char *argv[])
{
	struct events_options o = {.tool = {.watcher = &watch_watcher},
	    .store = "events.db",
	    .batch = 2000,
	    .batch_ns = 20 * CHRONO_MS,
	    .declare = true,
	    .window = 1000,
	    .mandatory = true,
	    .snapshot_every = 1000,
	    .source = "/warren"};
	return tool_main(&command, argc, argv, &o, events_run);
}
