#include "schema/schema_private.h"

#define ALL (SCHEMA_DRAFT_7 | SCHEMA_DRAFT_2019 | SCHEMA_DRAFT_2020)
#define OLD (SCHEMA_DRAFT_7 | SCHEMA_DRAFT_2019)
#define NEW (SCHEMA_DRAFT_2019 | SCHEMA_DRAFT_2020)

static bool holds_type(const struct schema_rule *rule, const json_t *value)
{
	return (rule->types & schema_value_types(value)) != 0;
}

static bool holds_const(const struct schema_rule *rule, const json_t *value)
{
	return schema_value_equal(value, rule->value);
}

static bool holds_enum(const struct schema_rule *rule, const json_t *value)
{
	size_t i;
	json_t *allowed;
	json_array_foreach(
	    rule->value, i, allowed) if (schema_value_equal(value, allowed)) return true;
	return false;
}

static bool holds_multiple_of(const struct schema_rule *rule, const json_t *value)
{
	return !json_is_number(value) || schema_value_is_multiple(value, rule->value);
}

static bool holds_minimum(const struct schema_rule *rule, const json_t *value)
{
	return !json_is_number(value) || schema_value_compare(value, rule->value) >= 0;
}

static bool holds_exclusive_minimum(const struct schema_rule *rule, const json_t *value)
{
	return !json_is_number(value) || schema_value_compare(value, rule->value) > 0;
}

static bool holds_maximum(const struct schema_rule *rule, const json_t *value)
{
	return !json_is_number(value) || schema_value_compare(value, rule->value) <= 0;
}

static bool holds_exclusive_maximum(const struct schema_rule *rule, const json_t *value)
{
	return !json_is_number(value) || schema_value_compare(value, rule->value) < 0;
}

/* A limit may be written as 2.0, and may be above what a size can be. */
static bool at_least(size_t count, const json_t *limit)
{
	return json_is_integer(limit) ? count >= (uint64_t)json_integer_value(limit)
				      : (double)count >= json_real_value(limit);
}

static bool at_most(size_t count, const json_t *limit)
{
	return json_is_integer(limit) ? count <= (uint64_t)json_integer_value(limit)
				      : (double)count <= json_real_value(limit);
}

static bool holds_min_length(const struct schema_rule *rule, const json_t *value)
{
	return !json_is_string(value) || at_least(schema_value_count(value), rule->value);
}

static bool holds_max_length(const struct schema_rule *rule, const json_t *value)
{
	return !json_is_string(value) || at_most(schema_value_count(value), rule->value);
}

static bool holds_min_items(const struct schema_rule *rule, const json_t *value)
{
	return !json_is_array(value) || at_least(json_array_size(value), rule->value);
}

static bool holds_max_items(const struct schema_rule *rule, const json_t *value)
{
	return !json_is_array(value) || at_most(json_array_size(value), rule->value);
}

static bool holds_unique_items(const struct schema_rule *rule, const json_t *value)
{
	size_t first, second;
	return !json_is_array(value) || !json_is_true(rule->value) ||
	       !schema_value_find_twins(value, &first, &second);
}

static bool holds_min_properties(const struct schema_rule *rule, const json_t *value)
{
	return !json_is_object(value) || at_least(json_object_size(value), rule->value);
}

static bool holds_max_properties(const struct schema_rule *rule, const json_t *value)
{
	return !json_is_object(value) || at_most(json_object_size(value), rule->value);
}

static bool holds_format(const struct schema_rule *rule, const json_t *value)
{
	return rule->format == NULL || !json_is_string(value) ||
	       rule->format(schema_value_text(value));
}

#define UNKNOWN "unknown property"
#define REFUSED "property is not accepted here"
#define SURPLUS "unexpected item"

/* clang-format off */
const struct schema_keyword schema_keywords[KEYWORD_COUNT] = {
[KEYWORD_TYPE] = {"type", ALL, SCHEMA_VALIDATION, SHAPE_TYPE,
	.holds = holds_type, .text = "expected %t, found %f"},
[KEYWORD_CONST] = {"const", ALL, SCHEMA_VALIDATION, SHAPE_ANY,
	.holds = holds_const, .text = "expected %e, found %f"},
[KEYWORD_ENUM] = {"enum", ALL, SCHEMA_VALIDATION, SHAPE_LIST,
	.holds = holds_enum, .text = "not one of %l"},
[KEYWORD_REF] = {"$ref", ALL, SCHEMA_CORE, SHAPE_URI,
	.check = schema_check_reference},
[KEYWORD_DYNAMIC_REF] = {"$dynamicRef", SCHEMA_DRAFT_2020, SCHEMA_CORE, SHAPE_URI,
	.check = schema_check_dynamic},
[KEYWORD_RECURSIVE_REF] = {"$recursiveRef", SCHEMA_DRAFT_2019, SCHEMA_CORE, SHAPE_URI,
	.check = schema_check_recursive},
[KEYWORD_MULTIPLE_OF] = {"multipleOf", ALL, SCHEMA_VALIDATION, SHAPE_POSITIVE,
	.holds = holds_multiple_of, .text = "%v is not a multiple of %e"},
[KEYWORD_MINIMUM] = {"minimum", ALL, SCHEMA_VALIDATION, SHAPE_NUMBER,
	.holds = holds_minimum, .text = "%v is less than the minimum %e"},
[KEYWORD_EXCLUSIVE_MINIMUM] = {"exclusiveMinimum", ALL, SCHEMA_VALIDATION, SHAPE_NUMBER,
	.holds = holds_exclusive_minimum, .text = "%v is not more than %e"},
[KEYWORD_MAXIMUM] = {"maximum", ALL, SCHEMA_VALIDATION, SHAPE_NUMBER,
	.holds = holds_maximum, .text = "%v is more than the maximum %e"},
[KEYWORD_EXCLUSIVE_MAXIMUM] = {"exclusiveMaximum", ALL, SCHEMA_VALIDATION, SHAPE_NUMBER,
	.holds = holds_exclusive_maximum, .text = "%v is not less than %e"},
[KEYWORD_MIN_LENGTH] = {"minLength", ALL, SCHEMA_VALIDATION, SHAPE_COUNT,
	.holds = holds_min_length, .text = "%c fewer than the minimum %e"},
[KEYWORD_MAX_LENGTH] = {"maxLength", ALL, SCHEMA_VALIDATION, SHAPE_COUNT,
	.holds = holds_max_length, .text = "%c more than the maximum %e"},
[KEYWORD_PATTERN] = {"pattern", ALL, SCHEMA_VALIDATION, SHAPE_PATTERN,
	.check = schema_check_pattern, .text = "%v does not match the pattern %e"},
[KEYWORD_FORMAT] = {"format", ALL, SCHEMA_FORMAT | SCHEMA_FORMAT_ASSERTION, SHAPE_STRING,
	.holds = holds_format, .text = "%v is not a valid %e"},
[KEYWORD_MIN_ITEMS] = {"minItems", ALL, SCHEMA_VALIDATION, SHAPE_COUNT,
	.holds = holds_min_items, .text = "%c fewer than the minimum %e"},
[KEYWORD_MAX_ITEMS] = {"maxItems", ALL, SCHEMA_VALIDATION, SHAPE_COUNT,
	.holds = holds_max_items, .text = "%c more than the maximum %e"},
[KEYWORD_UNIQUE_ITEMS] = {"uniqueItems", ALL, SCHEMA_VALIDATION, SHAPE_BOOLEAN,
	.holds = holds_unique_items, .text = "%u are equal, each item must be different"},
[KEYWORD_MIN_PROPERTIES] = {"minProperties", ALL, SCHEMA_VALIDATION, SHAPE_COUNT,
	.holds = holds_min_properties, .text = "%c fewer than the minimum %e"},
[KEYWORD_MAX_PROPERTIES] = {"maxProperties", ALL, SCHEMA_VALIDATION, SHAPE_COUNT,
	.holds = holds_max_properties, .text = "%c more than the maximum %e"},
[KEYWORD_REQUIRED] = {"required", ALL, SCHEMA_VALIDATION, SHAPE_NAMES,
	.check = schema_children_required},
[KEYWORD_DEPENDENT_REQUIRED] = {"dependentRequired", NEW, SCHEMA_VALIDATION, SHAPE_NAMES_MAP,
	.check = schema_children_dependent_required},
[KEYWORD_PROPERTY_NAMES] = {"propertyNames", ALL, SCHEMA_APPLICATOR, SHAPE_SCHEMA,
	.check = schema_children_property_names, .false_text = UNKNOWN},
[KEYWORD_PROPERTIES] = {"properties", ALL, SCHEMA_APPLICATOR, SHAPE_SCHEMA_MAP,
	.check = schema_children_properties, .false_text = REFUSED},
[KEYWORD_PATTERN_PROPERTIES] = {"patternProperties", ALL, SCHEMA_APPLICATOR, SHAPE_PATTERN_MAP,
	.check = schema_children_pattern_properties, .false_text = REFUSED},
[KEYWORD_ADDITIONAL_PROPERTIES] = {"additionalProperties", ALL, SCHEMA_APPLICATOR, SHAPE_SCHEMA,
	.check = schema_children_additional_properties, .false_text = UNKNOWN},
[KEYWORD_PREFIX_ITEMS] = {"prefixItems", SCHEMA_DRAFT_2020, SCHEMA_APPLICATOR, SHAPE_SCHEMAS,
	.check = schema_children_prefix_items, .false_text = SURPLUS},
[KEYWORD_ITEMS] = {"items", SCHEMA_DRAFT_2020, SCHEMA_APPLICATOR, SHAPE_SCHEMA,
	.check = schema_children_items, .false_text = SURPLUS},
[KEYWORD_ITEMS_OR_LIST] = {"items", OLD, SCHEMA_APPLICATOR, SHAPE_SCHEMA_OR_LIST,
	.check = schema_children_items_or_list, .false_text = SURPLUS},
[KEYWORD_ADDITIONAL_ITEMS] = {"additionalItems", OLD, SCHEMA_APPLICATOR, SHAPE_SCHEMA,
	.check = schema_children_additional_items, .false_text = SURPLUS},
[KEYWORD_CONTAINS] = {"contains", ALL, SCHEMA_APPLICATOR, SHAPE_SCHEMA,
	.check = schema_children_contains},
[KEYWORD_ALL_OF] = {"allOf", ALL, SCHEMA_APPLICATOR, SHAPE_SCHEMAS,
	.check = schema_check_all_of},
[KEYWORD_ANY_OF] = {"anyOf", ALL, SCHEMA_APPLICATOR, SHAPE_SCHEMAS,
	.check = schema_check_any_of},
[KEYWORD_ONE_OF] = {"oneOf", ALL, SCHEMA_APPLICATOR, SHAPE_SCHEMAS,
	.check = schema_check_one_of},
[KEYWORD_IF] = {"if", ALL, SCHEMA_APPLICATOR, SHAPE_SCHEMA,
	.check = schema_check_if},
[KEYWORD_NOT] = {"not", ALL, SCHEMA_APPLICATOR, SHAPE_SCHEMA,
	.check = schema_check_not, .text = "%f is not accepted here"},
[KEYWORD_DEPENDENT_SCHEMAS] = {"dependentSchemas", NEW, SCHEMA_APPLICATOR, SHAPE_SCHEMA_MAP,
	.check = schema_check_dependent_schemas},
[KEYWORD_DEPENDENCIES] = {"dependencies", ALL, SCHEMA_APPLICATOR, SHAPE_DEPENDENCIES,
	.check = schema_check_dependencies},
[KEYWORD_UNEVALUATED_ITEMS] = {"unevaluatedItems", NEW, SCHEMA_UNEVALUATED, SHAPE_SCHEMA,
	.check = schema_children_unevaluated_items, .false_text = SURPLUS},
[KEYWORD_UNEVALUATED_PROPERTIES] = {"unevaluatedProperties", NEW, SCHEMA_UNEVALUATED, SHAPE_SCHEMA,
	.check = schema_children_unevaluated_properties, .false_text = UNKNOWN},
[KEYWORD_THEN] = {"then", ALL, SCHEMA_APPLICATOR, SHAPE_SCHEMA, .check = NULL},
[KEYWORD_ELSE] = {"else", ALL, SCHEMA_APPLICATOR, SHAPE_SCHEMA, .check = NULL},
[KEYWORD_MIN_CONTAINS] = {"minContains", NEW, SCHEMA_VALIDATION, SHAPE_COUNT, .check = NULL},
[KEYWORD_MAX_CONTAINS] = {"maxContains", NEW, SCHEMA_VALIDATION, SHAPE_COUNT, .check = NULL},
[KEYWORD_DEFS] = {"$defs", NEW, SCHEMA_CORE, SHAPE_SCHEMA_MAP, .check = NULL},
[KEYWORD_DEFINITIONS] = {"definitions", ALL, SCHEMA_CORE, SHAPE_SCHEMA_MAP, .check = NULL},
[KEYWORD_CONTENT_SCHEMA] = {"contentSchema", NEW, SCHEMA_CORE, SHAPE_SCHEMA, .check = NULL},
};
/* clang-format on */

const struct schema_keyword *schema_keyword_find(const char *name, const struct schema_dialect *d)
{
	for (const struct schema_keyword *k = schema_keywords; k < schema_keywords + KEYWORD_COUNT;
	     k++) {
		if ((k->drafts & d->draft) != 0 && (k->vocabulary & d->vocabularies) != 0 &&
		    strcmp(k->name, name) == 0)
			return k;
	}
	return NULL;
}
