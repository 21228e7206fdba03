#include "web/management.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/definitions.h"

#include <stdlib.h>
#include <string.h>

char *management_encode(const char *name)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~"; /* RFC 3986, 2.3 */
	struct buf out = {0};
	buf_append_str(&out, "");
	for (; *name != '\0'; name++)
		if (strchr(unreserved, *name) != NULL)
			buf_append_char(&out, *name);
		else
			buf_printf(&out, "%%%02X", (unsigned char)*name);
	return buf_take(&out);
}

/* What the API says of itself: {"error": "...", "reason": "..."}. */
static bool refused(
    struct client *c, const char *path, unsigned status, const struct buf *body, struct error *err)
{
	json_t *answer = json_loadb(body->len > 0 ? body->ptr : "", body->len, 0, NULL);
	const char *reason = json_string_value(json_object_get(answer, "reason"));
	char *shown = text_quote(slice_str(reason != NULL ? reason : "no reason given"));
	error_set(err, status == 401 || status == 403 ? ERROR_ACCESS : ERROR_REFUSED,
	    "%s/api%s: status %u, %s", client_shown(c), path, status, shown);
	free(shown);
	json_decref(answer);
	return false;
}

bool management_get(struct client *c, const char *path, json_t **out, struct error *err)
{
	struct buf body = {0};
	unsigned status = 0;
	char *whole = mem_printf("/api%s", path);
	bool good = client_get(c, whole, &status, &body, err);
	free(whole);
	if (good && status != 200)
		good = refused(c, path, status, &body, err);
	if (good) {
		*out = json_loadb(
		    body.len > 0 ? body.ptr : "", body.len, JSON_REJECT_DUPLICATES, NULL);
		good =
		    *out != NULL || error_set(err, ERROR_REFUSED,
					"%s/api%s: the answer is not JSON", client_shown(c), path);
	}
	buf_release(&body);
	return good;
}

bool management_topology(
    struct client *c, const char *vhost, struct topology *out, struct error *err)
{
	/* of queues only what they were declared with: counts and rates of thousands are slow */
	static const struct {
		const char *member, *query;
	} lists[] = {
	    {"exchanges", ""},
	    {"queues", "?disable_stats=true"},
	    {"bindings", ""},
	};
	char *encoded = management_encode(vhost);
	json_t *all = json_object();
	bool good = true;
	for (size_t i = 0; good && i < ARRAY_LEN(lists); i++) {
		json_t *list = NULL;
		char *path = mem_printf("/%s/%s%s", lists[i].member, encoded, lists[i].query);
		good = management_get(c, path, &list, err);
		free(path);
		if (good)
			json_object_set_new(all, lists[i].member, list);
	}
	good = good && (definitions_read(all, vhost, out, err) ||
			   error_context(err, "%s", client_shown(c)));
	json_decref(all);
	free(encoded);
	return good;
}
