/* The verdict on a lesson. */
#include "lab/stage.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "broker/provision.h"
#include "lab/stage_private.h"
#include "lab/verdict.h"

#include <stdlib.h>
#include <string.h>

#define MOST_PATIENCE 12	  /* times: who sends without end may never send what is expected */
#define REST_NS (300 * CHRONO_MS) /* from the broker through a consumer to us */

static bool queue_holds(struct stage *stage, const void *ctx, bool *held, struct error *err)
{
	const struct lesson_check *check = ctx;
	uint64_t holds;
	if (!stage_look_queue(stage, check->queue, &holds, err))
		return false;
	*held = holds == check->holds;
	return true;
}

/* What a consumer had and did not acknowledge comes back a moment after its end. */
static bool judge_queue(struct stage *stage, const struct lesson_check *check, bool *is_met,
    struct buf *found, struct error *err)
{
	uint64_t holds;
	if (!stage_await(stage, (struct stage_condition){queue_holds, check},
		stage->lesson->patience_ns, is_met, err) ||
	    !stage_look_queue(stage, check->queue, &holds, err))
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
		struct lesson_check check = stage->lesson->checks[i];
		check.most = UINT64_MAX; /* too many do not become fewer */
		if (verdict_is_of_messages(&check))
			good = verdict_judge(stage->lesson, &check, stage->cast, held, &found, err);
	}
	buf_release(&found);
	return good;
}

/* Waits for the messages that are expected, for as long as some come. */
static bool settle(struct stage *stage, struct error *err)
{
	const struct stage_condition there = {messages_are_there, NULL};
	size_t before, now = stage_count_messages(stage, UINT32_MAX);
	unsigned rounds = 0;
	bool held;
	do {
		before = now;
		if (!stage_await(stage, there, stage->lesson->patience_ns, &held, err))
			return false;
		now = stage_count_messages(stage, UINT32_MAX);
	} while (!held && now > before && ++rounds < MOST_PATIENCE);
	return true;
}

/* Whether no queue has something for a consumer of it. A stream always has. */
static bool queues_are_taken(struct stage *stage, bool *taken, struct error *err)
{
	const struct topology *t = stage->site->topology;
	*taken = true;
	for (size_t i = 0; *taken && i < t->queue_count; i++) {
		struct provision_state state = {0};
		if (strcmp(t->queues[i].type, "stream") == 0)
			continue;
		if (!provision_look_queue(stage->connection, t->queues[i].name, &state, err))
			return false;
		*taken = state.consumers == 0 || state.ready == 0;
	}
	return true;
}

static bool consumers_rest(struct stage *stage, const void *ctx, bool *held, struct error *err)
{
	(void)ctx;
	size_t count = stage_count_messages(stage, UINT32_MAX);
	bool taken;
	if (!queues_are_taken(stage, &taken, err))
		return false;
	if (!taken || count != stage->seen)
		stage->seen_ns = chrono_now_ns();
	stage->seen = count;
	*held = chrono_now_ns() >= chrono_after(stage->seen_ns, REST_NS);
	return true;
}

static lesson_names who_sends(const struct lesson *lesson)
{
	lesson_names who = 0;
	for (size_t i = 0; i < lesson->cast_count; i++)
		if (!lesson_awaits_messages(&lesson->cast[i]))
			who |= 1U << i;
	return who;
}

/* In the order of the messages: what is one too many is to be seen, and not left in a queue. */
static bool end_cast(struct stage *stage, struct error *err)
{
	bool held;
	if (!stage_end(stage, who_sends(stage->lesson), actor_stop, err))
		return false;
	stage->seen_ns = chrono_now_ns();
	return stage_await(stage, (struct stage_condition){consumers_rest, NULL},
		   stage->lesson->patience_ns, &held, err) &&
	       stage_end(stage, UINT32_MAX, actor_stop, err);
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
	char *that = check->that != NULL ? stage_printable(check->that) : NULL;
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
	lesson_names known = stage_judged_by_status(stage->lesson);
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

bool stage_judge(struct stage *stage, bool *is_met, struct error *err)
{
	size_t met = 0, total = stage->lesson->check_count;
	if (!settle(stage, err) || !end_cast(stage, err))
		return false;
	board_say(stage->board, "What was expected, and what happened:");
	if (!judge_all(stage, &met, err))
		return false;
	size_t failures = count_failures(stage);
	char *last = mem_printf("%zu of %zu %s as expected", met, total + failures,
	    num_noun(total + failures, "check", "checks"));
	board_print(stage->board, "", last);
	free(last);
	*is_met = met == total && failures == 0;
	return true;
}
