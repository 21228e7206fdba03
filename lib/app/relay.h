/* relay.h - the wiring of the relay: queues, files or lines -> business logic -> an exchange, an
 * event store, or a file. */
#ifndef APP_RELAY_H
#define APP_RELAY_H

#include "app/relay_options.h"

/* options are a struct relay_options. */
tool_run_fn relay_run;

#endif
