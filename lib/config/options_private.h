/* options_private.h - one value of the command line, from a text into the member that it is for. */
#ifndef CONFIG_OPTIONS_PRIVATE_H
#define CONFIG_OPTIONS_PRIVATE_H

#include "config/options.h"

/* Fails with ERROR_USAGE and what is accepted; the member is as before then. A list grows. */
bool options_value_assign(
    const struct option *o, const char *text, void *member, struct error *err) MUST_CHECK;
/* What stands between a value and the reason why it was refused: ": " or "; ". */
const char *options_value_separator(const struct option *o);

#endif
