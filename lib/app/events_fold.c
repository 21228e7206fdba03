#include "app/events_private.h"

#include "app/events_select.h"
#include "app/fold_run.h"
#include "app/fold_spec.h"
#include "app/fold_table.h"
#include "app/metrics.h"
#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/output.h"
#include "base/text.h"
#include "store/append.h"

#include <stdlib.h>
#include <unistd.h>

/* Of a store that another process writes to, before it is folded without keeping snapshots. */
#define PATIENCE_NS (2 * CHRONO_S)
#define POLL_NS (50 * CHRONO_MS)
#define GRACE_NS CHRONO_S

struct job {
	struct tool *tool;
	const struct events_options *o;
	struct fold_spec spec;
	struct store *store;
	struct output output;
	uint64_t to;	   /* the last position */
	uint64_t folded;   /* events, of --follow */
	bool has_headline; /* of the table */
};

/* ---- output ---- */

static void write_row(struct job *job, const struct fold_state *s, struct buf *out)
{
	struct buf json = {0}, name = {0};
	if (!job->has_headline)
		buf_printf(out, "%8s %10s  %-24s %s\n", "VERSION", "POSITION", "STREAM", "STATE");
	job->has_headline = true;
	text_escape(s->stream, SIZE_MAX, &name);
	datum_write(&s->value, &json);
	buf_printf(out, "%8llu %10llu  %-24s ", (unsigned long long)s->version,
	    (unsigned long long)s->position, name.len > 0 ? name.ptr : "");
	text_escape(buf_slice(&json), SIZE_MAX, out);
	buf_append_char(out, '\n');
	buf_release(&name);
	buf_release(&json);
}

static void write_line(const struct job *job, const struct fold_state *s, struct buf *out)
{
	buf_append_str(out, "{\"stream\":");
	if (fold_streams(job->spec.fold) == FOLD_WHOLE)
		buf_append_str(out, "null");
	else
		text_json(s->stream, out);
	buf_printf(out,
	    ",\"version\":%llu,\"position\":%llu,\"state\":", (unsigned long long)s->version,
	    (unsigned long long)s->position);
	datum_write(&s->value, out);
	buf_append_str(out, "}\n");
}

/* A fold_state_fn. */
static bool print(void *ctx, const struct fold_state *s, struct error *err)
{
	struct job *job = ctx;
	struct buf *out = output_buf(&job->output);
	if (!fold_check_state(s, err))
		return false;
	if (job->o->has_format && job->o->format == EVENTS_TABLE)
		write_row(job, s, out);
	else
		write_line(job, s, out);
	return !output_is_full(&job->output) || output_drain(&job->output, GRACE_NS, err);
}

static bool print_alone(struct job *job, const struct fold_state *s, struct error *err)
{
	if (job->o->has_format && job->o->format == EVENTS_TABLE)
		return print(job, s, err);
	if (!fold_check_state(s, err))
		return false;
	datum_write(&s->value, output_buf(&job->output));
	buf_append_char(output_buf(&job->output), '\n');
	return true;
}

/* ---- until when ---- */

static bool find_end(struct job *job, struct error *err)
{
	unsigned char hash[STORE_HASH_BYTES];
	const char *text = job->o->as_of;
	struct error ignored = {0}; /* the last form tells what is accepted */
	uint64_t number, last;
	int64_t us;
	if (!store_head(job->store, &last, hash, err))
		return false;
	job->to = last;
	if (text == NULL)
		return true;
	if (num_parse_u64(slice_str(text), 0, INT64_MAX, &number, &ignored)) {
		job->to = number < last ? number : last;
		return true;
	}
	error_clear(&ignored);
	if (!events_select_time(
		"--as-of", text, (int64_t)(chrono_wall_ns() / CHRONO_US), &us, &ignored))
		return error_set(err, ERROR_USAGE,
		    "option '--as-of' takes a position, a time such as 2026-11-21T08:15:30Z, or "
		    "10m for ten minutes ago");
	return select_position_at(job->store, us, &job->to, err);
}

/* ---- one stream, or each ---- */

/* A projection_fn. */
static bool print_kept(void *ctx, const struct projection_row *row, struct error *err)
{
	struct fold_state state = {row->stream, row->version, row->position, {{0}}};
	if (!datum_parse(row->state, &state.value))
		return error_set(err, ERROR_INTERNAL, "a state that was kept is not JSON");
	bool good = print(ctx, &state, err);
	datum_free(&state.value);
	return good;
}

/* Every event once, in their order; the states are in a file that goes with the process. */
static bool fold_each(struct job *job, struct error *err)
{
	bool more = true;
	struct projection *p = projection_open(job->store, NULL, fold_digest(job->spec.fold), err);
	if (p == NULL)
		return false;
	const struct fold_table_options options = {.store = job->store,
	    .fold = job->spec.fold,
	    .projection = p,
	    .every = job->o->history ? print : NULL,
	    .ctx = job};
	struct fold_table *table = fold_table_create(&options);
	while (more && fold_table_advance(table, job->to, &more, err))
		;
	fold_table_free(table);
	bool good = !more && (job->o->history || projection_each(p, print_kept, job, err));
	projection_close(p);
	return good;
}

/* What a recorder has not entered into the index would be looked through for every page. */
static void settle(struct store *store)
{
	struct error ignored = {0}; /* it goes without, too */
	struct append *append = append_create(store);
	IGNORE_RESULT(append_settle(append, &ignored));
	append_free(append);
}

static bool fold_one(struct job *job, struct error *err)
{
	const struct fold_spec *spec = &job->spec;
	struct fold_state state;
	struct fold_run run = {.store = job->store,
	    .fold = spec->fold,
	    .every = spec->every,
	    .to = job->to,
	    .fn = job->o->history ? print : NULL,
	    .ctx = job};
	if (spec->every > 0)
		run.snapshots = snapshots_create(job->store, fold_digest(spec->fold), spec->owner);
	if (fold_streams(spec->fold) == FOLD_SUBJECTS)
		settle(job->store);
	bool good = fold_run(&run, job->o->stream, &state, err);
	if (good)
		fold_run_keep(&run);
	if (good && !job->o->history)
		good = print_alone(job, &state, err);
	datum_free(&state.value);
	snapshots_free(run.snapshots);
	return good;
}

/* ---- following ---- */

/* Until another connection has changed the store, or we are to stop. */
static bool wait_for_change(struct job *job, uint64_t before, struct error *err)
{
	struct loop *loop = job->tool->loop;
	uint64_t now = before;
	while (now == before && !loop_stop_requested(loop))
		if (!loop_turn(loop, chrono_after(chrono_now_ns(), POLL_NS), err) ||
		    !store_changes(job->store, &now, err))
			return false;
	return true;
}

static bool catch_up(struct job *job, struct fold_table *table, struct error *err)
{
	unsigned char hash[STORE_HASH_BYTES];
	bool more = true;
	if (!store_head(job->store, &job->to, hash, err))
		return false;
	while (more && !loop_stop_requested(job->tool->loop))
		if (!fold_table_advance(table, job->to, &more, err) ||
		    !output_drain(&job->output, GRACE_NS, err))
			return false;
	return true;
}

static bool follow_table(struct job *job, struct fold_table *table, struct error *err)
{
	bool good = true;
	while (good && !loop_stop_requested(job->tool->loop)) {
		uint64_t changes; /* looked at first, so that none is missed */
		good = store_changes(job->store, &changes, err) && catch_up(job, table, err);
		if (good && job->o->until_empty)
			break;
		good = good && wait_for_change(job, changes, err);
	}
	return good;
}

static bool note_event(void *ctx, const struct fold_state *state, struct error *err)
{
	struct job *job = ctx;
	(void)state, (void)err;
	job->folded++;
	return true;
}

static uint64_t count_folded(const void *ctx)
{
	return ((const struct job *)ctx)->folded;
}

static bool follow(struct job *job, struct error *err)
{
	const struct fold_spec *spec = &job->spec;
	struct projection *p =
	    projection_open(job->store, spec->projection, fold_digest(spec->fold), err);
	if (p == NULL)
		return false;
	const struct fold_table_options options = {.store = job->store,
	    .fold = spec->fold,
	    .projection = p,
	    .every = note_event,
	    .changed = print,
	    .ctx = job};
	struct metrics *metrics = job->tool->metrics;
	struct fold_table *table = fold_table_create(&options);
	if (metrics != NULL)
		metrics_count(metrics, "warren_events_folded_total",
		    "Events that went into the projection.", count_folded, job);
	bool good = follow_table(job, table, err);
	if (metrics != NULL)
		metrics_freeze(metrics, job);
	fold_table_free(table);
	projection_close(p);
	return good;
}

/* ---- the whole ---- */

/* One that cannot be written to is folded all the same, without snapshots. */
static struct store *open_store(
    struct tool *tool, const struct events_options *o, struct error *err)
{
	struct error ignored = {0};
	struct store *store = events_open_store(tool, o, STORE_WRITE, o->follow ? err : &ignored);
	if (store != NULL && !o->follow)
		store_set_patience(store, PATIENCE_NS);
	if (store == NULL && !o->follow)
		store = events_open_store(tool, o, STORE_READ, err);
	return store;
}

static bool run(struct job *job, struct error *err)
{
	if (job->o->follow)
		return follow(job, err);
	return find_end(job, err) &&
	       (job->spec.is_each ? fold_each(job, err) : fold_one(job, err)) &&
	       output_drain(&job->output, GRACE_NS, err);
}

bool events_fold(
    struct tool *tool, const struct events_options *o, char **operands, struct error *err)
{
	struct job job = {.tool = tool, .o = o};
	bool good = events_operands(operands, "fold", NULL, err) &&
		    fold_spec_read(tool, o, &job.spec, err) &&
		    (!o->follow || tool_open_loop(tool, err)) &&
		    (job.store = open_store(tool, o, err)) != NULL;
	output_init(&job.output, STDOUT_FILENO, "standard output", tool->loop);
	good = good && run(&job, err);
	output_release(&job.output);
	store_close(job.store);
	fold_spec_release(&job.spec);
	return good;
}
