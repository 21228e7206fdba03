#include "app/enforce.h"

#include "app/locate.h"
#include "base/text.h"
#include "model/reader.h"

#include <stdlib.h>

bool enforce_add(const struct settings *settings, const char *section, const char *name,
    const struct core_contract_scope *scope, struct core_contract **core, struct error *err)
{
	const json_t *items = reader_member(document_root(settings->document), section);
	const json_t *file = reader_member(reader_member(items, name), "contract");
	if (file == NULL)
		return true;
	if (*core == NULL)
		*core = core_contract_create();
	char *path = locate_below(settings->directory, json_string_value(file));
	bool good = core_contract_add(*core, path, scope, err);
	free(path);
	if (good)
		return true;
	char *shown = text_quote(slice_str(name));
	error_context(err, "contract of '%s'", shown);
	free(shown);
	return false;
}

bool enforce_queues(const struct settings *settings, const char *const *queues, size_t count,
    struct core_contract **core, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct core_contract_scope scope = {.queue = queues[i]};
		if (!enforce_add(settings, "queues", queues[i], &scope, core, err))
			return false;
	}
	return true;
}
