/* pretty.h - a message as a line for people: one look tells what went where. */
#ifndef MODEL_PRETTY_H
#define MODEL_PRETTY_H

#include "model/message.h"

#define PRETTY_BODY_BYTES 4096 /* what is shown of a body */

struct pretty_line {
	const char *mark; /* "[>>]" sent, "[<<]" received */
	int64_t wall_ms;  /* 0: no time of day */
	const struct message *message;
	struct slice queue; /* empty: not shown */
	bool redelivered;
	bool color;
};

/* Appends the line, every foreign byte escaped; headers follow on a line of their own. */
void pretty_write(const struct pretty_line *line, struct buf *out);

#endif
