/* A source of stored events: when each is due, what is done, where a cursor stands. */
#include "base/mem.h"
#include "flow/source_store.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST 5000
#define NOW (1000 * CHRONO_S) /* when a test begins */

/* Events at these positions and times, read as from a store. */
struct shelf {
	uint64_t count;
	const int64_t *received_us; /* NULL: all at once */
	uint64_t step;		    /* between two positions */
	uint64_t next;		    /* position */
	unsigned opened;
	struct message message;
};

static bool shelf_open(void *ctx, uint64_t from, struct error *err)
{
	struct shelf *s = ctx;
	(void)err;
	s->next = (from + s->step - 1) / s->step * s->step;
	s->opened++;
	return true;
}

static bool shelf_next(void *ctx, struct select_event *out, struct error *err)
{
	struct shelf *s = ctx;
	(void)err;
	if (s->next / s->step > s->count)
		return false;
	*out = (struct select_event){.position = s->next,
	    .received_us = s->received_us != NULL ? s->received_us[s->next / s->step - 1] : 1};
	s->next += s->step;
	return true;
}

/* The body says which it is, and whether it is marked. */
static bool shelf_message(void *ctx, const struct select_event *event, bool again,
    const struct message **out, struct error *err)
{
	static char text[32];
	struct shelf *s = ctx;
	(void)err;
	int length = snprintf(
	    text, sizeof text, "%llu%s", (unsigned long long)event->position, again ? "!" : "");
	s->message.body = (struct slice){text, (size_t)length};
	*out = &s->message;
	return true;
}

/* A sink whose messages are settled by hand. */
struct hand {
	uint64_t slots[MOST], due_ns[MOST];
	char bodies[MOST][16];
	size_t count, room;
};

static size_t hand_room(const void *self)
{
	return ((const struct hand *)self)->room;
}

static bool hand_put(
    void *self, struct flow *flow, uint64_t slot, const struct flow_message *m, struct error *err)
{
	struct hand *h = self;
	(void)flow, (void)err;
	ck_assert_uint_lt(h->count, MOST);
	snprintf(h->bodies[h->count], sizeof *h->bodies, "%.*s", (int)m->message->body.len,
	    m->message->body.ptr);
	h->due_ns[h->count] = m->due_ns;
	h->slots[h->count++] = slot;
	h->room--;
	return true;
}

static bool hand_flush(void *self, struct flow *flow, struct error *err)
{
	(void)self, (void)flow, (void)err;
	return true;
}

static void hand_abandon(void *self, struct flow *flow)
{
	(void)self, (void)flow;
}

static const struct flow_sink_kind hand_kind = {
    hand_room, hand_put, hand_flush, NULL, NULL, hand_abandon};

struct rig {
	struct loop *loop;
	struct shelf shelf;
	struct hand hand;
	struct source_store_options options;
	struct source_store *source;
	struct flow *flow;
	uint64_t wake_ns; /* what the last tick asked for */
};

static void rig_up(struct rig *rig)
{
	struct error err = {0};
	rig->loop = loop_create(&err);
	rig->hand.room = MOST;
	rig->shelf.step = rig->shelf.step > 0 ? rig->shelf.step : 1;
	rig->options.reader =
	    (struct source_store_reader){shelf_open, shelf_next, shelf_message, &rig->shelf};
	if (rig->options.last == 0)
		rig->options.last = rig->shelf.count * rig->shelf.step;
	rig->source = source_store_create(&rig->options);
	const struct flow_options flow = {.source = source_store_source(rig->source),
	    .sink = {&hand_kind, &rig->hand},
	    .window = MOST,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = CHRONO_S};
	rig->flow = flow_create(rig->loop, &flow);
}

static void rig_down(struct rig *rig)
{
	flow_free(rig->flow);
	source_store_free(rig->source);
	loop_free(rig->loop);
	free(rig);
}

static struct rig *rig_new(void)
{
	return mem_alloc(1, sizeof(struct rig));
}

static bool tick(struct rig *rig, uint64_t now_ns, struct error *err)
{
	struct flow_source source = source_store_source(rig->source);
	rig->wake_ns = CHRONO_NEVER;
	return source.kind->tick(source.self, rig->flow, now_ns, &rig->wake_ns, err);
}

static void tick_well(struct rig *rig, uint64_t now_ns)
{
	struct error err = {0};
	ck_assert_msg(tick(rig, now_ns, &err), "%s", err.text);
}

static bool is_done(struct rig *rig)
{
	struct flow_source source = source_store_source(rig->source);
	return source.kind->is_done(source.self);
}

static void settle(struct rig *rig, size_t i, enum flow_fate fate)
{
	flow_settle(rig->flow, rig->hand.slots[i], fate, fate == FLOW_ACCEPTED ? "" : "why");
}

/* ---- pace ---- */

START_TEST(an_event_is_due_by_its_distance_from_the_first)
{
	static const struct due_case {
		int64_t later_us;
		double speed;
		uint64_t due_ns;
	} cases[] = {{0, 1, NOW}, {1500, 1, NOW + 1500 * CHRONO_US},
	    {1500000, 10, NOW + 150 * CHRONO_MS}, {1000000, 0.5, NOW + 2 * CHRONO_S}, {-5, 1, NOW},
	    {INT64_MAX, 1e-9, CHRONO_NEVER}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_uint_eq(
		    source_store_due(NOW, cases[i].later_us, cases[i].speed), cases[i].due_ns);
}
END_TEST

START_TEST(the_pauses_are_those_there_were)
{
	static const int64_t received[] = {5000000, 5100000, 5100000, 8000000, 8000001};
	struct rig *rig = rig_new();
	rig->shelf = (struct shelf){.count = 5, .received_us = received};
	rig->options.speed = 2;
	rig_up(rig);
	tick_well(rig, NOW);
	ck_assert_uint_eq(rig->hand.count, 1);
	ck_assert_uint_eq(rig->wake_ns, NOW + 50 * CHRONO_MS);
	tick_well(rig, NOW + 49 * CHRONO_MS);
	ck_assert_uint_eq(rig->hand.count, 1);
	tick_well(rig, NOW + 50 * CHRONO_MS);
	ck_assert_uint_eq(rig->hand.count, 3);
	ck_assert_uint_eq(rig->hand.due_ns[2], NOW + 50 * CHRONO_MS);
	tick_well(rig, NOW + 1500 * CHRONO_MS);
	ck_assert_uint_eq(rig->hand.count, 4);
	tick_well(rig, NOW + 1500 * CHRONO_MS + 500);
	ck_assert_uint_eq(rig->hand.count, 5);
	tick_well(rig, NOW + 2 * CHRONO_S);
	ck_assert(is_done(rig));
	rig_down(rig);
}
END_TEST

/* Nothing could be sent for a second: then goes what is due, and not more. */
START_TEST(a_pause_is_not_made_up_by_more_than_is_due)
{
	int64_t received[100];
	for (int64_t i = 0; i < 100; i++)
		received[i] = 1 + i * 100000;
	struct rig *rig = rig_new();
	rig->shelf = (struct shelf){.count = 100, .received_us = received};
	rig->options.speed = 1;
	rig_up(rig);
	tick_well(rig, NOW);
	rig->hand.room = 0;
	tick_well(rig, NOW + 500 * CHRONO_MS);
	ck_assert_uint_eq(rig->hand.count, 1);
	rig->hand.room = MOST;
	tick_well(rig, NOW + 1050 * CHRONO_MS);
	ck_assert_uint_eq(rig->hand.count, 11);
	ck_assert_uint_eq(rig->wake_ns, NOW + 1100 * CHRONO_MS);
	rig_down(rig);
}
END_TEST

START_TEST(a_rate_is_a_rate_whatever_the_times_were)
{
	struct pace_step step = {50, 50, CHRONO_NEVER};
	const struct pace_plan plan = {.unlimited = true, .steps = &step, .step_count = 1};
	struct rig *rig = rig_new();
	rig->shelf = (struct shelf){.count = 100};
	rig->options.plan = &plan;
	rig_up(rig);
	tick_well(rig, NOW);
	ck_assert_uint_eq(rig->hand.count, 1);
	tick_well(rig, NOW + 210 * CHRONO_MS);
	ck_assert_uint_eq(rig->hand.count, 11);
	rig_down(rig);
}
END_TEST

START_TEST(without_a_pace_all_goes_that_there_is_room_for)
{
	struct rig *rig = rig_new();
	rig->shelf = (struct shelf){.count = 100};
	rig->options.limit = 40;
	rig_up(rig);
	tick_well(rig, NOW);
	ck_assert_uint_eq(rig->hand.count, 40);
	ck_assert(is_done(rig));
	rig_down(rig);
}
END_TEST

/* What waits for hours must not hold a reader of the store for so long. */
START_TEST(a_long_wait_lets_go_of_the_store)
{
	static const int64_t received[] = {1, 3600000001, 3600000002};
	struct rig *rig = rig_new();
	rig->shelf = (struct shelf){.count = 3, .received_us = received};
	rig->options.speed = 1;
	rig_up(rig);
	tick_well(rig, NOW);
	ck_assert_uint_eq(rig->shelf.opened, 1);
	ck_assert_uint_eq(rig->wake_ns, NOW + CHRONO_S);
	tick_well(rig, NOW + CHRONO_S);
	ck_assert_uint_eq(rig->shelf.opened, 2);
	ck_assert_uint_eq(rig->wake_ns, NOW + 3600 * CHRONO_S);
	for (uint64_t s = 2; s < 3600; s += 60)
		tick_well(rig, NOW + s * CHRONO_S);
	ck_assert_uint_eq(rig->shelf.opened, 2);
	tick_well(rig, NOW + 3601 * CHRONO_S);
	ck_assert_uint_eq(rig->hand.count, 3);
	ck_assert_str_eq(rig->hand.bodies[1], "2");
	rig_down(rig);
}
END_TEST

/* ---- what is done ---- */

START_TEST(done_is_what_is_confirmed_without_a_gap)
{
	struct rig *rig = rig_new();
	rig->shelf = (struct shelf){.count = 5, .step = 10};
	rig_up(rig);
	tick_well(rig, NOW);
	ck_assert_uint_eq(rig->hand.count, 5);
	settle(rig, 1, FLOW_ACCEPTED);
	ck_assert_uint_eq(source_store_place(rig->source).done, 0);
	settle(rig, 0, FLOW_ACCEPTED);
	ck_assert_uint_eq(source_store_place(rig->source).done, 20);
	settle(rig, 4, FLOW_ACCEPTED);
	settle(rig, 3, FLOW_ACCEPTED);
	ck_assert_uint_eq(source_store_place(rig->source).done, 20);
	settle(rig, 2, FLOW_ACCEPTED);
	ck_assert_uint_eq(source_store_place(rig->source).done, 50);
	rig_down(rig);
}
END_TEST

START_TEST(the_first_failure_ends_it_and_is_told)
{
	static const enum flow_fate fates[] = {FLOW_RETURNED, FLOW_NACKED, FLOW_UNCONFIRMED};
	struct rig *rig = rig_new();
	struct error err = {0};
	rig->shelf = (struct shelf){.count = 50, .step = 10};
	rig->options.limit = 20;
	rig_up(rig);
	tick_well(rig, NOW);
	for (size_t i = 6; i < 20; i++)
		settle(rig, i, FLOW_ACCEPTED);
	settle(rig, 5, FLOW_NACKED);
	settle(rig, 2, fates[_i]);
	ck_assert(is_done(rig));
	tick_well(rig, NOW + CHRONO_S);
	ck_assert_uint_eq(rig->hand.count, 20);
	settle(rig, 0, FLOW_ACCEPTED);
	settle(rig, 1, FLOW_ACCEPTED);
	settle(rig, 3, FLOW_RELEASED);
	settle(rig, 4, FLOW_ACCEPTED);
	struct source_store_failure failure = source_store_failure(rig->source);
	ck_assert_uint_eq(failure.position, 30);
	ck_assert_int_eq(failure.fate, fates[_i]);
	ck_assert_str_eq(failure.reason, "why");
	ck_assert(source_store_finish(rig->source, &err));
	ck_assert_uint_eq(source_store_place(rig->source).done, 20);
	ck_assert_uint_eq(source_store_place(rig->source).sent_to, 200);
	rig_down(rig);
}
END_TEST

START_TEST(what_was_not_sent_is_not_said_to_be)
{
	struct rig *rig = rig_new();
	struct error err = {0};
	rig->shelf = (struct shelf){.count = 5};
	rig_up(rig);
	tick_well(rig, NOW);
	settle(rig, 0, FLOW_ACCEPTED);
	settle(rig, 1, FLOW_UNCONFIRMED);
	for (size_t i = 2; i < 5; i++)
		settle(rig, i, FLOW_RELEASED);
	ck_assert(source_store_finish(rig->source, &err));
	ck_assert_uint_eq(source_store_place(rig->source).sent_to, 2);
	rig_down(rig);
}
END_TEST

/* ---- cursors ---- */

static char store_file[64];
static struct store *store;

static void make_store(void)
{
	struct error err = {0};
	snprintf(store_file, sizeof store_file, "/tmp/warren-cursors.%d", (int)getpid());
	unlink(store_file);
	store = store_open(store_file, STORE_CREATE, &err);
	ck_assert_msg(store != NULL, "%s", err.text);
}

static void drop_store(void)
{
	static const char *const tails[] = {"", "-wal", "-shm"};
	store_close(store);
	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		char path[80];
		snprintf(path, sizeof path, "%s%s", store_file, tails[i]);
		unlink(path);
	}
}

static struct cursors *take(const char *name, struct cursors_place *place)
{
	struct error err = {0};
	struct cursors *c = cursors_take(store, name, SLICE("{}"), place, &err);
	ck_assert_msg(c != NULL, "%s", err.text);
	return c;
}

/* As another process would find it. */
static struct cursors_place place_in_store(const char *name)
{
	struct error err = {0};
	struct buf what = {0};
	struct cursors_place place;
	struct store *mine = store_open(store_file, STORE_READ, &err);
	ck_assert_msg(
	    mine != NULL && cursors_look(mine, name, &what, &place, &err), "%s", err.text);
	store_close(mine);
	buf_release(&what);
	return place;
}

START_TEST(a_cursor_says_what_is_sent_before_it_is_sent)
{
	struct rig *rig = rig_new();
	struct error err = {0};
	rig->shelf = (struct shelf){.count = 3500};
	rig->options.cursor = take("c", &rig->options.place);
	rig_up(rig);
	rig->hand.room = 0;
	tick_well(rig, NOW);
	ck_assert_uint_eq(place_in_store("c").sent_to, 0);
	while (rig->hand.count < 3500) {
		rig->hand.room = 1;
		tick_well(rig, NOW);
		if (rig->hand.count % 250 > 1)
			continue;
		struct cursors_place place = place_in_store("c");
		ck_assert_uint_ge(place.sent_to, rig->hand.count);
		ck_assert_uint_eq(place.done, 0);
	}
	ck_assert_uint_eq(place_in_store("c").sent_to, 3500);
	for (size_t i = 0; i < 2000; i++)
		settle(rig, i, FLOW_ACCEPTED);
	tick_well(rig, NOW + SOURCE_STORE_SAVE_NS - 1);
	ck_assert_uint_eq(place_in_store("c").done, 0);
	ck_assert_uint_eq(rig->wake_ns, NOW + SOURCE_STORE_SAVE_NS);
	tick_well(rig, NOW + SOURCE_STORE_SAVE_NS);
	ck_assert_uint_eq(place_in_store("c").done, 2000);
	for (size_t i = 2000; i < 3500; i++)
		settle(rig, i, FLOW_ACCEPTED);
	ck_assert(source_store_finish(rig->source, &err));
	ck_assert_uint_eq(place_in_store("c").done, 3500);
	cursors_free(rig->options.cursor);
	rig_down(rig);
}
END_TEST

START_TEST(what_may_come_twice_is_marked_the_next_time)
{
	struct rig *rig = rig_new();
	struct error err = {0};
	struct cursors_place place;
	struct cursors *killed = take("c", &place);
	ck_assert(cursors_save(killed, &(struct cursors_place){3, 5}, &err));
	cursors_free(killed);
	rig->shelf = (struct shelf){.count = 8};
	rig->options.cursor = take("c", &rig->options.place);
	ck_assert_uint_eq(rig->options.place.done, 3);
	rig_up(rig);
	tick_well(rig, NOW);
	ck_assert_uint_eq(rig->hand.count, 5);
	static const char *const expected[] = {"4!", "5!", "6", "7", "8"};
	for (size_t i = 0; i < 5; i++)
		ck_assert_str_eq(rig->hand.bodies[i], expected[i]);
	/* it ends before all of them went: 5 is still one that may have been sent */
	settle(rig, 0, FLOW_ACCEPTED);
	for (size_t i = 1; i < 5; i++)
		settle(rig, i, FLOW_RELEASED);
	ck_assert(source_store_finish(rig->source, &err));
	ck_assert_uint_eq(place_in_store("c").done, 4);
	ck_assert_uint_eq(place_in_store("c").sent_to, 5);
	cursors_free(rig->options.cursor);
	rig_down(rig);
}
END_TEST

START_TEST(who_lost_the_cursor_sends_nothing_beyond_what_it_said)
{
	struct rig *rig = rig_new();
	struct error err = {0};
	struct cursors_place place;
	rig->shelf = (struct shelf){.count = 3000};
	rig->options.cursor = take("c", &rig->options.place);
	rig_up(rig);
	rig->hand.room = 1;
	tick_well(rig, NOW);
	struct cursors *other = take("c", &place);
	ck_assert_uint_eq(place.sent_to, SOURCE_STORE_AHEAD);
	rig->hand.room = MOST;
	ck_assert(!tick(rig, NOW + 1, &err));
	ck_assert_int_eq(err.kind, ERROR_UNAVAILABLE);
	ck_assert_str_eq(err.text, "another replay has taken cursor 'c'");
	ck_assert_uint_eq(rig->hand.count, SOURCE_STORE_AHEAD);
	cursors_free(other);
	cursors_free(rig->options.cursor);
	rig_down(rig);
}
END_TEST

START_TEST(a_cursor_remembers_what_for_once_something_was_sent)
{
	struct error err = {0};
	struct buf what = {0};
	struct cursors_place place;
	struct cursors *c = cursors_take(store, "c", SLICE("first"), &place, &err);
	ck_assert(cursors_look(store, "c", &what, &place, &err));
	ck_assert_uint_eq(what.len, 0);
	ck_assert(cursors_save(c, &(struct cursors_place){0, 1000}, &err));
	ck_assert(cursors_look(store, "c", &what, &place, &err));
	ck_assert_str_eq(what.ptr, "first");
	ck_assert_uint_eq(place.sent_to, 1000);
	ck_assert(cursors_look(store, "other", &what, &place, &err));
	ck_assert_uint_eq(what.len + place.sent_to, 0);
	cursors_free(c);
	buf_release(&what);
}
END_TEST

START_TEST(the_key_of_the_masks_stays_and_is_this_stores)
{
	unsigned char one[SIPHASH_KEY_BYTES], two[SIPHASH_KEY_BYTES], none[SIPHASH_KEY_BYTES] = {0};
	struct error err = {0};
	cursors_mask_key(store, one);
	store_close(store);
	store = store_open(store_file, STORE_READ, &err);
	cursors_mask_key(store, two);
	ck_assert_mem_eq(one, two, sizeof one);
	ck_assert_mem_ne(one, none, sizeof one);
	drop_store();
	make_store();
	cursors_mask_key(store, two);
	ck_assert_mem_ne(one, two, sizeof one);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("source_store");
	TCase *cases = tcase_create("source_store"), *cursors = tcase_create("cursors");
	tcase_add_test(cases, an_event_is_due_by_its_distance_from_the_first);
	tcase_add_test(cases, the_pauses_are_those_there_were);
	tcase_add_test(cases, a_pause_is_not_made_up_by_more_than_is_due);
	tcase_add_test(cases, a_rate_is_a_rate_whatever_the_times_were);
	tcase_add_test(cases, without_a_pace_all_goes_that_there_is_room_for);
	tcase_add_test(cases, a_long_wait_lets_go_of_the_store);
	tcase_add_test(cases, done_is_what_is_confirmed_without_a_gap);
	tcase_add_loop_test(cases, the_first_failure_ends_it_and_is_told, 0, 3);
	tcase_add_test(cases, what_was_not_sent_is_not_said_to_be);
	tcase_add_checked_fixture(cursors, make_store, drop_store);
	tcase_add_test(cursors, a_cursor_says_what_is_sent_before_it_is_sent);
	tcase_add_test(cursors, what_may_come_twice_is_marked_the_next_time);
	tcase_add_test(cursors, who_lost_the_cursor_sends_nothing_beyond_what_it_said);
	tcase_add_test(cursors, a_cursor_remembers_what_for_once_something_was_sent);
	tcase_add_test(cursors, the_key_of_the_masks_stays_and_is_this_stores);
	suite_add_tcase(suite, cases);
	suite_add_tcase(suite, cursors);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
