/* spool_bench.h - what the tests of the spool share: a folder, and messages known by their number.
 */
#ifndef TESTS_UNIT_SPOOL_BENCH_H
#define TESTS_UNIT_SPOOL_BENCH_H

#include "base/mem.h"
#include "broker/spool.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_BYTES 16u /* of an empty spool */

/* Check writes a note into a file at every assertion that holds; this writes none. */
#define REQUIRE(condition, what)                    \
	do {                                        \
		if (!(condition))                   \
			ck_abort_msg("%s", (what)); \
	} while (0)

static char folder[64], path[96], new_path[96];

static inline void make_folder(void)
{
	(void)snprintf(folder, sizeof folder, "/tmp/warren-spool.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/spool", folder);
	(void)snprintf(new_path, sizeof new_path, "%s/spool.new", folder);
}

static inline void remove_folder(void)
{
	(void)remove(path);
	(void)remove(new_path);
	ck_assert_msg(rmdir(folder) == 0, "something was left in %s", folder);
}

static inline struct spool *open_spool(void)
{
	struct error err = {0};
	struct spool *s = spool_open(path, false, &err);
	ck_assert_msg(s != NULL, "%s", err.text);
	return s;
}

static inline void refuse_spool(enum error_kind kind, const char *text)
{
	struct error err = {0};
	ck_assert_ptr_null(spool_open(path, false, &err));
	ck_assert_str_eq(err.text, text);
	ck_assert_int_eq(err.kind, kind);
}

static inline uint64_t size_of_file(void)
{
	struct stat st;
	ck_assert_int_eq(stat(path, &st), 0);
	return (uint64_t)st.st_size;
}

static inline void read_file(struct buf *out)
{
	FILE *f = fopen(path, "rb");
	ck_assert_ptr_nonnull(f);
	size_t size = (size_t)size_of_file();
	buf_clear(out);
	ck_assert_uint_eq(fread(buf_reserve(out, size), 1, size, f), size);
	out->len = size;
	fclose(f);
}

static inline void write_file(const char *to, struct slice bytes)
{
	FILE *f = fopen(to, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes.ptr, 1, bytes.len, f), bytes.len);
	ck_assert_int_eq(fclose(f), 0);
}

/* Message number n, like no other: the bytes are in *store. */
static inline struct message sample(uint64_t n, struct buf *store)
{
	buf_clear(store);
	buf_printf(store, "%08llu", (unsigned long long)n);
	size_t head = store->len, extra = (size_t)(n * 7 % 40);
	for (size_t i = 0; i < extra; i++)
		buf_append_char(store, (char)(n * 31 + i));
	struct slice id = {store->ptr, head}, body = {store->ptr, store->len};
	return (struct message){.exchange = SLICE("order"),
	    .routing_key = id,
	    .body = body,
	    .present = MESSAGE_MESSAGE_ID | MESSAGE_HEADERS | MESSAGE_TIMESTAMP,
	    .timestamp = n,
	    .headers = {store->ptr + head, extra},
	    .message_id = id};
}

static inline bool is_mandatory(uint64_t n)
{
	return n % 3 == 0;
}

static inline void add(struct spool *s, uint64_t n)
{
	struct error err = {0};
	struct buf store = {0};
	struct message m = sample(n, &store);
	REQUIRE(spool_add(s, n, &m, is_mandatory(n), &err), err.text);
	buf_release(&store);
}

static inline void flush(struct spool *s)
{
	struct error err = {0};
	REQUIRE(spool_flush(s, &err), err.text);
}

static inline void begin(struct spool *s, const char *identity)
{
	struct error err = {0};
	ck_assert_msg(spool_begin(s, slice_str(identity), &err), "%s", err.text);
}

static inline void end_run(struct spool *s)
{
	struct error err = {0};
	ck_assert_msg(spool_end(s, &err), "%s", err.text);
}

static inline void check_same(const struct message *got, const struct message *want)
{
	REQUIRE(got->present == want->present, "present");
	REQUIRE(slice_equal(got->exchange, want->exchange), "exchange");
	REQUIRE(slice_equal(got->routing_key, want->routing_key), "routing_key");
	REQUIRE(slice_equal(got->body, want->body), "body");
	for (size_t i = 0; i < MESSAGE_PROPERTY_COUNT; i++) {
		const struct message_property_row *row = &message_properties[i];
		if ((want->present & (unsigned)row->bit) == 0)
			continue;
		if (row->value == MESSAGE_VALUE_TEXT || row->value == MESSAGE_VALUE_TABLE)
			REQUIRE(slice_equal(*message_slice_const(got, row),
				    *message_slice_const(want, row)),
			    row->name);
	}
	if (want->present & MESSAGE_TIMESTAMP)
		REQUIRE(got->timestamp == want->timestamp, "timestamp");
	if (want->present & MESSAGE_PRIORITY)
		REQUIRE(got->priority == want->priority, "priority");
	if (want->present & MESSAGE_DELIVERY_MODE)
		REQUIRE(got->delivery_mode == want->delivery_mode, "delivery_mode");
}

static inline void check_message(
    const struct spool *s, uint64_t n, const struct message *want, bool mandatory)
{
	struct error err = {0};
	struct buf storage = {0};
	struct message got;
	bool got_mandatory;
	REQUIRE(spool_read(s, n, &storage, &got, &got_mandatory, &err), err.text);
	check_same(&got, want);
	REQUIRE(got_mandatory == mandatory, "mandatory");
	buf_release(&storage);
}

static inline void check_sample(const struct spool *s, uint64_t n)
{
	struct buf store = {0};
	struct message want = sample(n, &store);
	check_message(s, n, &want, is_mandatory(n));
	buf_release(&store);
}

/* Every unsettled number, in order, as "3 4 9"; each with its sample. */
static inline void check_unsettled(const struct spool *s, const char *numbers)
{
	struct buf found = {0};
	size_t count = 0;
	for (uint64_t n = 0; spool_find_unsettled(s, n, &n); n++, count++) {
		buf_printf(&found, "%s%llu", count > 0 ? " " : "", (unsigned long long)n);
		check_sample(s, n);
	}
	ck_assert_str_eq(count > 0 ? found.ptr : "", numbers);
	ck_assert_uint_eq(spool_unsettled_count(s), count);
	buf_release(&found);
}

#endif
