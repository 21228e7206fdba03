/* asyncapi_messages.h - operations that send, as messages of the settings. */
#ifndef APP_ASYNCAPI_MESSAGES_H
#define APP_ASYNCAPI_MESSAGES_H

#include "app/asyncapi_reader.h"

struct asyncapi_messages {
	struct asyncapi_reader *reader;
	const char *folder; /* of the contracts, as the settings are to name it; NULL: none */
	json_t *messages;   /* name -> message, in their order */
	json_t *contracts;  /* file name without the folder -> schema */
};

/* What goes out by an operation: its messages, or all of its channel. False with ERROR_DATA and the
 * place for a name that settings cannot hold. */
bool asyncapi_messages_add(struct asyncapi_messages *m, const char *id,
    struct asyncapi_node operation, struct asyncapi_node channel, struct error *err) MUST_CHECK;

/* The file that the schema of something called so goes to: the same for the same schema. The
 * settings' name for it; to free(). */
char *asyncapi_messages_contract(struct asyncapi_messages *m, const char *name, json_t *schema);

/* Whether settings can have it as the name of something; fails with ERROR_DATA and the place. */
bool asyncapi_messages_check_name(struct asyncapi_reader *r, struct asyncapi_node at,
    const char *what, const char *name, struct error *err) MUST_CHECK;

#endif
