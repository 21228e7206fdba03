/*
 * definitions.h - RabbitMQ's definitions, as its HTTP API and a definitions.json have them.
 *
 * https://www.rabbitmq.com/docs/definitions and /docs/http-api-reference. What the settings do not
 * have (policies, users, ...) is passed over here.
 */
#ifndef MODEL_DEFINITIONS_H
#define MODEL_DEFINITIONS_H

#include "base/error.h"
#include "model/topology.h"

#include <jansson.h>

/*
 * Reads the members `exchanges`, `queues` and `bindings` of an object, each a list, in the order
 * they have there. With a vhost, objects of another one are passed over; those that name none
 * belong to it. Exchanges that the broker makes itself (amq.*) come only where
 * topology_find_exchange would not find them, with declared: false; bindings of the default
 * exchange do not come. Fails with ERROR_DATA, which names the place, when a member has not the
 * form it should; *out is then empty.
 */
bool definitions_read(const json_t *definitions, const char *vhost, struct topology *out,
    struct error *err) MUST_CHECK;

#endif
