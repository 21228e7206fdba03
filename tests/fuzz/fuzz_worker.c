/* fuzz_worker.c - whatever a worker answers: it is read or refused, and what is read can be sent.
 */
#include "base/text.h"
#include "flow/exec_answer.h"
#include "model/record.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void fail(const char *what, const char *detail)
{
	fprintf(stderr, "%s: %s\n", what, detail);
	abort();
}

static void check_printable(const char *text)
{
	if (!text_is_utf8(slice_str(text)))
		fail("a text that is not UTF-8", text);
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			fail("a text with a control character", text);
}

/* A result has a line of its own, which a worker could answer with: the same comes out again. */
static void check_result(const struct message *m, const struct message *cause)
{
	struct buf line = {0};
	struct error err = {0};
	struct exec_answer again = {0};
	if (!record_write(m, NULL, &line, &err))
		fail("a result that cannot be written", err.text);
	if (!exec_answer_read(buf_slice(&line), cause, false, &again, &err))
		fail("a result that cannot be read", err.text);
	if (again.count != 1 || !slice_equal(again.results[0].body, m->body) ||
	    !slice_equal(again.results[0].routing_key, m->routing_key) ||
	    (again.results[0].present & m->present) != m->present)
		fail("a result that is another one when it is read again", line.ptr);
	exec_answer_release(&again);
	buf_release(&line);
}

static void check_answer(const struct exec_answer *answer, const struct message *cause)
{
	if (answer->kind != EXEC_ANSWER_RESULTS) {
		if (answer->count != 0 || answer->reason == NULL)
			fail("a refusal with results, or without a reason", "");
		check_printable(answer->reason);
		return;
	}
	if (!answer->is_list && answer->count != 1)
		fail("an answer that is no list is one result", "");
	if (answer->count > EXEC_ANSWER_MAX_RESULTS)
		fail("too many results", "");
	for (size_t i = 0; i < answer->count; i++)
		check_result(&answer->results[i], cause);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct message cause = {.exchange = SLICE("orders"),
	    .routing_key = SLICE("order.new"),
	    .body = SLICE("{\"n\":1}"),
	    .present = MESSAGE_MESSAGE_ID | MESSAGE_CONTENT_TYPE | MESSAGE_PRIORITY,
	    .message_id = SLICE("m-1"),
	    .content_type = SLICE("text/plain"),
	    .priority = 3};
	const struct slice line = {(const char *)data, size};
	struct exec_answer answer = {0};
	struct error err = {0};
	if (exec_answer_read(line, &cause, false, &answer, &err))
		check_answer(&answer, &cause);
	else if (err.kind != ERROR_DATA)
		fail("an error of another kind", err.text);
	else
		check_printable(err.text);
	exec_answer_release(&answer);
	return 0;
}
