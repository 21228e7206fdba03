/* asyncapi_spec.h - a JSON Schema as the generators of a message. */
#ifndef APP_ASYNCAPI_SPEC_H
#define APP_ASYNCAPI_SPEC_H

#include <jansson.h>

/*
 * {"fields": {..}} by types, formats, lengths and ranges, to json_decref; NULL when the schema is
 * of no object with members, or asks for what cannot be made up. `needed`: {name: true}, members
 * that are always there, or NULL. Whether they fulfil the schema is for the caller to try.
 */
json_t *asyncapi_spec_fields(const json_t *schema, const json_t *needed);

#endif
