/* connection_input.h - what the broker sends: frames are told apart and given to whom they concern.
 */
#ifndef BROKER_CONNECTION_INPUT_H
#define BROKER_CONNECTION_INPUT_H

/* Handlers of the connection's wire; ctx is the connection. */
void connection_input_arrived(void *ctx);
void connection_input_ended(void *ctx, int code);

#endif
