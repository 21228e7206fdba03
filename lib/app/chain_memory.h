/* chain_memory.h - the steps that remember or look something up: dedupe and enrich. `step` is the
 * map of the settings, which the schema has accepted; relative names begin at the settings. */
#ifndef APP_CHAIN_MEMORY_H
#define APP_CHAIN_MEMORY_H

#include "app/tool.h"
#include "flow/core_dedupe.h"
#include "flow/core_enrich.h"

/* `where` is the list that the step stands in: marks of another list, or of another key, are other
 * marks. `store` gets the results, and the marks unless the step names another; NULL: none.
 * `answers`: messages are requests, whose answers are kept and given again. */
struct core_dedupe *chain_memory_dedupe(struct tool *tool, const json_t *step, const char *where,
    struct store *store, bool answers, struct error *err);
struct core_enrich *chain_memory_enrich(struct tool *tool, const json_t *step, struct error *err);

#endif
