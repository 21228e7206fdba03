/* fuzz_spool.c - any bytes as a spool file, and as records whose checks are right: the file is
 * refused and left alone, or can be used on. */
#include "broker/spool.h"
#include "broker/spool_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

static void write_file(const char *path, struct slice bytes)
{
	FILE *f = fopen(path, "wb");
	if (f == NULL || fwrite(bytes.ptr, 1, bytes.len, f) != bytes.len || fclose(f) != 0)
		fail("cannot write the file");
}

static uint64_t take(struct slice *in, size_t bytes)
{
	uint64_t v = 0;
	for (; bytes > 0 && in->len > 0; bytes--, in->ptr++, in->len--)
		v = v << 8 | (unsigned char)*in->ptr;
	return v;
}

/* A file of records, each described by a byte of kind, two of its number, two of its length and the
 * payload. */
static void make_records(struct slice in, struct buf *out)
{
	struct crc c;
	crc_init(&c);
	buf_append(out, SPOOL_RECORD_MAGIC);
	while (in.len > 0) {
		enum spool_record_kind kind = (enum spool_record_kind)(take(&in, 1) % 4);
		uint64_t number = take(&in, 2);
		size_t length = (size_t)take(&in, 2);
		length = length < in.len ? length : in.len;
		struct slice payload = {in.ptr, length};
		struct spool_record r = {kind, (uint32_t)length, crc_of(&c, 0, payload), number};
		char *head = buf_reserve(out, SPOOL_RECORD_HEAD_BYTES);
		spool_record_put_head(&c, &r, out->len, head);
		out->len += SPOOL_RECORD_HEAD_BYTES;
		buf_append(out, payload);
		in.ptr += length;
		in.len -= length;
	}
}

static void settle_all(struct spool *s)
{
	struct buf storage = {0};
	struct message m;
	bool mandatory;
	for (uint64_t n = 0; spool_find_unsettled(s, n, &n); n++) {
		struct error err = {0};
		if (!spool_read(s, n, &storage, &m, &mandatory, &err) && err.kind != ERROR_DATA)
			fail(err.text);
		spool_settle(s, n);
	}
	if (spool_unsettled_count(s) != 0)
		fail("some cannot be settled");
	buf_release(&storage);
}

static void use_on(struct spool *s)
{
	struct error err = {0};
	struct message m = {.body = SLICE("x")};
	if (spool_next_number(s) < spool_first_number(s))
		fail("less than nothing of the source");
	settle_all(s);
	if (spool_next_number(s) < UINT64_MAX / 2 &&
	    !spool_add(s, spool_next_number(s), &m, true, &err))
		fail(err.text);
	if (!spool_flush(s, &err))
		fail(err.text);
	settle_all(s);
	if (!spool_end(s, &err))
		fail(err.text);
}

static void use_file(const char *path)
{
	struct error err = {0};
	struct spool *s = spool_open(path, false, &err);
	if (s == NULL && err.kind != ERROR_DATA)
		fail(err.text);
	if (s == NULL)
		return;
	size_t count = spool_unsettled_count(s);
	spool_close(s);
	s = spool_open(path, false, &err);
	if (s == NULL || spool_unsettled_count(s) != count || spool_cut_bytes(s) != 0)
		fail("another one when it is opened again");
	use_on(s);
	spool_close(s);
	s = spool_open(path, false, &err);
	if (s == NULL || spool_unsettled_count(s) != 0 || spool_run(s).len != 0)
		fail("not empty at the end");
	spool_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct slice in = {(const char *)data, size};
	struct message m;
	struct buf records = {0};
	bool mandatory;
	(void)snprintf(path, sizeof path, "/dev/shm/fuzz-spool-%d", (int)getpid());
	(void)spool_record_read_message(in, &m, &mandatory);
	write_file(path, in);
	use_file(path);
	make_records(in, &records);
	write_file(path, buf_slice(&records));
	use_file(path);
	(void)unlink(path);
	buf_release(&records);
	return 0;
}
