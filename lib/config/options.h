/*
 * options.h - the command line from one table: parser, --help, man page and completion at once.
 *
 * A tool is a `struct command`: its options are rows bound to members of one target struct. Every
 * long option has an environment twin WARREN_<OPTION> (--log-format: WARREN_LOG_FORMAT), which
 * counts when the option is not given.
 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include "base/buf.h"
#include "base/error.h"

#include <stddef.h>

enum option_type {
	OPTION_FLAG,	 /* bool; takes no argument; --no-NAME clears it */
	OPTION_TEXT,	 /* const char *, points into argv or the environment */
	OPTION_LIST,	 /* struct option_list, may be given several times */
	OPTION_CHOICE,	 /* int, the index in `choices` */
	OPTION_COUNT,	 /* uint64_t */
	OPTION_DURATION, /* uint64_t nanoseconds */
	OPTION_RATE,	 /* double, per second */
	OPTION_SIZE,	 /* uint64_t bytes */
};

struct option_list {
	const char **items; /* owned array of borrowed texts */
	size_t count, capacity;
};

struct option {
	const char *name; /* long name without dashes; NULL ends a table */
	char letter;	  /* short name or 0 */
	enum option_type type;
	size_t offset;		    /* of the member in the target */
	const char *argument;	    /* "FILE", for help; NULL for flags */
	const char *help;	    /* one line, lower case, no full stop */
	const char *const *choices; /* OPTION_CHOICE: ends with NULL */
	const char *environment;    /* a variable that counts after WARREN_*: "AMQP_URL" */
	uint64_t min, max;	    /* OPTION_COUNT; max 0 means no bound */
	size_t given; /* offset of a bool that tells "was set", 0 when of no interest */
	/* The long name of an option that says the same in another way, or NULL. One place (command
	 * line, environment) gives one of the two; the command line's counts. */
	const char *instead;
	bool command_line_only; /* no twin in the environment: --help, --version */
};

/* A subcommand word: the first operand, looked up where it stands. */
struct command_verb {
	const char *name; /* NULL ends the table */
	const char *help;
};

struct command {
	const char *tool;     /* "producer"; --version says "warren-producer 0.1.0" */
	const char *summary;  /* one line */
	const char *operands; /* "[MESSAGE...]", after the verb; NULL when the tool takes none */
	const struct option *const *groups; /* tables, shown in this order; ends with NULL */
	const struct command_verb *verbs;   /* NULL for tools without subcommands */
	const char *hint;		    /* told after a usage error; or NULL */
	const char *quoting; /* a first operand behind which every word is an operand; or NULL */
	/* Paragraphs for the foot of --help and the man page, parted by empty lines, or NULL. Lines
	 * that begin with a space stay as they are: examples. */
	const char *notes;
};

/*
 * Fills the target from argv, which may mix options and operands ("--" ends the options), and for
 * options not given there from the environment, where an empty value counts as unset. operands
 * points into argv (reordered: they end up last) and is NULL-terminated. A value that begins with
 * '-' and is neither "-" nor a negative number is written --NAME=VALUE. Long names may be cut as
 * long as they stay unique. A first operand that is no verb is refused; none at all is not.
 *
 * Fails with ERROR_USAGE, naming the option or variable, what was found and what is accepted, with
 * a suggestion for an unknown one; a value whose argument is "URL" is never shown. A URL in
 * another place is refused, unless it stands behind "--", as an operand. The target then holds what
 * was read so far; its lists are the caller's to free() either way.
 */
bool options_parse(const struct command *command, int argc, char *argv[], void *target,
    char ***operands, struct error *err) MUST_CHECK;

/* Where else a value may stand: asked for each option that neither the command line nor the
 * environment gives, by its long name. */
struct options_fallback {
	const char *kind; /* of the place, for errors: "key" */
	const char *prefix;
	/* NULL-terminated texts, one but for lists; NULL for none. They live as long as the target.
	 */
	const char *const *(*find)(void *ctx, const char *name);
	/* Told of each value that counts, wherever it stood; stars for one that is not shown. */
	void (*taken)(void *ctx, const char *name, const char *text);
	void *ctx;
};
/* options_parse with one more place to look into; argv may have been through it before. */
bool options_parse_with(const struct command *command, int argc, char *argv[], void *target,
    const struct options_fallback *fallback, char ***operands, struct error *err) MUST_CHECK;

void options_help(const struct command *command, struct buf *out);
void options_man(const struct command *command, struct buf *out);	 /* roff, man(7) */
void options_completion(const struct command *command, struct buf *out); /* bash */

/* What is wrong with a table itself (doubled names or letters, rows out of shape, texts that are
 * not ASCII); NULL when fine. */
const char *options_fault(const struct command *command);

#endif
