/* asyncapi_schemas.h - contracts of the settings as schemas of AsyncAPI. */
#ifndef APP_ASYNCAPI_SCHEMAS_H
#define APP_ASYNCAPI_SCHEMAS_H

#include "app/settings.h"

/* The `contract` of what the settings say of something, in one piece, with an $id, within which its
 * references stay; to json_decref. NULL when it has none. */
json_t *asyncapi_schemas_contract(const struct settings *s, const json_t *spec);

/* A schema that is none of AsyncAPI's own, taken: a multi format schema object. */
json_t *asyncapi_schemas_foreign_take(json_t *schema);

#endif
