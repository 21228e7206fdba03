/* control.h - the way from a command to the supervisor of a lab: one request, one answer. */
#ifndef LAB_CONTROL_H
#define LAB_CONTROL_H

#include "base/error.h"
#include "lab/change.h"

#include <stdint.h>

typedef bool control_act_fn(void *ctx, const struct change *change, struct error *err);

/* Listens in the folder of the lab, which nobody else can enter. Returns a descriptor, or -1. */
int control_listen(const char *dir, struct error *err) MUST_CHECK;

/* Takes one request from a descriptor that has something to read, and answers with what `act` says
 * of it. Does not block for long, whoever is at the other end. */
void control_serve(int listener, size_t node_count, control_act_fn *act, void *ctx);

/* Asks the supervisor for a change, and returns once it has begun. Fails as the supervisor says,
 * and with ERROR_UNAVAILABLE when none listens. */
bool control_ask(const char *dir, const struct change *change, uint64_t deadline_ns,
    struct error *err) MUST_CHECK;

#endif
