/* asyncapi_relays.h - the relays of the settings: what each takes, and what it publishes. */
#ifndef APP_ASYNCAPI_RELAYS_H
#define APP_ASYNCAPI_RELAYS_H

#include "app/asyncapi_draft.h"

/* An operation `receive` for each queue that a relay takes from, `send` for its exchange, and one
 * for each handler that publishes elsewhere. What is another broker's, a file's or a store's has
 * none. */
void asyncapi_relays_add(struct asyncapi_draft *d);

#endif
