/* rpc_private.h - the verbs, each in a file of its own, for rpc*.c alone. */
#ifndef APP_RPC_PRIVATE_H
#define APP_RPC_PRIVATE_H

#include "app/rpc.h"

/* operands: those behind the verb; ends with NULL. The settings are loaded. */
typedef bool rpc_verb_fn(
    struct tool *tool, const struct rpc_options *o, char **operands, struct error *err);

rpc_verb_fn rpc_call;
rpc_verb_fn rpc_serve;

#endif
