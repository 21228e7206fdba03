/* events.h - the verbs of the events tool: record what happens, ask, replay, fold. */
#ifndef APP_EVENTS_H
#define APP_EVENTS_H

#include "app/tool.h"

enum events_format { EVENTS_TABLE, EVENTS_JSON, EVENTS_CSV };

struct events_options {
	struct tool_options tool;
	const char *store; /* a file, or "stream:QUEUE" */
	int format;	   /* enum events_format */
	bool has_format;

	/* which events */
	struct option_list types;
	struct option_list ids;
	const char *since, *until; /* RFC 3339 or a duration before now; of the recording */
	const char *exchange;	   /* replay: where to */
	struct option_list keys;   /* topic patterns; record --tap: binding keys */
	const char *stream;	   /* the subject, or what --stream-by makes of an event */
	const char *grep, *jq, *where;
	uint64_t from, to; /* positions */
	bool has_from, has_to;
	uint64_t limit;
	bool has_limit;
	bool reverse;

	/* record */
	struct option_list taps;
	int firehose; /* enum events_firehose */
	uint64_t count, prefetch, idle_ns, batch, batch_ns;
	bool has_count, has_prefetch, has_idle, has_batch, has_batch_time;
	bool until_empty, declare;
	const char *offset;

	/* replay */
	const char *routing_key, *speed, *cursor;
	double rate;
	bool has_rate;
	uint64_t window;
	bool has_window;
	struct option_list masks;
	bool mandatory;

	/* fold, append */
	const char *reduce, *initial, *projection, *stream_by, *as_of;
	uint64_t snapshot_every;
	bool has_snapshot_every;
	bool each, follow, history;
	const char *type, *source, *data; /* append */
	bool has_source;
	uint64_t expect_version;
	bool has_expect_version;

	/* verify */
	const char *head;
};

enum events_firehose { EVENTS_FIREHOSE_NONE, EVENTS_FIREHOSE_PUBLISH, EVENTS_FIREHOSE_DELIVER };

/* A verb, with the operands behind it. */
typedef bool events_verb_fn(
    struct tool *tool, const struct events_options *options, char **operands, struct error *err);

/* options are a struct events_options. */
tool_run_fn events_run;

#endif
