/*
 * core_switch.h - a core that sends each message its own way by the type of its event.
 *
 * The type is CloudEvents' type, else the property type (model/envelope.h). A type that nobody
 * handles is rejected with the reason, dropped (accepted, and counted), or goes another way.
 */
#ifndef FLOW_CORE_SWITCH_H
#define FLOW_CORE_SWITCH_H

#include "flow/flow.h"

enum core_switch_unknown { CORE_SWITCH_REJECT, CORE_SWITCH_DROP, CORE_SWITCH_PASS };

struct core_switch_options {
	const char *const *types; /* borrowed; the route of types[i] is first_route + i, */
	size_t type_count;
	unsigned first_route; /* and that of the others first_route + type_count */
	enum core_switch_unknown unknown;
};

struct core_switch;
struct core_switch *core_switch_create(const struct core_switch_options *options);
void core_switch_free(struct core_switch *core); /* accepts NULL */
struct flow_core core_switch_core(struct core_switch *core);
/* Messages that were dropped so far. */
uint64_t core_switch_dropped(const struct core_switch *core);

#endif
