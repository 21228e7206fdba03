#include "app/asyncapi_names.h"

#include "base/buf.h"
#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

char *asyncapi_names_id(const json_t *in, const char *prefix, const char *name)
{
	struct buf id = {0};
	buf_append_str(&id, prefix);
	for (const char *c = name; *c != '\0'; c++)
		buf_append_char(&id, isalnum((unsigned char)*c) || strchr("._-", *c) ? *c : '-');
	if (id.len == 0)
		buf_append_char(&id, '-');
	size_t len = id.len;
	for (unsigned n = 2; json_object_get(in, id.ptr) != NULL; n++) {
		buf_truncate(&id, len);
		buf_printf(&id, "-%u", n);
	}
	return buf_take(&id);
}

json_t *asyncapi_names_refer(const char *to, const char *id)
{
	return json_pack("{s:o}", "$ref", json_sprintf("#/%s/%s", to, id));
}

static bool is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_' && text[i] != '-')
			return false;
	return len > 0;
}

json_t *asyncapi_names_address(const char *key, const char *way, json_t *parameters)
{
	struct buf out = {0};
	buf_append_str(&out, "");
	while (*key != '\0') {
		const char *end = strncmp(key, "{{", 2) == 0 ? strstr(key, "}}") : NULL;
		if (end != NULL && is_name(key + 2, (size_t)(end - key - 2))) {
			char *name = mem_strndup(key + 2, (size_t)(end - key - 2));
			buf_printf(&out, "{%s}", name);
			json_object_set_new(parameters, name,
			    json_pack("{s:o}", "location",
				json_sprintf("$message.payload#/%s%s", way, name)));
			free(name);
			key = end + 2;
		} else if (*key == '{' || *key == '}') {
			json_object_clear(parameters);
			buf_release(&out);
			return NULL;
		} else {
			buf_append_char(&out, *key++);
		}
	}
	json_t *address = json_string(out.ptr);
	buf_release(&out);
	return address;
}
