/* topology import: definitions, or an AsyncAPI document, as settings. */
#include "app/arrange_private.h"

#include "app/asyncapi_import.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/document.h"
#include "config/emit.h"
#include "config/input.h"
#include "model/definitions.h"
#include "web/management.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_BYTES (64u << 20)
#define DEFAULT_PORT 5672

static json_t *parse(const char *path, struct slice text, struct error *err)
{
	json_error_t where;
	json_t *document = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &where);
	if (document == NULL) {
		char *name = text_quote(slice_str(path)),
		     *fault = text_quote(slice_str(where.text));
		error_set(err, ERROR_DATA, "%s:%d:%d: %s", name, where.line, where.column, fault);
		free(fault);
		free(name);
	}
	return document;
}

/* Where the settings belong. A user and a password are the reader's own. */
static void set_broker(const struct tool *tool, const struct arrange_options *o, json_t *settings)
{
	const struct uri *uri = &tool->settings.uris[0];
	const char *vhost =
	    json_string_value(json_object_get(json_object_get(settings, "definitions"), "vhost"));
	if (vhost == NULL)
		vhost = o->vhost != NULL ? o->vhost : o->live ? uri->vhost : "/";
	if (!o->live && strcmp(vhost, "/") == 0)
		return;
	char *encoded = management_encode(vhost);
	bool is_v6 = o->live && strchr(uri->host, ':') != NULL;
	json_t *broker = json_object();
	json_object_set_new(broker, "url",
	    json_sprintf("%s://%s%s%s:%d/%s", o->live && uri->tls ? "amqps" : "amqp",
		is_v6 ? "[" : "", o->live ? uri->host : "localhost", is_v6 ? "]" : "",
		o->live ? uri->port : DEFAULT_PORT, encoded));
	json_object_set_new(settings, "broker", broker);
	free(encoded);
}

/* A section after the other, parted by empty lines. */
static bool write_settings(const json_t *settings, struct buf *out, struct error *err)
{
	static const char *const names[] = {"broker", "exchanges", "queues", "bindings", "pools",
	    "messages", "relays", "responders", "workflows", "projections", "expect",
	    "definitions"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		json_t *value = json_object_get(settings, names[i]);
		if (value == NULL)
			continue;
		json_t *section = json_pack("{s:O}", names[i], value);
		if (out->len > 0)
			buf_append_char(out, '\n');
		bool good = emit_yaml(section, out, err);
		json_decref(section);
		if (!good)
			return false;
	}
	return true;
}

static bool print_settings(const json_t *settings, struct error *err)
{
	struct buf out = {0};
	bool good = write_settings(settings, &out, err) && tool_print(buf_slice(&out), err);
	if (good && out.len > DOCUMENT_MAX_BYTES)
		log_write(LOG_WARNING,
		    "the settings are larger than %u bytes: as one file they are refused",
		    DOCUMENT_MAX_BYTES);
	buf_release(&out);
	return good;
}

/* ---- definitions ---- */

static bool import_definitions(const struct tool *tool, const struct arrange_options *o,
    const json_t *document, struct error *err)
{
	const struct definitions_import how = {
	    .vhost = o->vhost == NULL && o->live ? tool->settings.uris[0].vhost : o->vhost,
	    .credentials = o->credentials,
	    .note = arrange_note};
	json_t *settings = definitions_import(document, &how, err);
	if (settings == NULL)
		return false;
	set_broker(tool, o, settings);
	bool good = print_settings(settings, err);
	json_decref(settings);
	return good;
}

/* ---- AsyncAPI ---- */

/* A JSON text as libyaml takes it: of \uD83D\uDE00 it wants the character. */
static struct document *read_json(
    const char *name, const json_t *json, struct problems *problems, struct error *err)
{
	char *text = json_dumps(json, JSON_INDENT(2));
	struct document *document = document_parse_plain(name, slice_str(text), problems, err);
	free(text);
	return document;
}

/* The document, if that is what it is; else NULL, without an error. json: NULL when it is none. */
static struct document *read_asyncapi(
    const char *path, struct slice text, const json_t *json, struct error *err)
{
	static const char key[] = "asyncapi";
	struct problems problems = {0};
	struct document *document = NULL;
	bool is_json = json_object_get(json, key) != NULL;
	if (is_json || (json == NULL && memmem(text.ptr, text.len, key, strlen(key)) != NULL)) {
		document = document_parse_plain(path, text, &problems, err);
		if (document == NULL && is_json) {
			problems_release(&problems);
			problems = (struct problems){0};
			*err = (struct error){0};
			document = read_json(path, json, &problems, err);
		}
	}
	if (document != NULL && json_object_get(document_root(document), key) == NULL) {
		document_free(document);
		document = NULL;
	}
	if (err->kind != ERROR_NONE && problems.count > 0) { /* the first one tells enough */
		struct buf text_of = {0};
		problems_write(&problems, 1, NULL, (struct slice){0}, &text_of);
		*err = (struct error){0};
		error_set(err, ERROR_DATA, "%.*s", SLICE_ARGS(slice_trim(buf_slice(&text_of))));
		buf_release(&text_of);
	}
	problems_release(&problems);
	return document;
}

static bool fail_to_create(const char *path, struct error *err)
{
	char *shown = text_quote(slice_str(path));
	error_set(err, ERROR_CANNOT_CREATE, "cannot write '%s': %s", shown,
	    errno == EEXIST ? "it is there already; give another --contracts" : strerror(errno));
	free(shown);
	return false;
}

static bool write_file(const char *path, const json_t *schema, struct error *err)
{
	char *text = json_dumps(schema, JSON_INDENT(2));
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool good = file != NULL && fprintf(file, "%s\n", text) > 0;
	if (file != NULL)
		good = fclose(file) == 0 && good;
	free(text);
	return good ? true : fail_to_create(path, err);
}

/* Never over another file. */
static bool write_contracts(const char *folder, const json_t *contracts, struct error *err)
{
	json_t *schema;
	const char *name;
	if (json_object_size(contracts) == 0)
		return true;
	if (mkdir(folder, 0777) != 0 && errno != EEXIST)
		return fail_to_create(folder, err);
	json_object_foreach((json_t *)(uintptr_t)contracts, name, schema)
	{
		char *path = mem_printf("%s/%s", folder, name);
		bool good = write_file(path, schema, err);
		free(path);
		if (!good)
			return false;
	}
	return true;
}

static bool import_asyncapi(
    const struct arrange_options *o, const struct document *document, struct error *err)
{
	const struct asyncapi_import how = {
	    .vhost = o->vhost, .folder = o->contracts, .note = arrange_note};
	json_t *contracts = NULL;
	json_t *settings = asyncapi_import(document, &how, &contracts, err);
	bool good = settings != NULL &&
		    (o->contracts == NULL || write_contracts(o->contracts, contracts, err)) &&
		    print_settings(settings, err);
	json_decref(contracts);
	json_decref(settings);
	return good;
}

/* ---- the verb ---- */

static bool import_text(const struct tool *tool, const struct arrange_options *o, const char *path,
    struct slice text, struct error *err)
{
	struct error fault = {0};
	json_t *json = parse(path, text, &fault);
	struct document *document = read_asyncapi(path, text, json, err);
	bool good = false;
	if (document != NULL)
		good = import_asyncapi(o, document, err);
	else if (err->kind == ERROR_NONE && json != NULL && o->contracts != NULL)
		error_set(
		    err, ERROR_USAGE, "--contracts goes with AsyncAPI; these are definitions");
	else if (err->kind == ERROR_NONE && json != NULL)
		good = import_definitions(tool, o, json, err);
	else if (err->kind == ERROR_NONE)
		*err = fault;
	if (!good && document == NULL && json != NULL && err->kind == ERROR_DATA) {
		char *name = text_quote(slice_str(path));
		error_context(err, "%s", name);
		free(name);
	}
	document_free(document);
	json_decref(json);
	return good;
}

static bool import_file(
    const struct tool *tool, const struct arrange_options *o, const char *path, struct error *err)
{
	struct buf text = {0};
	bool is_file, good = input_read(path, MAX_BYTES, &text, &is_file, err) &&
			     import_text(tool, o, path, buf_slice(&text), err);
	if (text.len > 0)
		explicit_bzero(text.ptr, text.len); /* users have hashes in there */
	buf_release(&text);
	return good;
}

static bool import_live(struct tool *tool, const struct arrange_options *o, struct error *err)
{
	json_t *document = arrange_definitions(tool, o->vhost, err);
	bool good = document != NULL && import_definitions(tool, o, document, err);
	json_decref(document);
	return good;
}

bool arrange_import(
    struct tool *tool, const struct arrange_options *o, enum arrange_format form, struct error *err)
{
	const char *path = tool->operands[1];
	(void)form; /* YAML, the only one */
	if (o->live ? path != NULL : path == NULL || tool->operands[2] != NULL)
		return error_set(err, ERROR_USAGE,
		    "what is to be imported? one FILE (- is standard input), or --live");
	if (!tool_load_settings(tool, false, 0, err))
		return false;
	return o->live ? import_live(tool, o, err) : import_file(tool, o, path, err);
}
