/* dial.h - from a host name and a port to a connected, non-blocking TCP socket. */
#ifndef BROKER_DIAL_H
#define BROKER_DIAL_H

#include "base/error.h"
#include "base/loop.h"

/*
 * Tries every address of the host in turn, each for a share of the time that is left, and runs the
 * loop meanwhile, so a signal ends the wait. Returns the descriptor (close-on-exec, no delay,
 * keep-alive), the caller's to close, or -1 with ERROR_UNAVAILABLE and the system's reason.
 */
int dial_tcp(
    struct loop *loop, const char *host, uint16_t port, uint64_t deadline_ns, struct error *err);

/* How long what was sent may stay without an answer of the other end's system, or wait for its
 * room, before the socket fails with ETIMEDOUT; 0: until the system gives up, which takes a quarter
 * of an hour, or never. */
void dial_limit_silence(int fd, uint64_t limit_ns);

#endif
