/* asyncapi_bindings.h - brokers, exchanges and queues in the words of AsyncAPI's AMQP bindings. */
#ifndef APP_ASYNCAPI_BINDINGS_H
#define APP_ASYNCAPI_BINDINGS_H

#include "app/settings.h"

/* Each to json_decref. Addresses come without user and password. */
json_t *asyncapi_bindings_servers(const struct settings *s);
json_t *asyncapi_bindings_exchange(const struct settings *s, const char *name);
json_t *asyncapi_bindings_queue(const struct settings *s, const struct topology_queue *q);
/* Of one that the topology does not have. */
json_t *asyncapi_bindings_unknown_queue(const struct settings *s, const char *name);

/* An address of a broker without user, password and parameters, to json_decref. */
json_t *asyncapi_bindings_address(const struct uri *uri);

/* What a binding says, taken, as the bindings of an operation or a message. */
json_t *asyncapi_bindings_amqp_take(json_t *binding);

#endif
