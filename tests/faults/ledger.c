/*
 * ledger - what became of every message: the fates that producers told beside what consumers got.
 *
 *   ledger [--once] [--in-order] [--sequence FIELD] SENT... -- RECEIVED...
 *
 * SENT are outputs of `producer -f json`, RECEIVED of `consumer -f json`, in the order of their
 * runs. Prints one line of NAME=COUNT. Exit status 1 when a message was
 *   lost        confirmed, never received
 *   unmarked    received again without a mark: neither `redelivered` nor the header x-warren-resent
 *   retold      given two fates
 * or, with --once, was received twice, or, with --in-order, came before one that was sent earlier;
 * the order is that of FIELD (n) of the bodies, and marked ones may come when they like. 65 when a
 * line cannot be read; but half of a last line is what a consumer leaves that is killed, and is not
 * received: `torn`.
 */
#include "base/buf.h"
#include "base/mem.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum fate { NOT_TOLD, CONFIRMED, RETURNED, NACKED, UNCONFIRMED, FATE_COUNT };
static const char *const fate_names[] = {
    "not_told", "confirmed", "returned", "nacked", "unconfirmed"};

struct entry {
	char *id; /* NULL: free */
	enum fate fate;
	uint32_t received, unmarked;
};

struct ledger {
	struct entry *entries; /* open addressing, by hash of the id */
	size_t capacity, count;
	const char *sequence;
	uint64_t newest; /* the highest of the sequence that came unmarked */
	uint64_t retold, reordered, torn, without_id;
};

/* ---- entries ---- */

/* FNV-1a */
static size_t hash(const char *text)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return (size_t)(h ^ h >> 32);
}

static struct entry *slot(struct entry *entries, size_t capacity, const char *id)
{
	size_t at = hash(id) & (capacity - 1);
	while (entries[at].id != NULL && strcmp(entries[at].id, id) != 0)
		at = (at + 1) & (capacity - 1);
	return &entries[at];
}

static void grow(struct ledger *l)
{
	size_t capacity = l->capacity == 0 ? 1024 : 2 * l->capacity;
	struct entry *entries = mem_alloc(capacity, sizeof *entries);
	for (size_t i = 0; i < l->capacity; i++)
		if (l->entries[i].id != NULL)
			*slot(entries, capacity, l->entries[i].id) = l->entries[i];
	free(l->entries);
	l->entries = entries;
	l->capacity = capacity;
}

static struct entry *entry_of(struct ledger *l, const char *id)
{
	if (2 * l->count >= l->capacity)
		grow(l);
	struct entry *e = slot(l->entries, l->capacity, id);
	if (e->id == NULL) {
		e->id = mem_strdup(id);
		l->count++;
	}
	return e;
}

/* ---- lines ---- */

static void note_sent(struct ledger *l, struct entry *e, const json_t *line)
{
	const char *fate = json_string_value(json_object_get(line, "fate"));
	for (size_t i = CONFIRMED; fate != NULL && i < FATE_COUNT; i++)
		if (strcmp(fate, fate_names[i]) == 0) {
			l->retold += e->fate != NOT_TOLD;
			e->fate = (enum fate)i;
		}
}

static bool is_marked(const json_t *line)
{
	const json_t *headers = json_object_get(json_object_get(line, "properties"), "headers");
	const json_t *resent = json_object_get(headers, "x-warren-resent");
	return json_is_true(json_object_get(line, "redelivered")) || json_is_true(resent) ||
	       json_integer_value(resent) > 0;
}

/* 0: the body has none. */
static uint64_t sequence_of(const struct ledger *l, const json_t *line)
{
	const json_t *body = json_object_get(line, "body");
	json_t *parsed =
	    json_loadb(json_string_value(body), json_string_length(body), JSON_DECODE_ANY, NULL);
	json_int_t n = json_integer_value(json_object_get(parsed, l->sequence));
	json_decref(parsed);
	return n > 0 ? (uint64_t)n : 0;
}

static void note_received(struct ledger *l, struct entry *e, const json_t *line)
{
	e->received++;
	if (is_marked(line))
		return;
	uint64_t n = sequence_of(l, line);
	e->unmarked++;
	l->reordered += n > 0 && n < l->newest;
	l->newest = n > l->newest ? n : l->newest;
}

typedef void note_fn(struct ledger *l, struct entry *e, const json_t *line);

static void read_line(struct ledger *l, note_fn *note, const char *path, struct slice text)
{
	bool whole = text.ptr[text.len - 1] == '\n';
	json_t *line = json_loadb(text.ptr, text.len, 0, NULL);
	const char *id =
	    json_string_value(json_object_get(json_object_get(line, "properties"), "message_id"));
	if (line == NULL && whole) {
		fprintf(stderr, "ledger: %s: not JSON: %.*s", path, SLICE_ARGS(text));
		exit(65);
	}
	if (line == NULL || !whole)
		l->torn++;
	else if (id == NULL)
		l->without_id++;
	else
		note(l, entry_of(l, id), line);
	json_decref(line);
}

static void read_file(struct ledger *l, note_fn *note, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t capacity = 0;
	ssize_t len;
	if (f == NULL) {
		perror(path);
		exit(66);
	}
	while ((len = getline(&line, &capacity, f)) > 0)
		read_line(l, note, path, (struct slice){line, (size_t)len});
	free(line);
	fclose(f);
}

/* ---- the result ---- */

struct totals {
	uint64_t fates[FATE_COUNT];
	uint64_t sent, received, duplicates, unmarked, lost, unknown;
};

static struct totals add_up(const struct ledger *l)
{
	struct totals t = {0};
	for (size_t i = 0; i < l->capacity; i++) {
		const struct entry *e = &l->entries[i];
		if (e->id == NULL)
			continue;
		t.fates[e->fate]++;
		t.sent += e->fate != NOT_TOLD;
		t.received += e->received > 0;
		t.duplicates += e->received > 0 ? e->received - 1 : 0;
		t.unmarked += e->unmarked > 0 ? e->unmarked - 1 : 0;
		t.lost += e->fate == CONFIRMED && e->received == 0;
		t.unknown += e->fate == NOT_TOLD;
	}
	return t;
}

static void show(const struct ledger *l, const struct totals *t)
{
	printf("sent=%" PRIu64, t->sent);
	for (size_t i = CONFIRMED; i < FATE_COUNT; i++)
		printf(" %s=%" PRIu64, fate_names[i], t->fates[i]);
	printf(" received=%" PRIu64 " duplicates=%" PRIu64 " unmarked=%" PRIu64 " lost=%" PRIu64
	       " reordered=%" PRIu64 " unknown=%" PRIu64 " retold=%" PRIu64 " without_id=%" PRIu64
	       " torn=%" PRIu64 "\n",
	    t->received, t->duplicates, t->unmarked, t->lost, l->reordered, t->unknown, l->retold,
	    l->without_id, l->torn);
}

static int usage(void)
{
	fprintf(stderr, "ledger [--once] [--in-order] [--sequence FIELD] SENT... -- RECEIVED...\n");
	return 64;
}

int main(int argc, char *argv[])
{
	struct ledger l = {.sequence = "n"};
	bool once = false, in_order = false;
	int i = 1;
	for (; i < argc && strncmp(argv[i], "--", 2) == 0 && argv[i][2] != '\0'; i++) {
		if (strcmp(argv[i], "--once") == 0)
			once = true;
		else if (strcmp(argv[i], "--in-order") == 0)
			in_order = true;
		else if (strcmp(argv[i], "--sequence") == 0 && i + 1 < argc)
			l.sequence = argv[++i];
		else
			return usage();
	}
	note_fn *note = note_sent;
	for (; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			note = note_received;
		else
			read_file(&l, note, argv[i]);
	if (note == note_sent)
		return usage();
	struct totals t = add_up(&l);
	show(&l, &t);
	bool good = t.lost == 0 && t.unmarked == 0 && l.retold == 0 &&
		    !(once && t.duplicates > 0) && !(in_order && l.reordered > 0);
	for (size_t at = 0; at < l.capacity; at++)
		free(l.entries[at].id);
	free(l.entries);
	return good ? 0 : 1;
}
