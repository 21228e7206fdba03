#include "app/events.h"

#include "app/events_private.h"
#include "app/stream_store.h"
#include "app/verbs.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const struct verb {
	const char *name;
	events_verb_fn *run;
} verbs[] = {
    {"append", events_append},
    {"compact", events_compact},
    {"export", events_export},
    {"fold", events_fold},
    {"import", events_import},
    {"list", events_list},
    {"query", events_query},
    {"record", events_record},
    {"replay", events_replay},
    {"show", events_show},
    {"stats", events_stats},
    {"trace", events_trace},
    {"verify", events_verify},
    {0},
};

/* ---- which option goes with which verbs ---- */

#define WHICH "list, stats, replay, export" /* what say which events */

static bool check_verb(const char *verb, const struct events_options *o, struct error *err)
{
	const struct verbs_option rows[] = {
	    {"--format", o->has_format, "list, show, query, stats, fold, trace"},
	    {"--type", o->types.count > 0, WHICH ", append"},
	    {"--id", o->ids.count > 0, WHICH ", append"},
	    {"--stream", o->stream != NULL, WHICH ", fold, append"},
	    {"--exchange", o->exchange != NULL, WHICH ", append"},
	    {"--key", o->keys.count > 0, WHICH ", record, append"},
	    {"--since", o->since != NULL, WHICH},
	    {"--until", o->until != NULL, WHICH},
	    {"--from", o->has_from, WHICH},
	    {"--to", o->has_to, WHICH},
	    {"--grep", o->grep != NULL, WHICH},
	    {"--jq", o->jq != NULL, WHICH},
	    {"--where", o->where != NULL, WHICH},
	    {"--limit", o->has_limit, WHICH},
	    {"--reverse", o->reverse, "list"},
	    {"--tap", o->taps.count > 0, "record"},
	    {"--firehose", o->firehose != EVENTS_FIREHOSE_NONE, "record"},
	    {"--count", o->has_count, "record"},
	    {"--idle", o->has_idle, "record"},
	    {"--until-empty", o->until_empty, "record, fold"},
	    {"--prefetch", o->has_prefetch, "record"},
	    {"--batch", o->has_batch, "record, import"},
	    {"--batch-time", o->has_batch_time, "record"},
	    {"--offset", o->offset != NULL, "record"},
	    {"--routing-key", o->routing_key != NULL, "replay"},
	    {"--speed", o->speed != NULL, "replay"},
	    {"--rate", o->has_rate, "replay"},
	    {"--cursor", o->cursor != NULL, "replay"},
	    {"--mask", o->masks.count > 0, "replay"},
	    {"--window", o->has_window, "replay"},
	    {"--reduce", o->reduce != NULL, "fold"},
	    {"--initial", o->initial != NULL, "fold"},
	    {"--projection", o->projection != NULL, "fold"},
	    {"--stream-by", o->stream_by != NULL, "fold"},
	    {"--each", o->each, "fold"},
	    {"--as-of", o->as_of != NULL, "fold"},
	    {"--history", o->history, "fold"},
	    {"--snapshot-every", o->has_snapshot_every, "fold"},
	    {"--follow", o->follow, "fold"},
	    {"--source", o->has_source, "append"},
	    {"--data", o->data != NULL, "append"},
	    {"--expect-version", o->has_expect_version, "append"},
	    {"--head", o->head != NULL, "verify"},
	};
	return verbs_check(verb, rows, ARRAY_LEN(rows), err);
}

/* ---- what verbs share ---- */

bool events_operands(char **operands, const char *verb, const char *what, struct error *err)
{
	size_t wanted = what != NULL ? 1 : 0;
	if (what != NULL && operands[0] == NULL)
		return error_set(err, ERROR_USAGE, "%s needs %s", verb, what);
	if (operands[wanted] == NULL)
		return true;
	char *shown = text_quote(slice_str(operands[wanted]));
	error_set(err, ERROR_USAGE, "%s takes %s; '%s' is too much", verb,
	    what != NULL ? what : "options alone", shown);
	free(shown);
	return false;
}

struct store *events_open_store(
    struct tool *tool, const struct events_options *o, enum store_mode mode, struct error *err)
{
	const size_t prefix = strlen("stream:");
	if (strncmp(o->store, "stream:", prefix) != 0)
		return store_open(o->store, mode, err);
	if (mode == STORE_READ)
		return stream_store_open(tool, o->store + prefix, err);
	error_set(err, ERROR_USAGE,
	    "this needs a store that is a file: into a stream events are published, and 'events "
	    "record' makes a file of it");
	return NULL;
}

static bool run_verb(struct tool *tool, const struct events_options *o, struct error *err)
{
	char **operands = tool->operands;
	if (operands[0] == NULL)
		return error_set(err, ERROR_USAGE, "what is to be done? --help lists the verbs");
	const struct verb *verb = verbs;
	while (verb->name != NULL && strcmp(verb->name, operands[0]) != 0)
		verb++; /* options_parse lets only verbs through */
	return check_verb(operands[0], o, err) &&
	       tool_load_settings(tool, false, rng_entropy(), err) &&
	       verb->run(tool, o, operands + 1, err);
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
