/* peer.h - a fake broker's side of one session: hears what a tool says, answers as a broker does.
 */
#ifndef FAULTS_PEER_H
#define FAULTS_PEER_H

#include "broker/frames.h"

#include <amqp.h>
#include <amqp_framing.h>

enum moment {
	AT_HEADER, /* the protocol header came */
	AT_START_OK,
	AT_OPEN,
	AT_CALL,    /* channel.open, or any method on a channel that has an answer */
	AT_CONSUME, /* basic.consume came, and has been answered */
	AT_REST,    /* the tool has consumed or published, and nothing has come for a while */
	AT_PUBLISH, /* a whole message came */
	AT_END,	    /* connection.close came */
};

struct peer {
	int fd;
	struct buf in, out;
	/* how it has come to behave */
	bool deaf;   /* reads nothing more */
	bool mute;   /* sends no heartbeats */
	bool dumb;   /* answers nothing more */
	bool over;   /* the session ends, once the tool has closed or hangs */
	int idle_ms; /* ends a session in which nothing comes for so long; 0: it does not */
	/* what is known of the tool */
	uint16_t channel;
	uint64_t published; /* whole messages */
	struct buf header;  /* the payload of the last one's header */
	uint64_t body_left; /* of the one that is coming */
	char consumer_tag[256];
	bool rested;
	/* Called at each moment; true: it has answered, or there shall be no answer. */
	bool (*at)(struct peer *p, enum moment moment);
	/* Called with what is about to be sent; NULL for none. */
	void (*sending)(struct peer *p);
	void *ctx;
};

/* Plays until the tool has gone. */
void peer_serve(struct peer *p);
/* Sends what has been put. False when the tool has gone. */
bool peer_flush(struct peer *p);

/* ---- putting: appends to p->out ---- */

void peer_put(struct peer *p, uint16_t channel, uint32_t id, void *method);
void peer_put_bytes(struct peer *p, const void *bytes, size_t len);
/* Any frame: what the type, the size and the end octet are is the caller's. */
void peer_put_frame(
    struct peer *p, unsigned type, uint16_t channel, struct slice payload, unsigned char end);
void peer_put_start(struct peer *p, const char *mechanisms, const char *product);
/* basic.deliver alone */
void peer_put_deliver(struct peer *p, uint16_t channel, uint64_t tag);
/* A content header with this many body bytes; headers is an encoded table without its length, NULL
 * for no properties. */
void peer_put_header(
    struct peer *p, uint16_t channel, uint64_t body_bytes, const struct slice *headers);
/* Body frames, as many as it needs. */
void peer_put_body(struct peer *p, uint16_t channel, struct slice body);
/* All of a delivery. */
void peer_put_message(struct peer *p, uint64_t tag, const struct slice *headers, struct slice body);
void peer_put_u32(struct buf *b, uint64_t value);

#endif
