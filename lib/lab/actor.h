/* actor.h - one of the cast of a lesson: its processes, what it said, the messages it printed. */
#ifndef LAB_ACTOR_H
#define LAB_ACTOR_H

#include "base/buf.h"
#include "base/error.h"
#include "base/loop.h"
#include "lab/board.h"
#include "lab/lesson.h"

/* A message that a producer sent or a consumer got: its line of JSON (model/record.h). */
struct actor_message {
	char *line, *id; /* owned; id "" when it has none */
	size_t length;
	char *fate; /* owned; NULL of a consumer */
};

struct actor;

struct actor_site {
	struct loop *loop;
	struct board *board;
	const char *settings; /* absolute path of the file */
	const char *folder;   /* where the processes begin */
};

/* Plays the nth part of a cast. Borrows both. */
struct actor *actor_create(
    const struct actor_site *site, const struct lesson_part *part, size_t number);
/* Kills what runs. Accepts NULL. */
void actor_free(struct actor *actor);

/* Starts all stages, once more when it has ended; what it printed before stays. ERROR_UNAVAILABLE
 * when one cannot be run or it runs already. */
bool actor_start(struct actor *actor, struct error *err) MUST_CHECK;
/* SIGTERM to the first stage: the others end at the end of their input. */
void actor_stop(struct actor *actor);
void actor_kill(struct actor *actor);

/* Sees what has ended. After each turn of the loop. */
void actor_look(struct actor *actor);
bool actor_is_running(const struct actor *actor);
/* It takes messages, or never will: it is no consumer, or has ended. */
bool actor_is_ready(const struct actor *actor);
/* It has ended, and nobody killed it: *status is the first of the stages' that is not 0, since it
 * was first started. */
bool actor_status(const struct actor *actor, int *status);

const struct actor_message *actor_messages(const struct actor *actor, size_t *count);

/* A line of JSON as people read it, printable: "lions.goal 12' goal Okafor". `is_sent`: with where
 * it went. */
void actor_render(struct slice line, struct buf *out);
/* Why it is a dead letter, as its headers say (model/marks.h), in lines of their own, printable:
 *
 *   "   rejected: /customer: expected object, found boolean true"
 *   "   body: /customer"                        of what breaks a contract: where it is wrong
 *   "   contract: customer.schema.json#/type"   and by which keyword
 *
 * Nothing for other messages. */
void actor_render_reason(struct slice line, struct buf *out);

#endif
