/*
 * wire.h - bytes both ways over one socket, perhaps through TLS, without ever blocking.
 *
 * Reading goes on while writing waits, and the other way round: broker and client could otherwise
 * wait for each other. The only place that reads or writes the socket.
 */
#ifndef BROKER_WIRE_H
#define BROKER_WIRE_H

#include "base/buf.h"
#include "base/loop.h"
#include "broker/tls.h"

struct wire {
	struct loop *loop;
	int fd;		 /* -1: closed */
	struct tls *tls; /* NULL: the bytes go as they are */
	struct buf in;	 /* what has arrived and is not taken yet; wire_take removes it */
	struct buf out;
	size_t out_at;	       /* bytes of out already written */
	bool paused;	       /* nothing is read */
	bool more;	       /* the last read left something behind, as far as it knows */
	uint64_t gather_timer; /* not 0: nothing is read until it fires */
	uint64_t last_read_ns, last_write_ns;
	uint64_t written;		    /* bytes, of all sockets so far */
	uint64_t events;		    /* counts what happened to the socket by itself */
	int watched;			    /* what the loop is asked for; -1: nothing yet */
	void (*arrived)(void *ctx);	    /* there are more bytes in `in` */
	void (*ended)(void *ctx, int code); /* the other end closed (0) or the socket failed
					       (errno); EPROTO: tls_failure has the reason */
	void *ctx;
};

/* Takes the descriptor over, and the session on it, NULL for none. */
void wire_open(struct wire *w, struct loop *loop, int fd, struct tls *tls);
/* Closes the descriptor; what was read can still be looked at. Harmless when closed. */
void wire_close(struct wire *w);
/* Wipes what was sent before it frees: a password is among it. */
void wire_release(struct wire *w);
/* Closed, and ready for wire_open: what was read or was to be written is forgotten. */
void wire_reset(struct wire *w);

/* Where to append what is to be sent. Sends what has gathered when that is much. */
struct buf *wire_output(struct wire *w);
/* Writes as far as the socket takes it; the loop writes the rest. */
void wire_flush(struct wire *w);
size_t wire_pending_bytes(const struct wire *w);
/* Of all bytes that were ever to be sent, how many the other end's system has: it goes up while the
 * network moves, however slow that is. With TLS nearly so. */
uint64_t wire_taken_bytes(const struct wire *w);
/* Stops reading, or goes on: the other end is slowed down by TCP. */
void wire_pause(struct wire *w, bool paused);
/* Puts the next read off, so that it finds more; not when more waits already, nor while an earlier
 * call lasts. */
void wire_gather(struct wire *w, uint64_t for_ns);
/* Removes bytes from the front of `in`. */
void wire_take(struct wire *w, size_t count);

#endif
