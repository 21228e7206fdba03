#include "fake/pattern_body.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

static void make_prefixes(struct pattern_body *b, const struct pattern_fields *fields)
{
	b->prefixes = mem_alloc(fields->count, sizeof *b->prefixes);
	for (size_t i = 0; i < fields->count; i++) {
		size_t from = b->prefix_text.len;
		buf_append_char(&b->prefix_text, ',');
		text_json(slice_str(fields->names[i]), &b->prefix_text);
		buf_append_char(&b->prefix_text, ':');
		b->prefixes[i].len = b->prefix_text.len - from;
	}
	const char *at = b->prefix_text.ptr;
	for (size_t i = 0; i < fields->count; at += b->prefixes[i++].len)
		b->prefixes[i].ptr = at;
}

static bool read_broken(struct pattern_body *b, const json_t *spec, struct report *report)
{
	struct report_path here = {NULL, "broken", 0};
	const json_t *json = json_object_get(spec, "broken");
	return json == NULL || report_read_share(report, &here, json, &b->broken);
}

bool pattern_body_create(struct pattern_body *b, const json_t *spec, const char *directory,
    const struct pattern_fields *fields, struct generator_scope *scope)
{
	struct report_path body_at = {NULL, "body", 0}, files_at = {NULL, "files", 0};
	const json_t *body = json_object_get(spec, "body");
	const json_t *files = json_object_get(spec, "files");
	bool good = read_broken(b, spec, scope->report);
	if (body != NULL && files != NULL)
		return report_add(scope->report, &files_at, "give either body or files, not both");
	if (files != NULL) {
		b->kind = PATTERN_BODY_FILES;
		return pattern_samples_read(
			   &b->samples, files, directory, &files_at, scope->report) &&
		       good;
	}
	if (body == NULL) {
		make_prefixes(b, fields);
		return good;
	}
	if (!json_is_string(body))
		return report_kind(scope->report, &body_at, "a text, with {{field}} in it", body);
	b->kind = PATTERN_BODY_TEMPLATE;
	struct slice text = {json_string_value(body), json_string_length(body)};
	b->template = generator_from_template(text, &body_at, scope);
	return good && b->template != NULL;
}

/* What is wrong with a broken body. */
enum defect {
	DEFECT_TRUNCATED,
	DEFECT_NOT_UTF8,
	DEFECT_EMPTY,
	DEFECT_GARBAGE,
	DEFECT_MISSING_FIELD, /* this and the next need fields */
	DEFECT_WRONG_TYPE,
	DEFECT_COUNT,
	DEFECT_NONE = DEFECT_COUNT,
};

static struct slice defect_name(enum defect defect)
{
	static const char *const names[] = {
	    [DEFECT_TRUNCATED] = "truncated",
	    [DEFECT_NOT_UTF8] = "not-utf8",
	    [DEFECT_EMPTY] = "empty",
	    [DEFECT_GARBAGE] = "garbage",
	    [DEFECT_MISSING_FIELD] = "missing-field",
	    [DEFECT_WRONG_TYPE] = "wrong-type",
	    [DEFECT_NONE] = "",
	};
	return slice_str(names[defect]);
}

static void append_wrong_type(enum value_kind kind, struct slice text, struct buf *out)
{
	if (kind == VALUE_TEXT)
		buf_append_str(out, "12345");
	else if (kind == VALUE_NULL)
		buf_append_str(out, "[]");
	else if (kind == VALUE_JSON)
		buf_append_str(out, "true");
	else
		text_json(text, out);
}

/* The fields as a JSON object, without field `left_out` and with the wrong type for field `wrong`.
 */
static void append_object(struct pattern_body *b, const struct pattern_fields *fields,
    const struct generator_context *x, size_t left_out, size_t wrong)
{
	buf_append_char(&b->text, '{');
	size_t first = b->text.len;
	for (size_t i = 0; i < fields->count; i++) {
		struct generator_span span = x->fields[i];
		if (span.kind == VALUE_ABSENT || i == left_out)
			continue;
		bool is_first = b->text.len == first;
		struct slice prefix = b->prefixes[i];
		struct slice value = {x->arena.ptr + span.at, span.len};
		buf_append(&b->text, slice_from(prefix, is_first));
		if (i == wrong)
			append_wrong_type(span.kind, value, &b->text);
		else
			value_write_json(span.kind, value, &b->text);
	}
	buf_append_char(&b->text, '}');
}

/* One of the fields that are there; SIZE_MAX when there is none. */
static size_t pick_field(const struct pattern_fields *fields, const struct generator_context *x)
{
	size_t present = 0;
	for (size_t i = 0; i < fields->count; i++)
		present += x->fields[i].kind != VALUE_ABSENT;
	if (present == 0)
		return SIZE_MAX;
	uint64_t nth = rng_below(x->rng, present);
	for (size_t i = 0;; i++)
		if (x->fields[i].kind != VALUE_ABSENT && nth-- == 0)
			return i;
}

static void spoil_bytes(enum defect defect, struct rng *r, struct buf *text)
{
	size_t at;
	switch (defect) {
	case DEFECT_TRUNCATED:
		text->len = 1 + (size_t)rng_below(r, text->len - 1);
		break;
	case DEFECT_NOT_UTF8: /* 0xff stands nowhere in UTF-8 */
		at = (size_t)rng_below(r, text->len + 1);
		(void)buf_reserve(text, 2);
		memmove(text->ptr + at + 2, text->ptr + at, text->len - at);
		memcpy(text->ptr + at, "\xff\xfe", 2);
		text->len += 2;
		break;
	case DEFECT_EMPTY:
		text->len = 0;
		break;
	case DEFECT_GARBAGE:
		buf_append_str(text, "]} trailing garbage");
		break;
	default:
		break;
	}
}

/* The defect to try, changed to one that makes a difference to a body this short. */
static enum defect pick_defect(
    const struct pattern_body *b, struct rng *r, size_t body_len, bool has_fields)
{
	bool knows_fields = b->kind == PATTERN_BODY_OBJECT && has_fields;
	enum defect defect =
	    (enum defect)rng_below(r, knows_fields ? DEFECT_COUNT : DEFECT_MISSING_FIELD);
	bool has_no_effect = (defect == DEFECT_TRUNCATED && body_len < 2) ||
			     (defect == DEFECT_EMPTY && body_len == 0);
	return has_no_effect ? DEFECT_GARBAGE : defect;
}

static struct slice spoil(struct pattern_body *b, const struct pattern_fields *fields,
    struct generator_context *x, struct slice good)
{
	size_t field = pick_field(fields, x);
	enum defect defect = pick_defect(b, x->rng, good.len, field != SIZE_MAX);
	if (b->kind == PATTERN_BODY_FILES) {
		buf_clear(&b->text);
		buf_append(&b->text, good);
	}
	if (defect == DEFECT_MISSING_FIELD || defect == DEFECT_WRONG_TYPE) {
		bool is_missing = defect == DEFECT_MISSING_FIELD;
		buf_clear(&b->text);
		append_object(
		    b, fields, x, is_missing ? field : SIZE_MAX, is_missing ? SIZE_MAX : field);
	} else {
		spoil_bytes(defect, x->rng, &b->text);
	}
	return defect_name(defect);
}

void pattern_body_render(struct pattern_body *b, const struct pattern_fields *fields,
    struct generator_context *x, struct slice *body, struct slice *content_type,
    struct slice *broken)
{
	buf_clear(&b->text);
	if (b->kind == PATTERN_BODY_FILES) {
		const struct pattern_sample *sample =
		    &b->samples.items[x->sequence % b->samples.count];
		*body = buf_slice(&sample->body);
		*content_type = sample->content_type;
	} else if (b->kind == PATTERN_BODY_TEMPLATE) {
		(void)generator_render(b->template, x, &b->text); /* always text */
		*content_type = SLICE("text/plain");
	} else {
		append_object(b, fields, x, SIZE_MAX, SIZE_MAX);
		*content_type = SLICE("application/json");
	}
	if (b->kind != PATTERN_BODY_FILES)
		*body = buf_slice(&b->text);
	*broken = SLICE("");
	if (b->broken > 0 && rng_unit(x->rng) < b->broken) {
		*broken = spoil(b, fields, x, *body);
		*body = buf_slice(&b->text);
	}
}

void pattern_body_release(struct pattern_body *b)
{
	free(b->prefixes);
	buf_release(&b->prefix_text);
	generator_free(b->template);
	pattern_samples_release(&b->samples);
	buf_release(&b->text);
	*b = (struct pattern_body){0};
}
