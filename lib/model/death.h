/*
 * death.h - how a message came to be dead: what RabbitMQ, or warren's retry policy, wrote on it.
 *
 * RabbitMQ keeps x-death (an array of tables, the newest death first, one for each queue and
 * reason) and x-first-death-queue and -reason: https://www.rabbitmq.com/docs/dlx#effects. Any
 * publisher can send such headers, so what is not of the right shape counts as absent.
 */
#ifndef MODEL_DEATH_H
#define MODEL_DEATH_H

#include "base/buf.h"
#include "base/error.h"
#include "model/message.h"

/* Borrowed from the headers. What nobody tells is empty or 0. */
struct death {
	struct slice reason; /* "rejected", "expired", "maxlen", "delivery_limit", "attempts", ..;
				"unknown" when nobody tells */
	struct slice error;  /* what the handler said */
	struct slice queue;  /* where it died last */
	bool has_origin;     /* the next two are told: where it was published first */
	struct slice exchange, routing_key;
	uint64_t time_s;   /* since 1970; of x-death: when it died there the first time */
	uint64_t count;	   /* attempts, or deaths in this queue for this reason */
	uint64_t returned; /* how often it was brought back from dead letters */
	/* of what broke a contract: its name, and JSON pointers into the body and the schema */
	struct slice contract, instance_path, schema_path;
};

/* Our own marks (model/marks.h) win over x-death, whose newest entry tells the death and whose
 * first death tells the origin. Without either only `returned` can be told. */
void death_read(const struct message *m, struct death *out);

/* Appends {"reason":"rejected","queue":"order_notify","time":1700000000,"count":1,..} with what is
 * told; texts that are not UTF-8 look as in table.h. */
void death_write_json(const struct death *d, struct buf *out);

/* Appends lines for people, every foreign byte escaped: our marks, then each entry of x-death;
 * nothing when there is neither. */
void death_write_lines(const struct message *m, struct buf *out);

/* Appends the headers without all that was written on a dead letter, and with how often it was
 * brought back; what else there is stays, byte for byte. */
void death_forget(struct slice headers, uint64_t returned, struct buf *out);

#endif
