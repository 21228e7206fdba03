#include "app/chain_memory.h"

#include "app/locate.h"
#include "base/mem.h"
#include "model/reader.h"

#include <stdlib.h>

static const char *text_in(const json_t *step, const char *key)
{
	return json_string_value(json_object_get(step, key));
}

/* To free(); NULL: there is none. */
static char *file_in(const struct tool *tool, const json_t *step, const char *key)
{
	const char *name = text_in(step, key);
	return name != NULL ? locate_below(tool->settings.directory, name) : NULL;
}

struct core_dedupe *chain_memory_dedupe(struct tool *tool, const json_t *step, const char *where,
    struct store *store, bool answers, struct error *err)
{
	const char *by = text_in(step, "dedupe"), *unkeyed = text_in(step, "unkeyed");
	struct reader reader = {0};
	uint64_t window = CORE_DEDUPE_DEFAULT_WINDOW, age_ns = 0;
	uint64_t answers_bytes = CORE_DEDUPE_DEFAULT_ANSWERS_BYTES;
	(void)reader_count(&reader, step, "window", 1, CORE_DEDUPE_MAX_WINDOW, &window);
	(void)reader_duration(&reader, step, "age", &age_ns);
	(void)reader_size(&reader, step, "answers", &answers_bytes);
	reader_release(&reader);
	if (!answers && json_object_get(step, "answers") != NULL) {
		error_set(err, ERROR_USAGE,
		    "answers: goes with a responder, which gives them; here is none");
		return NULL;
	}
	if (answers_bytes > CORE_DEDUPE_MAX_ANSWERS_BYTES)
		answers_bytes = CORE_DEDUPE_MAX_ANSWERS_BYTES;
	char *scope = mem_printf("%s %s", where, by), *path = file_in(tool, step, "store");
	const struct core_dedupe_options options = {.by = by,
	    .window = (size_t)window,
	    .age_ns = age_ns,
	    .scope = scope,
	    .path = path,
	    .store = store,
	    .rejects_unkeyed = unkeyed != NULL && strcmp(unkeyed, "reject") == 0,
	    .answers = answers,
	    .answers_bytes = answers_bytes};
	struct core_dedupe *core = core_dedupe_create(&options, err);
	free(scope);
	free(path);
	return core;
}

struct core_enrich *chain_memory_enrich(struct tool *tool, const json_t *step, struct error *err)
{
	static const char *const names[] = {[CORE_ENRICH_NULL] = "null",
	    [CORE_ENRICH_OMIT] = "omit",
	    [CORE_ENRICH_REJECT] = "reject",
	    NULL};
	struct reader reader = {0};
	size_t missing = CORE_ENRICH_REJECT;
	uint64_t seed = 0;
	(void)reader_choice(&reader, step, "missing", names, &missing);
	if (json_is_null(json_object_get(step, "missing"))) /* without quotes it is one */
		missing = CORE_ENRICH_NULL;
	(void)reader_count(&reader, step, "seed", 0, UINT64_MAX, &seed);
	reader_release(&reader);
	char *file = file_in(tool, step, "file"), *store = file_in(tool, step, "store");
	const struct core_enrich_options options = {.member = text_in(step, "enrich"),
	    .key = text_in(step, "key"),
	    .missing = (enum core_enrich_missing)missing,
	    .with = {.volume = text_in(step, "volume"),
		.file = file,
		.store = store,
		.by = text_in(step, "by"),
		.seed = seed}};
	struct core_enrich *core = core_enrich_create(&options, err);
	free(file);
	free(store);
	return core;
}
