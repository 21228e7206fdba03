/* password.h - a password that stands on no command line: the first line of a file, or typed. */
#ifndef APP_PASSWORD_H
#define APP_PASSWORD_H

#include "base/error.h"

/* The first line of a file or pipe, without its end. Warns when others may read the file, unless it
 * is a secret of a container. what is for errors: "password file". NULL with ERROR_NO_INPUT. For
 * password_free. */
char *password_from_file(const char *path, const char *what, struct error *err);

/* Asks on the terminal, whatever the standard streams are, and shows nothing of the answer. A
 * signal gives the terminal back as it was, and then acts as it would without us. NULL with
 * ERROR_NO_INPUT (no terminal, or no answer) or ERROR_UNAVAILABLE (a signal that the loop has). For
 * password_free. */
char *password_ask(const char *prompt, struct error *err);

/* Wipes it first. Accepts NULL. */
void password_free(char *password);

/* A warning when others than its owner may do anything with the regular file. */
void password_warn_exposed(const char *path, const char *what);

#endif
