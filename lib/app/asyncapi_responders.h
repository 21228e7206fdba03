/* asyncapi_responders.h - the responders of the settings, which rpc serve runs. */
#ifndef APP_ASYNCAPI_RESPONDERS_H
#define APP_ASYNCAPI_RESPONDERS_H

#include "app/asyncapi_draft.h"

/* An operation `receive` each, with a reply that goes where the request says. */
void asyncapi_responders_add(struct asyncapi_draft *d);

#endif
