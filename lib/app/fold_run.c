#include "app/fold_run.h"

#include "base/log.h"
#include "store/subjects.h"

#define PAGE 2000 /* events */

/* Where a stream is. */
struct walk {
	struct fold_run *run;
	const char *stream;
	struct fold_state *state;
	uint64_t seen; /* all events up to this position were looked at */
	uint64_t left; /* most events that are still to come */
	struct buf json;
};

/* ---- snapshots ---- */

static bool begin_at_snapshot(struct walk *w, struct error *err)
{
	struct fold_run *run = w->run;
	struct snapshot found = {0};
	struct datum value;
	if (run->snapshots != NULL && run->fn == NULL &&
	    !snapshots_find(run->snapshots, w->state->stream, run->to, &found, err))
		return false;
	if (found.position == 0 || !datum_parse(found.state, &value))
		return true;
	datum_free(&w->state->value);
	w->state->value = value;
	w->state->version = found.version;
	w->state->position = found.position;
	w->seen = found.position;
	return true;
}

/* A state that would not come back the same is not kept. */
static void keep(struct walk *w, const struct select_event *event)
{
	const struct fold_run *run = w->run;
	const struct fold_state *state = w->state;
	if (run->snapshots == NULL || run->every == 0 || state->version % run->every != 0)
		return;
	buf_clear(&w->json);
	if (!datum_write(&state->value, &w->json))
		return;
	const struct snapshot snapshot = {
	    state->version, state->position, event->hash, buf_slice(&w->json)};
	snapshots_add(run->snapshots, state->stream, &snapshot);
}

void fold_run_keep(struct fold_run *run)
{
	struct error err = {0};
	if (run->snapshots == NULL || snapshots_write(run->snapshots, &err))
		return;
	log_write(LOG_INFO, "snapshots are not kept: %s", err.text);
	run->every = 0;
}

/* ---- events ---- */

/* Of a subject exactly so many: the index would be searched to its end for one that is not there.
 */
static bool count_events(struct walk *w, struct error *err)
{
	uint64_t version;
	w->left = w->run->to - w->seen;
	if (fold_streams(w->run->fold) != FOLD_SUBJECTS)
		return true;
	if (!subjects_version(w->run->store, w->state->stream, w->run->to, &version, err))
		return false;
	w->left = version - w->state->version;
	return true;
}

static bool take(struct walk *w, const struct select_event *event, struct error *err)
{
	const struct fold_run *run = w->run;
	struct slice name;
	w->seen = event->position;
	if (fold_streams(run->fold) == FOLD_NAMED &&
	    (!fold_stream(run->fold, event, &name) || !slice_equal(name, w->state->stream)))
		return true;
	if (!fold_apply(run->fold, event, w->state, err))
		return false;
	keep(w, event);
	return run->fn == NULL || run->fn(run->ctx, w->state, err);
}

static bool take_page(struct walk *w, size_t *count, struct error *err)
{
	bool is_subject = fold_streams(w->run->fold) == FOLD_SUBJECTS;
	const struct select_filter filter = {.from = w->seen + 1,
	    .to = w->run->to,
	    .subject = is_subject ? w->stream : NULL,
	    .after_version = is_subject ? w->state->version : 0,
	    .limit = w->left < PAGE ? w->left : PAGE};
	struct select_event event;
	struct select *select = select_open(w->run->store, &filter, err);
	bool good = select != NULL;
	*count = 0;
	while (good && select_next(select, &event, err)) {
		good = take(w, &event, err);
		++*count;
		w->left--;
	}
	select_close(select);
	return good && err->kind == ERROR_NONE;
}

bool fold_run(struct fold_run *run, const char *stream, struct fold_state *out, struct error *err)
{
	*out = (struct fold_state){
	    .stream = stream != NULL ? slice_str(stream) : SLICE(""),
	    .value = fold_initial(run->fold),
	};
	struct walk w = {.run = run, .stream = stream, .state = out};
	bool good = begin_at_snapshot(&w, err) && count_events(&w, err);
	for (size_t count = PAGE; good && count > 0 && w.left > 0;) {
		good = take_page(&w, &count, err);
		if (run->snapshots != NULL && snapshots_is_full(run->snapshots))
			fold_run_keep(run);
	}
	buf_release(&w.json);
	return good;
}
