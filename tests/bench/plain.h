/* plain.h - what the peers in C share: plain use of rabbitmq-c, as its examples do. */
#ifndef BENCH_PLAIN_H
#define BENCH_PLAIN_H

#include <amqp.h>
#include <stdbool.h>
#include <stdint.h>

#define PLAIN_CHANNEL 1
#define PLAIN_WINDOW 1000 /* most messages without a confirm, as the producer's default */
#define PLAIN_ACK_EVERY 100

/* The confirms of the messages from `lowest` up to, not including, `next`; both begin at 1. */
struct plain_confirms {
	uint64_t lowest, next;	       /* delivery tags */
	bool is_settled[PLAIN_WINDOW]; /* by tag % PLAIN_WINDOW */
};

/* Reports what failed and ends the program: a peer has nobody to return an error to. */
void plain_die(const char *what, const char *why) __attribute__((noreturn));

/* Dies when the call that was just made failed. */
void plain_check_status(int status, const char *what);
void plain_check_reply(amqp_rpc_reply_t reply, const char *what);

uint64_t plain_parse_count(const char *text);

/* Logs in to the broker of the URL and opens PLAIN_CHANNEL. End it with plain_close. */
amqp_connection_state_t plain_open(const char *url);
void plain_close(amqp_connection_state_t connection);

void plain_select_confirms(amqp_connection_state_t connection);

/* Waits for a confirm, no longer than `most` (NULL: as long as it takes); false: none came. */
bool plain_take_confirm(
    amqp_connection_state_t connection, struct plain_confirms *c, const struct timeval *most);

void plain_subscribe(amqp_connection_state_t connection, const char *queue, uint16_t prefetch);

/* All messages up to this one. */
void plain_acknowledge(amqp_connection_state_t connection, uint64_t tag);

#endif
