/* scalar.h - the text of a YAML scalar as a JSON value, by the core schema of YAML 1.2. */
#ifndef CONFIG_SCALAR_H
#define CONFIG_SCALAR_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>

/* What a scalar has to become. */
enum scalar_type {
	SCALAR_ANY, /* plain and without a tag: whatever its text looks like */
	SCALAR_TEXT,
	SCALAR_INTEGER,
	SCALAR_REAL,
	SCALAR_BOOLEAN,
	SCALAR_NULL,
};

/*
 * A new JSON value. As SCALAR_ANY, null ~ true false (each in three spellings), integers (also 0x
 * and 0o) and decimal numbers are what they look like, and everything else is a string: no, on,
 * 12:30, dates. The text must be UTF-8. NULL with ERROR_SETTINGS when it does not fit the type, for
 * integers beyond int64 and for numbers that are not finite.
 */
json_t *scalar_read(struct slice text, enum scalar_type type, struct error *err);

#endif
