/* api.h - a tool's client of the broker's HTTP API; only tools that use it have libcurl in them. */
#ifndef APP_API_H
#define APP_API_H

#include "app/tool.h"
#include "web/client.h"

/* Whether an address of it is known: --management, or the settings'. */
bool api_is_known(const struct tool *tool);

/* Makes tool->management, the client, with the password that is kept for the first address of the
 * broker where its own has none, and warns when that goes where it would not go otherwise;
 * ERROR_USAGE without an address. Nothing is asked yet. Opens the loop if need be; harmless when it
 * is open. */
bool api_open(struct tool *tool, struct error *err) MUST_CHECK;
void api_close(struct tool *tool);

#endif
