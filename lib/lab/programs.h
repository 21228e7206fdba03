/* programs.h - the other tools of warren, wherever this one lies. */
#ifndef LAB_PROGRAMS_H
#define LAB_PROGRAMS_H

/* The path of the tool ("producer") beside this program; installed ones are called warren-producer,
 * as this one is then. To free(). */
char *programs_beside(const char *tool);

#endif
