/* lesson.h - the script of a lesson, `lesson:` of the settings: the cast, the steps, the checks. */
#ifndef LAB_LESSON_H
#define LAB_LESSON_H

#include "model/reader.h"
#include "model/topology.h"

#include <jansson.h>
#include <stdint.h>

#define LESSON_CAST_MAX 16
#define LESSON_STAGES_MAX 4

/* Some of the cast: a bit for each. */
typedef uint32_t lesson_names;

/* One who takes part. */
struct lesson_part {
	const char *name, *command;	  /* borrowed from the tree */
	char **stages[LESSON_STAGES_MAX]; /* an argv each, the one's output the next one's input */
	char **words;			  /* what the stages are made of; owned */
	size_t stage_count;
};

enum lesson_verb { LESSON_SAY, LESSON_PAUSE, LESSON_START, LESSON_STOP, LESSON_KILL, LESSON_WAIT };

struct lesson_step {
	enum lesson_verb verb;
	const char *text;   /* LESSON_SAY, LESSON_PAUSE */
	lesson_names who;   /* of a wait: 0 when it is for a queue */
	uint64_t messages;  /* of a wait: 0: until they have ended */
	const char *queue;  /* of a wait */
	uint64_t holds;	    /* messages in it */
	uint64_t within_ns; /* of a wait */
};

enum lesson_check_kind {
	LESSON_COUNT, /* from least to most messages */
	LESSON_ONCE,  /* the messages of `source`, each once */
	LESSON_EVERY, /* the same, at least once */
	LESSON_ORDER,
	LESSON_STATUS,
	LESSON_QUEUE,
};

struct lesson_check {
	enum lesson_check_kind kind;
	const char *that; /* NULL: as lesson_describe_check says */
	lesson_names of, source;
	const char *where;    /* NULL: all */
	const char *fate;     /* NULL: any */
	uint64_t least, most; /* LESSON_COUNT */
	const json_t *order;  /* LESSON_ORDER: texts */
	uint64_t status;      /* LESSON_STATUS */
	const char *queue;    /* LESSON_QUEUE */
	uint64_t holds;
};

/* `= {0}` is none: title NULL. Texts are borrowed from the tree it was read from. */
struct lesson {
	const char *title, *watch;
	struct lesson_part cast[LESSON_CAST_MAX];
	size_t cast_count;
	struct lesson_step *steps; /* owned, as the checks are */
	size_t step_count;
	struct lesson_check *checks;
	size_t check_count;
	uint64_t patience_ns; /* without a message: what is expected does not come any more */
};

/* Reads what the schema has passed; NULL is none. False when something was reported: a name that is
 * not in the cast, a queue that is not in the topology, a command that is none of ours. Release it
 * in any case. */
bool lesson_read(const json_t *spec, const struct topology *topology, struct lesson *out,
    reader_report_fn *report, void *ctx);
void lesson_release(struct lesson *lesson);

/* It waits for messages until it is ended: a consumer, a recorder of events, a projection. */
bool lesson_awaits_messages(const struct lesson_part *part);

/* "ada, bob": the names, appended. */
void lesson_describe_names(const struct lesson *lesson, lesson_names who, struct buf *out);
/* What the check expects, as one printable line. */
void lesson_describe_check(
    const struct lesson *lesson, const struct lesson_check *check, struct buf *out);

#endif
