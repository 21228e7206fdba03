/*
 * mask.h - made-up data in the place of named fields of a message (mask_value.h says which data).
 *
 * A field is a dotted path into the JSON of a body, `customer.email`, where * is every item of an
 * array or every member of an object; what it names is masked whole, down to the last member. In a
 * structured CloudEvent it is a path into its data. `headers.NAME` is a header. All other bytes
 * stay as they are, and so do true, false and null.
 */
#ifndef FAKE_MASK_H
#define FAKE_MASK_H

#include "base/error.h"
#include "base/siphash.h"
#include "model/message.h"

#define MASK_MOST_FIELDS 64

struct mask;

/* ERROR_USAGE: a field that is no path, or too many. The names are borrowed. */
struct mask *mask_create(const char *const *fields, size_t count,
    const unsigned char key[SIPHASH_KEY_BYTES], struct error *err);
void mask_free(struct mask *mask); /* accepts NULL */

/* What is changed lives in *store, which is cleared first. ERROR_DATA: the body is no JSON, though
 * a field of it is named; a header that is named is of a type that nothing is made up for. */
bool mask_message(struct mask *mask, const struct message *m, struct message *out,
    struct buf *store, struct error *err) MUST_CHECK;

/* How many values of a field, by its place in `fields`, were masked so far. */
uint64_t mask_count(const struct mask *mask, size_t field);

/* Whether the last message had that field anywhere, of whatever type: one that has not went as it
 * was. */
bool mask_found(const struct mask *mask, size_t field);

#endif
