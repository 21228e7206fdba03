/* topology export: the settings in the forms of others. */
#include "app/arrange_private.h"

#include "app/api.h"
#include "app/arrange_live.h"
#include "app/asyncapi.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/definitions.h"
#include "web/management.h"

#include <stdlib.h>

void arrange_note(void *ctx, const char *text)
{
	(void)ctx;
	log_write(LOG_WARNING, "%s", text);
}

/* What anybody sees who may see the vhost. */
static json_t *look_at_vhost(struct tool *tool, const char *vhost, struct error *err)
{
	struct topology live;
	json_t *section = json_pack("{s:s}", "form", "vhost"), *definitions = NULL;
	if (management_topology(tool->management, vhost, &live, err)) {
		log_write(LOG_WARNING,
		    "exchanges, queues and bindings of the virtual host only, no policies: for "
		    "the rest the user has to be an administrator");
		definitions = definitions_export(&live, section, NULL, arrange_note, NULL);
		topology_release(&live);
	}
	json_decref(section);
	return definitions;
}

json_t *arrange_definitions(struct tool *tool, const char *vhost, struct error *err)
{
	struct error refused = {0};
	json_t *definitions = NULL;
	if (!api_open(tool, err))
		return NULL;
	if (management_get(tool->management, "/definitions", &definitions, &refused))
		return definitions;
	if (refused.kind == ERROR_ACCESS)
		return look_at_vhost(
		    tool, vhost != NULL ? vhost : tool->settings.uris[0].vhost, err);
	*err = refused;
	return NULL;
}

/* The broker's topology in the place of that of the settings, whose messages stay. */
static bool look(struct tool *tool, struct error *err)
{
	struct topology live;
	if (!arrange_live_topology(tool, &live, err))
		return false;
	topology_release(&tool->settings.topology);
	tool->settings.topology = live;
	return true;
}

/* The broker's own document. What opens a door comes only when it is asked for, as into settings.
 */
static json_t *fetch(struct tool *tool, const struct arrange_options *o, struct error *err)
{
	json_t *document = arrange_definitions(tool, NULL, err);
	if (document != NULL && !o->credentials)
		definitions_drop_credentials(document, arrange_note, NULL);
	return document;
}

/* "settings/walkthrough.yaml" gives the title "walkthrough". */
static json_t *describe(const struct tool *tool, bool is_live)
{
	const char *source = tool->options->settings, *slash = source ? strrchr(source, '/') : NULL;
	char *title = mem_strdup(slash != NULL ? slash + 1 : source ? source : "broker");
	char *dot = strrchr(title, '.');
	if (dot != NULL && dot != title)
		*dot = '\0';
	json_t *document = asyncapi_document(&tool->settings, title, is_live);
	free(title);
	return document;
}

static json_t *make_document(
    struct tool *tool, const struct arrange_options *o, enum arrange_format form, struct error *err)
{
	if (o->live && form == ARRANGE_JSON)
		return fetch(tool, o, err);
	if (o->live && !look(tool, err))
		return NULL;
	if (form == ARRANGE_ASYNCAPI)
		return describe(tool, o->live);
	const json_t *root = document_root(tool->settings.document);
	return definitions_export(&tool->settings.topology, json_object_get(root, "definitions"),
	    tool->settings.uris[0].vhost, arrange_note, NULL);
}

bool arrange_export(
    struct tool *tool, const struct arrange_options *o, enum arrange_format form, struct error *err)
{
	json_t *document = NULL;
	struct buf out = {0};
	if (tool_load_settings(tool, !o->live, 0, err))
		document = make_document(tool, o, form, err);
	if (document == NULL)
		return false;
	char *text = json_dumps(document, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	buf_append_str(&out, text);
	buf_append_char(&out, '\n');
	bool good = tool_print(buf_slice(&out), err);
	free(text);
	buf_release(&out);
	json_decref(document);
	return good;
}
