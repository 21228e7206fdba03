#include "schema/schema_private.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

#define MAX_HOPS 8 /* meta-schemas that describe each other */

#define EVERYTHING \
	(SCHEMA_CORE | SCHEMA_APPLICATOR | SCHEMA_UNEVALUATED | SCHEMA_VALIDATION | SCHEMA_FORMAT)

static const struct dialect_row {
	const char *uri;
	enum schema_draft draft;
} dialects[] = {
    {"https://json-schema.org/draft/2020-12/schema", SCHEMA_DRAFT_2020},
    {"https://json-schema.org/draft/2019-09/schema", SCHEMA_DRAFT_2019},
    {"http://json-schema.org/draft-07/schema", SCHEMA_DRAFT_7},
    {"https://json-schema.org/draft-07/schema", SCHEMA_DRAFT_7}, /* often written so */
};

#define VOCABULARY_BASE "https://json-schema.org/draft/"

/* What stands behind VOCABULARY_BASE. */
static const struct vocabulary_row {
	const char *name;
	unsigned vocabularies;
} vocabularies[] = {
    {"2020-12/vocab/core", SCHEMA_CORE},
    {"2020-12/vocab/applicator", SCHEMA_APPLICATOR},
    {"2020-12/vocab/unevaluated", SCHEMA_UNEVALUATED},
    {"2020-12/vocab/validation", SCHEMA_VALIDATION},
    {"2020-12/vocab/format-annotation", SCHEMA_FORMAT},
    {"2020-12/vocab/format-assertion", SCHEMA_FORMAT_ASSERTION},
    {"2020-12/vocab/meta-data", 0},
    {"2020-12/vocab/content", 0},
    {"2019-09/vocab/core", SCHEMA_CORE},
    {"2019-09/vocab/applicator", SCHEMA_APPLICATOR | SCHEMA_UNEVALUATED},
    {"2019-09/vocab/validation", SCHEMA_VALIDATION},
    {"2019-09/vocab/format", SCHEMA_FORMAT},
    {"2019-09/vocab/meta-data", 0},
    {"2019-09/vocab/content", 0},
};

static const struct vocabulary_row *find_vocabulary(const char *uri)
{
	const size_t base = sizeof VOCABULARY_BASE - 1;
	if (strncmp(uri, VOCABULARY_BASE, base) != 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(vocabularies); i++)
		if (strcmp(uri + base, vocabularies[i].name) == 0)
			return &vocabularies[i];
	return NULL;
}

/* "$vocabulary" of a meta-schema: which keywords mean something. */
static bool read_vocabularies(const json_t *meta, struct schema_dialect *d, struct error *err)
{
	const char *uri;
	json_t *required;
	json_t *list = json_object_get(meta, "$vocabulary");
	if (!json_is_object(list))
		return true; /* all there are */
	d->vocabularies = SCHEMA_CORE;
	json_object_foreach(list, uri, required)
	{
		const struct vocabulary_row *row = find_vocabulary(uri);
		if (row != NULL) {
			d->vocabularies |= row->vocabularies;
		} else if (json_is_true(required)) {
			char *shown = text_quote(slice_str(uri));
			error_set(
			    err, ERROR_SETTINGS, "schema needs the unknown vocabulary '%s'", shown);
			free(shown);
			return false;
		}
	}
	return true;
}

/* Equal up to an empty fragment. */
static bool is_same_uri(const char *a, const char *b)
{
	size_t len = strlen(b);
	return strncmp(a, b, len) == 0 && (a[len] == '\0' || strcmp(a + len, "#") == 0);
}

static const struct dialect_row *find_row(const char *uri)
{
	for (size_t i = 0; i < ARRAY_LEN(dialects); i++)
		if (is_same_uri(uri, dialects[i].uri))
			return &dialects[i];
	return NULL;
}

static const json_t *find_document(const struct schema *s, const char *uri)
{
	for (size_t i = 0; i < s->documents.count; i++) {
		const struct schema_document *d = s->documents.items[i];
		const char *id = json_string_value(json_object_get(d->json, "$id"));
		if (is_same_uri(uri, d->uri) || (id != NULL && is_same_uri(uri, id)))
			return d->json;
	}
	return NULL;
}

bool schema_dialect_find(const struct schema *s, const json_t *document,
    struct schema_dialect *dialect, struct error *err)
{
	const json_t *vocabularies_of = NULL;
	*dialect = (struct schema_dialect){SCHEMA_DRAFT_2020, EVERYTHING, NULL};
	for (unsigned hops = 0; hops < MAX_HOPS; hops++) {
		const char *uri = json_string_value(json_object_get(document, "$schema"));
		const struct dialect_row *row = uri != NULL ? find_row(uri) : &dialects[0];
		if (row != NULL) {
			dialect->draft = row->draft;
			return vocabularies_of == NULL ||
			       read_vocabularies(vocabularies_of, dialect, err);
		}
		dialect->unknown = uri;
		document = find_document(s, uri);
		if (document == NULL)
			return true;
		if (vocabularies_of == NULL)
			vocabularies_of = document;
		dialect->unknown = NULL;
	}
	return error_set(
	    err, ERROR_SETTINGS, "schema's meta-schemas describe each other in a circle");
}
