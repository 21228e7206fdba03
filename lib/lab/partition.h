/*
 * partition.h - the way between nodes of a lab cut and healed, as a network would, without root.
 *
 * Both sides get a wrong secret for each other (erlang:set_cookie/2) and drop the connection, so no
 * new one can be made until heal puts the right one back. The nodes of a lab run with
 * cluster_partition_handling = pause_minority: the side with fewer than half stops serving until
 * it sees the others again. When a node is cut from one of two others only, it is paused like the
 * one it is cut from: RabbitMQ allows no partial partition.
 */
#ifndef LAB_PARTITION_H
#define LAB_PARTITION_H

#include "base/error.h"
#include "lab/remote.h"
#include "lab/state.h"

#include <stddef.h>
#include <stdint.h>

/* Cuts a node from the others (a bit for each) and waits until each side sees that the other is
 * down. */
bool partition_cut(const struct remote *remote, const struct state *state, size_t node,
    uint32_t others, struct error *err) MUST_CHECK;

/* Heals every cut of the state and waits until all nodes that run are one cluster again and serve.
 */
bool partition_heal(
    const struct remote *remote, const struct state *state, struct error *err) MUST_CHECK;

/* Waits until the node serves and sees every node that runs and is not cut from others. */
bool partition_await_whole(const struct remote *remote, const struct state *state, size_t node,
    struct error *err) MUST_CHECK;

#endif
