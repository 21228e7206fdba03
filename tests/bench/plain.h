/* plain.h - what the two peers of the benchmark share: plain use of rabbitmq-c, as its examples do.
 */
#ifndef BENCH_PLAIN_H
#define BENCH_PLAIN_H

#include <amqp.h>
#include <stdint.h>

#define PLAIN_CHANNEL 1

/* Reports what failed and ends the program: a peer has nobody to return an error to. */
void plain_die(const char *what, const char *why) __attribute__((noreturn));

/* Dies when the call that was just made failed. */
void plain_check_status(int status, const char *what);
void plain_check_reply(amqp_rpc_reply_t reply, const char *what);

uint64_t plain_parse_count(const char *text);

/* Logs in to the broker of the URL and opens PLAIN_CHANNEL. End it with plain_close. */
amqp_connection_state_t plain_open(const char *url);
void plain_close(amqp_connection_state_t connection);

#endif
