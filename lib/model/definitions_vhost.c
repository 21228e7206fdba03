/* Which virtual host of a document becomes settings. */
#include "base/mem.h"
#include "base/text.h"
#include "model/definitions_private.h"

#include <stdlib.h>
#include <string.h>

static const char *member_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Vhosts with something in them; of an empty document those that are there. */
static json_t *collect_vhosts(const json_t *document, bool *is_whole)
{
	static const char *const lists[] = {"exchanges", "queues", "bindings"};
	json_t *names = json_object(), *object;
	const json_t *vhosts = json_object_get(document, "vhosts");
	size_t i;
	for (size_t s = 0; s < ARRAY_LEN(lists); s++)
		json_array_foreach(json_object_get(document, lists[s]), i, object)
		{
			const char *name = member_text(object, "vhost");
			if (name != NULL)
				json_object_set_new(names, name, json_true());
		}
	*is_whole = vhosts != NULL || json_object_size(names) > 0;
	bool is_empty = json_object_size(names) == 0;
	json_array_foreach(vhosts, i, object)
	{
		const char *name = member_text(object, "name");
		if (name != NULL && is_empty)
			json_object_set_new(names, name, json_true());
	}
	return names;
}

static bool has_vhost(const json_t *document, const json_t *names, const char *vhost)
{
	const json_t *object;
	size_t i;
	json_array_foreach(json_object_get(document, "vhosts"), i, object)
	{
		const char *name = member_text(object, "name");
		if (name != NULL && strcmp(name, vhost) == 0)
			return true;
	}
	return json_object_get(names, vhost) != NULL;
}

static bool refuse_vhost(const json_t *names, const char *wanted, struct error *err)
{
	struct buf list = {0};
	const char *name;
	json_t *unused;
	char *quoted = text_quote(slice_str(wanted));
	json_object_foreach((json_t *)(uintptr_t)names, name, unused)
	{
		(void)unused;
		buf_append_str(&list, list.len > 0 ? ", '" : "'");
		text_escape(slice_str(name), SIZE_MAX, &list);
		buf_append_char(&list, '\'');
	}
	if (wanted != NULL)
		error_set(err, ERROR_USAGE, "--vhost: there is no virtual host '%s'; there is %s",
		    quoted, list.len > 0 ? list.ptr : "none");
	else
		error_set(err, ERROR_USAGE,
		    "there are several virtual hosts: %s; name one by --vhost", list.ptr);
	free(quoted);
	buf_release(&list);
	return false;
}

bool definitions_choose_vhost(
    const json_t *document, const char *wanted, char **out, struct error *err)
{
	bool is_whole = false, good = true;
	json_t *names = collect_vhosts(document, &is_whole);
	const char *only = json_object_iter_key(json_object_iter(names)), *chosen = NULL;
	if (wanted != NULL && has_vhost(document, names, wanted))
		chosen = wanted;
	else if (wanted == NULL && (json_object_get(names, "/") != NULL || only == NULL))
		chosen = "/";
	else if (wanted == NULL && json_object_size(names) == 1)
		chosen = only;
	if (is_whole && chosen == NULL)
		good = refuse_vhost(names, wanted, err);
	else
		*out = is_whole ? mem_strdup(chosen) : NULL;
	json_decref(names);
	return good;
}
