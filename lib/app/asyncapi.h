/*
 * asyncapi.h - the settings as an AsyncAPI 3.0 document.
 *
 * https://www.asyncapi.com/docs/reference/specification/v3.0.0 and the AMQP bindings 0.3.0. The
 * point of view is that of the tools: the producer sends each message to an exchange, relays,
 * responders and workflows receive and send what the settings say, and the consumer receives from
 * each queue that is left. What the specification has no place for stands in members x-warren-*.
 */
#ifndef APP_ASYNCAPI_H
#define APP_ASYNCAPI_H

#include "app/settings.h"

/* To json_decref. Addresses come without user and password. Renders a few messages of each kind,
 * always the same ones: as examples, and to see which queues get them. is_live: the
 * topology of the settings is that of a broker, of which they say nothing more. */
json_t *asyncapi_document(const struct settings *s, const char *title, bool is_live);

#endif
