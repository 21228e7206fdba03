/* asyncapi_queues.h - the queues of the settings, which consumer receives from. */
#ifndef APP_ASYNCAPI_QUEUES_H
#define APP_ASYNCAPI_QUEUES_H

#include "app/asyncapi_draft.h"

/* A channel each. */
void asyncapi_queues_add(struct asyncapi_draft *d);

/* The messages that were found to come there, and an operation `receive` where no logic of the
 * settings takes them. What logic takes has a message by the contract of its queue when no other is
 * known. */
void asyncapi_queues_end(struct asyncapi_draft *d);

#endif
