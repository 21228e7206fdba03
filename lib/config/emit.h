/* emit.h - JSON as YAML that document_load reads back to the same values. */
#ifndef CONFIG_EMIT_H
#define CONFIG_EMIT_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>

/*
 * Appends the object as a YAML mapping, its members in their order. Texts stand in quotes where
 * they would be taken for something else by YAML 1.1 or 1.2; `${` and `$$` in values are written so
 * that no variable is meant. Lists and mappings of a few plain values stand on one line; an empty
 * value is null. Safe on a terminal. Fails with ERROR_INTERNAL for texts that are not UTF-8.
 */
bool emit_yaml(const json_t *object, struct buf *out, struct error *err) MUST_CHECK;

#endif
