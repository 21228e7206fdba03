/* connection_state_private.h - the inside of a connection, for connection*.c alone. */
#ifndef BROKER_CONNECTION_STATE_PRIVATE_H
#define BROKER_CONNECTION_STATE_PRIVATE_H

#include "broker/connection_private.h"
#include "broker/content.h"
#include "broker/login.h"
#include "broker/wire.h"

struct channel {
	const struct channel_handlers *handlers; /* NULL: free */
	void *ctx;
	bool closing;		/* we sent channel.close; what still comes is dropped */
	struct content content; /* a message that is not whole yet */
};

struct connection {
	struct loop *loop;
	struct wire wire;
	const struct uri *uri;
	const char *name;
	uint64_t asked_heartbeat_s; /* when the address says nothing */
	struct login login;
	struct error lost;
	bool blocked;
	bool goodbye_answered;
	struct channel *channels; /* by number; 0 is the connection's own */
	size_t channel_count;
	struct frames_arena *arena;
	struct connection_refusal refusal;
	char *server;
	/* a call that waits for its answer */
	uint16_t call_channel;
	uint32_t call_reply_id; /* 0: no call */
	bool call_answered;
	struct buf call_reply;
	bool greeted;		  /* the first bytes were those of AMQP */
	bool input_paused;	  /* asked for; a call reads nevertheless */
	uint64_t read_before_ns;  /* when the read before the last one was */
	uint64_t slept_before_ns; /* loop_slept_ns of then */
	/* heartbeats */
	uint64_t heartbeat_ns, heartbeat_timer;
	uint64_t silence_ns; /* for dial_limit_silence, unless the broker is blocked */
};

#endif
