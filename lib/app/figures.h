/*
 * figures.h - what the HTTP API knows of one queue, and AMQP does not tell.
 *
 * Its figures are some seconds old, as the broker gathers statistics every 5 s
 * (https://www.rabbitmq.com/docs/management#statistics-interval), and of a new queue they come as
 * late. All wait in turns of the tool's loop, after api_open, and fail with ERROR_REFUSED when
 * the broker keeps no figures: 0 would be a guess.
 */
#ifndef APP_FIGURES_H
#define APP_FIGURES_H

#include "app/tool.h"

#include <jansson.h>

#define FIGURES_AGE_NS (6 * CHRONO_S) /* older they are not */

/* Messages that clients have got and not settled. */
bool figures_held(
    struct tool *tool, const char *queue, uint64_t *out, struct error *err) MUST_CHECK;
/* Bytes in the bodies of all its messages. */
bool figures_bytes(
    struct tool *tool, const char *queue, uint64_t *out, struct error *err) MUST_CHECK;
/* What it was declared with, as the API shows it, and what policies add to that, which is {} for
 * none; the caller's to json_decref. NULL on failure. */
json_t *figures_arguments(struct tool *tool, const char *queue, struct error *err);
json_t *figures_policy(struct tool *tool, const char *queue, struct error *err);

/* Turns the loop until then, or a signal comes (ERROR_UNDELIVERED), or the connection is lost. */
bool figures_wait(struct tool *tool, uint64_t until_ns, struct error *err) MUST_CHECK;

#endif
