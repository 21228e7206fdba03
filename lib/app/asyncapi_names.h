/* asyncapi_names.h - names of the settings as keys, references and addresses of AsyncAPI. */
#ifndef APP_ASYNCAPI_NAMES_H
#define APP_ASYNCAPI_NAMES_H

#include <jansson.h>

/* A key that a $ref can name as it is, and that `in` does not have yet. To free(). */
char *asyncapi_names_id(const json_t *in, const char *prefix, const char *name);

/* {"$ref": "#/to/id"}, to json_decref. */
json_t *asyncapi_names_refer(const char *to, const char *id);

/*
 * "order.{{kind}}" as "order.{kind}", to json_decref, and the names in it as parameters, which
 * stand in the payload behind `way` ("data/"); NULL, and no parameters, when that says something
 * else.
 */
json_t *asyncapi_names_address(const char *key, const char *way, json_t *parameters);

#endif
