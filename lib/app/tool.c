#include "app/tool.h"

#include "app/password.h"
#include "app/secrets.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/output.h"
#include "base/version.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MOST_PROBLEMS 100 /* shown of one settings file */

/* ---- the start ---- */

/*
 * A closed standard descriptor would be taken by the socket, and output would go into AMQP. What
 * takes its place cannot be written to: output that nobody gets must not look like success.
 */
static void open_standard_descriptors(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
			abort();
}

/* No core file with passwords and messages in it, and no debugger that is not root's: our memory
 * and /proc/PID/environ are no other process' business. A command of --exec is not bound by it. */
static void keep_to_ourselves(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0); /* fails only for values that there are not */
}

/* Stars over every password of an address, in place. */
static void mask_passwords(char *text)
{
	for (char *at = strstr(text, "://"); at != NULL; at = strstr(at + 3, "://")) {
		char *end = strrchr(at, '@');
		char *colon = end != NULL ? memchr(at + 3, ':', (size_t)(end - at - 3)) : NULL;
		for (char *p = colon; p != NULL && p + 1 < end; p++)
			p[1] = '*';
	}
}

/* A copy of the command line; the parser puts `ordered` in another order. */
struct arguments {
	char **texts, **ordered;
	size_t count;
};

/* Everybody can read the arguments of a process: we go on with a copy, and mask the originals. */
static struct arguments take_arguments(int argc, char *argv[])
{
	size_t count = argc > 0 ? (size_t)argc : 0;
	struct arguments a = {
	    mem_alloc(count + 1, sizeof *a.texts), mem_alloc(count + 1, sizeof *a.ordered), count};
	for (size_t i = 0; i < count; i++) {
		a.texts[i] = a.ordered[i] = mem_strdup(argv[i]);
		mask_passwords(argv[i]);
	}
	return a;
}

static void free_arguments(struct arguments *a)
{
	for (size_t i = 0; i < a->count; i++) {
		explicit_bzero(a->texts[i], strlen(a->texts[i]));
		free(a->texts[i]);
	}
	free(a->texts);
	free(a->ordered);
}

/* --help and its like: true when there was something to print instead of a run. */
static bool answer(const struct command *command, const struct tool_options *o, struct buf *out)
{
	if (o->help)
		options_help(command, out);
	else if (o->version)
		buf_printf(out, "warren-%s %s\n", command->tool, WARREN_VERSION);
	else if (o->man)
		options_man(command, out);
	else if (o->completion)
		options_completion(command, out);
	return out->len > 0;
}

static void tear_down(struct tool *tool)
{
	recovery_free(tool->recovery);
	connection_close(tool->connection);
	free(tool->name);
	free(tool->beside_name);
	settings_release(&tool->settings);
	if (tool->options->watcher != NULL)
		tool->options->watcher->close(tool);
	loop_free(tool->loop);
}

static bool run_tool(struct tool *tool, const void *options, tool_run_fn *run, struct error *err)
{
	struct buf text = {0};
	if (answer(tool->command, tool->options, &text)) {
		bool printed = tool_print(buf_slice(&text), err);
		buf_release(&text);
		return printed;
	}
	buf_release(&text);
	return run(tool, options, err);
}

int tool_main(
    const struct command *command, int argc, char *argv[], void *options, tool_run_fn *run)
{
	struct tool_options *o = options;
	struct error err = {0};
	open_standard_descriptors();
	signal(SIGXFSZ, SIG_IGN); /* a file at its limit is a failed write, told with its name */
	keep_to_ourselves();
	struct arguments arguments = take_arguments(argc, argv);
	struct tool tool = {.command = command,
	    .options = o,
	    .program = argc > 0 ? argv[0] : command->tool,
	    .argc = argc,
	    .argv = arguments.ordered};
	bool good = options_parse(command, argc, arguments.ordered, options, &tool.operands, &err);
	log_setup(command->tool,
	    o->quiet	 ? LOG_ERROR
	    : o->verbose ? LOG_DEBUG
			 : LOG_INFO,
	    (enum log_format)o->log_format);
	good = good && run_tool(&tool, options, run, &err);
	tear_down(&tool);
	if (!good)
		log_write(LOG_ERROR, "%s", err.text);
	if (!good && err.kind == ERROR_USAGE)
		log_write(LOG_INFO, "try 'warren-%s --help'", command->tool);
	if (!good && err.kind == ERROR_USAGE && command->hint != NULL)
		log_write(LOG_INFO, "%s", command->hint);
	free(o->set.items);
	free_arguments(&arguments);
	return tool.status != 0 ? tool.status : good ? 0 : (int)err.kind;
}

/* ---- settings ---- */

/* Writes each line as one of the log. */
static void log_lines(char *text)
{
	char *rest = NULL;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		log_write(LOG_ERROR, "%s", line);
}

/* On a terminal each with the line it stands in. */
static void print_problems(const struct tool *tool, const struct problems *problems)
{
	const struct document *d = tool->settings.document;
	struct slice text = d != NULL ? document_text(d) : buf_slice(&problems->text);
	const char *name = d != NULL ? document_name(d) : problems->text_name;
	bool as_log = tool->options->log_format == LOG_JSON;
	bool lines = !as_log && isatty(STDERR_FILENO);
	struct buf out = {0};
	problems_write(problems, MOST_PROBLEMS, name != NULL ? name : "",
	    lines ? text : (struct slice){0}, &out);
	if (out.len > 0 && as_log)
		log_lines(out.ptr);
	else if (out.len > 0)
		fputs(out.ptr, stderr);
	buf_release(&out);
}

static char *read_url_file(const char *path, struct error *err)
{
	if (strcmp(path, "-") != 0)
		return password_from_file(path, "URL file", err);
	error_set(err, ERROR_USAGE, "--url-file wants a file; standard input is for messages");
	return NULL;
}

bool tool_read_settings(struct tool *tool, const char *source, uint64_t seed, struct error *err)
{
	const struct tool_options *o = tool->options;
	char *url = NULL;
	if (o->url_file != NULL && (url = read_url_file(o->url_file, err)) == NULL)
		return false;
	struct problems problems = {0};
	struct settings_options options = {.source = source,
	    .url = url != NULL ? url : o->url,
	    .url_origin = url != NULL ? o->url_file : "--url",
	    .overrides = o->set.items,
	    .override_count = o->set.count,
	    .seed = seed};
	bool good = settings_load(&options, &tool->settings, &problems, err);
	if (!good)
		print_problems(tool, &problems);
	problems_release(&problems);
	password_free(url);
	return good;
}

bool tool_load_settings(struct tool *tool, bool required, uint64_t seed, struct error *err)
{
	if (required && tool->options->settings == NULL)
		return error_set(err, ERROR_USAGE,
		    "which settings? give --settings FILE or NAME, such as --settings walkthrough");
	return tool_read_settings(tool, tool->options->settings, seed, err);
}

bool tool_open_loop(struct tool *tool, struct error *err)
{
	if (tool->loop != NULL)
		return true;
	tool->loop = loop_create(err);
	const struct tool_watcher *watcher = tool->options->watcher;
	return tool->loop != NULL && (watcher == NULL || watcher->open(tool, err));
}

static struct reach_options reach_options_of(
    const struct tool *tool, const struct tool_place *place)
{
	return (struct reach_options){.uris = place->uris,
	    .uri_count = place->uri_count,
	    .name = place->name,
	    .heartbeat_s = tool->settings.heartbeat_s,
	    .wait_ns = tool->options->wait_ns,
	    .pause_from_ns = tool->settings.retry_from_ns,
	    .pause_to_ns = tool->settings.retry_to_ns};
}

struct connection *tool_reach(struct tool *tool, const struct tool_place *place, struct error *err)
{
	struct reach_options options = reach_options_of(tool, place);
	struct connection *c = reach_broker(tool->loop, &options, err);
	if (c != NULL)
		log_write(LOG_DEBUG, "connected to %s, %s, %s", connection_shown(c),
		    connection_server(c),
		    connection_tls(c) != NULL ? connection_tls(c) : "without TLS");
	return c;
}

/* The broker of the settings. */
static struct tool_place home(const struct tool *tool, const char *name)
{
	return (struct tool_place){tool->settings.uris, tool->settings.uri_count, name};
}

bool tool_prepare_secrets(struct tool *tool, struct error *err)
{
	const struct secrets_options secrets = {.password_file = tool->options->password_file,
	    .ask_password = tool->options->ask_password,
	    .has_url = tool->options->url != NULL || tool->options->url_file != NULL};
	if (!tool->has_secrets)
		tool->has_secrets = secrets_prepare(&tool->settings, &secrets, err);
	return tool->has_secrets;
}

bool tool_connect(struct tool *tool, struct error *err)
{
	if (!tool_prepare_secrets(tool, err) || !tool_open_loop(tool, err))
		return false;
	tool->name = mem_printf("warren-%s", tool->command->tool);
	const struct tool_place place = home(tool, tool->name);
	tool->connection = tool_reach(tool, &place, err);
	return tool->connection != NULL;
}

struct connection *tool_connect_beside(struct tool *tool, struct error *err)
{
	if (tool->beside_name == NULL)
		tool->beside_name = mem_printf("warren-%s-publish", tool->command->tool);
	const struct tool_place place = home(tool, tool->beside_name);
	return tool_reach(tool, &place, err);
}

struct recovery *tool_recovery_at(struct tool *tool, const struct tool_place *place,
    struct connection *c, bool (*restore)(void *ctx, struct connection *c, struct error *err),
    void *ctx)
{
	const struct tool_options *o = tool->options;
	struct recovery_options options = {.connection = c,
	    .reach = reach_options_of(tool, place),
	    .give_up_after_ns =
		o->has_give_up_after ? o->give_up_after_ns : tool->settings.give_up_after_ns,
	    .restore = restore,
	    .ctx = ctx};
	return options.give_up_after_ns > 0 ? recovery_create(&options) : NULL;
}

struct recovery *tool_recovery(struct tool *tool, struct connection *c,
    bool (*restore)(void *ctx, struct connection *c, struct error *err), void *ctx)
{
	const struct tool_place place =
	    home(tool, c == tool->connection ? tool->name : tool->beside_name);
	return tool_recovery_at(tool, &place, c, restore, ctx);
}

void tool_make_recoverable(struct tool *tool,
    bool (*restore)(void *ctx, struct connection *c, struct error *err), void *ctx)
{
	tool->recovery = tool_recovery(tool, tool->connection, restore, ctx);
}

/* ---- output ---- */

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);
	return value != NULL && value[0] != '\0';
}

bool tool_wants_color(const struct tool *tool, int fd)
{
	if (tool->options->color != TOOL_COLOR_AUTO)
		return tool->options->color == TOOL_COLOR_ALWAYS;
	const char *term = getenv("TERM");
	bool dumb = term == NULL || strcmp(term, "dumb") == 0;
	return isatty(fd) && !is_set("NO_COLOR") && !dumb;
}

void tool_summarize(
    const struct tool *tool, const struct summary_row *rows, size_t count, uint64_t elapsed_ns)
{
	const struct tool_options *o = tool->options;
	enum summary_format format = (enum summary_format)o->summary;
	if (!o->has_summary && o->log_format == LOG_JSON)
		format = SUMMARY_JSON;
	bool wanted = !o->quiet || (o->has_summary && format == SUMMARY_JSON);
	struct buf out = {0};
	if (format == SUMMARY_TEXT)
		buf_printf(&out, "%s: ", tool->command->tool);
	summary_write(rows, count, elapsed_ns, format, &out);
	if (wanted && out.len > 0)
		fputs(out.ptr, stderr);
	buf_release(&out);
}

bool tool_print(struct slice text, struct error *err)
{
	struct output output;
	output_init(&output, STDOUT_FILENO, "standard output", NULL);
	buf_append(output_buf(&output), text);
	bool good = output_drain(&output, 0, err);
	output_release(&output);
	return good;
}
