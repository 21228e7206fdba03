#include "config/options_private.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "config/problems.h"

#include <stdlib.h>

static bool assign_flag(const struct option *o, const char *text, void *member, struct error *err)
{
	static const char *const words[] = {"1", "true", "yes", "0", "false", "no"};
	(void)o; /* every flag takes the same words */
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(text, words[i]) == 0) {
			*(bool *)member = i < ARRAY_LEN(words) / 2;
			return true;
		}
	return error_set(err, ERROR_USAGE, "accepted: 1, true, yes, 0, false, no");
}

static bool assign_text(const struct option *o, const char *text, void *member, struct error *err)
{
	(void)o, (void)err; /* any text will do */
	*(const char **)member = text;
	return true;
}

static bool assign_list(const struct option *o, const char *text, void *member, struct error *err)
{
	(void)o, (void)err; /* any text will do */
	struct option_list *list = member;
	list->items = mem_grow(list->items, &list->capacity, list->count + 1, sizeof *list->items);
	list->items[list->count++] = text;
	return true;
}

static bool assign_choice(const struct option *o, const char *text, void *member, struct error *err)
{
	struct buf accepted = {0};
	for (int i = 0; o->choices[i] != NULL; i++) {
		if (strcmp(text, o->choices[i]) == 0) {
			*(int *)member = i;
			buf_release(&accepted);
			return true;
		}
		buf_printf(&accepted, "%s%s", i > 0 ? ", " : "", o->choices[i]);
	}
	error_set(err, ERROR_USAGE, "accepted: %s", accepted.ptr);
	buf_release(&accepted);
	return false;
}

static bool assign_count(const struct option *o, const char *text, void *member, struct error *err)
{
	return num_parse_u64(
	    slice_str(text), o->min, o->max > 0 ? o->max : UINT64_MAX, member, err);
}

static bool assign_duration(
    const struct option *o, const char *text, void *member, struct error *err)
{
	(void)o; /* durations have no bounds of their own */
	return num_parse_duration(slice_str(text), member, err);
}

static bool assign_rate(const struct option *o, const char *text, void *member, struct error *err)
{
	(void)o; /* rates have no bounds of their own */
	return num_parse_rate(slice_str(text), member, err);
}

static bool assign_size(const struct option *o, const char *text, void *member, struct error *err)
{
	(void)o; /* sizes have no bounds of their own */
	return num_parse_size(slice_str(text), member, err);
}

struct assigner {
	bool (*assign)(const struct option *o, const char *text, void *member, struct error *err);
	const char *separator; /* between the value and the reason it was refused */
};

static const struct assigner assigners[] = {
    [OPTION_FLAG] = {assign_flag, "; "},
    [OPTION_TEXT] = {assign_text, ": "},
    [OPTION_LIST] = {assign_list, ": "},
    [OPTION_CHOICE] = {assign_choice, "; "},
    [OPTION_COUNT] = {assign_count, ": "},
    [OPTION_DURATION] = {assign_duration, ": "},
    [OPTION_RATE] = {assign_rate, ": "},
    [OPTION_SIZE] = {assign_size, ": "},
};

bool options_value_assign(const struct option *o, const char *text, void *member, struct error *err)
{
	return assigners[o->type].assign(o, text, member, err);
}

const char *options_value_separator(const struct option *o)
{
	return assigners[o->type].separator;
}

/* "log-format" -> "WARREN_LOG_FORMAT" */
char *options_value_twin(const struct option *o)
{
	char *name = mem_printf("WARREN_%s", o->name);
	for (char *c = name; *c != '\0'; c++)
		*c = *c == '-' ? '_' : (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	return name;
}

bool options_value_is_hidden(const struct option *o)
{
	return o->argument != NULL && strcmp(o->argument, "URL") == 0;
}

char *options_value_quote(const char *text)
{
	char *masked = problems_mask(slice_str(text));
	char *quoted = text_quote(slice_str(masked));
	free(masked);
	return quoted;
}

char *options_value_show(const struct option *o, const char *text)
{
	if (options_value_is_hidden(o))
		return mem_strdup("a value that is not shown");
	char *quoted = options_value_quote(text);
	char *shown = mem_printf("'%s'", quoted);
	free(quoted);
	return shown;
}
