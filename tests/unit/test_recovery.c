/* Recovery: what counts as having come back, and when it is given up. The broker is a child
 * process. */
#include "broker/recovery.h"

#include "base/chrono.h"
#include "base/log.h"
#include "broker/connection_private.h"
#include "peer_bench.h"

#define GIVE_UP_NS CHRONO_S
#define SOON_NS (10 * CHRONO_S)
#define PAUSE_TO_NS (50 * CHRONO_MS)

/* The next one, when this one has gone. */
static int take_next(int fd)
{
	char bytes[4096];
	while (read(fd, bytes, sizeof bytes) > 0)
		;
	close(fd);
	return accept(peer_listener, NULL, NULL);
}

/* Lets everybody in, one after another, and says no more. */
static void peer_lets_in(int fd)
{
	for (;; fd = take_next(fd))
		log_in(fd);
}

static void refuse(int fd)
{
	amqp_connection_close_t close = {403, amqp_cstring_bytes("ACCESS_REFUSED"), 0, 0};
	greet(fd);
	send_method(fd, 0, AMQP_CONNECTION_CLOSE_METHOD, &close);
}

/* Lets one in, then for a while nobody, as when a user is deleted and made anew. */
static void peer_knows_nobody_for_a_while(int fd)
{
	log_in(fd);
	fd = take_next(fd);
	uint64_t end_ns = chrono_now_ns() + 2 * PAUSE_TO_NS;
	for (; chrono_now_ns() < end_ns; fd = take_next(fd))
		refuse(fd);
	log_in(fd);
	take_next(fd);
}

/* Lets one in, then never again anybody. */
static void peer_knows_nobody_any_more(int fd)
{
	log_in(fd);
	for (;;) {
		fd = take_next(fd);
		refuse(fd);
	}
}

/* ---- the side of the tool ---- */

static struct bench {
	struct loop *loop;
	struct uri uri;
	struct connection *connection;
	struct recovery *recovery;
} bench;

static void begin(peer_fn *peer, uint64_t give_up_after_ns)
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
		.pause_to_ns = PAUSE_TO_NS},
	    .give_up_after_ns = give_up_after_ns};
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
	begin(peer_lets_in, GIVE_UP_NS);
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
	begin(peer_lets_in, GIVE_UP_NS);
	while (chrono_now_ns() < limit_ns && lose_and_renew(&err))
		;
	ck_assert_int_eq(err.kind, ERROR_UNAVAILABLE);
	ck_assert_msg(strstr(err.text, "cut by the test (gave up after ") != NULL, "%s", err.text);
	end();
}
END_TEST

START_TEST(a_user_that_is_made_anew_gets_in_again)
{
	struct error err = {0};
	begin(peer_knows_nobody_for_a_while, SOON_NS);
	ck_assert_msg(lose_and_renew(&err), "%s", err.text);
	end();
}
END_TEST

START_TEST(one_that_is_refused_again_and_again_is_given_up_early)
{
	struct error err = {0};
	uint64_t start_ns = chrono_now_ns();
	begin(peer_knows_nobody_any_more, SOON_NS);
	ck_assert(!lose_and_renew(&err));
	ck_assert_int_eq(err.kind, ERROR_ACCESS);
	ck_assert(chrono_now_ns() - start_ns < SOON_NS);
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
	tcase_add_test(cases, a_user_that_is_made_anew_gets_in_again);
	tcase_add_test(cases, one_that_is_refused_again_and_again_is_given_up_early);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
