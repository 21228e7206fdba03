/* rpc_print.h - shows replies, at the one end as they come, at the other as they go. */
#ifndef APP_RPC_PRINT_H
#define APP_RPC_PRINT_H

#include "app/rpc.h"
#include "base/output.h"
#include "model/record.h"

struct rpc_print {
	enum rpc_format format;
	bool color, is_terminal;
	const char *mark;    /* of a line for people */
	struct slice place;  /* where requests go, when that is the same for all */
	struct loop *loop;   /* borrowed; asked to stop when nothing can be printed any more */
	struct output out;   /* standard output */
	struct error failed; /* the first failure */
};

void rpc_print_init(
    struct rpc_print *p, const struct tool *tool, enum rpc_format format, const char *mark);
void rpc_print_release(struct rpc_print *p);

/* One message; for people with the place that its request went to (empty: not known), in JSON with
 * what is told beside it. */
void rpc_print_message(struct rpc_print *p, const struct message *m, struct slice place,
    const struct record_extra *extra);
/* False while a slow reader is far behind. */
bool rpc_print_is_ready(struct rpc_print *p);
/* Writes what is left; false with the first failure there was. */
bool rpc_print_finish(struct rpc_print *p, struct error *err) MUST_CHECK;

#endif
