/*
 * asyncapi_draft.h - an AsyncAPI document as it grows: its channels, messages and operations.
 *
 * A channel is a way to publish, by exchange and routing key, or a queue. It has the messages that
 * take it, in the order in which they were put there.
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
	json_t *received;			  /* owned: queue -> {message: true} */
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

/* Puts a message of the document among those of a channel. */
void asyncapi_draft_carry(struct asyncapi_draft *d, const char *channel, const char *message);

/* Notes that the queues which get a message published so get the one of that id. headers: as
 * model/table.h reads them, or NULL. */
void asyncapi_draft_route(struct asyncapi_draft *d, const char *message, const char *exchange,
    const char *key, const json_t *headers);

/* ---- operations ---- */

/* "send" or "receive" on a channel, its binding taken; to json_decref. */
json_t *asyncapi_draft_operation(const char *action, const char *channel, json_t *binding);

/* A list of one message of the channel, to json_decref. */
json_t *asyncapi_draft_choose(const char *channel, const char *message);

#endif
