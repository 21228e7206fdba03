/*
 * asyncapi_import.h - settings made of an AsyncAPI 3.x document with AMQP bindings.
 *
 * Channels become exchanges and queues, what is sent becomes messages whose bodies fulfil their
 * payload, what is received becomes queues. The members x-warren-* of our own export bring back
 * what AsyncAPI has no place for.
 */
#ifndef APP_ASYNCAPI_IMPORT_H
#define APP_ASYNCAPI_IMPORT_H

#include "app/asyncapi_reader.h"

struct asyncapi_import {
	const char *vhost;  /* whose objects are taken; NULL: the first one that is named */
	const char *folder; /* of contracts, as the settings are to name it; NULL: none are made */
	asyncapi_note_fn *note;
	void *ctx;
};

/*
 * The settings, to json_decref; what they name as a contract comes in *contracts, {file: schema},
 * to json_decref as well. NULL with ERROR_DATA and the place when settings cannot hold it.
 */
json_t *asyncapi_import(const struct document *document, const struct asyncapi_import *how,
    json_t **contracts, struct error *err);

#endif
