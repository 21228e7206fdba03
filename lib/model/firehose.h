/*
 * firehose.h - what RabbitMQ's tracer publishes, back to the message that it tells of.
 *
 * A trace goes to the exchange amq.rabbitmq.trace with the key publish.EXCHANGE or deliver.QUEUE.
 * Its body is the message's; headers tell the rest: exchange_name, routing_keys (the message's own,
 * then those of CC and BCC), properties (a table), redelivered. https://www.rabbitmq.com/firehose
 */
#ifndef MODEL_FIREHOSE_H
#define MODEL_FIREHOSE_H

#include "base/error.h"
#include "model/message.h"

#define FIREHOSE_EXCHANGE "amq.rabbitmq.trace"

/* Borrows from the trace. */
struct firehose {
	struct message message;
	struct slice queue; /* where it was delivered from; empty: it was published */
	bool redelivered;
};

/*
 * Properties have their types again. The tracer tells whole numbers in 32 bits, so a timestamp
 * comes back as it was up to the year 2106. ERROR_DATA: that is no trace.
 */
bool firehose_read(const struct message *trace, struct firehose *out, struct error *err) MUST_CHECK;

#endif
