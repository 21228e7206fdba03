/*
 * chain.h - business logic out of the settings: the lists of steps under relays, their handlers and
 * responders, as cores of a flow.
 *
 * A step is a map with one key that says its kind (jq, filter, exec, ...), all of which are in
 * settings/warren.schema.json. A new kind is a row in chain.c.
 */
#ifndef APP_CHAIN_H
#define APP_CHAIN_H

#include "app/tool.h"
#include "flow/flow.h"

struct append_mark;
struct store;

/* Borrowed for the life of the chain. */
struct chain_options {
	struct tool *tool;   /* after tool_open_loop; relative names begin at its settings */
	const char *name;    /* whose logic it is: "relay/welcome" */
	struct store *store; /* the event store that the results go to; NULL: elsewhere */
	bool one_answer;     /* each message has one result: a request and its reply */
	bool is_told; /* who runs the flow tells of messages that are rejected or tried again */
};

struct chain;

struct chain *chain_create(const struct chain_options *options);
void chain_free(struct chain *chain); /* accepts NULL; after the flow */

/* Opens the steps of a list, which may be NULL, behind those that are there. `route`: as in
 * flow_options. `pointer` leads to the list in the settings, for the place in an error
 * (ERROR_SETTINGS); NULL: it comes from the command line. */
bool chain_add(struct chain *chain, const json_t *steps, const char *pointer, unsigned route,
    struct error *err) MUST_CHECK;
/* The contracts that the settings give to these queues, in front of what is added later; the names
 * must outlive the chain. */
bool chain_add_contracts(
    struct chain *chain, const char *const *queues, size_t count, struct error *err) MUST_CHECK;
/* One that somebody else opened, and frees. */
void chain_add_core(struct chain *chain, struct flow_core core, unsigned route);
/* The same, but release(self) is called when the chain is freed. */
void chain_add_owned(struct chain *chain, struct flow_core core, unsigned route,
    void (*release)(void *self), void *self);

/* Whether a step for this route, or for all, makes new messages of those that come, rather than
 * letting them pass. */
bool chain_changes_on(const struct chain *chain, unsigned route);
/* Whether a step for this route says itself where its messages go (as: message). */
bool chain_routes(const struct chain *chain, unsigned route);
/* How long a message may rest in the steps, besides waiting for others: what a drain is to allow
 * for. 0: none of them takes its time. */
uint64_t chain_patience_ns(const struct chain *chain);
size_t chain_length(const struct chain *chain);

/* What the steps did to messages that did not go on, or not as they should. */
struct chain_counts {
	uint64_t dropped;   /* by a program that had nothing to say */
	uint64_t unmatched; /* hidden by a filter */
	uint64_t duplicates;
	uint64_t unkeyed;	  /* passed a dedupe without a key, or was rejected for it */
	uint64_t unset_variables; /* too long for the environment of a command */
	uint64_t unenriched;	  /* there was nothing under the key of an enrich */
};
/* Adds them to what is there. */
void chain_count(const struct chain *chain, struct chain_counts *counts);
/* For the sink of chain_options.store (sink_store_mark_fn; ctx is the chain): marks of dedupe that
 * are to be written with what a message did. */
bool chain_mark(void *chain, uint64_t slot, size_t index, struct append_mark *out);
/* What was answered, for the dedupe steps that the request in a slot has passed; and what they know
 * was answered to one that they have rejected, or NULL. As of core_dedupe.h. */
bool chain_has_dedupe(const struct chain *chain);
void chain_keep_answer(const struct chain *chain, uint64_t slot, const struct message *answer);
const struct message *chain_find_answer(const struct chain *chain, uint64_t slot);
/* Puts them behind the cores that are there. */
void chain_wire(const struct chain *chain, struct flow_options *flow);

#endif
