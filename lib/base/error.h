/* error.h - one failure: a kind the program can act on, a sentence a person can act on. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

/*
 * The kinds are the exit statuses of the tools (sysexits.h where it has one), so that a failure
 * travels from the line that found it to the shell without a table in between.
 */
enum error_kind {
	ERROR_NONE = 0,
	ERROR_UNDELIVERED = 1,	/* done, but an expectation failed or messages were not delivered */
	ERROR_USAGE = 64,	/* wrong command line */
	ERROR_DATA = 65,	/* message data that cannot be read or sent */
	ERROR_NO_INPUT = 66,	/* a named file is missing or unreadable */
	ERROR_UNAVAILABLE = 69, /* broker unreachable or lost; what another process has */
	ERROR_INTERNAL = 70,	/* a mistake of ours */
	ERROR_CANNOT_CREATE = 73,
	ERROR_IO = 74,
	ERROR_REFUSED = 76, /* the broker refused: a 4xx or 5xx reply, or bytes that are not AMQP */
	ERROR_ACCESS = 77,  /* login or permission refused */
	ERROR_SETTINGS = 78, /* the settings are wrong */
};

#define ERROR_TEXT_BYTES 1024

/* Caller-owned; `= {0}` is "no error". Text beyond the size is cut and ends in "...". */
struct error {
	enum error_kind kind;
	char text[ERROR_TEXT_BYTES];
};

#define ERROR_FORMAT(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK __attribute__((warn_unused_result))
/* A result that does not matter, for a reason that stands beside it. */
#define IGNORE_RESULT(call) ((void)!(call))

/* Records a failure and returns false, so that `return error_set(...)` is one line. The first
 * cause wins: a second call on the same error changes nothing. */
bool error_set(struct error *err, enum error_kind kind, const char *fmt, ...) ERROR_FORMAT(3, 4);

/* Puts "<context>: " in front of the text of a failure. Returns false. */
bool error_context(struct error *err, const char *fmt, ...) ERROR_FORMAT(2, 3);

/* No failure. On the way of every message instead of `= {0}`, which would clear all of the text. */
static inline void error_clear(struct error *err)
{
	err->kind = ERROR_NONE;
	err->text[0] = '\0';
}

#ifdef __clang_analyzer__
/* What the analyzer cannot see from here: these return false, always. */
#define error_set(...) ((error_set)(__VA_ARGS__), false)
#define error_context(...) ((error_context)(__VA_ARGS__), false)
#endif

#endif
