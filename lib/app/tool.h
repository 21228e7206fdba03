/*
 * tool.h - what every main does: options, settings, log, loop, connection, exit status.
 *
 * A main is a table and a run function; tool_main does the rest and returns the exit status.
 */
#ifndef APP_TOOL_H
#define APP_TOOL_H

#include "app/settings.h"
#include "app/summary.h"
#include "broker/recovery.h"
#include "config/options.h"

struct tool_watcher;

/* The options all tools share. The first member of every tool's own options. */
struct tool_options {
	const char *settings;
	const char *url, *url_file; /* at most one of them */
	const char *management;	    /* for tools with tool_management_options */
	const char *password_file;
	bool ask_password;
	struct option_list set;
	bool quiet, verbose, help, version, man, completion;
	int color;	/* enum tool_color */
	int log_format; /* enum log_format */
	int summary;	/* enum summary_format; for tools with tool_summary_options */
	bool has_summary;
	uint64_t wait_ns; /* for tools with tool_broker_options */
	bool has_give_up_after;
	uint64_t give_up_after_ns;	    /* for tools with tool_recovery_options */
	const char *metrics, *otlp;	    /* for tools with tool_watch_options; NULL: none */
	const struct tool_watcher *watcher; /* for those &watch_watcher, set by main; else NULL */
};

enum tool_color { TOOL_COLOR_AUTO, TOOL_COLOR_ALWAYS, TOOL_COLOR_NEVER };

extern const struct option tool_talk_options[];	      /* --quiet --verbose */
extern const struct option tool_common_options[];     /* --color --log-format --help ... */
extern const struct option tool_broker_options[];     /* --settings --url --set --wait */
extern const struct option tool_management_options[]; /* --management */
extern const struct option tool_recovery_options[];   /* --give-up-after */
extern const struct option tool_summary_options[];    /* --summary */
extern const struct option tool_watch_options[];      /* --metrics --otlp; see app/watch.h */

struct client;	/* web/client.h */
struct metrics; /* app/metrics.h */
struct tracing; /* app/tracing.h */

struct tool {
	const struct command *command;
	const struct tool_options *options;
	const char *program; /* as it was called: "bin/lab" */
	int argc;	     /* of the command line, for options_parse_with */
	char **argv;
	char **operands;	  /* NULL-terminated */
	struct loop *loop;	  /* after tool_open_loop */
	struct metrics *metrics;  /* the same; NULL without --metrics */
	struct tracing *tracing;  /* the same; NULL when spans go nowhere */
	struct settings settings; /* after tool_load_settings */
	char *name, *beside_name; /* of our connections: "warren-producer" */
	bool has_secrets;
	struct connection *connection; /* after tool_connect */
	struct client *management;     /* after api_open */
	struct recovery *recovery;     /* after tool_make_recoverable; else NULL */
	int status;		       /* what tool_main returns; 0: the kind of the error */
};

/* Opens what looks on from outside, when the loop is there, and closes it at the end. So only tools
 * that are watched carry what that takes. */
struct tool_watcher {
	bool (*open)(struct tool *tool, struct error *err);
	void (*close)(struct tool *tool); /* also what was not opened */
};

/* What a tool does with its options (which begin with struct tool_options). */
typedef bool tool_run_fn(struct tool *tool, const void *options, struct error *err);

/* Parses into *options, answers --help and the like, runs, prints the error. Returns the exit
 * status. */
int tool_main(
    const struct command *command, int argc, char *argv[], void *options, tool_run_fn *run);

/* Reads the settings that --settings names. Without that option they are empty; `required` makes
 * that a usage error. Each fault is printed with its place. */
bool tool_load_settings(
    struct tool *tool, bool required, uint64_t seed, struct error *err) MUST_CHECK;

/* The same for a source that is named otherwise: a file, or a name of a lesson; NULL: none. */
bool tool_read_settings(
    struct tool *tool, const char *source, uint64_t seed, struct error *err) MUST_CHECK;

/* Makes the loop, which takes SIGINT, SIGTERM and SIGHUP over. */
bool tool_open_loop(struct tool *tool, struct error *err) MUST_CHECK;

/* Connects to the broker of the settings, with the password that is kept for it, waiting as long as
 * --wait says. Opens the loop if need be. */
bool tool_connect(struct tool *tool, struct error *err) MUST_CHECK;

/* Gets the password that is kept elsewhere, once; tool_connect does it. A question comes before the
 * loop has the signals: they end it as they end any program. */
bool tool_prepare_secrets(struct tool *tool, struct error *err) MUST_CHECK;

/* One further connection, the caller's to close: for who must not publish where it consumes, since
 * a broker that is blocked reads no acknowledgements either. After tool_connect. */
struct connection *tool_connect_beside(struct tool *tool, struct error *err);

/* A broker, and what a connection to it is called there; all borrowed for the life of what is made
 * with it. For who talks to another one than the settings', or has several flows. */
struct tool_place {
	const struct uri *uris;
	size_t uri_count;
	const char *name;
};
/* One of the caller's to close; after tool_prepare_secrets and tool_open_loop. */
struct connection *tool_reach(struct tool *tool, const struct tool_place *place, struct error *err);
/* What mends its loss, as tool_recovery. */
struct recovery *tool_recovery_at(struct tool *tool, const struct tool_place *place,
    struct connection *c, bool (*restore)(void *ctx, struct connection *c, struct error *err),
    void *ctx);

/* What mends a loss of the connection; restore (see recovery.h) makes the broker what the tool
 * needs again. To free with recovery_free. NULL: --give-up-after 0. */
struct recovery *tool_recovery(struct tool *tool, struct connection *c,
    bool (*restore)(void *ctx, struct connection *c, struct error *err), void *ctx);
/* The same for tool->connection, as tool->recovery. */
void tool_make_recoverable(struct tool *tool,
    bool (*restore)(void *ctx, struct connection *c, struct error *err), void *ctx);

/* Whether to colour what goes to this descriptor: --color, NO_COLOR, TERM=dumb, a terminal. */
bool tool_wants_color(const struct tool *tool, int fd);

/* Prints the summary to stderr, in the form asked for or else that of the diagnostics. Quiet, it is
 * printed only when it is asked for as JSON. */
void tool_summarize(
    const struct tool *tool, const struct summary_row *rows, size_t count, uint64_t elapsed_ns);

/* Writes text to stdout whole; ERROR_IO when that fails. */
bool tool_print(struct slice text, struct error *err) MUST_CHECK;

#endif
