/* options_private.h - one value of the command line, from a text into the member that it is for. */
#ifndef CONFIG_OPTIONS_PRIVATE_H
#define CONFIG_OPTIONS_PRIVATE_H

#include "config/options.h"

/* Fails with ERROR_USAGE and what is accepted; the member is as before then. A list grows. */
bool options_value_assign(
    const struct option *o, const char *text, void *member, struct error *err) MUST_CHECK;
/* What stands between a value and the reason why it was refused: ": " or "; ". */
const char *options_value_separator(const struct option *o);

/* The name of an option's variable, "WARREN_LOG_FORMAT"; to free(). */
char *options_value_twin(const struct option *o);

/* Whether a value may hold a password. */
bool options_value_is_hidden(const struct option *o);
/* As text_quote, with the password of a URL masked; to free(). */
char *options_value_quote(const char *text);
/* The value in quotes for an error, unless it may hold a password; to free(). */
char *options_value_show(const struct option *o, const char *text);

#endif
