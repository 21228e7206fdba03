#include "lab/wait.h"

#include "base/chrono.h"

#include <time.h>

bool wait_any(struct pollfd *polled, size_t count, uint64_t deadline_ns)
{
	for (;;) {
		uint64_t now_ns = chrono_now_ns();
		uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
		struct timespec left = {
		    .tv_sec = (time_t)(left_ns / CHRONO_S), .tv_nsec = (long)(left_ns % CHRONO_S)};
		if (ppoll(polled, count, deadline_ns == CHRONO_NEVER ? NULL : &left, NULL) > 0)
			return true;
		if (left_ns == 0)
			return false;
	}
}

bool wait_one(int fd, short events, uint64_t deadline_ns)
{
	struct pollfd polled = {.fd = fd, .events = events};
	return wait_any(&polled, 1, deadline_ns);
}
