/* inquire.h - what a live broker tells over AMQP about one object that no settings describe. */
#ifndef APP_INQUIRE_H
#define APP_INQUIRE_H

#include "broker/connection.h"

/* "topic"; to free(). An empty text: this user may not ask. NULL: failed, also since there is none
 * of that name. */
char *inquire_exchange_type(struct connection *c, const char *name, struct error *err);

/* All false for a queue that is not there, or that this user may not ask about. */
struct inquire_queue {
	bool is_stream;
	bool has_single_active; /* x-single-active-consumer */
};
bool inquire_queue(struct connection *c, const char *name, struct inquire_queue *out,
    struct error *err) MUST_CHECK;

#endif
