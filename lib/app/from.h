/*
 * from.h - the source behind --from: messages that are read instead of made up.
 *
 * A file or standard input gives a message a line (flow/source_lines.h); a directory gives one a
 * file, in the order of their names.
 */
#ifndef APP_FROM_H
#define APP_FROM_H

#include "app/settings.h"
#include "flow/source_lines.h"

struct from_options {
	const char *path; /* "-": standard input */
	enum source_lines_format format;
	/* Gives what lines and files lack: exchange, key, properties; NULL: nothing does. */
	const struct settings_message *model;
	const char *exchange, *routing_key; /* instead of the model's; NULL: as it says */
	const struct pattern_pools *pools;
	const struct pace_plan *plan; /* without an amount: everything that is there, once */
	uint64_t seed;
	uint64_t skip; /* the first messages are passed over, by what can be read again */
	struct loop *loop;
};

struct from;

/* Opens the file or lists the directory. Options' pointers are borrowed. */
struct from *from_open(const struct from_options *options, struct error *err);
void from_close(struct from *from);
struct flow_source from_source(struct from *from);

/* A person types the messages. */
bool from_is_terminal(const struct from *from);

#endif
