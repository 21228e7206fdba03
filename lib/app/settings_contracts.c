/* The `contract` of queues and messages: schemas in files beside the settings. */
#include "app/settings.h"

#include "app/locate.h"
#include "app/settings_private.h"
#include "config/contract.h"

#include <stdlib.h>

static void check_item(const struct settings *s, const json_t *item, struct reporter *reporter)
{
	struct error err = {0};
	const char *name = json_string_value(json_object_get(item, "contract"));
	const char *type = json_string_value(json_object_get(item, "type"));
	if (name == NULL)
		return;
	char *path = locate_below(s->directory, name);
	struct contract *contract = contract_load(path, &err);
	if (contract == NULL)
		settings_report(reporter, "/contract", err.text);
	else if (type != NULL && strcmp(type, "stream") == 0)
		settings_report(reporter, "/contract",
		    "contract is for classic and quorum queues: a stream keeps what it has, "
		    "whoever "
		    "rejects it");
	contract_free(contract);
	free(path);
}

void settings_check_contracts(
    const struct settings *s, const char *section, struct reporter *reporter)
{
	json_t *items = json_object_get(document_root(s->document), section), *item;
	const char *name;
	json_object_foreach(items, name, item)
	{
		char *pointer = settings_pointer(section, name);
		reporter->base = pointer;
		check_item(s, item, reporter);
		reporter->base = "";
		free(pointer);
	}
}
