/* exec_command.h - a command as text: its words, quoted as for a shell, and the program they name.
 */
#ifndef FLOW_EXEC_COMMAND_H
#define FLOW_EXEC_COMMAND_H

#include "base/error.h"

/*
 * Splits at blanks. '..' keeps all, ".." all but \ before $ ` " \ and line feed, \ the next
 * character; a line that ends in \ goes on. Nothing is expanded, and | < > ; & are characters like
 * others. Returns an argv in one allocation, to free(), or NULL with ERROR_USAGE: no word, an open
 * quote, a \ at the end.
 */
char **exec_command_split(const char *text, struct error *err);

/* A command as it is asked for: a text, which is split or handed to a shell, or words. Borrowed. */
struct exec_command {
	const char *text;
	const char *const *words; /* instead of the text; they end with NULL */
	bool shell;
	const char *folder; /* where it runs; NULL: the current one */
};

/* And as it is run. `= {0}` is none. */
struct exec_command_program {
	char **argv;
	char *path;
	char *folder; /* NULL: the current one */
	char *name;   /* for texts: escaped */
};

/* Splits it and finds the program, in PATH unless its name holds a slash. *out borrows nothing.
 * ERROR_USAGE when it cannot be split, ERROR_NO_INPUT when it is not there or not executable. */
bool exec_command_prepare(const struct exec_command *command, struct exec_command_program *out,
    struct error *err) MUST_CHECK;
void exec_command_release(struct exec_command_program *program);

#endif
