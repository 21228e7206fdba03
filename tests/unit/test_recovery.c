/* Recovery: what counts as having come back, and when it is given up. The broker is a child
 * process. */
#include "broker/recovery.h"

#include "base/chrono.h"
#include "base/log.h"
#include "broker/connection_private.h"
#include "peer_bench.h"

#define GIVE_UP_NS (200 * CHRONO_MS)

/* Lets everybody in, one after another, and says no more. */
static void peer_lets_in(int fd)
{
	char bytes[4096];
	for (;; close(fd), fd = accept(peer_listener, NULL, NULL)) {
		log_in(fd);
		while (read(fd, bytes, sizeof bytes) > 0)
			;
	}
}

/* ---- the side of the tool ---- */

static struct bench {
	struct loop *loop;
	struct uri uri;
	struct connection *connection;
	struct recovery *recovery;
} bench;

static void begin(peer_fn *peer)
{
	struct error err = {0};
	char *address = start_peer(peer);
	bench.loop = loop_create(&err);
	ck_assert_msg(uri_parse(slice_str(address), &bench.uri, &err), "%s", err.text);
	const struct connection_options to = {.uri = &bench.uri, .name = "test"};
	bench.connection = connection_open(bench.loop, &to, &err);
	ck_assert_msg(bench.connection != NULL, "%s", err.text);
	const struct recovery_options options = {.connection = bench.connection,
	    .reach = {.uris = &bench.uri,
		.uri_count = 1,
		.name = "test",
		.pause_from_ns = 10 * CHRONO_MS,
		.pause_to_ns = 50 * CHRONO_MS},
	    .give_up_after_ns = GIVE_UP_NS};
	bench.recovery = recovery_create(&options);
	free(address);
}

static void end(void)
{
	recovery_free(bench.recovery);
	stop_peer();
	connection_close(bench.connection);
	loop_free(bench.loop);
	uri_release(&bench.uri);
}

static bool lose_and_renew(struct error *err)
{
	connection_abort(bench.connection, "cut by the test");
	return recovery_renew(bench.recovery, err);
}

static void live_for(uint64_t span_ns)
{
	struct error err = {0};
	uint64_t end_ns = chrono_now_ns() + span_ns;
	while (chrono_now_ns() < end_ns)
		ck_assert(loop_turn(bench.loop, end_ns, &err));
}

START_TEST(an_idle_connection_that_lived_long_enough_comes_back_each_time)
{
	struct error err = {0};
	begin(peer_lets_in);
	for (int i = 0; i < 3; i++) {
		ck_assert_msg(lose_and_renew(&err), "loss %d: %s", i + 1, err.text);
		live_for(GIVE_UP_NS + CHRONO_MS);
	}
	ck_assert_uint_eq(recovery_count(bench.recovery), 3);
	end();
}
END_TEST

START_TEST(one_that_is_lost_again_at_once_is_given_up)
{
	struct error err = {0};
	uint64_t limit_ns = chrono_now_ns() + 10 * CHRONO_S;
	begin(peer_lets_in);
	while (chrono_now_ns() < limit_ns && lose_and_renew(&err))
		;
	ck_assert_int_eq(err.kind, ERROR_UNAVAILABLE);
	ck_assert_msg(strstr(err.text, "cut by the test (gave up after ") != NULL, "%s", err.text);
	end();
}
END_TEST

int main(void)
{
	log_setup("test", LOG_ERROR, LOG_TEXT); /* not each loss */
	Suite *suite = suite_create("recovery");
	TCase *cases = tcase_create("recovery");
	tcase_set_timeout(cases, 30);
	tcase_add_test(cases, an_idle_connection_that_lived_long_enough_comes_back_each_time);
	tcase_add_test(cases, one_that_is_lost_again_at_once_is_given_up);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
