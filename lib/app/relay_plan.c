#include "app/relay_plan.h"

#include "base/digest.h"
#include "base/mem.h"
#include "config/pointer.h"

#include <stdlib.h>

/* ---- of the command line ---- */

static bool is_ad_hoc(const struct relay_options *o)
{
	return o->queues.count > 0 || o->files != NULL || o->lines != NULL;
}

static const char *first_ad_hoc(const struct relay_options *o)
{
	const struct {
		const char *value, *name;
	} rows[] = {{o->jq, "--jq"}, {o->filter, "--filter"}, {o->exec, "--exec"},
	    {o->dedupe, "--dedupe"}, {o->delay, "--delay"}, {o->contract, "--contract"},
	    {o->exchange, "--exchange"}, {o->routing_key, "--routing-key"}, {o->store, "--store"},
	    {o->output, "--output"}, {o->from, "--from-url"}, {o->to, "--to"}, {o->type, "--type"}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].value != NULL)
			return rows[i].name;
	return NULL;
}

static void set(json_t *object, const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(object, key, json_string(value));
}

static void add_step(json_t *steps, const char *kind, const char *value)
{
	if (value != NULL)
		json_array_append_new(steps, json_pack("{s:s}", kind, value));
}

/* What needs least goes first: what is dropped early costs nothing later. */
static json_t *make_steps(const struct relay_options *o)
{
	json_t *steps = json_array();
	add_step(steps, "contract", o->contract);
	add_step(steps, "dedupe", o->dedupe);
	add_step(steps, "filter", o->filter);
	add_step(steps, "delay", o->delay);
	add_step(steps, "exec", o->exec);
	add_step(steps, "jq", o->jq);
	if (o->jq != NULL && o->as_message)
		set(json_array_get(steps, json_array_size(steps) - 1), "as", "message");
	return steps;
}

static json_t *make_spec(const struct relay_options *o)
{
	json_t *spec = json_object(), *queues = json_array();
	for (size_t i = 0; i < o->queues.count; i++)
		json_array_append_new(queues, json_string(o->queues.items[i]));
	if (o->queues.count > 0)
		json_object_set(spec, "queue", queues);
	json_decref(queues);
	set(spec, "files", o->files);
	set(spec, "from", o->from);
	json_object_set_new(spec, "core", make_steps(o));
	set(spec, "to", o->to);
	set(spec, "exchange", o->exchange);
	set(spec, "routing_key", o->routing_key);
	set(spec, "store", o->store);
	set(spec, "output", o->output);
	set(spec, "type", o->type);
	return spec;
}

/* The same options make the same ids, run after run. */
static char *name_spec(const json_t *spec)
{
	unsigned char hash[DIGEST_BYTES];
	char *text = json_dumps(spec, JSON_COMPACT | JSON_SORT_KEYS);
	digest_of(slice_str(text), hash);
	free(text);
	struct buf name = {0};
	buf_append_str(&name, "relay/");
	for (size_t i = 0; i < 8; i++)
		buf_printf(&name, "%02x", hash[i]);
	return buf_take(&name);
}

static bool check_ad_hoc(const struct relay_options *o, struct error *err)
{
	bool publishes = o->exchange != NULL || o->routing_key != NULL || o->to != NULL ||
			 (o->jq != NULL && o->as_message);
	int sources = (o->queues.count > 0) + (o->files != NULL) + (o->lines != NULL);
	int sinks = publishes + (o->store != NULL) + (o->output != NULL);
	if (sources > 1)
		return error_set(err, ERROR_USAGE, "one of --queue, --files and --from");
	if (sinks == 0)
		return error_set(err, ERROR_USAGE,
		    "where to? give --exchange, --routing-key, --store or --output");
	if (sinks > 1)
		return error_set(err, ERROR_USAGE,
		    "one of --exchange (with --routing-key and --to), --store and --output");
	if (o->from != NULL && o->queues.count == 0)
		return error_set(err, ERROR_USAGE, "--from-url goes with --queue");
	if (o->as_message && o->jq == NULL)
		return error_set(err, ERROR_USAGE, "--as-message goes with --jq");
	if (o->output != NULL && strcmp(o->output, "-") == 0)
		return error_set(err, ERROR_USAGE,
		    "--output names a file; what is published is printed by --format json");
	if (o->queues.count == 0 && (o->until_empty || o->has_idle || o->has_prefetch))
		return error_set(
		    err, ERROR_USAGE, "--until-empty, --idle and --prefetch go with queues");
	return true;
}

/* ---- of the settings ---- */

static struct relay_plan of_settings(
    const struct settings *settings, const char *name, const json_t *spec)
{
	struct buf pointer = {0};
	buf_append_str(&pointer, "/relays");
	pointer_push(&pointer, slice_str(name));
	return (struct relay_plan){.name = name,
	    .title = mem_printf("relay %s", name),
	    .by = mem_printf("relay/%s", name),
	    .spec = json_incref((json_t *)(uintptr_t)spec),
	    .pointer = buf_take(&pointer),
	    .folder = settings->directory};
}

static bool lack(const json_t *relays, const char *name, struct error *err)
{
	const char **names = mem_alloc(json_object_size(relays) + 1, sizeof *names), *key;
	size_t count = 0;
	json_t *spec;
	json_object_foreach((json_t *)(uintptr_t)relays, key, spec) names[count++] = key;
	settings_lack("relay", name, names, NULL, err);
	free(names);
	return false;
}

static bool choose(
    const struct tool *tool, struct relay_plan *plans, size_t *count, struct error *err)
{
	const struct settings *s = &tool->settings;
	const json_t *relays = json_object_get(document_root(s->document), "relays");
	const char *name;
	json_t *spec;
	for (char **named = tool->operands; *named != NULL; named++) {
		if ((spec = json_object_get(relays, *named)) == NULL)
			return lack(relays, *named, err);
		bool twice = false;
		for (size_t i = 0; i < *count; i++)
			twice |= strcmp(plans[i].name, *named) == 0;
		if (!twice)
			plans[(*count)++] = of_settings(s, *named, spec);
	}
	if (*count == 0)
		json_object_foreach((json_t *)(uintptr_t)relays, name, spec) plans[(*count)++] =
		    of_settings(s, name, spec);
	if (*count > 0)
		return true;
	return tool->options->settings != NULL
		   ? error_set(err, ERROR_SETTINGS, "the settings have no relays")
		   : error_set(err, ERROR_USAGE,
			 "which relay? give --settings FILE or NAME, or --queue, --files or "
			 "--from and where the results go");
}

/* ---- both ---- */

void relay_plan_release(struct relay_plan *plans, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_decref(plans[i].spec);
		free(plans[i].title);
		free(plans[i].by);
		free(plans[i].pointer);
	}
	free(plans);
}

struct relay_plan *relay_plan_make(
    const struct tool *tool, const struct relay_options *o, size_t *count, struct error *err)
{
	const json_t *relays = json_object_get(document_root(tool->settings.document), "relays");
	size_t most = json_object_size(relays) + 1, made = 0;
	for (char **named = tool->operands; *named != NULL; named++)
		most++;
	struct relay_plan *plans = mem_alloc(most, sizeof *plans);
	bool good = true;
	if (is_ad_hoc(o)) {
		good = (tool->operands[0] == NULL ||
			   error_set(err, ERROR_USAGE,
			       "RELAY is one of the settings'; --queue, --files and --from make "
			       "one up")) &&
		       check_ad_hoc(o, err);
		json_t *spec = make_spec(o);
		plans[made++] = (struct relay_plan){.name = "relay",
		    .title = mem_strdup("the relay"),
		    .by = name_spec(spec),
		    .spec = spec,
		    .lines = o->lines,
		    .folder = "."};
	} else if (first_ad_hoc(o) != NULL) {
		good = error_set(
		    err, ERROR_USAGE, "%s goes with --queue, --files or --from", first_ad_hoc(o));
	} else {
		good = choose(tool, plans, &made, err);
	}
	if (good) {
		*count = made;
		return plans;
	}
	relay_plan_release(plans, made);
	return NULL;
}
