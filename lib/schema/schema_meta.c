#include "schema/schema_private.h"

#include "base/embed.h"
#include "base/mem.h"

/*
 * The published meta-schemas, as files beside this one; metaschema/README.md says where they come
 * from. The assembler reads them from the root of the repository, where the compiler runs.
 */
#define EMBED(name, file) EMBED_TEXT(schema_meta_##name, "lib/schema/metaschema/" file)

EMBED(2020_schema, "draft2020-12/schema.json");
EMBED(2020_core, "draft2020-12/core.json");
EMBED(2020_applicator, "draft2020-12/applicator.json");
EMBED(2020_unevaluated, "draft2020-12/unevaluated.json");
EMBED(2020_validation, "draft2020-12/validation.json");
EMBED(2020_meta_data, "draft2020-12/meta-data.json");
EMBED(2020_format, "draft2020-12/format-annotation.json");
EMBED(2020_content, "draft2020-12/content.json");
EMBED(2019_schema, "draft2019-09/schema.json");
EMBED(2019_core, "draft2019-09/core.json");
EMBED(2019_applicator, "draft2019-09/applicator.json");
EMBED(2019_validation, "draft2019-09/validation.json");
EMBED(2019_meta_data, "draft2019-09/meta-data.json");
EMBED(2019_format, "draft2019-09/format.json");
EMBED(2019_content, "draft2019-09/content.json");
EMBED(7_schema, "draft7/schema.json");

static const struct meta_row {
	const char *uri;
	const char *text;
} metas[] = {
    {"https://json-schema.org/draft/2020-12/schema", schema_meta_2020_schema},
    {"https://json-schema.org/draft/2020-12/meta/core", schema_meta_2020_core},
    {"https://json-schema.org/draft/2020-12/meta/applicator", schema_meta_2020_applicator},
    {"https://json-schema.org/draft/2020-12/meta/unevaluated", schema_meta_2020_unevaluated},
    {"https://json-schema.org/draft/2020-12/meta/validation", schema_meta_2020_validation},
    {"https://json-schema.org/draft/2020-12/meta/meta-data", schema_meta_2020_meta_data},
    {"https://json-schema.org/draft/2020-12/meta/format-annotation", schema_meta_2020_format},
    {"https://json-schema.org/draft/2020-12/meta/content", schema_meta_2020_content},
    {"https://json-schema.org/draft/2019-09/schema", schema_meta_2019_schema},
    {"https://json-schema.org/draft/2019-09/meta/core", schema_meta_2019_core},
    {"https://json-schema.org/draft/2019-09/meta/applicator", schema_meta_2019_applicator},
    {"https://json-schema.org/draft/2019-09/meta/validation", schema_meta_2019_validation},
    {"https://json-schema.org/draft/2019-09/meta/meta-data", schema_meta_2019_meta_data},
    {"https://json-schema.org/draft/2019-09/meta/format", schema_meta_2019_format},
    {"https://json-schema.org/draft/2019-09/meta/content", schema_meta_2019_content},
    {"http://json-schema.org/draft-07/schema", schema_meta_7_schema},
};

const char *schema_meta_text(const char *uri)
{
	for (size_t i = 0; i < ARRAY_LEN(metas); i++)
		if (strcmp(uri, metas[i].uri) == 0)
			return metas[i].text;
	return NULL;
}
