/* definitions_private.h - what the ways out and in share. */
#ifndef MODEL_DEFINITIONS_PRIVATE_H
#define MODEL_DEFINITIONS_PRIVATE_H

#include "model/definitions.h"

/* An object as the definitions have it, without its vhost; an argument of a type that JSON has not
 * is noted and left out. To json_decref. */
json_t *definitions_exchange(
    const struct topology_exchange *e, definitions_note_fn *note, void *ctx);
json_t *definitions_queue(
    const struct topology_queue *q, bool is_untyped, definitions_note_fn *note, void *ctx);
json_t *definitions_binding(const struct topology_binding *b, definitions_note_fn *note, void *ctx);

/* The vhost that is wanted, or else the one that is clear; NULL, to free(), where the document
 * names none. Fails with ERROR_USAGE when there is no such one, or several. */
bool definitions_choose_vhost(
    const json_t *document, const char *wanted, char **out, struct error *err) MUST_CHECK;

#endif
