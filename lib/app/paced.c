#include "app/paced.h"

#include "base/mem.h"

/* A copy of the settings with the other pace. */
static json_t *paced_spec(const json_t *spec, const struct paced *p)
{
	json_t *copy = spec != NULL ? json_copy((json_t *)(uintptr_t)spec) : json_object();
	if (p->has_delay || p->has_rate || p->schedule != NULL) {
		static const char *const paces[] = {
		    "delay", "rate", "schedule", "repeat", "jitter", "arrivals"};
		size_t count =
		    p->has_delay ? ARRAY_LEN(paces) : 4; /* a rate keeps how it arrives */
		for (size_t i = 0; i < count; i++)
			json_object_del(copy, paces[i]);
	}
	if (p->has_amount)
		json_object_set_new(copy, "amount", json_integer((json_int_t)p->amount));
	if (p->has_delay)
		json_object_set_new(copy, "delay", json_real((double)p->delay_ns / 1e9));
	if (p->has_rate)
		json_object_set_new(copy, "rate", json_real(p->rate));
	if (p->schedule != NULL) {
		json_object_set_new(copy, "schedule", json_deep_copy(p->schedule));
		json_object_set_new(copy, "repeat", json_true());
	}
	if (p->arrivals != NULL)
		json_object_set_new(copy, "arrivals", json_string(p->arrivals));
	return copy;
}

bool paced_read(
    const json_t *spec, const struct paced *paced, struct pace_plan *out, struct error *err)
{
	json_t *copy = paced_spec(spec, paced);
	bool good = pace_plan_read(copy, out, reader_keep_first, err);
	json_decref(copy);
	return good;
}
