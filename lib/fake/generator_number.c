#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "fake/generator_private.h"

#include <math.h>

#define MAX_DECIMALS 9
#define MAX_EXPONENT 10

bool generator_read_bounds(const json_t *spec, uint64_t most, const struct report_path *at,
    struct report *report, struct generator_bounds *out)
{
	static const char *const keys[] = {"min", "max", NULL};
	const json_t *low = spec, *high = spec;
	if (json_is_object(spec)) {
		if (!report_keys(report, at, spec, keys))
			return false;
		low = json_object_get(spec, "min");
		high = json_object_get(spec, "max");
	}
	struct error ignored = {0}; /* the text below says more */
	struct slice size = {json_string_value(spec), json_string_length(spec)};
	if (json_is_string(spec) && num_parse_size(size, &out->min, &ignored) && out->min <= most) {
		out->max = out->min;
		return true;
	}
	if (!json_is_integer(low) || !json_is_integer(high) || json_integer_value(low) < 0 ||
	    (uint64_t)json_integer_value(high) > most ||
	    json_integer_value(low) > json_integer_value(high))
		return report_add(report, at,
		    "must be a whole number from 0 to %llu, or a map with min and max of such, "
		    "min not above max",
		    (unsigned long long)most);
	out->min = (uint64_t)json_integer_value(low);
	out->max = (uint64_t)json_integer_value(high);
	return true;
}

/* sequence */

static bool read_integer(const json_t *spec, const char *key, const struct report_path *at,
    struct report *report, int64_t *out)
{
	struct report_path here = {at, key, 0};
	const json_t *json = json_object_get(spec, key);
	if (json == NULL)
		return true;
	if (!json_is_integer(json))
		return report_kind(report, &here, "a whole number", json);
	*out = json_integer_value(json);
	return true;
}

static bool compile_sequence(struct generator *g, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	static const char *const keys[] = {"from", "step", NULL};
	g->u.sequence.from = json_is_integer(spec) ? json_integer_value(spec) : 1;
	g->u.sequence.step = 1;
	if (json_is_integer(spec))
		return true;
	if (!json_is_object(spec))
		return report_kind(
		    scope->report, at, "a whole number or a map with from and step", spec);
	bool good = report_keys(scope->report, at, spec, keys);
	good &= read_integer(spec, "from", at, scope->report, &g->u.sequence.from);
	good &= read_integer(spec, "step", at, scope->report, &g->u.sequence.step);
	struct report_path here = {at, "step", 0};
	if (good && g->u.sequence.step == 0)
		return report_add(scope->report, &here,
		    "a step of 0 never counts; {constant: ...} is a value that stays");
	return good;
}

/* Unsigned, so that a sequence without end wraps instead of being undefined. */
static enum value_kind render_sequence(
    const struct generator *g, struct generator_context *x, struct buf *out)
{
	uint64_t value = (uint64_t)g->u.sequence.from + (uint64_t)g->u.sequence.step * x->sequence;
	value_write_decimal((int64_t)value, 0, out);
	return VALUE_NUMBER;
}

const struct generator_kind generator_sequence = {
    "sequence", compile_sequence, render_sequence, NULL};

/* number */

struct number_spec {
	double min, max, mean, deviation, exponent; /* NAN: not given */
	int64_t decimals;
	enum distribution_kind kind;
};

static bool read_real(const json_t *spec, const char *key, const struct report_path *at,
    struct report *report, double *out)
{
	struct report_path here = {at, key, 0};
	const json_t *json = json_object_get(spec, key);
	*out = NAN;
	if (json == NULL)
		return true;
	if (!json_is_number(json))
		return report_kind(report, &here, "a number", json);
	*out = json_number_value(json);
	return true;
}

static bool read_kind(const json_t *spec, const struct report_path *at, struct report *report,
    enum distribution_kind *out)
{
	static const char *const names[] = {
	    [DISTRIBUTION_UNIFORM] = "uniform",
	    [DISTRIBUTION_NORMAL] = "normal",
	    [DISTRIBUTION_EXPONENTIAL] = "exponential",
	    [DISTRIBUTION_ZIPF] = "zipf",
	    NULL,
	};
	struct report_path here = {at, "distribution", 0};
	const json_t *json = json_object_get(spec, "distribution");
	if (json == NULL)
		return true;
	if (!json_is_string(json))
		return report_kind(report, &here, "uniform, normal, exponential or zipf", json);
	struct slice word = {json_string_value(json), json_string_length(json)};
	for (size_t i = 0; names[i] != NULL; i++)
		if (slice_is(word, names[i])) {
			*out = (enum distribution_kind)i;
			return true;
		}
	return report_unknown(
	    report, &here, "unknown distribution", word, text_suggest(word, names));
}

static bool read_number(
    const json_t *spec, const struct report_path *at, struct report *report, struct number_spec *n)
{
	static const char *const keys[] = {
	    "min", "max", "decimals", "distribution", "mean", "deviation", "exponent", NULL};
	if (!json_is_object(spec))
		return report_kind(report, at, "a map such as {min: 1, max: 6}", spec);
	const struct {
		const char *key;
		double *out;
	} reals[] = {
	    {"min", &n->min},
	    {"max", &n->max},
	    {"mean", &n->mean},
	    {"deviation", &n->deviation},
	    {"exponent", &n->exponent},
	};
	bool good = report_keys(report, at, spec, keys);
	good &= read_kind(spec, at, report, &n->kind);
	good &= read_integer(spec, "decimals", at, report, &n->decimals);
	for (size_t i = 0; i < ARRAY_LEN(reals); i++)
		good &= read_real(spec, reals[i].key, at, report, reals[i].out);
	return good;
}

static double or_else(double value, double otherwise)
{
	return isnan(value) ? otherwise : value;
}

/* What is not given but follows from the rest. */
static void fill_defaults(struct number_spec *n, double limit)
{
	bool is_open = n->kind == DISTRIBUTION_NORMAL || n->kind == DISTRIBUTION_EXPONENTIAL;
	bool is_bounded = !isnan(n->min) && !isnan(n->max);
	if (n->kind == DISTRIBUTION_NORMAL && is_bounded) {
		n->mean = or_else(n->mean, n->min / 2 + n->max / 2);
		n->deviation = or_else(n->deviation, (n->max - n->min) / 6);
	}
	if (is_open) {
		n->min = or_else(n->min, -limit);
		n->max = or_else(n->max, limit);
	} else {
		n->min = or_else(n->min, n->kind == DISTRIBUTION_ZIPF ? 1 : 0);
	}
	n->exponent = or_else(n->exponent, 1);
}

/* A key that its distribution does not look at is a slip. */
static bool check_used(const json_t *spec, const struct report_path *at, struct report *report,
    const struct number_spec *n)
{
	const struct {
		const char *key;
		bool is_used;
		const char *text;
	} rows[] = {
	    {"mean", n->kind == DISTRIBUTION_NORMAL || n->kind == DISTRIBUTION_EXPONENTIAL,
		"is for a normal or exponential distribution"},
	    {"deviation", n->kind == DISTRIBUTION_NORMAL, "is for a normal distribution"},
	    {"exponent", n->kind == DISTRIBUTION_ZIPF, "is for a zipf distribution"},
	};
	bool good = true;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct report_path here = {at, rows[i].key, 0};
		if (json_object_get(spec, rows[i].key) != NULL && !rows[i].is_used)
			good = report_add(report, &here, "%s", rows[i].text);
	}
	return good;
}

/* The first rule that a number breaks, by what it is about; NULL when it is good. */
static const char *find_fault(const struct number_spec *n, double limit, const char **about)
{
	const struct {
		const char *key;
		bool is_broken;
		const char *text;
	} rules[] = {
	    {"max", isnan(n->max), "is missing; must be the largest number wanted"},
	    {"mean", n->kind == DISTRIBUTION_NORMAL && isnan(n->mean),
		"is missing; give mean and deviation, or min and max"},
	    {"deviation", n->kind == DISTRIBUTION_NORMAL && !(n->deviation >= 0),
		"must be at least 0; give mean and deviation, or min and max"},
	    {"mean", n->kind == DISTRIBUTION_EXPONENTIAL && isnan(n->mean),
		"is missing; an exponential distribution needs it"},
	    {"mean", n->kind == DISTRIBUTION_EXPONENTIAL && !(n->mean > 0),
		"must be above 0 for an exponential distribution"},
	    {"exponent", !(n->exponent > 0 && n->exponent <= MAX_EXPONENT),
		"must be above 0 and at most 10"},
	    {"decimals", n->kind == DISTRIBUTION_ZIPF && n->decimals != 0,
		"must be 0: zipf draws whole numbers"},
	    {"min", n->min < -limit || n->min > limit,
		"is beyond 2^53 in units of the last decimal"},
	    {"max", n->max < -limit || n->max > limit,
		"is beyond 2^53 in units of the last decimal"},
	    {"mean", fabs(n->mean) > limit, "is beyond 2^53 in units of the last decimal"},
	    {"deviation", n->deviation > limit, "is beyond 2^53 in units of the last decimal"},
	    {"max", n->max < n->min, "must not be below min"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (rules[i].is_broken) {
			*about = rules[i].key;
			return rules[i].text;
		}
	return NULL;
}

static bool compile_number(struct generator *g, const json_t *spec, const struct report_path *at,
    struct generator_scope *scope)
{
	struct number_spec n = {0};
	struct report_path here = {at, "decimals", 0};
	if (!read_number(spec, at, scope->report, &n) || !check_used(spec, at, scope->report, &n))
		return false;
	if (n.decimals < 0 || n.decimals > MAX_DECIMALS)
		return report_add(scope->report, &here, "must be from 0 to %d", MAX_DECIMALS);
	double scale = pow(10, (double)n.decimals);
	double limit = (double)DISTRIBUTION_LIMIT / scale;
	fill_defaults(&n, limit);
	const char *fault = find_fault(&n, limit, &here.key);
	if (fault != NULL)
		return report_add(scope->report, &here, "%s", fault);
	g->u.number.decimals = (unsigned)n.decimals;
	/* 0.07 * 100 is a little above 7: a bound keeps the decimals it was written with. */
	double low = ceil(n.min * scale - 1e-6), high = floor(n.max * scale + 1e-6);
	if (low > high)
		return report_add(scope->report, at,
		    "there is no number with %d decimals from min to max", (int)n.decimals);
	g->u.number.distribution = (struct distribution){.kind = n.kind,
	    .low = (int64_t)low,
	    .high = (int64_t)high,
	    .mean = n.mean * scale,
	    .deviation = n.deviation * scale,
	    .exponent = n.exponent};
	distribution_prepare(&g->u.number.distribution);
	return true;
}

static enum value_kind render_number(
    const struct generator *g, struct generator_context *x, struct buf *out)
{
	value_write_decimal(
	    distribution_draw(&g->u.number.distribution, x->rng), g->u.number.decimals, out);
	return VALUE_NUMBER;
}

const struct generator_kind generator_number = {"number", compile_number, render_number, NULL};
