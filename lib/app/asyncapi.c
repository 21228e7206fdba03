#include "app/asyncapi.h"

#include "app/asyncapi_bindings.h"
#include "app/asyncapi_patterns.h"
#include "app/asyncapi_queues.h"
#include "app/asyncapi_relays.h"
#include "app/asyncapi_responders.h"
#include "app/asyncapi_sections.h"
#include "app/asyncapi_workflows.h"

json_t *asyncapi_document(const struct settings *s, const char *title, bool is_live)
{
	struct asyncapi_draft d;
	asyncapi_draft_init(&d, s, is_live);
	asyncapi_patterns_add(&d);
	asyncapi_queues_add(&d);
	asyncapi_responders_add(&d);
	asyncapi_relays_add(&d);
	asyncapi_workflows_add(&d);
	asyncapi_queues_end(&d);
	json_t *document = json_pack("{s:s, s:{s:s, s:s}, s:s, s:o, s:O, s:O, s:{s:O}}", "asyncapi",
	    "3.0.0", "info", "title", title, "version", "1.0.0", "defaultContentType",
	    "application/json", "servers", asyncapi_bindings_servers(s), "channels", d.channels,
	    "operations", d.operations, "components", "messages", d.messages);
	asyncapi_sections_set(document, s);
	asyncapi_draft_release(&d);
	return document;
}
