/* workflow_logic.h - the jq programs of a workflow, compiled: what instances are called, what is
 * sent, what a reply says. */
#ifndef FLOW_WORKFLOW_LOGIC_H
#define FLOW_WORKFLOW_LOGIC_H

#include "jq/datum.h"
#include "model/workflow.h"

#define WORKFLOW_LOGIC_MAX_ID 200 /* bytes of an instance's id */

struct workflow_logic;

/* The workflow must outlive it. NULL when one does not compile: each that does not is reported, at
 * its place below the workflow. */
struct workflow_logic *workflow_logic_create(
    const struct workflow *w, reader_report_fn *report, void *ctx);
void workflow_logic_free(struct workflow_logic *logic); /* accepts NULL */
const struct workflow *workflow_logic_workflow(const struct workflow_logic *logic);

/* The id of the instance that a message starts, appended: what jq says of the body, else the
 * message's id. ERROR_DATA: it gives none, or not a text or a whole number. */
bool workflow_logic_id(struct workflow_logic *logic, const struct datum *body,
    struct slice message_id, struct buf *out, struct error *err) MUST_CHECK;

/* The body of one of the workflow's letters; takes the view, an object as in docs/workflows.md.
 * ERROR_DATA: the program fails, or has not exactly one output. */
bool workflow_logic_body(struct workflow_logic *logic, const struct workflow_letter *letter,
    struct datum view, struct datum *out, struct error *err) MUST_CHECK;

/* Whether a reply says that what the letter asked for has failed. A program that fails says so. */
bool workflow_logic_has_failed(struct workflow_logic *logic, const struct workflow_letter *letter,
    const struct datum *reply, struct error *why);

#endif
