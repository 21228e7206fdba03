/*
 * exec_environment.h - what a command started for a message finds in its environment.
 *
 * Ours, without what may hold a password or tell where one is (AMQP_URL, WARREN_URL, each also with
 * _FILE, RABBITMQ_MANAGEMENT_URL, and names
 * with PASSWORD, PASSWD, PASSPHRASE or SECRET in them), and the message:
 *
 *   WARREN_EXCHANGE WARREN_ROUTING_KEY WARREN_QUEUE WARREN_REDELIVERED (0 or 1)
 *   WARREN_CONTENT_TYPE, WARREN_MESSAGE_ID ..   each property that is present, numbers in decimal
 *   WARREN_HEADERS                              the headers as a JSON object
 *   WARREN_WORKER                               of a worker, which gets its messages otherwise
 *   WARREN_HEADER_<NAME>                        each header that is text, a number, a time or a
 *                                               boolean; of several with one name the first
 *
 * NAME is in upper case, with _ for what is not A-Z 0-9.
 * Left out: values that hold a NUL, and those over 100 KiB, of which the first
 * is told and the others are counted. None of these names
 * comes from our own environment, so a command never takes another message's properties for its
 * own.
 */
#ifndef FLOW_EXEC_ENVIRONMENT_H
#define FLOW_EXEC_ENVIRONMENT_H

#include "flow/flow.h"

struct exec_environment;

/* Copies what may be handed on of `inherited`, which ends with NULL. */
struct exec_environment *exec_environment_create(char *const inherited[]);
void exec_environment_free(struct exec_environment *environment);

/* The envp for a message, to be released with free() before the environment. */
char **exec_environment_fill(struct exec_environment *environment, const struct flow_message *m);
/* How many variables were left out so far, of all messages. */
uint64_t exec_environment_left_out(const struct exec_environment *environment);
/* That of a process that lives on: no message, but which of several it is, from 1. */
char **exec_environment_of_worker(const struct exec_environment *environment, uint64_t number);

#endif
