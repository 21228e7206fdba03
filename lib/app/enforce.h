/* enforce.h - the contracts that the settings give to queues and messages, put to work. */
#ifndef APP_ENFORCE_H
#define APP_ENFORCE_H

#include "app/settings.h"
#include "flow/core_contract.h"

/* Adds the `contract` of an item of the settings, such as the queue "orders", to the core, which is
 * made when it is NULL; nothing happens when the item has none. As core_contract_add. */
bool enforce_add(const struct settings *settings, const char *section, const char *name,
    const struct core_contract_scope *scope, struct core_contract **core,
    struct error *err) MUST_CHECK;

/* The contracts of these queues, each for what is taken from it; *core stays NULL when none has
 * one. The names must outlive it. */
bool enforce_queues(const struct settings *settings, const char *const *queues, size_t count,
    struct core_contract **core, struct error *err) MUST_CHECK;

#endif
