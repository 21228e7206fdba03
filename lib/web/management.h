/* management.h - what a broker has, through the HTTP API of its management plugin. */
#ifndef WEB_MANAGEMENT_H
#define WEB_MANAGEMENT_H

#include "model/topology.h"
#include "web/client.h"

#include <jansson.h>

/*
 * GET of a path below /api ("/overview", encoded already) as JSON, which the caller owns. Fails as
 * client_get does, with ERROR_ACCESS when the login or a permission is lacking, and with
 * ERROR_REFUSED for any other answer that is not what was asked for.
 */
bool management_get(struct client *c, const char *path, json_t **out, struct error *err) MUST_CHECK;

/* A part of a path: "/" becomes "%2F". To free(). */
char *management_encode(const char *name);

/* All exchanges, queues and bindings of a vhost, see definitions_read. */
bool management_topology(
    struct client *c, const char *vhost, struct topology *out, struct error *err) MUST_CHECK;

#endif
