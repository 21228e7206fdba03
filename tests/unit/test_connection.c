/* Connections: what answers on the other end decides what is said. The peer is a child process. */
#include "broker/connection_private.h"

#include "base/chrono.h"
#include "broker/publisher.h"
#include "peer_bench.h"

/* ---- peers ---- */

static void open_channel(int fd)
{
	amqp_channel_open_ok_t ok = {{0, NULL}};
	read_some(fd);
	send_method(fd, 1, AMQP_CHANNEL_OPEN_OK_METHOD, &ok);
}

static void peer_http(int fd)
{
	read_some(fd);
	IGNORE_RESULT(write(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28));
	read_some(fd);
}

static void peer_amqp_1_0(int fd)
{
	read_some(fd);
	IGNORE_RESULT(write(fd, "AMQP\0\1\0\0", 8));
	read_some(fd);
}

/* An alert, fatal, protocol_version: seven bytes, then nothing. */
static void peer_tls(int fd)
{
	read_some(fd);
	IGNORE_RESULT(write(fd, "\25\3\1\0\2\2\106", 7));
	read_some(fd);
}

static void peer_hangs_up(int fd)
{
	read_some(fd);
	close(fd);
}

static void peer_noise(int fd)
{
	read_some(fd);
	IGNORE_RESULT(write(fd, "\7garbage garbage", 16));
	read_some(fd);
}

static void peer_refuses_login(int fd)
{
	amqp_connection_close_t close = {
	    403, amqp_cstring_bytes("ACCESS_REFUSED - \033[31mno\n"), 0, 0};
	greet(fd);
	send_method(fd, 0, AMQP_CONNECTION_CLOSE_METHOD, &close);
	read_some(fd);
}

static void peer_starting(int fd)
{
	amqp_connection_close_t close = {541, amqp_cstring_bytes("INTERNAL_ERROR"), 0, 0};
	greet(fd);
	send_method(fd, 0, AMQP_CONNECTION_CLOSE_METHOD, &close);
	read_some(fd);
}

static void peer_strange_mechanism(int fd)
{
	amqp_connection_start_t start = {
	    0, 9, {0}, amqp_cstring_bytes("KERBEROS"), amqp_cstring_bytes("en_US")};
	read_some(fd);
	send_method(fd, 0, AMQP_CONNECTION_START_METHOD, &start);
	read_some(fd);
}

static void peer_silent(int fd)
{
	for (;;)
		read_some(fd);
}

/* ---- logging in ---- */

static struct connection *connect_to(
    struct loop *loop, const char *address, struct uri *uri, struct error *err)
{
	char *quick = mem_printf("%s?connection_timeout=500", address);
	ck_assert(uri_parse(slice_str(quick), uri, err));
	free(quick);
	struct connection_options options = {.uri = uri, .name = "test"};
	return connection_open(loop, &options, err);
}

static const struct refusal_row {
	peer_fn *peer;
	enum error_kind kind;
	const char *text; /* behind it the address, where it is shown in the middle */
} refusals[] = {
    {peer_http, ERROR_REFUSED, "is a web server, not AMQP; RabbitMQ listens on port 5672"},
    {peer_amqp_1_0, ERROR_REFUSED,
	"speaks another version of AMQP (it answered 1-0-0); warren speaks 0-9-1"},
    {peer_tls, ERROR_REFUSED,
	"expects TLS: use amqps://, or the port without it (RabbitMQ's is 5672)"},
    {peer_hangs_up, ERROR_UNAVAILABLE, "it closed the connection"},
    {peer_noise, ERROR_REFUSED, "the broker sent a frame of unknown type 7"},
    {peer_refuses_login, ERROR_ACCESS,
	"the broker closed the connection: ACCESS_REFUSED - \\x1b[31mno\\n "
	"(check the user, the password and the vhost of the URL)"},
    {peer_starting, ERROR_UNAVAILABLE, "the broker closed the connection: INTERNAL_ERROR"},
    {peer_strange_mechanism, ERROR_ACCESS,
	"the broker does not offer PLAIN login; it offers 'KERBEROS'"},
    {peer_silent, ERROR_UNAVAILABLE, "does not answer: is it AMQP?"},
};

START_TEST(who_answers_decides_what_is_said)
{
	const struct refusal_row *row = &refusals[_i];
	struct error err = {0};
	struct uri uri = {0};
	char *address = start_peer(row->peer);
	struct loop *loop = loop_create(&err);
	ck_assert_ptr_null(connect_to(loop, address, &uri, &err));
	ck_assert_msg(strstr(err.text, row->text) != NULL, "got: %s", err.text);
	ck_assert_int_eq(err.kind, row->kind);
	ck_assert_ptr_null(strstr(err.text, "s3cr3t"));
	stop_peer();
	loop_free(loop);
	uri_release(&uri);
	free(address);
}
END_TEST

static void stand_still(void *ctx, uint64_t now_ns)
{
	(void)ctx, (void)now_ns;
	usleep(1500000); /* three times as long as the login may take */
}

static void peer_after_a_while(int fd)
{
	usleep(700000);
	log_in(fd);
	for (;;)
		read_some(fd);
}

/* The broker has answered in the meantime, or stood still on the same machine. */
START_TEST(who_stands_still_himself_does_not_take_the_broker_for_silent)
{
	struct error err = {0};
	struct uri uri = {0};
	char *address = start_peer(peer_after_a_while);
	struct loop *loop = loop_create(&err);
	loop_at(loop, chrono_now_ns(), stand_still, NULL);
	struct connection *c = connect_to(loop, address, &uri, &err);
	ck_assert_msg(c != NULL, "%s", err.text);
	stop_peer();
	connection_close(c);
	loop_free(loop);
	uri_release(&uri);
	free(address);
}
END_TEST

/* ---- after the login ---- */

struct fates {
	unsigned count[4];
	uint64_t last_token;
	char reason[100];
};

static void note_fate(void *ctx, uint64_t token, enum publisher_fate fate, const char *reason)
{
	struct fates *f = ctx;
	f->count[fate]++;
	f->last_token = token;
	snprintf(f->reason, sizeof f->reason, "%s", reason);
}

static void begin_confirms(int fd)
{
	amqp_confirm_select_ok_t ok = {0};
	log_in(fd);
	open_channel(fd);
	read_some(fd);
	send_method(fd, 1, AMQP_CONFIRM_SELECT_OK_METHOD, &ok);
	read_some(fd);
}

/* Acknowledges 1 and 2 together, returns 3 and acknowledges it, refuses 4, never says of 5. */
static void peer_settles(int fd)
{
	begin_confirms(fd);
	struct buf out = {0};
	struct error err = {0};
	struct message three = {.present = MESSAGE_MESSAGE_ID, .message_id = SLICE("three")};
	amqp_basic_return_t back = {
	    312, amqp_cstring_bytes("NO_ROUTE"), {0, NULL}, amqp_cstring_bytes("k")};
	frames_put_ack(&out, 1, 2, true);
	IGNORE_RESULT(frames_put_method(&out, 1, AMQP_BASIC_RETURN_METHOD, &back, 4096, &err));
	struct buf publish = {0};
	IGNORE_RESULT(frames_put_publish(&publish, 1, &three, false, 4096, &err));
	struct slice rest = buf_slice(&publish);
	struct frame method;
	IGNORE_RESULT(frames_next(&rest, 4096, &method, &err) == FRAMES_OK);
	buf_append(&out, rest); /* the header frame: a return carries the message */
	frames_put_ack(&out, 1, 3, false);
	frames_put_nack(&out, 1, 4, false, false);
	frames_put_ack(&out, 1, 2, true); /* said before: means nothing */
	IGNORE_RESULT(write(fd, out.ptr, out.len));
	peer_silent(fd);
}

static void put_return(struct buf *out, const char *key)
{
	amqp_basic_return_t back = {
	    312, amqp_cstring_bytes("NO_ROUTE"), {0, NULL}, amqp_cstring_bytes(key)};
	struct message changed = {.present = MESSAGE_MESSAGE_ID, .message_id = SLICE("changed")};
	struct buf publish = {0};
	struct error err = {0};
	struct frame method;
	IGNORE_RESULT(frames_put_method(out, 1, AMQP_BASIC_RETURN_METHOD, &back, 4096, &err));
	IGNORE_RESULT(frames_put_publish(&publish, 1, &changed, false, 4096, &err));
	struct slice rest = buf_slice(&publish);
	IGNORE_RESULT(frames_next(&rest, 4096, &method, &err) == FRAMES_OK);
	buf_append(out, rest);
}

/* Returns what nobody would know again, twice; acknowledges all but the last. */
static void peer_changes_what_it_returns(int fd)
{
	begin_confirms(fd);
	struct buf out = {0};
	put_return(&out, "k");
	put_return(&out, "k");
	frames_put_ack(&out, 1, 4, true);
	IGNORE_RESULT(write(fd, out.ptr, out.len));
	peer_silent(fd);
}

static void peer_returns_what_went_elsewhere(int fd)
{
	begin_confirms(fd);
	struct buf out = {0};
	put_return(&out, "another");
	frames_put_ack(&out, 1, 5, true);
	IGNORE_RESULT(write(fd, out.ptr, out.len));
	peer_silent(fd);
}

/* Settles what was never sent. */
static void peer_invents(int fd)
{
	begin_confirms(fd);
	struct buf out = {0};
	frames_put_ack(&out, 1, 99, false);
	IGNORE_RESULT(write(fd, out.ptr, out.len));
	peer_silent(fd);
}

/* Closes the channel over the first message. */
static void peer_closes_channel(int fd)
{
	amqp_channel_close_t close = {
	    404, amqp_cstring_bytes("NOT_FOUND - no exchange 'x' in vhost '/'"), 60, 40};
	begin_confirms(fd);
	send_method(fd, 1, AMQP_CHANNEL_CLOSE_METHOD, &close);
	peer_silent(fd);
}

static void peer_unknown_channel(int fd)
{
	begin_confirms(fd);
	IGNORE_RESULT(write(fd, "\1\0\7\0\0\0\4\0\74\0\120\316", 12));
	peer_silent(fd);
}

static void peer_dies(int fd)
{
	begin_confirms(fd);
	close(fd);
}

static void peer_has_a_fault(int fd)
{
	amqp_connection_close_t close = {541, amqp_cstring_bytes("INTERNAL_ERROR"), 0, 0};
	begin_confirms(fd);
	send_method(fd, 0, AMQP_CONNECTION_CLOSE_METHOD, &close);
	peer_silent(fd);
}

static const struct fate_row {
	peer_fn *peer;
	unsigned confirmed, returned, nacked, unconfirmed;
	enum error_kind kind; /* of the publisher afterwards */
	const char *text;
} fate_rows[] = {
    {peer_settles, 2, 1, 1, 1, ERROR_NONE, ""},
    {peer_changes_what_it_returns, 2, 2, 0, 1, ERROR_NONE, ""},
    {peer_returns_what_went_elsewhere, 0, 0, 0, 5, ERROR_REFUSED,
	"the broker returned a message that was not sent"},
    {peer_invents, 0, 0, 0, 5, ERROR_REFUSED, "the broker settled message 99, which was not sent"},
    {peer_closes_channel, 0, 0, 0, 5, ERROR_REFUSED, "there is no such exchange"},
    {peer_unknown_channel, 0, 0, 0, 5, ERROR_REFUSED,
	"the broker sent a frame on channel 7, which is not open"},
    {peer_dies, 0, 0, 0, 5, ERROR_UNAVAILABLE, "lost the broker at"},
    {peer_has_a_fault, 0, 0, 0, 5, ERROR_UNAVAILABLE, "INTERNAL_ERROR"},
};

START_TEST(every_message_gets_one_fate)
{
	const struct fate_row *row = &fate_rows[_i];
	static const char *const ids[] = {"one", "two", "three", "four", "five"};
	struct error err = {0};
	struct uri uri = {0};
	struct fates fates = {{0}, 0, ""};
	char *address = start_peer(row->peer);
	struct loop *loop = loop_create(&err);
	struct connection *c = connect_to(loop, address, &uri, &err);
	ck_assert_msg(c != NULL, "%s", err.text);
	struct publisher_options options = {.window = 10, .fate = note_fate, .ctx = &fates};
	struct publisher *p = publisher_open(c, &options, &err);
	ck_assert_msg(p != NULL, "%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		struct message m = {.routing_key = SLICE("k"),
		    .present = MESSAGE_MESSAGE_ID,
		    .message_id = slice_str(ids[i])};
		ck_assert(publisher_send(p, &m, true, i, &err));
	}
	connection_flush(c);
	uint64_t deadline = chrono_now_ns() + 10 * CHRONO_S;
	while (publisher_unconfirmed(p) > (row->kind == ERROR_NONE ? 1u : 0u) &&
	       chrono_now_ns() < deadline)
		ck_assert(loop_turn(loop, deadline, &err));
	ck_assert(publisher_check(p, &err) == (row->kind == ERROR_NONE));
	ck_assert_int_eq(err.kind, row->kind);
	ck_assert_msg(strstr(err.text, row->text) != NULL, "got: %s", err.text);
	publisher_close(p);
	ck_assert_uint_eq(fates.count[PUBLISHER_CONFIRMED], row->confirmed);
	ck_assert_uint_eq(fates.count[PUBLISHER_RETURNED], row->returned);
	ck_assert_uint_eq(fates.count[PUBLISHER_NACKED], row->nacked);
	ck_assert_uint_eq(fates.count[PUBLISHER_UNCONFIRMED], row->unconfirmed);
	stop_peer();
	connection_close(c);
	loop_free(loop);
	uri_release(&uri);
	free(address);
}
END_TEST

/* Refuses 1 and 2, and goes. */
static void peer_nacks_and_dies(int fd)
{
	begin_confirms(fd);
	struct buf out = {0};
	frames_put_nack(&out, 1, 2, true, false);
	IGNORE_RESULT(write(fd, out.ptr, out.len));
	close(fd);
}

START_TEST(what_was_nacked_with_tries_left_is_unconfirmed_in_the_end)
{
	struct error err = {0};
	struct uri uri = {0};
	struct fates fates = {{0}, 0, ""};
	char *address = start_peer(peer_nacks_and_dies);
	struct loop *loop = loop_create(&err);
	struct connection *c = connect_to(loop, address, &uri, &err);
	ck_assert_msg(c != NULL, "%s", err.text);
	struct publisher_options options = {
	    .window = 10, .fate = note_fate, .ctx = &fates, .keeps = true, .nack_retries = 50};
	struct publisher *p = publisher_open(c, &options, &err);
	ck_assert_msg(p != NULL, "%s", err.text);
	for (uint64_t i = 0; i < 3; i++) {
		struct message m = {.routing_key = SLICE("k")};
		ck_assert(publisher_send(p, &m, true, i, &err));
	}
	connection_flush(c);
	uint64_t deadline = chrono_now_ns() + 10 * CHRONO_S;
	while (publisher_check(p, &err) && chrono_now_ns() < deadline)
		ck_assert(loop_turn(loop, deadline, &err));
	ck_assert_uint_eq(publisher_unconfirmed(p), 3);
	publisher_close(p);
	ck_assert_uint_eq(fates.count[PUBLISHER_UNCONFIRMED], 3);
	ck_assert_uint_eq(fates.count[PUBLISHER_NACKED], 0);
	stop_peer();
	connection_close(c);
	loop_free(loop);
	uri_release(&uri);
	free(address);
}
END_TEST

/* Reads nothing before it gets SIGUSR1, then all, and confirms nothing. */
static void peer_reads_late(int fd)
{
	sigset_t set;
	int signal_number;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	begin_confirms(fd);
	sigwait(&set, &signal_number);
	for (;;)
		read_some(fd);
}

/* Whether there is progress within this time. */
static bool gets_on(struct loop *loop, struct publisher *p, uint64_t within_ns)
{
	struct error err = {0};
	uint64_t before = publisher_progress(p), deadline = chrono_now_ns() + within_ns;
	do {
		ck_assert(loop_turn(loop, chrono_now_ns() + 10 * CHRONO_MS, &err));
	} while (publisher_progress(p) == before && chrono_now_ns() < deadline);
	return publisher_progress(p) != before;
}

/* Many small messages are on their way while the network takes them; a big one for longer. */
START_TEST(progress_is_what_the_network_takes_and_a_big_message_on_its_way)
{
	struct error err = {0};
	struct uri uri = {0};
	struct fates fates = {{0}, 0, ""};
	bool is_big = _i == 1;
	size_t size = is_big ? 32u << 20 : 1024, count = is_big ? 1 : 32768;
	char *body = mem_alloc(1, size), *address = start_peer(peer_reads_late);
	struct message m = {.routing_key = SLICE("k"), .body = {body, size}};
	struct loop *loop = loop_create(&err);
	struct connection *c = connect_to(loop, address, &uri, &err);
	ck_assert_msg(c != NULL, "%s", err.text);
	struct publisher_options options = {.window = 32768, .fate = note_fate, .ctx = &fates};
	struct publisher *p = publisher_open(c, &options, &err);
	ck_assert_msg(p != NULL, "%s", err.text);
	for (size_t i = 0; i < count; i++)
		ck_assert(publisher_send(p, &m, true, i, &err));
	connection_flush(c);
	while (!is_big && gets_on(loop, p, 300 * CHRONO_MS))
		;
	ck_assert_uint_gt(connection_pending_bytes(c), 0);
	kill(peer_pid, SIGUSR1);
	ck_assert(gets_on(loop, p, 10 * CHRONO_S));
	uint64_t deadline = chrono_now_ns() + 20 * CHRONO_S;
	while (connection_taken_bytes(c) < connection_put_bytes(c) && chrono_now_ns() < deadline)
		gets_on(loop, p, 10 * CHRONO_MS);
	ck_assert_uint_eq(connection_taken_bytes(c), connection_put_bytes(c));
	while (!is_big && gets_on(loop, p, 300 * CHRONO_MS)) /* the last of it */
		;
	frames_put_heartbeat(connection_output(c));
	connection_flush(c);
	ck_assert(gets_on(loop, p, 300 * CHRONO_MS) == is_big);
	publisher_close(p);
	stop_peer();
	connection_close(c);
	loop_free(loop);
	uri_release(&uri);
	free(address);
	free(body);
}
END_TEST

/* Without confirms: two come back, and then what is asked behind them is answered. */
static void peer_returns(int fd)
{
	amqp_basic_qos_ok_t ok = {0};
	amqp_basic_return_t back = {
	    312, amqp_cstring_bytes("NO_ROUTE"), {0, NULL}, amqp_cstring_bytes("k")};
	struct message empty = {0};
	struct buf out = {0}, publish = {0};
	struct error err = {0};
	struct frame method;
	log_in(fd);
	open_channel(fd);
	read_some(fd);
	IGNORE_RESULT(frames_put_publish(&publish, 1, &empty, false, 4096, &err));
	struct slice header = buf_slice(&publish);
	IGNORE_RESULT(frames_next(&header, 4096, &method, &err) == FRAMES_OK);
	for (int i = 0; i < 2; i++) {
		IGNORE_RESULT(
		    frames_put_method(&out, 1, AMQP_BASIC_RETURN_METHOD, &back, 4096, &err));
		buf_append(&out, header);
	}
	IGNORE_RESULT(frames_put_method(&out, 1, AMQP_BASIC_QOS_OK_METHOD, &ok, 4096, &err));
	IGNORE_RESULT(write(fd, out.ptr, out.len));
	peer_silent(fd);
}

static struct {
	struct fates fates; /* first: note_fate has it for its own */
	unsigned returned;
} unconfirmed;

static void note_return(void *ctx)
{
	(void)ctx;
	unconfirmed.returned++;
}

START_TEST(without_confirms_what_comes_back_is_told_and_changes_no_fate)
{
	struct error err = {0};
	struct uri uri = {0};
	bool is_asked_for = _i == 1;
	memset(&unconfirmed, 0, sizeof unconfirmed);
	char *address = start_peer(peer_returns);
	struct loop *loop = loop_create(&err);
	struct connection *c = connect_to(loop, address, &uri, &err);
	ck_assert_msg(c != NULL, "%s", err.text);
	struct publisher_options options = {.window = 0,
	    .fate = note_fate,
	    .returned = is_asked_for ? note_return : NULL,
	    .ctx = &unconfirmed.fates};
	struct publisher *p = publisher_open(c, &options, &err);
	ck_assert_msg(p != NULL, "%s", err.text);
	for (uint64_t i = 0; i < 3; i++) {
		struct message m = {.routing_key = SLICE("k")};
		ck_assert(publisher_send(p, &m, true, i, &err));
	}
	ck_assert_uint_eq(unconfirmed.fates.count[PUBLISHER_UNCONFIRMED], 3);
	ck_assert_uint_eq(unconfirmed.returned, 0);
	ck_assert_msg(publisher_sync(p, &err), "%s", err.text);
	ck_assert_msg(publisher_check(p, &err), "%s", err.text);
	publisher_close(p);
	ck_assert_uint_eq(unconfirmed.returned, is_asked_for ? 2 : 0);
	ck_assert_uint_eq(unconfirmed.fates.count[PUBLISHER_UNCONFIRMED], 3);
	ck_assert_uint_eq(unconfirmed.fates.count[PUBLISHER_RETURNED], 0);
	stop_peer();
	connection_close(c);
	loop_free(loop);
	uri_release(&uri);
	free(address);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("connection");
	TCase *cases = tcase_create("connection");
	tcase_set_timeout(cases, 30);
	tcase_add_loop_test(cases, who_answers_decides_what_is_said, 0, ARRAY_LEN(refusals));
	tcase_add_test(cases, who_stands_still_himself_does_not_take_the_broker_for_silent);
	tcase_add_loop_test(cases, every_message_gets_one_fate, 0, ARRAY_LEN(fate_rows));
	tcase_add_test(cases, what_was_nacked_with_tries_left_is_unconfirmed_in_the_end);
	tcase_add_loop_test(
	    cases, without_confirms_what_comes_back_is_told_and_changes_no_fate, 0, 2);
	TCase *long_ones = tcase_create("many bytes");
	tcase_set_timeout(long_ones, 30);
	tcase_set_tags(long_ones, "no-valgrind");
	tcase_add_loop_test(
	    long_ones, progress_is_what_the_network_takes_and_a_big_message_on_its_way, 0, 2);
	suite_add_tcase(suite, cases);
	suite_add_tcase(suite, long_ones);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
