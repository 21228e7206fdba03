#include "lab/state.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "lab/certificates.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VERSION 1
#define MAX_FILE_BYTES 65536

static const char *const phase_names[STATE_PHASE_COUNT] = {
    [STATE_STARTING] = "starting",
    [STATE_RUNNING] = "running",
    [STATE_ENDED] = "ended",
};

static json_t *node_to_json(const struct node *node)
{
	json_t *ports = json_object();
	for (size_t i = 0; i < NODE_PORT_COUNT; i++)
		if (node->ports[i] != 0)
			json_object_set_new(
			    ports, node_port_names[i], json_integer(node->ports[i]));
	char *url = state_url(node);
	json_t *json = json_pack("{s:s, s:s, s:i, s:I, s:s, s:o}", "name", node->name, "state",
	    node_state_names[node->state], "pid", (int)node->pid, "started_ms",
	    (json_int_t)node->started_ms, "url", url, "ports", ports);
	free(url);
	return json;
}

static json_t *cuts_to_json(const struct state *state)
{
	json_t *cuts = json_array();
	for (size_t i = 0; i < state->node_count; i++)
		for (size_t j = i + 1; j < state->node_count; j++)
			if ((state->cuts[i] >> j & 1) != 0)
				json_array_append_new(
				    cuts, json_pack("[s, s]", state->nodes[i].name,
					      state->nodes[j].name));
	return cuts;
}

void state_render_json(const struct state *state, const char *dir, struct buf *out)
{
	json_t *nodes = json_array();
	for (size_t i = 0; i < state->node_count; i++)
		json_array_append_new(nodes, node_to_json(&state->nodes[i]));
	struct buf started = {0}, shown = {0};
	chrono_format(state->started_ms, &started);
	text_escape(slice_str(dir), SIZE_MAX, &shown); /* JSON wants UTF-8, a path may not be */
	json_t *root = json_pack("{s:i, s:s, s:s, s:i, s:s, s:I, s:{s:i, s:i}, s:o, s:o}",
	    "version", VERSION, "state", phase_names[state->phase], "dir", shown.ptr, "supervisor",
	    (int)state->supervisor, "started", started.ptr, "started_ms",
	    (json_int_t)state->started_ms, "epmd", "pid", (int)state->epmd, "port",
	    (int)state->epmd_port, "nodes", nodes, "cuts", cuts_to_json(state));
	char *text = json_dumps(root, JSON_COMPACT);
	buf_append_str(out, text);
	buf_append_char(out, '\n');
	free(text);
	json_decref(root);
	buf_release(&started);
	buf_release(&shown);
}

/* The index of a name in a table of names; false when it is not there. */
static bool find_name(const char *const names[], size_t count, const char *name, int *out)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0) {
			*out = (int)i;
			return true;
		}
	}
	return false;
}

static bool is_port(json_int_t value)
{
	return value > 0 && value <= UINT16_MAX;
}

static bool is_pid(json_int_t value)
{
	return value >= 0 && value <= INT32_MAX;
}

static bool node_from_json(json_t *json, size_t index, struct node *out)
{
	const char *name, *state_name;
	json_int_t pid;
	json_t *ports;
	int state;
	if (json_unpack(json, "{s:s, s:s, s:I, s:o}", "name", &name, "state", &state_name, "pid",
		&pid, "ports", &ports) != 0)
		return false;
	node_name(index, out->name);
	if (strcmp(name, out->name) != 0 || !is_pid(pid) ||
	    !find_name(node_state_names, NODE_STATE_COUNT, state_name, &state))
		return false;
	out->state = (enum node_state)state;
	out->pid = (pid_t)pid;
	out->started_ms = json_integer_value(json_object_get(json, "started_ms"));
	for (size_t i = 0; i < NODE_PORT_COUNT; i++) {
		json_int_t port = json_integer_value(json_object_get(ports, node_port_names[i]));
		if (!is_port(port) && (i != NODE_PORT_AMQPS || port != 0))
			return false;
		out->ports[i] = (uint16_t)port;
	}
	return true;
}

/* The index of a node by its name; false when the lab has no such node. */
static bool find_index(const struct state *state, const char *name, size_t *out)
{
	for (size_t i = 0; name != NULL && i < state->node_count; i++) {
		if (strcmp(state->nodes[i].name, name) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

static bool cuts_from_json(json_t *cuts, struct state *out)
{
	for (size_t i = 0; i < json_array_size(cuts); i++) {
		json_t *pair = json_array_get(cuts, i);
		size_t a, b;
		if (!find_index(out, json_string_value(json_array_get(pair, 0)), &a) ||
		    !find_index(out, json_string_value(json_array_get(pair, 1)), &b))
			return false;
		out->cuts[a] |= UINT32_C(1) << b;
		out->cuts[b] |= UINT32_C(1) << a;
	}
	return true;
}

static bool from_json(json_t *root, struct state *out)
{
	int version, phase;
	const char *phase_name;
	json_int_t supervisor, started_ms, epmd, epmd_port;
	json_t *nodes;
	if (json_unpack(root, "{s:i, s:s, s:I, s:I, s:{s:I, s:I}, s:o}", "version", &version,
		"state", &phase_name, "supervisor", &supervisor, "started_ms", &started_ms, "epmd",
		"pid", &epmd, "port", &epmd_port, "nodes", &nodes) != 0)
		return false;
	size_t count = json_array_size(nodes);
	if (version != VERSION || !is_pid(supervisor) || !is_pid(epmd) || !is_port(epmd_port) ||
	    count < 1 || count > NODE_MAX ||
	    !find_name(phase_names, STATE_PHASE_COUNT, phase_name, &phase))
		return false;
	*out = (struct state){.phase = (enum state_phase)phase,
	    .supervisor = (pid_t)supervisor,
	    .epmd = (pid_t)epmd,
	    .epmd_port = (uint16_t)epmd_port,
	    .started_ms = started_ms,
	    .node_count = count};
	for (size_t i = 0; i < count; i++)
		if (!node_from_json(json_array_get(nodes, i), i, &out->nodes[i]))
			return false;
	return cuts_from_json(json_object_get(root, "cuts"), out);
}

bool state_parse(struct slice json, struct state *out, struct error *err)
{
	struct state state;
	json_error_t cause;
	json_t *root =
	    json_loadb(json.ptr ? json.ptr : "", json.len, JSON_REJECT_DUPLICATES, &cause);
	bool good = root != NULL && from_json(root, &state);
	json_decref(root);
	if (!good)
		return error_set(
		    err, ERROR_DATA, "not the state of a lab that this version of warren has made");
	*out = state;
	return true;
}

static bool cannot(const char *what, enum error_kind kind, const char *path, struct error *err)
{
	int cause = errno;
	char *name = text_quote(slice_str(path));
	error_set(err, kind, "cannot %s '%s': %s", what, name, strerror(cause));
	free(name);
	return false;
}

static bool write_whole(const char *path, struct slice text)
{
	FILE *file = fopen(path, "we");
	if (file == NULL)
		return false;
	bool good = fwrite(text.ptr, 1, text.len, file) == text.len;
	return fclose(file) == 0 && good;
}

bool state_write(const struct state *state, const char *dir, struct error *err)
{
	struct buf json = {0};
	char *path = mem_printf("%s/state.json", dir);
	char *fresh = mem_printf("%s/state.json.new", dir);
	state_render_json(state, dir, &json);
	bool good = (write_whole(fresh, buf_slice(&json)) && rename(fresh, path) == 0) ||
		    cannot("write", ERROR_IO, path, err);
	free(path);
	free(fresh);
	buf_release(&json);
	return good;
}

static bool read_whole(const char *path, struct buf *out, struct error *err)
{
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return cannot("read", ERROR_NO_INPUT, path, err);
	char *end = buf_reserve(out, MAX_FILE_BYTES);
	out->len = fread(end, 1, MAX_FILE_BYTES, file);
	bool good = ferror(file) == 0 || cannot("read", ERROR_NO_INPUT, path, err);
	(void)fclose(file); /* only read from */
	return good;
}

bool state_read(const char *dir, struct state *out, struct error *err)
{
	struct buf json = {0};
	char *path = mem_printf("%s/state.json", dir);
	bool good = read_whole(path, &json, err);
	if (good && !state_parse(buf_slice(&json), out, err))
		good = error_context(err, "cannot use the lab's state.json");
	free(path);
	buf_release(&json);
	return good;
}

char *state_url(const struct node *node)
{
	return mem_printf("amqp://guest:guest@127.0.0.1:%u", node->ports[NODE_PORT_AMQP]);
}

const struct node *state_find_node(const struct state *state, const char *name, struct error *err)
{
	size_t index = 0;
	if (name == NULL || find_index(state, name, &index))
		return &state->nodes[index];
	char *shown = text_quote(slice_str(name));
	error_set(err, ERROR_USAGE, "the lab has no node '%s'", shown);
	free(shown);
	return NULL;
}

static char *all_urls(const struct state *state)
{
	struct buf urls = {0};
	for (size_t i = 0; i < state->node_count; i++) {
		char *url = state_url(&state->nodes[i]);
		buf_printf(&urls, "%s%s", i > 0 ? " " : "", url);
		free(url);
	}
	return buf_take(&urls);
}

void state_variables(
    const struct state *state, const char *dir, struct state_variable out[STATE_VARIABLE_COUNT])
{
	const uint16_t *ports = state->nodes[0].ports;
	bool tls = ports[NODE_PORT_AMQPS] != 0;
	const struct state_variable variables[STATE_VARIABLE_COUNT] = {
	    {"AMQP_URL", state_url(&state->nodes[0])},
	    {"AMQP_URLS", all_urls(state)},
	    {"AMQPS_URL",
		tls ? mem_printf("amqps://guest:guest@127.0.0.1:%u", ports[NODE_PORT_AMQPS])
		    : NULL},
	    {"AMQPS_FILES", tls ? mem_printf("%s/" CERTIFICATES_FOLDER, dir) : NULL},
	    {"RABBITMQ_MANAGEMENT_URL",
		mem_printf("http://guest:guest@127.0.0.1:%u", ports[NODE_PORT_MANAGEMENT])},
	    {"RABBITMQ_PROMETHEUS_URL",
		mem_printf("http://127.0.0.1:%u/metrics", ports[NODE_PORT_PROMETHEUS])},
	    {"RABBITMQ_STREAM_PORT", mem_printf("%u", ports[NODE_PORT_STREAM])},
	    {"WARREN_LAB_DIR", mem_strdup(dir)},
	};
	memcpy(out, variables, sizeof variables);
}

void state_variables_release(struct state_variable variables[STATE_VARIABLE_COUNT])
{
	for (size_t i = 0; i < STATE_VARIABLE_COUNT; i++)
		free(variables[i].value);
}

/* Between single quotes a shell reads everything as it is, except the single quote. */
void state_quote(const char *text, struct buf *out)
{
	buf_append_char(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			buf_append_str(out, "'\\''");
		else
			buf_append_char(out, *text);
	}
	buf_append_char(out, '\'');
}

void state_render_exports(const struct state *state, const char *dir, struct buf *out)
{
	struct state_variable variables[STATE_VARIABLE_COUNT];
	state_variables(state, dir, variables);
	for (size_t i = 0; i < STATE_VARIABLE_COUNT; i++) {
		if (variables[i].value == NULL)
			continue;
		buf_printf(out, "export %s=", variables[i].name);
		state_quote(variables[i].value, out);
		buf_append_char(out, '\n');
	}
	state_variables_release(variables);
}

void state_render_addresses(const struct state *state, const char *dir, struct buf *out)
{
	for (size_t i = 0; i < state->node_count; i++) {
		const struct node *node = &state->nodes[i];
		buf_printf(out, "%s  amqp://guest:guest@127.0.0.1:%u  ", node->name,
		    node->ports[NODE_PORT_AMQP]);
		if (node->ports[NODE_PORT_AMQPS] != 0)
			buf_printf(out, "amqps://guest:guest@127.0.0.1:%u  ",
			    node->ports[NODE_PORT_AMQPS]);
		buf_printf(out, "http://127.0.0.1:%u  http://127.0.0.1:%u/metrics  stream %u  ",
		    node->ports[NODE_PORT_MANAGEMENT], node->ports[NODE_PORT_PROMETHEUS],
		    node->ports[NODE_PORT_STREAM]);
		text_escape(slice_str(dir), SIZE_MAX, out);
		buf_printf(out, "/%s\n", node->name);
	}
}

static void render_uptime(const struct node *node, int64_t now_ms, struct buf *out)
{
	int64_t up_ms = now_ms > node->started_ms ? now_ms - node->started_ms : 0;
	if (node_is_alive(node->state))
		num_format_duration((uint64_t)(up_ms / 1000) * CHRONO_S, out);
	else
		buf_append_char(out, '-');
}

static void render_cuts(const struct state *state, struct buf *out)
{
	for (size_t i = 0; i < state->node_count; i++)
		for (size_t j = i + 1; j < state->node_count; j++)
			if ((state->cuts[i] >> j & 1) != 0)
				buf_printf(out, "cut: %s from %s\n", state->nodes[i].name,
				    state->nodes[j].name);
}

void state_render_table(const struct state *state, int64_t now_ms, struct buf *out)
{
	buf_printf(out, "%-4s  %-8s  %7s  %-8s  %-34s  %10s  %10s  %6s  %12s\n", "NODE", "STATE",
	    "PID", "UPTIME", "AMQP", "MANAGEMENT", "PROMETHEUS", "STREAM", "DISTRIBUTION");
	for (size_t i = 0; i < state->node_count; i++) {
		const struct node *node = &state->nodes[i];
		struct buf uptime = {0};
		char *url = state_url(node);
		render_uptime(node, now_ms, &uptime);
		buf_printf(out, "%-4s  %-8s  %7d  %-8s  %-34s  %10u  %10u  %6u  %12u\n", node->name,
		    node_state_names[node->state], (int)node->pid, uptime.ptr, url,
		    node->ports[NODE_PORT_MANAGEMENT], node->ports[NODE_PORT_PROMETHEUS],
		    node->ports[NODE_PORT_STREAM], node->ports[NODE_PORT_DISTRIBUTION]);
		free(url);
		buf_release(&uptime);
	}
	render_cuts(state, out);
}
