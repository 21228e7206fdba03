#include "app/asyncapi_schemas.h"

#include "app/locate.h"
#include "config/contract.h"

#include <stdlib.h>
#include <string.h>

static const char *member_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

json_t *asyncapi_schemas_contract(const struct settings *s, const json_t *spec)
{
	const char *file = member_text(spec, "contract");
	struct error ignored = {0}; /* it was read before, with the settings */
	if (file == NULL)
		return NULL;
	char *path = locate_below(s->directory, file);
	struct contract *contract = contract_load(path, &ignored);
	json_t *schema = contract != NULL ? contract_bundle(contract) : NULL;
	if (json_is_object(schema)) {
		const char *name = contract_name(contract);
		json_object_set_new(schema, "$id",
		    strchr(name, ':') != NULL ? json_string(name)
					      : json_sprintf("urn:warren:contract:%s", name));
	}
	contract_free(contract);
	free(path);
	return schema;
}

/* https://www.asyncapi.com/docs/reference/specification/v3.0.0#multiFormatSchemaObject */
json_t *asyncapi_schemas_foreign_take(json_t *schema)
{
	const char *dialect = member_text(schema, "$schema");
	const char *version = dialect != NULL && strstr(dialect, "draft-07") != NULL ? "draft-07"
			      : dialect != NULL && strstr(dialect, "2019-09") != NULL
				  ? "draft-2019-09"
				  : "draft-2020-12";
	return json_pack("{s:o, s:o}", "schemaFormat",
	    json_sprintf("application/schema+json;version=%s", version), "schema", schema);
}
