/* attend.h - a lab for as long as something needs it: a command, or a person in front of it. */
#ifndef LAB_ATTEND_H
#define LAB_ATTEND_H

#include "base/error.h"
#include "lab/lab.h"

typedef void attend_ready_fn(void *ctx, const struct state *state);

/* Runs a lab until this process gets SIGINT, SIGTERM or SIGHUP, or ends in any other way. Calls
 * ready once the lab can be used. Fails as lab_up does, and with ERROR_UNAVAILABLE when a lab runs
 * there already. */
bool attend_person(const struct lab_options *options, attend_ready_fn *ready, void *ctx,
    struct error *err) MUST_CHECK;

/*
 * Runs a command, found in PATH, beside a lab of its own, with state_variables in its environment,
 * and takes the lab down whatever happens. With options->dir NULL the lab lives in a temporary
 * folder. Signals that somebody sends us are passed on; those of the terminal reach the command by
 * themselves. *out_status is what a shell would say: the command's status, or 128 + the signal that
 * ended it, or us before it began. When the command cannot be run that is a failure, and
 * *out_status nevertheless 127 (not found) or 126.
 */
bool attend_command(const struct lab_options *options, char *const command[], int *out_status,
    struct error *err) MUST_CHECK;

#endif
