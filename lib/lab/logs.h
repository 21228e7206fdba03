/* logs.h - what the broker nodes of a lab say, printed and followed. */
#ifndef LAB_LOGS_H
#define LAB_LOGS_H

#include "base/error.h"

#include <stdio.h>

/*
 * Prints the logs of a lab, running or not, escaped: those of the named node ("a"), of "supervisor"
 * or "epmd", or with NULL of all nodes, each part under its name. `follow` goes on until SIGINT,
 * SIGTERM or the end of the lab. Fails with ERROR_UNAVAILABLE when there is no lab, ERROR_USAGE
 * when it has no such node, ERROR_IO when the output fails.
 */
bool logs_print(
    const char *dir, const char *name, bool follow, FILE *out, struct error *err) MUST_CHECK;

#endif
