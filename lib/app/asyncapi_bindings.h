/* asyncapi_bindings.h - brokers, exchanges and queues in the words of AsyncAPI's AMQP bindings. */
#ifndef APP_ASYNCAPI_BINDINGS_H
#define APP_ASYNCAPI_BINDINGS_H

#include "app/settings.h"

/* Each to json_decref. Addresses come without user and password. */
json_t *asyncapi_bindings_servers(const struct settings *s);
json_t *asyncapi_bindings_exchange(const struct settings *s, const char *name);
json_t *asyncapi_bindings_queue(const struct settings *s, const struct topology_queue *q);

/* What a binding says, taken, as the bindings of an operation or a message. */
json_t *asyncapi_bindings_amqp_take(json_t *binding);

#endif
