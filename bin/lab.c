/* lab - a private throwaway RabbitMQ, one node or a cluster, for any user and without systemd. */
#include "app/keep.h"

#include "base/chrono.h"

#include <stddef.h>

static const char *const formats[] = {"text", "json", NULL};

static const struct option options[] = {
    {.name = "nodes",
	.letter = 'n',
	.type = OPTION_COUNT,
	.offset = offsetof(struct keep_options, nodes),
	.argument = "N",
	.help = "up, run: brokers in the cluster, 1 to 7 (default 1)",
	.min = 1,
	.max = NODE_MAX},
    {.name = "tls",
	.type = OPTION_FLAG,
	.offset = offsetof(struct keep_options, tls),
	.help = "up, run: listen for TLS, too, with certificates made for it"},
    {.name = "dir",
	.letter = 'd',
	.type = OPTION_TEXT,
	.offset = offsetof(struct keep_options, dir),
	.argument = "DIR",
	.help = "where the lab lives (default $XDG_RUNTIME_DIR/warren/lab or /tmp/warren-UID/lab)"},
    {.name = "wait",
	.type = OPTION_DURATION,
	.offset = offsetof(struct keep_options, wait_ns),
	.argument = "DURATION",
	.help = "how long a start, or the effect of a fault, may take (default 90s)"},
    {.name = "vhost",
	.type = OPTION_TEXT,
	.offset = offsetof(struct keep_options, vhost),
	.argument = "NAME",
	.help = "leader: the vhost of the queue (default /); run --here: of the lesson (default a "
		"new one)"},
    {.name = "foreground",
	.type = OPTION_FLAG,
	.offset = offsetof(struct keep_options, foreground),
	.help = "up: stay, log to stderr, and take the lab down on SIGINT or SIGTERM"},
    {.name = "format",
	.type = OPTION_CHOICE,
	.offset = offsetof(struct keep_options, format),
	.argument = "FORMAT",
	.help = "status: form of the output",
	.choices = formats},
    {.name = "follow",
	.letter = 'f',
	.type = OPTION_FLAG,
	.offset = offsetof(struct keep_options, follow),
	.help = "logs: go on until the lab ends"},
    {.name = "here",
	.type = OPTION_FLAG,
	.offset = offsetof(struct keep_options, here),
	.help = "run LESSON, drill: in the lab that runs, not in one of its own"},
    {.name = "list",
	.letter = 'l',
	.type = OPTION_FLAG,
	.offset = offsetof(struct keep_options, list),
	.help = "run: name the lessons"},
    {.name = "yes",
	.letter = 'y',
	.type = OPTION_FLAG,
	.offset = offsetof(struct keep_options, yes),
	.help = "run LESSON: do not wait for Enter"},
    {.name = "rabbitmq",
	.type = OPTION_TEXT,
	.offset = offsetof(struct keep_options, programs),
	.argument = "DIR",
	.help = "folder of rabbitmq-server and rabbitmqctl (default " LAB_PROGRAMS ")"},
    {0},
};

static const struct command_verb verbs[] = {
    {"up", "start a lab and wait until it can be used; fine when it runs already"},
    {"down", "kill the lab and remove its folder; fine when none runs"},
    {"status", "show the nodes; exit status 69 when no lab runs"},
    {"env", "print the shell variables that lead to it"},
    {"run", "play LESSON, or run COMMAND, with a lab of its own; status 1 or that of COMMAND"},
    {"ctl", "run rabbitmqctl on NODE (default a) with ARGS"},
    {"logs", "print what NODE says (default: all nodes), or supervisor, or epmd"},
    {"kill", "kill each NODE as with kill -9; the lab goes on without it"},
    {"stop", "end each NODE in an orderly way"},
    {"start", "start each NODE again: same data, ports and name"},
    {"pause", "freeze each NODE: its connections stay open and say nothing"},
    {"resume", "let each paused NODE go on"},
    {"cut", "part a NODE from the others named, or from all, as a broken network would"},
    {"heal", "undo every cut"},
    {"alarm", "raise or end an alarm: memory|disk on|off [NODE], else all nodes"},
    {"leader", "print the node with the leader of a QUEUE"},
    {"drill", "try a fault under load and tell what each tool saw; 'drill list' names them"},
    {0},
};

static const char notes[] =
    "The lab is a throwaway: 'down' kills the brokers and removes all they hold. Its nodes listen "
    "on 127.0.0.1 only, on free ports, so that several labs run side by side. Without --dir, all "
    "commands but run and drill take the folder from $WARREN_LAB_DIR; these two make a temporary "
    "one.\n"
    "\n"
    "  lab up; eval \"$(lab env)\"        then every tool finds the broker\n"
    "  lab run match                    plays a lesson; 'lab run --list' names them\n"
    "  lab run -- make test             a broker for one command\n"
    "  lab up --nodes 3                 a cluster\n"
    "  lab kill $(lab leader orders)    breaks it; 'lab start NODE' mends it\n"
    "  lab drill memory-alarm           what producer and consumer make of a fault\n"
    "  lab up --tls                     also $AMQPS_URL; ca.pem, client.pem and client.key are in\n"
    "                                   $AMQPS_FILES\n"
    "  lab ctl -- list_queues name messages\n";

static const struct option *const groups[] = {
    options, tool_talk_options, tool_common_options, NULL};

static const struct command command = {.tool = "lab",
    .summary = "start and end a private throwaway RabbitMQ",
    .operands = "[NODE...|LESSON] [-- COMMAND...]",
    .groups = groups,
    .verbs = verbs,
    .notes = notes};

int main(int argc, char *argv[])
{
	struct keep_options o = {.nodes = 1, .wait_ns = 90 * CHRONO_S, .programs = LAB_PROGRAMS};
	return tool_main(&command, argc, argv, &o, keep_run);
}
