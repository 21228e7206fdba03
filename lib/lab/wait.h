/* wait.h - waiting for descriptors until a deadline, without a loop. */
#ifndef LAB_WAIT_H
#define LAB_WAIT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sleeps until one of the descriptors has an event or an end, or deadline_ns is reached
 * (CHRONO_NEVER: no end). False at the deadline. count 0 only sleeps. */
bool wait_any(struct pollfd *polled, size_t count, uint64_t deadline_ns);

/* The same for one descriptor. */
bool wait_one(int fd, short events, uint64_t deadline_ns);

#endif
