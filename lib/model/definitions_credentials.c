/* What in a document opens a door. */
#include "base/mem.h"
#include "model/definitions_private.h"

#include <stdlib.h>
#include <string.h>

/* An address with "user:password@", or with the password of a key file in its query. */
static bool is_telling(const char *address)
{
	const char *password = address + strcspn(address, ":/@ ");
	const char *query = address + strcspn(address, "? ");
	return (*password == ':' && password[strcspn(password, "/@ ")] == '@') ||
	       (*query == '?' && strstr(query, "password=") != NULL);
}

static bool has_password(const json_t *value)
{
	static const char mark[] = "://";
	const char *key, *text = json_string_value(value);
	json_t *item;
	size_t i;
	while (text != NULL && (text = strstr(text, mark)) != NULL)
		if (is_telling(text += strlen(mark)))
			return true;
	json_array_foreach(value, i, item) if (has_password(item)) return true;
	json_object_foreach(
	    (json_t *)(uintptr_t)value, key, item) if (has_password(item)) return true;
	return false;
}

static size_t drop_passwords(json_t *list)
{
	size_t dropped = 0;
	for (size_t i = json_array_size(list); i-- > 0;) {
		if (!has_password(json_array_get(list, i)))
			continue;
		json_array_remove(list, i);
		dropped++;
	}
	return dropped;
}

void definitions_drop_credentials(json_t *document, definitions_note_fn *note, void *ctx)
{
	static const char *const of_users[] = {"users", "permissions", "topic_permissions"};
	static const char *const with_addresses[] = {"parameters", "global_parameters"};
	size_t users = json_array_size(json_object_get(document, "users")), addresses = 0;
	size_t permissions = json_array_size(json_object_get(document, "permissions")) +
			     json_array_size(json_object_get(document, "topic_permissions"));
	bool are_alone = users == 0 && permissions > 0; /* as of one virtual host */
	size_t count = are_alone ? permissions : users;
	for (size_t i = 0; i < ARRAY_LEN(of_users); i++)
		json_object_del(document, of_users[i]);
	for (size_t i = 0; i < ARRAY_LEN(with_addresses); i++)
		addresses += drop_passwords(json_object_get(document, with_addresses[i]));
	if (count + addresses == 0)
		return;
	char *text = mem_printf(
	    "left out: %zu %s%s%s, %zu parameter%s with a password; --credentials keeps them",
	    count, are_alone ? "permission" : "user", count == 1 ? "" : "s",
	    are_alone ? "" : " with permissions", addresses, addresses == 1 ? "" : "s");
	note(ctx, text);
	free(text);
}
