/* relay_fates.h - the last core of a relay: counts what became of each result, and shows it. */
#ifndef APP_RELAY_FATES_H
#define APP_RELAY_FATES_H

#include "app/printer.h"
#include "flow/flow.h"

struct relay_fates_counts {
	uint64_t put; /* handed to the sink */
	uint64_t fates[FLOW_FATE_COUNT];
};

struct relay_fates;
/* The printer, which is the caller's, is told of each result with its fate. */
struct relay_fates *relay_fates_create(struct printer *printer);
void relay_fates_free(struct relay_fates *core); /* accepts NULL */
struct flow_core relay_fates_core(struct relay_fates *core);
const struct relay_fates_counts *relay_fates_counts(const struct relay_fates *core);

#endif
