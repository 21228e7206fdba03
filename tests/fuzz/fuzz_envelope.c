/* fuzz_envelope.c - a byte says what the rest is: headers, a structured body, or just JSON.
 * Whatever it is, what the envelope says of it keeps its promises. */
#include "base/mem.h"
#include "base/skim.h"
#include "base/text.h"
#include "model/envelope.h"
#include "model/trace.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define SHALLOW 100 /* levels that either reader of JSON takes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

/* Reads every byte, so that one that is gone is seen. */
static void check_text(struct slice text, bool is_required)
{
	if (text.ptr == NULL) {
		if (is_required)
			fail("a required attribute is absent");
		return;
	}
	if (text.len == 0 || !text_is_utf8(text))
		fail("an attribute is empty or not UTF-8");
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
			fail("an attribute has a control character");
}

static void check_event(const struct envelope *e)
{
	const struct slice optional[] = {e->subject, e->time, e->datacontenttype, e->dataschema};
	check_text(e->id, true);
	check_text(e->source, true);
	check_text(e->type, true);
	for (size_t i = 0; i < ARRAY_LEN(optional); i++)
		check_text(optional[i], false);
	if (e->data.ptr != NULL && (e->mode != ENVELOPE_STRUCTURED || !skim_is_json(e->data)))
		fail("data that is no JSON");
}

static size_t count_brackets(struct slice text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == '[' || text.ptr[i] == '{';
	return count;
}

/* What another reader takes is JSON here, too; it refuses more: large numbers, half pairs. A NUL is
 * the end of a text for it. */
static void check_json(struct slice text)
{
	if (!text_is_utf8(text) || memchr(text.ptr, '\0', text.len) != NULL)
		return;
	bool good = skim_is_json(text);
	json_t *tree = json_loadb(text.len > 0 ? text.ptr : "", text.len,
	    JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
	if (tree != NULL && !good && count_brackets(text) < SHALLOW)
		fail("JSON is refused");
	struct skim_member member = {.rest = text};
	size_t members = 0;
	while (skim_next(&member))
		members++;
	if (json_is_object(tree) && (member.is_damaged || members < json_object_size(tree)) &&
	    count_brackets(text) < SHALLOW)
		fail("members are missing");
	if (!member.is_damaged && !good)
		fail("an object is whole and no JSON");
	json_decref(tree);
}

static void check_trace(struct slice headers)
{
	struct trace trace, again;
	struct slice state;
	char text[TRACE_PARENT_CHARS];
	if (!trace_read(headers, &trace, &state))
		return;
	trace_format(&trace, text);
	if (!trace_parse((struct slice){text, sizeof text}, &again) ||
	    memcmp(&trace, &again, sizeof trace) != 0)
		fail("a trace has no way back");
	if (state.len > 0 && !trace_is_state(state))
		fail("a tracestate is kept that is none");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf scratch = {0};
	struct envelope e;
	struct message m = {.content_type = SLICE("application/CloudEvents+json;x")};
	struct slice rest = {(const char *)data + 1, size - 1};
	if (size == 0)
		return 0;
	m.present = data[0] % 3 == 0 ? MESSAGE_HEADERS : MESSAGE_CONTENT_TYPE;
	m.headers = m.body = rest;
	if (data[0] % 3 == 2)
		check_json(rest);
	else if (data[0] % 3 == 0)
		check_trace(rest);
	envelope_read(&m, &scratch, &e);
	if (e.mode != ENVELOPE_NONE)
		check_event(&e);
	buf_release(&scratch);
	return 0;
}
