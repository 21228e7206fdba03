#include "bench/plan_private.h"

#include "app/paced.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "config/input.h"
#include "config/scalar.h"

#include <stdlib.h>

#define MOST_BODY_BYTES (UINT64_C(128) << 20)
#define ALL_TIME_S 3e9 /* a hundred years, which the clock can count */

/* ---- NAME=VALUE ---- */

bool plan_assign(const char *text, json_t *object, struct error *err)
{
	const char *equals = strchr(text, '=');
	struct slice after = slice_str(equals != NULL ? equals + 1 : "");
	/* as in settings: "1.5" in quotes is a text, without them it is a number */
	bool is_quoted = after.len >= 2 && after.ptr[0] == '"' && after.ptr[after.len - 1] == '"';
	struct error ignored = {0};
	json_t *value = is_quoted ? json_loadb(after.ptr, after.len, JSON_DECODE_ANY, NULL)
				  : scalar_read(after, SCALAR_ANY, &ignored);
	char *name = mem_strndup(text, equals != NULL ? (size_t)(equals - text) : 0);
	bool good = equals != NULL && value != NULL && name[0] != '\0' &&
		    json_object_set(object, name, value) == 0;
	if (!good) {
		char *shown = text_quote(slice_str(text));
		error_set(err, ERROR_USAGE, "'%s' is not NAME=VALUE", shown);
		free(shown);
	}
	json_decref(value);
	free(name);
	return good;
}

/* ---- the message ---- */

/* A property of AMQP goes where settings have it; what is none is a header. */
static bool add_property(const char *text, json_t *properties, json_t *headers, struct error *err)
{
	struct slice name = {text, strcspn(text, "=")};
	if (slice_is(name, "headers") ||
	    (message_property_find(name) == NULL && !slice_is(name, "persistent")))
		return plan_assign(text, headers, err);
	if (!plan_assign(text, properties, err))
		return false;
	const struct message_property_row *row = message_property_find(name);
	char *key = mem_strndup(name.ptr, name.len);
	bool is_text = row != NULL && row->value == MESSAGE_VALUE_TEXT;
	if (is_text) /* a text stays one even when it looks like a number */
		json_object_set_new(properties, key, json_string(text + name.len + 1));
	free(key);
	return true;
}

static bool read_flags(struct plan *plan, json_t *properties, struct error *err)
{
	char **flags = plan_split(&plan->options->flags);
	bool good = true;
	for (size_t i = 0; good && flags[i] != NULL; i++) {
		if (strcmp(flags[i], "persistent") == 0)
			json_object_set_new(properties, "persistent", json_true());
		else if (strcmp(flags[i], "mandatory") == 0)
			plan->mandatory = true;
		else
			good = error_set(
			    err, ERROR_USAGE, "option '--flag' takes persistent or mandatory");
	}
	plan_free_texts(flags);
	return good;
}

static bool read_properties(
    struct plan *plan, json_t *properties, json_t *headers, struct error *err)
{
	const struct bench_options *o = plan->options;
	json_object_set_new(properties, "persistent", json_false());
	if (!read_flags(plan, properties, err))
		return false;
	char **texts = plan_split(&o->properties);
	bool good = true;
	for (size_t i = 0; good && texts[i] != NULL; i++)
		good = add_property(texts[i], properties, headers, err);
	plan_free_texts(texts);
	if (json_object_get(properties, "delivery_mode") != NULL)
		json_object_del(properties, "persistent");
	if (o->content_type != NULL)
		json_object_set_new(properties, "content_type", json_string(o->content_type));
	plan->stripped = (json_object_get(properties, "message_id") ? 0 : MESSAGE_MESSAGE_ID) |
			 (json_object_get(properties, "content_type") ? 0 : MESSAGE_CONTENT_TYPE);
	return good;
}

/* What publisher i sends when no settings say it; but for the body, which emit.h makes. */
static bool add_spec(struct plan *plan, size_t publisher, struct error *err)
{
	json_t *properties = json_object(), *headers = json_object();
	bool good = read_properties(plan, properties, headers, err);
	const char *key = plan_key(plan, publisher);
	json_t *routing_key =
	    plan->options->random_routing_key ? json_pack("{s:i}", "uuid", 4) : json_string(key);
	json_array_append_new(plan->specs,
	    json_pack("{s:s, s:o, s:s, s:o, s:o}", "exchange", plan_exchange(plan), "routing_key",
		routing_key, "body", "", "properties", properties, "headers", headers));
	return good;
}

/* ---- the body ---- */

static bool read_bodies(struct plan *plan, struct error *err)
{
	char **paths = plan_split(&plan->options->bodies);
	size_t capacity = 0;
	bool good = true, is_file;
	for (size_t i = 0; good && paths[i] != NULL; i++) {
		struct buf bytes = {0};
		good = input_read(paths[i], MOST_BODY_BYTES, &bytes, &is_file, err);
		plan->bodies =
		    mem_grow(plan->bodies, &capacity, plan->body_count + 1, sizeof *plan->bodies);
		plan->bodies[plan->body_count++] = buf_slice(&bytes);
	}
	plan_free_texts(paths);
	return good;
}

static bool read_sizes(struct plan *plan, struct error *err)
{
	const struct bench_options *o = plan->options;
	char **texts = plan_split(&o->sizes);
	bool good = true;
	for (size_t i = 0; good && texts[i] != NULL; i++)
		good = steps_add(&plan->sizes, texts[i], num_parse_size, err) ||
		       error_context(err, "option '--size-schedule'");
	plan_free_texts(texts);
	if (plan->sizes.count > 0 || !good)
		return good;
	plan->sizes.steps = mem_alloc(1, sizeof *plan->sizes.steps);
	plan->sizes.steps[plan->sizes.count++] = (struct steps_step){o->size, 1};
	plan->sizes.total_ns = 1;
	return true;
}

static uint64_t least_size(const struct plan *plan)
{
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < plan->sizes.count; i++)
		least = plan->sizes.steps[i].value < least ? plan->sizes.steps[i].value : least;
	return least;
}

static bool choose_stamp(struct plan *plan, struct error *err)
{
	plan->stamp = (enum emit_stamp)plan->options->stamp;
	bool made_up = plan->sizes.count > 0;
	uint64_t least = least_size(plan);
	if (plan->stamp == EMIT_BODY && !made_up && plan->publishers > 0)
		return error_set(err, ERROR_USAGE,
		    "--stamp body writes over bodies that are made up; these take --stamp header");
	if (plan->stamp == EMIT_AUTO)
		plan->stamp = made_up && least >= PROBE_BYTES ? EMIT_BODY : EMIT_HEADER;
	uint64_t needed = plan->stamp == EMIT_BODY	 ? PROBE_BYTES
			  : plan->stamp == EMIT_PERFTEST ? PROBE_PERFTEST_BYTES
							 : 0;
	return !made_up || least >= needed ||
	       error_set(err, ERROR_USAGE,
		   "a stamp in the body needs %llu bytes; a smaller one takes --stamp header",
		   (unsigned long long)needed);
}

static bool takes_settings(const struct plan *plan)
{
	return plan->options->tool.settings != NULL && plan->settings->message_count > 0;
}

bool plan_message(struct plan *plan, struct error *err)
{
	const struct bench_options *o = plan->options;
	bool good = true;
	if (o->bodies.count > 0)
		good = read_bodies(plan, err);
	else if (!takes_settings(plan) || o->has_size || o->sizes.count > 0)
		good = read_sizes(plan, err);
	plan->specs = json_array();
	for (size_t i = 0; good && !takes_settings(plan) && i < plan->publishers; i++)
		good = add_spec(plan, i, err);
	return good && choose_stamp(plan, err);
}

/* ---- the pace ---- */

/* RATE:DURATION as a step of a schedule of the settings. A rate of 0 is a pause. */
static bool read_step(const char *text, double *rate, double *seconds)
{
	struct error ignored = {0}; /* the caller says what is accepted */
	struct slice name = {text, strcspn(text, ":")};
	uint64_t length_ns = 0;
	*rate = 0;
	bool is_rate =
	    slice_is(name, "0") || slice_is(name, "0/s") || num_parse_rate(name, rate, &ignored);
	bool good = is_rate && text[name.len] == ':' &&
		    num_parse_duration(slice_str(text + name.len + 1), &length_ns, &ignored) &&
		    length_ns > 0;
	*seconds = (double)length_ns / 1e9;
	return good;
}

static void add_step(json_t *schedule, double rate, double seconds)
{
	json_array_append_new(schedule, rate > 0
					    ? json_pack("{s:f, s:f}", "rate", rate, "for", seconds)
					    : json_pack("{s:f}", "pause", seconds));
}

/* RATE:DURATION,... as a schedule of the settings. */
static json_t *read_schedule(const struct bench_options *o, double share, struct error *err)
{
	char **texts = plan_split(&o->schedule);
	json_t *schedule = json_array();
	bool good = true, sends = false;
	for (size_t i = 0; good && texts[i] != NULL; i++) {
		double rate, seconds;
		good = read_step(texts[i], &rate, &seconds);
		if (good)
			add_step(schedule, rate * share, seconds);
		sends = sends || rate > 0;
	}
	if (!sends) { /* publishers that only connect wait for something that does not come */
		add_step(schedule, 0, ALL_TIME_S);
		add_step(schedule, 1, 1);
	}
	plan_free_texts(texts);
	if (good)
		return schedule;
	json_decref(schedule);
	error_set(err, ERROR_USAGE, "option '--schedule' takes RATE:DURATION, such as 200/s:30s");
	return NULL;
}

/* What is asked of a channel is shared out by weight among the patterns that it sends: a pattern
 * has what lies between two places in the sum of weights. */
struct share {
	double from, to, sum;
};

/* Adds up to the amount over all shares. */
static uint64_t amount_upto(uint64_t amount, const struct share *s, double place)
{
	return place >= s->sum ? amount : (uint64_t)((double)amount * (place / s->sum));
}

static bool read_pace(const struct plan *plan, const json_t *spec, const struct share *s,
    struct pace_plan *out, struct error *err)
{
	static const char *const arrivals[] = {"regular", "poisson"};
	const struct bench_options *o = plan->options;
	double share = (s->to - s->from) / s->sum;
	bool is_search = o->find_max && !o->has_total_rate; /* each of its runs has a rate */
	json_t *schedule = o->schedule.count > 0 ? read_schedule(o, share, err) : NULL;
	if (o->schedule.count > 0 && schedule == NULL)
		return false;
	struct paced paced = {.has_amount = o->has_pmessages,
	    .amount = amount_upto(o->pmessages, s, s->to) - amount_upto(o->pmessages, s, s->from),
	    .has_delay = o->has_interval,
	    .delay_ns = (uint64_t)((double)o->interval_ns / share),
	    .has_rate = o->has_rate || o->has_total_rate,
	    .rate = share * (o->has_rate ? o->rate : o->total_rate / (double)plan->publishers),
	    .schedule = schedule,
	    .arrivals =
		o->arrivals == BENCH_POISSON && !is_search ? arrivals[BENCH_POISSON] : NULL};
	bool good = paced_read(spec, &paced, out, err);
	json_decref(schedule);
	return good;
}

static bool add_member(const struct plan *plan, struct plan_lane *lane, const char *name,
    const json_t *spec, const struct share *share, struct error *err)
{
	struct plan_member *member = &lane->members[lane->member_count];
	*member = (struct plan_member){.name = name, .spec = spec};
	if (!read_pace(plan, spec, share, &member->pace, err))
		return false;
	lane->member_count++;
	return true;
}

bool plan_members(struct plan *plan, size_t publisher, struct plan_lane *lane, struct error *err)
{
	const struct settings *s = plan->settings;
	struct share share = {0, 1, 1};
	lane->members = mem_alloc(s->message_count + 1, sizeof *lane->members);
	if (!takes_settings(plan))
		return add_member(
		    plan, lane, "bench", json_array_get(plan->specs, publisher), &share, err);
	share = (struct share){0};
	for (size_t i = 0; i < s->message_count; i++)
		share.sum += plan_sends(plan, s->messages[i].name) ? s->messages[i].plan.weight : 0;
	for (size_t i = 0; i < s->message_count; i++) {
		const struct settings_message *m = &s->messages[i];
		if (!plan_sends(plan, m->name))
			continue;
		share.from = share.to;
		share.to += m->plan.weight;
		if (!add_member(plan, lane, m->name, m->spec, &share, err))
			return false;
	}
	return true;
}
