/* arrange_private.h - verbs of the topology tool that stand in files of their own. */
#ifndef APP_ARRANGE_PRIVATE_H
#define APP_ARRANGE_PRIVATE_H

#include "app/arrange.h"
#include "model/difference.h"

/* Each loads what it needs, prints its result, and takes the form that was asked for. */
typedef bool arrange_verb_fn(struct tool *tool, const struct arrange_options *o,
    enum arrange_format form, struct error *err);

arrange_verb_fn arrange_plan;
arrange_verb_fn arrange_apply;
arrange_verb_fn arrange_delete;
arrange_verb_fn arrange_purge;
arrange_verb_fn arrange_graph;
arrange_verb_fn arrange_export;
arrange_verb_fn arrange_import;

/* The definitions of the whole broker; for a user who is no administrator what can be seen of the
 * vhost (NULL: that of the settings). To json_decref; NULL on failure. */
json_t *arrange_definitions(struct tool *tool, const char *vhost, struct error *err);
/* Writes a sentence to the log, as a definitions_note_fn. */
void arrange_note(void *ctx, const char *text);

/* ---- arrange.c ---- */

/* What a verb prints is gathered, and printed at its end: what was done before a refusal, too. */
struct arrange_print {
	enum arrange_format form;
	struct buf out;
};
/* Prints it, and frees. `good` is the verb's own result, which comes back when printing worked. */
bool arrange_finish(struct arrange_print *p, bool wanted, bool good, struct error *err) MUST_CHECK;

/* A provision_report_fn: ctx is a struct arrange_print. */
void arrange_report(
    void *ctx, const char *verb, const char *object, const char *name, uint64_t count);

/* Appends one JSON object and a line feed; takes the object. */
void arrange_write_json(json_t *line, struct buf *out);
/* Type, flags and arguments behind a name, each with a space before it. */
void arrange_write_exchange(const struct topology_exchange *e, struct buf *out);
void arrange_write_queue(const struct topology_queue *q, struct buf *out);
/* "orders -> audit [key] {"x-match":"all"}" */
void arrange_write_binding(const struct topology_binding *b, struct buf *out);
/* The members exchange, queue or to_exchange, routing_key and arguments, put into the object. */
void arrange_describe_binding(const struct topology_binding *b, json_t *line);

/* Every operand behind the verb is a queue or exchange of the settings. */
bool arrange_check_names(const struct tool *tool, struct error *err) MUST_CHECK;
/* The part of the topology that those name, or all of it: shares everything but the arrays of
 * exchanges and queues, which are the caller's to free(). */
struct topology arrange_select(const struct tool *tool);

/* ---- arrange_look.c ---- */

/* What the settings ask for beside what is there. `= {0}` is empty. */
struct arrange_look {
	bool is_http;	       /* else over AMQP alone: found is empty */
	bool partly;	       /* of AMQP: an object may differ in more than was told */
	struct topology found; /* all of the vhost */
	json_t *policies;      /* {queue: {"policy": name, "definition": {..}}} of declared ones */
	struct difference difference;
};

/* Connected. With an address of the HTTP API through that, else over AMQP. */
bool arrange_look(
    struct tool *tool, const char *prefix, struct arrange_look *out, struct error *err) MUST_CHECK;
/* The same without a prefix, but over AMQP when nobody answers at that address, with a warning: for
 * verbs that can do without. */
bool arrange_look_anyway(struct tool *tool, struct arrange_look *out, struct error *err) MUST_CHECK;
void arrange_look_release(struct arrange_look *live);

/* Where a policy gives a queue what the settings do not ask for, a sentence for each key. */
typedef void arrange_policy_fn(void *ctx, const char *policy, const char *key, const json_t *value);
void arrange_look_notes(const struct arrange_look *live, const struct topology_queue *q,
    arrange_policy_fn *note, void *ctx);

/* A value in a sentence: text in quotes, escaped; "none" for NULL. To free(). */
char *arrange_show_value(const json_t *value);

/* ---- arrange_migrate.c ---- */

/* Whether something is left of a migration of the queue: it was interrupted, or is under way. */
bool arrange_migration_is_left(struct tool *tool, const struct arrange_look *live,
    const char *queue, bool *left, struct error *err) MUST_CHECK;
/* Why a queue that differs cannot be migrated; NULL: it can. */
const char *arrange_migration_refusal(const struct difference_item *item);
/* Moves a queue that is there with other attributes, or whose migration was interrupted. Needs the
 * HTTP API, see api_is_known. */
bool arrange_migrate(struct tool *tool, const struct topology_queue *queue, struct arrange_print *p,
    struct error *err) MUST_CHECK;

#endif
