#include "schema/schema_private.h"

#include "base/mem.h"

#include <stdlib.h>

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* RFC 9562: 8-4-4-4-12 hexadecimal digits. */
static bool is_uuid(struct slice text)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	if (text.len != sizeof shape - 1)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (shape[i] == '-' ? text.ptr[i] != '-' : !is_hex(text.ptr[i]))
			return false;
	return true;
}

static bool is_regex(struct slice text)
{
	struct error ignored = {0}; /* the verdict is enough */
	struct schema_regex *regex = schema_regex_create(text, &ignored);
	schema_regex_free(regex);
	return regex != NULL;
}

/* RFC 6901: empty, or steps that begin with a slash; ~ only as ~0 and ~1. */
static bool is_json_pointer(struct slice text)
{
	if (text.len > 0 && text.ptr[0] != '/')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char next = i + 1 < text.len ? text.ptr[i + 1] : '\0';
		if (text.ptr[i] == '~' && next != '0' && next != '1')
			return false;
	}
	return true;
}

/* A count of levels up without leading zeros, then '#' or a pointer. */
static bool is_relative_json_pointer(struct slice text)
{
	size_t digits = 0;
	while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
		digits++;
	if (digits == 0 || (digits > 1 && text.ptr[0] == '0'))
		return false;
	struct slice rest = {text.ptr + digits, text.len - digits};
	return slice_is(rest, "#") || is_json_pointer(rest);
}

static const struct format_row {
	const char *name;
	schema_format_fn *is_valid;
} formats[] = {
    {"date", schema_format_time_is_date},
    {"date-time", schema_format_time_is_date_time},
    {"duration", schema_format_time_is_duration},
    {"email", schema_format_net_is_email},
    {"hostname", schema_format_net_is_hostname},
    {"idn-email", schema_format_net_is_idn_email},
    {"ipv4", schema_format_net_is_ipv4},
    {"ipv6", schema_format_net_is_ipv6},
    {"iri", schema_format_net_is_iri},
    {"iri-reference", schema_format_net_is_iri_reference},
    {"json-pointer", is_json_pointer},
    {"regex", is_regex},
    {"relative-json-pointer", is_relative_json_pointer},
    {"time", schema_format_time_is_time},
    {"uri", schema_format_net_is_uri},
    {"uri-reference", schema_format_net_is_uri_reference},
    {"uuid", is_uuid},
};

schema_format_fn *schema_format_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return formats[i].is_valid;
	return NULL;
}
