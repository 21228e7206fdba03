/* Options that several tools have. */
#include "app/tool.h"

#include <stddef.h>

static const char *const color_choices[] = {"auto", "always", "never", NULL};
static const char *const log_format_choices[] = {"text", "json", NULL};
static const char *const summary_choices[] = {"text", "json", "none", NULL};

#define MEMBER(name) offsetof(struct tool_options, name)

const struct option tool_broker_options[] = {
    {.name = "settings",
	.letter = 's',
	.type = OPTION_TEXT,
	.offset = MEMBER(settings),
	.argument = "FILE|NAME",
	.help = "settings file, or the name of one in settings/ or the installed lessons"},
    {.name = "url",
	.type = OPTION_TEXT,
	.offset = MEMBER(url),
	.argument = "URL",
	.help = "the broker, instead of the one in the settings; several, parted by blanks, are "
		"tried in turn",
	.environment = "AMQP_URL"},
    {.name = "url-file",
	.type = OPTION_TEXT,
	.offset = MEMBER(url_file),
	.argument = "FILE",
	.help = "its first line is the URL",
	.environment = "AMQP_URL_FILE",
	.instead = "url"},
    {.name = "password-file",
	.type = OPTION_TEXT,
	.offset = MEMBER(password_file),
	.argument = "FILE",
	.help = "its first line is the password, for a URL that has none"},
    {.name = "ask-password",
	.type = OPTION_FLAG,
	.offset = MEMBER(ask_password),
	.help = "ask for it on the terminal"},
    {.name = "set",
	.type = OPTION_LIST,
	.offset = MEMBER(set),
	.argument = "PATH=VALUE",
	.help = "override one value of the settings"},
    {.name = "wait",
	.type = OPTION_DURATION,
	.offset = MEMBER(wait_ns),
	.argument = "D",
	.help = "go on trying for so long while no broker answers"},
    {0},
};

const struct option tool_management_options[] = {
    {.name = "management",
	.type = OPTION_TEXT,
	.offset = MEMBER(management),
	.argument = "URL",
	.help = "the broker's HTTP API, instead of the one in the settings: for what AMQP does not "
		"tell",
	.environment = "RABBITMQ_MANAGEMENT_URL"},
    {0},
};

const struct option tool_recovery_options[] = {
    {.name = "give-up-after",
	.type = OPTION_DURATION,
	.offset = MEMBER(give_up_after_ns),
	.given = MEMBER(has_give_up_after),
	.argument = "D",
	.help =
	    "go on trying for so long when the connection is lost (default 2m); 0 is not at all"},
    {0},
};

const struct option tool_summary_options[] = {
    {.name = "summary",
	.type = OPTION_CHOICE,
	.offset = MEMBER(summary),
	.given = MEMBER(has_summary),
	.argument = "FORM",
	.help = "the form of the summary on stderr",
	.choices = summary_choices},
    {0},
};

const struct option tool_watch_options[] = {
    {.name = "metrics",
	.type = OPTION_TEXT,
	.offset = MEMBER(metrics),
	.argument = "ADDRESS",
	.help = "serve the running figures to Prometheus there, at /metrics: :9464 for this "
		"machine alone, 0.0.0.0:9464 for all"},
    {.name = "otlp",
	.type = OPTION_TEXT,
	.offset = MEMBER(otlp),
	.argument = "URL",
	.help = "send a span of each message to this OpenTelemetry collector (OTLP over HTTP, such "
		"as http://localhost:4318); default: where OTEL_EXPORTER_OTLP_ENDPOINT says, else "
		"none"},
    {0},
};

const struct option tool_talk_options[] = {
    {.name = "quiet",
	.letter = 'q',
	.type = OPTION_FLAG,
	.offset = MEMBER(quiet),
	.help = "say nothing but errors"},
    {.name = "verbose",
	.letter = 'v',
	.type = OPTION_FLAG,
	.offset = MEMBER(verbose),
	.help = "say more about what is being done"},
    {0},
};

const struct option tool_common_options[] = {
    {.name = "color",
	.type = OPTION_CHOICE,
	.offset = MEMBER(color),
	.argument = "WHEN",
	.help = "when to colour what is printed",
	.choices = color_choices},
    {.name = "log-format",
	.type = OPTION_CHOICE,
	.offset = MEMBER(log_format),
	.argument = "FORM",
	.help = "the form of diagnostics on stderr",
	.choices = log_format_choices},
    {.name = "help",
	.letter = 'h',
	.type = OPTION_FLAG,
	.offset = MEMBER(help),
	.help = "show this help",
	.command_line_only = true},
    {.name = "version",
	.type = OPTION_FLAG,
	.offset = MEMBER(version),
	.help = "show the version",
	.command_line_only = true},
    {.name = "man",
	.type = OPTION_FLAG,
	.offset = MEMBER(man),
	.help = "print the man page's source",
	.command_line_only = true},
    {.name = "completion",
	.type = OPTION_FLAG,
	.offset = MEMBER(completion),
	.help = "print a bash completion",
	.command_line_only = true},
    {0},
};
