#include "flow/core_worker.h"

#include "core_bench.h"
#include "process_bench.h"

#include <errno.h>
#include <signal.h>

/* ---- numbered messages through it ---- */

static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7"};

static struct message messages[MANY]; /* number i has the routing key "i" */
static struct flow_message offered[MANY];

/* Messages whose bodies are their numbers. */
static struct run make_run(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		messages[i] = (struct message){
		    .routing_key = slice_str(names[i % 8]), .body = slice_str(names[i % 8])};
		offered[i] = (struct flow_message){.message = &messages[i], .queue = SLICE("work")};
	}
	return (struct run){.messages = offered, .count = count};
}

static void run_core(const struct core_worker_options *options, struct run *run, uint64_t drain_ns,
    struct error *err)
{
	struct loop *loop = make_loop();
	struct core_worker *core = core_worker_create(loop, options, err);
	ck_assert_msg(core != NULL, "%s", err->text);
	(void)run_through(run, loop, core_worker_core(core), drain_ns, err);
	core_worker_free(core);
	loop_free(loop);
}

/* A program for /bin/sh with `workers` of it. */
static struct core_worker_options shell(const char *program, size_t workers)
{
	return (struct core_worker_options){.command = {.text = program, .shell = true},
	    .timeout_ns = 60 * CHRONO_S,
	    .workers = workers,
	    .in_order = true,
	    .restart_from_ns = CHRONO_MS,
	    .restart_to_ns = 4 * CHRONO_MS};
}

static struct run run_shell(const struct core_worker_options *options, size_t count)
{
	struct run run = make_run(count);
	struct error err = {0};
	run_core(options, &run, PATIENCE_NS, &err);
	ck_assert_str_eq(err.text, "");
	return run;
}

/* ---- what a worker does to a message ---- */

/* For each message that is not number 3 "true", and for that this. */
#define AT_3(action)                                                       \
	"while read -r line; do case $line in *'\"body\":\"3\"'*) " action \
	";; *) echo true;; esac; done"

static const struct {
	const char *program;
	enum flow_fate fate;
	const char *reason;
} fates[] = {
    {AT_3("echo true"), FLOW_ACCEPTED, ""},
    {AT_3("echo '[]'"), FLOW_ACCEPTED, ""},
    {AT_3("echo '{\"retry\":\"no stock\"}'"), FLOW_RETRY, "no stock"},
    {AT_3("echo '{\"reject\":\"no address\"}'"), FLOW_REJECTED, "no address"},
    {AT_3("exit 0"), FLOW_REJECTED, "ended with status 0"},
    {AT_3("exit 3"), FLOW_REJECTED, "ended with status 3"},
    {AT_3("exit 75"), FLOW_RETRY, "ended with status 75"},
    {AT_3("kill -9 $$"), FLOW_REJECTED, "was killed by signal 9 (Killed)"},
    {AT_3("kill -SEGV $$"), FLOW_REJECTED, "was killed by signal 11 (Segmentation fault)"},
    {AT_3("echo hello"), FLOW_REJECTED, "answered: 'hello', which is no JSON"},
    {AT_3("echo"), FLOW_REJECTED, "answered: '', which is no JSON"},
    {AT_3("printf '\\033[31m\\n'"), FLOW_REJECTED, "answered: '\\x1b[31m', which is no JSON"},
    {AT_3("echo '{\"to\":1}'"), FLOW_REJECTED, "answered: unknown member 'to'"},
    {AT_3("printf true; exit 0"), FLOW_REJECTED, "ended with status 0"},
    {AT_3("exec >&-; sleep 1000"), FLOW_REJECTED, "closed its output"},
    {AT_3("exec >&-; exit 4"), FLOW_REJECTED, "ended with status 4"},
    {AT_3("printf 'true\\nmore\\n'"), FLOW_ACCEPTED, ""},
    {AT_3("head -c 200000000 /dev/zero | tr '\\0' x"), FLOW_REJECTED,
	"wrote a line of more than 128 MiB"},
    {AT_3("echo true; exit 0"), FLOW_ACCEPTED, ""},
    {AT_3("echo true; kill -9 $$"), FLOW_ACCEPTED, ""},
};

START_TEST(one_message_has_its_fate_and_the_others_pass)
{
	struct core_worker_options options = shell(fates[_i].program, 2);
	struct run run = run_shell(&options, 8);
	ck_assert_int_eq(run.fates[3], fates[_i].fate);
	ck_assert_str_eq(run.reasons[3], fates[_i].reason);
	for (size_t i = 0; i < 8; i++)
		if (i != 3)
			ck_assert_int_eq(run.fates[i], FLOW_ACCEPTED);
	bool comes = run.passed == 8;
	ck_assert_str_eq(run.keys.ptr, comes ? "0 1 2 3 4 5 6 7" : "0 1 2 4 5 6 7");
	release_run(&run);
}
END_TEST

/* The others have that time, too: a machine that stands still gets more of it. */
START_TEST(worker_that_hangs_is_ended_and_the_others_pass)
{
	static const uint64_t times_ms[] = {200, 1000, 5000};
	bool good = false;
	for (size_t t = 0; t < ARRAY_LEN(times_ms) && !good; t++) {
		struct core_worker_options options = shell(AT_3("sleep 1000"), 2);
		options.timeout_ns = times_ms[t] * CHRONO_MS;
		struct run run = run_shell(&options, 8);
		good = run.fates[3] == FLOW_REJECTED &&
		       strncmp(run.reasons[3], "took longer than ", 17) == 0 &&
		       strcmp(run.keys.ptr, "0 1 2 4 5 6 7") == 0;
		release_run(&run);
	}
	ck_assert(good);
}
END_TEST

/* They ignore SIGTERM, or leave a child behind that does; or never flush what they answer. */
static const struct {
	const char *program, *reason;
} stubborn[] = {
    {"trap '' TERM; read -r line; sleep 1000",
	"took longer than 100ms (it must send each line off at once: flush it)"},
    {"(trap '' TERM; sleep 1000) & read -r line; wait",
	"took longer than 100ms (it must send each line off at once: flush it)"},
    {"sleep 1000", "took longer than 100ms (it must send each line off at once: flush it)"},
};

START_TEST(worker_that_takes_too_long_is_gone_before_its_message_is_rejected)
{
	size_t before = count_descriptors();
	struct core_worker_options options = shell(stubborn[_i].program, 1);
	options.timeout_ns = 100 * CHRONO_MS;
	struct run run = run_shell(&options, 1);
	ck_assert_int_eq(run.fates[0], FLOW_REJECTED);
	ck_assert_str_eq(run.reasons[0], stubborn[_i].reason);
	ck_assert_uint_eq(count_descriptors(), before);
	release_run(&run);
}
END_TEST

/* ---- what passes between them ---- */

static struct slice big_body(size_t size)
{
	char *bytes = mem_alloc(size, 1);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)('a' + (i * 7 + i / 4096) % 26);
	return (struct slice){bytes, size};
}

START_TEST(big_body_goes_in_and_comes_back_whole)
{
	struct core_worker_options options = shell("exec cat", 2);
	struct run run = make_run(3);
	struct error err = {0};
	struct slice body = big_body(5000000);
	messages[1].body = body;
	run_core(&options, &run, PATIENCE_NS, &err);
	ck_assert_str_eq(run.keys.ptr, "0 1 2");
	ck_assert(slice_equal(run.results[1]->body, body));
	check_slice(run.results[2]->body, "2");
	free((char *)body.ptr);
	release_run(&run);
}
END_TEST

START_TEST(bytes_that_are_no_text_go_in_and_come_back_whole)
{
	struct core_worker_options options = shell("exec cat", 1);
	struct run run = make_run(1);
	struct error err = {0};
	messages[0].body = SLICE("\xff\0\n\"\\");
	run_core(&options, &run, PATIENCE_NS, &err);
	ck_assert(slice_equal(run.results[0]->body, messages[0].body));
	release_run(&run);
}
END_TEST

START_TEST(large_message_that_is_not_read_does_not_hold_the_loop)
{
	struct core_worker_options options = shell("exec sleep 1000", 1);
	options.timeout_ns = 100 * CHRONO_MS;
	struct run run = make_run(1);
	struct error err = {0};
	struct slice body = big_body(1000000);
	messages[0].body = body;
	run_core(&options, &run, PATIENCE_NS, &err);
	ck_assert_int_eq(run.fates[0], FLOW_REJECTED);
	free((char *)body.ptr);
	release_run(&run);
}
END_TEST

START_TEST(line_tells_the_message_and_where_it_was_taken_from)
{
	struct core_worker_options options =
	    shell("while read -r line; do printf '%s' \"$line\" >line; echo true; done", 1);
	struct run run = make_run(1);
	struct error err = {0};
	enter_folder();
	messages[0].exchange = SLICE("orders");
	messages[0].present = MESSAGE_MESSAGE_ID;
	messages[0].message_id = SLICE("m-1");
	run_core(&options, &run, PATIENCE_NS, &err);
	char text[200] = "";
	int fd = open("line", O_RDONLY | O_CLOEXEC);
	ck_assert_int_gt(read(fd, text, sizeof text - 1), 0);
	close(fd);
	ck_assert_str_eq(text,
	    "{\"exchange\":\"orders\",\"routing_key\":\"0\",\"redelivered\":false,\"queue\":"
	    "\"work\",\"properties\":{\"message_id\":\"m-1\"},\"body\":\"0\"}");
	release_run(&run);
	leave_folder();
}
END_TEST

START_TEST(several_results_go_on_one_after_the_other)
{
	struct core_worker_options options =
	    shell("while read -r line; do echo '[\"a\",{\"routing_key\":\"k\"},true]'; done", 1);
	struct run run = run_shell(&options, 2);
	ck_assert_str_eq(run.keys.ptr, "0 k 0 1 k 1");
	check_slice(run.results[0]->body, "a");
	check_slice(run.results[1]->body, "0");
	check_slice(run.results[5]->body, "1");
	release_run(&run);
}
END_TEST

static const struct {
	const char *answer;
	enum flow_fate fate;
	const char *reason;
} single[] = {
    {"\"a\"", FLOW_ACCEPTED, ""},
    {"[\"a\"]", FLOW_ACCEPTED, ""},
    {"[]", FLOW_REJECTED, "answered with 0 results, and one answer is wanted"},
    {"[true,true]", FLOW_REJECTED, "answered with 2 results, and one answer is wanted"},
    {"{\"reject\":\"no\"}", FLOW_REJECTED, "no"},
};

START_TEST(request_has_one_answer)
{
	char *program = mem_printf("while read -r line; do echo '%s'; done", single[_i].answer);
	struct core_worker_options options = shell(program, 1);
	options.one_answer = true;
	struct run run = run_shell(&options, 1);
	ck_assert_int_eq(run.fates[0], single[_i].fate);
	ck_assert_str_eq(run.reasons[0], single[_i].reason);
	release_run(&run);
	free(program);
}
END_TEST

START_TEST(environment_tells_which_worker_it_is_and_no_password)
{
	setenv("AMQP_URL", "amqp://me:hunter2@localhost", 1);
	setenv("MY_PASSWORD", "hunter2", 1);
	setenv("WARREN_WORKER", "of another one", 1);
	setenv("WARREN_ROUTING_KEY", "of another one", 1);
	struct core_worker_options options =
	    shell("while read -r line; do "
		  "echo \"\\\"$WARREN_WORKER $WARREN_ROUTING_KEY$AMQP_URL$MY_PASSWORD\\\"\"; done",
		1);
	struct run run = run_shell(&options, 1);
	check_slice(run.results[0]->body, "1 ");
	release_run(&run);
}
END_TEST

/* ---- order ---- */

/* $k is the number of the message; of each four, which are at work together, each is answered only
 * after the next one. */
#define BACKWARDS(then)                                                                          \
	"while read -r line; do k=${line#*'\"body\":\"'}; k=${k%%'\"'*}; case $k in 3|7) ;; *) " \
	"until test -e $((k + 1)); do sleep 0.01; done;; esac; : >$k; " then "; done"

START_TEST(results_go_on_in_the_order_of_the_messages)
{
	enter_folder();
	struct core_worker_options options = shell(BACKWARDS("echo true"), 4);
	struct run run = run_shell(&options, 8);
	ck_assert_str_eq(run.keys.ptr, "0 1 2 3 4 5 6 7");
	release_run(&run);
	leave_folder();
}
END_TEST

START_TEST(failures_among_them_leave_the_others_in_order)
{
	enter_folder();
	struct core_worker_options options =
	    shell(BACKWARDS("case $k in 1) exit 75;; 2) kill -9 $$;; 5) echo none;; "
			    "6) echo '{\"retry\":\"later\"}';; *) echo true;; esac"),
		4);
	struct run run = run_shell(&options, 8);
	ck_assert_str_eq(run.keys.ptr, "0 3 4 7");
	ck_assert_int_eq(run.fates[1], FLOW_RETRY);
	ck_assert_int_eq(run.fates[2], FLOW_REJECTED);
	ck_assert_int_eq(run.fates[5], FLOW_REJECTED);
	ck_assert_int_eq(run.fates[6], FLOW_RETRY);
	release_run(&run);
	leave_folder();
}
END_TEST

START_TEST(without_order_nobody_waits_for_a_slow_one)
{
	enter_folder();
	struct core_worker_options options =
	    shell("while read -r line; do case $line in *'\"body\":\"0\"'*) until test -e done; do "
		  "sleep 0.01; done;; *'\"body\":\"7\"'*) : >done;; esac; echo true; done",
		2);
	options.in_order = false;
	struct run run = run_shell(&options, 8);
	ck_assert_uint_eq(run.passed, 8);
	ck_assert(run.keys.ptr[0] != '0');
	release_run(&run);
	leave_folder();
}
END_TEST

/* ---- ends and new beginnings ---- */

/* A message that the worker has not read is no reason for its end. */
START_TEST(worker_may_end_after_each_answer_and_no_message_suffers)
{
	struct core_worker_options options = shell("read -r line; echo true", 2);
	struct run run = run_shell(&options, 40);
	for (size_t i = 0; i < 40; i++)
		ck_assert_int_eq(run.fates[i], FLOW_ACCEPTED);
	release_run(&run);
}
END_TEST

START_TEST(pause_grows_while_nothing_is_answered)
{
	enter_folder();
	struct core_worker_options options =
	    shell(": >>a; test $(wc -c <a) = 5 || { printf x >>a; exit 1; }; exec cat", 1);
	int saved, memory = begin_capture(&saved);
	struct run run = run_shell(&options, 2);
	char *text = end_capture(memory, saved);
	static const char *const pauses[] = {"1ms", "2ms", "4ms", "4ms", "4ms"};
	struct buf expected = {0};
	for (size_t i = 0; i < ARRAY_LEN(pauses); i++)
		buf_printf(&expected,
		    "warren: warning: ': >>a; test $(wc -c <a) = 5 || { printf x >>a; exit 1; }; "
		    "exec cat' ended with status 1: it is started again in %s\n",
		    pauses[i]);
	ck_assert_str_eq(text, expected.ptr);
	ck_assert_uint_eq(run.passed, 2);
	free(text);
	buf_release(&expected);
	release_run(&run);
	leave_folder();
}
END_TEST

/* Each message but the first kills it, so it has always answered before. */
START_TEST(pause_stays_short_while_it_answers)
{
	struct core_worker_options options = shell("read -r line; echo true; exit 9", 1);
	int saved, memory = begin_capture(&saved);
	struct run run = run_shell(&options, 6);
	char *text = end_capture(memory, saved);
	ck_assert_uint_eq(run.passed, 6);
	ck_assert_ptr_nonnull(strstr(text, "ended with status 9: it is started again in 1ms\n"));
	ck_assert_ptr_null(strstr(text, "in 2ms"));
	free(text);
	release_run(&run);
}
END_TEST

/* The one that is started in its place asks for the end. */
START_TEST(unasked_line_ends_the_worker_and_blames_no_message)
{
	enter_folder();
	struct core_worker_options options = shell(
	    "if test -e first; then : >second; exec cat; fi; : >first; echo hello; sleep 1000", 1);
	struct run run = make_run(0);
	struct error err = {0};
	run.endless = true;
	run.stop_at_file = "second";
	int saved, memory = begin_capture(&saved);
	run_core(&options, &run, PATIENCE_NS, &err);
	char *text = end_capture(memory, saved);
	ck_assert_str_eq(err.text, "");
	ck_assert_ptr_nonnull(
	    strstr(text, "wrote what nobody had asked for: it is started again in 1ms\n"));
	free(text);
	release_run(&run);
	leave_folder();
}
END_TEST

START_TEST(program_that_is_not_there_is_refused_before_the_first_message)
{
	struct error err = {0};
	struct loop *loop = loop_create(&err);
	struct core_worker_options options = {.command = {.text = "./none"}, .workers = 1};
	ck_assert_ptr_null(core_worker_create(loop, &options, &err));
	ck_assert_int_eq(err.kind, ERROR_NO_INPUT);
	ck_assert_str_eq(err.text, "cannot run './none': No such file or directory");
	loop_free(loop);
}
END_TEST

START_TEST(program_that_vanishes_fails_the_run_and_loses_nothing)
{
	enter_folder();
	write_script("tool", "#!/bin/sh\nrm tool\nread -r line\necho true\n");
	struct core_worker_options options = {.command = {.text = "./tool"}, .workers = 1};
	struct run run = make_run(3);
	struct error err = {0};
	run.endless = true;
	run_core(&options, &run, PATIENCE_NS, &err);
	ck_assert_str_eq(err.text, "cannot start './tool': No such file or directory");
	ck_assert_int_eq(err.kind, ERROR_NO_INPUT);
	ck_assert_int_eq(run.fates[0], FLOW_ACCEPTED);
	ck_assert_int_eq(run.fates[1], FLOW_RELEASED);
	ck_assert_int_eq(run.fates[2], FLOW_RELEASED);
	release_run(&run);
	leave_folder();
}
END_TEST

/* ---- the end of the run ---- */

START_TEST(stop_releases_those_that_wait_and_lets_the_others_end)
{
	enter_folder();
	struct core_worker_options options =
	    shell("while read -r line; do : >at.$WARREN_WORKER; test -e at.1 && test -e at.2 && : "
		  ">at-work; "
		  "until test -e stopped; do sleep 0.01; done; echo true; done; : >ended",
		2); /* both have read their line: what is not read goes back */
	struct run run = make_run(8);
	struct error err = {0};
	run.endless = true;
	run.stop_at_file = "at-work";
	run.stop_makes_file = "stopped";
	run_core(&options, &run, PATIENCE_NS, &err);
	for (size_t i = 0; i < 8; i++)
		ck_assert_int_eq(run.fates[i], i < 2 ? FLOW_ACCEPTED : FLOW_RELEASED);
	ck_assert_int_eq(access("ended", F_OK), 0); /* it has seen the end of its input */
	release_run(&run);
	leave_folder();
}
END_TEST

/* A service manager asks all that belong to the service. */
START_TEST(worker_that_is_asked_to_end_with_us_gives_its_message_back)
{
	enter_folder();
	struct core_worker_options options = shell(
	    "read -r line; : >at-work; until test -e stopped; do sleep 0.01; done; kill -TERM $$",
	    1);
	struct run run = make_run(2);
	struct error err = {0};
	run.endless = true;
	run.stop_at_file = "at-work";
	run.stop_makes_file = "stopped";
	run_core(&options, &run, PATIENCE_NS, &err);
	ck_assert_int_eq(run.fates[0], FLOW_RELEASED);
	ck_assert_int_eq(run.fates[1], FLOW_RELEASED);
	release_run(&run);
	leave_folder();
}
END_TEST

/* It ignores both the end of its input and SIGTERM, and has a child in its group. */
START_TEST(worker_that_does_not_go_is_killed_with_its_group)
{
	enter_folder();
	size_t before = count_descriptors();
	struct core_worker_options options =
	    shell("trap '' TERM; sleep 1000 & echo $$ $! >new; mv new pids; wait", 1);
	struct run run = make_run(0);
	struct error err = {0};
	run.endless = true;
	run.stop_at_file = "pids";
	run_core(&options, &run, 0, &err);
	FILE *file = fopen("pids", "re");
	int pids[2] = {0, 0};
	ck_assert_int_eq(fscanf(file, "%d %d", &pids[0], &pids[1]), 2);
	fclose(file);
	ck_assert_int_eq(kill(pids[0], 0), -1); /* reaped by us */
	ck_assert_int_eq(errno, ESRCH);
	ck_assert_int_eq(kill(-pids[0], SIGCONT) == 0 || errno == ESRCH, 1);
	ck_assert_uint_eq(count_descriptors(), before);
	release_run(&run);
	leave_folder();
}
END_TEST

static void add_message_tests(TCase *tc)
{
	tcase_add_loop_test(tc, one_message_has_its_fate_and_the_others_pass, 0, ARRAY_LEN(fates));
	tcase_add_test(tc, worker_that_hangs_is_ended_and_the_others_pass);
	tcase_add_loop_test(tc, worker_that_takes_too_long_is_gone_before_its_message_is_rejected,
	    0, ARRAY_LEN(stubborn));
	tcase_add_test(tc, big_body_goes_in_and_comes_back_whole);
	tcase_add_test(tc, bytes_that_are_no_text_go_in_and_come_back_whole);
	tcase_add_test(tc, large_message_that_is_not_read_does_not_hold_the_loop);
	tcase_add_test(tc, line_tells_the_message_and_where_it_was_taken_from);
	tcase_add_test(tc, several_results_go_on_one_after_the_other);
	tcase_add_loop_test(tc, request_has_one_answer, 0, ARRAY_LEN(single));
	tcase_add_test(tc, environment_tells_which_worker_it_is_and_no_password);
}

static void add_life_tests(TCase *tc)
{
	tcase_add_test(tc, results_go_on_in_the_order_of_the_messages);
	tcase_add_test(tc, failures_among_them_leave_the_others_in_order);
	tcase_add_test(tc, without_order_nobody_waits_for_a_slow_one);
	tcase_add_test(tc, worker_may_end_after_each_answer_and_no_message_suffers);
	tcase_add_test(tc, pause_grows_while_nothing_is_answered);
	tcase_add_test(tc, pause_stays_short_while_it_answers);
	tcase_add_test(tc, unasked_line_ends_the_worker_and_blames_no_message);
	tcase_add_test(tc, program_that_is_not_there_is_refused_before_the_first_message);
	tcase_add_test(tc, stop_releases_those_that_wait_and_lets_the_others_end);
	tcase_add_test(tc, worker_that_is_asked_to_end_with_us_gives_its_message_back);
	tcase_add_test(tc, worker_that_does_not_go_is_killed_with_its_group);
}

int main(void)
{
	Suite *suite = suite_create("core_worker");
	TCase *tc = tcase_create("core_worker");
	tcase_set_timeout(tc, 120);
	add_message_tests(tc);
	add_life_tests(tc);
	suite_add_tcase(suite, tc);
	/* under valgrind a program that cannot be run ends with status 127 instead */
	tc = tcase_create("start");
	tcase_set_tags(tc, "no-valgrind");
	tcase_add_test(tc, program_that_vanishes_fails_the_run_and_loses_nothing);
	suite_add_tcase(suite, tc);
	SRunner *sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
