/* asyncapi_topology.h - servers and channels as a broker's address, exchanges and queues. */
#ifndef APP_ASYNCAPI_TOPOLOGY_H
#define APP_ASYNCAPI_TOPOLOGY_H

#include "app/asyncapi_messages.h"

struct asyncapi_topology {
	struct asyncapi_reader *reader;
	struct asyncapi_messages *messages; /* for the contracts of queues */
	char *vhost;			    /* NULL: none was named yet */
	/* As definitions have them; by name, so that each comes once. */
	json_t *exchanges, *queues, *bindings;
	json_t *bodies; /* queue -> what settings say of it beyond that */
	json_t *made;	/* queue -> the one that it was made for */
};

/* vhost: whose objects are taken; NULL: the first one that is named. */
void asyncapi_topology_init(struct asyncapi_topology *t, struct asyncapi_reader *reader,
    struct asyncapi_messages *messages, const char *vhost);
void asyncapi_topology_release(struct asyncapi_topology *t);

/* The section `broker`, to json_decref; NULL: the document names none. */
json_t *asyncapi_topology_broker(struct asyncapi_topology *t);

/* The binding of a channel; none when it has none. */
struct asyncapi_node asyncapi_topology_amqp(
    struct asyncapi_topology *t, struct asyncapi_node channel);

/* What a channel has, and what receives from one, whose `id` is that of the operation. False with
 * ERROR_DATA and the place for a name that settings cannot hold. */
bool asyncapi_topology_channel(
    struct asyncapi_topology *t, struct asyncapi_node channel, struct error *err) MUST_CHECK;
bool asyncapi_topology_receive(struct asyncapi_topology *t, const char *id,
    struct asyncapi_node channel, struct asyncapi_node amqp, struct error *err) MUST_CHECK;

#endif
