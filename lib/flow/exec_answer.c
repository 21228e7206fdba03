#include "flow/exec_answer.h"

#include "base/mem.h"
#include "base/skim.h"
#include "base/text.h"
#include "flow/result.h"
#include "model/record.h"

#include <stdlib.h>

/* What every result of an answer is made with. */
struct maker {
	const struct message *cause;
	bool clears_exchange;
	struct exec_answer *answer;
	struct buf line; /* of a record */
};

/* ---- one result ---- */

static struct buf *add_result(struct maker *maker)
{
	struct exec_answer *a = maker->answer;
	a->results = mem_grow(a->results, &a->capacity, a->count + 1, sizeof *a->results);
	a->stores = mem_grow(a->stores, &a->store_capacity, a->count + 1, sizeof *a->stores);
	struct message *m = &a->results[a->count];
	*m = *maker->cause;
	if (maker->clears_exchange)
		m->exchange = (struct slice){0};
	return &a->stores[a->count++];
}

static struct message *last_result(struct maker *maker)
{
	return &maker->answer->results[maker->answer->count - 1];
}

static bool is_string(struct slice value)
{
	return value.len > 0 && value.ptr[0] == '"';
}

static bool unescape(struct slice value, struct buf *out, struct error *err)
{
	const struct slice inside = {value.ptr + 1, value.len - 2};
	buf_reserve(out, inside.len); /* also of an empty text */
	return skim_unescape(inside, out) ||
	       error_set(err, ERROR_DATA, "half of a surrogate pair is missing");
}

static bool add_text(struct maker *maker, struct slice value, struct error *err)
{
	struct buf *store = add_result(maker);
	if (!unescape(value, store, err))
		return false;
	last_result(maker)->body = buf_slice(store);
	maker->answer->bytes += store->len;
	return true;
}

/* What a record says about its body. */
enum body { BODY_NONE, BODY_TEXT, BODY_JSON };

static bool note_body(enum body *body, bool is_text, struct error *err)
{
	if (*body != BODY_NONE)
		return error_set(err, ERROR_DATA, "there are both body and body_base64");
	*body = is_text ? BODY_TEXT : BODY_JSON;
	return true;
}

/* Writes a record for record_read, which wants a body, and one that is text. */
static bool write_record(struct slice object, struct buf *line, enum body *body, struct error *err)
{
	struct skim_member member = {.rest = object};
	*body = BODY_NONE;
	buf_clear(line);
	buf_append_char(line, '{');
	while (skim_next(&member)) {
		bool is_body = slice_is(member.key, "body");
		bool is_text = !is_body || is_string(member.value);
		if (is_body || slice_is(member.key, "body_base64")) {
			if (slice_is(member.value, "null"))
				continue;
			if (!note_body(body, is_text, err))
				return false;
		}
		buf_append_str(line, line->len > 1 ? ",\"" : "\"");
		buf_append(line, member.key);
		buf_append_str(line, "\":");
		if (is_text)
			buf_append(line, member.value);
		else
			text_json(member.value, line);
	}
	if (*body == BODY_NONE)
		buf_append_str(line, line->len > 1 ? ",\"body\":\"\"" : "\"body\":\"\"");
	buf_append_char(line, '}');
	return true;
}

/* A body that became JSON says so, unless the answer says otherwise: who gives back what it got
 * means nothing by it. */
static void forget_same(struct message *named, const struct message *cause)
{
	const struct {
		unsigned bit;
		bool same;
	} rows[] = {
	    {MESSAGE_CONTENT_TYPE, slice_equal(named->content_type, cause->content_type)},
	    {MESSAGE_CONTENT_ENCODING,
		slice_equal(named->content_encoding, cause->content_encoding)},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].same && (cause->present & rows[i].bit) != 0)
			named->present &= ~rows[i].bit;
}

static bool add_record(struct maker *maker, struct slice object, struct error *err)
{
	enum body body;
	struct message named;
	struct buf *store = add_result(maker);
	struct message *m = last_result(maker);
	if (!write_record(object, &maker->line, &body, err) ||
	    !record_read(buf_slice(&maker->line), &named, store, err))
		return false;
	maker->answer->bytes += store->capacity;
	if (body == BODY_TEXT) /* which says nothing about its type */
		m->body = named.body;
	if (body == BODY_JSON) {
		result_set_body(m, named.body, false);
		forget_same(&named, maker->cause);
	}
	if (named.exchange.ptr != NULL && !slice_equal(named.exchange, maker->cause->exchange))
		m->exchange = named.exchange;
	return result_set_named(&named, maker->cause, m, err);
}

/* ---- answers ---- */

static bool not_an_answer(struct slice value, struct error *err)
{
	char *shown = text_quote(value);
	error_set(err, ERROR_DATA,
	    "'%s', and not a text, a record, true, a list of those, {\"retry\": ..} or "
	    "{\"reject\": ..}",
	    shown);
	free(shown);
	return false;
}

static bool add_value(struct maker *maker, struct slice value, struct error *err)
{
	if (maker->answer->count == EXEC_ANSWER_MAX_RESULTS)
		return error_set(err, ERROR_DATA, "more than %d results", EXEC_ANSWER_MAX_RESULTS);
	if (is_string(value))
		return add_text(maker, value, err);
	if (value.ptr[0] == '{')
		return add_record(maker, value, err);
	if (!slice_is(value, "true"))
		return not_an_answer(value, err);
	(void)add_result(maker); /* nothing of its own */
	return true;
}

static bool add_list(struct maker *maker, struct slice list, struct error *err)
{
	struct skim_item item = {.rest = list};
	for (size_t number = 1; skim_next_item(&item); number++)
		if (!add_value(maker, item.value, err))
			return error_context(err, "result %zu", number);
	return true;
}

/* {"retry": "reason"} and {"reject": "reason"}, alone; false for what is neither. */
static bool is_refusal(struct slice object, struct exec_answer *out, struct slice *reason)
{
	struct skim_member member = {.rest = object};
	if (!skim_next(&member))
		return false;
	bool retries = slice_is(member.key, "retry");
	if (!retries && !slice_is(member.key, "reject"))
		return false;
	out->kind = retries ? EXEC_ANSWER_RETRY : EXEC_ANSWER_REJECT;
	*reason = member.value;
	return !skim_next(&member);
}

static bool read_refusal(struct slice value, struct exec_answer *out, struct error *err)
{
	struct buf text = {0}, shown = {0};
	const char *name = out->kind == EXEC_ANSWER_RETRY ? "retry" : "reject";
	if (!is_string(value))
		return error_set(err, ERROR_DATA, "%s: the reason is not a text", name);
	bool good = unescape(value, &text, err);
	if (good)
		text_escape(buf_slice(&text), EXEC_ANSWER_MAX_REASON, &shown);
	if (good)
		out->reason = mem_strdup(shown.ptr != NULL ? shown.ptr : "");
	buf_release(&text);
	buf_release(&shown);
	return good || error_context(err, "%s", name);
}

static bool read_value(struct maker *maker, struct slice value, struct error *err)
{
	struct exec_answer *out = maker->answer;
	struct slice reason;
	if (value.ptr[0] == '{' && is_refusal(value, out, &reason))
		return read_refusal(reason, out, err);
	out->kind = EXEC_ANSWER_RESULTS;
	out->is_list = value.ptr[0] == '[';
	return out->is_list ? add_list(maker, value, err) : add_value(maker, value, err);
}

bool exec_answer_read(struct slice line, const struct message *cause, bool clears_exchange,
    struct exec_answer *out, struct error *err)
{
	struct maker maker = {.cause = cause, .clears_exchange = clears_exchange, .answer = out};
	struct slice value = slice_trim(line);
	if (!text_is_utf8(value) || !skim_is_json(value)) {
		char *shown = text_quote(value);
		error_set(err, ERROR_DATA, "'%s', which is no JSON", shown);
		free(shown);
		return false;
	}
	bool good = read_value(&maker, value, err);
	buf_release(&maker.line);
	return good;
}

void exec_answer_release(struct exec_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		buf_release(&answer->stores[i]);
	free(answer->stores);
	free(answer->results);
	free(answer->reason);
	*answer = (struct exec_answer){0};
}
