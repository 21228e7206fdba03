/*
 * connection.h - one AMQP connection: dial, log in, heartbeat, read and write every frame.
 *
 * The socket is ours from the first byte: non-blocking, driven by the loop. Reading never waits for
 * writing, nor the other way round. A connection that is lost stays lost, and connection_check says
 * why, until connection_reopen.
 */
#ifndef BROKER_CONNECTION_H
#define BROKER_CONNECTION_H

#include "base/loop.h"
#include "broker/uri.h"

struct connection;

struct connection_options {
	const struct uri *uri; /* must outlive the connection, as the name must */
	const char *name;      /* shown by the broker's management: "warren-producer" */
	uint64_t heartbeat_s;  /* what we ask for when the address says nothing; 0 for none */
};

/* Connects and logs in, in the time the address allows (five seconds); runs the loop meanwhile.
 * NULL with ERROR_UNAVAILABLE (nobody there), ERROR_ACCESS (login or vhost refused) or
 * ERROR_REFUSED (not an AMQP 0-9-1 broker). */
struct connection *connection_open(
    struct loop *loop, const struct connection_options *options, struct error *err);

/* Once it is lost: connects and logs in anew, there or elsewhere, with the same name. Channels and
 * what was not written are gone. Fails as connection_open does; it is lost then as before. Not to
 * be called from a handler. */
bool connection_reopen(struct connection *c, const struct uri *uri, struct error *err) MUST_CHECK;

/* Ends it at once: what is not written yet is not sent. It is lost then, for this reason. */
void connection_abort(struct connection *c, const char *why);

/* Says goodbye, waiting at most two seconds for the answer, and frees. Accepts NULL. */
void connection_close(struct connection *c);

/* False, with the cause, once the connection is lost. */
bool connection_check(const struct connection *c, struct error *err) MUST_CHECK;

/* True while the broker takes nothing from us for want of memory or disk (connection.blocked). */
bool connection_is_blocked(const struct connection *c);

/* Writes what has been put together, as far as the socket takes it; the loop writes the rest. */
void connection_flush(struct connection *c);
/* Grows whenever something has happened on the connection by itself: bytes came, bytes went, it was
 * lost. While it does not, nothing else has changed that it tells. */
uint64_t connection_activity(const struct connection *c);
/* Bytes not yet written: the measure of back-pressure. */
size_t connection_pending_bytes(const struct connection *c);

/* Takes nothing more in until connection_resume_input, so that TCP slows the broker down; only a
 * call still reads on to its answer. Harmless when repeated. */
void connection_pause_input(struct connection *c);
void connection_resume_input(struct connection *c);

/* The address in use, printable, without the password. Borrowed. */
const char *connection_shown(const struct connection *c);
/* "RabbitMQ 3.10.8", printable. Borrowed. */
const char *connection_server(const struct connection *c);
/* "TLSv1.3, TLS_AES_256_GCM_SHA384"; NULL without TLS, or when it is lost. Borrowed. */
const char *connection_tls(const struct connection *c);
/* The reply code of the broker's last refusal; 0 when there was none. */
uint16_t connection_refusal_code(const struct connection *c);

#endif
