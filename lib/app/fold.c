#include "app/fold.h"

#include "app/fold_event.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "jq/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct slice column_fn(struct fold *f, const struct select_event *event);

struct fold {
	enum fold_streams streams;
	struct program *reducer;
	struct datum initial;
	unsigned char digest[DIGEST_BYTES];
	column_fn *column;	/* what names the streams, or */
	struct program *naming; /* this; NULL: neither */
	struct buf name;	/* of the last fold_stream */
	char endless[128];	/* what the watchdog says of the event at hand */
	bool has_warned;
};

/* ---- columns ---- */

static struct slice subject_of(struct fold *f, const struct select_event *e)
{
	(void)f;
	return e->subject;
}

static struct slice type_of(struct fold *f, const struct select_event *e)
{
	(void)f;
	return e->type;
}

static struct slice source_of(struct fold *f, const struct select_event *e)
{
	(void)f;
	return e->source;
}

static struct slice queue_of(struct fold *f, const struct select_event *e)
{
	(void)f;
	return e->queue;
}

static struct slice exchange_of(struct fold *f, const struct select_event *e)
{
	(void)f;
	return e->exchange;
}

static struct slice routing_key_of(struct fold *f, const struct select_event *e)
{
	(void)f;
	return e->routing_key;
}

static struct slice correlation_id_of(struct fold *f, const struct select_event *e)
{
	struct datum all, value;
	struct slice text = {0};
	if (!datum_parse(e->properties, &all))
		return text;
	value = datum_move(&all, "correlation_id");
	if (datum_is_text(&value, &text)) {
		buf_clear(&f->name);
		buf_append(&f->name, text);
		text = buf_slice(&f->name);
	}
	datum_free(&value);
	datum_free(&all);
	return text;
}

static const struct column {
	const char *name;
	column_fn *value;
} columns[] = {
    {"subject", subject_of},
    {"type", type_of},
    {"source", source_of},
    {"queue", queue_of},
    {"exchange", exchange_of},
    {"routing_key", routing_key_of},
    {"correlation_id", correlation_id_of},
};

static column_fn *find_column(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		if (strcmp(columns[i].name, name) == 0)
			return columns[i].value;
	return NULL;
}

/* ---- making ---- */

static bool read_streams(struct fold *f, const struct fold_options *o, struct error *err)
{
	const char *by = o->stream_by != NULL ? o->stream_by : "subject";
	if (o->is_whole)
		return true;
	f->column = find_column(by);
	f->streams = f->column == subject_of ? FOLD_SUBJECTS : FOLD_NAMED;
	if (f->column != NULL)
		return true;
	const char *names[FOLD_EVENT_VARIABLES];
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		names[i] = fold_event_variable(i);
	const struct program_options program = {.expression = by,
	    .variables = names,
	    .variable_count = ARRAY_LEN(names),
	    .endless = f->endless,
	    .greedy = "error: the expression of --stream-by needs more memory than there is\n",
	    .status = ERROR_DATA};
	f->naming = program_create(&program, err);
	return f->naming != NULL;
}

static bool read_initial(struct fold *f, const char *json, struct error *err)
{
	if (json == NULL)
		f->initial = datum_null();
	else if (!datum_parse(slice_str(json), &f->initial)) {
		char *text = text_quote(slice_str(json));
		error_set(err, ERROR_DATA, "the initial state '%s' is not JSON", text);
		free(text);
		return false;
	}
	return true;
}

/* Each behind its length, so that no two sets of them are the same bytes. */
static void add_text(struct digest *digest, const char *text)
{
	struct buf out = {0};
	buf_printf(&out, "%zu %s", text != NULL ? strlen(text) : 0, text != NULL ? text : "");
	digest_add(digest, buf_slice(&out));
	buf_release(&out);
}

static void sum_up(struct fold *f, const struct fold_options *o)
{
	struct digest *digest = digest_create();
	struct buf initial = {0};
	datum_write(&f->initial, &initial);
	digest_begin(digest);
	add_text(digest, "fold 1"); /* a new number when events look otherwise to a reducer */
	add_text(digest, o->reduce);
	add_text(digest, initial.ptr);
	add_text(digest, o->is_whole ? "" : o->stream_by != NULL ? o->stream_by : "subject");
	digest_end(digest, f->digest);
	buf_release(&initial);
	digest_free(digest);
}

struct fold *fold_create(const struct fold_options *options, struct error *err)
{
	struct fold *f = mem_alloc(1, sizeof *f);
	const struct program_options program = {.expression = options->reduce,
	    .endless = f->endless,
	    .greedy = "error: the reducer needs more memory than there is\n",
	    .status = ERROR_DATA};
	f->reducer = program_create(&program, err);
	if (f->reducer != NULL && read_initial(f, options->initial, err) &&
	    read_streams(f, options, err)) {
		sum_up(f, options);
		return f;
	}
	fold_free(f);
	return NULL;
}

void fold_free(struct fold *f)
{
	if (f == NULL)
		return;
	program_free(f->reducer);
	program_free(f->naming);
	datum_free(&f->initial);
	buf_release(&f->name);
	free(f);
}

void fold_set_limit(struct fold *f, uint64_t limit_ns)
{
	program_set_limit(f->reducer, limit_ns);
}

enum fold_streams fold_streams(const struct fold *f)
{
	return f->streams;
}

const unsigned char *fold_digest(const struct fold *f)
{
	return f->digest;
}

struct datum fold_initial(const struct fold *f)
{
	return datum_copy(&f->initial);
}

/* Before every run, as the watchdog has no time for it. */
static void prepare_complaint(struct fold *f, const struct select_event *event, const char *who)
{
	snprintf(f->endless, sizeof f->endless, "error: event %llu: %s did not come to an end\n",
	    (unsigned long long)event->position, who);
}

/* ---- the stream of an event ---- */

static void warn(struct fold *f, const struct select_event *event, const struct datum *failure)
{
	if (f->has_warned)
		return;
	f->has_warned = true;
	char *said = program_complaint(failure);
	log_write(LOG_WARNING,
	    "the expression of --stream-by fails on event %llu, which belongs to no stream then: "
	    "%s (further failures are not told)",
	    (unsigned long long)event->position, said);
	free(said);
}

static bool run_naming(struct fold *f, const struct select_event *event)
{
	struct datum body = datum_body(event->body), values[FOLD_EVENT_VARIABLES] = {0}, name;
	struct slice text;
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if (program_reads(f->naming, i))
			values[i] = fold_event_value(i, event);
	prepare_complaint(f, event, "the expression of --stream-by");
	program_start(f->naming, &body, values);
	enum program_answer answer = program_next(f->naming, &name);
	buf_clear(&f->name);
	if (answer == PROGRAM_FAILED)
		warn(f, event, &name);
	else if (datum_is_text(&name, &text))
		buf_append(&f->name, text);
	else if (datum_is_true(&name))
		datum_write(&name, &f->name);
	bool good = answer == PROGRAM_OUTPUT && datum_is_true(&name);
	datum_free(&name);
	return good;
}

bool fold_stream(struct fold *f, const struct select_event *event, struct slice *name)
{
	if (f->naming != NULL) {
		if (!run_naming(f, event))
			return false;
		*name = f->name.len > 0 ? buf_slice(&f->name) : SLICE("");
	} else {
		*name = f->column != NULL ? f->column(f, event) : SLICE("");
	}
	return name->ptr != NULL;
}

/* ---- the next state ---- */

static bool fail(const struct select_event *event, const char *what, struct error *err)
{
	char *id = text_quote(event->id);
	if (event->id.ptr != NULL)
		error_set(err, ERROR_DATA, "event %llu ('%s'): %s",
		    (unsigned long long)event->position, id, what);
	else
		error_set(
		    err, ERROR_DATA, "event %llu: %s", (unsigned long long)event->position, what);
	free(id);
	return false;
}

bool fold_apply(
    struct fold *f, const struct select_event *event, struct fold_state *state, struct error *err)
{
	struct datum input = datum_object();
	datum_set_take(&input, "state", state->value);
	state->value = (struct datum){0};
	datum_set_take(&input, "event", fold_event_object(event));
	prepare_complaint(f, event, "the reducer");
	program_start(f->reducer, &input, NULL);
	enum program_answer answer = program_next(f->reducer, &state->value);
	state->version++;
	state->position = event->position;
	if (answer == PROGRAM_OUTPUT)
		return true;
	if (answer == PROGRAM_END)
		return fail(event, "the reducer gives no state", err);
	char *said = program_complaint(&state->value);
	char *what = mem_printf("the reducer fails: %s", said);
	datum_free(&state->value);
	fail(event, what, err);
	free(what);
	free(said);
	return false;
}

bool fold_check_state(const struct fold_state *state, struct error *err)
{
	if (datum_is_json(&state->value))
		return true;
	char *name = text_quote(state->stream);
	error_set(err, ERROR_DATA,
	    "event %llu: the state%s%s%s holds what JSON cannot: infinity, not a number, or more "
	    "than %d levels",
	    (unsigned long long)state->position, name[0] != '\0' ? " of stream '" : "", name,
	    name[0] != '\0' ? "'" : "", DATUM_MAX_DEPTH);
	free(name);
	return false;
}
