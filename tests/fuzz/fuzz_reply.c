/* fuzz_reply.c - the first byte says how the rest is cut into a correlation id, the headers of a
 * request, and those of a result. Whatever they are, the reply keeps its promises. */
#include "base/mem.h"
#include "model/calls.h"
#include "model/marks.h"
#include "model/reply.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CAPACITY 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

/* An id that is found is written as it was read. */
static void check_id(struct slice id)
{
	struct calls *calls = calls_create(CAPACITY, 0);
	char name[CALLS_ID_CHARS];
	uint64_t number = 0;
	for (size_t i = 0; i < CAPACITY; i++)
		calls_begin(calls, &(struct call){.token = i});
	enum calls_match match = calls_find(calls, id, &number);
	if (match != CALLS_FOREIGN) {
		calls_name(calls, number, name);
		if (!slice_equal(id, (struct slice){name, sizeof name}))
			fail("another id was found");
	}
	if ((match == CALLS_AWAITED) != (calls_get(calls, number) != NULL))
		fail("what is awaited is not there");
	calls_free(calls);
}

static struct slice cut(struct slice *rest, size_t length)
{
	struct slice part = {rest->ptr, length < rest->len ? length : rest->len};
	*rest = (struct slice){rest->ptr + part.len, rest->len - part.len};
	return part;
}

/* The same request again: the reply is the one that it got. */
static void check_repeat(const struct message *request, const struct message *first)
{
	struct buf store = {0};
	struct message answer, out;
	reply_answer(first, &answer);
	struct message *kept = message_copy(&answer);
	reply_repeat(request, kept, SLICE("rpc/fuzz"), &store, &out);
	if (!slice_equal(out.routing_key, first->routing_key) ||
	    !slice_equal(out.correlation_id, first->correlation_id) ||
	    !slice_equal(out.message_id, first->message_id))
		fail("an answer that is given again goes elsewhere");
	if (!slice_equal(out.body, first->body) ||
	    marks_has(out.headers, MARKS_ERROR) != marks_has(first->headers, MARKS_ERROR))
		fail("an answer that is given again is another one");
	free(kept);
	buf_release(&store);
}

static void check_reply(struct slice id, struct slice asked, struct slice made)
{
	struct buf store = {0};
	struct message out,
	    request = {.present = MESSAGE_REPLY_TO | MESSAGE_CORRELATION_ID | MESSAGE_HEADERS,
		.reply_to = SLICE("back"),
		.correlation_id = id,
		.headers = asked},
	    result = request;
	result.headers = made;
	result.body = made;
	reply_make(&request, &result, SLICE("rpc/fuzz"), &store, &out);
	if (!slice_is(out.routing_key, "back") || !slice_equal(out.body, made))
		fail("the reply is not what was made");
	if (id.len > 0 && !slice_equal(out.correlation_id, id))
		fail("the reply is not of this call");
	if (marks_has(out.headers, MARKS_ERROR))
		fail("an answer is an error");
	check_repeat(&request, &out);
	reply_refuse(&request, SLICE("rpc/fuzz"), made, &store, &out);
	if (!marks_has(out.headers, MARKS_ERROR) || out.body.len == 0)
		fail("an error does not say so");
	check_repeat(&request, &out);
	buf_release(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = {(const char *)data, size};
	if (size < 2)
		return 0;
	size_t id_bytes = data[0] % 64, asked_bytes = data[1];
	(void)cut(&rest, 2);
	struct slice id = cut(&rest, id_bytes), asked = cut(&rest, asked_bytes);
	check_id(id);
	check_reply(id, asked, rest);
	return 0;
}
