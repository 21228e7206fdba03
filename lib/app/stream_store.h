/*
 * stream_store.h - a RabbitMQ stream as an event store: all that can be asked of a file.
 *
 * The stream is read from its beginning to what is its end now into a store of this process alone,
 * which goes with it. Who asks often records the stream into a file, which only ever reads on.
 */
#ifndef APP_STREAM_STORE_H
#define APP_STREAM_STORE_H

#include "app/tool.h"
#include "store/store.h"

/* Connects, after the settings have been loaded. `queue` is the stream's name. */
struct store *stream_store_open(struct tool *tool, const char *queue, struct error *err);

#endif
