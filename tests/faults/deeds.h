/* deeds.h - what a hostile broker does wrong: scenarios, each one deed at one moment. */
#ifndef FAULTS_DEEDS_H
#define FAULTS_DEEDS_H

#include "peer.h"

#define DEEDS_FRAME_END 0xce
/* What no terminal shall see, nor a line of its own; the second is UTF-8. */
#define DEEDS_ESCAPES "\033[31mred\007\n\rforged: line\b\177 \xc2\x9b\x33m \xe2\x80\xae \xff"
#define DEEDS_ESCAPES_UTF8 "\033[31mred\007\n\rforged: line\b\177 \xc2\x9b\x33m \xe2\x80\xae"

/* Returns true when that was the answer. */
typedef bool deed_fn(struct peer *p);

struct scenario {
	const char *name; /* NULL ends a table */
	enum moment moment;
	deed_fn *deed;
};

extern const struct scenario deeds_of_session[]; /* silence, logins, refusals, confirms */
extern const struct scenario deeds_of_content[]; /* frames, messages, too much of them */

deed_fn deeds_hang_up, deeds_close_channel, deeds_close_connection;

#endif
