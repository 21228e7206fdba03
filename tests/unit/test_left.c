/* What a run leaves in the queues, as a broker that is made up tells it. The broker is a child
 * process that answers each question about a queue with the next of its answers. */
#include "bench/left.h"

#include "base/chrono.h"
#include "peer_bench.h"

#define GONE (-1)   /* there is no such queue */
#define LOCKED (-2) /* it is another connection's */
#define MOST 8

/* ---- the broker ---- */

static const int *answers; /* messages that are ready, or one of the above */
static size_t asked;

static void tell_of_queue(int fd, uint16_t channel)
{
	int answer = answers[asked++];
	amqp_queue_declare_ok_t ok = {amqp_cstring_bytes("q"), (uint32_t)answer, 0};
	amqp_channel_close_t gone = {404, amqp_cstring_bytes("NOT_FOUND"), 50, 10};
	amqp_channel_close_t locked = {405, amqp_cstring_bytes("RESOURCE_LOCKED"), 50, 10};
	if (answer >= 0)
		send_method(fd, channel, AMQP_QUEUE_DECLARE_OK_METHOD, &ok);
	else
		send_method(
		    fd, channel, AMQP_CHANNEL_CLOSE_METHOD, answer == GONE ? &gone : &locked);
}

static void answer(int fd, const struct frame *f)
{
	amqp_connection_tune_t tune = {2047, FRAMES_DEFAULT_SIZE, 60};
	amqp_connection_open_ok_t open_ok = {{0, NULL}};
	amqp_channel_open_ok_t channel_ok = {{0, NULL}};
	amqp_channel_close_ok_t close_ok = {0};
	switch (frames_method_id(f->payload)) {
	case AMQP_CONNECTION_START_OK_METHOD:
		send_method(fd, 0, AMQP_CONNECTION_TUNE_METHOD, &tune);
		break;
	case AMQP_CONNECTION_OPEN_METHOD:
		send_method(fd, 0, AMQP_CONNECTION_OPEN_OK_METHOD, &open_ok);
		break;
	case AMQP_CHANNEL_OPEN_METHOD:
		send_method(fd, f->channel, AMQP_CHANNEL_OPEN_OK_METHOD, &channel_ok);
		break;
	case AMQP_CHANNEL_CLOSE_METHOD:
		send_method(fd, f->channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &close_ok);
		break;
	case AMQP_QUEUE_DECLARE_METHOD:
		tell_of_queue(fd, f->channel);
		break;
	case AMQP_CONNECTION_CLOSE_METHOD:
		_exit(0);
	default:
		break;
	}
}

static void serve(int fd)
{
	amqp_connection_start_t start = {
	    0, 9, {0}, amqp_cstring_bytes("PLAIN"), amqp_cstring_bytes("en_US")};
	char bytes[4096];
	struct buf in = {0};
	struct error err = {0};
	if (read(fd, bytes, 8) != 8) /* the header of the protocol */
		_exit(1);
	send_method(fd, 0, AMQP_CONNECTION_START_METHOD, &start);
	for (ssize_t got; (got = read(fd, bytes, sizeof bytes)) > 0;) {
		struct frame f;
		buf_append(&in, (struct slice){bytes, (size_t)got});
		struct slice rest = buf_slice(&in);
		while (frames_next(&rest, FRAMES_DEFAULT_SIZE, &f, &err) == FRAMES_OK)
			answer(fd, &f);
		buf_consume(&in, in.len - rest.len);
	}
}

/* ---- counting ---- */

static char *names[] = {(char *)(uintptr_t) "a", (char *)(uintptr_t) "b"};
static struct bench_options options;
static struct plan plan;
static struct left left;
static struct error err;

static void setup(void)
{
	options = bench_defaults;
	plan = (struct plan){.options = &options, .queues = names};
	left = (struct left){0};
	err = (struct error){0};
}

static void teardown(void)
{
	left_release(&left);
}

static const struct {
	size_t queues;
	int answers[MOST]; /* before, at the stop, at the end: of each queue */
	uint64_t in_hand, foreign;
	bool requeue, is_known;
	uint64_t left;
} counts[] = {
    {1, {0, 0, 0}, 0, 0, false, true, 0},
    {1, {0, 9, 10}, 0, 0, false, true, 10},
    /* what consumers gave back is in the queue again, and not counted twice */
    {1, {0, 7, 10}, 3, 0, false, true, 10},
    /* others' messages that were there before, and are still */
    {1, {4, 4, 10}, 0, 0, false, true, 6},
    {1, {4, 4, 4}, 0, 0, false, true, 0},
    /* and those of them that were received are not */
    {1, {4, 0, 10}, 0, 4, false, true, 10},
    {1, {4, 0, 10}, 0, 3, false, true, 9},
    {1, {4, 0, 10}, 0, 5, false, true, 10},
    /* somebody else took them away */
    {1, {4, 4, 1}, 0, 0, false, true, 0},
    /* the queue went with its last consumer: what was in it, and in its consumers' hands */
    {1, {0, 5, GONE}, 0, 0, false, true, 5},
    {1, {0, 5, GONE}, 3, 0, false, true, 8},
    {1, {2, 5, GONE}, 3, 2, false, true, 8},
    /* ... where nobody had seen it */
    {1, {0, GONE, GONE}, 3, 0, false, false, 0},
    /* ... where messages go back and forth all the time */
    {1, {0, 5, GONE}, 3, 0, true, false, 0},
    {1, {0, 5, 8}, 3, 0, true, true, 8},
    /* made by the run */
    {1, {GONE, 5, 6}, 0, 0, false, true, 6},
    {1, {GONE, GONE, 6}, 0, 0, false, true, 6},
    /* another connection has it for itself */
    {1, {0, 0, LOCKED}, 0, 0, false, false, 0},
    {1, {LOCKED, LOCKED, 3}, 0, 0, false, true, 3},
    /* several queues */
    {2, {1, 2, 0, 0, 11, 22}, 0, 0, false, true, 30},
    {2, {0, 0, 5, 6, GONE, 22}, 3, 0, false, true, 30},
    {2, {0, 0, 5, GONE, 7, GONE}, 3, 0, false, false, 0},
    {2, {0, 0, 0, 0, 7, LOCKED}, 0, 0, false, false, 0},
};

START_TEST(what_is_left_follows_from_what_the_queues_had)
{
	answers = counts[_i].answers;
	char *address = start_peer(serve);
	struct uri uri = {0};
	struct loop *loop = loop_create(&err);
	struct connection_options connecting = {.uri = &uri, .name = "test"};
	uint64_t count = 99;
	ck_assert(uri_parse(slice_str(address), &uri, &err));
	struct connection *c = connection_open(loop, &connecting, &err);
	ck_assert_msg(c != NULL, "%s", err.text);
	plan.queue_count = counts[_i].queues;
	options.requeue = counts[_i].requeue;
	left_look_before(&left, &plan, c);
	left_look_at_stop(&left, &plan, c);
	bool is_known = left_count(&left, &plan, c, counts[_i].in_hand, counts[_i].foreign, &count);
	ck_assert_int_eq(is_known, counts[_i].is_known);
	if (is_known)
		ck_assert_uint_eq(count, counts[_i].left);
	stop_peer();
	connection_close(c);
	loop_free(loop);
	uri_release(&uri);
	free(address);
}
END_TEST

START_TEST(streams_keep_what_was_read)
{
	uint64_t count;
	plan.queue_count = 1;
	plan.are_streams = true;
	left_look_before(&left, &plan, NULL);
	left_look_at_stop(&left, &plan, NULL);
	ck_assert(!left_count(&left, &plan, NULL, 0, 0, &count));
}
END_TEST

START_TEST(without_a_broker_nothing_is_known)
{
	uint64_t count;
	plan.queue_count = 2;
	ck_assert(!left_count(&left, &plan, NULL, 0, 0, &count)); /* nor before the first look */
	left_look_before(&left, &plan, NULL);
	left_look_at_stop(&left, &plan, NULL);
	ck_assert(!left_count(&left, &plan, NULL, 0, 0, &count));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("left");
	TCase *tc = tcase_create("left");
	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, what_is_left_follows_from_what_the_queues_had, 0, (int)ARRAY_LEN(counts));
	tcase_add_test(tc, streams_keep_what_was_read);
	tcase_add_test(tc, without_a_broker_nothing_is_known);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
