/* asyncapi_fields.h - what a message of the settings has to hold to fulfil a JSON Schema. */
#ifndef APP_ASYNCAPI_FIELDS_H
#define APP_ASYNCAPI_FIELDS_H

#include "base/buf.h"

#include <jansson.h>

/*
 * `fields`, or a `body`, as members of an object, to json_decref. What is made is tried: first
 * generators by the types, formats and ranges of the schema, then the examples (a list of bodies,
 * or NULL) as they are. `needed`: {name: true}, members that are always there. When nothing
 * fulfils the schema, the generators come with what is wrong in why, escaped; NULL when there are
 * none either.
 */
json_t *asyncapi_fields_make(
    const json_t *schema, const json_t *examples, const json_t *needed, struct buf *why);

#endif
