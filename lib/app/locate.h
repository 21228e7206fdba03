/* locate.h - where a settings file is, and what is named in it. */
#ifndef APP_LOCATE_H
#define APP_LOCATE_H

#include "base/error.h"

/* The file that --settings means: one beside us, or a name in settings/ or among the installed
 * lessons. To free(); NULL with ERROR_NO_INPUT. */
char *locate_settings(const char *source, struct error *err);

/* The folder of the installed lessons, whether it is there or not. To free(). */
char *locate_installed(void);

/* The directory that relative names in the file begin at. To free(). */
char *locate_directory(const char *path);

/* The name, below the directory when it is relative. To free(). */
char *locate_below(const char *directory, const char *name);

#endif
