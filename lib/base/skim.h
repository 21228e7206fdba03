/*
 * skim.h - steps over JSON text (RFC 8259) where it lies: no tree, no allocation.
 *
 * The text must be UTF-8 (text_is_utf8). What is taken borrows from it, byte for byte: numbers keep
 * their digits, strings their escapes.
 */
#ifndef BASE_SKIM_H
#define BASE_SKIM_H

#include "base/buf.h"

#define SKIM_MAX_DEPTH 512 /* of arrays and objects; deeper text counts as damaged */

/* True when the text is one JSON value of any kind, perhaps with spaces around it. */
bool skim_is_json(struct slice text);

/*
 * The members of an object, one a call: `= {.rest = text}` to begin. key is what stands between the
 * quotes, value begins and ends with itself. False at the end, or at damage, which is_damaged then
 * tells: also of a text that is no object, or has something behind it.
 */
struct skim_member {
	struct slice rest;
	struct slice key; /* ptr NULL before the first */
	struct slice value;
	bool is_damaged;
};
bool skim_next(struct skim_member *member);

/* The items of an array, likewise. */
struct skim_item {
	struct slice rest;
	struct slice value; /* ptr NULL before the first */
	bool is_damaged;
};
bool skim_next_item(struct skim_item *item);

/* Appends a string that was skimmed, without its quotes, with its escapes resolved: never longer
 * than it was. False, with nothing appended, when half of a surrogate pair is missing. */
bool skim_unescape(struct slice string, struct buf *out);

#endif
