#include "bench/perftest_private.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "config/problems.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* As they are printed; what is usual here is not repeated on the command line. */
const struct perftest_setting perftest_settings[] = {
    {"url", PERFTEST_BROKER_LIST, ""},
    {"heartbeat", PERFTEST_BROKER, ""},
    {"reconnect", PERFTEST_BROKER, ""},
    {"wait", PERFTEST_COMMAND_LINE, ""},
    {"producers", PERFTEST_PLAIN, "1"},
    {"consumers", PERFTEST_PLAIN, "1"},
    {"producer-channels", PERFTEST_PLAIN, "1"},
    {"consumer-channels", PERFTEST_PLAIN, "1"},
    {"exchange", PERFTEST_STRING, ""},
    {"type", PERFTEST_STRING, "direct"},
    {"queue", PERFTEST_LIST, ""},
    {"queue-pattern", PERFTEST_STRING, "perf-%d"},
    {"queue-pattern-from", PERFTEST_PLAIN, ""},
    {"queue-pattern-to", PERFTEST_PLAIN, ""},
    {"queue-type", PERFTEST_STRING, ""},
    {"queue-argument", PERFTEST_LIST, ""},
    {"durable", PERFTEST_SWITCH, "true"},
    {"auto-delete", PERFTEST_SWITCH, "true"},
    {"exclusive", PERFTEST_SWITCH, "false"},
    {"predeclared", PERFTEST_SWITCH, "false"},
    {"routing-key", PERFTEST_STRING, ""},
    {"random-routing-key", PERFTEST_SWITCH, "false"},
    {"rate", PERFTEST_PLAIN, ""},
    {"schedule", PERFTEST_LIST, ""},
    {"publishing-interval", PERFTEST_PLAIN, ""},
    {"random-start", PERFTEST_PLAIN, ""},
    {"size", PERFTEST_PLAIN, "256"},
    {"size-schedule", PERFTEST_LIST, ""},
    {"body", PERFTEST_LIST, ""},
    {"content-type", PERFTEST_STRING, ""},
    {"flag", PERFTEST_LIST, ""},
    {"property", PERFTEST_LIST, ""},
    {"stamp", PERFTEST_PLAIN, "body"},
    {"clock", PERFTEST_PLAIN, "monotonic"},
    {"confirm", PERFTEST_PLAIN, "1000"},
    {"confirm-timeout", PERFTEST_PLAIN, "30s"},
    {"autoack", PERFTEST_SWITCH, "false"},
    {"multi-ack-every", PERFTEST_PLAIN, ""},
    {"prefetch", PERFTEST_PLAIN, "1000"},
    {"consumer-rate", PERFTEST_PLAIN, ""},
    {"consumer-latency", PERFTEST_PLAIN, ""},
    {"latency-schedule", PERFTEST_LIST, ""},
    {"nack", PERFTEST_SWITCH, "false"},
    {"requeue", PERFTEST_SWITCH, "false"},
    {"polling", PERFTEST_SWITCH, "false"},
    {"polling-interval", PERFTEST_PLAIN, ""},
    {"consumer-argument", PERFTEST_LIST, ""},
    {"offset", PERFTEST_PLAIN, ""},
    {"consumer-start-delay", PERFTEST_PLAIN, ""},
    {"slow-start", PERFTEST_SWITCH, "false"},
    {"time", PERFTEST_PLAIN, ""},
    {"pmessages", PERFTEST_PLAIN, ""},
    {"cmessages", PERFTEST_PLAIN, ""},
    {"exit-when", PERFTEST_PLAIN, "never"},
    {"interval", PERFTEST_PLAIN, "1s"},
    {"format", PERFTEST_PLAIN, "table"},
    {"csv", PERFTEST_STRING, ""},
    {"metrics", PERFTEST_PLAIN, ""},
};

const size_t perftest_setting_count = ARRAY_LEN(perftest_settings);

void perftest_result_init(struct perftest_result *r, const struct perftest_command *c)
{
	*r = (struct perftest_result){.command = c,
	    .values = mem_alloc(perftest_setting_count, sizeof(struct perftest_value))};
}

static void clear(struct perftest_value *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->items[i]);
	free(v->items);
	*v = (struct perftest_value){0};
}

void perftest_result_release(struct perftest_result *r)
{
	for (size_t i = 0; r->values != NULL && i < perftest_setting_count; i++)
		clear(&r->values[i]);
	for (size_t i = 0; i < r->note_count; i++)
		free(r->notes[i]);
	free(r->values);
	free(r->notes);
	*r = (struct perftest_result){0};
}

struct perftest_value *perftest_value(const struct perftest_result *r, const char *name)
{
	size_t i = 0;
	while (strcmp(perftest_settings[i].name, name) != 0) {
		i++;
		assert(i < perftest_setting_count);
	}
	return &r->values[i];
}

bool perftest_is_set(const struct perftest_result *r, const char *name)
{
	return perftest_value(r, name)->count > 0;
}

const char *perftest_get(const struct perftest_result *r, const char *name, const char *otherwise)
{
	const struct perftest_value *v = perftest_value(r, name);
	return v->count > 0 ? v->items[0] : otherwise;
}

uint64_t perftest_get_count(const struct perftest_result *r, const char *name, uint64_t otherwise)
{
	const char *text = perftest_get(r, name, NULL);
	struct error unused = {0};
	uint64_t number = otherwise;
	bool good = text == NULL || num_parse_u64(slice_str(text), 0, UINT64_MAX, &number, &unused);
	assert(good);
	return good ? number : otherwise;
}

void perftest_add(struct perftest_result *r, const char *name, const char *item)
{
	struct perftest_value *v = perftest_value(r, name);
	v->items = mem_grow(v->items, &v->capacity, v->count + 1, sizeof *v->items);
	v->items[v->count++] = mem_strdup(item);
}

void perftest_add_once(struct perftest_result *r, const char *name, const char *item)
{
	const struct perftest_value *v = perftest_value(r, name);
	for (size_t i = 0; i < v->count; i++)
		if (strcmp(v->items[i], item) == 0)
			return;
	perftest_add(r, name, item);
}

void perftest_set(
    struct perftest_result *r, const char *name, const char *text, const char *comment)
{
	perftest_unset(r, name);
	perftest_add(r, name, text);
	perftest_value(r, name)->comment = comment;
}

void perftest_unset(struct perftest_result *r, const char *name)
{
	clear(perftest_value(r, name));
}

void perftest_unput(struct perftest_result *r, const char *name, const char *key)
{
	struct perftest_value *v = perftest_value(r, name);
	size_t kept = 0, len = strlen(key);
	for (size_t i = 0; i < v->count; i++)
		if (strncmp(v->items[i], key, len) == 0 && v->items[i][len] == '=')
			free(v->items[i]);
		else
			v->items[kept++] = v->items[i];
	v->count = kept;
}

void perftest_put(struct perftest_result *r, const char *name, const char *key, const char *value)
{
	perftest_unput(r, name, key);
	char *item = mem_printf("%s=%s", key, value);
	perftest_add(r, name, item);
	free(item);
}

/* ---- comments ---- */

static void add_note(struct perftest_result *r, struct slice text)
{
	struct buf shown = {0};
	text_escape(text, SIZE_MAX, &shown);
	r->notes = mem_grow(r->notes, &r->note_capacity, r->note_count + 1, sizeof *r->notes);
	r->notes[r->note_count++] = buf_take(&shown);
}

void perftest_note(
    struct perftest_result *r, const struct perftest_given *given, const char *reason)
{
	struct buf text = {0};
	buf_printf(&text, "not carried over: --%s", given->row->name);
	for (size_t i = 0; i < given->count; i++) {
		char *masked = problems_mask(slice_str(given->values[i]));
		buf_append_char(&text, ' ');
		if (given->row->is_secret)
			buf_append_str(&text, "***");
		else
			words_quote(slice_str(masked), &text);
		free(masked);
	}
	buf_printf(&text, " (%s)", reason);
	add_note(r, buf_slice(&text));
	buf_release(&text);
}

void perftest_remark(struct perftest_result *r, const char *fmt, ...)
{
	char text[ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	add_note(r, slice_str(text));
}
