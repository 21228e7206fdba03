/* asyncapi_payload.h - the payload of an AsyncAPI message as a JSON Schema that stands alone. */
#ifndef APP_ASYNCAPI_PAYLOAD_H
#define APP_ASYNCAPI_PAYLOAD_H

#include "app/asyncapi_reader.h"

/*
 * A copy of the schema, with what it refers to in the document under its $defs; a schema object of
 * AsyncAPI is one of draft 7. To json_decref. NULL when there is none; and with a note when it is
 * of another language, or cannot be used.
 */
json_t *asyncapi_payload_read(struct asyncapi_reader *r, struct asyncapi_node payload);

#endif
