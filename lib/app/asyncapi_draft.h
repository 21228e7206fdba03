/*
 * asyncapi_draft.h - an AsyncAPI document as it grows: its channels, messages and operations.
 *
 * A channel is a way to publish, by exchange and routing key, or a queue. Who sends notes which
 * queues get it; a queue has its messages once all are noted.
 */
#ifndef APP_ASYNCAPI_DRAFT_H
#define APP_ASYNCAPI_DRAFT_H

#include "app/settings.h"

struct asyncapi_draft {
	const struct settings *settings;
	const json_t *root;			  /* of the settings */
	bool is_live;				  /* the topology is the broker's own */
	json_t *channels, *operations, *messages; /* owned, by their ids */
	json_t *ways;				  /* owned: "exchange\nkey" -> channel */
	json_t *queues;				  /* owned: queue -> channel */
	json_t *received;			  /* owned: queue -> {message: true} */
	json_t *taken;				  /* owned: {queue: true}, from which logic takes */
	json_t *answers; /* owned: queue -> list of messages that answer what comes there */
};

void asyncapi_draft_init(struct asyncapi_draft *d, const struct settings *s, bool is_live);
void asyncapi_draft_release(struct asyncapi_draft *d);

/* ---- channels ---- */

struct asyncapi_draft_way {
	const char *exchange; /* "": the default exchange */
	const json_t *key;    /* as settings have it; NULL: none */
	const char *payload;  /* where fields of a key stand in the payload: "", or "data/" */
};

/* The channel of an exchange and a key; who goes the same way shares it, called by who came first.
 * Borrowed. */
const char *asyncapi_draft_channel(
    struct asyncapi_draft *d, const struct asyncapi_draft_way *way, const char *name);

/* The channel of a queue that logic takes from. Borrowed. */
const char *asyncapi_draft_take_from(struct asyncapi_draft *d, const char *queue);

/* Puts a message of the document among those of a channel. */
void asyncapi_draft_carry(struct asyncapi_draft *d, const char *channel, const char *message);

/* Notes that the queues which get a message published so get the one of that id. headers: as
 * model/table.h reads them, or NULL. */
void asyncapi_draft_route(struct asyncapi_draft *d, const char *message, const char *exchange,
    const char *key, const json_t *headers);
/* The same of one queue. */
void asyncapi_draft_receive(struct asyncapi_draft *d, const char *message, const char *queue);

/* The contract of a queue, to json_decref; NULL when it has none. */
json_t *asyncapi_draft_contract(const struct asyncapi_draft *d, const char *queue);

/* ---- operations ---- */

/* "send" or "receive" on a channel, its binding taken; to json_decref. */
json_t *asyncapi_draft_operation(const char *action, const char *channel, json_t *binding);

/* A message of the channel, as an operation refers to it; to json_decref. */
json_t *asyncapi_draft_choose(const char *channel, const char *message);

/* ---- messages ---- */

/* Adds a message, taken, under an id made of the name, which is returned; borrowed. */
const char *asyncapi_draft_message_take(
    struct asyncapi_draft *d, const char *name, json_t *message);

#endif
