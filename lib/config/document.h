/*
 * document.h - a YAML file as a JSON tree that remembers where each key and value stands.
 *
 * YAML 1.2 core schema for plain scalars (so `no`, `on` and 12:30 are strings); duplicate keys,
 * merge keys, alias cycles and bombs, a second document, tags other than the core ones and bytes
 * that are not UTF-8 are errors with a place. `${VAR}`, `${VAR:-default}`, `${VAR-default}`,
 * `${VAR:?message}` and `$$` are replaced in scalar values after parsing, never in the YAML text;
 * a plain scalar is typed after the replacement.
 */
#ifndef CONFIG_DOCUMENT_H
#define CONFIG_DOCUMENT_H

#include "base/error.h"
#include "config/problems.h"
#include "schema/schema.h"

#include <jansson.h>

#define DOCUMENT_MAX_BYTES (4u << 20)
#define DOCUMENT_MAX_DEPTH 100
#define DOCUMENT_MAX_NODES 500000

struct document;

/*
 * Reads a regular file or a pipe; "-" is standard input. An empty one is a mapping without keys.
 * Variables come from the environment, then from `.env` beside the file (KEY=VALUE lines, '#'
 * comments, optional quotes, nothing is evaluated), which is read only when it is needed. What is
 * wrong with the content goes to problems, as much of it as can be found, together with the text
 * (problems->text, for showing its lines), and fails with ERROR_SETTINGS; a missing or unreadable
 * file is ERROR_NO_INPUT. NULL on failure.
 */
struct document *document_load(const char *path, struct problems *problems, struct error *err);
/* The same for a text in memory, called `name` in problems; there is no .env then. */
struct document *document_parse(
    const char *name, struct slice text, struct problems *problems, struct error *err);
/* The same, with `${` as it stands: for documents of others, who are told nothing of ours. */
struct document *document_parse_plain(
    const char *name, struct slice text, struct problems *problems, struct error *err);
/* An empty document (a mapping without keys), for tools that run without a settings file. */
struct document *document_empty(void);
void document_free(struct document *doc);

/* The tree; borrowed until document_free. */
json_t *document_root(const struct document *doc);
/* The text of the file, for showing a line of it; borrowed. */
struct slice document_text(const struct document *doc);
const char *document_name(const struct document *doc);

/*
 * Applies `path=value` (`messages.order_placed.amount=100`, list items by number:
 * `bindings.0.queue=q`, keys with a dot in double quotes: `messages."order.placed".amount=5`). The
 * value is read as one YAML value, so 100 is a number and [a, b] a list; one that starts with '#'
 * is a text, and variables are not replaced: that is the shell's part. Missing mappings on the way
 * are made; a value that was there goes with all that stood below it. A problem in the new value is
 * later placed at `option`, such as "--set". ERROR_USAGE, and nothing changed, when it cannot be
 * applied.
 */
bool document_set(
    struct document *doc, const char *option, const char *assignment, struct error *err) MUST_CHECK;

/* Where the value at a JSON pointer stands, or its key; the nearest known ancestor otherwise. */
struct place document_place(const struct document *doc, const char *pointer);
struct place document_key_place(const struct document *doc, const char *pointer);

/* "/messages/order_placed/amount" -> "messages.order_placed.amount", escaped; to free(). */
char *document_path(const char *pointer);

/*
 * Validates against a schema and adds each finding with its place, its path, what was found, what
 * is accepted (from the schema's type, enum, pattern or x-accepts text), and for unknown keys and
 * words the nearest known one. An unknown key is placed at the key, a missing one at the key of the
 * mapping that lacks it. Returns true when nothing was added; err only for faults of the schema
 * itself.
 */
bool document_check(const struct document *doc, const struct schema *schema,
    struct problems *problems, struct error *err) MUST_CHECK;

#endif
