/* lookup.h - from a host's name to its addresses, without waiting for longer than we want to. */
#ifndef BROKER_LOOKUP_H
#define BROKER_LOOKUP_H

#include "base/error.h"
#include "base/loop.h"

struct addrinfo; /* netdb.h */

/*
 * Returns the addresses for a stream, to freeaddrinfo(), or NULL with ERROR_UNAVAILABLE. Runs the
 * loop meanwhile, so a signal ends the wait. The system's resolver knows neither deadline nor end:
 * it runs in a thread of its own, which may go on for a while and frees what nobody wants any more.
 * A host that is an address already costs no thread.
 */
struct addrinfo *lookup_host(
    struct loop *loop, const char *host, uint16_t port, uint64_t deadline_ns, struct error *err);

#endif
