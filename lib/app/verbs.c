#include "app/verbs.h"

#include <string.h>

/* Whether a verb is one of "list, stats, export". */
static bool is_among(const char *verb, const char *list)
{
	size_t len = strlen(verb);
	for (const char *at = list; (at = strstr(at, verb)) != NULL; at++)
		if ((at == list || at[-1] == ' ') && (at[len] == ',' || at[len] == '\0'))
			return true;
	return false;
}

bool verbs_check(
    const char *verb, const struct verbs_option *options, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++)
		if (options[i].given && !is_among(verb, options[i].with))
			return error_set(err, ERROR_USAGE,
			    "%s does not go with %s; it goes with %s", options[i].name, verb,
			    options[i].with);
	return true;
}
