/* exec_command.h - a command as text: its words, quoted as for a shell, and the program they name.
 */
#ifndef FLOW_EXEC_COMMAND_H
#define FLOW_EXEC_COMMAND_H

#include "base/error.h"

/*
 * Splits at blanks. '..' keeps all, ".." all but \ before $ ` " \ and line feed, \ the next
 * character; a line that ends in \ goes on. Nothing is expanded, and | < > ; & are characters like
 * others. Returns an argv in one allocation, or NULL with ERROR_USAGE: no word, an open quote, a
 * \ at the end.
 */
char **exec_command_split(const char *text, struct error *err);

/* The argv that hands the text to /bin/sh, as it is. */
char **exec_command_for_shell(const char *text);

/* The path of a program, looked for in PATH unless its name holds a slash; the caller's to free().
 * NULL with ERROR_NO_INPUT when there is none that may be run. */
char *exec_command_find(const char *name, struct error *err);

#endif
