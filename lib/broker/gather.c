#include "broker/gather.h"

#include "base/chrono.h"

#define LOADED_COUNT 8			/* messages in one read: more are coming */
#define LEAST_HOLD_NS (100 * CHRONO_US) /* a shorter wait does not pay */

/* At the pace of the span, so many will come while we wait. */
static uint64_t expected(const struct gather_load *load)
{
	uint64_t span = load->span_ns > 0 ? load->span_ns : 1;
	return load->came * load->most_ns / span;
}

uint64_t gather_hold_ns(const struct gather_load *load)
{
	uint64_t seen = load->is_unhurried && load->came > 0 ? expected(load) : load->came;
	bool loaded = seen >= LOADED_COUNT;
	bool late = load->slept_ns <= load->span_ns / 4; /* we are what limits the pace */
	if (!loaded || late)
		return 0;
	uint64_t span = load->span_ns < CHRONO_S ? load->span_ns : CHRONO_S; /* no overflow */
	uint64_t hold = load->ahead / 4 * span / load->came;
	if (hold < LEAST_HOLD_NS)
		return 0;
	return hold < load->most_ns ? hold : load->most_ns;
}
