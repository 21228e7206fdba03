/* Messages that wait for their fate: kept in order, forgotten from the front, read back whole. */
#include "broker/kept.h"

#include "base/mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define FRAME_MAX 4096u

static uint64_t keep(struct kept *k, const struct message *m, bool mandatory)
{
	struct buf frames = {0};
	struct error err = {0};
	ck_assert_msg(
	    frames_put_publish(&frames, 7, m, mandatory, FRAME_MAX, &err), "%s", err.text);
	uint64_t place = kept_add(k, buf_slice(&frames));
	buf_release(&frames);
	return place;
}

static void assert_reads(
    const struct kept *k, uint64_t place, const struct message *m, bool mandatory)
{
	bool was_mandatory = !mandatory;
	struct message *copy = kept_read(k, place, &was_mandatory);
	ck_assert(slice_equal(copy->exchange, m->exchange));
	ck_assert(slice_equal(copy->routing_key, m->routing_key));
	ck_assert(slice_equal(copy->body, m->body));
	ck_assert(slice_equal(copy->message_id, m->message_id));
	ck_assert(slice_equal(copy->headers, m->headers));
	ck_assert_uint_eq(copy->present, m->present);
	ck_assert_uint_eq(copy->timestamp, m->timestamp);
	ck_assert_int_eq(was_mandatory, mandatory);
	free(copy);
}

static const size_t body_sizes[] = {0, 1, 4087, 4088, 4089, 8176, 100000};

START_TEST(a_message_is_read_back_whatever_its_size)
{
	struct kept k = {0};
	struct buf body = {0};
	for (size_t i = 0; i < body_sizes[_i]; i++)
		buf_append_char(&body, (char)(i * 31));
	const struct message m = {.exchange = slice_str("x"),
	    .routing_key = slice_str("a.b"),
	    .body = buf_slice(&body),
	    .present = MESSAGE_MESSAGE_ID | MESSAGE_HEADERS | MESSAGE_TIMESTAMP,
	    .message_id = slice_str("id"),
	    .headers = {"\1kt\1", 4},
	    .timestamp = UINT64_C(1) << 40};
	const struct message other = {.routing_key = slice_str("other"), .body = slice_str("o")};
	uint64_t first = keep(&k, &other, false), second = keep(&k, &m, true),
		 third = keep(&k, &other, true);
	assert_reads(&k, second, &m, true);
	assert_reads(&k, first, &other, false);
	assert_reads(&k, third, &other, true);
	kept_release(&k);
	buf_release(&body);
}
END_TEST

START_TEST(what_is_forgotten_takes_no_memory_and_moves_no_place)
{
	struct kept k = {0};
	char key[16];
	uint64_t places[64];
	char *text = mem_alloc(3001, 1);
	memset(text, 'b', 3000);
	for (unsigned n = 0; n < 20000; n++) {
		snprintf(key, sizeof key, "k%u", n);
		const struct message m = {.routing_key = slice_str(key), .body = slice_str(text)};
		places[n % 64] = keep(&k, &m, false);
		if (n < 63)
			continue;
		kept_forget(&k, places[(n + 1) % 64]); /* 64 are unsettled at any time */
		snprintf(key, sizeof key, "k%u", n - 63);
		if (n % 997 == 0)
			assert_reads(&k, places[(n + 1) % 64],
			    &(struct message){
				.routing_key = slice_str(key), .body = slice_str(text)},
			    false);
		ck_assert_uint_le(k.bytes.len, 2 * 64 * 3100 + 256 * 1024);
	}
	kept_forget(&k, kept_end(&k));
	ck_assert_uint_eq(k.bytes.len, 0);
	uint64_t place = keep(&k, &(struct message){.routing_key = slice_str("last")}, false);
	assert_reads(&k, place, &(struct message){.routing_key = slice_str("last")}, false);
	kept_release(&k);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kept");
	TCase *cases = tcase_create("kept");
	tcase_add_loop_test(cases, a_message_is_read_back_whatever_its_size, 0,
	    sizeof body_sizes / sizeof *body_sizes);
	tcase_add_test(cases, what_is_forgotten_takes_no_memory_and_moves_no_place);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
