#include "web/http.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_NS (20 * CHRONO_S)
#define BIG_BYTES (8 << 20) /* more than any buffers between two sockets */

/* The clock of this program, so that a test need not wait ten seconds for ten seconds to pass. */
static time_t clock_ahead_s;

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, clock, now);
	now->tv_sec += clock_ahead_s;
	return result;
}

/* ---- a server and its clients, all in one loop ---- */

static struct loop *loop;
static struct http *http;
static size_t visits; /* of the first page */

static void write_metrics(void *ctx, struct buf *out)
{
	visits++;
	buf_printf(out, "%s %zu\n", (const char *)ctx, visits);
}

static void write_big(void *ctx, struct buf *out)
{
	(void)ctx;
	memset(buf_reserve(out, BIG_BYTES), 'x', BIG_BYTES);
	out->len += BIG_BYTES;
}

static void write_nothing(void *ctx, struct buf *out)
{
	(void)ctx, (void)out;
}

static const struct http_page pages[] = {
    {"/metrics", "text/plain; version=0.0.4", write_metrics, (void *)"visit"},
    {"/big", "text/html; charset=utf-8", write_big, NULL},
    {"/empty", "text/plain", write_nothing, NULL},
};

static void setup(void)
{
	struct error err = {0};
	visits = 0;
	loop = loop_create(&err);
	ck_assert_ptr_nonnull(loop);
	http = http_listen(loop, "127.0.0.1:0", pages, ARRAY_LEN(pages), &err);
	ck_assert_msg(http != NULL, "%s", err.text);
}

static void teardown(void)
{
	http_close(http);
	loop_free(loop);
}

struct client {
	int fd;
	struct buf got;
	bool ended; /* the server has closed, or cut the connection */
};

static void take(void *ctx, short revents)
{
	(void)revents;
	struct client *c = ctx;
	ssize_t n = recv(c->fd, buf_reserve(&c->got, 65536), 65536, MSG_DONTWAIT);
	if (n > 0)
		buf_truncate(&c->got, c->got.len + (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		c->ended = true;
	if (c->ended)
		loop_unwatch(loop, c->fd);
}

/* Connects and says something; takes nothing yet. */
static void call(struct client *c, struct slice words)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(http_port(http)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	*c = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	ck_assert_int_eq(connect(c->fd, (struct sockaddr *)&to, sizeof to), 0);
	ck_assert_int_eq(send(c->fd, words.ptr, words.len, MSG_NOSIGNAL), (ssize_t)words.len);
}

static void listen_to(struct client *c)
{
	loop_watch(loop, c->fd, POLLIN, take, c);
}

static void hang_up(struct client *c)
{
	loop_unwatch(loop, c->fd);
	close(c->fd);
	buf_release(&c->got);
}

static void turn(uint64_t deadline_ns)
{
	struct error err = {0};
	ck_assert_msg(loop_turn(loop, deadline_ns, &err), "%s", err.text);
	ck_assert_msg(chrono_now_ns() < deadline_ns, "nothing came");
}

static void wait_until_ended(const struct client *c)
{
	uint64_t deadline = chrono_now_ns() + PATIENCE_NS;
	while (!c->ended)
		turn(deadline);
}

/* Asks, and waits for the whole answer; it stays in c->got until hang_up. */
static const char *ask(struct client *c, const char *words)
{
	call(c, slice_str(words));
	listen_to(c);
	wait_until_ended(c);
	return c->got.len > 0 ? c->got.ptr : "";
}

/* Lets the server see everything that has been said so far. */
static void settle(void)
{
	struct client c;
	ck_assert_ptr_nonnull(strstr(ask(&c, "GET /empty HTTP/1.1\r\nHost: x\r\n\r\n"), " 200 "));
	hang_up(&c);
}

static const char *body_of(const char *answer)
{
	const char *end = strstr(answer, "\r\n\r\n");
	ck_assert_msg(end != NULL, "no end of headers: %.200s", answer);
	return end + 4;
}

static void check_status(const char *answer, const char *status)
{
	ck_assert_msg(strncmp(answer, "HTTP/1.1 ", 9) == 0 || strncmp(answer, "HTTP/1.0 ", 9) == 0,
	    "%.200s", answer);
	ck_assert_msg(strncmp(answer + 9, status, 3) == 0, "not %s: %.200s", status, answer);
}

/* ---- pages ---- */

START_TEST(a_page_is_written_anew_for_each_request)
{
	struct client first, second;
	const char *answer = ask(&first, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	check_status(answer, "200");
	ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Type: text/plain; version=0.0.4\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "\r\nX-Content-Type-Options: nosniff\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "\r\nCache-Control: no-store\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Length: 8\r\n"));
	ck_assert_str_eq(body_of(answer), "visit 1\n");
	answer = ask(&second, "GET /metrics?a=b HTTP/1.0\r\n\r\n");
	check_status(answer, "200");
	ck_assert_str_eq(body_of(answer), "visit 2\n");
	hang_up(&first);
	hang_up(&second);
}
END_TEST

START_TEST(a_page_may_be_empty_or_big)
{
	struct client empty, big;
	const char *answer = ask(&empty, "GET /empty HTTP/1.1\r\nHost: x\r\n\r\n");
	check_status(answer, "200");
	ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Length: 0\r\n"));
	ck_assert_str_eq(body_of(answer), "");
	answer = ask(&big, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
	check_status(answer, "200");
	ck_assert_uint_eq(strspn(body_of(answer), "x"), BIG_BYTES);
	hang_up(&empty);
	hang_up(&big);
}
END_TEST

START_TEST(head_is_the_same_without_the_body)
{
	struct client c;
	const char *answer = ask(&c, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	check_status(answer, "200");
	ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Length: 8\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Type: text/plain; version=0.0.4\r\n"));
	ck_assert_str_eq(body_of(answer), "");
	hang_up(&c);
}
END_TEST

static const struct {
	const char *request, *status;
} refused[] = {
    {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
    {"GET /metrics/ HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
    {"GET /Metrics HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
    {"GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
    {"HEAD /none HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
    {"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "405"},
    {"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", "405"},
    {"PUT /none HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "405"},
    {"DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
    {"OPTIONS /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
    {"get /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
};

START_TEST(everything_else_is_refused)
{
	struct client c;
	const char *answer = ask(&c, refused[_i].request);
	bool bad_method = strcmp(refused[_i].status, "405") == 0;
	check_status(answer, refused[_i].status);
	ck_assert_int_eq(strstr(answer, "\r\nAllow: GET, HEAD\r\n") != NULL, bad_method);
	ck_assert_ptr_nonnull(strstr(answer, "\r\nX-Content-Type-Options: nosniff\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "\r\nCache-Control: no-store\r\n"));
	ck_assert_uint_eq(visits, 0);
	hang_up(&c);
}
END_TEST

START_TEST(a_request_may_come_byte_by_byte)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
	struct client c;
	call(&c, (struct slice){0});
	listen_to(&c);
	for (size_t i = 0; i + 1 < sizeof request; i++) {
		ck_assert_int_eq(send(c.fd, &request[i], 1, MSG_NOSIGNAL), 1);
		settle();
	}
	wait_until_ended(&c);
	ck_assert_str_eq(body_of(c.got.ptr), "visit 1\n");
	hang_up(&c);
}
END_TEST

START_TEST(noise_is_cut_off)
{
	static const char noise[] = "\x16\x03\x01\x02\x00\x01\x00\x00\xfc\r\n\r\n\0\0\0\r\n";
	struct client c;
	call(&c, (struct slice){noise, sizeof noise});
	listen_to(&c);
	wait_until_ended(&c);
	ck_assert_uint_eq(visits, 0);
	hang_up(&c);
	settle();
}
END_TEST

/* ---- slow and loud clients ---- */

START_TEST(parallel_clients_are_all_answered)
{
	struct client clients[20];
	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		call(&clients[i], SLICE("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
		listen_to(&clients[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		wait_until_ended(&clients[i]);
		check_status(clients[i].got.ptr, "200");
		hang_up(&clients[i]);
	}
	ck_assert_uint_eq(visits, ARRAY_LEN(clients));
}
END_TEST

START_TEST(half_a_request_is_dropped_in_time_and_hurts_nobody)
{
	struct client slow, other;
	call(&slow, SLICE("GET /metrics HTTP/1.1\r\nHost:"));
	listen_to(&slow);
	check_status(ask(&other, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), "200");
	hang_up(&other);
	clock_ahead_s += 9;
	settle();
	ck_assert(!slow.ended);
	clock_ahead_s += 2;
	wait_until_ended(&slow);
	ck_assert_uint_eq(slow.got.len, 0);
	hang_up(&slow);
	settle();
}
END_TEST

START_TEST(a_trickle_of_bytes_does_not_keep_a_connection)
{
	struct client c;
	call(&c, SLICE("GET /metrics HTTP/1.1\r\n"));
	listen_to(&c);
	for (size_t i = 0; i < 4 && !c.ended; i++) {
		(void)send(c.fd, "A", 1, MSG_NOSIGNAL);
		settle();
		clock_ahead_s += 3;
	}
	wait_until_ended(&c);
	ck_assert_uint_eq(visits, 0);
	hang_up(&c);
}
END_TEST

START_TEST(who_does_not_take_the_answer_keeps_nobody_waiting)
{
	struct client deaf;
	call(&deaf, SLICE("GET /big HTTP/1.1\r\nHost: x\r\n\r\n"));
	settle();
	settle();
	clock_ahead_s += 11;
	settle();
	listen_to(&deaf);
	wait_until_ended(&deaf);
	ck_assert_uint_lt(deaf.got.len, BIG_BYTES);
	hang_up(&deaf);
}
END_TEST

START_TEST(a_client_that_leaves_early_is_forgotten)
{
	struct client c;
	for (size_t i = 0; i < 2 * HTTP_MAX_CONNECTIONS; i++) {
		call(&c, i % 2 ? SLICE("GET /big HTTP/1.1\r\nHost: x\r\n\r\n") : SLICE("GET /"));
		settle();
		hang_up(&c);
	}
	settle();
}
END_TEST

/* The daemon overlooks an end that comes together with half a request, for as long as it may live.
 */
START_TEST(clients_that_leave_at_once_are_forgotten_in_time)
{
	struct client c;
	for (size_t i = 0; i < HTTP_MAX_CONNECTIONS - 1; i++) {
		call(&c, SLICE("GET /"));
		hang_up(&c);
	}
	settle();
	clock_ahead_s += 11;
	for (size_t i = 0; i < HTTP_MAX_CONNECTIONS - 1; i++) {
		call(&c, SLICE("GET /"));
		hang_up(&c);
	}
	settle();
}
END_TEST

/* What comes before 16 KiB of one letter. */
static const char *const huge[] = {
    "GET /metrics?", "GET /metrics HTTP/1.1\r\nHost: x\r\nCookie: ", ""};

START_TEST(a_huge_request_is_refused)
{
	struct buf request = {0};
	struct client c;
	buf_append_str(&request, huge[_i]);
	memset(buf_reserve(&request, HTTP_MAX_REQUEST_BYTES), 'a', HTTP_MAX_REQUEST_BYTES);
	request.len += HTTP_MAX_REQUEST_BYTES;
	uint64_t start_ns = chrono_now_ns();
	call(&c, buf_slice(&request));
	listen_to(&c);
	wait_until_ended(&c);
	ck_assert_uint_lt(chrono_now_ns() - start_ns, HTTP_MAX_LIFE_NS / 2); /* at once */
	ck_assert_uint_eq(visits, 0);
	if (c.got.len > 0) /* what it says may be lost, as the rest of the request was not read */
		ck_assert_int_eq(c.got.ptr[strlen("HTTP/1.1 ")], '4');
	hang_up(&c);
	buf_release(&request);
	settle();
}
END_TEST

START_TEST(beyond_the_limit_clients_wait_for_their_turn)
{
	struct client idle[HTTP_MAX_CONNECTIONS], waiting;
	for (size_t i = 0; i < ARRAY_LEN(idle); i++) {
		call(&idle[i], SLICE("GET"));
		listen_to(&idle[i]);
	}
	call(&waiting, SLICE("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
	listen_to(&waiting);
	struct error err = {0};
	for (size_t i = 0; i < 4 * ARRAY_LEN(idle); i++) /* as many as they may need */
		ck_assert(loop_turn(loop, 0, &err));
	ck_assert_uint_eq(visits, 0);
	ck_assert_int_eq(shutdown(idle[0].fd, SHUT_RDWR), 0);
	wait_until_ended(&waiting);
	ck_assert_str_eq(body_of(waiting.got.ptr), "visit 1\n");
	ck_assert(!idle[1].ended); /* the one place that was free is enough */
	hang_up(&waiting);
	for (size_t i = 0; i < ARRAY_LEN(idle); i++)
		hang_up(&idle[i]);
}
END_TEST

START_TEST(an_idle_server_sleeps)
{
	struct error err = {0};
	struct client silent;
	settle();
	call(&silent, SLICE("GET"));
	settle();
	uint64_t slept = loop_slept_ns(loop);
	for (size_t i = 0; i < 10; i++) /* what is left to do */
		ck_assert(loop_turn(loop, 0, &err));
	ck_assert(loop_turn(loop, chrono_now_ns() + 20 * CHRONO_MS, &err));
	ck_assert_uint_ge(loop_slept_ns(loop) - slept, 15 * CHRONO_MS);
	hang_up(&silent);
}
END_TEST

START_TEST(closing_cuts_off_who_is_connected)
{
	struct client half, deaf;
	call(&half, SLICE("GET /metrics"));
	call(&deaf, SLICE("GET /big HTTP/1.1\r\nHost: x\r\n\r\n"));
	settle();
	http_close(http);
	http = NULL;
	listen_to(&half);
	listen_to(&deaf);
	wait_until_ended(&half);
	wait_until_ended(&deaf);
	clock_ahead_s += 11; /* no timer is left behind */
	struct error err = {0};
	ck_assert(loop_turn(loop, 0, &err));
	hang_up(&half);
	hang_up(&deaf);
}
END_TEST

/* ---- addresses ---- */

static const struct {
	const char *address, *shown; /* up to the port */
} addresses[] = {
    {"127.0.0.1:0", "127.0.0.1:"},
    {":0", "127.0.0.1:"},
    {"localhost:0", "127.0.0.1:"},
    {"0.0.0.0:0", "0.0.0.0:"},
    {"127.0.0.2:0", "127.0.0.2:"},
};

START_TEST(an_address_says_who_may_come)
{
	struct error err = {0};
	struct http *other = http_listen(loop, addresses[_i].address, pages, 1, &err);
	ck_assert_msg(other != NULL, "%s", err.text);
	char *shown = mem_printf("%s%u", addresses[_i].shown, http_port(other));
	ck_assert_str_eq(http_address(other), shown);
	ck_assert_uint_gt(http_port(other), 0);
	free(shown);
	http_close(other);
}
END_TEST

START_TEST(ipv6_stands_in_brackets)
{
	struct error err = {0};
	struct http *other = http_listen(loop, "[::1]:0", pages, 1, &err);
	if (other == NULL) { /* a machine without IPv6 */
		ck_assert_int_eq(err.kind, ERROR_UNAVAILABLE);
		ck_assert(strncmp(err.text, "cannot listen on [::1]:0: ", 26) == 0);
		return;
	}
	ck_assert(strncmp(http_address(other), "[::1]:", 6) == 0);
	http_close(other);
}
END_TEST

static const char *const bad_addresses[] = {"", ":", "9464", "127.0.0.1", "127.0.0.1:", ":65536",
    ":-1", ":94 64", " :9464", "127.0.0.1:9464 ", "127.1:9464", "256.0.0.1:9464", "::1:9464",
    "[::1]", "[::1]9464", "[]:9464", "[127.0.0.1]:9464", "[::1:9464", "[::1%lo]:9464",
    "example.com:9464", "*:9464", "http://127.0.0.1:9464", "127.0.0.1:http",
    "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80"};

START_TEST(what_is_no_address_is_refused)
{
	struct error err = {0};
	ck_assert_ptr_null(http_listen(loop, bad_addresses[_i], pages, 1, &err));
	ck_assert_int_eq(err.kind, ERROR_USAGE);
	char *text = mem_printf("'%s' is not an address to listen on, such as 127.0.0.1:9464, "
				":9464 (the same), [::1]:9464 or 0.0.0.0:9464 (for other machines "
				"too)",
	    bad_addresses[_i]);
	ck_assert_str_eq(err.text, text);
	free(text);
}
END_TEST

START_TEST(an_address_is_shown_escaped)
{
	struct error err = {0};
	ck_assert_ptr_null(http_listen(loop, "\033[2J:80", pages, 1, &err));
	ck_assert(strncmp(err.text, "'\\x1b[2J:80' is not", 19) == 0);
}
END_TEST

START_TEST(a_port_in_use_is_said)
{
	struct error err = {0};
	char *address = mem_printf(":%u", http_port(http));
	ck_assert_ptr_null(http_listen(loop, address, pages, 1, &err));
	ck_assert_int_eq(err.kind, ERROR_UNAVAILABLE);
	char *text = mem_printf("cannot listen on 127.0.0.1:%u: the port is in use; take another, "
				"or 0 for any free one",
	    http_port(http));
	ck_assert_str_eq(err.text, text);
	settle(); /* the first is not disturbed */
	/* and what it leaves behind is not in the way of the next */
	uint16_t port = http_port(http);
	http_close(http);
	err = (struct error){0};
	http = http_listen(loop, address, pages, ARRAY_LEN(pages), &err);
	ck_assert_msg(http != NULL, "%s", err.text);
	ck_assert_uint_eq(http_port(http), port);
	settle();
	free(text);
	free(address);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http");
	TCase *tests = tcase_create("http");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_page_is_written_anew_for_each_request);
	tcase_add_test(tests, a_page_may_be_empty_or_big);
	tcase_add_test(tests, head_is_the_same_without_the_body);
	tcase_add_loop_test(tests, everything_else_is_refused, 0, (int)ARRAY_LEN(refused));
	tcase_add_test(tests, a_request_may_come_byte_by_byte);
	tcase_add_test(tests, noise_is_cut_off);
	tcase_add_test(tests, parallel_clients_are_all_answered);
	tcase_add_test(tests, half_a_request_is_dropped_in_time_and_hurts_nobody);
	tcase_add_test(tests, a_trickle_of_bytes_does_not_keep_a_connection);
	tcase_add_test(tests, who_does_not_take_the_answer_keeps_nobody_waiting);
	tcase_add_test(tests, a_client_that_leaves_early_is_forgotten);
	tcase_add_test(tests, clients_that_leave_at_once_are_forgotten_in_time);
	tcase_add_loop_test(tests, a_huge_request_is_refused, 0, (int)ARRAY_LEN(huge));
	tcase_add_test(tests, beyond_the_limit_clients_wait_for_their_turn);
	tcase_add_test(tests, an_idle_server_sleeps);
	tcase_add_test(tests, closing_cuts_off_who_is_connected);
	tcase_add_loop_test(tests, an_address_says_who_may_come, 0, (int)ARRAY_LEN(addresses));
	tcase_add_test(tests, ipv6_stands_in_brackets);
	tcase_add_loop_test(tests, what_is_no_address_is_refused, 0, (int)ARRAY_LEN(bad_addresses));
	tcase_add_test(tests, an_address_is_shown_escaped);
	tcase_add_test(tests, a_port_in_use_is_said);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
