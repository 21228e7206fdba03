#include "base/chrono.h"
#include "base/loop.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define FEW 3	 /* descriptors that poll looks at */
#define MANY 100 /* and so many that the kernel keeps a list */

struct seen {
	uint64_t told_ns, left_ns; /* the time a timer was told, and the time when it returned */
};

/* Takes as long as the clock needs to move on. */
static void take_time(void *ctx, uint64_t now_ns)
{
	struct seen *seen = ctx;
	seen->told_ns = now_ns;
	while ((seen->left_ns = chrono_now_ns()) <= now_ns)
		;
}

/* A timer that reckons with what an earlier one of its turn has noted must not be told a time
 * before that. */
START_TEST(time_does_not_go_backwards_between_the_timers_of_a_turn)
{
	struct error err = {0};
	struct loop *loop = loop_create(&err);
	struct seen first = {0}, second = {0};
	uint64_t due = chrono_now_ns();
	loop_at(loop, due, take_time, &first);
	loop_at(loop, due + 1, take_time, &second);
	while (second.told_ns == 0)
		ck_assert(loop_turn(loop, due + CHRONO_S, &err));
	ck_assert_uint_ge(second.told_ns, first.left_ns);
	loop_free(loop);
}
END_TEST

START_TEST(the_time_slept_is_what_was_waited)
{
	struct error err = {0};
	struct loop *loop = loop_create(&err);
	uint64_t before = chrono_now_ns();
	ck_assert_uint_eq(loop_slept_ns(loop), 0);
	ck_assert(loop_turn(loop, before + CHRONO_MS, &err));
	ck_assert_uint_gt(loop_slept_ns(loop), 0);
	ck_assert_uint_le(loop_slept_ns(loop), chrono_now_ns() - before);
	loop_free(loop);
}
END_TEST

/* Pipes that are watched, and how often each was found ready. */
struct pipes {
	struct loop *loop;
	int count, fds[MANY][2];
	int ready[MANY];
	bool leaves; /* unwatch from within */
};
struct end {
	struct pipes *pipes;
	int index;
};

static void on_pipe(void *ctx, short revents)
{
	struct end *end = ctx;
	struct pipes *p = end->pipes;
	char byte;
	ck_assert((revents & POLLIN) != 0);
	ck_assert_int_eq(read(p->fds[end->index][0], &byte, 1), 1);
	p->ready[end->index]++;
	if (p->leaves)
		loop_unwatch(p->loop, p->fds[end->index][0]);
}

static void open_pipes(struct pipes *p, struct end *ends, int count)
{
	struct error err = {0};
	*p = (struct pipes){.loop = loop_create_worker(&err), .count = count};
	ck_assert_ptr_nonnull(p->loop);
	for (int i = 0; i < count; i++) {
		ck_assert_int_eq(pipe(p->fds[i]), 0);
		ends[i] = (struct end){p, i};
		loop_watch(p->loop, p->fds[i][0], POLLIN, on_pipe, &ends[i]);
	}
}

static void close_pipes(struct pipes *p)
{
	loop_free(p->loop);
	for (int i = 0; i < p->count; i++) {
		close(p->fds[i][0]);
		close(p->fds[i][1]);
	}
}

/* A turn that does not sleep. */
static void turn(struct loop *loop)
{
	struct error err = {0};
	ck_assert(loop_turn(loop, 0, &err));
}

static void write_to(const struct pipes *p, int i)
{
	ck_assert_int_eq(write(p->fds[i][1], "x", 1), 1);
}

static const int counts[] = {FEW, MANY};

START_TEST(who_is_ready_is_called_and_nobody_else)
{
	struct pipes p;
	struct end ends[MANY];
	open_pipes(&p, ends, counts[_i]);
	turn(p.loop);
	write_to(&p, 0);
	write_to(&p, p.count - 1);
	turn(p.loop);
	turn(p.loop);
	for (int i = 0; i < p.count; i++)
		ck_assert_int_eq(p.ready[i], i == 0 || i == p.count - 1);
	close_pipes(&p);
}
END_TEST

START_TEST(what_is_asked_can_change_and_end)
{
	struct pipes p;
	struct end ends[MANY];
	open_pipes(&p, ends, counts[_i]);
	turn(p.loop);
	write_to(&p, 1);
	loop_watch(p.loop, p.fds[1][0], 0, on_pipe, &ends[1]); /* only errors */
	turn(p.loop);
	ck_assert_int_eq(p.ready[1], 0);
	loop_watch(p.loop, p.fds[1][0], POLLIN, on_pipe, &ends[1]);
	turn(p.loop);
	ck_assert_int_eq(p.ready[1], 1);
	p.leaves = true;
	write_to(&p, 1);
	write_to(&p, 1);
	turn(p.loop);
	turn(p.loop);
	ck_assert_int_eq(p.ready[1], 2); /* it left after one */
	close_pipes(&p);
}
END_TEST

START_TEST(a_descriptor_that_comes_again_is_watched_anew)
{
	struct pipes p;
	struct end ends[MANY];
	open_pipes(&p, ends, counts[_i]);
	turn(p.loop);
	int number = p.fds[2][0];
	loop_unwatch(p.loop, number);
	close(p.fds[2][0]);
	close(p.fds[2][1]);
	ck_assert_int_eq(pipe(p.fds[2]), 0);
	ck_assert_int_eq(p.fds[2][0], number);
	turn(p.loop);
	loop_watch(p.loop, number, POLLIN, on_pipe, &ends[2]);
	write_to(&p, 2);
	turn(p.loop);
	ck_assert_int_eq(p.ready[2], 1);
	close_pipes(&p);
}
END_TEST

static void count_calls(void *ctx, short revents)
{
	(void)revents;
	(*(int *)ctx)++;
}

START_TEST(a_file_is_always_ready)
{
	struct pipes p;
	struct end ends[MANY];
	int calls = 0, fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	open_pipes(&p, ends, counts[_i]);
	loop_watch(p.loop, fd, POLLIN, count_calls, &calls);
	turn(p.loop);
	turn(p.loop);
	write_to(&p, 0);
	turn(p.loop);
	ck_assert_int_eq(calls, 3);
	ck_assert_int_eq(p.ready[0], 1);
	loop_unwatch(p.loop, fd);
	turn(p.loop);
	ck_assert_int_eq(calls, 3);
	close(fd);
	close_pipes(&p);
}
END_TEST

static void *stop_loop(void *ctx)
{
	loop_request_stop(ctx);
	return NULL;
}

START_TEST(another_thread_can_end_a_wait)
{
	struct error err = {0};
	struct loop *loop = loop_create_worker(&err);
	pthread_t thread;
	ck_assert_int_eq(pthread_create(&thread, NULL, stop_loop, loop), 0);
	while (!loop_stop_requested(loop))
		ck_assert(loop_turn(loop, chrono_now_ns() + 60 * CHRONO_S, &err));
	pthread_join(thread, NULL);
	loop_free(loop);
}
END_TEST

/* What a worker answers and the signal may come in one turn, the byte of the signal's in the next.
 */
START_TEST(signal_asks_for_the_end_before_the_loop_turns)
{
	struct error err = {0};
	struct loop *loop = loop_create(&err);
	struct loop *worker = loop_create_worker(&err);
	ck_assert(!loop_stop_requested(loop));
	ck_assert_int_eq(raise(SIGTERM), 0);
	ck_assert(loop_stop_requested(loop));
	ck_assert(!loop_stop_requested(worker));
	loop_free(worker);
	loop_free(loop);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loop");
	TCase *tests = tcase_create("loop");
	tcase_add_test(tests, time_does_not_go_backwards_between_the_timers_of_a_turn);
	tcase_add_test(tests, the_time_slept_is_what_was_waited);
	int cases = (int)(sizeof counts / sizeof counts[0]);
	tcase_add_loop_test(tests, who_is_ready_is_called_and_nobody_else, 0, cases);
	tcase_add_loop_test(tests, what_is_asked_can_change_and_end, 0, cases);
	tcase_add_loop_test(tests, a_descriptor_that_comes_again_is_watched_anew, 0, cases);
	tcase_add_loop_test(tests, a_file_is_always_ready, 0, cases);
	tcase_add_test(tests, another_thread_can_end_a_wait);
	tcase_add_test(tests, signal_asks_for_the_end_before_the_loop_turns);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
