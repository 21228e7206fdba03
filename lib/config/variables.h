/* variables.h - ${VAR} in the text of a setting: from the environment, then from a .env file. */
#ifndef CONFIG_VARIABLES_H
#define CONFIG_VARIABLES_H

#include "base/buf.h"
#include "config/problems.h"

#include <jansson.h>

/* No text grows beyond this by what is put in. */
#define VARIABLES_MAX_BYTES (1u << 20)
/* How deep defaults may hold variables again: ${A:-${B:-x}} is 2. */
#define VARIABLES_MAX_DEPTH 16

/* Owned; `= {0}` knows the environment only. */
struct variables {
	json_t *file; /* name to text; NULL when there is no .env */
};

/*
 * Takes in a .env file: KEY=VALUE or export KEY=VALUE a line, '#' at the start of a line or after a
 * space is a comment, a value may stand in single or double quotes and is taken as it is: nothing
 * is evaluated. The last of two equal keys counts. False when problems were added.
 */
bool variables_read(
    struct variables *v, const char *source, struct slice text, struct problems *problems);

/*
 * Appends the text with ${VAR}, ${VAR:-default} (unset or empty), ${VAR-default} (unset),
 * ${VAR:?message} and $$ replaced; any other '$' is itself. What is put in is not looked at again.
 * Each variable that is missing or malformed becomes a problem at the given place, without a path;
 * then false, and what was appended means nothing.
 */
bool variables_expand(const struct variables *v, struct slice text, struct place place,
    struct buf *out, struct problems *problems);

void variables_release(struct variables *v);

#endif
