/* A spool that something happened to: what is whole is used, what is not is told, nothing is made
 * up. */
#include "spool_bench.h"

#include "base/chrono.h"
#include "base/rng.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* A small file with every kind of record; `ends` is where each of its flushes ends. */
enum { FLUSHES = 5 };
static void make_small(uint64_t ends[FLUSHES])
{
	struct spool *s = open_spool();
	size_t i = 0;
	begin(s, "run");
	ends[i++] = spool_bytes(s);
	for (uint64_t n = 0; n < 4; n++) {
		add(s, n);
		if (n == 2)
			spool_settle(s, 1);
		flush(s);
		ends[i++] = spool_bytes(s);
	}
	spool_close(s);
}

START_TEST(a_torn_end_is_cut_off_wherever_it_is_torn)
{
	static const char *const unsettled[FLUSHES] = {"", "0", "0 1", "0 2", "0 2 3"};
	struct buf whole = {0};
	uint64_t ends[FLUSHES];
	make_small(ends);
	read_file(&whole);
	ck_assert_uint_eq(ends[FLUSHES - 1], whole.len);
	for (size_t len = 0; len <= whole.len; len++) {
		write_file(path, (struct slice){whole.ptr, len});
		struct spool *s = open_spool();
		/* flush 3 is two records: a message, and that 1 has its fate */
		bool has_message_alone = len < ends[3] && spool_next_number(s) == 3;
		const char *expected = "";
		for (size_t i = 0; i < FLUSHES; i++)
			expected = ends[i] <= len ? unsettled[i] : expected;
		check_unsettled(s, has_message_alone ? "0 1 2" : expected);
		ck_assert(slice_is(spool_run(s), len >= ends[0] ? "run" : ""));
		uint64_t kept = size_of_file();
		ck_assert_uint_eq(spool_cut_bytes(s), len < HEAD_BYTES ? 0 : len - kept);
		uint64_t next = spool_next_number(s);
		add(s, next);
		flush(s);
		spool_close(s);
		s = open_spool(); /* and it can be used on */
		ck_assert_uint_eq(spool_cut_bytes(s), 0);
		check_sample(s, next);
		spool_close(s);
	}
	buf_release(&whole);
}
END_TEST

/* Opens the file as it is now: nothing but the messages that were sent may come out of it, without
 * a gap; in *lost, how many of the four did not. Damage is told and leaves the file alone. */
static bool open_changed(const struct buf *changed, size_t *lost)
{
	struct error err = {0};
	struct buf now = {0};
	struct spool *s = spool_open(path, false, &err);
	if (s == NULL) {
		REQUIRE(err.kind == ERROR_DATA, "the kind of error");
		REQUIRE(strstr(err.text, "nothing was changed") != NULL, err.text);
		read_file(&now);
		REQUIRE(slice_equal(buf_slice(&now), buf_slice(changed)), "something was changed");
		buf_release(&now);
		return false;
	}
	uint64_t next = spool_next_number(s), n = 0;
	REQUIRE(next <= 4, "a number that was never there");
	for (; spool_find_unsettled(s, n, &n); n++)
		check_sample(s, n);
	*lost = (size_t)(4 - next);
	spool_close(s);
	return true;
}

START_TEST(no_changed_bit_goes_unnoticed)
{
	struct buf whole = {0}, changed = {0};
	uint64_t ends[FLUSHES];
	size_t lost, opened = 0;
	make_small(ends);
	read_file(&whole);
	for (size_t bit = 0; bit < whole.len * 8; bit++) {
		buf_clear(&changed);
		buf_append(&changed, buf_slice(&whole));
		changed.ptr[bit / 8] = (char)(changed.ptr[bit / 8] ^ 1 << bit % 8);
		write_file(path, buf_slice(&changed));
		if (!open_changed(&changed, &lost))
			continue;
		opened++; /* only the last record can be taken for torn */
		REQUIRE(bit / 8 >= ends[FLUSHES - 2] && lost == 1, "damage was taken for an end");
	}
	ck_assert_uint_eq(opened, (whole.len - ends[FLUSHES - 2]) * 8);
	buf_release(&whole);
	buf_release(&changed);
}
END_TEST

START_TEST(damage_is_told_with_its_place)
{
	struct buf whole = {0};
	uint64_t ends[FLUSHES];
	make_small(ends);
	read_file(&whole);
	whole.ptr[ends[1] + 40] ^= 1;
	write_file(path, buf_slice(&whole));
	char *text = mem_printf("spool '%s' is damaged at byte %llu; nothing was changed", path,
	    (unsigned long long)ends[1]);
	refuse_spool(ERROR_DATA, text);
	free(text);
	buf_release(&whole);
}
END_TEST

START_TEST(damage_while_it_is_open_is_told)
{
	struct error err = {0};
	struct buf storage = {0};
	struct message m;
	bool mandatory;
	uint64_t ends[FLUSHES];
	make_small(ends);
	struct spool *s = open_spool();
	FILE *f = fopen(path, "r+b");
	ck_assert_int_eq(fseek(f, (long)ends[0] + 50, SEEK_SET), 0);
	ck_assert_int_eq(fputc('!', f), '!');
	fclose(f); /* and our lock with it, which does not matter here */
	ck_assert(!spool_read(s, 0, &storage, &m, &mandatory, &err));
	char *text =
	    mem_printf("spool '%s' is damaged at byte %llu", path, (unsigned long long)ends[0]);
	ck_assert_str_eq(err.text, text);
	ck_assert_int_eq(err.kind, ERROR_DATA);
	free(text);
	error_clear(&err);
	ck_assert_int_eq(truncate(path, HEAD_BYTES), 0);
	ck_assert(!spool_read(s, 2, &storage, &m, &mandatory, &err));
	ck_assert_ptr_nonnull(strstr(err.text, ": somebody else cut it"));
	ck_assert_int_eq(err.kind, ERROR_IO);
	spool_close(s);
	buf_release(&storage);
}
END_TEST

START_TEST(a_spool_inside_of_a_body_is_no_record)
{
	struct buf inner = {0}, whole = {0};
	struct error err = {0};
	uint64_t ends[FLUSHES];
	make_small(ends);
	read_file(&inner);
	ck_assert_int_eq(unlink(path), 0);
	struct spool *s = open_spool();
	struct message m = {.body = buf_slice(&inner)};
	add(s, 0);
	ck_assert(spool_add(s, 1, &m, false, &err));
	flush(s);
	spool_close(s);
	read_file(&whole);
	write_file(path, (struct slice){whole.ptr, whole.len - 1});
	s = open_spool();
	check_unsettled(s, "0");
	spool_close(s);
	buf_release(&inner);
	buf_release(&whole);
}
END_TEST

/* Zeros at the end are what some file systems leave after a loss of power. */
START_TEST(an_end_of_zeros_is_torn)
{
	struct buf whole = {0};
	uint64_t ends[FLUSHES];
	make_small(ends);
	read_file(&whole);
	memset(buf_reserve(&whole, 300000), 0, 300000);
	whole.len += 300000;
	write_file(path, buf_slice(&whole));
	struct spool *s = open_spool();
	check_unsettled(s, "0 2 3");
	ck_assert_uint_eq(spool_cut_bytes(s), 300000);
	spool_close(s);
	buf_release(&whole);
}
END_TEST

/* ---- kill -9 ---- */

/* What the writer says of itself, in memory that outlives it. */
struct told {
	_Atomic uint64_t flushed;  /* every number below is in the file */
	_Atomic uint64_t settling; /* no number from here on has been settled */
	_Atomic uint64_t settled;  /* every number below has its fate in the file */
};

enum { BATCH = 50, WINDOW = 200, KILLS = 50 };

/* Sends until it is killed; bodies are large, so that the file is made anew now and then. */
static void write_for_ever(struct told *told)
{
	static char body[8000];
	struct error err = {0};
	struct buf store = {0};
	struct spool *s = spool_open(path, false, &err);
	if (s == NULL || (spool_run(s).len == 0 && !spool_begin(s, SLICE("run"), &err)))
		_exit(1);
	for (uint64_t n = spool_next_number(s);;) {
		for (uint64_t last = n + BATCH; n < last; n++) {
			struct message m = sample(n, &store);
			if (n % 5 == 0)
				m.body = (struct slice){body, sizeof body};
			if (!spool_add(s, n, &m, is_mandatory(n), &err))
				_exit(1);
		}
		uint64_t settle = told->settled, most = n < WINDOW ? 0 : n - WINDOW;
		told->settling = most > settle ? most : settle;
		for (uint64_t i = settle; i < most; i++)
			spool_settle(s, i);
		if (!spool_flush(s, &err))
			_exit(1);
		told->flushed = n;
		told->settled = told->settling;
	}
}

static void kill_at_some_moment(struct told *told, struct rng *rng)
{
	int status;
	uint64_t goal = told->flushed + rng_below(rng, 20000), late = rng_below(rng, 3000);
	pid_t child = fork();
	if (child == 0)
		write_for_ever(told);
	uint64_t deadline = chrono_now_ns() + 30 * CHRONO_S;
	while (told->flushed <= goal && chrono_now_ns() < deadline)
		sched_yield();
	for (volatile uint64_t i = 0; i < late; i++)
		;
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFSIGNALED(status), "the writer ended by itself");
	ck_assert_uint_gt(told->flushed, goal);
}

static void check_survivors(const struct spool *s, const struct told *told)
{
	struct buf store = {0}, storage = {0};
	struct error err = {0};
	struct message m;
	bool mandatory;
	uint64_t n = 0, count = 0, next = spool_next_number(s);
	REQUIRE(slice_is(spool_run(s), "run"), "the run is gone");
	REQUIRE(next >= told->flushed && next <= told->flushed + BATCH, "not what was flushed");
	for (; spool_find_unsettled(s, n, &n); n++, count++) {
		struct message want = sample(n, &store);
		REQUIRE(spool_read(s, n, &storage, &m, &mandatory, &err), err.text);
		REQUIRE(n >= told->settled, "a settled one came back");
		REQUIRE(slice_equal(m.message_id, want.message_id), "another message");
		REQUIRE(m.body.len == (n % 5 == 0 ? 8000 : want.body.len), "another body");
	}
	REQUIRE(
	    count >= next - told->settling && count <= next - told->settled, "some are missing");
	buf_release(&store);
	buf_release(&storage);
}

START_TEST(what_was_flushed_outlives_kill_9)
{
	struct rng rng;
	struct told *told =
	    mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(told != MAP_FAILED);
	rng_seed(&rng, rng_entropy());
	for (int i = 0; i < KILLS; i++) {
		kill_at_some_moment(told, &rng);
		struct spool *s = open_spool();
		check_survivors(s, told);
		ck_assert_uint_le(size_of_file(), SPOOL_SLACK_BYTES + (8 << 20));
		ck_assert_int_ne(access(new_path, F_OK), 0);
		uint64_t first = 0;
		if (spool_find_unsettled(s, 0, &first))
			told->settled = first;
		told->flushed = spool_next_number(s);
		spool_close(s);
	}
	munmap(told, sizeof *told);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spool_damage");
	TCase *cases = tcase_create("spool_damage");
	tcase_add_checked_fixture(cases, make_folder, remove_folder);
	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, a_torn_end_is_cut_off_wherever_it_is_torn);
	tcase_add_test(cases, no_changed_bit_goes_unnoticed);
	tcase_add_test(cases, damage_is_told_with_its_place);
	tcase_add_test(cases, damage_while_it_is_open_is_told);
	tcase_add_test(cases, a_spool_inside_of_a_body_is_no_record);
	tcase_add_test(cases, an_end_of_zeros_is_torn);
	tcase_add_test(cases, what_was_flushed_outlives_kill_9);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
