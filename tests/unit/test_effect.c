/* What a message did and its mark are one: dedupe, a core that splits, the sink into a store; also
 * when the process is killed again and again while everything comes again and again. */
#include "flow/core_dedupe.h"
#include "flow/sink_store.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "store_bench.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 4000

/* ---- a source that offers bodies, and a core that makes N events of each ---- */

struct given {
	const char *bodies[MOST];
	size_t count, next, settled;
	enum flow_fate fates[MOST];
	int told; /* gets a byte a message that is settled; -1: nobody */
};

static bool tick(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	struct given *g = self;
	(void)now_ns, (void)wake_ns, (void)err;
	for (; g->next < g->count && flow_room(flow) > 0; g->next++) {
		const struct message m = {.body = slice_str(g->bodies[g->next])};
		flow_offer(
		    flow, &(struct flow_message){.message = &m, .queue = SLICE("q")}, g->next);
	}
	return true;
}

static void note_fate(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	struct given *g = self;
	g->fates[token] = outcome->fate;
	g->settled++;
	if (g->told >= 0)
		ck_assert_int_eq(write(g->told, "x", 1), 1);
}

static void stop(void *self)
{
	(void)self;
}

static bool is_done(const void *self)
{
	const struct given *g = self;
	return g->settled == g->count;
}

static const struct flow_source_kind given_kind = {tick, note_fate, stop, is_done};

/* {"order": N, "events": N, "reject": N}: so many events, of which the one with that number is
 * rejected. What they say is new each time they are made, so that no id and no content gives a
 * repetition away. */
static uint64_t number_in(struct slice body, const char *name)
{
	uint64_t number = 0;
	const char *at = strstr(body.ptr, name);
	if (at != NULL)
		number = strtoull(at + strlen(name) + 2, NULL, 10);
	return number;
}

static enum flow_answer split(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	uint64_t *made = self;
	struct slice body = in->message->body;
	(void)out, (void)verdict;
	for (uint64_t i = number_in(body, "events"); i > 0; i--) {
		char text[100];
		snprintf(text, sizeof text,
		    "{\"order\":%llu,\"part\":%llu,\"by\":%d,\"made\":%llu%s}",
		    (unsigned long long)number_in(body, "order"), (unsigned long long)i,
		    (int)getpid(), (unsigned long long)++*made,
		    number_in(body, "reject") == i ? ",\"bad\":1" : "");
		const struct message m = {.body = slice_str(text), .exchange = SLICE("x")};
		flow_branch(flow, slot, &(struct flow_message){.message = &m});
	}
	return FLOW_SPLIT;
}

static enum flow_answer judge(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	(void)self, (void)flow, (void)slot, (void)out;
	verdict->reason = "bad";
	return strstr(in->message->body.ptr, "bad") != NULL ? FLOW_SETTLE : FLOW_PASS;
}

/* ---- a run ---- */

static struct error err;
static struct given given;
static uint64_t duplicates;

static void begin(void)
{
	error_clear(&err);
	make_folder();
	name_file("events.db");
	given = (struct given){.told = -1};
}

static void give(const char *body)
{
	given.bodies[given.count++] = body;
}

static bool mark(void *ctx, uint64_t slot, size_t index, struct append_mark *out)
{
	void *const *pair = ctx;
	return index == 0 && core_dedupe_mark(pair[0], slot, pair[1], out);
}

static void run(void)
{
	static const struct flow_core_kind splitting = {.apply = split}, judging = {.apply = judge};
	uint64_t made = 0;
	struct loop *loop = loop_create_worker(&err);
	struct store *store = store_open(path, STORE_CREATE, &err);
	ck_assert_msg(store != NULL, "%s", err.text);
	const struct core_dedupe_options deduping = {
	    .by = ".order", .window = 100000, .scope = "test", .store = store};
	struct core_dedupe *dedupe = core_dedupe_create(&deduping, &err);
	ck_assert_msg(dedupe != NULL, "%s", err.text);
	void *pair[] = {dedupe, store};
	const struct sink_store_options storing = {.store = store,
	    .loop = loop,
	    .batch_count = 50,
	    .batch_ns = CHRONO_MS,
	    .mark = mark,
	    .mark_ctx = pair};
	struct sink_store *sink = sink_store_create(&storing);
	const struct flow_options flowing = {.source = {&given_kind, &given},
	    .cores = {core_dedupe_core(dedupe), {&splitting, &made}, {&judging, NULL}},
	    .core_count = 3,
	    .sink = sink_store_sink(sink),
	    .window = 64,
	    .limit = FLOW_NO_LIMIT,
	    .drain_ns = CHRONO_S};
	struct flow *flow = flow_create(loop, &flowing);
	ck_assert_msg(flow_run(flow, &err), "%s", err.text);
	duplicates = core_dedupe_duplicates(dedupe);
	flow_free(flow);
	sink_store_free(sink);
	core_dedupe_free(dedupe);
	store_close(store);
	loop_free(loop);
}

/* ---- the tests ---- */

START_TEST(several_events_one_or_none_have_one_mark_each_message)
{
	give("{\"order\":1,\"events\":3}");
	give("{\"order\":2,\"events\":1}");
	give("{\"order\":3,\"events\":0}");
	give("{\"order\":1,\"events\":3}"); /* under way, so it waits */
	run();
	ck_assert_int_eq(ask("SELECT count(*) FROM event"), 4);
	ck_assert_int_eq(ask("SELECT count(*) FROM handled"), 3);
	ck_assert_uint_eq(duplicates, 1);
	given.next = given.settled = 0; /* all of them again, to a new process */
	run();
	ck_assert_int_eq(ask("SELECT count(*) FROM event"), 4);
	ck_assert_int_eq(ask("SELECT count(*) FROM handled"), 3);
	ck_assert_uint_eq(duplicates, 4);
	for (size_t i = 0; i < given.count; i++)
		ck_assert_int_eq(given.fates[i], FLOW_ACCEPTED);
}
END_TEST

START_TEST(of_a_message_one_part_of_which_is_rejected_nothing_is_stored)
{
	give("{\"order\":1,\"events\":3,\"reject\":2}");
	give("{\"order\":2,\"events\":2}");
	run();
	ck_assert_int_eq(given.fates[0], FLOW_REJECTED);
	ck_assert_int_eq(given.fates[1], FLOW_ACCEPTED);
	ck_assert_int_eq(ask("SELECT count(*) FROM event"), 2);
	ck_assert_int_eq(ask("SELECT count(*) FROM handled"), 1);
}
END_TEST

START_TEST(more_parts_than_a_batch_are_one_transaction_all_the_same)
{
	give("{\"order\":1,\"events\":5000}");
	run();
	ck_assert_int_eq(ask("SELECT count(*) FROM event"), 5000);
	ck_assert_int_eq(ask("SELECT count(*) FROM handled"), 1);
}
END_TEST

/* The child's messages are settled one after the other; it dies after so many. */
static bool run_until(size_t most, useconds_t later_us)
{
	int pipes[2];
	char byte;
	ck_assert_int_eq(pipe(pipes), 0);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		close(pipes[0]);
		given.told = pipes[1];
		run();
		_exit(0);
	}
	close(pipes[1]);
	for (size_t i = 0; i < most && read(pipes[0], &byte, 1) == 1; i++)
		continue;
	usleep(later_us); /* into whatever it is at then: each kill strikes elsewhere */
	kill(child, SIGKILL);
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	close(pipes[0]);
	return WIFSIGNALED(status);
}

START_TEST(killed_again_and_again_each_effect_is_there_once)
{
	enum { ORDERS = 1500, KILLS = 12 };
	uint64_t kills = KILLS, killed = 0;
	const char *wanted = getenv("KILLS");
	struct error ignored = {0};
	if (wanted != NULL)
		ck_assert(num_parse_u64(slice_str(wanted), 1, 10000, &kills, &ignored));
	for (unsigned i = 0; i < 2 * ORDERS; i++) /* each comes twice, with other words */
		give(mem_printf("{\"order\":%u,\"events\":%u,\"copy\":%u}", i % ORDERS,
		    i % ORDERS % 4, i / ORDERS));
	for (size_t i = 0; i < kills; i++) /* all comes again each time, and some a little later */
		killed += run_until(50 + i * 2 * ORDERS / kills, (useconds_t)(i * 137 % 1500));
	ck_assert_uint_ge(killed, 1);
	run();
	ck_assert_int_eq(ask("SELECT count(*) FROM handled"), ORDERS);
	ck_assert_int_eq(ask("SELECT count(*) FROM event"), ORDERS / 4 * 6);
	/* and all events of an order were made by one process, in one go */
	ck_assert_int_eq(ask("SELECT count(*) FROM (SELECT 1 FROM event GROUP BY body ->> 'order'"
			     " HAVING count(DISTINCT body ->> 'by') > 1"
			     " OR max(body ->> 'made') - min(body ->> 'made') <> count(*) - 1)"),
	    0);
	for (size_t i = 0; i < given.count; i++)
		free((void *)(uintptr_t)given.bodies[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("effect");
	TCase *tests = tcase_create("effect");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, begin, remove_folder);
	tcase_add_test(tests, several_events_one_or_none_have_one_mark_each_message);
	tcase_add_test(tests, of_a_message_one_part_of_which_is_rejected_nothing_is_stored);
	tcase_add_test(tests, more_parts_than_a_batch_are_one_transaction_all_the_same);
	tcase_add_test(tests, killed_again_and_again_each_effect_is_there_once);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
