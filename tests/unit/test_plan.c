/* What a load run will do: from options and settings, with no broker. */
#include "bench/plan.h"

#include "base/mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct bench_options options;
static struct tool tool;
static struct plan plan;
static struct error err;
static char *no_operands[] = {NULL};

static struct option_list *const lists[] = {&options.queues, &options.queue_arguments,
    &options.schedule, &options.sizes, &options.bodies, &options.flags, &options.properties,
    &options.latencies, &options.consumer_arguments};

static void setup(void)
{
	options = bench_defaults;
	tool = (struct tool){.operands = no_operands};
	plan = (struct plan){0};
	err = (struct error){0};
}

static void teardown(void)
{
	plan_release(&plan);
	settings_release(&tool.settings);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		free(lists[i]->items);
}

static void add(struct option_list *list, const char *text)
{
	list->items = mem_grow(list->items, &list->capacity, list->count + 1, sizeof *list->items);
	list->items[list->count++] = text;
}

/* Settings as `--set` would make them; NULL ends them. */
static void set(const char *const *overrides)
{
	struct problems problems = {0};
	struct settings_options given = {.overrides = overrides};
	while (overrides[given.override_count] != NULL)
		given.override_count++;
	bool good = settings_load(&given, &tool.settings, &problems, &err);
	ck_assert_msg(good, "%s %s", err.text, problems.count > 0 ? problems.items[0].text : "");
	problems_release(&problems);
	options.tool.settings = "some.yaml";
}

static void make(void)
{
	ck_assert_msg(plan_make(&tool, &options, &plan, &err), "%s", err.text);
}

static void refuse(const char *text)
{
	ck_assert_msg(!plan_make(&tool, &options, &plan, &err), "not refused: %s", text);
	ck_assert_str_eq(err.text, text);
	ck_assert_int_eq(err.kind, ERROR_USAGE);
}

static const struct plan_lane *lane_of(size_t link, size_t lane)
{
	ck_assert_uint_lt(link, plan.link_count);
	ck_assert_uint_lt(lane, plan.links[link].lane_count);
	return &plan.links[link].lanes[lane];
}

static void assert_json(const json_t *got, const char *text)
{
	json_error_t where;
	json_t *expected = json_loads(text, JSON_DECODE_ANY, &where);
	ck_assert_msg(expected != NULL, "%s", where.text);
	char *shown = got != NULL ? json_dumps(got, JSON_DECODE_ANY | JSON_SORT_KEYS) : NULL;
	ck_assert_msg(json_equal(got, expected), "got %s, expected %s", shown, text);
	free(shown);
	json_decref(expected);
}

static const json_t *spec_of(size_t publisher, const char *key)
{
	return json_object_get(json_array_get(plan.specs, publisher), key);
}

/* ---- what there is when nothing is asked for ---- */

START_TEST(without_options_one_producer_feeds_one_consumer)
{
	char name[40];
	make();
	(void)snprintf(name, sizeof name, "warren-bench-%08x", plan.run);
	ck_assert_uint_eq(plan.queue_count, 1);
	ck_assert_str_eq(plan.queues[0], name);
	ck_assert(plan.is_removed);
	ck_assert(!plan.are_streams);
	ck_assert_uint_eq(plan.publishers, 1);
	ck_assert_uint_eq(plan.ledger_queues, 1);
	ck_assert_uint_eq(plan.link_count, 2);
	ck_assert(!plan.links[0].publishes); /* consumers are there first */
	ck_assert(plan.links[1].publishes);
	ck_assert_str_eq(lane_of(0, 0)->queues[0], name);
	ck_assert_uint_eq(lane_of(0, 0)->queue_count, 1);
	ck_assert_uint_eq(lane_of(0, 0)->queue_numbers[0], 0);
	ck_assert(!lane_of(0, 0)->is_stream[0]);
	ck_assert_uint_eq(lane_of(1, 0)->member_count, 1);
	ck_assert_uint_eq(lane_of(1, 0)->offset_ns, 0);
	ck_assert(lane_of(1, 0)->members[0].pace.unlimited);
	ck_assert(!pace_plan_is_paced(&lane_of(1, 0)->members[0].pace));
	ck_assert_str_eq(json_string_value(spec_of(0, "exchange")), "");
	ck_assert_str_eq(json_string_value(spec_of(0, "routing_key")), name);
	ck_assert_uint_eq(steps_at(&plan.sizes, 0), 256);
	ck_assert_int_eq(plan.stamp, EMIT_BODY);
	ck_assert(!plan.mandatory);
	ck_assert_uint_eq(plan.topology->queue_count, 1);
	ck_assert_str_eq(plan.topology->queues[0].type, "classic");
	ck_assert(plan.topology->queues[0].durable);
	/* it is looked at when its consumers are gone, and then taken away */
	ck_assert(!plan.topology->queues[0].auto_delete);
}
END_TEST

START_TEST(connections_channels_and_publishers_are_counted)
{
	options.producers = 3;
	options.producer_channels = 2;
	options.consumers = 2;
	options.consumer_channels = 4;
	make();
	ck_assert_uint_eq(plan.publishers, 6);
	ck_assert_uint_eq(plan.link_count, 5);
	for (size_t i = 0; i < 2; i++)
		ck_assert_uint_eq(plan.links[i].lane_count, 4);
	for (size_t i = 0; i < 6; i++)
		ck_assert_uint_eq(lane_of(2 + i / 2, i % 2)->publisher, i);
}
END_TEST

START_TEST(without_consumers_nothing_is_expected_to_arrive)
{
	options.consumers = 0;
	make();
	ck_assert_uint_eq(plan.ledger_queues, 0);
	ck_assert_uint_eq(plan.link_count, 1);
}
END_TEST

START_TEST(consumers_come_later_when_asked)
{
	options.consumers = 3;
	options.start_delay_ns = 5 * CHRONO_MS;
	options.slow_start = true;
	make();
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(plan.links[i].delay_ns, 5 * CHRONO_MS + i * CHRONO_S);
	ck_assert_uint_eq(plan.links[3].delay_ns, 0);
}
END_TEST

/* ---- queues ---- */

static const struct {
	const char *pattern;
	uint64_t from, to;
	const char *first, *last;
} patterns[] = {
    {"q-%d", 1, 3, "q-1", "q-3"},
    {"q-%d", 9, 11, "q-9", "q-11"},
    {"%d", 0, 0, "0", "0"},
    {"a%03db", 8, 10, "a008b", "a010b"},
    {"a%03d", 1000, 1001, "a1000", "a1001"},
    {"%09d.q", 1, 1, "000000001.q", "000000001.q"},
    {"q-%d", UINT64_MAX - 1, UINT64_MAX, "q-18446744073709551614", "q-18446744073709551615"},
};

START_TEST(a_pattern_names_queues_by_their_number)
{
	options.queue_pattern = patterns[_i].pattern;
	options.queue_from = patterns[_i].from;
	options.queue_to = patterns[_i].to;
	make();
	ck_assert_uint_eq(plan.queue_count, patterns[_i].to - patterns[_i].from + 1);
	ck_assert_str_eq(plan.queues[0], patterns[_i].first);
	ck_assert_str_eq(plan.queues[plan.queue_count - 1], patterns[_i].last);
	ck_assert(!plan.is_removed);
}
END_TEST

static const char *const bad_patterns[] = {
    "queue", "q-%s", "q-%", "q-%3d", "q-%0003d", "q-%-3d", "%d-%d", "%%d", "%d%", "q-%ld", ""};

START_TEST(a_pattern_without_one_number_is_refused)
{
	options.queue_pattern = bad_patterns[_i];
	options.queue_to = 3;
	refuse("option '--queue-pattern' takes a name with one %d, or %03d, for the number");
}
END_TEST

START_TEST(numbers_of_a_pattern_that_are_too_many_are_refused)
{
	static const uint64_t ranges[][2] = {
	    {1, 0}, {3, 2}, {1, 100001}, {0, UINT64_MAX}, {UINT64_MAX, 0}};
	options.queue_pattern = "q-%d";
	options.queue_from = ranges[_i][0];
	options.queue_to = ranges[_i][1];
	refuse("--queue-pattern-from to --queue-pattern-to must be 1 to 100000 queues");
}
END_TEST

START_TEST(producers_and_consumers_take_the_queues_of_a_pattern_in_turn)
{
	static const char *const queues[] = {"q-1", "q-2"};
	options.queue_pattern = "q-%d";
	options.queue_to = 2;
	options.producers = 3;
	options.consumers = 3;
	make();
	ck_assert_uint_eq(plan.ledger_queues, 2);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(lane_of(i, 0)->queue_count, 1);
		ck_assert_str_eq(lane_of(i, 0)->queues[0], queues[i % 2]);
		ck_assert_uint_eq(lane_of(i, 0)->queue_numbers[0], i % 2);
		ck_assert_str_eq(json_string_value(spec_of(i, "routing_key")), queues[i % 2]);
	}
}
END_TEST

START_TEST(named_queues_are_parted_by_commas_and_all_read_by_each_consumer)
{
	add(&options.queues, "a,b");
	add(&options.queues, "c");
	options.exchange = "all";
	options.type = "fanout";
	options.consumers = 2;
	make();
	ck_assert_uint_eq(plan.queue_count, 3);
	ck_assert_uint_eq(plan.ledger_queues, 3);
	for (size_t i = 0; i < 2; i++)
		for (size_t q = 0; q < 3; q++) {
			ck_assert_str_eq(lane_of(i, 0)->queues[q], plan.queues[q]);
			ck_assert_uint_eq(lane_of(i, 0)->queue_numbers[q], q);
		}
	ck_assert(!plan.is_removed);
	assert_json(plan.document,
	    "{\"exchanges\": {\"all\": {\"type\": \"fanout\", \"durable\": true}},"
	    " \"queues\": {"
	    "  \"a\": {\"type\": \"classic\", \"durable\": true, \"auto_delete\": true},"
	    "  \"b\": {\"type\": \"classic\", \"durable\": true, \"auto_delete\": true},"
	    "  \"c\": {\"type\": \"classic\", \"durable\": true, \"auto_delete\": true}},"
	    " \"bindings\": ["
	    "  {\"exchange\": \"all\", \"queue\": \"a\", \"routing_key\": \"a\"},"
	    "  {\"exchange\": \"all\", \"queue\": \"b\", \"routing_key\": \"a\"},"
	    "  {\"exchange\": \"all\", \"queue\": \"c\", \"routing_key\": \"a\"}]}");
}
END_TEST

START_TEST(a_key_that_is_given_binds_and_publishes)
{
	options.queue_pattern = "q-%d";
	options.queue_to = 2;
	options.exchange = "amq.direct";
	options.routing_key = "k";
	options.producers = 2;
	make();
	ck_assert_str_eq(json_string_value(spec_of(0, "routing_key")), "k");
	ck_assert_str_eq(json_string_value(spec_of(1, "routing_key")), "k");
	ck_assert_str_eq(json_string_value(spec_of(1, "exchange")), "amq.direct");
	ck_assert_ptr_null(json_object_get(plan.document, "exchanges"));
	assert_json(json_object_get(plan.document, "bindings"),
	    "[{\"exchange\": \"amq.direct\", \"queue\": \"q-1\", \"routing_key\": \"k\"},"
	    " {\"exchange\": \"amq.direct\", \"queue\": \"q-2\", \"routing_key\": \"k\"}]");
}
END_TEST

START_TEST(random_keys_are_a_generator)
{
	options.exchange = "amq.topic";
	options.random_routing_key = true;
	make();
	assert_json(spec_of(0, "routing_key"), "{\"uuid\": 4}");
}
END_TEST

START_TEST(queues_are_declared_as_asked)
{
	add(&options.queues, "a");
	add(&options.queue_arguments, "x-max-length=1000");
	add(&options.queue_arguments, "x-overflow=reject-publish");
	options.durable = false;
	options.auto_delete = false;
	make();
	assert_json(json_object_get(plan.document, "queues"),
	    "{\"a\": {\"type\": \"classic\", \"durable\": false, \"arguments\":"
	    " {\"x-max-length\": 1000, \"x-overflow\": \"reject-publish\"}}}");
}
END_TEST

START_TEST(quorum_queues_are_durable_and_stay)
{
	add(&options.queues, "a");
	options.queue_type = BENCH_QUORUM;
	options.durable = false;
	make();
	assert_json(json_object_get(plan.document, "queues"),
	    "{\"a\": {\"type\": \"quorum\", \"durable\": true}}");
}
END_TEST

START_TEST(what_is_predeclared_is_not_declared)
{
	add(&options.queues, "a");
	options.predeclared = true;
	make();
	ck_assert_ptr_null(plan.topology);
	ck_assert_str_eq(plan.queues[0], "a");
}
END_TEST

START_TEST(each_reader_of_a_stream_counts_as_a_queue)
{
	add(&options.queues, "s");
	options.queue_type = BENCH_STREAM;
	options.consumers = 2;
	options.consumer_channels = 2;
	options.offset = "first";
	make();
	ck_assert(plan.are_streams);
	ck_assert_uint_eq(plan.ledger_queues, 4);
	for (size_t i = 0; i < 4; i++) {
		ck_assert(lane_of(i / 2, i % 2)->is_stream[0]);
		ck_assert_uint_eq(lane_of(i / 2, i % 2)->queue_numbers[0], i);
	}
	assert_json(plan.consumer_arguments, "{\"x-stream-offset\": \"first\"}");
}
END_TEST

/* ---- what the ledger expects ---- */

/* How many copies are lost when one message of each publisher is confirmed and none arrives. */
static uint64_t lost_copies(void)
{
	struct ledger *ledger = ledger_create(plan.publishers, plan.ledger_queues);
	struct ledger_verdict verdict;
	plan_expect(&plan, ledger);
	for (size_t i = 0; i < plan.publishers; i++)
		ledger_settle(ledger, i, 0, LEDGER_CONFIRMED);
	ledger_judge(ledger, &verdict);
	ledger_free(ledger);
	return verdict.lost;
}

START_TEST(a_fanout_is_expected_on_every_queue)
{
	add(&options.queues, "a,b,c");
	options.exchange = "all";
	options.type = "fanout";
	options.producers = 2;
	make();
	ck_assert_uint_eq(lost_copies(), 6);
}
END_TEST

START_TEST(a_queue_of_a_pattern_is_expected_to_get_its_own)
{
	options.queue_pattern = "q-%d";
	options.queue_to = 3;
	options.producers = 4;
	options.consumers = 3;
	make();
	ck_assert_uint_eq(lost_copies(), 4);
}
END_TEST

START_TEST(the_default_exchange_brings_a_key_to_the_queue_of_that_name_alone)
{
	options.queue_pattern = "q-%d";
	options.queue_to = 3;
	options.routing_key = "q-2";
	options.producers = 2;
	options.consumers = 3;
	make();
	ck_assert_uint_eq(lost_copies(), 2);
}
END_TEST

START_TEST(a_shared_key_is_expected_on_every_queue_of_a_direct_exchange)
{
	options.queue_pattern = "q-%d";
	options.queue_to = 3;
	options.exchange = "e";
	options.routing_key = "k";
	options.consumers = 3;
	make();
	ck_assert_uint_eq(lost_copies(), 3);
}
END_TEST

START_TEST(a_fanout_reaches_the_queues_of_a_pattern_too)
{
	options.queue_pattern = "q-%d";
	options.queue_to = 3;
	options.exchange = "e";
	options.type = "fanout";
	options.consumers = 3;
	make();
	ck_assert_uint_eq(lost_copies(), 3);
}
END_TEST

START_TEST(readers_of_a_stream_are_each_expected_to_get_all)
{
	add(&options.queues, "s");
	options.queue_type = BENCH_STREAM;
	options.consumers = 3;
	make();
	ck_assert_uint_eq(lost_copies(), 3);
}
END_TEST

START_TEST(where_the_routing_is_not_known_one_copy_will_do)
{
	add(&options.queues, "a,b");
	options.exchange = "e";
	options.type = "topic";
	make();
	ck_assert_uint_eq(lost_copies(), 1);
}
END_TEST

/* ---- when ---- */

static void assert_steady(size_t link, double rate)
{
	const struct pace_plan *pace = &lane_of(link, 0)->members[0].pace;
	ck_assert_uint_eq(pace->step_count, 1);
	ck_assert_double_eq(pace->steps[0].from_per_second, rate);
	ck_assert_double_eq(pace->steps[0].to_per_second, rate);
	ck_assert_uint_eq(pace->steps[0].length_ns, CHRONO_NEVER);
}

START_TEST(a_total_rate_is_shared_out_and_publishers_take_turns)
{
	options.has_total_rate = true;
	options.total_rate = 100;
	options.producers = 4;
	make();
	for (size_t i = 0; i < 4; i++) {
		assert_steady(1 + i, 25);
		ck_assert_uint_eq(lane_of(1 + i, 0)->offset_ns, i * 10 * CHRONO_MS);
	}
}
END_TEST

START_TEST(a_rate_is_everybodys_and_publishers_take_turns)
{
	options.has_rate = true;
	options.rate = 10;
	options.producers = 4;
	make();
	for (size_t i = 0; i < 4; i++) {
		assert_steady(1 + i, 10);
		ck_assert_uint_eq(lane_of(1 + i, 0)->offset_ns, i * 25 * CHRONO_MS);
	}
}
END_TEST

START_TEST(an_interval_is_between_the_messages_of_each)
{
	options.has_interval = true;
	options.interval_ns = 20 * CHRONO_MS;
	options.producers = 2;
	make();
	ck_assert_uint_eq(lane_of(2, 0)->members[0].pace.delay_from_ns, 20 * CHRONO_MS);
	ck_assert_uint_eq(lane_of(2, 0)->members[0].pace.delay_to_ns, 20 * CHRONO_MS);
	ck_assert_uint_eq(lane_of(1, 0)->offset_ns, 0);
	ck_assert_uint_eq(lane_of(2, 0)->offset_ns, 10 * CHRONO_MS);
}
END_TEST

START_TEST(a_random_start_stays_within_its_bound)
{
	options.producers = 50;
	options.random_start_ns = 10;
	options.has_rate = true;
	options.rate = 0.001;
	make();
	for (size_t i = 0; i < 50; i++)
		ck_assert_uint_lt(lane_of(1 + i, 0)->offset_ns, 10);
}
END_TEST

START_TEST(amounts_are_of_each_channel)
{
	options.has_pmessages = true;
	options.pmessages = 7;
	options.producer_channels = 2;
	make();
	for (size_t i = 0; i < 2; i++) {
		ck_assert(!lane_of(1, i)->members[0].pace.unlimited);
		ck_assert_uint_eq(lane_of(1, i)->members[0].pace.amount, 7);
	}
}
END_TEST

START_TEST(a_schedule_repeats_its_rates_and_pauses)
{
	add(&options.schedule, "200/s:30s,0:500ms");
	add(&options.schedule, "60/m:1m");
	options.arrivals = BENCH_POISSON;
	make();
	const struct pace_plan *pace = &lane_of(1, 0)->members[0].pace;
	ck_assert_uint_eq(pace->step_count, 3);
	ck_assert_double_eq(pace->steps[0].from_per_second, 200);
	ck_assert_uint_eq(pace->steps[0].length_ns, 30 * CHRONO_S);
	ck_assert_double_eq(pace->steps[1].from_per_second, 0);
	ck_assert_uint_eq(pace->steps[1].length_ns, 500 * CHRONO_MS);
	ck_assert_double_eq(pace->steps[2].to_per_second, 1);
	ck_assert(pace->repeat);
	ck_assert_int_eq(pace->arrivals, PACE_POISSON);
}
END_TEST

START_TEST(a_schedule_of_pauses_alone_sends_nothing)
{
	struct pace pace;
	struct rng rng = {{1}};
	add(&options.schedule, "0/s:3600s");
	make();
	pace_start(&pace, &lane_of(1, 0)->members[0].pace, &rng, 0);
	ck_assert(!pace_done(&pace));
	ck_assert_uint_gt(pace_due(&pace), UINT64_C(90) * 365 * 86400 * CHRONO_S);
}
END_TEST

static const char *const bad_schedules[] = {"200/s", "200/s:", ":30s", "fast:30s", "200/s:soon",
    "-1/s:1s", "200/s:30s,", "", "200/s:0s", "0/s:0s"};

START_TEST(a_schedule_that_is_none_is_refused)
{
	add(&options.schedule, bad_schedules[_i]);
	refuse("option '--schedule' takes RATE:DURATION, such as 200/s:30s");
}
END_TEST

/* ---- what ---- */

START_TEST(messages_have_the_properties_that_were_asked_for)
{
	make();
	assert_json(spec_of(0, "properties"), "{\"persistent\": false}");
	assert_json(spec_of(0, "headers"), "{}");
	ck_assert_uint_eq(plan.stripped, MESSAGE_MESSAGE_ID | MESSAGE_CONTENT_TYPE);
}
END_TEST

START_TEST(properties_of_amqp_are_told_from_headers)
{
	add(&options.properties, "priority=5,app_id=007");
	add(&options.properties, "message_id=m");
	add(&options.properties, "tenant=\"7\"");
	add(&options.properties, "weight=1.5");
	add(&options.properties, "headers=x");
	add(&options.flags, "persistent,mandatory");
	options.content_type = "text/plain";
	make();
	assert_json(spec_of(0, "properties"),
	    "{\"persistent\": true, \"priority\": 5, \"app_id\": \"007\", \"message_id\": \"m\","
	    " \"content_type\": \"text/plain\"}");
	assert_json(
	    spec_of(0, "headers"), "{\"tenant\": \"7\", \"weight\": 1.5, \"headers\": \"x\"}");
	ck_assert(plan.mandatory);
	ck_assert_uint_eq(plan.stripped, 0);
}
END_TEST

START_TEST(a_delivery_mode_stands_for_itself)
{
	add(&options.properties, "delivery_mode=2");
	make();
	assert_json(spec_of(0, "properties"), "{\"delivery_mode\": 2}");
}
END_TEST

static const struct {
	int asked;
	uint64_t size;
	const char *sizes; /* a schedule */
	enum emit_stamp stamp;
} stamps[] = {
    {EMIT_AUTO, 48, NULL, EMIT_BODY},
    {EMIT_AUTO, 47, NULL, EMIT_HEADER},
    {EMIT_AUTO, 0, NULL, EMIT_HEADER},
    {EMIT_AUTO, 256, "4KiB:1s,47:1s", EMIT_HEADER},
    {EMIT_AUTO, 10, "4KiB:1s,48:1s", EMIT_BODY},
    {EMIT_BODY, 48, NULL, EMIT_BODY},
    {EMIT_HEADER, 4096, NULL, EMIT_HEADER},
    {EMIT_PERFTEST, 12, NULL, EMIT_PERFTEST},
    {EMIT_NONE, 0, NULL, EMIT_NONE},
};

START_TEST(the_stamp_stands_where_there_is_room)
{
	options.stamp = stamps[_i].asked;
	options.size = stamps[_i].size;
	if (stamps[_i].sizes != NULL)
		add(&options.sizes, stamps[_i].sizes);
	make();
	ck_assert_int_eq(plan.stamp, stamps[_i].stamp);
}
END_TEST

START_TEST(bodies_come_from_files_and_keep_their_bytes)
{
	char path[] = "/tmp/warren-test-plan-XXXXXX";
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "a\0b", 3), 3);
	close(fd);
	char *twice = mem_printf("%s,%s", path, path);
	add(&options.bodies, twice);
	make();
	unlink(path);
	free(twice);
	ck_assert_uint_eq(plan.body_count, 2);
	ck_assert_uint_eq(plan.bodies[1].len, 3);
	ck_assert_mem_eq(plan.bodies[1].ptr, "a\0b", 3);
	ck_assert_uint_eq(plan.sizes.count, 0);
	ck_assert_int_eq(plan.stamp, EMIT_HEADER);
}
END_TEST

START_TEST(a_body_that_is_not_there_is_missing_input)
{
	add(&options.bodies, "/nonexistent/body");
	ck_assert(!plan_make(&tool, &options, &plan, &err));
	ck_assert_int_eq(err.kind, ERROR_NO_INPUT);
}
END_TEST

START_TEST(consumers_get_their_arguments_and_their_times)
{
	add(&options.consumer_arguments, "x-priority=5");
	add(&options.latencies, "1ms:2s,10ms:1s");
	make();
	assert_json(plan.consumer_arguments, "{\"x-priority\": 5}");
	ck_assert_uint_eq(plan.services.count, 2);
	ck_assert_uint_eq(steps_at(&plan.services, 0), CHRONO_MS);
	ck_assert_uint_eq(steps_at(&plan.services, 2 * CHRONO_S), 10 * CHRONO_MS);
}
END_TEST

/* ---- what cannot be ---- */

enum kind { NOTHING, FLAG, COUNT, CHOICE, TEXT, LIST };

/* A member of the options that is set. */
struct change {
	enum kind kind;
	size_t offset;
	uint64_t number;
	const char *text;
};

static void apply(const struct change *c)
{
	void *member = (char *)&options + c->offset;
	switch (c->kind) {
	case FLAG:
		*(bool *)member = true;
		break;
	case COUNT:
		*(uint64_t *)member = c->number;
		break;
	case CHOICE:
		*(int *)member = (int)c->number;
		break;
	case TEXT:
		*(const char **)member = c->text;
		break;
	case LIST:
		add(member, c->text);
		break;
	default:
		break;
	}
}

#define AT(name) offsetof(struct bench_options, name)
#define IS(name)                      \
	{                             \
		FLAG, AT(name), 0, "" \
	}
#define HAS(kind, name, number)            \
	{                                  \
		kind, AT(name), number, "" \
	}
#define SAYS(kind, name, text)          \
	{                               \
		kind, AT(name), 0, text \
	}

#define PACES "--rate, --total-rate, --publishing-interval and --schedule exclude each other"
#define NOTHING_TO_ACK                                                            \
	"--autoack leaves nothing to acknowledge: not with --nack, --requeue or " \
	"--multi-ack-every"
#define NO_TIME "--warm-up leaves nothing of --time to measure"
#define STAMPED_OVER "--stamp body writes over bodies that are made up; these take --stamp header"
#define CHURNED "--churn goes with --rate, or as fast as it can"
#define STREAM_TERMS "a stream is read with acknowledgements and a prefetch, and not polled"

static const struct {
	struct change changes[3];
	const char *text;
} contradictions[] = {
    {{HAS(COUNT, producers, 0), HAS(COUNT, consumers, 0)},
	"nothing to do: no producers and no consumers"},
    {{SAYS(LIST, flags, "durable")}, "option '--flag' takes persistent or mandatory"},
    {{HAS(COUNT, size, (UINT64_C(128) << 20) + 1)}, "a size is at most 128MiB"},
    {{SAYS(LIST, sizes, "1KiB:1s,129MiB:1s")}, "a size is at most 128MiB"},
    {{SAYS(LIST, sizes, "1KiB")}, "option '--size-schedule': not VALUE:DURATION, such as 4KiB:30s"},
    {{IS(has_total_rate), SAYS(LIST, schedule, "1/s:1s")}, PACES},
    {{IS(has_interval), SAYS(LIST, schedule, "1/s:1s")}, PACES},
    {{IS(autoack), IS(nack)}, NOTHING_TO_ACK},
    {{IS(autoack), HAS(COUNT, ack_every, 5)}, NOTHING_TO_ACK},
    {{IS(autoack), IS(requeue)}, NOTHING_TO_ACK},
    {{IS(requeue)}, "--requeue goes with --nack"},
    {{HAS(COUNT, prefetch, 10), HAS(COUNT, ack_every, 11)},
	"--multi-ack-every above --prefetch would wait for messages that the broker holds back"},
    {{HAS(COUNT, latency_ns, 1), SAYS(LIST, latencies, "1ms:1s")},
	"--consumer-latency and --latency-schedule exclude each other"},
    {{SAYS(LIST, latencies, "1ms:0s")},
	"option '--latency-schedule': the duration is too short or too long"},
    {{HAS(CHOICE, exit_when, BENCH_EXIT_EMPTY), HAS(COUNT, consumers, 0), IS(has_pmessages)},
	"--exit-when looks at queues that somebody consumes"},
    {{HAS(CHOICE, exit_when, BENCH_EXIT_IDLE), HAS(COUNT, consumers, 0)},
	"--exit-when looks at queues that somebody consumes"},
    {{HAS(CHOICE, exit_when, BENCH_EXIT_EMPTY)},
	"--exit-when empty waits for the producers, so they need --time or --pmessages"},
    {{IS(requeue), IS(nack), IS(has_cmessages)},
	"--cmessages counts messages that are done with; --requeue is never done"},
    {{HAS(COUNT, report_ns, 0)}, "--interval is at least 10ms"},
    {{HAS(COUNT, report_ns, 10 * CHRONO_MS - 1)}, "--interval is at least 10ms"},
    {{IS(has_time), HAS(COUNT, time_ns, CHRONO_S), HAS(COUNT, warm_up_ns, CHRONO_S)}, NO_TIME},
    {{IS(has_time), HAS(COUNT, time_ns, CHRONO_S), HAS(COUNT, warm_up_ns, CHRONO_S + 1)}, NO_TIME},
    {{IS(has_time), HAS(COUNT, time_ns, 0)}, NO_TIME},
    {{IS(has_type)}, "--type is that of an --exchange"},
    {{SAYS(LIST, bodies, "LICENSE"), IS(has_size)}, "--body has the size that it has"},
    {{SAYS(LIST, bodies, "LICENSE"), SAYS(LIST, sizes, "1KiB:1s")},
	"--body has the size that it has"},
    {{SAYS(LIST, bodies, "LICENSE"), HAS(CHOICE, stamp, EMIT_BODY)}, STAMPED_OVER},
    {{HAS(CHOICE, arrivals, BENCH_POISSON)}, "--arrivals poisson needs a rate"},
    {{HAS(CHOICE, churn, BENCH_QUEUES), IS(has_total_rate)}, CHURNED},
    {{HAS(CHOICE, churn, BENCH_CHANNELS), SAYS(LIST, schedule, "1/s:1s")}, CHURNED},
    {{HAS(CHOICE, churn, BENCH_CONNECTIONS), IS(find_max)}, CHURNED},
    {{SAYS(TEXT, offset, "first")}, "--offset is for streams; none is read here"},
    {{SAYS(TEXT, offset, "middle"), HAS(CHOICE, queue_type, BENCH_STREAM)},
	"option '--offset' takes first, last, next, a number or a time such as "
	"2026-11-21T08:15:30Z"},
    {{IS(autoack), HAS(CHOICE, queue_type, BENCH_STREAM)}, STREAM_TERMS},
    {{IS(nack), HAS(CHOICE, queue_type, BENCH_STREAM)}, STREAM_TERMS},
    {{IS(polling), HAS(CHOICE, queue_type, BENCH_STREAM)}, STREAM_TERMS},
    {{HAS(COUNT, prefetch, 0), HAS(CHOICE, queue_type, BENCH_STREAM)}, STREAM_TERMS},
    {{HAS(CHOICE, stamp, EMIT_BODY), HAS(COUNT, size, 47)},
	"a stamp in the body needs 48 bytes; a smaller one takes --stamp header"},
    {{HAS(CHOICE, stamp, EMIT_PERFTEST), HAS(COUNT, size, 11)},
	"a stamp in the body needs 12 bytes; a smaller one takes --stamp header"},
    {{SAYS(TEXT, queue_pattern, "q-%d"), SAYS(LIST, queues, "a")},
	"--queue and --queue-pattern exclude each other"},
    {{IS(random_routing_key)}, "--random-routing-key needs an --exchange"},
    {{SAYS(LIST, queues, "a,b")},
	"several queues get the same messages from an --exchange; or each its own, with "
	"--queue-pattern"},
    {{SAYS(LIST, queues, "a,b,a"), SAYS(TEXT, exchange, "e")}, "queue 'a' is named twice"},
    {{SAYS(LIST, queue_arguments, "x-max-length")}, "'x-max-length' is not NAME=VALUE"},
    {{SAYS(LIST, queue_arguments, "=5")}, "'=5' is not NAME=VALUE"},
    {{SAYS(LIST, consumer_arguments, "x\x1b")}, "'x\\x1b' is not NAME=VALUE"},
    {{SAYS(LIST, properties, "priority")}, "'priority' is not NAME=VALUE"},
    {{SAYS(TEXT, exchange, "\xff")}, "option '--exchange' is not UTF-8"},
    {{SAYS(TEXT, type, "\xff")}, "option '--type' is not UTF-8"},
    {{SAYS(TEXT, routing_key, "\xff")}, "option '--routing-key' is not UTF-8"},
    {{SAYS(TEXT, content_type, "\xff")}, "option '--content-type' is not UTF-8"},
    {{SAYS(TEXT, queue_pattern, "\xff%d")}, "option '--queue-pattern' is not UTF-8"},
    {{SAYS(LIST, queues, "\xff")}, "option '--queue' is not UTF-8"},
    {{SAYS(LIST, properties, "a=\xff")}, "option '--property' is not UTF-8"},
    {{SAYS(LIST, queue_arguments, "a=\xff")}, "option '--queue-argument' is not UTF-8"},
    {{SAYS(LIST, consumer_arguments, "a=\xff")}, "option '--consumer-argument' is not UTF-8"},
};

START_TEST(options_that_contradict_each_other_are_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(contradictions[_i].changes); i++)
		apply(&contradictions[_i].changes[i]);
	refuse(contradictions[_i].text);
}
END_TEST

START_TEST(two_paces_are_refused)
{
	options.has_rate = options.has_total_rate = true;
	options.rate = options.total_rate = 5;
	refuse(PACES);
}
END_TEST

/* What comes close to a contradiction, and is none. */
static const struct change agreements[][3] = {
    {SAYS(LIST, flags, "mandatory"), HAS(COUNT, confirm, 0)},
    {HAS(COUNT, report_ns, 10 * CHRONO_MS)},
    {IS(has_time), HAS(COUNT, time_ns, CHRONO_S), HAS(COUNT, warm_up_ns, CHRONO_S - 1)},
    {HAS(COUNT, warm_up_ns, 3600 * CHRONO_S)},
    {IS(has_type), SAYS(TEXT, type, "fanout"), SAYS(TEXT, exchange, "e")},
    {SAYS(LIST, bodies, "LICENSE")},
    {SAYS(LIST, bodies, "LICENSE"), HAS(CHOICE, stamp, EMIT_PERFTEST)},
    {HAS(CHOICE, exit_when, BENCH_EXIT_EMPTY), IS(has_time), HAS(COUNT, time_ns, CHRONO_S)},
    {HAS(CHOICE, exit_when, BENCH_EXIT_EMPTY), IS(has_pmessages)},
    {HAS(CHOICE, exit_when, BENCH_EXIT_EMPTY), IS(has_cmessages)},
    {HAS(CHOICE, exit_when, BENCH_EXIT_EMPTY), HAS(COUNT, producers, 0)},
    {HAS(CHOICE, exit_when, BENCH_EXIT_IDLE)},
    {IS(nack), IS(has_cmessages)},
    {HAS(CHOICE, arrivals, BENCH_POISSON), IS(find_max)}, /* which sets the rate itself */
    {IS(nack), IS(requeue), IS(has_pmessages)},
    {HAS(CHOICE, stamp, EMIT_BODY), HAS(COUNT, producers, 0), SAYS(LIST, bodies, "LICENSE")},
};

START_TEST(options_that_go_together_are_taken)
{
	for (size_t i = 0; i < ARRAY_LEN(agreements[_i]); i++)
		apply(&agreements[_i][i]);
	make();
}
END_TEST

START_TEST(mandatory_is_asked_for_without_confirms_too)
{
	add(&options.flags, "mandatory");
	options.confirm = 0;
	make();
	ck_assert(plan.mandatory);
}
END_TEST

START_TEST(poisson_arrivals_take_any_pace)
{
	options.arrivals = BENCH_POISSON;
	options.has_rate = _i == 0;
	options.has_total_rate = _i == 1;
	options.has_interval = _i == 2;
	options.rate = options.total_rate = 5;
	options.interval_ns = 200 * CHRONO_MS;
	make();
	if (_i == 2)
		ck_assert_uint_eq(lane_of(1, 0)->members[0].pace.delay_to_ns, 200 * CHRONO_MS);
	else
		assert_steady(1, 5);
	ck_assert_int_eq(lane_of(1, 0)->members[0].pace.arrivals, PACE_POISSON);
}
END_TEST

/* ---- an exchange that has a name ---- */

START_TEST(an_exchange_is_durable_and_stays_whatever_the_queues_do)
{
	options.exchange = "e";
	options.durable = _i & 1;
	options.auto_delete = _i >> 1 & 1;
	if (_i >> 2 & 1)
		add(&options.queues, "a");
	make();
	assert_json(json_object_get(plan.document, "exchanges"),
	    "{\"e\": {\"type\": \"direct\", \"durable\": true}}");
	const struct topology_queue *q = &plan.topology->queues[0];
	ck_assert_int_eq(q->durable, options.durable);
	ck_assert_int_eq(q->auto_delete, options.auto_delete && !plan.is_removed);
	ck_assert_int_eq(plan.is_removed, options.queues.count == 0);
}
END_TEST

/* ---- what the run can tell ---- */

static const struct {
	struct change changes[3];
	bool is_followed;
} followings[] = {
    {{HAS(COUNT, producers, 2)}, true}, {{HAS(CHOICE, stamp, EMIT_HEADER)}, true},
    {{HAS(COUNT, confirm, 0)}, true}, {{HAS(CHOICE, stamp, EMIT_PERFTEST)}, false},
    {{HAS(CHOICE, stamp, EMIT_NONE)}, false}, {{HAS(COUNT, producers, 0)}, false},
    {{HAS(COUNT, consumers, 0)}, false},
    {{SAYS(TEXT, queue_pattern, "q-%d"), HAS(COUNT, queue_to, 2)}, false}, /* one has no reader */
    {{SAYS(TEXT, queue_pattern, "q-%d"), HAS(COUNT, queue_to, 2), HAS(COUNT, consumers, 2)}, true},
    {{SAYS(LIST, queues, "a,b"), SAYS(TEXT, exchange, "e")}, true}, /* read by one */
};

START_TEST(a_run_is_followed_when_all_that_arrives_is_read_and_known)
{
	for (size_t i = 0; i < ARRAY_LEN(followings[_i].changes); i++)
		apply(&followings[_i].changes[i]);
	make();
	ck_assert_int_eq(plan_is_followed(&plan), followings[_i].is_followed);
}
END_TEST

START_TEST(prefetch_without_bound_takes_any_batch)
{
	options.prefetch = 0;
	options.ack_every = 500;
	make();
}
END_TEST

START_TEST(a_message_named_without_settings_is_unknown)
{
	char *operands[] = {(char *)(uintptr_t) "hello", NULL};
	tool.operands = operands;
	refuse("the settings have no message 'hello'");
}
END_TEST

/* ---- settings ---- */

static const char *const two_messages[] = {"queues={a: {}, b: {dead_letter: dead}}",
    "messages={one: {routing_key: a, rate: 5/s, body: x, weight: 3},"
    " two: {routing_key: b, amount: 3, body: y, weight: 1}}",
    NULL};

START_TEST(messages_of_the_settings_are_sent_at_their_own_pace)
{
	set(two_messages);
	make();
	ck_assert_uint_eq(plan.queue_count, 2); /* not the one that was made for dead letters */
	ck_assert_str_eq(plan.queues[0], "a");
	ck_assert_str_eq(plan.queues[1], "b");
	ck_assert(!plan.is_removed);
	ck_assert_ptr_eq(plan.topology, &tool.settings.topology);
	ck_assert_uint_eq(lane_of(0, 0)->queue_count, 2);
	ck_assert_uint_eq(lane_of(1, 0)->member_count, 2);
	ck_assert_str_eq(lane_of(1, 0)->members[0].name, "one");
	ck_assert_double_eq(lane_of(1, 0)->members[0].pace.steps[0].from_per_second, 5);
	ck_assert_uint_eq(lane_of(1, 0)->members[1].pace.amount, 3);
	ck_assert_uint_eq(plan.sizes.count, 0);
	ck_assert_uint_eq(json_array_size(plan.specs), 0);
	ck_assert_int_eq(plan.stamp, EMIT_HEADER);
	ck_assert_uint_eq(plan.stripped, 0);
	ck_assert_uint_eq(lost_copies(), 1);
}
END_TEST

START_TEST(a_message_of_the_settings_can_be_named)
{
	char *operands[] = {(char *)(uintptr_t) "two", NULL};
	set(two_messages);
	tool.operands = operands;
	options.producers = 2;
	make();
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(lane_of(1 + i, 0)->member_count, 1);
		ck_assert_str_eq(lane_of(1 + i, 0)->members[0].name, "two");
	}
}
END_TEST

START_TEST(a_message_that_the_settings_lack_is_told_with_the_nearest)
{
	char *operands[] = {(char *)(uintptr_t) "one", (char *)(uintptr_t) "tow", NULL};
	set(two_messages);
	tool.operands = operands;
	refuse("the settings have no message 'tow'; did you mean 'two'?");
}
END_TEST

START_TEST(a_total_rate_is_the_sum_over_messages_too)
{
	set(two_messages);
	options.has_total_rate = true;
	options.total_rate = 100;
	options.producers = 2;
	make();
	double sum = 0;
	for (size_t i = 0; i < 2; i++)
		for (size_t m = 0; m < 2; m++)
			sum += lane_of(1 + i, 0)->members[m].pace.steps[0].from_per_second;
	ck_assert_double_eq_tol(sum, 100, 1e-9);
	ck_assert_double_eq_tol(
	    lane_of(1, 0)->members[0].pace.steps[0].from_per_second, 37.5, 1e-9);
}
END_TEST

START_TEST(a_rate_is_that_of_a_channel_whatever_it_sends)
{
	set(two_messages);
	options.has_rate = true;
	options.rate = 8;
	make();
	ck_assert_double_eq_tol(lane_of(1, 0)->members[0].pace.steps[0].from_per_second, 6, 1e-9);
	ck_assert_double_eq_tol(lane_of(1, 0)->members[1].pace.steps[0].from_per_second, 2, 1e-9);
}
END_TEST

START_TEST(an_interval_is_that_of_a_channel_whatever_it_sends)
{
	set(two_messages);
	options.has_interval = true;
	options.interval_ns = 3 * CHRONO_MS;
	make();
	ck_assert_uint_eq(lane_of(1, 0)->members[0].pace.delay_to_ns, 4 * CHRONO_MS);
	ck_assert_uint_eq(lane_of(1, 0)->members[1].pace.delay_to_ns, 12 * CHRONO_MS);
}
END_TEST

START_TEST(a_schedule_is_that_of_a_channel_whatever_it_sends)
{
	set(two_messages);
	add(&options.schedule, "8/s:1s");
	make();
	ck_assert_double_eq_tol(lane_of(1, 0)->members[0].pace.steps[0].from_per_second, 6, 1e-9);
	ck_assert_double_eq_tol(lane_of(1, 0)->members[1].pace.steps[0].from_per_second, 2, 1e-9);
}
END_TEST

START_TEST(an_amount_is_that_of_a_channel_whatever_it_sends)
{
	static const uint64_t amounts[][3] = {{10, 7, 3}, {4, 3, 1}, {1, 0, 1}, {0, 0, 0}};
	set(two_messages);
	options.has_pmessages = true;
	options.pmessages = amounts[_i][0];
	make();
	ck_assert_uint_eq(lane_of(1, 0)->members[0].pace.amount, amounts[_i][1]);
	ck_assert_uint_eq(lane_of(1, 0)->members[1].pace.amount, amounts[_i][2]);
}
END_TEST

START_TEST(a_size_makes_up_the_bodies_of_the_settings_messages)
{
	set(two_messages);
	options.has_size = true;
	options.size = 100;
	make();
	ck_assert_uint_eq(steps_at(&plan.sizes, 0), 100);
	ck_assert_int_eq(plan.stamp, EMIT_BODY);
}
END_TEST

START_TEST(settings_without_messages_say_where_ours_go)
{
	static const char *const queue[] = {"queues={a: {type: quorum}}", NULL};
	set(queue);
	make();
	ck_assert_str_eq(plan.queues[0], "a");
	ck_assert_str_eq(json_string_value(spec_of(0, "routing_key")), "a");
	ck_assert_ptr_eq(plan.topology, &tool.settings.topology);
}
END_TEST

START_TEST(settings_without_queues_leave_the_queue_to_us)
{
	static const char *const message[] = {
	    "messages={one: {exchange: amq.fanout, body: x}}", NULL};
	set(message);
	make();
	ck_assert(plan.is_removed);
	ck_assert_ptr_eq(plan.topology, &plan.own);
}
END_TEST

static const struct {
	const char *queues[2];
	int type;
	const char *text; /* NULL: they are streams */
} stream_cases[] = {
    {{"queues={a: {type: stream}, b: {type: stream}}"}, BENCH_CLASSIC, NULL},
    {{"queues={a: {type: stream}, b: {type: stream}}"}, BENCH_STREAM, NULL},
    {{"queues={a: {type: stream}, b: {}}"}, BENCH_CLASSIC,
	"streams are read by themselves, without other queues"},
};

START_TEST(streams_of_the_settings_are_read_by_themselves)
{
	set(stream_cases[_i].queues);
	options.producers = 0;
	options.queue_type = stream_cases[_i].type;
	options.exchange = "amq.fanout";
	if (stream_cases[_i].text != NULL) {
		refuse(stream_cases[_i].text);
		return;
	}
	make();
	ck_assert(plan.are_streams);
	ck_assert_uint_eq(plan.ledger_queues, 2);
}
END_TEST

START_TEST(consumers_alone_may_read_several_queues)
{
	add(&options.queues, "a,b");
	options.producers = 0;
	make();
	ck_assert_uint_eq(plan.publishers, 0);
	ck_assert_uint_eq(lane_of(0, 0)->queue_count, 2);
}
END_TEST

START_TEST(options_of_bench_may_stand_in_the_settings)
{
	static const char *const section[] = {"bench={producers: 2, rate: 500/s, queue: [a, b],"
					      " total-rate: 5, expect: lost=0}",
	    NULL};
	set(section);
	const json_t *bench = json_object_get(document_root(tool.settings.document), "bench");
	ck_assert_uint_eq(json_object_size(bench), 5);
}
END_TEST

static TCase *cases(const char *name)
{
	TCase *tc = tcase_create(name);
	tcase_add_checked_fixture(tc, setup, teardown);
	return tc;
}

static TCase *topology_cases(void)
{
	TCase *tc = cases("topology");
	tcase_add_loop_test(
	    tc, a_pattern_names_queues_by_their_number, 0, (int)ARRAY_LEN(patterns));
	tcase_add_loop_test(
	    tc, a_pattern_without_one_number_is_refused, 0, (int)ARRAY_LEN(bad_patterns));
	tcase_add_loop_test(tc, numbers_of_a_pattern_that_are_too_many_are_refused, 0, 5);
	tcase_add_test(tc, producers_and_consumers_take_the_queues_of_a_pattern_in_turn);
	tcase_add_test(tc, named_queues_are_parted_by_commas_and_all_read_by_each_consumer);
	tcase_add_test(tc, a_key_that_is_given_binds_and_publishes);
	tcase_add_test(tc, random_keys_are_a_generator);
	tcase_add_test(tc, queues_are_declared_as_asked);
	tcase_add_test(tc, quorum_queues_are_durable_and_stay);
	tcase_add_loop_test(tc, an_exchange_is_durable_and_stays_whatever_the_queues_do, 0, 8);
	tcase_add_test(tc, what_is_predeclared_is_not_declared);
	tcase_add_test(tc, each_reader_of_a_stream_counts_as_a_queue);
	tcase_add_test(tc, consumers_alone_may_read_several_queues);
	tcase_add_test(tc, a_fanout_is_expected_on_every_queue);
	tcase_add_test(tc, a_queue_of_a_pattern_is_expected_to_get_its_own);
	tcase_add_test(tc, the_default_exchange_brings_a_key_to_the_queue_of_that_name_alone);
	tcase_add_test(tc, a_shared_key_is_expected_on_every_queue_of_a_direct_exchange);
	tcase_add_test(tc, a_fanout_reaches_the_queues_of_a_pattern_too);
	tcase_add_test(tc, readers_of_a_stream_are_each_expected_to_get_all);
	tcase_add_test(tc, where_the_routing_is_not_known_one_copy_will_do);
	return tc;
}

static TCase *message_cases(void)
{
	TCase *tc = cases("message");
	tcase_add_test(tc, without_options_one_producer_feeds_one_consumer);
	tcase_add_test(tc, connections_channels_and_publishers_are_counted);
	tcase_add_test(tc, without_consumers_nothing_is_expected_to_arrive);
	tcase_add_test(tc, consumers_come_later_when_asked);
	tcase_add_test(tc, a_total_rate_is_shared_out_and_publishers_take_turns);
	tcase_add_test(tc, a_rate_is_everybodys_and_publishers_take_turns);
	tcase_add_test(tc, an_interval_is_between_the_messages_of_each);
	tcase_add_test(tc, a_random_start_stays_within_its_bound);
	tcase_add_test(tc, amounts_are_of_each_channel);
	tcase_add_test(tc, a_schedule_repeats_its_rates_and_pauses);
	tcase_add_test(tc, a_schedule_of_pauses_alone_sends_nothing);
	tcase_add_loop_test(
	    tc, a_schedule_that_is_none_is_refused, 0, (int)ARRAY_LEN(bad_schedules));
	tcase_add_test(tc, messages_have_the_properties_that_were_asked_for);
	tcase_add_test(tc, properties_of_amqp_are_told_from_headers);
	tcase_add_test(tc, a_delivery_mode_stands_for_itself);
	tcase_add_loop_test(tc, the_stamp_stands_where_there_is_room, 0, (int)ARRAY_LEN(stamps));
	tcase_add_test(tc, bodies_come_from_files_and_keep_their_bytes);
	tcase_add_test(tc, a_body_that_is_not_there_is_missing_input);
	tcase_add_test(tc, consumers_get_their_arguments_and_their_times);
	tcase_add_loop_test(
	    tc, options_that_contradict_each_other_are_refused, 0, (int)ARRAY_LEN(contradictions));
	tcase_add_test(tc, two_paces_are_refused);
	tcase_add_loop_test(tc, options_that_go_together_are_taken, 0, (int)ARRAY_LEN(agreements));
	tcase_add_test(tc, mandatory_is_asked_for_without_confirms_too);
	tcase_add_loop_test(tc, poisson_arrivals_take_any_pace, 0, 3);
	tcase_add_loop_test(tc, a_run_is_followed_when_all_that_arrives_is_read_and_known, 0,
	    (int)ARRAY_LEN(followings));
	tcase_add_test(tc, prefetch_without_bound_takes_any_batch);
	return tc;
}

static TCase *settings_cases(void)
{
	TCase *tc = cases("settings");
	tcase_add_test(tc, a_message_named_without_settings_is_unknown);
	tcase_add_test(tc, messages_of_the_settings_are_sent_at_their_own_pace);
	tcase_add_test(tc, a_message_of_the_settings_can_be_named);
	tcase_add_test(tc, a_message_that_the_settings_lack_is_told_with_the_nearest);
	tcase_add_test(tc, a_total_rate_is_the_sum_over_messages_too);
	tcase_add_test(tc, a_rate_is_that_of_a_channel_whatever_it_sends);
	tcase_add_test(tc, an_interval_is_that_of_a_channel_whatever_it_sends);
	tcase_add_test(tc, a_schedule_is_that_of_a_channel_whatever_it_sends);
	tcase_add_loop_test(tc, an_amount_is_that_of_a_channel_whatever_it_sends, 0, 4);
	tcase_add_test(tc, a_size_makes_up_the_bodies_of_the_settings_messages);
	tcase_add_test(tc, settings_without_messages_say_where_ours_go);
	tcase_add_test(tc, settings_without_queues_leave_the_queue_to_us);
	tcase_add_loop_test(
	    tc, streams_of_the_settings_are_read_by_themselves, 0, (int)ARRAY_LEN(stream_cases));
	tcase_add_test(tc, options_of_bench_may_stand_in_the_settings);
	return tc;
}

int main(void)
{
	unsetenv("AMQP_URL");
	Suite *suite = suite_create("plan");
	suite_add_tcase(suite, topology_cases());
	suite_add_tcase(suite, message_cases());
	suite_add_tcase(suite, settings_cases());
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
