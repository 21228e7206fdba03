/*
 * core_contract.h - a core that rejects messages whose bodies break their contract (a JSON Schema).
 *
 * The reason of the verdict begins with the place of the first thing that is wrong
 * ("/items/0/price: expected number, found string"); its headers say which contract that was
 * (MARKS_CONTRACT), where in the body (MARKS_INSTANCE_PATH) and by which keyword
 * (MARKS_SCHEMA_PATH). A body that is not JSON breaks every contract. Of a CloudEvent in structured
 * mode the data is judged.
 */
#ifndef FLOW_CORE_CONTRACT_H
#define FLOW_CORE_CONTRACT_H

#include "flow/flow.h"

struct core_contract;

/* Judges nothing yet. */
struct core_contract *core_contract_create(void);
void core_contract_free(struct core_contract *core);

/* Which messages have to follow a contract. `= {0}`: all. */
struct core_contract_scope {
	const char *queue; /* only what was taken from it; NULL: wherever it is from. Borrowed */
	bool of_member;	   /* only what this member of the source made: flow_message.member */
	size_t member;
	bool spares_broken; /* but not what says that it was broken on purpose */
};
/* Reads a contract (config/contract.h), which tells of its failures. */
bool core_contract_add(struct core_contract *core, const char *path,
    const struct core_contract_scope *scope, struct error *err) MUST_CHECK;

struct flow_core core_contract_core(struct core_contract *core);

/* Whether one message passes, for who has no flow. If not, the verdict says why; it is borrowed
 * until the next call. */
bool core_contract_passes(
    struct core_contract *core, const struct flow_message *m, struct flow_verdict *verdict);

/* What of a message is judged: its body, or the data of a structured event, which may live in the
 * scratch; ptr NULL when that has none. */
struct slice core_contract_data(const struct message *m, struct buf *scratch);

/* How many messages broke a contract. */
uint64_t core_contract_violations(const struct core_contract *core);

#endif
