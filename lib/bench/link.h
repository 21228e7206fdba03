/* link.h - one connection of a load run, with its channels. */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include "bench/notes.h"
#include "bench/plan.h"
#include "broker/connection.h"

struct link;

struct link_options {
	const struct plan *plan;
	size_t number; /* of the connection, in the plan */
	struct loop *loop;
	struct notes *notes; /* of the thread */
	const char *name;    /* of the connection */
	uint64_t seed;
};

/* All that needs no broker. NULL when a pattern is wrong. Borrows what the options point to. */
struct link *link_create(const struct link_options *options, struct error *err);
/* Connects and opens the channels; waits for the broker. */
bool link_open(struct link *link, struct error *err) MUST_CHECK;
bool link_is_open(const struct link *link);
/* "RabbitMQ 3.10.8", printable; "" before it is open. */
const char *link_server(const struct link *link);
/* When it is to open, counted from the start of the run. */
uint64_t link_delay_ns(const struct link *link);

/* The clocks begin; what is due at end_ns or later is not sent. */
void link_begin(struct link *link, uint64_t start_ns, uint64_t end_ns);
/*
 * Lets the channels go on, if anything has happened or is due. *is_done is set when the last one of
 * them is done. False with the cause of a failure.
 */
bool link_step(struct link *link, uint64_t now_ns, uint64_t *wake_ns, bool *is_done,
    struct error *err) MUST_CHECK;
/* Takes nothing more on; one that is not open yet will not be opened. */
void link_stop(struct link *link);
bool link_publishes(const struct link *link);
/* Channels that are not done. */
size_t link_running(const struct link *link);

/* Adds blocked time up to now to the notes. */
void link_note_blocked(struct link *link, uint64_t now_ns);
/* Messages given back to the broker, and those that came unacknowledged and were not taken. */
uint64_t link_requeued(const struct link *link);
uint64_t link_dropped(const struct link *link);

void link_close(struct link *link);
void link_free(struct link *link); /* accepts NULL */

#endif
