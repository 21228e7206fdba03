/*
 * perftest_private.h - what the files of the perftest module share; nobody else includes it, but
 * for its test.
 *
 * perftest_rows.c lists PerfTest's options; perftest_read.c reads a command line by them;
 * perftest_convert.c and
 * perftest_arguments.c turn each option that is given into a setting; perftest_rules.c adds what
 * PerfTest does by itself and what options do to each other; perftest_result.c holds the settings;
 * perftest_write.c prints them.
 */
#ifndef BENCH_PERFTEST_PRIVATE_H
#define BENCH_PERFTEST_PRIVATE_H

#include "bench/perftest.h"
#include "bench/words.h"

#include <stdint.h>

/* ---- PerfTest's options ---- */

enum perftest_takes {
	PERFTEST_TAKES_NOTHING,
	PERFTEST_TAKES_ONE,
	PERFTEST_TAKES_PERHAPS, /* a value, or none */
	PERFTEST_TAKES_MANY,	/* all words up to the next option; may be repeated */
};

/* How a value becomes a setting. "Whole" is a whole number of Java's int. */
enum perftest_kind {
	PERFTEST_NOT_CARRIED,
	PERFTEST_NUMBER_NOT_CARRIED, /* whole */
	PERFTEST_FLAG,
	PERFTEST_TEXT,
	PERFTEST_TEXTS,	     /* separated by commas */
	PERFTEST_FILES,	     /* the same, trimmed */
	PERFTEST_BOOLEAN,    /* true in any case of letters; anything else is false */
	PERFTEST_COUNT,	     /* whole, 0 is a value of its own */
	PERFTEST_BOUND,	     /* whole; 0 and less: none */
	PERFTEST_SECONDS,    /* whole; 0 and less: none */
	PERFTEST_MILLIS,     /* whole; 0 and less: none */
	PERFTEST_MICROS,     /* whole; 0 and less: none */
	PERFTEST_INTERVAL,   /* seconds with a fraction, 0.1 at least */
	PERFTEST_RATE,	     /* a second; less than 0: none */
	PERFTEST_SIZE,	     /* bytes; PerfTest's stamp alone takes 12 */
	PERFTEST_RATES,	     /* RATE:SECONDS */
	PERFTEST_SIZES,	     /* BYTES:SECONDS */
	PERFTEST_LATENCIES,  /* MICROSECONDS:SECONDS */
	PERFTEST_FLAGS,	     /* persistent, mandatory */
	PERFTEST_ARGUMENTS,  /* NAME=VALUE,... */
	PERFTEST_PROPERTIES, /* NAME=VALUE,... */
	PERFTEST_EXCHANGE,
	PERFTEST_QUORUM,
	PERFTEST_STREAM,
	PERFTEST_LENGTH_BYTES,
	PERFTEST_SEGMENT_BYTES,
	PERFTEST_AGE, /* PT15M */
	PERFTEST_LEADER,
	PERFTEST_OFFSET,
	PERFTEST_CONFIRM, /* less than 0: none; 0: without a bound */
	PERFTEST_EXIT,
	PERFTEST_FORMAT,
	PERFTEST_CLOCK,
	PERFTEST_PROMETHEUS,
	PERFTEST_PORT,
	PERFTEST_RECONNECT, /* seconds, or a-b */
	PERFTEST_KINDS,
};

struct perftest_row {
	const char *name;   /* the long one */
	const char *letter; /* the short one, of one letter or more; "" when there is none */
	enum perftest_takes takes;
	enum perftest_kind kind;
	const char *target; /* the setting it becomes; NULL when not carried over */
	const char *reason; /* why it is not, and what to do instead */
	bool is_secret;	    /* its value is shown as *** */
};

extern const struct perftest_row perftest_rows[];
extern const size_t perftest_row_count;

/* ---- reading ---- */

/* An option that was given. */
struct perftest_given {
	const struct perftest_row *row;
	size_t word;	     /* where it stands, from 1 */
	const char **values; /* owned array of borrowed parts of words */
	size_t count, capacity;
};

struct perftest_command {
	struct words words;
	size_t first; /* word of PerfTest's options, from 0 */
	struct perftest_given *given;
	size_t given_count, given_capacity;
	size_t *strays; /* words that PerfTest passes over, from 0 */
	size_t stray_count, stray_capacity;
};

bool perftest_read(const char *line, struct perftest_command *out, struct error *err) MUST_CHECK;
void perftest_command_release(struct perftest_command *c);
/* The first one of its name; NULL when not given. */
const struct perftest_given *perftest_find(const struct perftest_command *c, const char *name);

/* ---- settings ---- */

enum perftest_shape {
	PERFTEST_PLAIN, /* a number, or a text that we made: printed as it is */
	PERFTEST_STRING,
	PERFTEST_SWITCH, /* true or false */
	PERFTEST_LIST,
	PERFTEST_BROKER,       /* a member of `broker`; --set on the command line */
	PERFTEST_BROKER_LIST,  /* the same, one text or several */
	PERFTEST_COMMAND_LINE, /* not a setting: an option of the command line alone */
};

/* A setting of ours, in the order in which they are printed. */
struct perftest_setting {
	const char *name;
	enum perftest_shape shape;
	const char *usual; /* our default; "" when there is none */
};

extern const struct perftest_setting perftest_settings[];
extern const size_t perftest_setting_count;

struct perftest_value {
	char **items; /* none: not set; but for lists just one */
	size_t count, capacity;
	const char *comment; /* NULL: it speaks for itself */
};

struct perftest_result {
	const struct perftest_command *command;
	struct perftest_value *values; /* one a row of perftest_settings */
	char **notes;		       /* comments for the end, printable */
	size_t note_count, note_capacity;
	uint64_t max_length_bytes; /* of a stream; 0: no bound */
	uint64_t segment_bytes;	   /* 0: not given */
};

void perftest_result_init(struct perftest_result *r, const struct perftest_command *c);
void perftest_result_release(struct perftest_result *r);
bool perftest_is_set(const struct perftest_result *r, const char *name);
/* The text of a setting that is no list, or `otherwise`. */
const char *perftest_get(const struct perftest_result *r, const char *name, const char *otherwise);
/* Of a setting that holds a whole number. */
uint64_t perftest_get_count(const struct perftest_result *r, const char *name, uint64_t otherwise);
struct perftest_value *perftest_value(const struct perftest_result *r, const char *name);
/* Replaces the text; comment may be NULL. */
void perftest_set(
    struct perftest_result *r, const char *name, const char *text, const char *comment);
void perftest_add(struct perftest_result *r, const char *name, const char *item);
void perftest_add_once(struct perftest_result *r, const char *name, const char *item);
/* Adds "key=value" to a list, in the place of another one with the same key. */
void perftest_put(struct perftest_result *r, const char *name, const char *key, const char *value);
void perftest_unput(struct perftest_result *r, const char *name, const char *key);
void perftest_unset(struct perftest_result *r, const char *name);
/* "not carried over: --name value (reason)", in print. */
void perftest_note(
    struct perftest_result *r, const struct perftest_given *given, const char *reason);
/* Any other comment; the text is made printable. */
void perftest_remark(struct perftest_result *r, const char *fmt, ...) ERROR_FORMAT(2, 3);

/* "word 3, '--producers many': " in front of what is wrong. Returns false. */
bool perftest_refuse(const struct perftest_given *given, const char *value, struct error *err,
    const char *fmt, ...) ERROR_FORMAT(4, 5);

/* ---- converting ---- */

/* An option that was given, and its first value (NULL for those without). */
struct perftest_job {
	struct perftest_result *result;
	const struct perftest_given *given;
	const char *value;
};

/* Refuses a value: "accepted: a whole number". Returns false. */
bool perftest_accept(
    const struct perftest_job *job, const char *value, const char *accepted, struct error *err);
/* The next part of a list, or false; empty ones at the end do not count, as with Java's split. */
bool perftest_next_part(const char **rest, struct slice *part);

/* perftest_arguments.c: what becomes arguments of queues and properties of messages. */
bool perftest_convert_quorum(const struct perftest_job *job, struct error *err);
bool perftest_convert_stream(const struct perftest_job *job, struct error *err);
bool perftest_convert_length_bytes(const struct perftest_job *job, struct error *err);
bool perftest_convert_segment_bytes(const struct perftest_job *job, struct error *err);
bool perftest_convert_age(const struct perftest_job *job, struct error *err);
bool perftest_convert_leader(const struct perftest_job *job, struct error *err);
bool perftest_convert_arguments(const struct perftest_job *job, struct error *err);
bool perftest_convert_properties(const struct perftest_job *job, struct error *err);

/* ---- the steps ---- */

bool perftest_convert(struct perftest_result *r, struct error *err) MUST_CHECK;
bool perftest_apply_rules(struct perftest_result *r, struct error *err) MUST_CHECK;
void perftest_write(const struct perftest_result *r, struct buf *out);

#endif
