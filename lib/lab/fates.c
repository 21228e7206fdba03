#include "lab/fates.h"

#include "base/mem.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const fate_names[] = {
    [FATES_CONFIRMED] = "confirmed",
    [FATES_RETURNED] = "returned",
    [FATES_NACKED] = "nacked",
    [FATES_UNCONFIRMED] = "unconfirmed",
};

static bool find_kind(const char *fate, enum fates_kind *out)
{
	*out = FATES_RECEIVED;
	for (size_t i = 0; fate != NULL && i < ARRAY_LEN(fate_names); i++)
		if (strcmp(fate_names[i], fate) == 0)
			*out = (enum fates_kind)i;
	return fate == NULL || *out != FATES_RECEIVED;
}

static void add(struct fates_list *list, const char *id, uint64_t now_ns)
{
	list->notes = mem_grow(list->notes, &list->capacity, list->count + 1, sizeof *list->notes);
	struct fates_note *note = &list->notes[list->count++];
	size_t length = strnlen(id, sizeof note->id - 1);
	memcpy(note->id, id, length);
	note->id[length] = '\0';
	note->at_ns = now_ns;
}

bool fates_note_line(struct fates *fates, struct slice line, uint64_t now_ns)
{
	json_t *json = json_loadb(line.ptr ? line.ptr : "", line.len, 0, NULL);
	const char *id =
	    json_string_value(json_object_get(json_object_get(json, "properties"), "message_id"));
	enum fates_kind kind;
	bool good =
	    id != NULL && find_kind(json_string_value(json_object_get(json, "fate")), &kind);
	if (good)
		add(&fates->lists[kind], id, now_ns);
	json_decref(json);
	return good;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct fates_note *)a)->id, ((const struct fates_note *)b)->id);
}

/* By id; to be released with free(). */
static struct fates_note *sort(const struct fates_list *list)
{
	struct fates_note *sorted = mem_alloc(list->count + 1, sizeof *sorted);
	if (list->count > 0)
		memcpy(sorted, list->notes, list->count * sizeof *sorted);
	qsort(sorted, list->count, sizeof *sorted, compare);
	return sorted;
}

static void judge_losses(const struct fates *fates, struct fates_verdict *out)
{
	const struct fates_list *sent = &fates->lists[FATES_CONFIRMED];
	const struct fates_list *come = &fates->lists[FATES_RECEIVED];
	struct fates_note *confirmed = sort(sent), *received = sort(come);
	for (size_t i = 0; i < come->count; i++)
		out->distinct += i == 0 || compare(&received[i - 1], &received[i]) != 0;
	out->duplicated = come->count - out->distinct;
	size_t at = 0;
	for (size_t i = 0; i < sent->count; i++) {
		while (at < come->count && compare(&received[at], &confirmed[i]) < 0)
			at++;
		out->lost += at == come->count || compare(&received[at], &confirmed[i]) != 0;
	}
	free(confirmed);
	free(received);
}

static void judge_gap(
    const struct fates_list *confirmed, uint64_t end_ns, struct fates_verdict *out)
{
	for (size_t i = 0; i < confirmed->count; i++) {
		uint64_t from_ns = confirmed->notes[i].at_ns;
		uint64_t to_ns = i + 1 < confirmed->count ? confirmed->notes[i + 1].at_ns : end_ns;
		if (to_ns > from_ns && to_ns - from_ns > out->gap_ns) {
			out->gap_ns = to_ns - from_ns;
			out->gap_began_ns = from_ns;
		}
	}
}

void fates_judge(const struct fates *fates, uint64_t end_ns, struct fates_verdict *out)
{
	*out = (struct fates_verdict){0};
	for (size_t i = 0; i < FATES_KIND_COUNT; i++)
		out->counts[i] = fates->lists[i].count;
	judge_losses(fates, out);
	judge_gap(&fates->lists[FATES_CONFIRMED], end_ns, out);
}

void fates_release(struct fates *fates)
{
	for (size_t i = 0; i < FATES_KIND_COUNT; i++)
		free(fates->lists[i].notes);
	*fates = (struct fates){0};
}
