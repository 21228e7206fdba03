/* events_line.h - an event as the JSON line of record.h, which export, list and show print. */
#ifndef APP_EVENTS_LINE_H
#define APP_EVENTS_LINE_H

#include "store/select.h"

/* Appends the line with its line feed: position, received, and all that import needs. */
bool events_line_write(
    const struct select_event *event, struct buf *out, struct error *err) MUST_CHECK;

#endif
