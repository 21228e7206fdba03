#include "lab/actor.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "lab/child.h"
#include "lab/programs.h"
#include "lab/witness.h"
#include "model/marks.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BODY_BYTES 1000 /* of what is shown */
/* What consumer says when the broker has taken it in; see app/consume.c. */
#define READY_END "; Ctrl+C ends"
#define BROKER_TEXT "broker "
#define ENVELOPE "cloudEvents_" /* as producers of warren write it (model/envelope.h) */

struct actor {
	struct actor_site site;
	const struct lesson_part *part;
	size_t number;
	struct witness *stages[LESSON_STAGES_MAX];
	bool has_ended[LESSON_STAGES_MAX];
	int wait_status[LESSON_STAGES_MAX];
	bool was_started, is_ready, was_killed;
	int status;
	struct actor_message *messages;
	size_t message_count, message_capacity;
};

struct actor *actor_create(
    const struct actor_site *site, const struct lesson_part *part, size_t number)
{
	struct actor *actor = mem_alloc(1, sizeof *actor);
	*actor = (struct actor){.site = *site, .part = part, .number = number};
	return actor;
}

static void release_stages(struct actor *actor)
{
	for (size_t i = 0; i < LESSON_STAGES_MAX; i++) {
		witness_free(actor->stages[i]);
		actor->stages[i] = NULL;
		actor->has_ended[i] = false;
	}
}

void actor_free(struct actor *actor)
{
	if (actor == NULL)
		return;
	release_stages(actor);
	for (size_t i = 0; i < actor->message_count; i++) {
		free(actor->messages[i].line);
		free(actor->messages[i].id);
		free(actor->messages[i].fate);
	}
	free(actor->messages);
	free(actor);
}

/* ---- what it says ---- */

static void note_message(struct actor *actor, const json_t *json, struct slice line)
{
	const char *id =
	    json_string_value(json_object_get(json_object_get(json, "properties"), "message_id"));
	const char *fate = json_string_value(json_object_get(json, "fate"));
	actor->messages = mem_grow(actor->messages, &actor->message_capacity,
	    actor->message_count + 1, sizeof *actor->messages);
	actor->messages[actor->message_count++] =
	    (struct actor_message){.line = mem_strndup(line.ptr, line.len),
		.length = line.len,
		.id = mem_strdup(id != NULL ? id : ""),
		.fate = fate != NULL ? mem_strdup(fate) : NULL};
}

/* Tools begin each line with their name, which the board has already. */
static struct slice without_name(struct slice line)
{
	const char *end = line.len > 0 ? memmem(line.ptr, line.len, ": ", 2) : NULL;
	size_t length = end != NULL ? (size_t)(end - line.ptr) + 2 : 0;
	if (end == NULL || memchr(line.ptr, ' ', length - 1) != NULL)
		return line;
	return (struct slice){line.ptr + length, line.len - length};
}

static void show(struct actor *actor, enum board_style style, const struct buf *text)
{
	board_line(actor->site.board, actor->number, style, buf_slice(text), chrono_now_ns());
}

static bool begins_with(struct slice text, const char *beginning)
{
	size_t length = strlen(beginning);
	return text.len >= length && memcmp(text.ptr, beginning, length) == 0;
}

/* Which broker it is everybody says, and Ctrl+C ends more than this tool. */
static void hear(struct actor *actor, bool is_error, struct slice talk)
{
	struct buf text = {0};
	/* of whoever takes messages: the second is that of events record */
	bool is_ready =
	    is_error && (begins_with(talk, "waiting for ") || begins_with(talk, "recording "));
	const char *end =
	    is_ready ? memmem(talk.ptr, talk.len, READY_END, strlen(READY_END)) : NULL;
	if (end != NULL)
		talk.len = (size_t)(end - talk.ptr);
	actor->is_ready |= is_ready;
	if (!begins_with(talk, BROKER_TEXT)) {
		text_escape(talk, BODY_BYTES, &text);
		show(actor, BOARD_TALK, &text);
	}
	buf_release(&text);
}

/* What events prints are events, too, or what it makes of them: a state, a row. */
static bool is_answer(const struct actor *actor)
{
	return strcmp(actor->part->stages[actor->part->stage_count - 1][0], "events") == 0;
}

static void show_reason(struct actor *actor, struct slice message)
{
	struct buf lines = {0};
	actor_render_reason(message, &lines);
	struct slice rest = buf_slice(&lines);
	for (const char *end; rest.len > 0 && (end = memchr(rest.ptr, '\n', rest.len)) != NULL;) {
		size_t length = (size_t)(end - rest.ptr);
		board_line(actor->site.board, actor->number, BOARD_DATA,
		    (struct slice){rest.ptr, length}, chrono_now_ns());
		rest = slice_from(rest, length + 1);
	}
	buf_release(&lines);
}

static void on_line(void *ctx, bool is_error, struct slice line)
{
	struct actor *actor = ctx;
	struct buf text = {0};
	json_t *json =
	    is_error ? NULL : json_loadb(line.len > 0 ? line.ptr : "", line.len, 0, NULL);
	if (json_object_get(json, "properties") != NULL || (is_answer(actor) && json != NULL)) {
		note_message(actor, json, line);
		actor_render(line, &text);
		show(actor, BOARD_DATA, &text);
		show_reason(actor, line);
	} else
		hear(actor, is_error, without_name(line));
	json_decref(json);
	buf_release(&text);
}

/* ---- as people read it ---- */

static void render_scalar(const json_t *value, struct buf *out)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	text_escape(
	    slice_str(json_is_string(value) ? json_string_value(value) : text), BODY_BYTES, out);
	free(text);
}

/* Of a CloudEvent what happened, and to what; the rest of the envelope is for programs. */
static void render_envelope(const json_t *headers, struct buf *out)
{
	static const char *const names[] = {ENVELOPE "type", ENVELOPE "subject"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const json_t *value = json_object_get(headers, names[i]);
		if (value != NULL) {
			render_scalar(value, out);
			buf_append_char(out, ' ');
		}
	}
}

/* true is its name, false is nothing, the rest has its value; what the broker adds is left out. */
static void render_headers(const json_t *headers, struct buf *out)
{
	const char *name, *before = "[";
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)headers, name, value)
	{
		if (strncmp(name, "x-", 2) == 0 || json_is_false(value) ||
		    strncmp(name, ENVELOPE, strlen(ENVELOPE)) == 0)
			continue;
		buf_append_str(out, before);
		text_escape(slice_str(name), 60, out);
		if (!json_is_true(value)) {
			buf_append_char(out, '=');
			render_scalar(value, out);
		}
		before = " ";
	}
	if (before[0] == ' ')
		buf_append_str(out, "] ");
}

/* Of a JSON object the values: who looks on knows the fields. Any other text as it is. */
static void render_body(const json_t *body, struct buf *out)
{
	struct slice text = {json_string_value(body), json_string_length(body)};
	json_t *inner =
	    text.len > 0 && text.ptr[0] == '{' ? json_loadb(text.ptr, text.len, 0, NULL) : NULL;
	const char *name, *before = "";
	json_t *value;
	json_object_foreach(inner, name, value)
	{
		buf_append_str(out, before);
		render_scalar(value, out);
		before = ", ";
	}
	if (body == NULL) /* "body_base64" */
		buf_append_str(out, "(binary)");
	else if (inner == NULL)
		text_escape(text, BODY_BYTES, out);
	json_decref(inner);
}

static void render_remarks(const json_t *json, const json_t *headers, struct buf *out)
{
	const char *fate = json_string_value(json_object_get(json, "fate"));
	const char *death = json_string_value(json_object_get(headers, "x-first-death-reason"));
	if (death != NULL) {
		buf_append_str(out, " (");
		text_escape(slice_str(death), 60, out);
		buf_append_char(out, ')');
	}
	if (json_is_true(json_object_get(json, "redelivered")))
		buf_append_str(out, " (redelivered)");
	const json_t *latency = json_object_get(json, "latency_us");
	if (fate != NULL && strcmp(fate, "confirmed") != 0) {
		buf_append_str(out, " (");
		text_escape(slice_str(fate), 60, out);
		if (latency != NULL) {
			buf_append_str(out, " in ");
			num_format_duration((uint64_t)json_integer_value(latency) * CHRONO_US, out);
		}
		buf_append_char(out, ')');
	}
}

/* An address of direct reply-to says nothing to people. */
static void render_key(const json_t *key, struct buf *out)
{
	static const char prefix[] = "amq.rabbitmq.reply-to.";
	struct slice text = {json_string_value(key), json_string_length(key)};
	if (text.len >= sizeof prefix && memcmp(text.ptr, prefix, sizeof prefix - 1) == 0)
		text = SLICE("reply");
	text_escape(text, 255, out);
	buf_append_char(out, ' ');
}

void actor_render(struct slice line, struct buf *out)
{
	json_t *json = json_loadb(line.len > 0 ? line.ptr : "", line.len, 0, NULL);
	const json_t *properties = json_object_get(json, "properties"),
		     *headers = json_object_get(properties, "headers"),
		     *priority = json_object_get(properties, "priority"),
		     *offset = json_object_get(headers, "x-stream-offset"),
		     *key = json_object_get(json, "routing_key"),
		     *queue = json_object_get(json, "queue");
	if (properties == NULL) { /* an answer, not a message */
		buf_append_str(out, "== ");
		text_escape(line, BODY_BYTES, out);
		json_decref(json);
		return;
	}
	buf_append_str(out, queue != NULL ? "<< " : ">> ");
	if (json_string_length(key) > 0 && !json_equal(key, queue))
		render_key(key, out);
	if (json_is_integer(priority))
		buf_printf(out, "(%lld) ", (long long)json_integer_value(priority));
	if (json_is_integer(offset))
		buf_printf(out, "@%lld ", (long long)json_integer_value(offset));
	render_envelope(headers, out);
	render_headers(headers, out);
	render_body(json_object_get(json, "body"), out);
	render_remarks(json, headers, out);
	json_decref(json);
}

/* ---- why it is a dead letter ---- */

static void render_place(
    const json_t *headers, const char *key, const char *name, const char *whole, struct buf *out)
{
	const json_t *pointer = json_object_get(headers, key);
	if (!json_is_string(pointer) || (json_string_length(pointer) == 0 && whole == NULL))
		return;
	buf_printf(out, "   %s: ", name);
	if (json_string_length(pointer) == 0)
		buf_append_str(out, whole);
	else
		render_scalar(pointer, out);
	buf_append_char(out, '\n');
}

void actor_render_reason(struct slice line, struct buf *out)
{
	json_t *json = json_loadb(line.len > 0 ? line.ptr : "", line.len, 0, NULL);
	const json_t *headers = json_object_get(json_object_get(json, "properties"), "headers"),
		     *reason = json_object_get(headers, MARKS_REASON),
		     *error = json_object_get(headers, MARKS_ERROR);
	if (json_is_string(reason)) {
		buf_append_str(out, "   ");
		render_scalar(reason, out);
		if (json_is_string(error)) {
			buf_append_str(out, ": ");
			render_scalar(error, out);
		}
		buf_append_char(out, '\n');
		render_place(headers, MARKS_INSTANCE_PATH, "body", "the whole", out);
		render_place(headers, MARKS_SCHEMA_PATH, "contract", NULL, out);
	}
	json_decref(json);
}

/* ---- starting ---- */

/* Its output has a form to choose. */
static bool prints_lines(char *const *words)
{
	static const char *const tools[] = {"producer", "consumer", "relay", "rpc", "workflow"};
	static const char *const verbs[] = {"list", "show", "query", "stats", "fold"};
	for (size_t i = 0; i < ARRAY_LEN(tools); i++)
		if (strcmp(words[0], tools[i]) == 0)
			return true;
	for (size_t i = 0;
	     strcmp(words[0], "events") == 0 && words[1] != NULL && i < ARRAY_LEN(verbs); i++)
		if (strcmp(words[1], verbs[i]) == 0)
			return true;
	return false;
}

/* The command as it stands, and what makes it one of this lesson. */
static void make_argv(const struct actor *actor, size_t stage, struct child_words *argv)
{
	char **words = actor->part->stages[stage];
	bool is_producer = strcmp(words[0], "producer") == 0;
	bool is_last = stage + 1 == actor->part->stage_count;
	child_words_take(argv, programs_beside(words[0]));
	for (size_t i = 1; words[i] != NULL; i++)
		child_words_take(argv, mem_strdup(words[i]));
	child_words_take(argv, mem_printf("--settings=%s", actor->site.settings));
	if (is_producer)
		child_words_take(argv, mem_strdup("--yes"));
	if (is_last && prints_lines(words))
		child_words_take(argv, mem_strdup("--format=json"));
}

static bool start_stage(struct actor *actor, size_t stage, int in, int out, struct error *err)
{
	struct child_words argv = {0};
	make_argv(actor, stage, &argv);
	const struct witness_spec spec = {
	    .argv = argv.items, .folder = actor->site.folder, .in = in, .out = out};
	actor->stages[stage] = witness_start(actor->site.loop, &spec, on_line, actor, err);
	child_words_release(&argv);
	return actor->stages[stage] != NULL;
}

static void close_end(int *fd)
{
	if (*fd > 0)
		close(*fd);
	*fd = 0;
}

static bool start_stages(struct actor *actor, struct error *err)
{
	int in = 0;
	bool good = true;
	for (size_t i = 0; good && i < actor->part->stage_count; i++) {
		int ends[2] = {0, 0};
		if (i + 1 < actor->part->stage_count && pipe2(ends, O_CLOEXEC) != 0)
			good = error_set(err, ERROR_UNAVAILABLE, "cannot make a pipe");
		good = good && start_stage(actor, i, in, ends[1], err);
		close_end(&in);
		close_end(&ends[1]);
		in = ends[0];
	}
	close_end(&in);
	return good;
}

static void show_command(struct actor *actor)
{
	struct buf text = {0};
	buf_append_str(&text, "$ ");
	text_escape(slice_trim(slice_str(actor->part->command)), BODY_BYTES, &text);
	show(actor, BOARD_COMMAND, &text);
	buf_release(&text);
}

bool actor_start(struct actor *actor, struct error *err)
{
	if (actor_is_running(actor))
		return error_set(err, ERROR_UNAVAILABLE, "'%s' runs already", actor->part->name);
	release_stages(actor);
	actor->is_ready = !lesson_awaits_messages(actor->part);
	actor->was_started = true;
	actor->was_killed = false;
	show_command(actor);
	return start_stages(actor, err);
}

/* ---- ending ---- */

void actor_stop(struct actor *actor)
{
	if (actor->stages[0] != NULL && !actor->has_ended[0])
		witness_signal(actor->stages[0], SIGTERM);
}

void actor_kill(struct actor *actor)
{
	actor->was_killed = true;
	for (size_t i = 0; i < actor->part->stage_count; i++)
		if (actor->stages[i] != NULL && !actor->has_ended[i])
			witness_signal(actor->stages[i], SIGKILL);
}

static void show_end(struct actor *actor)
{
	struct buf text = {0};
	for (size_t i = 0; i < actor->part->stage_count; i++) {
		if (actor->wait_status[i] == 0)
			continue;
		child_describe_end(actor->wait_status[i], &text);
		show(actor, BOARD_TALK, &text);
		buf_clear(&text);
	}
	buf_release(&text);
}

void actor_look(struct actor *actor)
{
	if (!actor_is_running(actor))
		return;
	for (size_t i = 0; i < actor->part->stage_count; i++) {
		if (actor->has_ended[i] ||
		    !witness_has_ended(actor->stages[i], &actor->wait_status[i]))
			continue;
		actor->has_ended[i] = true;
		if (actor->status == 0 && !actor->was_killed)
			actor->status = child_exit_status(actor->wait_status[i]);
	}
	if (!actor_is_running(actor))
		show_end(actor);
}

bool actor_is_running(const struct actor *actor)
{
	for (size_t i = 0; i < actor->part->stage_count; i++)
		if (actor->stages[i] != NULL && !actor->has_ended[i])
			return true;
	return false;
}

bool actor_is_ready(const struct actor *actor)
{
	return actor->is_ready || !actor_is_running(actor);
}

bool actor_status(const struct actor *actor, int *status)
{
	*status = actor->status;
	return actor->was_started && !actor->was_killed && !actor_is_running(actor);
}

const struct actor_message *actor_messages(const struct actor *actor, size_t *count)
{
	*count = actor->message_count;
	return actor->messages;
}
