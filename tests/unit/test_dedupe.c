/* What was accepted before is dropped: by its key, over a window, across restarts. */
#include "flow/core_dedupe.h"

#include "base/chrono.h"
#include "base/ids.h"
#include "base/mem.h"
#include "base/rng.h"
#include "folder_bench.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the table of ids ---- */

/* A ring of ids beside a plain list: small hashes, so that they crowd each other. */
START_TEST(ids_that_crowd_each_other_are_found_until_they_are_removed)
{
	struct siphash items[200];
	struct ids ids = {0};
	bool in[200] = {false};
	struct rng rng;
	rng_seed(&rng, 7);
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		items[i] = (struct siphash){rng_below(&rng, 16), i};
	for (int step = 0; step < 20000; step++) {
		size_t i = (size_t)rng_below(&rng, ARRAY_LEN(items)), place = 0;
		ck_assert_int_eq(ids_find(&ids, items, items[i], &place), in[i]);
		if (in[i])
			ck_assert_uint_eq(place, i);
		if (in[i])
			ids_remove(&ids, items, i);
		else
			ids_add(&ids, items, i);
		in[i] = !in[i];
	}
	ids_release(&ids);
}
END_TEST

/* ---- the core ---- */

static struct core_dedupe *create(size_t window, const char *kept)
{
	struct error err = {0};
	const struct core_dedupe_options options = {
	    .window = window, .path = kept, .scope = "test"};
	struct core_dedupe *core = core_dedupe_create(&options, &err);
	ck_assert_msg(core != NULL, "%s", err.text);
	return core;
}

/* What the core answers; FLOW_FATE_COUNT when the message passes. */
static enum flow_fate offer_message(
    struct core_dedupe *core, uint64_t slot, const char *queue, const struct message *m)
{
	struct flow_core c = core_dedupe_core(core);
	struct message out = *m;
	struct flow_message in = {.message = m, .queue = slice_str(queue)};
	struct flow_verdict verdict = {.fate = FLOW_REJECTED, .reason = ""};
	enum flow_answer answer = c.kind->apply(c.self, NULL, slot, &in, &out, &verdict);
	if (answer == FLOW_PASS)
		return FLOW_FATE_COUNT;
	c.kind->settled(c.self, slot, verdict.fate, ""); /* as the flow does */
	return verdict.fate;
}

static enum flow_fate offer(
    struct core_dedupe *core, uint64_t slot, const char *queue, const char *id)
{
	const struct message m = {
	    .present = id != NULL ? MESSAGE_MESSAGE_ID : 0u, .message_id = slice_str(id)};
	return offer_message(core, slot, queue, &m);
}

static void settle(struct core_dedupe *core, uint64_t slot, enum flow_fate fate)
{
	struct flow_core c = core_dedupe_core(core);
	c.kind->settled(c.self, slot, fate, "");
}

static void accept(struct core_dedupe *core, const char *queue, const char *id)
{
	ck_assert_int_eq(offer(core, 3, queue, id), FLOW_FATE_COUNT);
	settle(core, 3, FLOW_ACCEPTED);
}

START_TEST(a_second_one_is_dropped_once_the_first_is_accepted)
{
	struct core_dedupe *core = create(10, NULL);
	accept(core, "q", "a");
	ck_assert_int_eq(offer(core, 0, "q", "a"), FLOW_ACCEPTED);
	ck_assert_int_eq(offer(core, 3, "q", "a"), FLOW_ACCEPTED);
	ck_assert_uint_eq(core_dedupe_duplicates(core), 2);
	ck_assert_int_eq(offer(core, 0, "q", "b"), FLOW_FATE_COUNT);
	core_dedupe_free(core);
}
END_TEST

static const enum flow_fate no_success[] = {
    FLOW_RETRY, FLOW_REJECTED, FLOW_RELEASED, FLOW_HELD, FLOW_NACKED};

START_TEST(what_was_not_accepted_may_come_again)
{
	struct core_dedupe *core = create(10, NULL);
	ck_assert_int_eq(offer(core, 5, "q", "a"), FLOW_FATE_COUNT);
	settle(core, 5, no_success[_i]);
	ck_assert_int_eq(offer(core, 2, "q", "a"), FLOW_FATE_COUNT);
	core_dedupe_free(core);
}
END_TEST

START_TEST(copies_in_two_queues_are_two_messages)
{
	struct core_dedupe *core = create(10, NULL);
	accept(core, "billing", "a");
	accept(core, "shipping", "a");
	ck_assert_int_eq(offer(core, 0, "billing", "a"), FLOW_ACCEPTED);
	accept(core, "ab", "c");
	accept(core, "a", "bc"); /* not the same bytes in a row */
	core_dedupe_free(core);
}
END_TEST

START_TEST(messages_without_an_id_pass)
{
	struct core_dedupe *core = create(10, NULL);
	for (int i = 0; i < 3; i++) {
		accept(core, "q", NULL);
		accept(core, "q", "");
	}
	ck_assert_uint_eq(core_dedupe_duplicates(core), 0);
	core_dedupe_free(core);
}
END_TEST

START_TEST(the_window_forgets_the_oldest)
{
	struct core_dedupe *core = create(1000, NULL);
	char id[16];
	for (int i = 0; i < 5000; i++) {
		snprintf(id, sizeof id, "m%d", i);
		accept(core, "q", id);
	}
	for (int i = 4000; i < 5000; i++) {
		snprintf(id, sizeof id, "m%d", i);
		ck_assert_int_eq(offer(core, 0, "q", id), FLOW_ACCEPTED);
	}
	ck_assert_int_eq(offer(core, 0, "q", "m3999"), FLOW_FATE_COUNT);
	core_dedupe_free(core);
}
END_TEST

/* ---- what waits, in a flow: its source gives nothing by itself, its sink takes the first room
 * ---- */

#define MOST 8

struct bench {
	struct core_dedupe *core;
	struct flow *flow;
	struct loop *loop;
	uint64_t in_sink[MOST]; /* slots, in order of coming */
	size_t put;
	int fates[MOST]; /* by token; -1: not settled */
	bool stopped;
};

static bool nothing_comes(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	(void)self;
	(void)flow;
	(void)now_ns;
	(void)wake_ns;
	(void)err;
	return true;
}

static void note_fate(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	((struct bench *)self)->fates[token] = (int)outcome->fate;
}

static void note_stop(void *self)
{
	((struct bench *)self)->stopped = true;
}

static bool has_stopped(const void *self)
{
	return ((const struct bench *)self)->stopped;
}

static size_t any_room(const void *self)
{
	(void)self;
	return SIZE_MAX;
}

static bool keep(
    void *self, struct flow *flow, uint64_t slot, const struct flow_message *m, struct error *err)
{
	struct bench *b = self;
	(void)flow;
	(void)err;
	ck_assert(m->message->message_id.len == 1);
	b->in_sink[b->put++] = slot;
	return true;
}

static bool keep_on(void *self, struct flow *flow, struct error *err)
{
	(void)self;
	(void)flow;
	(void)err;
	return true;
}

static void let_go(void *self, struct flow *flow)
{
	(void)self;
	(void)flow;
}

static void begin_with(struct bench *b, struct core_dedupe *core)
{
	static const struct flow_source_kind source = {
	    nothing_comes, note_fate, note_stop, has_stopped};
	static const struct flow_sink_kind sink = {any_room, keep, keep_on, NULL, NULL, let_go};
	struct error err = {0};
	*b = (struct bench){.core = core, .loop = loop_create(&err), .fates = {-1}};
	struct flow_options options = {.source = {&source, b},
	    .cores = {core_dedupe_core(b->core)},
	    .core_count = 1,
	    .sink = {&sink, b},
	    .window = MOST,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = CHRONO_S};
	b->flow = flow_create(b->loop, &options);
}

static void begin(struct bench *b, size_t offered)
{
	begin_with(b, create(10, NULL));
	for (size_t i = 0; i < offered; i++) {
		char id[] = "a"; /* gone when it is needed again */
		struct message m = {.present = MESSAGE_MESSAGE_ID, .message_id = slice_str(id)};
		b->fates[i] = -1;
		flow_offer(b->flow, &(struct flow_message){.message = &m, .queue = SLICE("q")}, i);
	}
	ck_assert_uint_eq(b->put, 1);
}

/* The message that came into the sink as number `n` is settled; a turn follows. */
static void settle_put(struct bench *b, size_t n, enum flow_fate fate)
{
	struct error err = {0};
	uint64_t wake_ns = 0;
	flow_settle(b->flow, b->in_sink[n], fate, "");
	flow_step(b->flow, &wake_ns, &err);
}

static void finish(struct bench *b)
{
	struct error err = {0};
	ck_assert(flow_finish(b->flow, &err));
	ck_assert_uint_eq(flow_under_way(b->flow), 0);
	flow_free(b->flow);
	core_dedupe_free(b->core);
	loop_free(b->loop);
}

START_TEST(a_second_one_waits_for_the_first_and_is_dropped_after_its_success)
{
	struct bench b;
	begin(&b, 3);
	ck_assert_uint_eq(flow_under_way(b.flow), 3);
	settle_put(&b, 0, FLOW_ACCEPTED);
	ck_assert_uint_eq(flow_under_way(b.flow), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(b.fates[i], FLOW_ACCEPTED);
	ck_assert_uint_eq(b.put, 1);
	ck_assert_uint_eq(core_dedupe_duplicates(b.core), 2);
	ck_assert_uint_eq(flow_counts(b.flow)->finished, 1); /* a limit counts what was done */
	finish(&b);
}
END_TEST

START_TEST(a_second_one_has_its_turn_when_the_first_was_not_accepted)
{
	struct bench b;
	begin(&b, 4);
	for (size_t n = 0; n < 3; n++) {
		settle_put(&b, n, no_success[_i]);
		ck_assert_uint_eq(b.put, n + 2);
	}
	ck_assert_int_eq(b.fates[3], no_success[_i]); /* the newest is the next one */
	settle_put(&b, 3, FLOW_ACCEPTED);
	ck_assert_uint_eq(flow_under_way(b.flow), 0);
	ck_assert_uint_eq(core_dedupe_duplicates(b.core), 0);
	finish(&b);
}
END_TEST

START_TEST(after_a_stop_the_first_still_decides_and_no_other_begins)
{
	struct bench b;
	begin(&b, 2);
	flow_stop(b.flow);
	ck_assert_int_eq(b.fates[1], -1);
	settle_put(&b, 0, _i == 0 ? FLOW_ACCEPTED : FLOW_RETRY);
	ck_assert_int_eq(b.fates[1], _i == 0 ? FLOW_ACCEPTED : FLOW_RELEASED);
	ck_assert_uint_eq(b.put, 1);
	finish(&b);
}
END_TEST

START_TEST(what_waits_at_the_end_is_released)
{
	struct bench b;
	begin(&b, 3);
	finish(&b);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(b.fates[i], FLOW_RELEASED);
}
END_TEST

/* ---- keys ---- */

static struct core_dedupe *create_by(const char *by, bool rejects)
{
	struct error err = {0};
	const struct core_dedupe_options options = {
	    .by = by, .window = 10, .rejects_unkeyed = rejects};
	struct core_dedupe *core = core_dedupe_create(&options, &err);
	ck_assert_msg(core != NULL, "%s", err.text);
	return core;
}

/* Passes and is accepted, or what becomes of it. */
static enum flow_fate take_body(struct core_dedupe *core, const char *queue, const char *body)
{
	struct message m = {.body = slice_str(body)};
	enum flow_fate fate = offer_message(core, 3, queue, &m);
	if (fate == FLOW_FATE_COUNT)
		settle(core, 3, FLOW_ACCEPTED);
	return fate;
}

START_TEST(a_jq_key_counts_whichever_queue_the_message_comes_by)
{
	struct core_dedupe *core = create_by(".order.id", false);
	ck_assert_int_eq(take_body(core, "a", "{\"order\":{\"id\":7}}"), FLOW_FATE_COUNT);
	ck_assert_int_eq(take_body(core, "b", "{\"order\":{\"id\":\"7\"}}"), FLOW_ACCEPTED);
	ck_assert_int_eq(take_body(core, "b", "{\"order\":{\"id\":8}}"), FLOW_FATE_COUNT);
	ck_assert_uint_eq(core_dedupe_duplicates(core), 1);
	core_dedupe_free(core);
}
END_TEST

static const char *const unkeyed[] = {"{}", "{\"order\":{\"id\":false}}", "no json", "", "[1]"};

START_TEST(without_a_key_a_message_passes_or_is_rejected)
{
	struct core_dedupe *core = create_by(".order.id", false);
	ck_assert_int_eq(take_body(core, "q", unkeyed[_i]), FLOW_FATE_COUNT);
	ck_assert_int_eq(take_body(core, "q", unkeyed[_i]), FLOW_FATE_COUNT);
	ck_assert_uint_eq(core_dedupe_unkeyed(core), 2);
	core_dedupe_free(core);
	core = create_by(".order.id", true);
	ck_assert_int_eq(take_body(core, "q", unkeyed[_i]), FLOW_REJECTED);
	ck_assert_uint_eq(core_dedupe_unkeyed(core), 1);
	core_dedupe_free(core);
}
END_TEST

static enum flow_fate take_event(struct core_dedupe *core, const char *source, const char *id)
{
	char *body = mem_printf(
	    "{\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"%s\",\"id\":\"%s\"}", source, id);
	struct message m = {.present = MESSAGE_CONTENT_TYPE,
	    .content_type = SLICE("application/cloudevents+json"),
	    .body = slice_str(body)};
	enum flow_fate fate = offer_message(core, 3, "q", &m);
	if (fate == FLOW_FATE_COUNT)
		settle(core, 3, FLOW_ACCEPTED);
	free(body);
	return fate;
}

START_TEST(an_event_is_its_source_and_its_id)
{
	struct core_dedupe *core = create_by("cloudevents", false);
	ck_assert_int_eq(take_event(core, "/a", "1"), FLOW_FATE_COUNT);
	ck_assert_int_eq(take_event(core, "/a", "1"), FLOW_ACCEPTED);
	ck_assert_int_eq(take_event(core, "/b", "1"), FLOW_FATE_COUNT);
	ck_assert_int_eq(take_event(core, "/a", "2"), FLOW_FATE_COUNT);
	ck_assert_int_eq(take_body(core, "q", "no event"), FLOW_FATE_COUNT);
	ck_assert_uint_eq(core_dedupe_unkeyed(core), 1);
	core_dedupe_free(core);
}
END_TEST

START_TEST(a_key_that_does_not_compile_is_told)
{
	struct error err = {0};
	const struct core_dedupe_options options = {.by = ".a |", .window = 10};
	ck_assert_ptr_null(core_dedupe_create(&options, &err));
	ck_assert_int_eq(err.kind, ERROR_USAGE);
}
END_TEST

/* ---- the store ---- */

static void begin_store(void)
{
	make_folder();
	name_file("marks");
}

/* One message through a flow whose sink accepts it (or what else it says). */
static enum flow_fate pass(struct core_dedupe *core, const char *id, enum flow_fate fate)
{
	struct bench b;
	struct error err = {0};
	begin_with(&b, core);
	struct message m = {.present = MESSAGE_MESSAGE_ID, .message_id = slice_str(id)};
	flow_offer(b.flow, &(struct flow_message){.message = &m, .queue = SLICE("q")}, 0);
	if (b.put == 1)
		settle_put(&b, 0, fate);
	ck_assert(flow_finish(b.flow, &err));
	flow_free(b.flow);
	loop_free(b.loop);
	ck_assert_int_ge(b.fates[0], 0);
	return b.put == 1 ? FLOW_FATE_COUNT : (enum flow_fate)b.fates[0];
}

START_TEST(a_store_remembers_beyond_the_end)
{
	struct core_dedupe *core = create(10, path);
	ck_assert_int_eq(pass(core, "a", FLOW_ACCEPTED), FLOW_FATE_COUNT);
	ck_assert_int_eq(pass(core, "b", FLOW_ACCEPTED), FLOW_FATE_COUNT);
	ck_assert_int_eq(pass(core, "a", FLOW_ACCEPTED), FLOW_ACCEPTED);
	ck_assert_int_eq(pass(core, "c", FLOW_RETRY), FLOW_FATE_COUNT);
	core_dedupe_free(core);
	core = create(10, path);
	ck_assert_int_eq(pass(core, "a", FLOW_ACCEPTED), FLOW_ACCEPTED);
	ck_assert_int_eq(pass(core, "b", FLOW_ACCEPTED), FLOW_ACCEPTED);
	ck_assert_int_eq(pass(core, "c", FLOW_ACCEPTED), FLOW_FATE_COUNT);
	core_dedupe_free(core);
	struct stat st;
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(two_processes_see_what_the_other_has_handled)
{
	struct core_dedupe *one = create(10, path), *two = create(10, path);
	ck_assert_int_eq(pass(one, "a", FLOW_ACCEPTED), FLOW_FATE_COUNT);
	/* which has slept meanwhile: a message comes before a turn does */
	ck_assert_int_eq(pass(two, "a", FLOW_ACCEPTED), FLOW_ACCEPTED);
	ck_assert_int_eq(pass(two, "b", FLOW_ACCEPTED), FLOW_FATE_COUNT);
	ck_assert_int_eq(pass(one, "c", FLOW_ACCEPTED), FLOW_FATE_COUNT);
	struct flow_core core = core_dedupe_core(two);
	core.kind->advance(core.self, NULL); /* a turn */
	ck_assert_int_eq(pass(two, "c", FLOW_ACCEPTED), FLOW_ACCEPTED);
	core_dedupe_free(one);
	core_dedupe_free(two);
}
END_TEST

START_TEST(nobody_hears_of_a_message_before_it_is_marked)
{
	struct bench b;
	struct error err = {0};
	struct core_dedupe *core = create(10, path);
	begin_with(&b, core);
	struct message m = {.present = MESSAGE_MESSAGE_ID, .message_id = SLICE("a")};
	flow_offer(b.flow, &(struct flow_message){.message = &m, .queue = SLICE("q")}, 0);
	flow_settle(b.flow, b.in_sink[0], FLOW_ACCEPTED, "");
	ck_assert_int_eq(b.fates[0], -1);
	if (_i == 0) { /* a turn marks it */
		uint64_t wake_ns = CHRONO_NEVER;
		flow_step(b.flow, &wake_ns, &err);
		ck_assert_int_eq(b.fates[0], FLOW_ACCEPTED);
	}
	ck_assert(flow_finish(b.flow, &err));
	ck_assert_int_eq(b.fates[0], _i == 0 ? FLOW_ACCEPTED : FLOW_RELEASED);
	flow_free(b.flow);
	loop_free(b.loop);
	core_dedupe_free(core);
	core = create(10, path);
	ck_assert_int_eq(pass(core, "a", FLOW_ACCEPTED), _i == 0 ? FLOW_ACCEPTED : FLOW_FATE_COUNT);
	core_dedupe_free(core);
}
END_TEST

START_TEST(a_store_that_is_gone_ends_the_run_and_the_message_comes_again)
{
	struct bench b;
	struct error err = {0};
	struct core_dedupe *core = create(10, path);
	begin_with(&b, core);
	struct message m = {.present = MESSAGE_MESSAGE_ID, .message_id = SLICE("a")};
	flow_offer(b.flow, &(struct flow_message){.message = &m, .queue = SLICE("q")}, 0);
	unlink(path);
	settle_put(&b, 0, FLOW_ACCEPTED);
	ck_assert_int_eq(b.fates[0], FLOW_RELEASED);
	ck_assert(!flow_finish(b.flow, &err));
	ck_assert_msg(strstr(err.text, "was removed or replaced") != NULL, "%s", err.text);
	flow_free(b.flow);
	loop_free(b.loop);
	core_dedupe_free(core);
}
END_TEST

static void refuse(const char *words)
{
	struct error err = {0};
	const struct core_dedupe_options options = {.window = 10, .path = path, .scope = "test"};
	ck_assert_ptr_null(core_dedupe_create(&options, &err));
	ck_assert_int_eq(err.kind, ERROR_DATA);
	ck_assert_msg(strstr(err.text, words) != NULL, "%s", err.text);
}

START_TEST(a_file_of_something_else_is_refused_and_left)
{
	write_file(
	    path, "a letter of more than sixty-four bytes, which somebody would be sorry to lose");
	refuse("not a database");
	FILE *file = fopen(path, "r");
	ck_assert_int_eq(fgetc(file), 'a');
	fclose(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dedupe");
	TCase *cases = tcase_create("core");
	tcase_add_test(cases, ids_that_crowd_each_other_are_found_until_they_are_removed);
	tcase_add_test(cases, a_second_one_is_dropped_once_the_first_is_accepted);
	tcase_add_loop_test(cases, what_was_not_accepted_may_come_again, 0, ARRAY_LEN(no_success));
	tcase_add_test(cases, copies_in_two_queues_are_two_messages);
	tcase_add_test(cases, messages_without_an_id_pass);
	tcase_add_test(cases, the_window_forgets_the_oldest);
	tcase_add_test(cases, a_second_one_waits_for_the_first_and_is_dropped_after_its_success);
	tcase_add_loop_test(cases, a_second_one_has_its_turn_when_the_first_was_not_accepted, 0,
	    ARRAY_LEN(no_success));
	tcase_add_loop_test(cases, after_a_stop_the_first_still_decides_and_no_other_begins, 0, 2);
	tcase_add_test(cases, what_waits_at_the_end_is_released);
	suite_add_tcase(suite, cases);
	TCase *keys = tcase_create("key");
	tcase_add_test(keys, a_jq_key_counts_whichever_queue_the_message_comes_by);
	tcase_add_loop_test(
	    keys, without_a_key_a_message_passes_or_is_rejected, 0, ARRAY_LEN(unkeyed));
	tcase_add_test(keys, an_event_is_its_source_and_its_id);
	tcase_add_test(keys, a_key_that_does_not_compile_is_told);
	suite_add_tcase(suite, keys);
	TCase *files = tcase_create("store");
	tcase_add_checked_fixture(files, begin_store, remove_folder);
	tcase_add_test(files, a_store_remembers_beyond_the_end);
	tcase_add_test(files, two_processes_see_what_the_other_has_handled);
	tcase_add_loop_test(files, nobody_hears_of_a_message_before_it_is_marked, 0, 2);
	tcase_add_test(files, a_store_that_is_gone_ends_the_run_and_the_message_comes_again);
	tcase_add_test(files, a_file_of_something_else_is_refused_and_left);
	suite_add_tcase(suite, files);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
