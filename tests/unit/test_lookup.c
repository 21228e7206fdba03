/* Looking names up. The resolver is ours: getaddrinfo below stands before that of the system. */
#include "broker/lookup.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <check.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_t main_thread;
static atomic_uint asked_beside, asked_here, freed;
static sem_t answer; /* slow.example waits for it */

int getaddrinfo(
    const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	bool is_numeric = strcmp(host, "127.0.0.1") == 0;
	bool is_here = pthread_equal(pthread_self(), main_thread) != 0;
	atomic_fetch_add(is_here ? &asked_here : &asked_beside, 1);
	ck_assert_str_eq(service, "5672");
	if (((hints->ai_flags & AI_NUMERICHOST) != 0 && !is_numeric) ||
	    strcmp(host, "nobody.example") == 0)
		return EAI_NONAME;
	if (strcmp(host, "slow.example") == 0)
		sem_wait(&answer);
	*list = mem_alloc(1, sizeof **list);
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	free(list);
	atomic_fetch_add(&freed, 1);
}

static struct loop *loop;

static void begin(void)
{
	struct error err = {0};
	main_thread = pthread_self();
	atomic_store(&asked_beside, 0);
	atomic_store(&asked_here, 0);
	atomic_store(&freed, 0);
	loop = loop_create(&err);
	ck_assert_ptr_nonnull(loop);
	ck_assert_int_eq(sem_init(&answer, 0, 0), 0);
}

static void end(void)
{
	loop_free(loop);
}

static struct addrinfo *look_up(const char *host, uint64_t span_ns, struct error *err)
{
	return lookup_host(loop, host, 5672, chrono_now_ns() + span_ns, err);
}

/* Lets the resolver answer: what nobody waits for any more is freed by its thread. */
static void answer_late(void)
{
	struct error err = {0};
	uint64_t deadline_ns = chrono_now_ns() + 10 * CHRONO_S;
	ck_assert_uint_eq(atomic_load(&freed), 0);
	sem_post(&answer);
	while (atomic_load(&freed) == 0 && chrono_now_ns() < deadline_ns)
		ck_assert(loop_turn(loop, chrono_now_ns() + CHRONO_MS, &err));
	ck_assert_uint_eq(atomic_load(&freed), 1);
}

START_TEST(an_address_costs_no_thread)
{
	struct error err = {0};
	struct addrinfo *list = look_up("127.0.0.1", 10 * CHRONO_S, &err);
	ck_assert_ptr_nonnull(list);
	freeaddrinfo(list);
	ck_assert_uint_eq(atomic_load(&asked_here), 1);
	ck_assert_uint_eq(atomic_load(&asked_beside), 0);
}
END_TEST

START_TEST(a_name_is_looked_up_in_a_thread)
{
	struct error err = {0};
	struct addrinfo *list = look_up("quick.example", 10 * CHRONO_S, &err);
	ck_assert_msg(list != NULL, "%s", err.text);
	freeaddrinfo(list);
	ck_assert_uint_eq(atomic_load(&asked_beside), 1);
}
END_TEST

START_TEST(the_reason_why_a_name_is_not_found_is_told)
{
	struct error err = {0};
	ck_assert_ptr_null(look_up("nobody.example", 10 * CHRONO_S, &err));
	ck_assert_str_eq(err.text, "cannot look up 'nobody.example': Name or service not known");
	ck_assert_int_eq(err.kind, ERROR_UNAVAILABLE);
}
END_TEST

START_TEST(a_silent_name_server_is_waited_for_until_the_deadline)
{
	struct error err = {0};
	ck_assert_ptr_null(look_up("slow.example", 20 * CHRONO_MS, &err));
	ck_assert_str_eq(err.text, "cannot look up 'slow.example': no answer in time");
	ck_assert_int_eq(err.kind, ERROR_UNAVAILABLE);
	answer_late();
}
END_TEST

static void stop(void *ctx, uint64_t now_ns)
{
	(void)ctx, (void)now_ns;
	kill(getpid(), SIGINT);
}

START_TEST(a_signal_ends_the_wait)
{
	struct error err = {0};
	uint64_t start_ns = chrono_now_ns();
	loop_at(loop, start_ns + 20 * CHRONO_MS, stop, NULL);
	ck_assert_ptr_null(look_up("slow.example", 25 * CHRONO_S, &err));
	ck_assert_str_eq(err.text, "cannot look up 'slow.example': interrupted");
	ck_assert(chrono_now_ns() - start_ns < 10 * CHRONO_S);
	answer_late();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lookup");
	TCase *cases = tcase_create("lookup");
	tcase_set_timeout(cases, 30);
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, an_address_costs_no_thread);
	tcase_add_test(cases, a_name_is_looked_up_in_a_thread);
	tcase_add_test(cases, the_reason_why_a_name_is_not_found_is_told);
	tcase_add_test(cases, a_silent_name_server_is_waited_for_until_the_deadline);
	tcase_add_test(cases, a_signal_ends_the_wait);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
