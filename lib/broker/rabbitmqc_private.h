/* rabbitmqc_private.h - our values as rabbitmq-c's structs want them. Only for broker/. */
#ifndef BROKER_RABBITMQC_PRIVATE_H
#define BROKER_RABBITMQC_PRIVATE_H

#include "base/buf.h"
#include "base/error.h"

#include <amqp.h>
#include <jansson.h>

/* Borrows. The library takes a pointer to bytes that it does not change. NULL is the empty text. */
amqp_bytes_t rabbitmqc_bytes(const char *text);

/* Memory of one converted table; `= {0}` is empty. */
struct rabbitmqc_table {
	amqp_table_t table; /* valid until the next conversion or the release */
	amqp_pool_t pool;
	struct buf encoded;
	bool has_pool;
};
/* A JSON object, as model/table.h reads it, into t->table; NULL is the empty table. */
bool rabbitmqc_table_read(
    struct rabbitmqc_table *t, const json_t *object, struct error *err) MUST_CHECK;
void rabbitmqc_table_release(struct rabbitmqc_table *t);

#endif
