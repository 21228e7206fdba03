/* reach.h - finding a broker: several addresses in turn, for as long as somebody wants to wait. */
#ifndef BROKER_REACH_H
#define BROKER_REACH_H

#include "broker/connection.h"

struct reach_options {
	const struct uri *uris; /* tried in order; must outlive the connection, as the name must */
	size_t uri_count;
	const char *name;
	uint64_t heartbeat_s;
	uint64_t wait_ns; /* how long to go on trying while no broker answers; 0: one round */
	uint64_t pause_from_ns, pause_to_ns; /* between rounds, doubling; a fifth more or less */
	/* how often to try again, after the longest pause, though we are refused */
	unsigned refusals;
};

/* Returns a connection to the first broker that lets us in. A broker that refuses us ends the
 * search; so does a signal. Errors as of connection_open. */
struct connection *reach_broker(
    struct loop *loop, const struct reach_options *options, struct error *err);

/* The same for a connection that was lost. */
bool reach_again(
    struct connection *c, const struct reach_options *options, struct error *err) MUST_CHECK;

/* Runs the loop for so long, a fifth more or less, so that many who lost the same broker do not
 * come back at once; a stop request ends it. Fails as loop_turn does. */
bool reach_pause(struct loop *loop, uint64_t pause_ns, struct error *err) MUST_CHECK;

#endif
