/* topology_private.h - what the files of model/topology share while the settings are read. */
#ifndef MODEL_TOPOLOGY_PRIVATE_H
#define MODEL_TOPOLOGY_PRIVATE_H

#include "model/reader.h"
#include "model/topology.h"

#define TOPOLOGY_MAX_NAME 255 /* an AMQP short string */

/* A topology that grows. Pointers into its arrays die with the next addition. */
struct topology_builder {
	struct reader reader;
	struct topology t;
	size_t exchange_capacity, queue_capacity, binding_capacity;
	/* while bindings are read, of which there may be ten thousands: name -> index, and what
	 * each says; owned by topology_read_bindings */
	json_t *exchange_index, *queue_index, *seen_bindings;
};

/* A copy of the text that lives as long as the topology. */
const char *topology_intern(struct topology_builder *b, const char *text);

/* Adds a durable queue with x-queue-type as its only argument. */
struct topology_queue *topology_add_queue(
    struct topology_builder *b, const char *name, const char *type);

/* Reports a member that names nothing, see topology_explain_unknown. */
void topology_fail_unknown(
    struct topology_builder *b, const char *key, bool is_queue, const char *name);

/* topology_sugar.c: the queues and arguments that dead_letter and retry stand for. */
void topology_add_sugar(struct topology_builder *b, const json_t *queues);

/* topology_bindings.c */
void topology_read_bindings(struct topology_builder *b, const json_t *settings);

#endif
