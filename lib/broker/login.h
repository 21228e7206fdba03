/*
 * login.h - the opening dialogue of AMQP 0-9-1: start, tune, open. No I/O: one step an answer.
 *
 * We announce the capabilities without which the broker keeps silent about blocked connections and
 * cancelled consumers (https://www.rabbitmq.com/docs/consumer-cancel, /docs/connection-blocked).
 */
#ifndef BROKER_LOGIN_H
#define BROKER_LOGIN_H

#include "broker/frames.h"
#include "broker/uri.h"

enum login_state { LOGIN_START, LOGIN_TUNE, LOGIN_OPEN, LOGIN_DONE };

struct login {
	enum login_state state;
	const char *name;
	uint32_t frame_max; /* agreed after tune; before it, what we accept */
	uint16_t channel_max;
	uint64_t heartbeat_s; /* before tune what we ask for, then what is agreed; 0 none */
	char *server;	      /* "RabbitMQ 3.10.8", escaped */
};

void login_init(struct login *l, const char *name, uint64_t heartbeat_s);
void login_release(struct login *l);

/* Takes a method of channel 0 (rabbitmq-c's struct) and puts the answer to it into out. Fails when
 * the dialogue cannot go on: ERROR_REFUSED, ERROR_ACCESS. */
bool login_step(struct login *l, const struct uri *uri, uint32_t method_id, void *decoded,
    struct buf *out, struct error *err) MUST_CHECK;

#endif
