/* programs.h - the other tools of warren, wherever this one lies. */
#ifndef LAB_PROGRAMS_H
#define LAB_PROGRAMS_H

/* The path of the tool ("producer") beside this program; installed ones are called warren-producer,
 * as this one is then. To free(). */
char *programs_beside(const char *tool);

/* Gives this process, and those it starts, the variables that lead a tool to that broker, whatever
 * its settings say, and takes away all others that are options of tools (WARREN_...). */
void programs_lead_to(const char *url);

#endif
