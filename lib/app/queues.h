/* queues.h - which queues a command line means. */
#ifndef APP_QUEUES_H
#define APP_QUEUES_H

#include "app/tool.h"

/*
 * The queues that the operands name, each once; with no operands all that the settings write down.
 * With `only_known` one that the settings lack is an error. Ends with NULL; to free(). NULL:
 * failed, also when there are none.
 */
const char **queues_choose(
    const struct tool *tool, char *const *operands, bool only_known, struct error *err);

#endif
