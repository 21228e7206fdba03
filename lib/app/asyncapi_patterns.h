/* asyncapi_patterns.h - the messages of the settings, which producer sends. */
#ifndef APP_ASYNCAPI_PATTERNS_H
#define APP_ASYNCAPI_PATTERNS_H

#include "app/asyncapi_draft.h"

/* A message each, with the channel it takes and an operation `send`. A few of each are made up,
 * always the same ones: as examples, and to see which queues get them. */
void asyncapi_patterns_add(struct asyncapi_draft *d);

#endif
