#include "lab/node.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/text.h"
#include "lab/certificates.h"
#include "lab/wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const node_port_names[NODE_PORT_COUNT] = {
    [NODE_PORT_AMQP] = "amqp",
    [NODE_PORT_MANAGEMENT] = "management",
    [NODE_PORT_PROMETHEUS] = "prometheus",
    [NODE_PORT_STREAM] = "stream",
    [NODE_PORT_DISTRIBUTION] = "distribution",
    [NODE_PORT_AMQPS] = "amqps",
};

const char *const node_state_names[NODE_STATE_COUNT] = {
    [NODE_STARTING] = "starting",
    [NODE_RUNNING] = "running",
    [NODE_PAUSED] = "paused",
    [NODE_STOPPING] = "stopping",
    [NODE_STOPPED] = "stopped",
    [NODE_KILLED] = "killed",
    [NODE_ENDED] = "ended",
};

bool node_is_alive(enum node_state state)
{
	return state < NODE_STOPPED;
}

void node_name(size_t index, char out[NODE_NAME_BYTES])
{
	out[0] = (char)('a' + (int)index);
	out[1] = '\0';
}

char *node_log_path(const char *dir, const char *name)
{
	return mem_printf("%s/%s/log/%s@localhost.log", dir, name, name);
}

char *node_console_path(const char *dir, const char *name)
{
	return mem_printf("%s/%s/console.log", dir, name);
}

/* The first node starts alone and founds the cluster; a later one looks for it. (With the whole
 * list the first would look for the others, in vain, for five seconds.) */
static void render_cluster(const struct node *node, size_t node_count, struct buf *out)
{
	char first[NODE_NAME_BYTES];
	node_name(0, first);
	buf_printf(out,
	    "cluster_formation.target_cluster_size_hint = %zu\n"
	    "cluster_partition_handling = pause_minority\n",
	    node_count);
	if (strcmp(node->name, first) != 0)
		buf_printf(out,
		    "cluster_formation.peer_discovery_backend = classic_config\n"
		    "cluster_formation.classic_config.nodes.1 = %s@localhost\n"
		    "cluster_formation.classic_config.nodes.2 = %s@localhost\n",
		    first, node->name);
}

/* Who has the certificate of a client may log in by it (EXTERNAL), as the user that it names. */
static void render_tls(const char *dir, uint16_t port, struct buf *out)
{
	buf_printf(out,
	    "listeners.ssl.1 = 127.0.0.1:%u\n"
	    "ssl_options.cacertfile = %s/" CERTIFICATES_FOLDER "/ca.pem\n"
	    "ssl_options.certfile = %s/" CERTIFICATES_FOLDER "/server.pem\n"
	    "ssl_options.keyfile = %s/" CERTIFICATES_FOLDER "/server.key\n"
	    "ssl_options.verify = verify_peer\n"
	    "ssl_options.fail_if_no_peer_cert = false\n"
	    "ssl_cert_login_from = common_name\n"
	    "auth_mechanisms.1 = PLAIN\n"
	    "auth_mechanisms.2 = AMQPLAIN\n"
	    "auth_mechanisms.3 = EXTERNAL\n",
	    port, dir, dir, dir);
}

/* Every listener is bound to the loopback; a stream client is sent back to the same address. */
void node_render_config(const struct node_site *site, const struct node *node, struct buf *out)
{
	buf_printf(out,
	    "management.tcp.ip = 127.0.0.1\n"
	    "management.tcp.port = %u\n"
	    "prometheus.tcp.ip = 127.0.0.1\n"
	    "prometheus.tcp.port = %u\n"
	    "stream.listeners.tcp.1 = 127.0.0.1:%u\n"
	    "stream.advertised_host = 127.0.0.1\n"
	    "stream.advertised_port = %u\n"
	    "log.console = false\n"
	    "disk_free_limit.absolute = " NODE_DISK_LIMIT "\n"
	    "vm_memory_high_watermark.absolute = " NODE_MEMORY_LIMIT "\n",
	    node->ports[NODE_PORT_MANAGEMENT], node->ports[NODE_PORT_PROMETHEUS],
	    node->ports[NODE_PORT_STREAM], node->ports[NODE_PORT_STREAM]);
	if (node->ports[NODE_PORT_AMQPS] != 0)
		render_tls(site->dir, node->ports[NODE_PORT_AMQPS], out);
	if (site->node_count > 1)
		render_cluster(node, site->node_count, out);
}

/* Variables that name a path below the folder of the node. */
static const struct {
	const char *variable, *path;
} paths[] = {
    {"RABBITMQ_CONFIG_FILE", "rabbitmq.conf"},
    {"RABBITMQ_CONFIG_FILES", "conf.d"},
    {"RABBITMQ_ADVANCED_CONFIG_FILE", "advanced.config"},
    {"RABBITMQ_MNESIA_BASE", "mnesia"},
    {"RABBITMQ_LOG_BASE", "log"},
    {"RABBITMQ_ENABLED_PLUGINS_FILE", "enabled_plugins"},
    {"RABBITMQ_GENERATED_CONFIG_DIR", "config"},
    {"RABBITMQ_PLUGINS_EXPAND_DIR", "plugins-expand"},
    {"RABBITMQ_PID_FILE", "pid"},
};

#define LOOPBACK_ONLY "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false"

void node_environment(
    const struct node_site *site, const struct node *node, struct child_words *out)
{
	const char *path = getenv("PATH");
	child_words_take(out, mem_printf("PATH=%s", path ? path : "/usr/bin:/bin"));
	child_words_take(out, mem_strdup("LANG=C.UTF-8"));
	child_words_take(
	    out, mem_printf("HOME=%s", site->dir)); /* where Erlang looks for the cookie */
	child_words_take(out, mem_printf("ERL_EPMD_PORT=%u", site->epmd_port));
	child_words_take(out, mem_strdup("ERL_EPMD_ADDRESS=127.0.0.1"));
	child_words_take(out, mem_printf("RABBITMQ_NODENAME=%s@localhost", node->name));
	child_words_take(out, mem_strdup("RABBITMQ_CONF_ENV_FILE=/dev/null"));
	child_words_take(out, mem_strdup("RABBITMQ_NODE_IP_ADDRESS=127.0.0.1"));
	child_words_take(out, mem_printf("RABBITMQ_NODE_PORT=%u", node->ports[NODE_PORT_AMQP]));
	child_words_take(
	    out, mem_printf("RABBITMQ_DIST_PORT=%u", node->ports[NODE_PORT_DISTRIBUTION]));
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		child_words_take(out, mem_printf("%s=%s/%s/%s", paths[i].variable, site->dir,
					  node->name, paths[i].path));
	/* One scheduler a node, which sleeps when idle: a lab shares a small machine with what it
	 * is used to test. */
	child_words_take(
	    out, mem_strdup("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=" LOOPBACK_ONLY
			    " +S 1:1 +SDcpu 1:1 +SDio 1 +sbwt none +sbwtdcpu none +sbwtdio none"));
	child_words_take(out, mem_strdup("RABBITMQ_CTL_ERL_ARGS=" LOOPBACK_ONLY));
	/* Makes the script exec the Erlang machine instead of keeping a shell around it. */
	child_words_take(out, mem_strdup("RUNNING_UNDER_SYSTEMD=1"));
	if (node->notify.address[0] != '\0')
		child_words_take(out, mem_printf(NOTIFY_VARIABLE "=%s", node->notify.address));
}

static bool cannot_create(const char *path, struct error *err)
{
	int cause = errno;
	char *name = text_quote(slice_str(path));
	error_set(err, ERROR_CANNOT_CREATE, "cannot create '%s': %s", name, strerror(cause));
	free(name);
	return false;
}

static bool make_folders(const char *base, struct error *err)
{
	static const char *const folders[] = {"", "/mnesia", "/log", "/conf.d"};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		char *path = mem_printf("%s%s", base, folders[i]);
		bool good = mkdir(path, 0700) == 0 || cannot_create(path, err);
		free(path);
		if (!good)
			return false;
	}
	return true;
}

static bool write_file(const char *base, const char *name, struct slice text, struct error *err)
{
	char *path = mem_printf("%s/%s", base, name);
	FILE *file = fopen(path, "wxe");
	bool good = file != NULL && fwrite(text.ptr, 1, text.len, file) == text.len;
	if (file != NULL && fclose(file) != 0)
		good = false;
	if (!good)
		cannot_create(path, err);
	free(path);
	return good;
}

bool node_prepare(const struct node_site *site, const struct node *node, struct error *err)
{
	struct buf config = {0};
	char *base = mem_printf("%s/%s", site->dir, node->name);
	node_render_config(site, node, &config);
	bool good = make_folders(base, err) &&
		    write_file(base, "rabbitmq.conf", buf_slice(&config), err) &&
		    write_file(base, "enabled_plugins",
			SLICE("[rabbitmq_management,rabbitmq_prometheus,rabbitmq_stream,"
			      "rabbitmq_auth_mechanism_ssl].\n"),
			err);
	free(base);
	buf_release(&config);
	return good;
}

bool node_spawn_free(const struct node_site *site, const struct node *node,
    struct child_words *argv, const char *log, pid_t *out, struct error *err)
{
	struct child_words envp = {0};
	node_environment(site, node, &envp);
	const struct child_spec spec = {.argv = argv->items,
	    .envp = envp.items,
	    .folder = site->dir,
	    .log = log,
	    .death_signal = SIGKILL,
	    .own_group = true};
	bool good = child_start(&spec, out, err);
	child_words_release(argv);
	child_words_release(&envp);
	return good;
}

bool node_start(const struct node_site *site, struct node *node, struct error *err)
{
	if (!notify_open(&node->notify, err))
		return false;
	struct child_words argv = {0};
	child_words_take(&argv, mem_printf("%s/rabbitmq-server", site->programs));
	char *log = node_console_path(site->dir, node->name);
	bool good = node_spawn_free(site, node, &argv, log, &node->pid, err);
	free(log);
	if (good) {
		node->state = NODE_STARTING;
		node->ends_as = NODE_ENDED;
		node->started_ms = chrono_wall_ms();
	}
	return good;
}

/* AMQP 0-9-1, 4.2.2: the client sends this, the server a frame, and the first is a method (1) on
 * channel 0. Anything else, such as our own bytes, is not a broker that is ready. */
static bool is_greeted(int fd, uint64_t deadline_ns)
{
	static const char hello[] = {'A', 'M', 'Q', 'P', 0, 0, 9, 1};
	static const char answer[] = {1, 0, 0};
	char bytes[7];
	if (!wait_one(fd, POLLOUT, deadline_ns) ||
	    send(fd, hello, sizeof hello, MSG_NOSIGNAL) != (ssize_t)sizeof hello)
		return false;
	if (!wait_one(fd, POLLIN, deadline_ns) ||
	    recv(fd, bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return false;
	return memcmp(bytes, answer, sizeof answer) == 0;
}

static bool opens_handshake(const struct node *node, uint64_t deadline_ns)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons(node->ports[NODE_PORT_AMQP])};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	bool good = (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ||
			errno == EINPROGRESS) &&
		    is_greeted(fd, deadline_ns);
	close(fd);
	return good;
}

bool node_answers(struct node *node, uint64_t deadline_ns)
{
	if (node->notify.address[0] != '\0') {
		if (!notify_is_ready(&node->notify))
			return false;
		notify_close(&node->notify);
	}
	return opens_handshake(node, deadline_ns);
}
