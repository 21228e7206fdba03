/* asyncapi_logic.h - what relays, responders and workflows have in common: steps, in words and in
 * what is known of the bodies that come out of them, and the operations that belong to them. */
#ifndef APP_ASYNCAPI_LOGIC_H
#define APP_ASYNCAPI_LOGIC_H

#include "app/asyncapi_draft.h"
#include "base/buf.h"

/* "the step jq", "the steps filter, jq"; nothing for none. */
void asyncapi_logic_name_steps(const json_t *steps, struct buf *out);

/* Whether one of them makes new messages of those that come. */
bool asyncapi_logic_changes(const json_t *steps);

/* The schema of what comes out of the steps when `before`, taken, is that of what goes in: the last
 * contract that nothing has changed behind it. To json_decref; NULL: nothing is known. */
json_t *asyncapi_logic_outcome_take(
    const struct asyncapi_draft *d, const json_t *steps, json_t *before);

/* A message of logic, to json_decref: payload is taken, or NULL; headers are properties of a JSON
 * Schema, taken; type: the property, or NULL. */
json_t *asyncapi_logic_message(
    const char *name, const char *description, const char *type, json_t *payload, json_t *headers);

/* Gives a message whose payload nobody knows the contract of a queue that was noted to get it. */
void asyncapi_logic_oblige(struct asyncapi_draft *d, const char *message);

/*
 * Adds an operation, taken, under an id made of the one given. It is that of the `kind` ("relay")
 * of the name, and says so in x-warren-relay: who reads that knows the rest by the section of the
 * settings.
 */
void asyncapi_logic_add_take(struct asyncapi_draft *d, const char *id, const char *kind,
    const char *name, const char *description, json_t *operation);

#endif
