/* fuzz_death.c - headers of any shape tell of a death, or do not; nothing of it comes back. */
#include "model/death.h"
#include "model/table.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

/* All of it printable, so that no terminal obeys it. */
static void check_printable(const struct buf *text)
{
	for (size_t i = 0; i < text->len; i++) {
		unsigned char c = (unsigned char)text->ptr[i];
		if ((c < ' ' && c != '\n') || c == 0x7f)
			fail("a control character gets through");
	}
}

static bool is_whole(struct slice table)
{
	struct table_entry entry = {.rest = table};
	while (table_next(&entry))
		;
	return entry.rest.len == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message m = {.present = MESSAGE_HEADERS, .headers = {(const char *)data, size}};
	struct death d, again;
	struct buf json = {0}, lines = {0}, rest = {0};
	death_read(&m, &d);
	death_write_json(&d, &json);
	if (json.len < 2)
		fail("a death has no JSON");
	death_write_lines(&m, &lines);
	check_printable(&json);
	check_printable(&lines);
	death_forget(m.headers, 1, &rest);
	m.headers = buf_slice(&rest);
	death_read(&m, &again);
	if (is_whole((struct slice){(const char *)data, size}) &&
	    (!slice_is(again.reason, "unknown") || again.has_origin || again.queue.len > 0))
		fail("something of the death is left");
	buf_release(&json);
	buf_release(&lines);
	buf_release(&rest);
	return 0;
}
