/*
 * definitions.h - RabbitMQ's definitions, as its HTTP API and a definitions.json have them.
 *
 * https://www.rabbitmq.com/docs/definitions and /docs/http-api-reference. There are two forms: of a
 * whole broker, where each object names its vhost, and of one vhost, where none does.
 *
 * What the settings cannot say otherwise stands in their section `definitions`:
 *   vhost    whose exchanges, queues and bindings the settings have
 *   form     broker (the default) or vhost
 *   untyped  classic queues that go without x-queue-type: a list of names, or true for all
 *   others   members of the document, as they are there; lists go on with what they have here
 */
#ifndef MODEL_DEFINITIONS_H
#define MODEL_DEFINITIONS_H

#include "base/error.h"
#include "model/topology.h"

#include <jansson.h>

/*
 * Reads the members `exchanges`, `queues` and `bindings` of an object, each a list, in the order
 * they have there. With a vhost, objects of another one are passed over; those that name none
 * belong to it. Exchanges that the broker makes itself (amq.*) come only where
 * topology_find_exchange would not find them, with declared: false; bindings of the default
 * exchange do not come. Fails with ERROR_DATA, which names the place, when a member has not the
 * form it should; *out is then empty.
 */
bool definitions_read(const json_t *definitions, const char *vhost, struct topology *out,
    struct error *err) MUST_CHECK;

/* A sentence about what does not go the whole way, escaped. */
typedef void definitions_note_fn(void *ctx, const char *text);

/*
 * The definitions of a topology, with what the section (may be NULL) has to add. Without a vhost in
 * the section it is the one given. What has no place in there (exclusive queues, arguments of
 * types that JSON has not) is noted and left out. To json_decref.
 */
json_t *definitions_export(const struct topology *t, const json_t *section, const char *vhost,
    definitions_note_fn *note, void *ctx);

/* Takes users with their permissions out, and parameters with a password in an address; notes how
 * many. */
void definitions_drop_credentials(json_t *document, definitions_note_fn *note, void *ctx);

struct definitions_import {
	/* that is to become exchanges, queues and bindings; NULL: if it is clear */
	const char *vhost;
	bool credentials; /* keep users and their permissions, and addresses with passwords */
	definitions_note_fn *note;
	void *ctx;
};

/*
 * Definitions as settings: `exchanges`, `queues`, `bindings` and `definitions`, which topology_read
 * takes and definitions_export turns into the same document again. What the settings would refuse
 * stays as it is in the last, and is noted. To json_decref; NULL with ERROR_DATA and the place when
 * the document is not in order, with ERROR_USAGE when it does not have the vhost, or has several.
 */
json_t *definitions_import(
    const json_t *document, const struct definitions_import *how, struct error *err);

#endif
