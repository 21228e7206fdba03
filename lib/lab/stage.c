#include "lab/stage.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "broker/provision.h"
#include "lab/actor.h"
#include "lab/board.h"
#include "lab/child.h"
#include "lab/programs.h"
#include "lab/verdict.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_EVERY_NS (100 * CHRONO_MS)
#define READY_LIMIT_NS (30 * CHRONO_S) /* for a consumer to take messages, or a tool to end */
#define LEFTOVERS_NS (5 * CHRONO_S)
#define HEARTBEAT_S 10

struct stage {
	const struct lesson *lesson;
	const struct stage_site *site;
	struct loop *loop;
	struct board *board;
	struct uri uri;
	struct connection *connection;
	struct actor *cast[LESSON_CAST_MAX];
	bool has_input; /* standard input may still have a line */
	bool was_pressed;
};

/* ---- waiting ---- */

struct condition {
	bool (*holds)(struct stage *stage, const void *ctx, bool *held, struct error *err);
	const void *ctx;
};

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
static bool await(struct stage *stage, struct condition condition, uint64_t limit_ns, bool *held,
    struct error *err)
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

static size_t count_messages(const struct stage *stage, lesson_names who)
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
static bool look_queue(struct stage *stage, const char *queue, uint64_t *holds, struct error *err)
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
		if (!look_queue(stage, step->queue, &holds, err))
			return false;
		*held = holds == step->holds;
		return true;
	}
	if (step->messages == 0)
		return have_ended(stage, &step->who, held, err);
	*held = count_messages(stage, step->who) >= step->messages;
	return true;
}

/* ---- steps ---- */

/* A text of the settings for the board; to free(). */
static char *printable(const char *text)
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
			    (unsigned long long)step->messages, count_messages(stage, step->who));
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
	bool good = await(stage, (struct condition){is_pressed, NULL}, CHRONO_NEVER, &held, err);
	board_ask(stage->board, NULL);
	return good;
}

/* Whose status a check of its own is about. */
static lesson_names judged_by_status(const struct lesson *lesson)
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
	who &= ~judged_by_status(stage->lesson);
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
	if (!await(stage, (struct condition){are_ready, &who}, READY_LIMIT_NS, &held, err))
		return false;
	if (!held)
		return error_set(
		    err, ERROR_UNAVAILABLE, "a consumer does not begin to take messages");
	return have_begun(stage, who, err);
}

static bool end(
    struct stage *stage, lesson_names who, void (*how)(struct actor *actor), struct error *err)
{
	bool held;
	for (size_t i = 0; i < stage->lesson->cast_count; i++)
		if ((who & 1U << i) != 0)
			how(stage->cast[i]);
	if (!await(stage, (struct condition){have_ended, &who}, READY_LIMIT_NS, &held, err))
		return false;
	return held || error_set(err, ERROR_UNAVAILABLE, "a tool of the lesson does not end");
}

static bool take_step(struct stage *stage, const struct lesson_step *step, struct error *err)
{
	bool held = true;
	char *text = step->text != NULL ? printable(step->text) : NULL;
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
		good = end(stage, step->who, actor_stop, err);
		break;
	case LESSON_KILL:
		good = end(stage, step->who, actor_kill, err);
		break;
	case LESSON_WAIT:
		good = await(
		    stage, (struct condition){step_is_done, step}, step->within_ns, &held, err);
		break;
	}
	free(text);
	return good && (held || tell_late(stage, step, err));
}

/* ---- the verdict ---- */

static bool queue_holds(struct stage *stage, const void *ctx, bool *held, struct error *err)
{
	const struct lesson_check *check = ctx;
	uint64_t holds;
	if (!look_queue(stage, check->queue, &holds, err))
		return false;
	*held = holds == check->holds;
	return true;
}

/* What a consumer had and did not acknowledge comes back a moment after its end. */
static bool judge_queue(struct stage *stage, const struct lesson_check *check, bool *is_met,
    struct buf *found, struct error *err)
{
	uint64_t holds;
	if (!await(stage, (struct condition){queue_holds, check}, stage->lesson->patience_ns,
		is_met, err) ||
	    !look_queue(stage, check->queue, &holds, err))
		return false;
	if (holds == UINT64_MAX)
		buf_append_str(found, "there is none");
	else
		buf_printf(found, "%llu", (unsigned long long)holds);
	return true;
}

static bool messages_are_there(struct stage *stage, const void *ctx, bool *held, struct error *err)
{
	(void)ctx;
	struct buf found = {0};
	bool good = true;
	*held = true;
	for (size_t i = 0; good && *held && i < stage->lesson->check_count; i++) {
		const struct lesson_check *check = &stage->lesson->checks[i];
		if (verdict_is_of_messages(check))
			good = verdict_judge(stage->lesson, check, stage->cast, held, &found, err);
	}
	buf_release(&found);
	return good;
}

/* Waits for the messages that are expected, for as long as some come. */
static bool settle(struct stage *stage, struct error *err)
{
	const struct condition there = {messages_are_there, NULL};
	size_t before, now = count_messages(stage, UINT32_MAX);
	bool held;
	do {
		before = now;
		if (!await(stage, there, stage->lesson->patience_ns, &held, err))
			return false;
		now = count_messages(stage, UINT32_MAX);
	} while (!held && now > before);
	return true;
}

#define MET "  ok   "
#define UNMET "  NOT  "
#define EXPECTED "       expected: "
#define FOUND "       found:    "

static void print_verdict(struct stage *stage, bool is_met, const char *that, const char *expected,
    const struct buf *found)
{
	board_print(stage->board, is_met ? MET : UNMET, that);
	board_print(stage->board, EXPECTED, expected);
	board_print(stage->board, FOUND, found->len > 0 ? found->ptr : "nothing");
}

static void print_check(
    struct stage *stage, const struct lesson_check *check, bool is_met, const struct buf *found)
{
	struct buf expected = {0};
	char *that = check->that != NULL ? printable(check->that) : NULL;
	lesson_describe_check(stage->lesson, check, &expected);
	print_verdict(stage, is_met, that != NULL ? that : expected.ptr, expected.ptr, found);
	free(that);
	buf_release(&expected);
}

static bool judge_all(struct stage *stage, size_t *met, struct error *err)
{
	for (size_t i = 0; i < stage->lesson->check_count; i++) {
		const struct lesson_check *check = &stage->lesson->checks[i];
		struct buf found = {0};
		bool is_met = false;
		bool good =
		    check->kind == LESSON_QUEUE
			? judge_queue(stage, check, &is_met, &found, err)
			: verdict_judge(stage->lesson, check, stage->cast, &is_met, &found, err);
		if (good)
			print_check(stage, check, is_met, &found);
		*met += is_met;
		buf_release(&found);
		if (!good)
			return false;
	}
	return true;
}

/* Nobody fails unsaid. */
static size_t count_failures(struct stage *stage)
{
	lesson_names known = judged_by_status(stage->lesson);
	size_t failures = 0;
	for (size_t i = 0; i < stage->lesson->cast_count; i++) {
		int status;
		if ((known & 1U << i) != 0 || !actor_status(stage->cast[i], &status) || status == 0)
			continue;
		struct buf that = {0}, found = {0};
		buf_printf(&that, "%s ends well", stage->lesson->cast[i].name);
		buf_printf(&found, "%d", status);
		print_verdict(stage, false, that.ptr, "exit status 0", &found);
		buf_release(&that);
		buf_release(&found);
		failures++;
	}
	return failures;
}

static bool judge(struct stage *stage, bool *is_met, struct error *err)
{
	size_t met = 0, total = stage->lesson->check_count;
	if (!settle(stage, err) || !end(stage, UINT32_MAX, actor_stop, err))
		return false;
	board_say(stage->board, "What was expected, and what happened:");
	if (!judge_all(stage, &met, err))
		return false;
	size_t failures = count_failures(stage);
	char *last = mem_printf("%zu of %zu checks as expected", met, total + failures);
	board_print(stage->board, "", last);
	free(last);
	*is_met = met == total && failures == 0;
	return true;
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
	char *title = printable(stage->lesson->title), *watch = printable(stage->lesson->watch);
	board_say(stage->board, title);
	board_say(stage->board, watch);
	free(title);
	free(watch);
	for (size_t i = 0; i < stage->lesson->step_count; i++)
		if (!take_step(stage, &stage->lesson->steps[i], err))
			return false;
	return judge(stage, is_met, err);
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
	bool good = prepare(&stage, err);
	if (good) {
		assemble(&stage, names);
		good = play(&stage, is_met, err);
	}
	for (size_t i = 0; i < lesson->cast_count; i++)
		actor_free(stage.cast[i]);
	if (!had_children)
		end_leftovers();
	board_free(stage.board);
	connection_close(stage.connection);
	loop_free(stage.loop);
	uri_release(&stage.uri);
	return good;
}
