#include "lab/lesson.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/exec_command.h"

#include <stdlib.h>

#define WITHIN_NS (30 * CHRONO_S)
#define PATIENCE_NS (10 * CHRONO_S)

struct reading {
	struct reader r;
	const struct topology *topology;
	struct lesson *lesson;
};

/* ---- the cast ---- */

static bool is_tool(const char *word)
{
	static const char *const tools[] = {"producer", "consumer", "relay", "rpc", "workflow",
	    "contract", "events", "topology", "deadletters"};
	for (size_t i = 0; i < ARRAY_LEN(tools); i++)
		if (strcmp(tools[i], word) == 0)
			return true;
	return false;
}

bool lesson_awaits_messages(const struct lesson_part *part)
{
	/* with one of these words; NULL: with any */
	static const struct {
		const char *tool, *word;
	} rows[] = {{"consumer", NULL}, {"relay", NULL}, {"rpc", "serve"}, {"workflow", "run"},
	    {"events", "record"}, {"events", "--follow"}};
	char *const *words = part->stages[0];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(words[0], rows[i].tool) != 0)
			continue;
		if (rows[i].word == NULL)
			return true;
		for (size_t k = 1; words[k] != NULL; k++)
			if (strcmp(words[k], rows[i].word) == 0)
				return true;
	}
	return false;
}

/* Each '|' ends an argv. */
static bool part_stages(struct reading *reading, struct lesson_part *part)
{
	char **begin = part->words;
	for (char **word = part->words;; word++) {
		if (*word != NULL && strcmp(*word, "|") != 0)
			continue;
		bool is_last = *word == NULL;
		if (part->stage_count == LESSON_STAGES_MAX)
			return reader_fail(
			    &reading->r, "at most %d tools in a pipe", LESSON_STAGES_MAX);
		*word = NULL;
		if (*begin == NULL || !is_tool(*begin))
			return reader_fail(&reading->r,
			    "each command begins with one of "
			    "producer, consumer, relay, rpc, workflow, contract, events, topology, "
			    "deadletters");
		part->stages[part->stage_count++] = begin;
		if (is_last)
			return true;
		begin = word + 1;
	}
}

static void read_part(
    struct reading *reading, const json_t *cast, const char *name, struct lesson_part *part)
{
	struct error err = {0};
	size_t mark = reader_enter(&reading->r, "cast");
	*part = (struct lesson_part){.name = name};
	if (reader_text(&reading->r, cast, name, &part->command)) {
		size_t inner = reader_enter(&reading->r, name);
		part->words = exec_command_split(part->command, &err);
		if (part->words == NULL)
			reader_fail(&reading->r, "%s", err.text);
		else
			(void)part_stages(reading, part); /* reports itself */
		reader_leave(&reading->r, inner);
	}
	reader_leave(&reading->r, mark);
}

/* ---- names ---- */

static lesson_names find_name(struct reading *reading, const json_t *name)
{
	const struct lesson *lesson = reading->lesson;
	const char *known[LESSON_CAST_MAX + 1] = {NULL};
	for (size_t i = 0; i < lesson->cast_count; i++) {
		if (strcmp(lesson->cast[i].name, json_string_value(name)) == 0)
			return 1U << i;
		known[i] = lesson->cast[i].name;
	}
	const char *near = text_suggest(slice_str(json_string_value(name)), known);
	char *shown = text_quote(slice_str(json_string_value(name)));
	reader_fail(&reading->r, "the cast has no '%s'%s%s%s", shown,
	    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	free(shown);
	return 0;
}

/* A name or a list of them. */
static lesson_names read_names(struct reading *reading, const json_t *object, const char *key)
{
	const json_t *value = reader_member(object, key);
	size_t mark = reader_enter(&reading->r, key), i;
	lesson_names who = json_is_string(value) ? find_name(reading, value) : 0;
	json_t *item;
	json_array_foreach((json_t *)(uintptr_t)value, i, item)
	{
		size_t inner = reader_enter_item(&reading->r, i);
		who |= find_name(reading, item);
		reader_leave(&reading->r, inner);
	}
	reader_leave(&reading->r, mark);
	return who;
}

static void read_queue(struct reading *reading, const json_t *object, const char **out)
{
	if (!reader_text(&reading->r, object, "queue", out) ||
	    topology_find_queue(reading->topology, slice_str(*out)) != NULL)
		return;
	char *text = topology_explain_unknown(reading->topology, true, *out);
	reader_fail_at(&reading->r, "queue", "%s", text);
	free(text);
}

/* ---- steps ---- */

static void read_wait(struct reading *reading, const json_t *object, struct lesson_step *step)
{
	struct reader *r = &reading->r;
	const json_t *wait = reader_member(object, "wait");
	size_t mark = reader_enter(r, "wait");
	step->within_ns = WITHIN_NS;
	step->who = read_names(reading, wait, "for");
	read_queue(reading, wait, &step->queue);
	(void)reader_duration(r, wait, "within", &step->within_ns); /* or the default */
	bool has_messages = reader_count(r, wait, "messages", 1, INT64_MAX, &step->messages);
	bool has_holds = reader_count(r, wait, "holds", 0, INT64_MAX, &step->holds);
	bool is_for = reader_member(wait, "for") != NULL, is_queue = step->queue != NULL;
	if (is_for == is_queue || has_holds != is_queue || (has_messages && !is_for))
		reader_fail(r, "needs either 'for', perhaps with 'messages', or 'queue' and "
			       "'holds'");
	reader_leave(r, mark);
}

static void read_step(struct reading *reading, const json_t *object, struct lesson_step *step)
{
	static const char *const verbs[] = {
	    [LESSON_SAY] = "say",
	    [LESSON_PAUSE] = "pause",
	    [LESSON_START] = "start",
	    [LESSON_STOP] = "stop",
	    [LESSON_KILL] = "kill",
	    [LESSON_WAIT] = "wait",
	};
	while (step->verb < LESSON_WAIT && reader_member(object, verbs[step->verb]) == NULL)
		step->verb++;
	if (step->verb == LESSON_WAIT)
		read_wait(reading, object, step);
	else if (step->verb <= LESSON_PAUSE)
		(void)reader_text(&reading->r, object, verbs[step->verb], &step->text);
	else
		step->who = read_names(reading, object, verbs[step->verb]);
}

/* ---- checks ---- */

static void read_amounts(struct reading *reading, const json_t *object, struct lesson_check *check)
{
	struct reader *r = &reading->r;
	check->most = UINT64_MAX;
	bool has_least = reader_count(r, object, "at_least", 0, INT64_MAX, &check->least);
	bool has_most = reader_count(r, object, "at_most", 0, INT64_MAX, &check->most);
	bool has_count = reader_count(r, object, "count", 0, INT64_MAX, &check->least);
	if (has_count)
		check->most = check->least;
	if ((has_count && (has_least || has_most)) || check->least > check->most)
		reader_fail(r, "give either 'count', or 'at_least' and a larger 'at_most'");
}

/* The keys that say what is expected, and what goes with each. */
static const struct kind {
	const char *key;
	enum lesson_check_kind kind;
	bool has_where, has_fate;
} kinds[] = {
    {"count", LESSON_COUNT, true, true},
    {"at_least", LESSON_COUNT, true, true},
    {"at_most", LESSON_COUNT, true, true},
    {"once", LESSON_ONCE, true, false},
    {"every", LESSON_EVERY, true, false},
    {"in_order", LESSON_ORDER, true, false},
    {"status", LESSON_STATUS, false, false},
    {"holds", LESSON_QUEUE, false, false},
};

static const struct kind *find_kind(struct reading *reading, const json_t *object)
{
	const struct kind *found = NULL;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (reader_member(object, kinds[i].key) == NULL)
			continue;
		if (found != NULL && found->kind != kinds[i].kind)
			reader_fail(
			    &reading->r, "'%s' and '%s' are two checks", found->key, kinds[i].key);
		found = &kinds[i];
	}
	if (found == NULL)
		reader_fail(&reading->r, "expects nothing: it needs one of count, at_least, "
					 "at_most, once, every, in_order, status, holds");
	return found;
}

static void read_check(struct reading *reading, const json_t *object, struct lesson_check *check)
{
	struct reader *r = &reading->r;
	const struct kind *kind = find_kind(reading, object);
	check->of = read_names(reading, object, "of");
	(void)reader_text(r, object, "that", &check->that); /* these are left out at will */
	bool has_where = reader_text(r, object, "where", &check->where);
	bool has_fate = reader_text(r, object, "fate", &check->fate);
	read_queue(reading, object, &check->queue);
	if (kind == NULL)
		return;
	check->kind = kind->kind;
	bool is_queue = check->kind == LESSON_QUEUE, is_of = reader_member(object, "of") != NULL;
	if (is_queue != (check->queue != NULL) || is_queue == is_of)
		reader_fail(r, "'%s' goes with '%s'", kind->key, is_queue ? "queue" : "of");
	if ((has_where && !kind->has_where) || (has_fate && !kind->has_fate))
		reader_fail(r, "'%s' does not go with '%s'",
		    has_where && !kind->has_where ? "where" : "fate", kind->key);
	if (check->kind == LESSON_ONCE || check->kind == LESSON_EVERY)
		check->source = read_names(reading, object, kind->key);
	check->order = reader_member(object, "in_order");
	(void)reader_count(r, object, "status", 0, UINT8_MAX, &check->status); /* or another kind */
	(void)reader_count(r, object, "holds", 0, INT64_MAX, &check->holds);
	if (check->kind == LESSON_COUNT)
		read_amounts(reading, object, check);
}

/* ---- the whole ---- */

static void read_steps(struct reading *reading, const json_t *steps)
{
	struct lesson *lesson = reading->lesson;
	size_t mark = reader_enter(&reading->r, "steps"), i;
	json_t *item;
	lesson->step_count = json_array_size(steps);
	lesson->steps = mem_alloc(lesson->step_count, sizeof *lesson->steps);
	json_array_foreach((json_t *)(uintptr_t)steps, i, item)
	{
		size_t inner = reader_enter_item(&reading->r, i);
		read_step(reading, item, &lesson->steps[i]);
		reader_leave(&reading->r, inner);
	}
	reader_leave(&reading->r, mark);
}

static void read_checks(struct reading *reading, const json_t *checks)
{
	struct lesson *lesson = reading->lesson;
	size_t mark = reader_enter(&reading->r, "checks"), i;
	json_t *item;
	lesson->check_count = json_array_size(checks);
	lesson->checks = mem_alloc(lesson->check_count, sizeof *lesson->checks);
	json_array_foreach((json_t *)(uintptr_t)checks, i, item)
	{
		size_t inner = reader_enter_item(&reading->r, i);
		read_check(reading, item, &lesson->checks[i]);
		reader_leave(&reading->r, inner);
	}
	reader_leave(&reading->r, mark);
}

bool lesson_read(const json_t *spec, const struct topology *topology, struct lesson *out,
    reader_report_fn *report, void *ctx)
{
	struct reading reading = {
	    .r = {.report = report, .ctx = ctx}, .topology = topology, .lesson = out};
	*out = (struct lesson){0};
	if (spec == NULL)
		return true;
	(void)reader_text(&reading.r, spec, "title", &out->title); /* the schema requires them */
	(void)reader_text(&reading.r, spec, "watch", &out->watch);
	out->patience_ns = PATIENCE_NS;
	(void)reader_duration(&reading.r, spec, "patience", &out->patience_ns); /* or the default */
	json_t *cast = reader_member(spec, "cast"), *command;
	const char *name;
	json_object_foreach(cast, name, command)
	    read_part(&reading, cast, name, &out->cast[out->cast_count++]);
	read_steps(&reading, reader_member(spec, "steps"));
	read_checks(&reading, reader_member(spec, "checks"));
	reader_release(&reading.r);
	return !reading.r.failed;
}

void lesson_release(struct lesson *lesson)
{
	for (size_t i = 0; i < lesson->cast_count; i++)
		free(lesson->cast[i].words);
	free(lesson->steps);
	free(lesson->checks);
	*lesson = (struct lesson){0};
}

/* ---- in words ---- */

void lesson_describe_names(const struct lesson *lesson, lesson_names who, struct buf *out)
{
	const char *before = "";
	for (size_t i = 0; i < lesson->cast_count; i++) {
		if ((who & 1U << i) == 0)
			continue;
		buf_printf(out, "%s%s", before, lesson->cast[i].name);
		before = ", ";
	}
}

static void describe_amounts(const struct lesson_check *check, struct buf *out)
{
	if (check->least == check->most)
		buf_printf(out, "%llu", (unsigned long long)check->least);
	else if (check->most == UINT64_MAX)
		buf_printf(out, "at least %llu", (unsigned long long)check->least);
	else if (check->least == 0)
		buf_printf(out, "at most %llu", (unsigned long long)check->most);
	else
		buf_printf(out, "%llu to %llu", (unsigned long long)check->least,
		    (unsigned long long)check->most);
	buf_printf(out, " message(s)%s%s", check->fate ? " " : "", check->fate ? check->fate : "");
}

static void describe_expected(
    const struct lesson *lesson, const struct lesson_check *check, struct buf *out)
{
	switch (check->kind) {
	case LESSON_COUNT:
		describe_amounts(check, out);
		break;
	case LESSON_ONCE:
	case LESSON_EVERY:
		buf_append_str(out, "each message of ");
		lesson_describe_names(lesson, check->source, out);
		buf_append_str(
		    out, check->kind == LESSON_ONCE ? " exactly once" : " at least once");
		break;
	case LESSON_ORDER:
		buf_append_str(out, "messages in order");
		break;
	case LESSON_STATUS:
		buf_printf(out, "exit status %llu", (unsigned long long)check->status);
		break;
	case LESSON_QUEUE:
		buf_printf(out, " holds %llu message(s)", (unsigned long long)check->holds);
		break;
	}
}

void lesson_describe_check(
    const struct lesson *lesson, const struct lesson_check *check, struct buf *out)
{
	if (check->kind == LESSON_QUEUE) {
		buf_append_str(out, "queue ");
		text_escape(slice_str(check->queue), 255, out);
	} else {
		lesson_describe_names(lesson, check->of, out);
		buf_append_str(out, ": ");
	}
	describe_expected(lesson, check, out);
	if (check->where != NULL) {
		buf_append_str(out, " where ");
		text_escape(slice_str(check->where), 200, out);
	}
}
