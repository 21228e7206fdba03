/* relay_logic.h - what a relay does with a message: its steps, its handlers by type, where the
 * results go. */
#ifndef APP_RELAY_LOGIC_H
#define APP_RELAY_LOGIC_H

#include "app/chain.h"
#include "app/relay_plan.h"

struct core_switch;

struct relay_logic {
	char *by; /* owned: "relay/welcome" */
	struct chain *chain;
	struct core_switch *types; /* the chain's; NULL: no handlers by type */
	const char **type_names;   /* that it has; the array is owned */
	bool routes;		   /* some step names exchanges itself */
	bool publishes;		   /* to an exchange, rather than a store or a file */
};

/* Who is around the logic; borrowed for its life. */
struct relay_logic_ends {
	const char *const *queues; /* whose contracts hold; NULL: none */
	size_t queue_count;
	const char *user;    /* who may stand on what is published; NULL: nobody */
	struct store *store; /* gets the results; NULL: none does */
};

/* Opens all of it. Errors have their place in the settings. */
bool relay_logic_open(struct relay_logic *logic, struct tool *tool, const struct relay_plan *plan,
    const struct relay_logic_ends *ends, struct error *err) MUST_CHECK;
void relay_logic_close(struct relay_logic *logic);

/* Gives an error the place of the relay in the settings; always false. */
bool relay_logic_refuse(const struct tool *tool, const struct relay_plan *plan, struct error *err);

#endif
