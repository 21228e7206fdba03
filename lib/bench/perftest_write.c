#include "bench/perftest_private.h"

#include "base/text.h"
#include "config/problems.h"
#include "config/scalar.h"

#include <ctype.h>
#include <stdlib.h>

/* ---- YAML ---- */

/* Whether a plain scalar of YAML holds it, in a flow list as well, and reads it back as a text. */
static bool is_plain(struct slice text)
{
	struct error unused = {0};
	bool is_simple =
	    text.len > 0 && text.ptr[text.len - 1] != ':' &&
	    (isalnum((unsigned char)text.ptr[0]) || strchr("_./", text.ptr[0]) != NULL);
	for (size_t i = 0; is_simple && i < text.len; i++)
		is_simple = isalnum((unsigned char)text.ptr[i]) ||
			    (text.ptr[i] != '\0' && strchr("_./%+@:=-", text.ptr[i]) != NULL);
	json_t *read = is_simple ? scalar_read(text, SCALAR_ANY, &unused) : NULL;
	bool plain = json_is_string(read);
	json_decref(read);
	return plain;
}

/* In quotes where YAML needs them; ${ and $$ doubled, for settings replace variables. */
static void write_scalar(struct slice text, struct buf *out)
{
	struct buf doubled = {0};
	for (size_t i = 0; i < text.len; i++) {
		char next = i + 1 < text.len ? text.ptr[i + 1] : '\0';
		if (text.ptr[i] == '$' && (next == '$' || next == '{'))
			buf_append_char(&doubled, '$');
		buf_append_char(&doubled, text.ptr[i]);
	}
	if (is_plain(text))
		buf_append(out, text);
	else
		text_json(buf_slice(&doubled), out);
	buf_release(&doubled);
}

static bool is_broker(const struct perftest_setting *setting)
{
	return setting->shape == PERFTEST_BROKER || setting->shape == PERFTEST_BROKER_LIST;
}

static void write_items(
    const struct perftest_setting *setting, const struct perftest_value *v, struct buf *out)
{
	bool is_list = setting->shape == PERFTEST_LIST ||
		       (setting->shape == PERFTEST_BROKER_LIST && v->count > 1);
	bool is_text =
	    is_list || setting->shape == PERFTEST_STRING || setting->shape == PERFTEST_BROKER_LIST;
	buf_append_str(out, is_list ? "[" : "");
	for (size_t i = 0; i < v->count; i++) {
		buf_append_str(out, i > 0 ? ", " : "");
		if (is_text)
			write_scalar(slice_str(v->items[i]), out);
		else
			buf_append_str(out, v->items[i]);
	}
	buf_append_str(out, is_list ? "]" : "");
}

static void write_setting(
    const struct perftest_setting *setting, const struct perftest_value *v, struct buf *out)
{
	buf_printf(out, "  %s: ", setting->name);
	write_items(setting, v, out);
	if (v->comment != NULL)
		buf_printf(out, "  # %s", v->comment);
	buf_append_char(out, '\n');
}

/* Never empty for `bench`: PerfTest's exchange is always named. */
static void write_section(
    const struct perftest_result *r, const char *name, bool of_broker, struct buf *out)
{
	bool is_open = false;
	for (size_t i = 0; i < perftest_setting_count; i++) {
		const struct perftest_setting *setting = &perftest_settings[i];
		if (r->values[i].count == 0 || setting->shape == PERFTEST_COMMAND_LINE ||
		    is_broker(setting) != of_broker)
			continue;
		if (!is_open)
			buf_printf(out, "%s:\n", name);
		is_open = true;
		write_setting(setting, &r->values[i], out);
	}
}

/* ---- comments ---- */

static void append_shown(struct slice text, struct buf *line)
{
	char *masked = problems_mask(text);
	words_quote(slice_str(masked), line);
	free(masked);
}

/* How much of a word stands before a value that nobody should see; SIZE_MAX without one. */
static size_t find_secret(const struct perftest_command *c, const char *word)
{
	const char *end = word + strlen(word);
	for (size_t i = 0; i < c->given_count; i++)
		for (size_t n = 0; c->given[i].row->is_secret && n < c->given[i].count; n++) {
			const char *value = c->given[i].values[n];
			if (value >= word && value <= end)
				return (size_t)(value - word);
		}
	return SIZE_MAX;
}

static void write_origin(const struct perftest_command *c, struct buf *out)
{
	struct buf line = {0};
	for (size_t i = 0; i < c->words.count; i++) {
		const char *word = c->words.items[i].text;
		size_t before = find_secret(c, word);
		buf_append_char(&line, ' ');
		if (before == SIZE_MAX)
			append_shown(slice_str(word), &line);
		else
			buf_printf(&line, "%.*s***", (int)before, word);
	}
	buf_append_str(out, "# From PerfTest:");
	text_escape(buf_slice(&line), SIZE_MAX, out);
	buf_append_str(out, "\n");
	buf_release(&line);
}

static void append_option(const char *name, const char *value, struct buf *line)
{
	buf_printf(line, value[0] == '-' ? " --%s=" : " --%s ", name);
	append_shown(slice_str(value), line);
}

static void append_broker(
    const struct perftest_setting *setting, const struct perftest_value *v, struct buf *line)
{
	struct buf assignment = {0};
	if (setting->shape == PERFTEST_BROKER_LIST && v->count == 1) {
		append_option(setting->name, v->items[0], line);
		return;
	}
	buf_printf(&assignment, "broker.%s=", setting->name);
	write_items(setting, v, &assignment);
	append_option("set", assignment.ptr, line);
	buf_release(&assignment);
}

static void append_setting(
    const struct perftest_setting *setting, const struct perftest_value *v, struct buf *line)
{
	if (setting->shape != PERFTEST_LIST && strcmp(v->items[0], setting->usual) == 0)
		return;
	if (setting->shape == PERFTEST_SWITCH)
		buf_printf(
		    line, " --%s%s", strcmp(v->items[0], "true") == 0 ? "" : "no-", setting->name);
	else if (is_broker(setting))
		append_broker(setting, v, line);
	else
		for (size_t n = 0; n < v->count; n++)
			append_option(setting->name, v->items[n], line);
}

static void write_command(const struct perftest_result *r, struct buf *out)
{
	struct buf line = {0};
	buf_append_str(&line, "bench");
	for (size_t i = 0; i < perftest_setting_count; i++)
		if (r->values[i].count > 0)
			append_setting(&perftest_settings[i], &r->values[i], &line);
	buf_append_str(out, "# ");
	text_escape(buf_slice(&line), SIZE_MAX, out);
	buf_append_char(out, '\n');
	buf_release(&line);
}

void perftest_write(const struct perftest_result *r, struct buf *out)
{
	write_origin(r->command, out);
	write_section(r, "broker", true, out);
	write_section(r, "bench", false, out);
	for (size_t i = 0; i < r->note_count; i++)
		buf_printf(out, "# %s\n", r->notes[i]);
	write_command(r, out);
}
