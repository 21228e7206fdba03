/*
 * arguments.h - the arguments of queues that RabbitMQ knows (3.10 to 4.x): key in the settings,
 * name on the wire, kind of value, and the types of queue that take it.
 *
 * https://www.rabbitmq.com/docs/queues#optional-arguments. The broker takes an unknown argument
 * without a word, so a misspelt one is found here or never.
 */
#ifndef MODEL_ARGUMENTS_H
#define MODEL_ARGUMENTS_H

#include "model/reader.h"

/*
 * Reads the friendly keys (`message_ttl: 1m`) and the raw `arguments` of a queue into `out`, a
 * JSON object with wire names. `type` is classic, quorum or stream. What is wrong is reported.
 */
void arguments_read_queue(struct reader *r, const json_t *body, const char *type, json_t *out);
/* The reverse: puts friendly keys, and raw `arguments` where there is none, into a body. */
void arguments_write_queue(const json_t *wire, const char *type, json_t *body);
/* Reports at a member what AMQP cannot carry: a name over 255 bytes, an unknown $type. */
bool arguments_check_field(struct reader *r, const char *name, const json_t *value);
/* Copies the raw `arguments` of an exchange; a misspelt alternate-exchange is reported. */
void arguments_read_exchange(struct reader *r, const json_t *body, json_t *out);

#endif
