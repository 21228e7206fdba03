#include "app/settings.h"

#include "app/locate.h"
#include "app/settings_private.h"
#include "base/embed.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "model/reader.h"

#include <stdlib.h>

#define MAX_NAME 255 /* bytes of a short string of AMQP */

EMBED_TEXT(settings_schema_text, "settings/warren.schema.json");

const char *settings_schema(void)
{
	return settings_schema_text;
}

/* ---- checking ---- */

/* How much of "queues.jobs.retry.delay" names the item, "queues.jobs"; 0 for a section. */
static size_t item_length(const char *path)
{
	size_t dots = 0, i = 0;
	for (bool quoted = false; path[i] != '\0'; i++) {
		quoted ^= path[i] == '"';
		if (!quoted && path[i] == '.' && ++dots == 2)
			break;
	}
	return dots > 0 ? i : 0;
}

bool settings_is_faulty(const json_t *faulty, const char *path)
{
	return json_object_getn(faulty, path, item_length(path)) != NULL;
}

void settings_report(void *ctx, const char *pointer, const char *text)
{
	struct reporter *r = ctx;
	size_t len = strlen(pointer), end = strlen(READER_KEY);
	bool is_key = len >= end && strcmp(pointer + len - end, READER_KEY) == 0;
	char *whole = mem_printf("%s%.*s", r->base, (int)(is_key ? len - end : len), pointer);
	char *path = document_path(whole);
	struct place place =
	    is_key ? document_key_place(r->document, whole) : document_place(r->document, whole);
	if (!settings_is_faulty(r->faulty, path))
		problems_add(r->problems, place, path, "%s", text);
	free(path);
	free(whole);
}

static bool check_schema(struct settings *s, struct problems *problems, struct error *err)
{
	json_error_t where;
	json_t *root = json_loads(settings_schema_text, 0, &where);
	struct schema *schema = NULL;
	bool good = false;
	if (root == NULL)
		error_set(err, ERROR_INTERNAL, "the built-in schema is damaged: line %d: %s",
		    where.line, where.text);
	else
		schema = schema_create(root, SCHEMA_ASSERT_FORMAT, err);
	if (schema != NULL)
		good = document_check(s->document, schema, problems, err);
	schema_free(schema);
	json_decref(root);
	return good;
}

/*
 * The items with faults by the schema, as a set of paths; the rest may be judged further, so that
 * all mistakes are told at once. NULL when a whole section is damaged: what names its items would
 * be reported as well.
 */
static json_t *collect_faulty(const struct problems *problems)
{
	json_t *faulty = json_object();
	for (size_t i = 0; i < problems->count; i++) {
		const char *path = problems->items[i].path;
		size_t len = strncmp(path, "...", 3) != 0 ? item_length(path) : 0; /* cut */
		if (len == 0) {
			json_decref(faulty);
			return NULL;
		}
		json_object_setn_new_nocheck(faulty, path, len, json_true());
	}
	return faulty;
}

/* ---- messages ---- */

/* Without an exchange the routing key is the name of a queue. */
static void check_queue(const struct settings *s, const json_t *spec, struct reporter *reporter)
{
	const json_t *key = json_object_get(spec, "routing_key");
	const char *name = json_string_value(key);
	if (key == NULL)
		settings_report(reporter, READER_KEY,
		    "without 'exchange' it goes to the queue that 'routing_key' names; it has "
		    "neither");
	if (name == NULL || strstr(name, "{{") != NULL || strncmp(name, "amq.", 4) == 0 ||
	    strlen(name) > MAX_NAME || topology_find_queue(&s->topology, slice_str(name)) != NULL)
		return;
	char *text = topology_explain_unknown(&s->topology, true, name);
	settings_report(reporter, "/routing_key", text);
	free(text);
}

/* Where nothing is declared nothing arrives: a mistake that is found before anything is sent. */
static void check_target(const struct settings *s, const json_t *spec, struct reporter *reporter)
{
	const char *name = json_string_value(json_object_get(spec, "exchange"));
	if (name == NULL || name[0] == '\0') {
		check_queue(s, spec, reporter);
		return;
	}
	if (strlen(name) > MAX_NAME)
		return; /* the pattern reports it */
	const struct topology_exchange *e = topology_find_exchange(&s->topology, slice_str(name));
	char *text = e == NULL ? topology_explain_unknown(&s->topology, false, name) : NULL;
	if (text != NULL)
		settings_report(reporter, "/exchange", text);
	else if (e->internal)
		settings_report(reporter, "/exchange",
		    "this exchange is internal: only other exchanges may publish to it");
	free(text);
}

char *settings_pointer(const char *section, const char *name)
{
	struct buf out = {0};
	buf_printf(&out, "/%s/", section);
	for (; *name != '\0'; name++) {
		if (*name == '~' || *name == '/')
			buf_append_str(&out, *name == '~' ? "~0" : "~1");
		else
			buf_append_char(&out, *name);
	}
	return buf_take(&out);
}

/* What is there for messages to name. */
struct known {
	bool topology, pools;
};

static void read_message(struct settings *s, const char *name, const json_t *spec,
    struct known known, struct reporter *reporter)
{
	char *pointer = settings_pointer("messages", name);
	struct settings_message *m = &s->messages[s->message_count++];
	reporter->base = pointer;
	m->name = name;
	m->spec = spec;
	if (known.topology)
		check_target(s, spec, reporter);
	/* both have reported what is wrong */
	(void)pace_plan_read(spec, &m->plan, settings_report, reporter);
	if (known.pools)
		m->pattern =
		    pattern_create(name, spec, s->directory, s->pools, settings_report, reporter);
	reporter->base = "";
	free(pointer);
}

/* A copy in which nothing is known of the exchanges with faults: what routes by their type is not
 * reported as well. */
static json_t *without_types(const json_t *root, const json_t *faulty)
{
	json_t *copy = json_deep_copy(root), *body;
	const char *name;
	json_object_foreach(json_object_get(copy, "exchanges"), name, body)
	{
		char *pointer = settings_pointer("exchanges", name);
		char *path = document_path(pointer);
		if (settings_is_faulty(faulty, path))
			json_object_set_new(body, "type", json_string("x-"));
		free(path);
		free(pointer);
	}
	return copy;
}

static bool read_topology(struct settings *s, struct reporter *reporter)
{
	json_t *root = without_types(document_root(s->document), reporter->faulty);
	bool good = topology_read(root, &s->topology, settings_report, reporter);
	json_decref(root);
	return good;
}

static bool read_pools(struct settings *s, uint64_t seed, struct reporter *reporter)
{
	json_t *pools = json_object_get(document_root(s->document), "pools");
	if (pools == NULL)
		return true;
	reporter->base = "/pools";
	s->pools = pattern_pools_create(pools, seed, settings_report, reporter);
	reporter->base = "";
	return s->pools != NULL;
}

static void read_expectations(struct settings *s, struct reporter *reporter)
{
	reporter->base = "/expect";
	(void)expectations_read(/* has reported */
	    json_object_get(document_root(s->document), "expect"), &s->expect, settings_report,
	    reporter);
	reporter->base = "";
}

/* Whether the schema has found something in it, so that who relies on the schema must not read it.
 */
static bool is_section_faulty(const struct reporter *reporter, const char *section)
{
	size_t length = strlen(section);
	const char *path;
	json_t *fault;
	json_object_foreach((json_t *)(uintptr_t)reporter->faulty, path, fault)
	{
		if (strncmp(path, section, length) == 0 &&
		    (path[length] == '\0' || path[length] == '.'))
			return true;
	}
	return false;
}

static void read_responders(struct settings *s, struct reporter *reporter)
{
	const json_t *section = json_object_get(document_root(s->document), "responders");
	if (is_section_faulty(reporter, "responders"))
		return;
	reporter->base = "/responders";
	(void)responder_read(/* has reported */
	    section, &s->topology, &s->responders, settings_report, reporter);
	reporter->base = "";
}

static void read_workflows(struct settings *s, struct reporter *reporter)
{
	const json_t *section = json_object_get(document_root(s->document), "workflows");
	if (is_section_faulty(reporter, "workflows"))
		return;
	reporter->base = "/workflows";
	(void)workflow_read(/* has reported */
	    section, &s->topology, &s->workflows, settings_report, reporter);
	reporter->base = "";
}

static void read_lesson(struct settings *s, struct reporter *reporter)
{
	if (is_section_faulty(reporter, "lesson"))
		return;
	reporter->base = "/lesson";
	(void)lesson_read(json_object_get(document_root(s->document), "lesson"), &s->topology,
	    &s->lesson, settings_report, reporter); /* has reported */
	reporter->base = "";
}

static void read_model(struct settings *s, uint64_t seed, struct reporter *reporter)
{
	const struct known known = {
	    read_topology(s, reporter),
	    read_pools(s, seed, reporter),
	};
	json_t *messages = json_object_get(document_root(s->document), "messages"), *spec;
	const char *name;
	s->messages = mem_alloc(json_object_size(messages), sizeof *s->messages);
	json_object_foreach(messages, name, spec) read_message(s, name, spec, known, reporter);
	settings_check_contracts(s, "queues", reporter);
	settings_check_contracts(s, "messages", reporter);
	read_expectations(s, reporter);
	if (known.topology) {
		settings_check_relays(s, reporter);
		read_responders(s, reporter);
		read_workflows(s, reporter);
		read_lesson(s, reporter);
	}
}

/* ---- the whole ---- */

static bool refuse(const char *path, const struct problems *problems, struct error *err)
{
	size_t count = problems->count + problems->dropped;
	char *name = text_quote(slice_str(path));
	*err = (struct error){0}; /* says it better than who found them */
	error_set(err, ERROR_SETTINGS, "%s: %zu %s in the settings; nothing was done", name, count,
	    num_noun(count, "mistake", "mistakes"));
	free(name);
	return false;
}

static bool load_document(const struct settings_options *options, struct settings *s,
    struct problems *problems, struct error *err)
{
	if (options->source == NULL) {
		s->document = document_empty();
		s->directory = mem_strdup(".");
		return true;
	}
	char *path = locate_settings(options->source, err);
	if (path == NULL)
		return false;
	s->directory = locate_directory(path);
	s->document = document_load(path, problems, err);
	if (s->document == NULL && problems->count > 0) /* else it is told in err */
		refuse(path, problems, err);
	free(path);
	return s->document != NULL;
}

bool settings_load(const struct settings_options *options, struct settings *out,
    struct problems *problems, struct error *err)
{
	*out = (struct settings){0};
	if (!load_document(options, out, problems, err))
		return false;
	for (size_t i = 0; i < options->override_count; i++)
		if (!document_set(out->document, "--set", options->overrides[i], err))
			return false;
	if (!check_schema(out, problems, err) && err->kind != ERROR_NONE)
		return false;
	json_t *faulty = collect_faulty(problems);
	struct reporter reporter = {
	    .document = out->document, .problems = problems, .base = "", .faulty = faulty};
	bool good = faulty == NULL || settings_read_broker(out, options, &reporter, err);
	if (good && faulty != NULL)
		read_model(out, options->seed, &reporter);
	json_decref(faulty);
	return good &&
	       (problems->count == 0 || refuse(document_name(out->document), problems, err));
}

static void wipe(const json_t *text)
{
	if (json_is_string(text))
		explicit_bzero(
		    (void *)(uintptr_t)json_string_value(text), json_string_length(text));
}

/* The addresses with their passwords, as they stood in the file. */
static void wipe_addresses(const struct settings *s)
{
	if (s->document == NULL)
		return;
	const json_t *broker = json_object_get(document_root(s->document), "broker");
	const json_t *url = json_object_get(broker, "url");
	wipe(json_object_get(broker, "management"));
	wipe(url);
	for (size_t i = 0; i < json_array_size(url); i++)
		wipe(json_array_get(url, i));
	struct slice text = document_text(s->document);
	if (text.len > 0)
		explicit_bzero((void *)(uintptr_t)text.ptr, text.len);
}

void settings_release(struct settings *s)
{
	for (size_t i = 0; i < s->message_count; i++) {
		pattern_free(s->messages[i].pattern);
		pace_plan_release(&s->messages[i].plan);
	}
	free(s->messages);
	expectations_release(&s->expect);
	lesson_release(&s->lesson);
	responder_release(&s->responders);
	workflow_release(&s->workflows);
	pattern_pools_free(s->pools);
	topology_release(&s->topology);
	settings_release_uris(s);
	wipe_addresses(s);
	document_free(s->document);
	free(s->password_file);
	free(s->directory);
	*s = (struct settings){0};
}

const char *settings_user(const struct settings *s)
{
	for (size_t i = 0; i < s->uri_count; i++)
		if (s->uris[i].external || strcmp(s->uris[i].user, s->uris[0].user) != 0)
			return NULL;
	return s->uris[0].user;
}
