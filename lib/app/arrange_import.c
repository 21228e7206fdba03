/* topology import: definitions as settings. */
#include "app/arrange_private.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/document.h"
#include "config/emit.h"
#include "config/input.h"
#include "model/definitions.h"
#include "web/management.h"

#include <stdlib.h>

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

static json_t *read_file(const char *path, struct error *err)
{
	struct buf text = {0};
	json_t *document = NULL;
	bool is_file;
	if (input_read(path, MAX_BYTES, &text, &is_file, err))
		document = parse(path, buf_slice(&text), err);
	if (text.len > 0)
		explicit_bzero(text.ptr, text.len); /* users have hashes in there */
	buf_release(&text);
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
	static const char *const names[] = {
	    "broker", "exchanges", "queues", "bindings", "definitions"};
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

static bool import_document(const struct tool *tool, const struct arrange_options *o,
    const json_t *document, struct error *err)
{
	const struct definitions_import how = {
	    .vhost = o->vhost == NULL && o->live ? tool->settings.uris[0].vhost : o->vhost,
	    .credentials = o->credentials,
	    .note = arrange_note};
	struct buf out = {0};
	json_t *settings = definitions_import(document, &how, err);
	if (settings == NULL)
		return false;
	set_broker(tool, o, settings);
	bool good = write_settings(settings, &out, err) && tool_print(buf_slice(&out), err);
	if (good && out.len > DOCUMENT_MAX_BYTES)
		log_write(LOG_WARNING,
		    "the settings are larger than %u bytes: as one file they are refused",
		    DOCUMENT_MAX_BYTES);
	json_decref(settings);
	buf_release(&out);
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
	json_t *document =
	    o->live ? arrange_definitions(tool, o->vhost, err) : read_file(path, err);
	if (document == NULL)
		return false;
	bool good = import_document(tool, o, document, err);
	if (!good && path != NULL && err->kind == ERROR_DATA) {
		char *name = text_quote(slice_str(path));
		error_context(err, "%s", name);
		free(name);
	}
	json_decref(document);
	return good;
}
