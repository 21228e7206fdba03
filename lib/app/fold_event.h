/* fold_event.h - a stored event as jq programs see it. */
#ifndef APP_FOLD_EVENT_H
#define APP_FOLD_EVENT_H

#include "jq/datum.h"
#include "store/select.h"

/*
 * What a reducer gets as .event: {position, id, type, source, subject, version, time, received,
 * exchange, routing_key, queue, properties, headers, data}. What the event has not is null, but
 * properties and headers are objects; the headers do not stand in the properties again. data is
 * JSON; of a body that is not JSON a string, or null when it is not UTF-8.
 */
struct datum fold_event_object(const struct select_event *event);

/* The same, without data, for programs on the body, one by one; also redelivered and death
 * (death.h). */
#define FOLD_EVENT_VARIABLES 15
const char *fold_event_variable(size_t which);
struct datum fold_event_value(size_t which, const struct select_event *event);

#endif
