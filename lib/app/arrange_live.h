/* arrange_live.h - the topology that the broker has, as messages meet it. */
#ifndef APP_ARRANGE_LIVE_H
#define APP_ARRANGE_LIVE_H

#include "app/tool.h"
#include "model/topology.h"

/*
 * Asks the HTTP API for the vhost of the settings' first address. Alternate exchanges that policies
 * set stand among the arguments then, as if declared; a user who may not see policies is warned
 * when there are any. Fails as api_open and management_topology do.
 */
bool arrange_live_topology(struct tool *tool, struct topology *out, struct error *err) MUST_CHECK;

#endif
