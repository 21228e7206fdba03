/* fuzz_record.c - a line that reads as a record survives line -> message -> line -> message. */
#include "base/buf.h"
#include "base/error.h"
#include "model/record.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void fail(const char *what, const char *detail)
{
	fprintf(stderr, "%s: %s\n", what, detail);
	abort();
}

static void write_line(const struct message *m, struct buf *line)
{
	struct error err = {0};
	if (!record_write(m, NULL, line, &err))
		fail("what was read cannot be written", err.text);
	for (size_t i = 0; i < line->len; i++) {
		unsigned char c = (unsigned char)line->ptr[i];
		if ((c < ' ' || c == 0x7f) && i + 1 != line->len)
			fail("a control character in the line", line->ptr);
	}
}

static bool same_slices(const struct message *a, const struct message *b)
{
	for (size_t i = 0; i < MESSAGE_PROPERTY_COUNT; i++) {
		const struct message_property_row *row = &message_properties[i];
		bool is_slice =
		    row->value == MESSAGE_VALUE_TEXT || row->value == MESSAGE_VALUE_TABLE;
		if (is_slice &&
		    !slice_equal(*message_slice_const(a, row), *message_slice_const(b, row)))
			return false;
	}
	return true;
}

static bool same_message(const struct message *a, const struct message *b)
{
	return a->present == b->present && a->delivery_mode == b->delivery_mode &&
	       a->priority == b->priority && a->timestamp == b->timestamp &&
	       (a->exchange.ptr == NULL) == (b->exchange.ptr == NULL) &&
	       (a->routing_key.ptr == NULL) == (b->routing_key.ptr == NULL) &&
	       slice_equal(a->exchange, b->exchange) &&
	       slice_equal(a->routing_key, b->routing_key) && slice_equal(a->body, b->body) &&
	       same_slices(a, b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf line = {0}, again = {0}, store = {0}, store_again = {0};
	struct message m = {0}, m_again = {0};
	struct error err = {0};
	struct slice input = {(const char *)data, size};
	bool is_record = record_read(input, &m, &store, &err);
	if (is_record && !record_looks_like(input))
		fail("a record does not look like one", err.text);
	if (is_record) {
		write_line(&m, &line);
		if (!record_read(buf_slice(&line), &m_again, &store_again, &err))
			fail(err.text, line.ptr);
		if (!same_message(&m, &m_again))
			fail("the messages differ", line.ptr);
		write_line(&m_again, &again);
		if (!slice_equal(buf_slice(&line), buf_slice(&again)))
			fail("the lines differ", line.ptr);
	}
	buf_release(&line);
	buf_release(&again);
	buf_release(&store);
	buf_release(&store_again);
	return 0;
}
