/* arrange_explain.h - topology explain: where a message would go, and why, without sending it. */
#ifndef APP_ARRANGE_EXPLAIN_H
#define APP_ARRANGE_EXPLAIN_H

#include "app/tool.h"

struct arrange_explain_options {
	const char *key;	    /* the message's routing key; NULL: the empty one */
	struct option_list headers; /* NAME=VALUE */
	bool live;
};

/* Prints the way of the message that the operands and options describe; the tool's status becomes
 * ERROR_UNDELIVERED when no queue would get it. */
bool arrange_explain(struct tool *tool, const struct arrange_explain_options *o, bool as_json,
    struct error *err) MUST_CHECK;

#endif
