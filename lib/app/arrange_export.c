/* topology export: the settings in the forms of others. */
#include "app/arrange_private.h"

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

json_t *arrange_definitions(struct tool *tool, struct error *err)
{
	struct error refused = {0};
	json_t *definitions = NULL;
	if (!tool_open_management(tool, err))
		return NULL;
	if (management_get(tool->management, "/definitions", &definitions, &refused))
		return definitions;
	if (refused.kind != ERROR_ACCESS) {
		*err = refused;
		return NULL;
	}
	char *vhost = management_encode(tool->settings.uris[0].vhost);
	char *path = mem_printf("/definitions/%s", vhost);
	if (management_get(tool->management, path, &definitions, err))
		log_write(LOG_WARNING, "only of the virtual host: the user may not see all of the "
				       "broker's definitions");
	free(path);
	free(vhost);
	return definitions;
}

static json_t *export_definitions(
    struct tool *tool, const struct arrange_options *o, struct error *err)
{
	if (o->live)
		return arrange_definitions(tool, err);
	const json_t *root = document_root(tool->settings.document);
	return definitions_export(&tool->settings.topology, json_object_get(root, "definitions"),
	    tool->settings.uris[0].vhost, arrange_note, NULL);
}

bool arrange_export(
    struct tool *tool, const struct arrange_options *o, enum arrange_format form, struct error *err)
{
	json_t *document = NULL;
	struct buf out = {0};
	(void)form;
	if (tool_load_settings(tool, !o->live, 0, err))
		document = export_definitions(tool, o, err);
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
