/* ask.h - a question on the terminal, while the connection is kept alive. */
#ifndef APP_ASK_H
#define APP_ASK_H

#include "app/tool.h"

/* Whether there is somebody to ask: standard input and standard error are a terminal. */
bool ask_is_possible(void);

/* Asks on standard error, and waits for a line: "y" and "yes" are a yes. A signal ends it as a no.
 * Fails when the connection is lost meanwhile. */
bool ask_yes(struct tool *tool, const char *question, bool *yes, struct error *err) MUST_CHECK;

#endif
