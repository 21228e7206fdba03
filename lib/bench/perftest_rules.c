#include "bench/perftest_private.h"

#include "base/mem.h"
#include "config/problems.h"

#include <ctype.h>
#include <stdlib.h>

static bool is_true(const struct perftest_result *r, const char *name)
{
	return strcmp(perftest_get(r, name, "false"), "true") == 0;
}

static bool has_flag(const struct perftest_result *r, const char *flag)
{
	const struct perftest_value *v = perftest_value(r, "flag");
	for (size_t i = 0; i < v->count; i++)
		if (strcmp(v->items[i], flag) == 0)
			return true;
	return false;
}

static void set_default(
    struct perftest_result *r, const char *name, const char *text, const char *comment)
{
	if (!perftest_is_set(r, name))
		perftest_set(r, name, text, comment);
}

/* Takes back what an option set, and says why. Nothing when it set nothing. */
static void drop(
    struct perftest_result *r, const char *setting, const char *option, const char *reason)
{
	const struct perftest_given *given = perftest_find(r->command, option);
	if (!perftest_is_set(r, setting) || given == NULL)
		return;
	perftest_unset(r, setting);
	perftest_note(r, given, reason);
}

static uint64_t count_consumers(const struct perftest_result *r)
{
	return perftest_get_count(r, "consumers", 1) *
	       perftest_get_count(r, "consumer-channels", 1);
}

static bool produces(const struct perftest_result *r)
{
	return perftest_get_count(r, "producers", 1) > 0;
}

/* ---- topology ---- */

static bool check_pattern(struct perftest_result *r, struct error *err)
{
	static const char *const names[] = {
	    "queue-pattern", "queue-pattern-from", "queue-pattern-to"};
	const struct perftest_given *given = NULL;
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (perftest_find(r->command, names[i]) != NULL) {
			given = perftest_find(r->command, names[i]);
			count++;
		}
	if (count == 0)
		return true;
	if (count < ARRAY_LEN(names))
		return perftest_refuse(given, NULL, err,
		    "--queue-pattern, --queue-pattern-from and --queue-pattern-to go together");
	if (perftest_get_count(r, "queue-pattern-from", 0) >
	    perftest_get_count(r, "queue-pattern-to", 0))
		return perftest_refuse(given, given->values[0], err,
		    "less than --queue-pattern-from %s", perftest_get(r, "queue-pattern-from", ""));
	drop(r, "queue", "queue", "--queue-pattern goes before it");
	return true;
}

/* Without a name, PerfTest gives each consumer a queue of its own, and all of them the same key. */
static void add_queues(struct perftest_result *r)
{
	static const char same_key[] = "each message goes to every queue, as with PerfTest";
	uint64_t consumers = count_consumers(r);
	bool is_named = perftest_is_set(r, "queue") || perftest_is_set(r, "queue-pattern") ||
			perftest_find(r->command, "queue-file") != NULL;
	if (perftest_value(r, "queue")->count > 1)
		set_default(r, "routing-key", "perf", same_key);
	if (is_named || is_true(r, "predeclared"))
		return;
	if (consumers == 0)
		perftest_remark(r, "without consumers and --queue PerfTest declares no queue, and "
				   "the broker drops the messages");
	if (consumers < 2)
		return;
	char *last = mem_printf("%llu", (unsigned long long)consumers);
	perftest_set(r, "queue-pattern", "perf-%d", "a queue for each consumer, as with PerfTest");
	perftest_set(r, "queue-pattern-from", "1", NULL);
	perftest_set(r, "queue-pattern-to", last, NULL);
	set_default(r, "routing-key", "perf", same_key);
	free(last);
}

static bool apply_topology(struct perftest_result *r, struct error *err)
{
	const struct perftest_given *cached = perftest_find(r->command, "routing-key-cache-size");
	if (!check_pattern(r, err))
		return false;
	set_default(r, "exchange", perftest_get(r, "type", "direct"),
	    "PerfTest's default, named like its type");
	add_queues(r);
	if (cached != NULL && strcmp(cached->values[0], "0") != 0)
		set_default(r, "random-routing-key", "true", NULL);
	if (is_true(r, "predeclared"))
		perftest_value(r, "predeclared")->comment =
		    "PerfTest would declare what is missing";
	else if (!has_flag(r, "persistent"))
		perftest_set(r, "durable", "false",
		    "PerfTest's without --flag persistent; RabbitMQ 4.3 wants true");
	return true;
}

/* ---- producers ---- */

static void apply_pace(struct perftest_result *r)
{
	if (perftest_is_set(r, "publishing-interval")) {
		drop(r, "schedule", "variable-rate", "--publishing-interval goes before it");
		drop(r, "rate", "rate", "--publishing-interval goes before it");
	}
	if (perftest_is_set(r, "schedule"))
		drop(r, "rate", "rate", "--variable-rate goes before it");
	bool is_paced = perftest_is_set(r, "publishing-interval") ||
			perftest_is_set(r, "schedule") || perftest_is_set(r, "rate");
	if (is_paced)
		set_default(r, "random-start", "1s", "PerfTest's when there is a rate");
	if (strcmp(perftest_get(r, "rate", ""), "0/s") != 0)
		return;
	perftest_unset(r, "rate");
	perftest_set(r, "schedule", "0/s:3600s", "producers that only connect");
}

static void apply_bodies(struct perftest_result *r)
{
	bool has_files = perftest_is_set(r, "body");
	bool is_json = perftest_find(r->command, "json-body") != NULL;
	if (has_files) {
		drop(r, "size", "size", "the files have their own");
		drop(r, "size-schedule", "variable-size", "the files have their own");
	} else {
		drop(r, "content-type", "body-content-type", "PerfTest sends it with --body only");
	}
	if (perftest_is_set(r, "size-schedule"))
		drop(r, "size", "size", "--variable-size goes before it");
	else if (!has_files && produces(r))
		set_default(r, "size", "12", "PerfTest's default");
	if (has_files || (is_json && !produces(r)))
		perftest_set(r, "stamp", "header", "where PerfTest has it for such bodies");
}

static void apply_producers(struct perftest_result *r)
{
	apply_pace(r);
	apply_bodies(r);
	if (produces(r))
		set_default(r, "confirm", "0", "PerfTest's default: no confirms");
}

/* ---- consumers ---- */

static bool apply_consumers(struct perftest_result *r, struct error *err)
{
	uint64_t every = perftest_get_count(r, "multi-ack-every", 0);
	uint64_t prefetch = perftest_get_count(r, "prefetch", 0);
	if (prefetch > 0 && every > prefetch)
		return perftest_refuse(perftest_find(r->command, "multi-ack-every"),
		    perftest_get(r, "multi-ack-every", ""), err,
		    "more than the prefetch of %llu, so the consumers would wait for ever",
		    (unsigned long long)prefetch);
	if (count_consumers(r) > 0)
		set_default(r, "prefetch", "0", "PerfTest's default: no bound");
	if (perftest_is_set(r, "latency-schedule"))
		drop(
		    r, "consumer-latency", "consumer-latency", "--variable-latency goes before it");
	if (is_true(r, "nack"))
		set_default(r, "requeue", "true", "PerfTest's default");
	else
		drop(r, "requeue", "requeue", "without --nack it does nothing");
	if (!is_true(r, "polling"))
		drop(
		    r, "polling-interval", "polling-interval", "without --polling it does nothing");
	return true;
}

/* ---- what stands around the options ---- */

/* RATE=100: each long name of PerfTest has a twin in the environment. */
static const struct perftest_row *find_twin(const char *word)
{
	size_t len = strcspn(word, "=");
	for (size_t i = 0; word[len] == '=' && i < perftest_row_count; i++) {
		const char *name = perftest_rows[i].name;
		size_t same = 0;
		while (same < len && name[same] != '\0' &&
		       word[same] == (name[same] == '-' ? '_' : toupper((unsigned char)name[same])))
			same++;
		if (same == len && name[same] == '\0')
			return &perftest_rows[i];
	}
	return NULL;
}

static void tell_words(struct perftest_result *r)
{
	const struct perftest_command *c = r->command;
	for (size_t i = 0; i < c->first; i++) {
		const struct perftest_row *twin = find_twin(c->words.items[i].text);
		if (twin != NULL)
			perftest_remark(r,
			    "not carried over: the variable %.*s (give --%s on the command line)",
			    (int)strcspn(c->words.items[i].text, "="), c->words.items[i].text,
			    twin->name);
	}
	for (size_t i = 0; i < c->stray_count; i++) {
		char *masked = problems_mask(slice_str(c->words.items[c->strays[i]].text));
		perftest_remark(r, "not carried over: '%s' (PerfTest passes over it too)", masked);
		free(masked);
	}
	for (size_t i = c->first; i < c->words.count; i++) {
		if (!c->words.items[i].has_variable)
			continue;
		char *masked = problems_mask(slice_str(c->words.items[i].text));
		perftest_remark(r, "not expanded: '%s' (put in what the shell would)", masked);
		free(masked);
	}
}

bool perftest_apply_rules(struct perftest_result *r, struct error *err)
{
	const struct perftest_given *given = perftest_find(r->command, "uri");
	if (given != NULL && perftest_find(r->command, "uris") != NULL)
		perftest_note(r, given, "--uris goes before it");
	if (perftest_value(r, "url")->count > 1)
		perftest_value(r, "url")->comment = "tried in this order";
	if (!apply_topology(r, err) || !apply_consumers(r, err))
		return false;
	apply_producers(r);
	tell_words(r);
	return true;
}
