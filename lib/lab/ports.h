/* ports.h - TCP ports of 127.0.0.1 that stay ours from the choice to the moment a server listens.
 */
#ifndef LAB_PORTS_H
#define LAB_PORTS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define PORTS_MAX 64

/* Descriptors of bound sockets, count of them in use. */
struct ports {
	int held[PORTS_MAX];
	size_t count;
};

/*
 * Chooses a free port and keeps it until ports_release: the socket is bound with SO_REUSEADDR but
 * does not listen. The kernel then gives the port to nobody who asks for any port, while a server
 * that sets SO_REUSEADDR itself (Erlang, epmd) may listen on it. Fails with ERROR_UNAVAILABLE.
 */
bool ports_reserve(struct ports *ports, uint16_t *out, struct error *err) MUST_CHECK;
void ports_release(struct ports *ports);

#endif
