/* workflow_crowd.h - the instances that are under way, found by their subject or by the id of the
 * message that they wait for an answer to. */
#ifndef FLOW_WORKFLOW_CROWD_H
#define FLOW_WORKFLOW_CROWD_H

#include "flow/workflow_instance.h"

struct workflow_crowd;

struct workflow_crowd *workflow_crowd_create(void);
void workflow_crowd_free(struct workflow_crowd *crowd); /* and all that are in it; accepts NULL */

/* Takes it. */
void workflow_crowd_add(struct workflow_crowd *crowd, struct workflow_instance *instance);
/* Frees it. */
void workflow_crowd_remove(struct workflow_crowd *crowd, struct workflow_instance *instance);
/* It waits for another message than `before` (""), as it does after an event. */
void workflow_crowd_move(
    struct workflow_crowd *crowd, const struct workflow_instance *instance, const char *before);

/* NULL: there is none. */
struct workflow_instance *workflow_crowd_find(
    const struct workflow_crowd *crowd, struct slice subject_or_message_id);

size_t workflow_crowd_count(const struct workflow_crowd *crowd);
/* One after the other: `*next` begins as 0. NULL at the end. */
struct workflow_instance *workflow_crowd_next(const struct workflow_crowd *crowd, size_t *next);

#endif
