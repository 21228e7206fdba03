/* stage_private.h - what the files of lab/stage share while a lesson is played. */
#ifndef LAB_STAGE_PRIVATE_H
#define LAB_STAGE_PRIVATE_H

#include "base/loop.h"
#include "broker/connection.h"
#include "lab/actor.h"
#include "lab/board.h"
#include "lab/stage.h"

struct stage {
	const struct lesson *lesson;
	const struct stage_site *site;
	struct loop *loop;
	struct board *board;
	struct uri uri;
	struct connection *connection;
	struct actor *cast[LESSON_CAST_MAX];
	bool has_input; /* standard input may still have a line */
	bool was_pressed;
	size_t seen;	  /* messages, at the last look for a rest */
	uint64_t seen_ns; /* when one came, or was still to come */
};

/* Asked again and again; sets *held, and fails when it cannot tell. */
struct stage_condition {
	bool (*holds)(struct stage *stage, const void *ctx, bool *held, struct error *err);
	const void *ctx;
};

/* Turns until the condition holds; *held is false when the limit comes first. */
bool stage_await(struct stage *stage, struct stage_condition condition, uint64_t limit_ns,
    bool *held, struct error *err) MUST_CHECK;

/* What they have printed, together. */
size_t stage_count_messages(const struct stage *stage, lesson_names who);

/* *holds is UINT64_MAX when there is no such queue. */
bool stage_look_queue(
    struct stage *stage, const char *queue, uint64_t *holds, struct error *err) MUST_CHECK;

/* Ends those who run, by actor_stop or actor_kill, and waits for it. */
bool stage_end(struct stage *stage, lesson_names who, void (*how)(struct actor *actor),
    struct error *err) MUST_CHECK;

/* Those of whom a check expects a status. */
lesson_names stage_judged_by_status(const struct lesson *lesson);

/* A text of the lesson as it may be shown; to free(). */
char *stage_printable(const char *text);

/* stage_judge.c: waits for what the checks expect, ends who still runs, and tells the verdict. */
bool stage_judge(struct stage *stage, bool *is_met, struct error *err) MUST_CHECK;

#endif
