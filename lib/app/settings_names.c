/* What the settings have by name. */
#include "app/settings.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

bool settings_lack(const char *what, const char *name, const char *const *known,
    const char *otherwise, struct error *err)
{
	const char *near = text_suggest(slice_str(name), known);
	char *shown = text_quote(slice_str(name));
	if (near != NULL)
		error_set(err, ERROR_USAGE, "the settings have no %s '%s'; did you mean '%s'?",
		    what, shown, near);
	else
		error_set(err, ERROR_USAGE, "the settings have no %s '%s'%s%s", what, shown,
		    otherwise != NULL ? "; " : "", otherwise != NULL ? otherwise : "");
	free(shown);
	return false;
}

const struct settings_message *settings_find_message(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->message_count; i++)
		if (strcmp(s->messages[i].name, name) == 0)
			return &s->messages[i];
	return NULL;
}

const struct settings_message *settings_need_message(
    const struct settings *s, const char *name, struct error *err)
{
	const struct settings_message *found = settings_find_message(s, name);
	if (found != NULL)
		return found;
	const char **names = mem_alloc(s->message_count + 1, sizeof *names);
	for (size_t i = 0; i < s->message_count; i++)
		names[i] = s->messages[i].name;
	settings_lack("message", name, names, NULL, err);
	free(names);
	return NULL;
}
