/*
 * uri.h - amqp:// addresses: reading, checking, and the one form that may be shown.
 *
 * https://www.rabbitmq.com/docs/uri-spec and uri-query-parameters. Differences, on purpose: no path
 * and a lone "/" both mean the default vhost "/"; %2f says it explicitly. An unknown or repeated
 * parameter, a parameter of TLS without amqps, a bare IPv6 address, spaces and control characters
 * are errors.
 */
#ifndef BROKER_URI_H
#define BROKER_URI_H

#include "base/buf.h"
#include "base/error.h"

struct uri {
	bool tls;   /* amqps */
	char *host; /* name or address, IPv6 without brackets; "localhost" when absent */
	uint16_t port;
	char *user, *password; /* percent-decoded; guest when both are absent, "" for one of them */
	bool has_password;     /* of its own; it may be empty */
	char *vhost;
	char *shown; /* the address with *** for the password; safe to print, escaped */
	/* query parameters; 0 or NULL when absent */
	uint64_t heartbeat_s; /* UINT64_MAX when absent: 0 means "none" */
	uint64_t connection_timeout_ms;
	uint64_t channel_max, frame_max; /* 0 may also be written: as the broker likes */
	bool external;			 /* auth_mechanism=external */
	char *cacertfile, *certfile, *keyfile, *server_name;
	bool verify_none; /* verify=verify_none */
	bool has_verify;  /* the address says either */
};

/* Fails with ERROR_SETTINGS and a text that never holds the password. *out is untouched then. */
bool uri_parse(struct slice text, struct uri *out, struct error *err) MUST_CHECK;
/* Puts a copy of the password in the place of the one it has. */
void uri_set_password(struct uri *u, const char *password);
/* Wipes the password before it frees. Accepts a zeroed struct. */
void uri_release(struct uri *u);
/* A printable form of any text that was meant as an address, even a broken one: the password, if
 * one can be made out, is ***; if in doubt only the scheme is shown. To free(). */
char *uri_mask(struct slice text);

#endif
