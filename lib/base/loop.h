/*
 * loop.h - one thread, one poll(): descriptors, timers, and a stop on SIGINT, SIGTERM or SIGHUP.
 *
 * A loop belongs to the thread that turns it; only loop_wake and loop_request_stop may be called
 * from others.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/error.h"

#include <stdint.h>

struct loop;

/* revents as from poll(); a watched descriptor with an error or hang-up gets it whatever it asked.
 */
typedef void loop_watch_fn(void *ctx, short revents);
typedef void loop_timer_fn(void *ctx, uint64_t now_ns);

/*
 * Installs handlers for SIGINT, SIGTERM and SIGHUP (unless nohup has it ignored), and ignores
 * SIGPIPE, until loop_free: the first signal makes loop_stop_requested true, a second ends the
 * process at once with 128 + its number. At most one such loop per process. SIGCHLD wakes the loop.
 */
struct loop *loop_create(struct error *err);
/* A loop that leaves signals alone: for a thread beside the main one. */
struct loop *loop_create_worker(struct error *err);
void loop_free(struct loop *loop);

/* Watches a descriptor, or changes what is asked of a watched one. events 0 keeps only errors. */
void loop_watch(struct loop *loop, int fd, short events, loop_watch_fn *fn, void *ctx);
void loop_unwatch(struct loop *loop, int fd); /* harmless when not watched */

/* Runs fn once at or after due_ns. Returns an id > 0 for loop_cancel. */
uint64_t loop_at(struct loop *loop, uint64_t due_ns, loop_timer_fn *fn, void *ctx);
void loop_cancel(struct loop *loop, uint64_t id); /* harmless for 0 and for timers that ran */

/* One turn: sleeps until a descriptor is ready, a timer is due, a signal comes or deadline_ns is
 * reached, then runs what is due. Fails only with ERROR_IO. Never call it from a callback. */
bool loop_turn(struct loop *loop, uint64_t deadline_ns, struct error *err) MUST_CHECK;

/* Time spent waiting since the loop was made. */
uint64_t loop_slept_ns(const struct loop *loop);

/* Ends the turn that sleeps, or keeps the next one from sleeping. */
void loop_wake(struct loop *loop);

/* True once one of those signals has come, or loop_request_stop was called. */
bool loop_stop_requested(const struct loop *loop);
void loop_request_stop(struct loop *loop);

/* Undoes what a child process must not inherit: signal handlers and the mask. Call after fork. */
void loop_reset_child_signals(void);

#endif
