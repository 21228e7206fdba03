/* workflow_instance_private.h - what the instance and its messages share; for
 * workflow_instance*.c alone. */
#ifndef FLOW_WORKFLOW_INSTANCE_PRIVATE_H
#define FLOW_WORKFLOW_INSTANCE_PRIVATE_H

#include "flow/workflow_instance.h"

/* "reserve", "reserve.compensate", "completed": what is due, as ids and types have it. To free();
 * NULL: nothing is. */
char *workflow_instance_due(const struct workflow_instance *i);

#endif
