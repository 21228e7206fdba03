#include "flow/key.h"

#include "base/log.h"
#include "base/mem.h"
#include "jq/program.h"
#include "model/envelope.h"

#include <stdlib.h>

struct key {
	bool (*read)(struct key *key, const struct message *m, struct buf *out);
	bool of_queue;
	struct program *program; /* of jq */
	char *who, *endless, *greedy;
	struct buf scratch;
	bool has_failed;
};

/* ---- the kinds ---- */

static bool read_id(struct key *key, const struct message *m, struct buf *out)
{
	(void)key;
	if ((m->present & MESSAGE_MESSAGE_ID) == 0 || m->message_id.len == 0)
		return false;
	buf_append(out, m->message_id);
	return true;
}

static bool read_cloudevents(struct key *key, const struct message *m, struct buf *out)
{
	struct envelope e;
	envelope_read(m, &key->scratch, &e);
	if (e.mode == ENVELOPE_NONE)
		return false;
	buf_append(out, e.source); /* without control characters */
	buf_append_char(out, '\n');
	buf_append(out, e.id);
	return true;
}

static void note_failure(struct key *key, const struct datum *failure)
{
	if (key->has_failed)
		return;
	key->has_failed = true;
	char *said = program_complaint(failure);
	log_write(LOG_WARNING,
	    "%s: the key of a message cannot be made: %s (further failures are only counted)",
	    key->who, said);
	free(said);
}

static bool read_jq(struct key *key, const struct message *m, struct buf *out)
{
	struct datum input = datum_body(m->body), first;
	struct slice text;
	program_start(key->program, &input, NULL);
	enum program_answer answer = program_next(key->program, &first);
	bool found = answer == PROGRAM_OUTPUT && datum_is_true(&first);
	if (answer == PROGRAM_FAILED)
		note_failure(key, &first);
	else if (found && datum_is_text(&first, &text))
		buf_append(out, text);
	else if (found)
		datum_write(&first, out);
	datum_free(&first);
	return found;
}

/* ---- life ---- */

struct key *key_create_jq(const char *expression, const char *who, struct error *err)
{
	struct key *key = mem_alloc(1, sizeof *key);
	key->read = read_jq;
	key->who = mem_strdup(who);
	key->endless = mem_printf("error: %s: the jq expression did not come to an end on a "
				  "message; giving up, so that it is delivered again\n",
	    who);
	key->greedy = mem_printf("error: %s: jq needs more memory than there is\n", who);
	const struct program_options options = {.expression = expression,
	    .endless = key->endless,
	    .greedy = key->greedy,
	    .status = ERROR_INTERNAL};
	key->program = program_create(&options, err);
	if (key->program != NULL)
		return key;
	key_free(key);
	return NULL;
}

struct key *key_create(const char *by, const char *who, struct error *err)
{
	bool is_id = strcmp(by, KEY_ID) == 0;
	if (!is_id && strcmp(by, KEY_CLOUDEVENTS) != 0)
		return key_create_jq(by, who, err);
	struct key *key = mem_alloc(1, sizeof *key);
	key->read = is_id ? read_id : read_cloudevents;
	key->of_queue = is_id;
	return key;
}

void key_free(struct key *key)
{
	if (key == NULL)
		return;
	program_free(key->program);
	buf_release(&key->scratch);
	free(key->who);
	free(key->endless);
	free(key->greedy);
	free(key);
}

bool key_read(struct key *key, const struct message *m, struct buf *out)
{
	return key->read(key, m, out);
}

bool key_is_of_queue(const struct key *key)
{
	return key->of_queue;
}

bool key_is_of_message(const struct key *key)
{
	return key->program == NULL;
}
