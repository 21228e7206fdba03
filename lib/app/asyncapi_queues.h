/* asyncapi_queues.h - the queues of the settings, which consumer receives from. */
#ifndef APP_ASYNCAPI_QUEUES_H
#define APP_ASYNCAPI_QUEUES_H

#include "app/asyncapi_draft.h"

/* A channel each, with the messages that were found to come there, and an operation `receive`. */
void asyncapi_queues_add(struct asyncapi_draft *d);

#endif
