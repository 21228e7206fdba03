/* The spool: what has no fate is in the file, whatever happened in between. */
#include "spool_bench.h"

#include "base/log.h"
#include "base/rng.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct message full_message(void)
{
	return (struct message){.exchange = SLICE("order"),
	    .routing_key = SLICE("order.notify"),
	    .body = SLICE("hello\0there"),
	    .present = 0xfffc,
	    .delivery_mode = MESSAGE_PERSISTENT,
	    .priority = 255,
	    .timestamp = UINT64_C(0xffeeddccbbaa9988),
	    .content_type = SLICE("text/plain"),
	    .content_encoding = SLICE("gzip"),
	    .headers = SLICE("\1at\1"),
	    .correlation_id = SLICE("c"),
	    .reply_to = SLICE(""),
	    .expiration = SLICE("60000"),
	    .message_id = SLICE("m\xff\0m"),
	    .type = SLICE("t"),
	    .user_id = SLICE("u"),
	    .app_id = SLICE("a"),
	    .cluster_id = SLICE("k")};
}

/* Before the flush, after it, and after the file was opened again. */
static void check_three_ways(const struct message *m, bool mandatory)
{
	struct error err = {0};
	struct spool *s = open_spool();
	ck_assert_msg(spool_add(s, 0, m, mandatory, &err), "%s", err.text);
	check_message(s, 0, m, mandatory);
	flush(s);
	check_message(s, 0, m, mandatory);
	spool_close(s);
	s = open_spool();
	check_message(s, 0, m, mandatory);
	spool_settle(s, 0);
	end_run(s);
	spool_close(s);
}

START_TEST(every_property_comes_back)
{
	struct message m = full_message();
	check_three_ways(&m, true);
	check_three_ways(&m, false);
	for (size_t i = 0; i < MESSAGE_PROPERTY_COUNT; i++) {
		m.present = message_properties[i].bit;
		check_three_ways(&m, i % 2 == 0);
	}
	m = (struct message){0};
	check_three_ways(&m, false);
}
END_TEST

/* Not read here, so any bytes are good: some are no table at all. */
static const struct slice odd_headers[] = {
    {"", 0},
    {"\0S\0\0\0\0", 6},
    {"\1aL\377\377\377\377\377\377\377\377", 11},
    {"\1aF\0\0\0\3\1bV", 10},
    {"\1aA\377\377\377\377", 7},
    {"\1aZ", 3},
    {"\377", 1},
};

START_TEST(odd_headers_come_back_byte_by_byte)
{
	struct message m = {.present = MESSAGE_HEADERS, .headers = odd_headers[_i]};
	check_three_ways(&m, true);
}
END_TEST

static const size_t body_sizes[] = {1, 255, 65535, 262144, 3000001};

START_TEST(bodies_of_any_size_come_back)
{
	size_t size = body_sizes[_i];
	char *bytes = mem_alloc(size, 1);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	struct message m = {.body = {bytes, size}};
	check_three_ways(&m, true);
	free(bytes);
}
END_TEST

START_TEST(what_amqp_cannot_hold_is_refused_and_leaves_nothing)
{
	static const char long_text[300] = {1};
	struct spool *s = open_spool();
	struct error err = {0};
	struct message m = {.routing_key = {long_text, 256}};
	add(s, 0);
	uint64_t bytes = spool_bytes(s);
	ck_assert(!spool_add(s, 1, &m, true, &err));
	ck_assert_str_eq(err.text, "the routing key has 256 bytes; at most 255 fit");
	ck_assert_int_eq(err.kind, ERROR_DATA);
	error_clear(&err);
	m = (struct message){.body = {long_text, (UINT64_C(512) << 20) + 1}};
	ck_assert(!spool_add(s, 1, &m, true, &err));
	ck_assert_str_eq(err.text, "the body has 536870913 bytes; at most 536870912 fit");
	error_clear(&err);
	m = (struct message){.present = MESSAGE_HEADERS, .headers = {long_text, 64 << 20}};
	ck_assert(!spool_add(s, 1, &m, true, &err));
	ck_assert_str_eq(err.text, "the headers have 67108864 bytes; no frame holds that");
	ck_assert_uint_eq(spool_bytes(s), bytes);
	ck_assert_uint_eq(spool_next_number(s), 1);
	check_unsettled(s, "0");
	spool_close(s);
}
END_TEST

START_TEST(a_new_file_is_ours_alone_and_empty)
{
	struct stat st;
	mode_t old = umask(0);
	struct spool *s = open_spool();
	umask(old);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_uint_eq(size_of_file(), HEAD_BYTES);
	ck_assert_uint_eq(spool_run(s).len, 0);
	ck_assert_uint_eq(spool_next_number(s), 0);
	check_unsettled(s, "");
	spool_close(s);
	ck_assert_int_eq(chmod(path, 0644), 0);
	spool_close(open_spool());
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

/* ---- fates ---- */

START_TEST(fates_come_in_any_order)
{
	struct spool *s = open_spool();
	for (uint64_t n = 0; n < 20; n++)
		add(s, n);
	flush(s);
	for (uint64_t n = 3; n < 9; n++)
		spool_settle(s, n);
	spool_settle(s, 19);
	spool_settle(s, 17);
	spool_settle(s, 18);
	spool_settle(s, 0);
	spool_settle(s, 0);
	spool_settle(s, 99);
	check_unsettled(s, "1 2 9 10 11 12 13 14 15 16");
	flush(s);
	spool_close(s);
	s = open_spool();
	check_unsettled(s, "1 2 9 10 11 12 13 14 15 16");
	ck_assert_uint_eq(spool_next_number(s), 20);
	spool_close(s);
}
END_TEST

START_TEST(fates_that_were_not_flushed_are_open_again)
{
	struct spool *s = open_spool();
	add(s, 0);
	add(s, 1);
	flush(s);
	spool_settle(s, 0);
	add(s, 2);
	spool_close(s);
	s = open_spool();
	check_unsettled(s, "0 1");
	ck_assert_uint_eq(spool_next_number(s), 2);
	spool_close(s);
}
END_TEST

START_TEST(numbers_may_be_missing)
{
	struct spool *s = open_spool();
	uint64_t far = UINT64_C(1) << 62;
	add(s, 5);
	add(s, 6);
	add(s, 1000);
	add(s, far);
	flush(s);
	spool_settle(s, 6);
	flush(s);
	spool_close(s);
	s = open_spool();
	check_unsettled(s, "5 1000 4611686018427387904");
	ck_assert_uint_eq(spool_next_number(s), far + 1);
	spool_close(s);
}
END_TEST

START_TEST(a_hundred_thousand_fates_in_no_order_at_all)
{
	enum { COUNT = 100000 };
	uint64_t *order = mem_alloc(COUNT, sizeof *order);
	struct spool *s = open_spool();
	struct rng rng;
	rng_seed(&rng, 7);
	for (uint64_t n = 0; n < COUNT; n++) {
		uint64_t other = rng_below(&rng, n + 1);
		add(s, n);
		order[n] = order[other];
		order[other] = n;
	}
	for (size_t i = 0; i < COUNT - 1; i++)
		spool_settle(s, order[i]);
	flush(s);
	ck_assert_uint_eq(spool_unsettled_count(s), 1);
	check_sample(s, order[COUNT - 1]);
	spool_close(s);
	s = open_spool();
	ck_assert_uint_eq(spool_unsettled_count(s), 1);
	check_sample(s, order[COUNT - 1]);
	ck_assert_uint_eq(spool_next_number(s), COUNT);
	spool_close(s);
	free(order);
}
END_TEST

/* ---- runs ---- */

START_TEST(a_run_goes_on_where_it_was)
{
	struct spool *s = open_spool();
	begin(s, "{\"seed\":1}");
	for (uint64_t n = 0; n < 4; n++)
		add(s, n);
	flush(s);
	spool_settle(s, 1);
	flush(s);
	spool_close(s);
	s = open_spool();
	ck_assert(slice_is(spool_run(s), "{\"seed\":1}"));
	ck_assert_uint_eq(spool_first_number(s), 0);
	ck_assert_uint_eq(spool_next_number(s), 4);
	check_unsettled(s, "0 2 3");
	spool_close(s);
}
END_TEST

START_TEST(a_new_run_keeps_what_is_unsettled_of_the_old_one)
{
	struct spool *s = open_spool();
	begin(s, "old");
	add(s, 0);
	add(s, 1);
	begin(s, "new");
	ck_assert_uint_eq(spool_first_number(s), 2);
	add(s, 2);
	flush(s);
	spool_settle(s, 0);
	flush(s);
	spool_close(s);
	s = open_spool();
	ck_assert(slice_is(spool_run(s), "new"));
	ck_assert_uint_eq(spool_first_number(s), 2);
	ck_assert_uint_eq(spool_next_number(s), 3);
	check_unsettled(s, "1 2");
	spool_close(s);
}
END_TEST

START_TEST(an_ended_run_leaves_an_empty_file)
{
	struct spool *s = open_spool();
	begin(s, "one");
	add(s, 0);
	flush(s);
	spool_settle(s, 0);
	end_run(s);
	ck_assert_uint_eq(size_of_file(), HEAD_BYTES);
	ck_assert_uint_eq(spool_run(s).len, 0);
	begin(s, "two");
	add(s, spool_next_number(s));
	flush(s);
	spool_close(s);
	s = open_spool();
	ck_assert(slice_is(spool_run(s), "two"));
	ck_assert_uint_eq(spool_first_number(s), 1);
	check_unsettled(s, "1");
	spool_close(s);
}
END_TEST

START_TEST(an_ended_run_keeps_what_is_unsettled)
{
	struct spool *s = open_spool();
	begin(s, "one");
	add(s, 0);
	end_run(s);
	spool_close(s);
	s = open_spool();
	ck_assert_uint_eq(spool_run(s).len, 0);
	ck_assert_uint_eq(spool_first_number(s), 1);
	check_unsettled(s, "0");
	spool_close(s);
}
END_TEST

START_TEST(an_identity_has_a_limit)
{
	struct spool *s = open_spool();
	struct error err = {0};
	struct buf text = {0};
	while (text.len < SPOOL_IDENTITY_BYTES)
		buf_append_char(&text, 'x');
	begin(s, text.ptr);
	spool_close(s);
	s = open_spool();
	ck_assert(slice_equal(spool_run(s), buf_slice(&text)));
	buf_append_char(&text, 'x');
	ck_assert(!spool_begin(s, buf_slice(&text), &err));
	ck_assert_str_eq(
	    err.text, "what identifies the run has 65529 bytes; at most 65528 fit into a spool");
	ck_assert_uint_eq(spool_run(s).len, SPOOL_IDENTITY_BYTES);
	spool_close(s);
	buf_release(&text);
}
END_TEST

/* ---- the size of the file, and what it costs ---- */

static void add_large(struct spool *s, uint64_t n)
{
	static const char zeros[100000] = {0};
	struct error err = {0};
	struct message m = {.body = {zeros, sizeof zeros}};
	REQUIRE(spool_add(s, n, &m, false, &err), err.text);
}

/* Sends `count` large ones from n on, each settled one round later, save 0. Returns the next
 * number. */
static uint64_t send_large(struct spool *s, uint64_t n, uint64_t count, uint64_t *largest)
{
	for (uint64_t last = n + count; n < last; n++) {
		add_large(s, n);
		flush(s);
		if (n - 1 > 0) /* 0 is to stay */
			spool_settle(s, n - 1);
		if (size_of_file() > *largest)
			*largest = size_of_file();
	}
	return n;
}

START_TEST(the_file_stays_small_whoever_is_left_behind)
{
	struct spool *s = open_spool();
	uint64_t largest = 0;
	begin(s, "run");
	for (uint64_t n = 0; n < 5; n++)
		add(s, n);
	uint64_t next = send_large(s, 5, 1000, &largest);
	ck_assert_uint_le(largest, SPOOL_SLACK_BYTES + 500000);
	ck_assert_uint_gt(largest, SPOOL_SLACK_BYTES - 500000); /* it was not made anew for less */
	spool_settle(s, next - 1);
	flush(s);
	check_unsettled(s, "0 1 2 3");
	spool_close(s);
	s = open_spool();
	ck_assert(slice_is(spool_run(s), "run"));
	ck_assert_uint_eq(spool_first_number(s), 0);
	ck_assert_uint_eq(spool_next_number(s), next);
	check_unsettled(s, "0 1 2 3");
	add(s, next);
	flush(s);
	spool_close(s);
	s = open_spool();
	ck_assert_uint_eq(spool_unsettled_count(s), 5);
	check_sample(s, next);
	spool_close(s);
}
END_TEST

START_TEST(a_run_that_began_when_the_file_was_made_anew_is_the_one_in_it)
{
	struct spool *s = open_spool();
	begin(s, "old");
	add(s, 0);
	for (uint64_t n = 1; n < 169; n++)
		add_large(s, n);
	flush(s);
	for (uint64_t n = 1; n < 169; n++)
		spool_settle(s, n);
	uint64_t before = size_of_file();
	begin(s, "new");
	ck_assert_uint_lt(size_of_file(), before);
	spool_close(s);
	s = open_spool();
	ck_assert(slice_is(spool_run(s), "new"));
	ck_assert_uint_eq(spool_first_number(s), 169);
	check_unsettled(s, "0");
	spool_close(s);
}
END_TEST

START_TEST(a_file_that_cannot_be_made_anew_grows_and_is_tried_again)
{
	struct spool *s = open_spool();
	uint64_t largest = 0;
	log_setup("test", LOG_ERROR, LOG_TEXT); /* it is a warning, once every 16 MiB */
	ck_assert_int_eq(mkdir(new_path, 0700), 0);
	begin(s, "run");
	add(s, 0);
	uint64_t next = send_large(s, 1, 250, &largest);
	ck_assert_uint_gt(largest, SPOOL_SLACK_BYTES + 5000000);
	ck_assert_int_eq(rmdir(new_path), 0);
	next = send_large(s, next, 250, &largest);
	ck_assert_uint_lt(largest, 3 * SPOOL_SLACK_BYTES);
	ck_assert_uint_lt(size_of_file(), SPOOL_SLACK_BYTES + 500000);
	spool_settle(s, next - 1);
	check_unsettled(s, "0");
	spool_close(s);
}
END_TEST

START_TEST(a_file_that_was_moved_away_is_not_brought_back)
{
	struct spool *s = open_spool();
	char moved[128];
	uint64_t largest = 0;
	log_setup("test", LOG_ERROR, LOG_TEXT);
	begin(s, "run");
	add(s, 0);
	uint64_t next = send_large(s, 1, 10, &largest);
	(void)snprintf(moved, sizeof moved, "%s/moved", folder);
	ck_assert_int_eq(rename(path, moved), 0);
	write_file(path, SLICE("another's"));
	(void)send_large(s, next, 300, &largest);
	ck_assert_uint_eq(size_of_file(), strlen("another's"));
	ck_assert_int_ne(access(new_path, F_OK), 0);
	check_sample(s, 0);
	spool_close(s);
	(void)remove(moved);
}
END_TEST

/* The write calls of this process so far. */
static uint64_t count_writes(void)
{
	char line[128];
	unsigned long long count = 0;
	FILE *f = fopen("/proc/self/io", "r");
	REQUIRE(f != NULL, "/proc/self/io");
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, "syscw: ", 7) == 0)
			count = strtoull(line + 7, NULL, 10);
	fclose(f);
	return count;
}

START_TEST(a_flush_is_one_write_and_an_idle_one_is_none)
{
	struct spool *s = open_spool();
	uint64_t before = count_writes();
	for (uint64_t n = 0; n < 100; n++)
		add(s, n);
	for (uint64_t n = 0; n < 100; n += 2)
		spool_settle(s, n);
	uint64_t unflushed = count_writes();
	flush(s);
	uint64_t flushed = count_writes();
	flush(s);
	uint64_t idle = count_writes();
	ck_assert_uint_eq(unflushed, before);
	ck_assert_uint_eq(flushed, before + 1);
	ck_assert_uint_eq(idle, flushed);
	spool_close(s);
}
END_TEST

START_TEST(with_sync_it_is_the_same_file)
{
	struct error err = {0};
	struct spool *s = spool_open(path, true, &err);
	uint64_t largest = 0;
	ck_assert_ptr_nonnull(s);
	begin(s, "run");
	add(s, 0);
	uint64_t next = send_large(s, 1, 200, &largest);
	ck_assert_uint_le(largest, SPOOL_SLACK_BYTES + 500000);
	spool_settle(s, next - 1);
	spool_close(s);
	s = open_spool();
	ck_assert_uint_eq(spool_next_number(s), next);
	ck_assert_uint_eq(spool_unsettled_count(s), 3);
	for (uint64_t n = 1; spool_find_unsettled(s, n, &n); n++)
		spool_settle(s, n);
	check_unsettled(s, "0");
	spool_close(s);
}
END_TEST

/* ---- whose file it is ---- */

/* Runs the body in a child that holds the spool, and waits until it does. */
static pid_t hold_in_child(int *release)
{
	int ready[2], done[2];
	char byte;
	ck_assert_int_eq(pipe(ready) | pipe(done), 0);
	pid_t child = fork();
	if (child == 0) {
		uint64_t largest = 0;
		struct spool *s = open_spool();
		add_large(s, 0);
		if (spool_next_number(s) == 1)
			(void)send_large(s, 1, 200, &largest); /* through a new file */
		close(done[1]);
		_exit(write(ready[1], "x", 1) != 1 || read(done[0], &byte, 1) != 0);
	}
	close(ready[1]);
	close(done[0]);
	ck_assert_int_eq((int)read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*release = done[1];
	return child;
}

START_TEST(two_processes_never_share_one)
{
	char text[256];
	int release, status;
	pid_t child = hold_in_child(&release);
	(void)snprintf(text, sizeof text, "spool '%s' is in use by process %d", path, (int)child);
	refuse_spool(ERROR_UNAVAILABLE, text);
	close(release);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	struct spool *s = open_spool();
	ck_assert_uint_eq(spool_next_number(s), 201);
	spool_close(s);
}
END_TEST

/* The error's text has the path between these. */
static void refuse_with(enum error_kind kind, const char *before, const char *after)
{
	char *text = mem_printf("%s'%s'%s", before, path, after);
	refuse_spool(kind, text);
	free(text);
}

START_TEST(only_a_file_of_ours_will_do)
{
	char target[128];
	struct stat st;
	(void)snprintf(target, sizeof target, "%s/target", folder);
	ck_assert_int_eq(symlink(target, path), 0);
	refuse_with(ERROR_CANNOT_CREATE, "spool ", " is a symbolic link");
	ck_assert_int_ne(lstat(target, &st), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	refuse_with(ERROR_CANNOT_CREATE, "cannot open spool ", ": Is a directory");
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	refuse_with(ERROR_CANNOT_CREATE, "spool ", " is not a regular file");
	ck_assert_int_eq(unlink(path), 0);
	struct error err = {0};
	ck_assert_ptr_null(spool_open("/dev/full", false, &err));
	ck_assert_str_eq(err.text, "spool '/dev/full' is not a regular file");
	error_clear(&err);
	ck_assert_ptr_null(spool_open("/no\nfolder/spool", false, &err));
	ck_assert_str_eq(
	    err.text, "cannot open spool '/no\\nfolder/spool': No such file or directory");
	if (geteuid() != 0)
		return; /* only root can give a file away */
	spool_close(open_spool());
	ck_assert_int_eq(chown(path, 12345, (gid_t)-1), 0);
	refuse_with(ERROR_CANNOT_CREATE, "spool ", " belongs to another user (12345)");
}
END_TEST

static const struct foreign {
	struct slice bytes;
	const char *before, *after; /* of the path, in the text */
} foreign[] = {
    {{"x", 1}, "", " is not a spool; nothing was changed"},
    {{"warren spoon", 12}, "", " is not a spool; nothing was changed"},
    {{"a letter to somebody, of some length", 36}, "", " is not a spool; nothing was changed"},
    {{"warren spool 02\n\0\0", 18}, "spool ", " is another version's; nothing was changed"},
};

START_TEST(what_is_no_spool_is_not_touched)
{
	struct buf now = {0};
	struct stat st;
	write_file(path, foreign[_i].bytes);
	ck_assert_int_eq(chmod(path, 0644), 0);
	refuse_with(ERROR_DATA, foreign[_i].before, foreign[_i].after);
	read_file(&now);
	ck_assert(slice_equal(buf_slice(&now), foreign[_i].bytes));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	buf_release(&now);
}
END_TEST

START_TEST(what_a_dead_process_left_beside_it_is_removed)
{
	static const struct slice ours[] = {{"", 0}, {"warren", 6}, {"warren spool 01\nxyz", 19}};
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		write_file(new_path, ours[i]);
		spool_close(open_spool());
		ck_assert_int_ne(access(new_path, F_OK), 0);
	}
	write_file(new_path, SLICE("my own notes"));
	spool_close(open_spool());
	ck_assert_int_eq(access(new_path, F_OK), 0);
}
END_TEST

/* ---- a full disk ---- */

static void limit_file(uint64_t bytes)
{
	struct rlimit limit = {bytes, RLIM_INFINITY};
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		abort();
}

/* No ck_assert while the limit holds: Check writes into a file, too. */
static bool flush_limited(struct spool *s, uint64_t bytes, struct error *err)
{
	limit_file(bytes);
	bool good = spool_flush(s, err);
	limit_file(RLIM_INFINITY);
	return good;
}

static bool begin_limited(struct spool *s, uint64_t bytes, struct error *err)
{
	limit_file(bytes);
	bool good = spool_begin(s, SLICE("new"), err);
	limit_file(RLIM_INFINITY);
	return good;
}

START_TEST(a_full_disk_takes_the_messages_of_the_flush_back)
{
	char text[256];
	struct error err = {0};
	signal(SIGXFSZ, SIG_IGN);
	(void)snprintf(text, sizeof text, "cannot write spool '%s': File too large", path);
	struct spool *s = open_spool();
	begin(s, "run");
	for (uint64_t n = 0; n < 10; n++)
		add(s, n);
	flush(s);
	uint64_t size = size_of_file();
	spool_settle(s, 2);
	for (uint64_t n = 10; n < 20; n++)
		add(s, n);
	spool_settle(s, 3);
	spool_settle(s, 11);
	ck_assert(!flush_limited(s, size + 150, &err)); /* one of them fits */
	ck_assert_str_eq(err.text, text);
	ck_assert_int_eq(err.kind, ERROR_IO);
	ck_assert_uint_eq(size_of_file(), size);
	ck_assert_uint_eq(spool_next_number(s), 10);
	check_unsettled(s, "0 1 4 5 6 7 8 9");
	ck_assert(flush_limited(s, size + 150, &err)); /* the fates alone do fit */
	add(s, 10);
	add(s, 11);
	flush(s);
	check_unsettled(s, "0 1 4 5 6 7 8 9 10 11");
	spool_close(s);
	s = open_spool();
	check_unsettled(s, "0 1 4 5 6 7 8 9 10 11");
	ck_assert_uint_eq(spool_cut_bytes(s), 0);
	spool_close(s);
}
END_TEST

START_TEST(a_run_that_cannot_begin_has_not_begun)
{
	struct error err = {0};
	signal(SIGXFSZ, SIG_IGN);
	struct spool *s = open_spool();
	begin(s, "old");
	add(s, 0);
	flush(s);
	ck_assert(!begin_limited(s, size_of_file(), &err));
	ck_assert(slice_is(spool_run(s), "old"));
	ck_assert_uint_eq(spool_first_number(s), 0);
	spool_settle(s, 0);
	flush(s);
	error_clear(&err);
	ck_assert(!begin_limited(s, HEAD_BYTES, &err)); /* the old one is over, though */
	ck_assert_uint_eq(spool_run(s).len, 0);
	begin(s, "new");
	spool_close(s);
	s = open_spool();
	ck_assert(slice_is(spool_run(s), "new"));
	spool_close(s);
}
END_TEST

/* ---- everything at once ---- */

enum { MODEL_MOST = 1000 };
struct model {
	uint8_t state[MODEL_MOST]; /* of a number; 0: never added or taken back, 1 unsettled, 2
				      settled */
	uint8_t flushed[MODEL_MOST];
	uint64_t next, flushed_next;
};

static void check_model(const struct spool *s, const struct model *m)
{
	uint64_t found = UINT64_MAX;
	ck_assert_uint_eq(spool_next_number(s), m->next);
	for (uint64_t n = 0; n < m->next; n++) {
		bool is_there = spool_find_unsettled(s, n, &found) && found == n;
		REQUIRE(is_there == (m->state[n] == 1), "not as in the model");
		if (is_there && n % 5 == 0)
			check_sample(s, n);
	}
}

static void step_flush(struct spool *s, struct model *m, struct rng *rng)
{
	struct error err = {0};
	bool is_full = rng_below(rng, 4) == 0;
	uint64_t limit = is_full ? size_of_file() + rng_below(rng, 600) : RLIM_INFINITY;
	bool good = flush_limited(s, limit, &err);
	ck_assert(good || is_full);
	if (!good) {
		memset(m->state + m->flushed_next, 0, MODEL_MOST - m->flushed_next);
		m->next = m->flushed_next;
		return;
	}
	memcpy(m->flushed, m->state, sizeof m->flushed);
	m->flushed_next = m->next;
}

START_TEST(any_sequence_of_calls_agrees_with_a_model)
{
	struct model m = {0};
	struct rng rng;
	rng_seed(&rng, (uint64_t)_i);
	signal(SIGXFSZ, SIG_IGN);
	struct spool *s = open_spool();
	while (m.next < MODEL_MOST - 20) {
		uint64_t n = m.next + (rng_below(&rng, 9) == 0 ? rng_below(&rng, 9) : 0);
		switch (rng_below(&rng, 40)) {
		case 0:
			spool_close(s);
			s = open_spool();
			memcpy(m.state, m.flushed, sizeof m.state);
			m.next = m.flushed_next;
			check_model(s, &m);
			break;
		case 1:
		case 2:
			step_flush(s, &m, &rng);
			break;
		case 3:
			check_model(s, &m);
			break;
		default:
			if (rng_below(&rng, 2) == 0) {
				add(s, n);
				m.state[n] = 1;
				m.next = n + 1;
			} else if (m.next > 0) {
				n = m.next - 1 - rng_below(&rng, m.next < 90 ? m.next : 90);
				spool_settle(s, n);
				m.state[n] = m.state[n] == 1 ? 2 : m.state[n];
			}
		}
	}
	spool_close(s);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {every_property_comes_back,
	    what_amqp_cannot_hold_is_refused_and_leaves_nothing, a_new_file_is_ours_alone_and_empty,
	    fates_come_in_any_order, fates_that_were_not_flushed_are_open_again,
	    numbers_may_be_missing, a_hundred_thousand_fates_in_no_order_at_all,
	    a_run_goes_on_where_it_was, a_new_run_keeps_what_is_unsettled_of_the_old_one,
	    an_ended_run_leaves_an_empty_file, an_ended_run_keeps_what_is_unsettled,
	    an_identity_has_a_limit, the_file_stays_small_whoever_is_left_behind,
	    a_run_that_began_when_the_file_was_made_anew_is_the_one_in_it,
	    a_file_that_cannot_be_made_anew_grows_and_is_tried_again,
	    a_file_that_was_moved_away_is_not_brought_back,
	    a_flush_is_one_write_and_an_idle_one_is_none, with_sync_it_is_the_same_file,
	    two_processes_never_share_one, only_a_file_of_ours_will_do,
	    what_a_dead_process_left_beside_it_is_removed,
	    a_full_disk_takes_the_messages_of_the_flush_back,
	    a_run_that_cannot_begin_has_not_begun};
	Suite *suite = suite_create("spool");
	TCase *cases = tcase_create("spool");
	tcase_add_checked_fixture(cases, make_folder, remove_folder);
	tcase_set_timeout(cases, 60);
	for (size_t i = 0; i < ARRAY_LEN(tests); i++)
		tcase_add_test(cases, tests[i]);
	tcase_add_loop_test(cases, odd_headers_come_back_byte_by_byte, 0, ARRAY_LEN(odd_headers));
	tcase_add_loop_test(cases, bodies_of_any_size_come_back, 0, ARRAY_LEN(body_sizes));
	tcase_add_loop_test(cases, what_is_no_spool_is_not_touched, 0, ARRAY_LEN(foreign));
	tcase_add_loop_test(cases, any_sequence_of_calls_agrees_with_a_model, 0, 20);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
