#include "model/workflow.h"
#include "base/mem.h"
#include "base/rng.h"

#include <check.h>
#include <stdlib.h>

#define MOST_EVENTS 64

/* What has happened, and what it makes. */
struct history {
	struct workflow_event events[MOST_EVENTS];
	size_t count;
	struct workflow_state state;
};

/* ---- workflows ---- */

static struct workflow_step steps[3];

/* Three steps; bit i of `compensated`: step i can be undone. */
static struct workflow make_workflow(unsigned compensated, uint64_t retries, bool announces)
{
	static const char *const names[] = {"reserve", "charge", "ship"};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		steps[i] = (struct workflow_step){.name = names[i],
		    .request = {.has_reply = true},
		    .retries = retries,
		    .has_compensation = (compensated >> i & 1) != 0,
		    .compensation = {.has_reply = i != 1}};
	return (struct workflow){.name = "order",
	    .steps = steps,
	    .step_count = ARRAY_LEN(steps),
	    .has_completed = announces,
	    .has_failed = announces};
}

/* Takes an input in; how many events it made. */
static size_t take(const struct workflow *w, struct history *h, const struct workflow_input *input)
{
	struct workflow_event events[WORKFLOW_MAX_EVENTS];
	size_t count = workflow_decide(w, &h->state, input, events);
	for (size_t i = 0; i < count; i++) {
		ck_assert_msg(
		    workflow_apply(w, &h->state, &events[i]), "what is decided must be possible");
		h->events[h->count++] = events[i];
	}
	return count;
}

/* "S R0 r0 R1 f1! C0 c0 A": each event as a letter, its step, and a mark for the reason. */
static char *describe(const struct history *h)
{
	static const char letters[] = "SRrfCcDA", marks[] = "!?-";
	struct buf out = {0};
	for (size_t i = 0; i < h->count; i++) {
		const struct workflow_event *e = &h->events[i];
		buf_printf(&out, "%s%c", i > 0 ? " " : "", letters[e->what]);
		if (e->what > WORKFLOW_STARTED && e->what < WORKFLOW_COMPLETED)
			buf_printf(&out, "%zu", e->step);
		if (e->attempt > 1)
			buf_printf(&out, "x%d", (int)e->attempt);
		if (e->what == WORKFLOW_FAILED)
			buf_append_char(&out, marks[e->reason]);
	}
	return buf_take(&out);
}

/* ---- histories ---- */

/* Inputs in the same letters: S start, g0 good reply of request 0, b0 bad, t0 timeout; G0 B0 T0 of
 * a compensation, P0 its confirm; a: the announcement is confirmed; u: the next one cannot be made.
 */
static struct workflow_input parse(const char *word)
{
	static const struct {
		char letter;
		enum workflow_input_kind kind;
		enum workflow_act act;
	} rows[] = {{'S', WORKFLOW_IN_START, WORKFLOW_IDLE},
	    {'g', WORKFLOW_IN_GOOD, WORKFLOW_REQUEST}, {'b', WORKFLOW_IN_BAD, WORKFLOW_REQUEST},
	    {'t', WORKFLOW_IN_TIMEOUT, WORKFLOW_REQUEST}, {'p', WORKFLOW_IN_SENT, WORKFLOW_REQUEST},
	    {'G', WORKFLOW_IN_GOOD, WORKFLOW_COMPENSATE},
	    {'B', WORKFLOW_IN_BAD, WORKFLOW_COMPENSATE},
	    {'T', WORKFLOW_IN_TIMEOUT, WORKFLOW_COMPENSATE},
	    {'P', WORKFLOW_IN_SENT, WORKFLOW_COMPENSATE},
	    {'a', WORKFLOW_IN_SENT, WORKFLOW_ANNOUNCE}, {'u', WORKFLOW_IN_UNSENT, WORKFLOW_IDLE},
	    {'R', WORKFLOW_IN_RESUME, WORKFLOW_IDLE}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].letter == word[0])
			return (struct workflow_input){.kind = rows[i].kind,
			    .act = rows[i].act,
			    .step = word[1] != '\0' ? (size_t)(word[1] - '0') : 0};
	ck_abort_msg("no such input: %s", word);
}

static const struct {
	unsigned compensated;
	uint64_t retries;
	bool announces;
	const char *inputs, *history;
} rows[] = {
    {7, 0, false, "S g0 g1 g2", "S R0 r0 R1 r1 R2 r2 D"},
    {7, 0, true, "S g0 g1 g2", "S R0 r0 R1 r1 R2 r2"},
    {7, 0, true, "S g0 g1 g2 a", "S R0 r0 R1 r1 R2 r2 D"},
    /* a confirm is no answer; what comes twice, late or too early changes nothing */
    {7, 0, false, "S S p0 g1 G0 g0 g0 b0 t0 g1 g1 g2 g2 t2", "S R0 r0 R1 r1 R2 r2 D"},
    /* refused: it has not happened itself */
    {7, 0, false, "S b0", "S R0 f0! A"},
    {7, 0, true, "S b0", "S R0 f0!"},
    {7, 0, true, "S b0 a a", "S R0 f0! A"},
    {7, 0, false, "S g0 g1 b2 P1 G0", "S R0 r0 R1 r1 R2 f2! C1 c1 C0 c0 A"},
    {7, 0, false, "S g0 g1 b2 G0 P1 P1 G0 G0", "S R0 r0 R1 r1 R2 f2! C1 c1 C0 c0 A"},
    /* it may have happened, and is undone as well, also when its reply comes after all */
    {7, 0, false, "S g0 g1 t2 g2 G2 P1 G0", "S R0 r0 R1 r1 R2 f2? C2 c2 C1 c1 C0 c0 A"},
    {7, 2, false, "S t0 t0 g0 t1 t1 t1 P1 G0", "S R0 R0x2 R0x3 r0 R1 R1x2 R1x3 f1? C1 c1 C0 c0 A"},
    /* asked for until it is done */
    {7, 0, false, "S g0 b1 T0 B0 T0 G0", "S R0 r0 R1 f1! C0 C0x2 C0x3 c0 A"},
    /* who says nothing is believed when the broker has it; and is not believed when he does */
    {7, 0, false, "S g0 g1 b2 G1 T1 P1 P0 G0", "S R0 r0 R1 r1 R2 f2! C1 C1x2 c1 C0 c0 A"},
    /* what cannot be undone is passed over */
    {5, 0, false, "S g0 g1 b2 G0", "S R0 r0 R1 r1 R2 f2! C0 c0 A"},
    {0, 0, false, "S g0 g1 t2", "S R0 r0 R1 r1 R2 f2? A"},
    {7, 0, false, "u S u", "S R0"},
    {7, 0, true, "S g0 g1 g2 R R a R", "S R0 r0 R1 r1 R2 r2 D"},
};

START_TEST(what_comes_in_makes_this_history)
{
	struct workflow w =
	    make_workflow(rows[_i].compensated, rows[_i].retries, rows[_i].announces);
	struct history h = {0};
	char *inputs = mem_strdup(rows[_i].inputs), *rest;
	for (char *word = strtok_r(inputs, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		const struct workflow_input input = parse(word);
		take(&w, &h, &input);
	}
	char *said = describe(&h);
	ck_assert_str_eq(said, rows[_i].history);
	free(said);
	free(inputs);
}
END_TEST

/* The caller gives the request up in which a step would begin. */
START_TEST(a_request_that_cannot_be_made_is_a_failure_of_its_step)
{
	struct workflow w = make_workflow(7, 3, false);
	struct history h = {0};
	const struct workflow_event begun[] = {{.what = WORKFLOW_STARTED},
	    {.what = WORKFLOW_REQUESTED, .attempt = 1}, {.what = WORKFLOW_REPLIED}};
	for (size_t i = 0; i < ARRAY_LEN(begun); i++)
		ck_assert(workflow_apply(&w, &h.state, &begun[i]));
	take(&w, &h, &(struct workflow_input){.kind = WORKFLOW_IN_UNSENT});
	char *said = describe(&h);
	ck_assert_str_eq(said, "f1- C0");
	free(said);
}
END_TEST

START_TEST(an_event_that_cannot_follow_is_refused)
{
	struct workflow w = make_workflow(7, 0, false);
	struct history h = {0};
	take(&w, &h, &(struct workflow_input){.kind = WORKFLOW_IN_START});
	const struct workflow_event events[] = {{.what = WORKFLOW_STARTED},
	    {.what = WORKFLOW_REQUESTED, .attempt = 1}, {.what = WORKFLOW_REQUESTED, .attempt = 3},
	    {.what = WORKFLOW_REQUESTED, .step = 1, .attempt = 1},
	    {.what = WORKFLOW_REPLIED, .step = 1}, {.what = WORKFLOW_REPLIED, .step = 3},
	    {.what = WORKFLOW_FAILED, .step = SIZE_MAX}, {.what = WORKFLOW_COMPENSATING},
	    {.what = WORKFLOW_FAILED, .reason = WORKFLOW_UNSENT}, {.what = WORKFLOW_COMPENSATED},
	    {.what = WORKFLOW_COMPLETED}, {.what = WORKFLOW_ABORTED},
	    {.what = WORKFLOW_HAPPENINGS}};
	const struct workflow_state before = h.state;
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		ck_assert_msg(!workflow_apply(&w, &h.state, &events[i]), "event %zu", i);
		ck_assert_mem_eq(&h.state, &before, sizeof before);
	}
}
END_TEST

START_TEST(names_are_found_again)
{
	enum workflow_happening what;
	enum workflow_reason reason;
	for (int i = 0; i < WORKFLOW_HAPPENINGS; i++) {
		const char *name = workflow_happening_name((enum workflow_happening)i);
		ck_assert(workflow_happening_find(slice_str(name), &what));
		ck_assert_int_eq((int)what, i);
	}
	for (int i = 0; i < WORKFLOW_REASONS; i++) {
		const char *name = workflow_reason_name((enum workflow_reason)i);
		ck_assert(workflow_reason_find(slice_str(name), &reason));
		ck_assert_int_eq((int)reason, i);
	}
	ck_assert(!workflow_happening_find(SLICE("start"), &what));
	ck_assert(!workflow_reason_find(SLICE(""), &reason));
}
END_TEST

/* ---- every order of everything ---- */

/* The promises of workflow.h, judged by the events alone. */
static void check_promises(const struct workflow *w, const struct history *h)
{
	bool is_replied[3] = {false}, is_undone[3] = {false}, is_asked[3] = {false};
	bool has_failed = false, may_have_happened = false, has_ended = false;
	size_t failed = 0, lowest = 3;
	for (size_t i = 0; i < h->count; i++) {
		const struct workflow_event *e = &h->events[i];
		size_t n = e->step;
		ck_assert_msg(!has_ended, "nothing follows on the end");
		switch (e->what) {
		case WORKFLOW_STARTED:
			ck_assert_uint_eq(i, 0);
			break;
		case WORKFLOW_REQUESTED:
			ck_assert_msg(n == 0 || is_replied[n - 1], "not before its turn");
			ck_assert(!is_replied[n] && !has_failed);
			break;
		case WORKFLOW_REPLIED:
			ck_assert(!is_replied[n] && !has_failed);
			is_replied[n] = true;
			break;
		case WORKFLOW_FAILED:
			ck_assert(!has_failed && !is_replied[n]);
			has_failed = true;
			failed = n;
			may_have_happened = e->reason == WORKFLOW_TIMED_OUT;
			break;
		case WORKFLOW_COMPENSATING:
			ck_assert_msg(has_failed && w->steps[n].has_compensation &&
					  (is_replied[n] || (n == failed && may_have_happened)),
			    "only what has, or may have, happened");
			ck_assert_msg(is_asked[n] ? n == lowest : n < lowest, "in reverse order");
			ck_assert_msg(lowest == 3 || n == lowest || is_undone[lowest],
			    "one is confirmed before the next begins");
			ck_assert_msg(!is_undone[n], "not once more");
			is_asked[n] = true;
			lowest = n;
			break;
		case WORKFLOW_COMPENSATED:
			ck_assert(is_asked[n] && !is_undone[n]);
			is_undone[n] = true;
			break;
		case WORKFLOW_COMPLETED:
			ck_assert(is_replied[0] && is_replied[1] && is_replied[2] && !has_failed);
			has_ended = true;
			break;
		case WORKFLOW_ABORTED:
			for (size_t k = 0; k < 3; k++) {
				bool happened = is_replied[k] || (k == failed && may_have_happened);
				ck_assert_msg(
				    is_undone[k] == (happened && w->steps[k].has_compensation),
				    "all that happened is undone, and nothing else");
			}
			ck_assert(has_failed);
			has_ended = true;
			break;
		case WORKFLOW_HAPPENINGS:
			ck_abort();
		}
	}
	ck_assert_int_eq(has_ended, workflow_has_ended(&h->state));
}

/* Who has only the events comes to the same state, and has nothing to add. */
static void check_fold(const struct workflow *w, const struct history *h)
{
	struct workflow_state state = {0};
	struct workflow_event events[WORKFLOW_MAX_EVENTS];
	const struct workflow_input resume = {.kind = WORKFLOW_IN_RESUME};
	for (size_t i = 0; i < h->count; i++)
		ck_assert(workflow_apply(w, &state, &h->events[i]));
	ck_assert_mem_eq(&state, &h->state, sizeof state);
	ck_assert_uint_eq(workflow_decide(w, &state, &resume, events), 0);
}

/* All inputs there are. */
static size_t all_inputs(struct workflow_input *out)
{
	static const enum workflow_input_kind kinds[] = {
	    WORKFLOW_IN_GOOD, WORKFLOW_IN_BAD, WORKFLOW_IN_SENT, WORKFLOW_IN_TIMEOUT};
	static const enum workflow_act acts[] = {
	    WORKFLOW_REQUEST, WORKFLOW_COMPENSATE, WORKFLOW_ANNOUNCE};
	size_t count = 0;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		for (size_t a = 0; a < ARRAY_LEN(acts); a++)
			for (size_t step = 0; step < 3; step++)
				out[count++] = (struct workflow_input){kinds[k], acts[a], step};
	out[count++] = (struct workflow_input){.kind = WORKFLOW_IN_START};
	out[count++] = (struct workflow_input){.kind = WORKFLOW_IN_UNSENT};
	return count;
}

/* Every input in every state that can be reached by so many that change something. */
static size_t explore(const struct workflow *w, const struct history *h, int depth)
{
	struct workflow_input inputs[64];
	size_t count = all_inputs(inputs), histories = 1;
	check_promises(w, h);
	check_fold(w, h);
	for (size_t i = 0; depth > 0 && i < count; i++) {
		struct history next = *h;
		if (take(w, &next, &inputs[i]) > 0)
			histories += explore(w, &next, depth - 1);
		else
			ck_assert_mem_eq(&next.state, &h->state, sizeof h->state);
	}
	return histories;
}

START_TEST(the_promises_hold_for_every_order_of_replies_doubles_and_timeouts)
{
	struct workflow w = make_workflow((unsigned)_i & 7, (uint64_t)_i >> 3 & 1, (_i & 16) != 0);
	struct history h = {0};
	ck_assert_uint_ge(explore(&w, &h, 12), 11);
}
END_TEST

/* Longer ones, by chance: whatever comes, it goes on, and who answers in the end ends it. */
START_TEST(it_always_comes_to_an_end)
{
	struct rng rng;
	struct workflow_input inputs[64];
	size_t count = all_inputs(inputs);
	rng_seed(&rng, (uint64_t)_i + 1);
	for (int round = 0; round < 500; round++) {
		struct workflow w = make_workflow(
		    (unsigned)rng_below(&rng, 8), rng_below(&rng, 3), rng_below(&rng, 2) == 0);
		struct history h = {0};
		take(&w, &h, &(struct workflow_input){.kind = WORKFLOW_IN_START});
		for (int i = 0; i < 200 && h.count < MOST_EVENTS - 20; i++)
			take(&w, &h, &inputs[rng_below(&rng, count)]);
		for (int i = 0; i < 16 && !workflow_has_ended(&h.state); i++) {
			struct workflow_input input = {
			    WORKFLOW_IN_GOOD, workflow_due(&w, &h.state), h.state.at};
			if (!workflow_letter_due(&w, &h.state)->has_reply)
				input.kind = WORKFLOW_IN_SENT;
			ck_assert_uint_gt(take(&w, &h, &input), 0);
		}
		ck_assert(workflow_has_ended(&h.state));
		check_promises(&w, &h);
		check_fold(&w, &h);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workflow");
	TCase *tests = tcase_create("workflow");
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, what_comes_in_makes_this_history, 0, ARRAY_LEN(rows));
	tcase_add_test(tests, a_request_that_cannot_be_made_is_a_failure_of_its_step);
	tcase_add_test(tests, an_event_that_cannot_follow_is_refused);
	tcase_add_test(tests, names_are_found_again);
	tcase_add_loop_test(
	    tests, the_promises_hold_for_every_order_of_replies_doubles_and_timeouts, 0, 32);
	tcase_add_loop_test(tests, it_always_comes_to_an_end, 0, 8);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
