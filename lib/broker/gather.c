#include "broker/gather.h"

#include "base/chrono.h"

#include <stdbool.h>

#define LOADED_COUNT 8			/* messages in one read: more are coming */
#define LEAST_HOLD_NS (100 * CHRONO_US) /* a shorter wait does not pay */

uint64_t gather_hold_ns(const struct gather_load *load)
{
	bool loaded = load->came >= LOADED_COUNT;
	bool late = load->slept_ns <= load->span_ns / 4; /* we are what limits the pace */
	if (!loaded || late)
		return 0;
	uint64_t span = load->span_ns < CHRONO_S ? load->span_ns : CHRONO_S; /* no overflow */
	uint64_t hold = load->ahead / 4 * span / load->came;
	if (hold < LEAST_HOLD_NS)
		return 0;
	return hold < load->most_ns ? hold : load->most_ns;
}
