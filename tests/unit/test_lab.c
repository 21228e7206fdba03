#include "base/chrono.h"
#include "base/mem.h"
#include "lab/change.h"
#include "lab/child.h"
#include "lab/control.h"
#include "lab/folder.h"
#include "lab/node.h"
#include "lab/notify.h"
#include "lab/remote.h"
#include "lab/state.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct state example = {.phase = STATE_RUNNING,
    .supervisor = 100,
    .epmd = 101,
    .epmd_port = 4001,
    .started_ms = 1000,
    .node_count = 2,
    .nodes = {{"a", NODE_RUNNING, 102, {5001, 5002, 5003, 5004, 5005}, 1000, NODE_ENDED, {{0}, 0}},
	{"b", NODE_KILLED, 0, {6001, 6002, 6003, 6004, 6005}, 2000, NODE_ENDED, {{0}, 0}}},
    .cuts = {2, 1}};

static const char example_json[] =
    "{\"version\":1,\"state\":\"running\",\"dir\":\"/lab\",\"supervisor\":100,"
    "\"started\":\"1970-01-01T00:00:01.000Z\",\"started_ms\":1000,"
    "\"epmd\":{\"pid\":101,\"port\":4001},\"nodes\":["
    "{\"name\":\"a\",\"state\":\"running\",\"pid\":102,\"started_ms\":1000,"
    "\"url\":\"amqp://guest:guest@127.0.0.1:5001\",\"ports\":{\"amqp\":5001,"
    "\"management\":5002,\"prometheus\":5003,\"stream\":5004,\"distribution\":5005}},"
    "{\"name\":\"b\",\"state\":\"killed\",\"pid\":0,\"started_ms\":2000,"
    "\"url\":\"amqp://guest:guest@127.0.0.1:6001\",\"ports\":{\"amqp\":6001,"
    "\"management\":6002,\"prometheus\":6003,\"stream\":6004,\"distribution\":6005}}],"
    "\"cuts\":[[\"a\",\"b\"]]}\n";

static const struct {
	const char *text, *quoted;
} quote_cases[] = {
    {"", "''"},
    {"plain", "'plain'"},
    {"two words", "'two words'"},
    {"$HOME `id` \\ \"", "'$HOME `id` \\ \"'"},
    {"it's", "'it'\\''s'"},
    {"'", "''\\'''"},
    {"a\nb", "'a\nb'"},
};

START_TEST(a_text_is_one_word_of_a_shell)
{
	struct buf out = {0};
	state_quote(quote_cases[_i].text, &out);
	ck_assert_str_eq(out.ptr, quote_cases[_i].quoted);
	buf_release(&out);
}
END_TEST

START_TEST(a_shell_reads_back_what_was_quoted)
{
	struct buf command = {0};
	char read[64] = "";
	buf_append_str(&command, "printf '%s.' ");
	state_quote(quote_cases[_i].text, &command);
	FILE *shell = popen(command.ptr, "r");
	ck_assert_ptr_nonnull(shell);
	size_t length = fread(read, 1, sizeof read - 1, shell);
	ck_assert_int_eq(pclose(shell), 0);
	ck_assert_uint_gt(length, 0);
	read[length - 1] = '\0'; /* the dot, which keeps line feeds at the end */
	ck_assert_str_eq(read, quote_cases[_i].text);
	buf_release(&command);
}
END_TEST

#define LISTENERS                                   \
	"management.tcp.ip = 127.0.0.1\n"           \
	"management.tcp.port = 5002\n"              \
	"prometheus.tcp.ip = 127.0.0.1\n"           \
	"prometheus.tcp.port = 5003\n"              \
	"stream.listeners.tcp.1 = 127.0.0.1:5004\n" \
	"stream.advertised_host = 127.0.0.1\n"      \
	"stream.advertised_port = 5004\n"           \
	"log.console = false\n"                     \
	"disk_free_limit.absolute = 50MB\n"         \
	"vm_memory_high_watermark.absolute = 512MB\n"
#define CLUSTER                                            \
	"cluster_formation.target_cluster_size_hint = 3\n" \
	"cluster_partition_handling = pause_minority\n"

static const struct {
	size_t index, node_count;
	const char *config;
} config_cases[] = {
    {0, 1, LISTENERS},
    {0, 3, LISTENERS CLUSTER},
    {2, 3,
	LISTENERS CLUSTER "cluster_formation.peer_discovery_backend = classic_config\n"
			  "cluster_formation.classic_config.nodes.1 = a@localhost\n"
			  "cluster_formation.classic_config.nodes.2 = c@localhost\n"},
};

START_TEST(a_node_is_configured_for_the_loopback_and_its_cluster)
{
	struct node node = example.nodes[0];
	struct node_site site = {.dir = "/lab", .node_count = config_cases[_i].node_count};
	struct buf out = {0};
	node_name(config_cases[_i].index, node.name);
	node_render_config(&site, &node, &out);
	ck_assert_str_eq(out.ptr, config_cases[_i].config);
	buf_release(&out);
}
END_TEST

static bool has_word(const struct child_words *words, const char *wanted)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->items[i], wanted) == 0)
			return true;
	return false;
}

START_TEST(a_node_lives_in_an_environment_of_its_own)
{
	static const char *const wanted[] = {"HOME=/lab", "ERL_EPMD_PORT=4001",
	    "ERL_EPMD_ADDRESS=127.0.0.1", "RABBITMQ_NODENAME=b@localhost",
	    "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_NODE_PORT=6001",
	    "RABBITMQ_DIST_PORT=6005", "RABBITMQ_CONFIG_FILE=/lab/b/rabbitmq.conf",
	    "RABBITMQ_MNESIA_BASE=/lab/b/mnesia", "RABBITMQ_CONF_ENV_FILE=/dev/null",
	    "RUNNING_UNDER_SYSTEMD=1"};
	struct node_site site = {.dir = "/lab", .epmd_port = 4001, .node_count = 2};
	struct child_words words = {0};
	setenv("RABBITMQ_NODE_PORT", "1", 1);
	setenv("WARREN_TEST", "1", 1);
	node_environment(&site, &example.nodes[1], &words);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		ck_assert_msg(has_word(&words, wanted[i]), "%s is missing", wanted[i]);
	ck_assert(!has_word(&words, "WARREN_TEST=1"));
	ck_assert_ptr_null(words.items[words.count]);
	child_words_release(&words);
}
END_TEST

START_TEST(a_state_is_written_as_one_line_of_json)
{
	struct buf out = {0};
	state_render_json(&example, "/lab", &out);
	ck_assert_str_eq(out.ptr, example_json);
	buf_release(&out);
}
END_TEST

START_TEST(a_state_is_read_as_it_was_written)
{
	struct state state = {0};
	struct error err = {0};
	struct buf again = {0};
	ck_assert(state_parse(slice_str(example_json), &state, &err));
	state_render_json(&state, "/lab", &again);
	ck_assert_str_eq(again.ptr, example_json);
	buf_release(&again);
}
END_TEST

START_TEST(a_folder_that_is_not_utf8_is_shown_escaped)
{
	struct state state = {0};
	struct error err = {0};
	struct buf out = {0};
	state_render_json(&example, "/l\xff", &out);
	ck_assert_ptr_nonnull(strstr(out.ptr, "\"dir\":\"/l\\\\xff\""));
	ck_assert(state_parse(buf_slice(&out), &state, &err));
	buf_release(&out);
}
END_TEST

/* A text of the example and what stands there instead. */
static const struct {
	const char *from, *to;
} damages[] = {
    {"{\"version\"", "\"version\""},
    {"\"version\":1", "\"version\":2"},
    {"\"version\":1", "\"version\":\"1\""},
    {"\"state\":\"running\"", "\"state\":\"walking\""},
    {"\"supervisor\":100", "\"supervisor\":-1"},
    {"\"supervisor\":100", "\"supervisor\":4294967396"},
    {"\"port\":4001", "\"port\":0"},
    {"\"port\":4001", "\"port\":65536"},
    {"\"epmd\"", "\"apmd\""},
    {"\"name\":\"a\"", "\"name\":\"b\""},
    {"\"state\":\"killed\"", "\"state\":\"\""},
    {"[\"a\",\"b\"]", "[\"a\",\"c\"]"},
    {"[\"a\",\"b\"]", "[\"a\"]"},
    {"[\"a\",\"b\"]", "7"},
    {"\"pid\":102", "\"pid\":null"},
    {"\"amqp\":6001", "\"amqp\":70000"},
    {"\"amqp\":6001", "\"other\":6001"},
    {"\"nodes\":[", "\"nodes\":[],\"rest\":["},
    {"\"nodes\":[", "\"nodes\":7,\"rest\":["},
};

START_TEST(a_damaged_state_is_refused)
{
	const char *at = strstr(example_json, damages[_i].from);
	ck_assert_ptr_nonnull(at);
	char *json = mem_printf("%.*s%s%s", (int)(at - example_json), example_json, damages[_i].to,
	    at + strlen(damages[_i].from));
	struct state state = {.epmd_port = 7};
	struct error err = {0};
	ck_assert_msg(!state_parse(slice_str(json), &state, &err), "accepted: %s", json);
	ck_assert_int_eq(err.kind, ERROR_DATA);
	ck_assert_str_eq(err.text, "not the state of a lab that this version of warren has made");
	ck_assert_uint_eq(state.epmd_port, 7);
	free(json);
}
END_TEST

START_TEST(a_cut_state_is_refused)
{
	struct state state = {0};
	for (size_t length = 0; length < sizeof example_json - 2; length++) {
		struct error err = {0};
		ck_assert(!state_parse((struct slice){example_json, length}, &state, &err));
	}
}
END_TEST

START_TEST(the_variables_lead_to_the_first_node)
{
	struct buf out = {0};
	state_render_exports(&example, "/it's", &out);
	ck_assert_str_eq(out.ptr,
	    "export AMQP_URL='amqp://guest:guest@127.0.0.1:5001'\n"
	    "export AMQP_URLS='amqp://guest:guest@127.0.0.1:5001 "
	    "amqp://guest:guest@127.0.0.1:6001'\n"
	    "export RABBITMQ_MANAGEMENT_URL='http://guest:guest@127.0.0.1:5002'\n"
	    "export RABBITMQ_PROMETHEUS_URL='http://127.0.0.1:5003/metrics'\n"
	    "export RABBITMQ_STREAM_PORT='5004'\n"
	    "export WARREN_LAB_DIR='/it'\\''s'\n");
	buf_release(&out);
}
END_TEST

START_TEST(a_lab_with_tls_tells_where)
{
	struct state with = example, again;
	struct buf out = {0};
	struct error err = {0};
	with.node_count = 1;
	with.nodes[0].ports[NODE_PORT_AMQPS] = 5006;
	state_render_json(&with, "/lab", &out);
	ck_assert(state_parse(buf_slice(&out), &again, &err));
	buf_clear(&out);
	state_render_exports(&again, "/lab", &out);
	ck_assert_ptr_nonnull(strstr(out.ptr, "AMQPS_URL='amqps://guest:guest@127.0.0.1:5006'\n"));
	ck_assert_ptr_nonnull(strstr(out.ptr, "AMQPS_FILES='/lab/tls'\n"));
	buf_clear(&out);
	state_render_addresses(&again, "/lab", &out);
	ck_assert_ptr_nonnull(strstr(out.ptr, "  amqps://guest:guest@127.0.0.1:5006  "));
	buf_clear(&out);
	const struct node_site site = {.dir = "/lab", .node_count = 1};
	node_render_config(&site, &with.nodes[0], &out);
	ck_assert_ptr_nonnull(strstr(out.ptr, "listeners.ssl.1 = 127.0.0.1:5006\n"));
	buf_clear(&out);
	node_render_config(&site, &example.nodes[0], &out);
	ck_assert_ptr_null(strstr(out.ptr, "ssl"));
	buf_release(&out);
}
END_TEST

START_TEST(every_node_is_announced_on_a_line)
{
	struct buf out = {0};
	state_render_addresses(&example, "/l\x1b", &out);
	ck_assert_str_eq(out.ptr, "a  amqp://guest:guest@127.0.0.1:5001  http://127.0.0.1:5002  "
				  "http://127.0.0.1:5003/metrics  stream 5004  /l\\x1b/a\n"
				  "b  amqp://guest:guest@127.0.0.1:6001  http://127.0.0.1:6002  "
				  "http://127.0.0.1:6003/metrics  stream 6004  /l\\x1b/b\n");
	buf_release(&out);
}
END_TEST

START_TEST(the_table_shows_uptime_and_what_is_down_or_cut)
{
	struct buf out = {0};
	state_render_table(&example, 91000, &out);
	ck_assert_str_eq(out.ptr,
	    "NODE  STATE         PID  UPTIME    AMQP                                MANAGEMENT  "
	    "PROMETHEUS  STREAM  DISTRIBUTION\n"
	    "a     running       102  1.5m      amqp://guest:guest@127.0.0.1:5001         5002  "
	    "      5003    5004          5005\n"
	    "b     killed          0  -         amqp://guest:guest@127.0.0.1:6001         6002  "
	    "      6003    6004          6005\n"
	    "cut: a from b\n");
	buf_release(&out);
}
END_TEST

START_TEST(a_node_is_found_by_name_the_first_without_one)
{
	struct error err = {0};
	ck_assert_ptr_eq(state_find_node(&example, NULL, &err), &example.nodes[0]);
	ck_assert_ptr_eq(state_find_node(&example, "b", &err), &example.nodes[1]);
	ck_assert_ptr_null(state_find_node(&example, "c\x1b", &err));
	ck_assert_int_eq(err.kind, ERROR_USAGE);
	ck_assert_str_eq(err.text, "the lab has no node 'c\\x1b'");
}
END_TEST

#define BIT(state) (1U << (state))

/* From which states each change may begin, and what it makes of the node. */
static const struct {
	enum change_verb verb;
	unsigned allowed;
	const char *refusal; /* of a node that has ended, or else that is running */
} change_cases[] = {
    {CHANGE_KILL, BIT(NODE_STARTING) | BIT(NODE_RUNNING) | BIT(NODE_PAUSED) | BIT(NODE_STOPPING),
	"cannot kill node 'a': it is ended, not starting, running, paused or stopping"},
    {CHANGE_STOP, BIT(NODE_STARTING) | BIT(NODE_RUNNING),
	"cannot stop node 'a': it is ended, not starting or running"},
    {CHANGE_START, BIT(NODE_STOPPED) | BIT(NODE_KILLED) | BIT(NODE_ENDED),
	"cannot start node 'a': it is running, not stopped, killed or ended"},
    {CHANGE_PAUSE, BIT(NODE_RUNNING), "cannot pause node 'a': it is ended, not running"},
    {CHANGE_RESUME, BIT(NODE_PAUSED), "cannot resume node 'a': it is ended, not paused"},
    {CHANGE_CUT, BIT(NODE_RUNNING), "cannot cut node 'a': it is ended, not running"},
};

START_TEST(a_change_is_allowed_in_some_states_only)
{
	const struct change change = {.verb = change_cases[_i].verb, .node = 0, .others = 2};
	struct state state = {
	    .node_count = 2, .nodes = {{.name = "a"}, {.name = "b", .state = NODE_RUNNING}}};
	for (int s = 0; s < NODE_STATE_COUNT; s++) {
		struct error err = {0};
		state.nodes[0].state = (enum node_state)s;
		bool allowed = (change_cases[_i].allowed & BIT(s)) != 0;
		ck_assert_msg(
		    change_check(&state, &change, &err) == allowed, "%s", node_state_names[s]);
		ck_assert_int_eq(err.kind, allowed ? ERROR_NONE : ERROR_UNAVAILABLE);
	}
	struct error err = {0};
	state.nodes[0].state = change.verb == CHANGE_START ? NODE_RUNNING : NODE_ENDED;
	ck_assert(!change_check(&state, &change, &err));
	ck_assert_str_eq(err.text, change_cases[_i].refusal);
}
END_TEST

START_TEST(a_cut_needs_both_sides_running_and_is_noted_on_both)
{
	const struct node_site site = {.dir = "/lab", .node_count = 3};
	const struct change cut = {.verb = CHANGE_CUT, .node = 1, .others = 5};
	struct state state = {.node_count = 3,
	    .nodes = {{.name = "a", .state = NODE_RUNNING}, {.name = "b", .state = NODE_RUNNING},
		{.name = "c", .state = NODE_KILLED}}};
	struct error err = {0};
	ck_assert(!change_apply(&site, &state, &cut, &err));
	ck_assert_str_eq(err.text, "cannot cut node 'c': it is killed, not running");
	ck_assert_uint_eq(state.cuts[0], 0);
	error_clear(&err);
	state.nodes[2].state = NODE_RUNNING;
	ck_assert(change_apply(&site, &state, &cut, &err));
	ck_assert_uint_eq(state.cuts[0], 2);
	ck_assert_uint_eq(state.cuts[1], 5);
	ck_assert_uint_eq(state.cuts[2], 2);
	state.nodes[0].state = NODE_KILLED;
	const struct change start = {.verb = CHANGE_START, .node = 0};
	ck_assert(!change_apply(&site, &state, &start, &err));
	ck_assert_str_eq(err.text, "cannot start node 'a': it is cut from 'b'; heal that first");
	const struct change heal = {.verb = CHANGE_HEAL};
	error_clear(&err);
	ck_assert(change_apply(&site, &state, &heal, &err));
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(state.cuts[i], 0);
}
END_TEST

START_TEST(a_signal_goes_to_the_node_and_tells_how_its_end_is_meant)
{
	const struct node_site site = {.dir = "/lab", .node_count = 1};
	struct state state = {.node_count = 1, .nodes = {{.name = "a", .state = NODE_RUNNING}}};
	struct error err = {0};
	const struct change pause = {.verb = CHANGE_PAUSE}, end = {.verb = CHANGE_KILL};
	int wait_status = 0;
	pid_t pid = state.nodes[0].pid = fork();
	if (pid == 0)
		for (;;)
			(void)sleep(600);
	ck_assert(change_apply(&site, &state, &pause, &err));
	ck_assert_int_eq(state.nodes[0].state, NODE_PAUSED);
	ck_assert_int_eq(waitpid(pid, &wait_status, WUNTRACED), pid);
	ck_assert(WIFSTOPPED(wait_status));
	ck_assert(change_apply(&site, &state, &end, &err));
	ck_assert_int_eq(state.nodes[0].ends_as, NODE_KILLED);
	ck_assert_int_eq(waitpid(pid, &wait_status, 0), pid);
	ck_assert_int_eq(WTERMSIG(wait_status), 9);
}
END_TEST

static bool refuse_change(void *ctx, const struct change *change, struct error *err)
{
	*(struct change *)ctx = *change;
	return error_set(err, ERROR_UNAVAILABLE, "not today");
}

static void tell(const char *address, const char *message)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t length = strlen(address);
	memcpy(to.sun_path, address, length);
	to.sun_path[0] = '\0'; /* for the '@' */
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	ck_assert_int_eq(sendto(fd, message, strlen(message), 0, (struct sockaddr *)&to,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
	    (ssize_t)strlen(message));
	close(fd);
}

START_TEST(a_program_is_ready_when_it_says_so)
{
	struct notify one = {0}, other = {0};
	struct error err = {0};
	ck_assert_msg(notify_open(&one, &err) && notify_open(&other, &err), "%s", err.text);
	ck_assert_str_ne(one.address, other.address);
	ck_assert(!notify_is_ready(&one));
	tell(one.address, "STATUS=READY=1 comes soon\n");
	ck_assert(!notify_is_ready(&one));
	tell(one.address, "READY=1\nSTATUS=\n");
	tell(one.address, "STATUS=idle\n");
	ck_assert(notify_is_ready(&one));
	ck_assert(!notify_is_ready(&other));
	notify_close(&one);
	notify_close(&one);
	notify_close(&other);
}
END_TEST

/* The answer of a broker to who opens a connection, as much of it as is looked at. */
static void greet_forever(int listener)
{
	for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd)) {
		char hello[8];
		if (read(fd, hello, sizeof hello) != sizeof hello ||
		    write(fd, "\1\0\0\0\0\0\0", 7) != 7)
			break;
	}
	_exit(0);
}

START_TEST(a_node_whose_port_answers_may_not_be_ready)
{
	struct node node = {.name = "a"};
	struct error err = {0};
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(listen(listener, 4), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	node.ports[NODE_PORT_AMQP] = ntohs(address.sin_port);
	pid_t broker = fork();
	if (broker == 0)
		greet_forever(listener);
	ck_assert_msg(notify_open(&node.notify, &err), "%s", err.text);
	uint64_t deadline_ns = chrono_after(chrono_now_ns(), 5 * CHRONO_S);
	ck_assert(!node_answers(&node, deadline_ns));
	tell(node.notify.address, "READY=1");
	ck_assert(node_answers(&node, deadline_ns));
	ck_assert_str_eq(node.notify.address, "");
	ck_assert(node_answers(&node, deadline_ns)); /* as after it was paused */
	kill(broker, SIGKILL);
	waitpid(broker, NULL, 0);
	close(listener);
}
END_TEST

START_TEST(a_request_and_its_answer_pass_through_a_folder_with_a_long_name)
{
	char *dir = mem_strdup("/tmp/warren-test-XXXXXX/"
			       "a-name-that-is-much-longer-than-the-path-of-a-unix-socket-may-be-"
			       "which-is-one-hundred-and-seven-bytes-on-linux");
	char *slash = strrchr(dir, '/');
	*slash = '\0';
	ck_assert_ptr_nonnull(mkdtemp(dir));
	*slash = '/';
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	struct error err = {0};
	int listener = control_listen(dir, &err);
	ck_assert_msg(listener >= 0, "%s", err.text);
	pid_t asker = fork();
	if (asker == 0) {
		const struct change change = {.verb = CHANGE_CUT, .node = 1, .others = 4};
		bool refused = !control_ask(dir, &change, UINT64_MAX, &err);
		_exit(refused && strcmp(err.text, "not today") == 0 ? 0 : 1);
	}
	struct change seen = {0};
	control_serve(listener, 3, refuse_change, &seen);
	int wait_status = 0;
	ck_assert_int_eq(waitpid(asker, &wait_status, 0), asker);
	ck_assert_int_eq(wait_status, 0);
	ck_assert_int_eq(seen.verb, CHANGE_CUT);
	ck_assert_uint_eq(seen.node, 1);
	ck_assert_uint_eq(seen.others, 4);
	close(listener);
	const struct change change = {.verb = CHANGE_HEAL};
	ck_assert(!control_ask(dir, &change, UINT64_MAX, &err));
	ck_assert_int_eq(err.kind, ERROR_UNAVAILABLE);
	*slash = '\0';
	char *command = mem_printf("rm -r '%s'", dir);
	ck_assert_int_eq(system(command), 0);
	free(command);
	free(dir);
}
END_TEST

START_TEST(foreign_bytes_are_numbers_in_an_expression)
{
	struct buf out = {0};
	remote_render_binary(SLICE("a\">>."), &out);
	ck_assert_str_eq(out.ptr, "<<97,34,62,62,46>>");
	buf_release(&out);
}
END_TEST

static const struct {
	int wait_status, exit_status;
	const char *text;
} end_cases[] = {
    {W_EXITCODE(0, 0), 0, "ended with status 0"},
    {W_EXITCODE(3, 0), 3, "ended with status 3"},
    {W_EXITCODE(0, 9), 137, "was killed by signal 9 (Killed)"},
};

START_TEST(an_end_is_told_as_a_shell_would)
{
	struct buf out = {0};
	child_describe_end(end_cases[_i].wait_status, &out);
	ck_assert_str_eq(out.ptr, end_cases[_i].text);
	ck_assert_int_eq(child_exit_status(end_cases[_i].wait_status), end_cases[_i].exit_status);
	buf_release(&out);
}
END_TEST

static const struct {
	const char *text;
	size_t max_bytes;
	const char *tail;
} tail_cases[] = {
    {"", 100, ""},
    {"one\ntwo\n", 100, "one\ntwo"},
    {"one\ntwo\nthree\n", 10, "three"},
    {"one\ntwo\nthree\n", 11, "two\nthree"},
    {"\x1b[31mred\n\n", 100, "\\x1b[31mred"},
};

START_TEST(the_tail_of_a_log_is_whole_lines_and_harmless)
{
	char path[] = "/tmp/warren-test-XXXXXX";
	int fd = mkstemp(path);
	size_t length = strlen(tail_cases[_i].text);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, tail_cases[_i].text, length), (ssize_t)length);
	close(fd);
	struct buf out = {0};
	child_log_tail(path, tail_cases[_i].max_bytes, &out);
	unlink(path);
	ck_assert_str_eq(out.ptr ? out.ptr : "", tail_cases[_i].tail);
	buf_release(&out);
}
END_TEST

START_TEST(a_program_that_is_not_there_is_told)
{
	struct child_words argv = {0};
	struct error err = {0};
	pid_t pid = 7;
	child_words_take(&argv, mem_strdup("/no/such/program"));
	struct child_spec spec = {.argv = argv.items, .death_signal = 9};
	ck_assert(!child_start(&spec, &pid, &err));
	ck_assert_int_eq(err.kind, ERROR_UNAVAILABLE);
	ck_assert_str_eq(err.text, "cannot run '/no/such/program': No such file or directory");
	ck_assert_int_eq(pid, 7);
	child_words_release(&argv);
}
END_TEST

static const struct {
	const char *path, *absolute;
} path_cases[] = {
    {"/lab", "/lab"},
    {"/lab///", "/lab"},
    {"/", "/"},
    {"lab", "/tmp/lab"},
    {"a/b/", "/tmp/a/b"},
};

START_TEST(a_folder_is_named_from_the_root)
{
	ck_assert_int_eq(chdir("/tmp"), 0);
	char *path = folder_absolute(path_cases[_i].path);
	ck_assert_str_eq(path, path_cases[_i].absolute);
	free(path);
}
END_TEST

START_TEST(the_default_folder_is_in_the_runtime_directory)
{
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	char *path = folder_default();
	ck_assert_str_eq(path, "/run/user/7/warren/lab");
	free(path);
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	path = folder_default();
	char *wanted = mem_printf("/tmp/warren-%u/lab", (unsigned)geteuid());
	ck_assert_str_eq(path, wanted);
	free(wanted);
	free(path);
}
END_TEST

static char *make_base(void)
{
	char *base = mem_strdup("/tmp/warren-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	return base;
}

START_TEST(a_folder_is_made_locked_and_removed_with_all_in_it)
{
	struct error err = {0};
	char *base = make_base(), *dir = mem_printf("%s/x/lab", base);
	ck_assert(folder_create(dir, &err));
	ck_assert(folder_is_lab(dir));
	ck_assert_int_eq(folder_holder(dir), 0);
	int lock = -1;
	ck_assert(folder_lock(dir, &lock, &err));
	ck_assert_int_ge(lock, 0);
	char *deep = mem_printf(
	    "mkdir -p '%s/d/e' && touch '%s/d/e/f' && ln -s / '%s/d/root'", dir, dir, dir);
	ck_assert_int_eq(system(deep), 0);
	ck_assert_msg(folder_remove(dir, &err), "%s", err.text);
	ck_assert_int_ne(access(dir, F_OK), 0);
	ck_assert_int_eq(access("/tmp", F_OK), 0);
	ck_assert(folder_remove(dir, &err));
	free(deep);
	free(dir);
	dir = mem_printf("%s/x", base);
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(rmdir(base), 0);
	free(dir);
	free(base);
}
END_TEST

START_TEST(a_lock_names_its_holder_to_others_only)
{
	struct error err = {0};
	char *dir = make_base();
	int lock = -1;
	ck_assert(folder_create(dir, &err));
	ck_assert(folder_lock(dir, &lock, &err));
	pid_t parent = getpid(), other = fork();
	if (other == 0) {
		int second = 0;
		bool good =
		    folder_holder(dir) == parent && folder_lock(dir, &second, &err) && second == -1;
		_exit(good ? 0 : 1);
	}
	int wait_status = 0;
	ck_assert_int_eq(waitpid(other, &wait_status, 0), other);
	ck_assert_int_eq(wait_status, 0);
	close(lock);
	ck_assert(folder_remove(dir, &err));
	free(dir);
}
END_TEST

START_TEST(a_folder_with_other_things_is_left_alone)
{
	struct error err = {0};
	char *dir = make_base(), *file = mem_printf("%s/precious", dir);
	FILE *made = fopen(file, "w");
	ck_assert_ptr_nonnull(made);
	ck_assert_int_eq(fclose(made), 0);
	ck_assert(!folder_remove(dir, &err));
	char *wanted = mem_printf(
	    "cannot use '%s' for a lab: it has no '.warren-lab', so it is no lab's", dir);
	ck_assert_str_eq(err.text, wanted);
	ck_assert_int_eq(err.kind, ERROR_ACCESS);
	free(wanted);
	error_clear(&err);
	ck_assert(!folder_create(dir, &err));
	wanted = mem_printf("cannot use '%s' for a lab: it is not empty and no lab's folder; name "
			    "another one with --dir",
	    dir);
	ck_assert_str_eq(err.text, wanted);
	ck_assert_int_eq(err.kind, ERROR_CANNOT_CREATE);
	free(wanted);
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	free(file);
	free(dir);
}
END_TEST

START_TEST(a_default_folder_below_one_open_to_others_is_refused)
{
	struct error err = {0};
	char *base = make_base(), *warren = mem_printf("%s/warren", base);
	char *dir = mem_printf("%s/lab", warren);
	setenv("XDG_RUNTIME_DIR", base, 1);
	ck_assert_int_eq(mkdir(warren, 0700), 0);
	ck_assert_int_eq(chmod(warren, 0777), 0);
	ck_assert(!folder_create(dir, &err));
	char *wanted = mem_printf("cannot use '%s' for a lab: other users may write to it", warren);
	ck_assert_str_eq(err.text, wanted);
	ck_assert_int_eq(err.kind, ERROR_ACCESS);
	ck_assert_int_ne(access(dir, F_OK), 0);
	ck_assert_int_eq(rmdir(warren), 0);
	ck_assert_int_eq(rmdir(base), 0);
	free(wanted);
	free(dir);
	free(warren);
	free(base);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("lab");
	TCase *node = tcase_create("node"), *state = tcase_create("state");
	TCase *child = tcase_create("child"), *folder = tcase_create("folder");
	TCase *change = tcase_create("change");
	tcase_add_loop_test(node, a_node_is_configured_for_the_loopback_and_its_cluster, 0,
	    (int)ARRAY_LEN(config_cases));
	tcase_add_test(node, a_node_lives_in_an_environment_of_its_own);
	tcase_add_loop_test(state, a_text_is_one_word_of_a_shell, 0, (int)ARRAY_LEN(quote_cases));
	tcase_add_loop_test(
	    state, a_shell_reads_back_what_was_quoted, 0, (int)ARRAY_LEN(quote_cases));
	tcase_add_test(state, a_state_is_written_as_one_line_of_json);
	tcase_add_test(state, a_state_is_read_as_it_was_written);
	tcase_add_test(state, a_folder_that_is_not_utf8_is_shown_escaped);
	tcase_add_loop_test(state, a_damaged_state_is_refused, 0, (int)ARRAY_LEN(damages));
	tcase_add_test(state, a_cut_state_is_refused);
	tcase_add_test(state, the_variables_lead_to_the_first_node);
	tcase_add_test(state, a_lab_with_tls_tells_where);
	tcase_add_test(state, every_node_is_announced_on_a_line);
	tcase_add_test(state, the_table_shows_uptime_and_what_is_down_or_cut);
	tcase_add_test(state, a_node_is_found_by_name_the_first_without_one);
	tcase_add_loop_test(
	    change, a_change_is_allowed_in_some_states_only, 0, (int)ARRAY_LEN(change_cases));
	tcase_add_test(change, a_cut_needs_both_sides_running_and_is_noted_on_both);
	tcase_add_test(change, a_signal_goes_to_the_node_and_tells_how_its_end_is_meant);
	tcase_add_test(node, a_program_is_ready_when_it_says_so);
	tcase_add_test(node, a_node_whose_port_answers_may_not_be_ready);
	tcase_add_test(change, a_request_and_its_answer_pass_through_a_folder_with_a_long_name);
	tcase_add_test(change, foreign_bytes_are_numbers_in_an_expression);
	tcase_add_loop_test(child, an_end_is_told_as_a_shell_would, 0, (int)ARRAY_LEN(end_cases));
	tcase_add_loop_test(
	    child, the_tail_of_a_log_is_whole_lines_and_harmless, 0, (int)ARRAY_LEN(tail_cases));
	tcase_add_test(child, a_program_that_is_not_there_is_told);
	tcase_add_loop_test(folder, a_folder_is_named_from_the_root, 0, (int)ARRAY_LEN(path_cases));
	tcase_add_test(folder, the_default_folder_is_in_the_runtime_directory);
	tcase_add_test(folder, a_folder_is_made_locked_and_removed_with_all_in_it);
	tcase_add_test(folder, a_lock_names_its_holder_to_others_only);
	tcase_add_test(folder, a_folder_with_other_things_is_left_alone);
	tcase_add_test(folder, a_default_folder_below_one_open_to_others_is_refused);
	suite_add_tcase(suite, node);
	suite_add_tcase(suite, state);
	suite_add_tcase(suite, change);
	suite_add_tcase(suite, child);
	suite_add_tcase(suite, folder);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
