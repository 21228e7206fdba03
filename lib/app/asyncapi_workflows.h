/* asyncapi_workflows.h - the workflows of the settings, as their orchestrator sees them. */
#ifndef APP_ASYNCAPI_WORKFLOWS_H
#define APP_ASYNCAPI_WORKFLOWS_H

#include "app/asyncapi_draft.h"

/* An operation `receive` for what starts each, `send` for the requests and compensations of its
 * steps, with the reply it waits for, and for the events at its end. Who answers must be there
 * already. */
void asyncapi_workflows_add(struct asyncapi_draft *d);

#endif
