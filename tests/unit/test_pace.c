#include "model/pace.h"

#include "base/buf.h"
#include "base/mem.h"
#include "model/reader.h"

#include <check.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define START (UINT64_C(5) * CHRONO_S)

/* An assertion for long loops: Check writes to a file for each of its own. */
#define IN_LOOP(condition, n)                                                  \
	do {                                                                   \
		if (!(condition))                                              \
			ck_abort_msg("%s at message %" PRIu64, #condition, n); \
	} while (0)

static void collect(void *ctx, const char *pointer, const char *text)
{
	buf_printf(ctx, "%s: %s\n", pointer, text);
}

static json_t *parse(const char *text)
{
	json_error_t at;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &at);
	ck_assert_msg(json != NULL, "%s: %s", text, at.text);
	return json;
}

static struct pace_plan plan_of(const char *text)
{
	struct pace_plan plan = {0};
	struct buf problems = {0};
	json_t *spec = parse(text);
	bool good = pace_plan_read(spec, &plan, collect, &problems);
	ck_assert_msg(good, "%s: %s", text, good ? "" : problems.ptr);
	ck_assert_uint_eq(problems.len, 0);
	json_decref(spec);
	buf_release(&problems);
	return plan;
}

/* Due times of the first messages after the start, in ms; -1 is the end. */
#define DUES 9
static const struct {
	const char *spec;
	double dues_ms[DUES];
} dues[] = {
    {"{\"delay\": \"1s\"}", {0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000}},
    {"{\"delay\": 0.25}", {0, 250, 500, 750, 1000, 1250, 1500, 1750, 2000}},
    {"{\"delay\": 2, \"amount\": 3}", {0, 2000, 4000, -1, -1, -1, -1, -1, -1}},
    {"{\"delay\": {\"from\": \"5ms\", \"to\": \"5ms\"}, \"amount\": 2}",
	{0, 5, -1, -1, -1, -1, -1, -1, -1}},
    {"{\"amount\": 0}", {-1, -1, -1, -1, -1, -1, -1, -1, -1}},
    {"{\"amount\": 0, \"rate\": 5}", {-1, -1, -1, -1, -1, -1, -1, -1, -1}},
    {"{\"amount\": 4}", {0, 0, 0, 0, -1, -1, -1, -1, -1}},
    {"{}", {0, 0, 0, 0, 0, 0, 0, 0, 0}},
    {"{\"delay\": \"0s\", \"amount\": 2.0}", {0, 0, -1, -1, -1, -1, -1, -1, -1}},
    {"{\"rate\": \"500/s\"}", {0, 2, 4, 6, 8, 10, 12, 14, 16}},
    {"{\"rate\": 4}", {0, 250, 500, 750, 1000, 1250, 1500, 1750, 2000}},
    {"{\"rate\": \"30/m\"}", {0, 2000, 4000, 6000, 8000, 10000, 12000, 14000, 16000}},
    {"{\"schedule\": [{\"rate\": \"2/s\", \"for\": \"2s\"}]}",
	{0, 500, 1000, 1500, -1, -1, -1, -1, -1}},
    {"{\"schedule\": [{\"rate\": \"2/s\", \"for\": \"1s\"}, {\"pause\": \"3s\"}, {\"rate\": 1}]}",
	{0, 500, 4000, 5000, 6000, 7000, 8000, 9000, 10000}},
    {"{\"schedule\": [{\"pause\": \"3s\"}, {\"rate\": \"2/s\", \"for\": \"1s\"}]}",
	{3000, 3500, -1, -1, -1, -1, -1, -1, -1}},
    {"{\"schedule\": [{\"rate\": \"2/s\", \"for\": \"1s\"}, {\"pause\": 1}], \"repeat\": true}",
	{0, 500, 2000, 2500, 4000, 4500, 6000, 6500, 8000}},
    {"{\"schedule\": [{\"rate\": \"2/s\", \"for\": \"1s\"}, {\"pause\": 1}], \"repeat\": true, "
     "\"amount\": 3}",
	{0, 500, 2000, -1, -1, -1, -1, -1, -1}},
    /* one and a half messages a step: the half is carried over */
    {"{\"schedule\": [{\"rate\": 1, \"for\": \"1.5s\"}, {\"rate\": 10, \"for\": \"200ms\"}]}",
	{0, 1000, 1550, 1650, -1, -1, -1, -1, -1}},
    /* two messages an hour, from steps that are far shorter than the gap */
    {"{\"schedule\": [{\"rate\": \"2/h\", \"for\": \"1s\"}, {\"pause\": \"1s\"}], \"repeat\": "
     "true}",
	{0, 3600000, 7200000, 10800000, 14400000, 18000000, 21600000, 25200000, 28800000}},
    /* a ramp: n = t * t / 2 */
    {"{\"schedule\": [{\"from\": 0, \"to\": 4, \"for\": \"4s\"}]}",
	{0, 1414.213562, 2000, 2449.489743, 2828.427125, 3162.277660, 3464.101615, 3741.657387,
	    -1}},
    /* and down again: n = 4 * t - t * t / 2 */
    {"{\"schedule\": [{\"from\": \"4/s\", \"to\": \"0/s\", \"for\": \"4s\"}]}",
	{0, 258.342613, 535.898385, 837.722340, 1171.572875, 1550.510257, 2000, 2585.786438, -1}},
    {"{\"schedule\": [{\"from\": 2, \"to\": 2, \"for\": \"1s\"}, {\"rate\": 1}], \"amount\": 4}",
	{0, 500, 1000, 2000, -1, -1, -1, -1, -1}},
};

START_TEST(messages_are_due_as_planned)
{
	struct pace_plan plan = plan_of(dues[_i].spec);
	struct rng rng = {{1, 2, 3, 4}};
	struct pace p;
	pace_start(&p, &plan, &rng, START);
	for (size_t n = 0; n < DUES; n++) {
		double expected = dues[_i].dues_ms[n];
		ck_assert_int_eq(pace_done(&p), expected < 0);
		if (expected < 0) {
			ck_assert_uint_eq(pace_due(&p), CHRONO_NEVER);
		} else {
			uint64_t due_ns = START + (uint64_t)llround(expected * 1e6);
			ck_assert_msg(pace_due(&p) == due_ns, "message %zu of %s: %" PRIu64, n,
			    dues[_i].spec, pace_due(&p) - START);
		}
		pace_take(&p);
	}
	ck_assert_uint_eq(rng.state[0], 1); /* nothing was drawn */
	pace_plan_release(&plan);
}
END_TEST

/* Runs a plan to its end; returns the number of messages and the last due time. */
static uint64_t run(const struct pace_plan *plan, struct rng *rng, uint64_t *last_ns)
{
	struct pace p;
	uint64_t count = 0;
	*last_ns = 0;
	for (pace_start(&p, plan, rng, START); !pace_done(&p); pace_take(&p), count++) {
		IN_LOOP(pace_due(&p) >= *last_ns, count);
		*last_ns = pace_due(&p);
	}
	return count;
}

START_TEST(ten_thousand_at_500_a_second_take_exactly_20_seconds)
{
	struct pace_plan plan = plan_of("{\"rate\": \"500/s\", \"amount\": 10001}");
	struct rng rng = {0};
	uint64_t last_ns;
	ck_assert_uint_eq(run(&plan, &rng, &last_ns), 10001);
	ck_assert_uint_eq(last_ns, START + 20 * CHRONO_S);
	pace_plan_release(&plan);
}
END_TEST

static const struct {
	const char *spec;
	uint64_t messages, per_ns; /* `messages` every `per_ns` */
} steady[] = {
    {"{\"rate\": \"3/s\", \"amount\": 1000000}", 3, CHRONO_S},
    {"{\"rate\": 7, \"amount\": 1000000}", 7, CHRONO_S},
    {"{\"rate\": \"20/m\", \"amount\": 1000000}", 20, 60 * CHRONO_S},
    {"{\"rate\": \"1/h\", \"amount\": 1000000}", 1, 3600 * CHRONO_S},
    {"{\"rate\": 333333, \"amount\": 1000000}", 333333, CHRONO_S},
    {"{\"delay\": \"333333333ns\", \"amount\": 1000000}", 1, 333333333},
    {"{\"schedule\": [{\"rate\": 3, \"for\": \"7s\"}], \"repeat\": true, \"amount\": 1000000}", 3,
	CHRONO_S},
    {"{\"schedule\": [{\"rate\": \"20/m\", \"for\": \"1m\"}], \"repeat\": true, "
     "\"amount\": 1000000}",
	20, 60 * CHRONO_S},
};

START_TEST(a_million_messages_do_not_drift)
{
	struct pace_plan plan = plan_of(steady[_i].spec);
	struct rng rng = {0};
	struct pace p;
	pace_start(&p, &plan, &rng, START);
	for (uint64_t n = 0; n < 1000000; n++, pace_take(&p)) {
		uint64_t exact_ns =
		    (n * steady[_i].per_ns * 2 + steady[_i].messages) / (steady[_i].messages * 2);
		uint64_t due_ns = pace_due(&p) - START;
		/* 20/m and 1/h are no exact doubles: one nanosecond either way */
		uint64_t off_ns = due_ns > exact_ns ? due_ns - exact_ns : exact_ns - due_ns;
		IN_LOOP(off_ns <= (steady[_i].per_ns > CHRONO_S), n);
	}
	ck_assert(pace_done(&p));
	pace_plan_release(&plan);
}
END_TEST

static const struct {
	const char *spec;
	uint64_t count;
} counts[] = {
    {"{\"schedule\": [{\"from\": 0, \"to\": 100, \"for\": \"10s\"}]}", 500},
    {"{\"schedule\": [{\"from\": 100, \"to\": 0, \"for\": \"10s\"}]}", 500},
    {"{\"schedule\": [{\"from\": 100, \"to\": 300, \"for\": \"10s\"}]}", 2000},
    {"{\"schedule\": [{\"rate\": \"20/m\", \"for\": \"1m\"}]}", 20},
    {"{\"schedule\": [{\"rate\": 0.1, \"for\": \"30s\"}]}", 3},
    {"{\"schedule\": [{\"rate\": 1.1, \"for\": \"30s\"}]}", 33}, /* 33.00000000000001 */
    {"{\"schedule\": [{\"rate\": 0.3, \"for\": \"1s\"}, {\"rate\": 0.7, \"for\": \"1s\"}]}", 1},
    {"{\"schedule\": [{\"rate\": 1, \"for\": \"1.5s\"}]}", 2},
    {"{\"schedule\": [{\"from\": 0, \"to\": 50, \"for\": \"4s\"}, {\"rate\": 50, \"for\": 10}, "
     "{\"from\": 50, \"to\": 0, \"for\": \"4s\"}]}",
	700},
};

START_TEST(schedule_sends_the_integral_of_its_rate)
{
	struct pace_plan plan = plan_of(counts[_i].spec);
	struct rng rng = {0};
	uint64_t last_ns;
	ck_assert_uint_eq(run(&plan, &rng, &last_ns), counts[_i].count);
	pace_plan_release(&plan);
}
END_TEST

static const struct {
	const char *spec;
	double mean_ns;
} poisson[] = {
    {"{\"rate\": \"1000/s\", \"arrivals\": \"poisson\", \"amount\": 200000}", 1e6},
    {"{\"delay\": \"1ms\", \"arrivals\": \"poisson\", \"amount\": 200000}", 1e6},
    {"{\"schedule\": [{\"rate\": 100, \"for\": \"1s\"}], \"repeat\": true, \"arrivals\": "
     "\"poisson\", \"amount\": 200000}",
	1e7},
};

START_TEST(poisson_gaps_have_the_mean_and_variance_of_the_exponential)
{
	struct pace_plan plan = plan_of(poisson[_i].spec);
	struct rng rng;
	struct pace p;
	double sum = 0, squares = 0, mean = poisson[_i].mean_ns;
	uint64_t before_ns = START;
	size_t count = 0;
	rng_seed(&rng, 42);
	for (pace_start(&p, &plan, &rng, START); !pace_done(&p); pace_take(&p), count++) {
		double gap = (double)(pace_due(&p) - before_ns);
		before_ns = pace_due(&p);
		sum += gap;
		squares += gap * gap;
	}
	double found = sum / (double)count;
	double variance = squares / (double)count - found * found;
	ck_assert_uint_eq(count, 200000);
	ck_assert_double_eq_tol(found, mean, 0.02 * mean);
	ck_assert_double_eq_tol(variance, mean * mean, 0.05 * mean * mean);
	pace_plan_release(&plan);
}
END_TEST

START_TEST(poisson_ramp_sends_about_its_integral)
{
	struct pace_plan plan = plan_of("{\"schedule\": [{\"from\": 0, \"to\": 2000, \"for\": "
					"\"10s\"}], \"arrivals\": \"poisson\"}");
	struct rng rng;
	uint64_t last_ns;
	rng_seed(&rng, 7);
	uint64_t count = run(&plan, &rng, &last_ns);
	ck_assert_uint_ge(count, 9700);
	ck_assert_uint_le(count, 10300);
	ck_assert_uint_le(last_ns, START + 10 * CHRONO_S);
	pace_plan_release(&plan);
}
END_TEST

START_TEST(drawn_delays_stay_in_their_range_and_use_all_of_it)
{
	struct pace_plan plan =
	    plan_of("{\"delay\": {\"from\": \"10ms\", \"to\": \"30ms\"}, \"amount\": 100000}");
	struct rng rng;
	struct pace p;
	uint64_t before_ns = START, least = UINT64_MAX, most = 0;
	rng_seed(&rng, 1);
	pace_start(&p, &plan, &rng, START);
	ck_assert_uint_eq(pace_due(&p), START);
	for (pace_take(&p); !pace_done(&p); pace_take(&p)) {
		uint64_t gap_ns = pace_due(&p) - before_ns;
		before_ns = pace_due(&p);
		least = gap_ns < least ? gap_ns : least;
		most = gap_ns > most ? gap_ns : most;
	}
	ck_assert_uint_ge(least, 10 * CHRONO_MS);
	ck_assert_uint_le(most, 30 * CHRONO_MS);
	ck_assert_uint_le(least, 10 * CHRONO_MS + 10000);
	ck_assert_uint_ge(most, 30 * CHRONO_MS - 10000);
	double mean = (double)(before_ns - START) / 99999;
	ck_assert_double_eq_tol(mean, 20e6, 0.1e6);
	pace_plan_release(&plan);
}
END_TEST

static const struct {
	const char *spec;
	uint64_t gap_ns, jitter_ns;
} jitters[] = {
    {"{\"rate\": 100, \"jitter\": \"2ms\", \"amount\": 100000}", 10000000, 2000000},
    {"{\"rate\": 100, \"jitter\": \"20%\", \"amount\": 100000}", 10000000, 2000000},
    {"{\"delay\": \"10ms\", \"jitter\": \"20%\", \"amount\": 100000}", 10000000, 2000000},
    {"{\"delay\": \"10ms\", \"jitter\": 0.002, \"amount\": 100000}", 10000000, 2000000},
    {"{\"delay\": \"10ms\", \"jitter\": \"35ms\", \"amount\": 100000}", 10000000, 35000000},
};

START_TEST(jitter_is_bounded_and_neither_drifts_nor_reorders)
{
	struct pace_plan plan = plan_of(jitters[_i].spec);
	struct rng rng;
	struct pace p;
	uint64_t before_ns = 0, n = 0, jitter_ns = jitters[_i].jitter_ns;
	int64_t least = 0, most = 0;
	rng_seed(&rng, 3);
	pace_start(&p, &plan, &rng, START);
	ck_assert_uint_eq(pace_due(&p), START);
	for (; !pace_done(&p); pace_take(&p), n++) {
		int64_t off = (int64_t)(pace_due(&p) - (START + n * jitters[_i].gap_ns));
		IN_LOOP(pace_due(&p) >= before_ns, n);
		before_ns = pace_due(&p);
		least = off < least ? off : least;
		most = off > most ? off : most;
	}
	ck_assert_uint_eq(n, 100000);
	ck_assert_int_ge(least, -(int64_t)jitter_ns);
	ck_assert_int_le(most, (int64_t)jitter_ns);
	ck_assert_int_ge(most, (int64_t)(jitter_ns * 99 / 100));
	if (jitter_ns < jitters[_i].gap_ns / 2) /* else the clamp hides it */
		ck_assert_int_le(least, -(int64_t)(jitter_ns * 99 / 100));
	pace_plan_release(&plan);
}
END_TEST

START_TEST(share_of_jitter_after_a_pause_is_that_of_the_rate)
{
	struct pace_plan plan = plan_of("{\"schedule\": [{\"rate\": 10, \"for\": \"1s\"}, "
					"{\"pause\": \"1h\"}], \"repeat\": true, "
					"\"jitter\": \"50%\", \"amount\": 1000}");
	struct rng rng;
	struct pace p;
	rng_seed(&rng, 3);
	pace_start(&p, &plan, &rng, START);
	for (uint64_t n = 0; !pace_done(&p); pace_take(&p), n++) {
		uint64_t due_ns = START + n / 10 * 3601 * CHRONO_S + n % 10 * 100 * CHRONO_MS;
		ck_assert_uint_ge(pace_due(&p) + 50 * CHRONO_MS, due_ns);
		ck_assert_uint_le(pace_due(&p), due_ns + 50 * CHRONO_MS);
	}
	pace_plan_release(&plan);
}
END_TEST

START_TEST(same_seed_gives_the_same_due_times)
{
	struct pace_plan plan = plan_of("{\"rate\": 10, \"arrivals\": \"poisson\"}");
	struct rng one, two;
	struct pace a, b;
	rng_seed(&one, 9);
	rng_seed(&two, 9);
	pace_start(&a, &plan, &one, START);
	pace_start(&b, &plan, &two, START);
	for (int i = 0; i < 1000; i++, pace_take(&a), pace_take(&b))
		ck_assert_uint_eq(pace_due(&a), pace_due(&b));
	pace_plan_release(&plan);
}
END_TEST

START_TEST(due_times_beyond_the_clock_are_never)
{
	struct pace_plan plan = plan_of("{\"delay\": \"100000d\"}");
	struct rng rng = {0};
	uint64_t last_ns;
	ck_assert_uint_eq(run(&plan, &rng, &last_ns), 3);
	pace_plan_release(&plan);
	plan = plan_of("{\"schedule\": [{\"rate\": 1e-9, \"for\": \"1ns\"}, {\"pause\": "
		       "\"1d\"}], \"repeat\": true}");
	ck_assert_uint_eq(run(&plan, &rng, &last_ns), 1);
	ck_assert_uint_eq(last_ns, START);
	pace_plan_release(&plan);
}
END_TEST

START_TEST(rounds_without_a_message_are_left_out)
{
	struct pace_plan plan = plan_of("{\"schedule\": [{\"rate\": 1e-9, \"for\": \"1ns\"}], "
					"\"repeat\": true, \"amount\": 3}");
	struct rng rng = {0};
	uint64_t last_ns;
	ck_assert_uint_eq(run(&plan, &rng, &last_ns), 3);
	ck_assert_double_eq_tol((double)last_ns, 2e18, 1e12);
	pace_plan_release(&plan);
}
END_TEST

START_TEST(plan_is_read)
{
	struct pace_plan plan = plan_of(
	    "{\"amount\": 20, \"weight\": 2.5, \"repeat\": false, \"jitter\": \"12.5%\", "
	    "\"schedule\": [{\"rate\": \"6/m\", \"for\": 2}, {\"from\": 0, \"to\": \"9/s\", "
	    "\"for\": \"1m\"}, {\"pause\": \"5ms\"}], \"exchange\": 5, \"delay\": null}");
	ck_assert(!plan.unlimited && !plan.repeat && pace_plan_is_paced(&plan));
	ck_assert_uint_eq(plan.amount, 20);
	ck_assert_double_eq(plan.weight, 2.5);
	ck_assert_double_eq(plan.jitter_share, 0.125);
	ck_assert_uint_eq(plan.jitter_ns, 0);
	ck_assert_int_eq(plan.arrivals, PACE_REGULAR);
	ck_assert_uint_eq(plan.step_count, 3);
	ck_assert_double_eq(plan.steps[0].from_per_second, 0.1);
	ck_assert_double_eq(plan.steps[0].to_per_second, 0.1);
	ck_assert_uint_eq(plan.steps[0].length_ns, 2 * CHRONO_S);
	ck_assert_double_eq(plan.steps[1].from_per_second, 0);
	ck_assert_double_eq(plan.steps[1].to_per_second, 9);
	ck_assert_uint_eq(plan.steps[1].length_ns, 60 * CHRONO_S);
	ck_assert_double_eq(plan.steps[2].to_per_second, 0);
	ck_assert_uint_eq(plan.steps[2].length_ns, 5 * CHRONO_MS);
	pace_plan_release(&plan);
	ck_assert_ptr_null(plan.steps);
}
END_TEST

START_TEST(empty_plan_has_its_defaults)
{
	struct pace_plan plan = plan_of("{}");
	ck_assert(plan.unlimited && !pace_plan_is_paced(&plan));
	ck_assert_double_eq(plan.weight, 1);
	pace_plan_release(&plan);
}
END_TEST

#define STEP                                                                           \
	"a step is one of {rate: 100/s, for: 10s}, {from: 0, to: 500/s, for: 1m} and " \
	"{pause: 10s}\n"
#define DURATION "is not a duration such as 250ms, 1s, 2m or 1h"
#define RATE "is not a rate such as 500/s or 30/m, above 0 and up to 1000000000/s\n"

static const struct {
	const char *spec, *problems;
} bads[] = {
    {"{\"amount\": -1}", "/amount: -1 is not a whole number of at least 0\n"},
    {"{\"amount\": 1.5}", "/amount: 1.5 is not a whole number of at least 0\n"},
    {"{\"amount\": \"20\"}", "/amount: '20' is not a whole number of at least 0\n"},
    {"{\"amount\": []}", "/amount: a list is not a whole number of at least 0\n"},
    {"{\"delay\": \"soon\"}", "/delay: 'soon' " DURATION ", or a range {from: 100ms, to: 2s}\n"},
    {"{\"delay\": -1}", "/delay: -1 " DURATION ", or a range {from: 100ms, to: 2s}\n"},
    {"{\"delay\": true}", "/delay: true " DURATION ", or a range {from: 100ms, to: 2s}\n"},
    {"{\"delay\": \"\\u001b[31m\"}",
	"/delay: '\\x1b[31m' " DURATION ", or a range {from: 100ms, to: 2s}\n"},
    {"{\"delay\": {\"from\": \"2s\", \"to\": \"1s\"}}",
	"/delay: a range that runs backwards; 'from' is at most 'to'\n"},
    {"{\"delay\": {\"from\": \"2s\"}}",
	"/delay: a range needs 'from' and 'to', as in {from: 100ms, to: 2s}\n"},
    {"{\"delay\": {\"from\": \"x\", \"to\": {}}}",
	"/delay/from: 'x' " DURATION "\n/delay/to: a mapping " DURATION "\n"},
    {"{\"rate\": 0}", "/rate: 0 " RATE},
    {"{\"rate\": -5}", "/rate: -5 " RATE},
    {"{\"rate\": \"0/s\"}", "/rate: '0/s' " RATE},
    {"{\"rate\": \"5/d\"}", "/rate: '5/d' " RATE},
    {"{\"rate\": []}", "/rate: a list is not a rate such as 500/s or 30/m\n"},
    {"{\"rate\": 5, \"delay\": 1}", "/rate: rate cannot stand beside delay; keep one of them\n"},
    {"{\"rate\": 5, \"schedule\": [], \"delay\": 1}",
	"/rate: rate cannot stand beside delay; keep one of them\n"
	"/schedule: schedule cannot stand beside delay; keep one of them\n"},
    {"{\"jitter\": \"50ms\"}", "/jitter: jitter needs a delay, a rate or a schedule\n"},
    {"{\"jitter\": \"5%\", \"delay\": 0}", "/jitter: jitter needs a delay, a rate or a schedule\n"},
    {"{\"rate\": 5, \"jitter\": \"101%\"}",
	"/jitter: '101%' is not a duration such as 50ms, or a share of the gap from 0% to 100%\n"},
    {"{\"rate\": 5, \"jitter\": \"%\"}",
	"/jitter: '%' is not a duration such as 50ms, or a share of the gap from 0% to 100%\n"},
    {"{\"rate\": 5, \"jitter\": \"-1%\"}",
	"/jitter: '-1%' is not a duration such as 50ms, or a share of the gap from 0% to 100%\n"},
    {"{\"rate\": 5, \"jitter\": \"x\"}", "/jitter: 'x' " DURATION "\n"},
    {"{\"arrivals\": \"poisson\"}",
	"/arrivals: poisson arrivals need a rate, a schedule or a delay\n"},
    {"{\"rate\": 1, \"arrivals\": \"poison\"}",
	"/arrivals: 'poison' is not regular or poisson; did you mean 'poisson'?\n"},
    {"{\"rate\": 1, \"arrivals\": 5}", "/arrivals: 5 is not regular or poisson\n"},
    {"{\"arrivals\": \"poisson\", \"delay\": {\"from\": 1, \"to\": 2}}",
	"/arrivals: poisson arrivals draw the gaps themselves; give one delay, not a range\n"},
    {"{\"weight\": 0}", "/weight: 0 is not a number above 0\n"},
    {"{\"weight\": -0.5}", "/weight: -0.5 is not a number above 0\n"},
    {"{\"weight\": \"1\"}", "/weight: '1' is not a number above 0\n"},
    {"{\"repeat\": true}", "/repeat: repeat needs a schedule\n"},
    {"{\"repeat\": true, \"rate\": 5}", "/repeat: repeat needs a schedule\n"},
    {"{\"repeat\": 1}", "/repeat: 1 is not true or false\n"},
    {"{\"repeat\": true, \"schedule\": [{\"rate\": 5}]}",
	"/repeat: the last step never ends, so nothing repeats; give it 'for'\n"},
    {"{\"schedule\": []}",
	"/schedule: not a list of steps, such as [{rate: 100/s, for: 10s}, {pause: 5s}]\n"},
    {"{\"schedule\": \"5/s\"}",
	"/schedule: not a list of steps, such as [{rate: 100/s, for: 10s}, {pause: 5s}]\n"},
    {"{\"schedule\": [{\"pause\": \"1s\"}]}", "/schedule: no step sends a message\n"},
    {"{\"schedule\": [{\"rate\": 5, \"for\": \"0s\"}]}", "/schedule: no step sends a message\n"},
    {"{\"schedule\": [{}]}", "/schedule/0: " STEP},
    {"{\"schedule\": [5]}", "/schedule/0: " STEP},
    {"{\"schedule\": [{\"rate\": 5, \"pause\": 1}]}", "/schedule/0: " STEP},
    {"{\"schedule\": [{\"pause\": 1, \"for\": 1}]}", "/schedule/0: " STEP},
    {"{\"schedule\": [{\"rate\": 5, \"from\": 1, \"to\": 2, \"for\": 1}]}", "/schedule/0: " STEP},
    {"{\"schedule\": [{\"rate\": 5}, {\"rate\": 6}]}",
	"/schedule/0: without 'for' it never ends; only the last step may\n"},
    {"{\"schedule\": [{\"from\": 0, \"to\": 5}]}",
	"/schedule/0: a ramp needs 'for', as in {from: 0, to: 500/s, for: 1m}\n"},
    {"{\"schedule\": [{\"to\": 5, \"for\": 1}]}",
	"/schedule/0: a ramp needs 'from' and 'to', as in {from: 0, to: 500/s, for: 1m}\n"},
    {"{\"schedule\": [{\"from\": 0, \"to\": \"0/s\", \"for\": 1}]}",
	"/schedule/0: a ramp from 0 to 0 sends nothing; a pause is {pause: 10s}\n"},
    {"{\"schedule\": [{\"rate\": 0, \"for\": \"x\"}, {\"from\": -1, \"to\": 5, \"for\": 1}]}",
	"/schedule/0/for: 'x' " DURATION "\n/schedule/0/rate: 0 " RATE
	"/schedule/1/from: -1 " RATE},
    {"{\"amount\": -1, \"rate\": 0, \"weight\": 0}",
	"/amount: -1 is not a whole number of at least 0\n/rate: 0 " RATE
	"/weight: 0 is not a number above 0\n"},
};

START_TEST(bad_plan_is_reported_with_its_place)
{
	struct pace_plan plan = {.amount = 77};
	struct buf problems = {0};
	json_t *spec = parse(bads[_i].spec);
	ck_assert(!pace_plan_read(spec, &plan, collect, &problems));
	ck_assert_ptr_nonnull(problems.ptr);
	ck_assert_str_eq(problems.ptr, bads[_i].problems);
	ck_assert_uint_eq(plan.amount, 77);
	ck_assert_ptr_null(plan.steps);
	json_decref(spec);
	buf_release(&problems);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pace");
	TCase *tc = tcase_create("pace");
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, messages_are_due_as_planned, 0, (int)ARRAY_LEN(dues));
	tcase_add_test(tc, ten_thousand_at_500_a_second_take_exactly_20_seconds);
	tcase_add_loop_test(tc, a_million_messages_do_not_drift, 0, (int)ARRAY_LEN(steady));
	tcase_add_loop_test(tc, schedule_sends_the_integral_of_its_rate, 0, (int)ARRAY_LEN(counts));
	tcase_add_loop_test(tc, poisson_gaps_have_the_mean_and_variance_of_the_exponential, 0,
	    (int)ARRAY_LEN(poisson));
	tcase_add_test(tc, poisson_ramp_sends_about_its_integral);
	tcase_add_test(tc, drawn_delays_stay_in_their_range_and_use_all_of_it);
	tcase_add_loop_test(
	    tc, jitter_is_bounded_and_neither_drifts_nor_reorders, 0, (int)ARRAY_LEN(jitters));
	tcase_add_test(tc, share_of_jitter_after_a_pause_is_that_of_the_rate);
	tcase_add_test(tc, same_seed_gives_the_same_due_times);
	tcase_add_test(tc, due_times_beyond_the_clock_are_never);
	tcase_add_test(tc, rounds_without_a_message_are_left_out);
	tcase_add_test(tc, plan_is_read);
	tcase_add_test(tc, empty_plan_has_its_defaults);
	tcase_add_loop_test(tc, bad_plan_is_reported_with_its_place, 0, (int)ARRAY_LEN(bads));
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
