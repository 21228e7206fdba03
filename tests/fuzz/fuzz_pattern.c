/* A JSON spec {"pools": .., "message": ..}, or a message alone: compiled, then rendered some times.
 */
#include "base/text.h"
#include "fake/pattern.h"
#include "model/table.h"

#include <stdlib.h>

#define MAX_INPUT 4096 /* keeps lists of long texts small enough to render often */
#define MAX_NUMBER 3000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void note_problem(void *ctx, const char *pointer, const char *text)
{
	(void)ctx;
	if (!text_is_utf8(slice_str(pointer)) || text[0] == '\0')
		abort();
}

/* Large but legal amounts (texts of 128 MiB, a million rows) would only test patience. */
static void shrink(json_t *json)
{
	const char *key;
	json_t *child;
	for (size_t i = 0; i < json_array_size(json); i++)
		shrink(json_array_get(json, i));
	json_object_foreach(json, key, child) if (strcmp(key, "files") != 0) shrink(child);
	if (json_is_integer(json) && json_integer_value(json) > MAX_NUMBER)
		json_integer_set(json, json_integer_value(json) % MAX_NUMBER);
	if (json_is_string(json) && strpbrk(json_string_value(json), "MGTk") != NULL)
		json_string_set(json, "64KiB");
	if (json_object_get(json, "files") != NULL)
		json_object_set_new(json, "files", json_string("tests/cases/pattern/*.json"));
	if (json_object_get(json, "size") != NULL)
		json_object_set_new(json, "size", json_integer(5));
	if (json_object_get(json, "count") != NULL)
		json_object_set_new(json, "count", json_integer(3));
}

static void check_message(const struct message *m, bool must_be_json)
{
	struct buf text = {0};
	struct error err = {0};
	if (!table_write_json(m->headers, &text, &err))
		abort();
	if (must_be_json && table_find_string(m->headers, "warren-broken").ptr == NULL) {
		json_t *json = json_loadb(m->body.ptr, m->body.len, JSON_ALLOW_NUL, NULL);
		if (json == NULL)
			abort();
		json_decref(json);
	}
	if (m->routing_key.len > 255 || m->message_id.len > 255)
		abort();
	buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *json = size > MAX_INPUT ? NULL
					: json_loadb((const char *)data, size,
					      JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (json == NULL)
		return 0;
	shrink(json);
	json_t *message = json_object_get(json, "message");
	struct pattern_pools *pools =
	    pattern_pools_create(json_object_get(json, "pools"), 1, note_problem, NULL);
	struct pattern *p =
	    pattern_create("m", message ? message : json, ".", pools, note_problem, NULL);
	bool is_object = json_object_get(message ? message : json, "body") == NULL &&
			 json_object_get(message ? message : json, "files") == NULL;
	struct rng rng;
	rng_seed(&rng, size);
	for (uint64_t i = 0; p != NULL && i < 8; i++) {
		struct message m;
		struct error err = {0};
		if (pattern_render(p, &rng, 1700000000000 + (int64_t)i, i, &m, &err))
			check_message(&m, is_object);
		else if (err.kind != ERROR_DATA)
			abort();
	}
	pattern_free(p);
	pattern_pools_free(pools);
	json_decref(json);
	return 0;
}
