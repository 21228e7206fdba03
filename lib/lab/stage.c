#include "lab/stage.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/provision.h"
#include "lab/child.h"
#include "lab/programs.h"
#include "lab/scratch.h"
#include "lab/stage_private.h"
#include "lab/verdict.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_EVERY_NS (100 * CHRONO_MS)
#define READY_LIMIT_NS (30 * CHRONO_S) /* for a consumer to take messages, or a tool to end */
#define LEFTOVERS_NS (5 * CHRONO_S)
#define HEARTBEAT_S 10

/* ---- waiting ---- */

static bool turn(struct stage *stage, uint64_t deadline_ns, struct error *err)
{
	uint64_t next_ns = chrono_after(chrono_now_ns(), LOOK_EVERY_NS);
	if (board_due_ns(stage->board) < next_ns)
		next_ns = board_due_ns(stage->board);
	if (!loop_turn(stage->loop, next_ns < deadline_ns ? next_ns : deadline_ns, err))
		return false;
	if (chrono_now_ns() >= board_due_ns(stage->board))
		board_show(stage->board);
	for (size_t i = 0; i < stage->lesson->cast_count; i++)
		actor_look(stage->cast[i]);
	if (loop_stop_requested(stage->loop))
		return error_set(err, ERROR_UNAVAILABLE, "the lesson was interrupted");
	return ferror(stage->site->out) == 0 || /* nobody looks any more */
	       error_set(err, ERROR_IO, "cannot write to standard output");
}

/* Turns until the condition holds; *held is false when the limit comes first. */
bool stage_await(struct stage *stage, struct stage_condition condition, uint64_t limit_ns,
    bool *held, struct error *err)
{
	uint64_t deadline_ns = chrono_after(chrono_now_ns(), limit_ns);
	for (;;) {
		if (!condition.holds(stage, condition.ctx, held, err))
			return false;
		if (*held || chrono_now_ns() >= deadline_ns)
			return true;
		if (!turn(stage, deadline_ns, err))
			return false;
	}
}

static bool are_ready(struct stage *stage, const void *ctx, bool *held, struct error *err)
{
	(void)err;
	const lesson_names *who = ctx;
	*held = true;
	for (size_t i = 0; i < stage->lesson->cast_count; i++)
		if ((*who & 1U << i) != 0 && !actor_is_ready(stage->cast[i]))
			*held = false;
	return true;
}

static bool have_ended(struct stage *stage, const void *ctx, bool *held, struct error *err)
{
	(void)err;
	const lesson_names *who = ctx;
	*held = true;
	for (size_t i = 0; i < stage->lesson->cast_count; i++)
		if ((*who & 1U << i) != 0 && actor_is_running(stage->cast[i]))
			*held = false;
	return true;
}

size_t stage_count_messages(const struct stage *stage, lesson_names who)
{
	size_t sum = 0, count;
	for (size_t i = 0; i < stage->lesson->cast_count; i++) {
		if ((who & 1U << i) == 0)
			continue;
		(void)actor_messages(stage->cast[i], &count); /* only how many */
		sum += count;
	}
	return sum;
}

/* UINT64_MAX when there is no such queue. */
bool stage_look_queue(struct stage *stage, const char *queue, uint64_t *holds, struct error *err)
{
	struct provision_state state;
	if (!provision_look_queue(stage->connection, queue, &state, err))
		return false;
	*holds = state.exists ? state.ready : UINT64_MAX;
	return true;
}

static bool step_is_done(struct stage *stage, const void *ctx, bool *held, struct error *err)
{
	const struct lesson_step *step = ctx;
	uint64_t holds;
	if (step->queue != NULL) {
		if (!stage_look_queue(stage, step->queue, &holds, err))
			return false;
		*held = holds == step->holds;
		return true;
	}
	if (step->messages == 0)
		return have_ended(stage, &step->who, held, err);
	*held = stage_count_messages(stage, step->who) >= step->messages;
	return true;
}

/* ---- steps ---- */

/* A text of the settings for the board; to free(). */
char *stage_printable(const char *text)
{
	struct buf out = {0};
	text_escape(slice_trim(slice_str(text)), SIZE_MAX, &out);
	return buf_take(&out);
}

static bool tell_late(const struct stage *stage, const struct lesson_step *step, struct error *err)
{
	struct buf what = {0};
	if (step->queue != NULL) {
		buf_append_str(&what, "queue '");
		text_escape(slice_str(step->queue), 255, &what);
		buf_printf(&what, "' to hold %llu message(s)", (unsigned long long)step->holds);
	} else {
		lesson_describe_names(stage->lesson, step->who, &what);
		if (step->messages > 0)
			buf_printf(&what, " to have %llu message(s), not %zu",
			    (unsigned long long)step->messages,
			    stage_count_messages(stage, step->who));
		else
			buf_append_str(&what, " to end");
	}
	error_set(err, ERROR_UNAVAILABLE, "waited in vain for %s", what.ptr);
	buf_release(&what);
	return false;
}

static void on_input(void *ctx, short revents)
{
	(void)revents; /* the read tells */
	struct stage *stage = ctx;
	char keys[256];
	ssize_t length = read(STDIN_FILENO, keys, sizeof keys);
	if (length <= 0) {
		loop_unwatch(stage->loop, STDIN_FILENO);
		stage->has_input = false;
	} else if (memchr(keys, '\n', (size_t)length) != NULL)
		stage->was_pressed = true;
}

static bool is_pressed(struct stage *stage, const void *ctx, bool *held, struct error *err)
{
	(void)ctx, (void)err;
	*held = stage->was_pressed || !stage->has_input;
	return true;
}

static bool take_pause(struct stage *stage, const char *text, struct error *err)
{
	bool held;
	board_say(stage->board, text);
	if (!stage->has_input)
		return true;
	stage->was_pressed = false;
	board_ask(stage->board, "   press Enter ");
	bool good = stage_await(
	    stage, (struct stage_condition){is_pressed, NULL}, CHRONO_NEVER, &held, err);
	board_ask(stage->board, NULL);
	return good;
}

/* Whose status a check of its own is about. */
lesson_names stage_judged_by_status(const struct lesson *lesson)
{
	lesson_names who = 0;
	for (size_t i = 0; i < lesson->check_count; i++)
		if (lesson->checks[i].kind == LESSON_STATUS)
			who |= lesson->checks[i].of;
	return who;
}

/* A consumer that could not begin is not waited for until the last step. */
static bool have_begun(const struct stage *stage, lesson_names who, struct error *err)
{
	who &= ~stage_judged_by_status(stage->lesson);
	for (size_t i = 0; i < stage->lesson->cast_count; i++) {
		int status;
		if ((who & 1U << i) != 0 && actor_status(stage->cast[i], &status) && status != 0)
			return error_set(err, ERROR_UNAVAILABLE,
			    "'%s' has ended at once, with status %d", stage->lesson->cast[i].name,
			    status);
	}
	return true;
}

static bool start(struct stage *stage, lesson_names who, struct error *err)
{
	bool held;
	for (size_t i = 0; i < stage->lesson->cast_count; i++)
		if ((who & 1U << i) != 0 && !actor_start(stage->cast[i], err))
			return false;
	if (!stage_await(
		stage, (struct stage_condition){are_ready, &who}, READY_LIMIT_NS, &held, err))
		return false;
	if (!held)
		return error_set(
		    err, ERROR_UNAVAILABLE, "a consumer does not begin to take messages");
	return have_begun(stage, who, err);
}

bool stage_end(
    struct stage *stage, lesson_names who, void (*how)(struct actor *actor), struct error *err)
{
	bool held;
	for (size_t i = 0; i < stage->lesson->cast_count; i++)
		if ((who & 1U << i) != 0)
			how(stage->cast[i]);
	if (!stage_await(
		stage, (struct stage_condition){have_ended, &who}, READY_LIMIT_NS, &held, err))
		return false;
	return held || error_set(err, ERROR_UNAVAILABLE, "a tool of the lesson does not end");
}

static bool take_step(struct stage *stage, const struct lesson_step *step, struct error *err)
{
	bool held = true;
	char *text = step->text != NULL ? stage_printable(step->text) : NULL;
	bool good = true;
	switch (step->verb) {
	case LESSON_SAY:
		board_say(stage->board, text);
		break;
	case LESSON_PAUSE:
		good = take_pause(stage, text, err);
		break;
	case LESSON_START:
		good = start(stage, step->who, err);
		break;
	case LESSON_STOP:
		good = stage_end(stage, step->who, actor_stop, err);
		break;
	case LESSON_KILL:
		good = stage_end(stage, step->who, actor_kill, err);
		break;
	case LESSON_WAIT:
		good = stage_await(stage, (struct stage_condition){step_is_done, step},
		    step->within_ns, &held, err);
		break;
	}
	free(text);
	return good && (held || tell_late(stage, step, err));
}

/* ---- the beginning ---- */

static bool prepare(struct stage *stage, struct error *err)
{
	if (!uri_parse(slice_str(stage->site->url), &stage->uri, err))
		return false;
	stage->loop = loop_create(err);
	if (stage->loop == NULL)
		return false;
	const struct connection_options options = {
	    .uri = &stage->uri, .name = "warren-lab", .heartbeat_s = HEARTBEAT_S};
	stage->connection = connection_open(stage->loop, &options, err);
	/* Tools that declare the same quorum queue in the same moment may make RabbitMQ 3.10 close
	 * one of their connections, with INTERNAL_ERROR. So it is all there before they come. */
	if (stage->connection == NULL ||
	    !provision_apply(stage->connection, stage->site->topology, NULL, NULL, NULL, err))
		return false;
	stage->has_input = stage->site->pauses;
	if (stage->has_input)
		loop_watch(stage->loop, STDIN_FILENO, POLLIN, on_input, stage);
	return true;
}

static void assemble(struct stage *stage, const char *names[LESSON_CAST_MAX])
{
	const struct lesson *lesson = stage->lesson;
	for (size_t i = 0; i < lesson->cast_count; i++)
		names[i] = lesson->cast[i].name;
	const struct board_options shown = {.out = stage->site->out,
	    .names = names,
	    .count = lesson->cast_count,
	    .width = stage->site->width,
	    .has_cursor = stage->site->has_cursor,
	    .color = stage->site->color};
	stage->board = board_create(&shown);
	const struct actor_site site = {.loop = stage->loop,
	    .board = stage->board,
	    .settings = stage->site->settings,
	    .folder = stage->site->folder};
	for (size_t i = 0; i < lesson->cast_count; i++)
		stage->cast[i] = actor_create(&site, &lesson->cast[i], i);
}

/* Before anything is played: a jq expression that does not compile is not to be met at the end. */
static bool read_expressions(struct stage *stage, struct error *err)
{
	for (size_t i = 0; i < stage->lesson->check_count; i++) {
		struct buf found = {0};
		bool is_met;
		bool good = verdict_judge(
		    stage->lesson, &stage->lesson->checks[i], stage->cast, &is_met, &found, err);
		buf_release(&found);
		if (!good)
			return error_context(err, "lesson.checks.%zu", i);
	}
	return true;
}

static bool play(struct stage *stage, bool *is_met, struct error *err)
{
	if (!read_expressions(stage, err))
		return false;
	char *title = stage_printable(stage->lesson->title),
	     *watch = stage_printable(stage->lesson->watch);
	board_say(stage->board, title);
	board_say(stage->board, watch);
	free(title);
	free(watch);
	for (size_t i = 0; i < stage->lesson->step_count; i++)
		if (!take_step(stage, &stage->lesson->steps[i], err))
			return false;
	return stage_judge(stage, is_met, err);
}

/* A tool that is killed leaves what it runs for its messages (--exec) behind. */
static void end_leftovers(void)
{
	if (!child_end_all(chrono_after(chrono_now_ns(), LEFTOVERS_NS)))
		log_write(LOG_WARNING, "a process of the lesson does not end");
}

bool stage_play(
    const struct lesson *lesson, const struct stage_site *site, bool *is_met, struct error *err)
{
	struct stage stage = {.lesson = lesson, .site = site};
	const char *names[LESSON_CAST_MAX];
	bool had_children = child_are_there(); /* of a shell that became us: not ours to end */
	child_adopt_orphans();
	programs_lead_to(site->url);
	char *scratch = scratch_make(err);
	bool good = scratch != NULL && prepare(&stage, err);
	if (good) {
		assemble(&stage, names);
		good = play(&stage, is_met, err);
	}
	for (size_t i = 0; i < lesson->cast_count; i++)
		actor_free(stage.cast[i]);
	if (!had_children)
		end_leftovers();
	scratch_remove(scratch);
	board_free(stage.board);
	connection_close(stage.connection);
	loop_free(stage.loop);
	uri_release(&stage.uri);
	return good;
}
