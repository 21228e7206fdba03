#include "lab/fault.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "lab/change.h"
#include "lab/control.h"
#include "lab/lab.h"
#include "lab/partition.h"
#include "lab/remote.h"
#include "lab/wait.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_EVERY_NS (10 * CHRONO_MS)
#define TAIL_BYTES 700

struct act {
	const struct fault_site *site;
	struct remote remote;
	struct state state; /* as last read */
	char *const *operands;
	size_t operand_count;
	uint64_t begun_ns;
	struct buf *out;
};

typedef bool act_fn(struct act *act, struct error *err);

static bool refresh(struct act *act, struct error *err)
{
	return lab_find(act->site->dir, &act->state, err);
}

static bool find_index(const struct act *act, const char *name, size_t *out, struct error *err)
{
	const struct node *node = state_find_node(&act->state, name, err);
	if (node == NULL)
		return false;
	*out = (size_t)(node - act->state.nodes);
	return true;
}

/* "node b is killed, after 12ms" */
static void tell(struct act *act, const char *fmt, ...) ERROR_FORMAT(2, 3);

static void tell(struct act *act, const char *fmt, ...)
{
	char text[ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args); /* names of nodes: short */
	va_end(args);
	buf_printf(act->out, "%s, after ", text);
	uint64_t took_ms = (chrono_now_ns() - act->begun_ns) / CHRONO_MS;
	num_format_duration((took_ms > 0 ? took_ms : 1) * CHRONO_MS, act->out);
	buf_append_char(act->out, '\n');
}

static bool too_late(const struct act *act, const char *what, struct error *err)
{
	struct buf wait = {0};
	num_format_duration(act->site->wait_ns, &wait);
	error_set(
	    err, ERROR_UNAVAILABLE, "%s within %s; give it more time with --wait", what, wait.ptr);
	buf_release(&wait);
	return false;
}

/* ---- what is done to single nodes ---- */

/* SIGSTOP has arrived when every thread of the process is stopped: the third field of stat. */
static bool is_stopped(pid_t pid)
{
	char path[64], stat[512];
	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	size_t length = fread(stat, 1, sizeof stat - 1, file);
	(void)fclose(file); /* only read from */
	stat[length] = '\0';
	const char *name_end = strrchr(stat, ')');
	return name_end != NULL && name_end[1] == ' ' && name_end[2] == 'T';
}

/* What a verb leads to, and by which words it is told. */
static const struct outcome {
	enum node_state state;
	const char *told, *late;
	bool in_cluster; /* only complete when the others see it, too */
} outcomes[] = {
    [CHANGE_KILL] = {NODE_KILLED, "is killed", "does not die", false},
    [CHANGE_STOP] = {NODE_STOPPED, "is stopped", "has not stopped", false},
    [CHANGE_START] = {NODE_RUNNING, "runs again", "does not answer", true},
    [CHANGE_PAUSE] = {NODE_PAUSED, "is paused", "does not pause", false},
    [CHANGE_RESUME] = {NODE_RUNNING, "goes on", "does not answer", true},
};

static bool has_come(const struct node *node, const struct outcome *outcome)
{
	return node->state == outcome->state &&
	       (outcome->state != NODE_PAUSED || is_stopped(node->pid));
}

/* The console says why a node could not start. */
static bool ended_instead(const struct act *act, const struct node *node, struct error *err)
{
	struct buf tail = {0};
	char *log = node_console_path(act->site->dir, node->name);
	child_log_tail(log, TAIL_BYTES, &tail);
	error_set(err, ERROR_UNAVAILABLE, "node '%s' is %s; its last lines:\n%s", node->name,
	    node_state_names[node->state], tail.ptr ? tail.ptr : "");
	free(log);
	buf_release(&tail);
	return false;
}

static bool await_node(
    struct act *act, size_t index, const struct outcome *outcome, struct error *err)
{
	for (;;) {
		const struct node *node = &act->state.nodes[index];
		if (!refresh(act, err))
			return false;
		if (has_come(node, outcome))
			return true;
		if (outcome->in_cluster && !node_is_alive(node->state))
			return ended_instead(act, node, err);
		uint64_t now_ns = chrono_now_ns();
		if (now_ns >= act->remote.deadline_ns) {
			char what[64];
			(void)snprintf(
			    what, sizeof what, "node '%s' %s", node->name, outcome->late);
			return too_late(act, what, err);
		}
		(void)wait_any(NULL, 0, chrono_after(now_ns, LOOK_EVERY_NS));
	}
}

static bool complete(
    struct act *act, size_t index, const struct outcome *outcome, struct error *err)
{
	if (!await_node(act, index, outcome, err))
		return false;
	bool rejoins = outcome->in_cluster && act->state.node_count > 1;
	if (rejoins && !partition_await_whole(&act->remote, &act->state, index, err))
		return false;
	tell(act, "node %s %s%s", act->state.nodes[index].name, outcome->told,
	    rejoins ? " and is back in the cluster" : "");
	return true;
}

/* All are asked before one is waited for: the nodes of a cluster that were all down start only
 * together. */
static bool change_nodes(struct act *act, enum change_verb verb, struct error *err)
{
	size_t indices[NODE_MAX] = {0};
	if (act->operand_count > act->state.node_count)
		return error_set(
		    err, ERROR_USAGE, "the lab has only %zu node(s)", act->state.node_count);
	for (size_t i = 0; i < act->operand_count; i++)
		if (!find_index(act, act->operands[i], &indices[i], err))
			return false;
	for (size_t i = 0; i < act->operand_count; i++) {
		const struct change change = {.verb = verb, .node = indices[i]};
		if (!control_ask(act->site->dir, &change, act->remote.deadline_ns, err))
			return false;
	}
	for (size_t i = 0; i < act->operand_count; i++)
		if (!complete(act, indices[i], &outcomes[verb], err))
			return false;
	return true;
}

static bool act_kill(struct act *act, struct error *err)
{
	return change_nodes(act, CHANGE_KILL, err);
}

static bool act_stop(struct act *act, struct error *err)
{
	return change_nodes(act, CHANGE_STOP, err);
}

static bool act_start(struct act *act, struct error *err)
{
	return change_nodes(act, CHANGE_START, err);
}

static bool act_pause(struct act *act, struct error *err)
{
	return change_nodes(act, CHANGE_PAUSE, err);
}

static bool act_resume(struct act *act, struct error *err)
{
	return change_nodes(act, CHANGE_RESUME, err);
}

/* ---- the network between them ---- */

/* The named others, or all of them. */
static bool choose_others(const struct act *act, size_t node, uint32_t *out, struct error *err)
{
	uint32_t others = 0;
	for (size_t i = 1; i < act->operand_count; i++) {
		size_t other;
		if (!find_index(act, act->operands[i], &other, err))
			return false;
		others |= UINT32_C(1) << other;
	}
	if (act->operand_count == 1)
		for (size_t i = 0; i < act->state.node_count; i++)
			if (i != node && act->state.nodes[i].state == NODE_RUNNING)
				others |= UINT32_C(1) << i;
	if (others == 0)
		return error_set(err, ERROR_UNAVAILABLE,
		    "there is no other node that runs to cut '%s' from",
		    act->state.nodes[node].name);
	if ((others >> node & 1) != 0)
		return error_set(err, ERROR_USAGE, "node '%s' cannot be cut from itself",
		    act->state.nodes[node].name);
	*out = others;
	return true;
}

static void tell_cut(struct act *act, size_t node, uint32_t others)
{
	struct buf names = {0};
	for (size_t i = 0; i < act->state.node_count; i++)
		if ((others >> i & 1) != 0)
			buf_printf(
			    &names, "%s%s", names.len > 0 ? " and " : "", act->state.nodes[i].name);
	tell(act, "node %s is cut from %s, and each sees the other as down",
	    act->state.nodes[node].name, names.ptr);
	buf_release(&names);
}

/* Noted first: whatever happens in the middle, heal knows of it. */
static bool act_cut(struct act *act, struct error *err)
{
	size_t node;
	uint32_t others = 0;
	if (!find_index(act, act->operands[0], &node, err) ||
	    !choose_others(act, node, &others, err))
		return false;
	const struct change change = {.verb = CHANGE_CUT, .node = node, .others = others};
	if (!control_ask(act->site->dir, &change, act->remote.deadline_ns, err) ||
	    !partition_cut(&act->remote, &act->state, node, others, err))
		return false;
	tell_cut(act, node, others);
	return true;
}

static bool act_heal(struct act *act, struct error *err)
{
	uint32_t cuts = 0;
	for (size_t i = 0; i < act->state.node_count; i++)
		cuts |= act->state.cuts[i];
	if (cuts == 0) {
		buf_append_str(act->out, "nothing was cut\n");
		return true;
	}
	const struct change change = {.verb = CHANGE_HEAL};
	if (!partition_heal(&act->remote, &act->state, err) ||
	    !control_ask(
		act->site->dir, &change, chrono_after(act->remote.deadline_ns, CHRONO_S), err))
		return false;
	tell(act, "the cluster is whole again");
	return true;
}

/* ---- alarms ---- */

/* A limit nobody can keep, and the one of rabbitmq.conf. */
static const struct alarm_kind {
	const char *name, *on, *off;
} alarms[] = {
    {"memory", "vm_memory_monitor:set_vm_memory_high_watermark({absolute, 1})",
	"vm_memory_monitor:set_vm_memory_high_watermark({absolute, \"" NODE_MEMORY_LIMIT "\"})"},
    {"disk", "rabbit_disk_monitor:set_disk_free_limit(1 bsl 60)",
	"rabbit_disk_monitor:set_disk_free_limit(\"" NODE_DISK_LIMIT "\")"},
};

static bool parse_alarm(
    const struct act *act, const struct alarm_kind **out, bool *is_on, struct error *err)
{
	const char *kind = act->operands[0], *how = act->operands[1];
	for (size_t i = 0; i < ARRAY_LEN(alarms); i++) {
		if (strcmp(alarms[i].name, kind) != 0)
			continue;
		*out = &alarms[i];
		*is_on = strcmp(how, "on") == 0;
		if (*is_on || strcmp(how, "off") == 0)
			return true;
	}
	return error_set(
	    err, ERROR_USAGE, "alarm needs: memory or disk, then on or off, then perhaps a node");
}

static bool set_alarm(
    struct act *act, size_t index, const struct alarm_kind *kind, bool is_on, struct error *err)
{
	const struct node *node = &act->state.nodes[index];
	bool held;
	char *setup = mem_printf("%s,", is_on ? kind->on : kind->off);
	char *condition = mem_printf(
	    "%s =:= lists:keymember({resource_limit, %s, node()}, 1, rabbit_alarm:get_alarms())",
	    is_on ? "true" : "false", kind->name);
	bool good = remote_await(&act->remote, &act->state, node, setup, condition, &held, err);
	free(setup);
	free(condition);
	if (good && !held)
		return too_late(
		    act, is_on ? "the alarm did not come" : "the alarm did not go", err);
	if (good)
		tell(act, "node %s %s a %s alarm", node->name, is_on ? "has" : "is without",
		    kind->name);
	return good;
}

static bool act_alarm(struct act *act, struct error *err)
{
	const struct alarm_kind *kind;
	bool is_on;
	size_t only = 0;
	if (!parse_alarm(act, &kind, &is_on, err) ||
	    (act->operand_count > 2 && !find_index(act, act->operands[2], &only, err)))
		return false;
	size_t done = 0;
	for (size_t i = 0; i < act->state.node_count; i++) {
		if (act->operand_count > 2 ? i != only : act->state.nodes[i].state != NODE_RUNNING)
			continue;
		if (act->state.nodes[i].state != NODE_RUNNING)
			return error_set(err, ERROR_UNAVAILABLE,
			    "node '%s' cannot have an alarm: it is %s, not running",
			    act->state.nodes[i].name, node_state_names[act->state.nodes[i].state]);
		if (!set_alarm(act, i, kind, is_on, err))
			return false;
		done++;
	}
	return done > 0 || error_set(err, ERROR_UNAVAILABLE, "no node is running");
}

/* ---- who leads ---- */

/* A quorum queue is asked itself, because what is written down may be of a leader that has died.
 * 'down' is said by a node that does not serve. */
#define LEADER_EXPRESSION                                                                        \
	"End = erlang:monotonic_time(millisecond) + %llu, "                                      \
	"Find = fun(Again) -> "                                                                  \
	"R = case not rabbit:is_running() orelse "                                               \
	"rabbit_amqqueue:lookup(rabbit_misc:r(%s, queue, %s)) of "                               \
	"true -> down; {error, not_found} -> missing; "                                          \
	"{ok, Q} -> case amqqueue:get_pid(Q) of "                                                \
	"{Name, _} -> case ra:members([{Name, X} || X <- rabbit_nodes:all_running()], 1000) of " \
	"{ok, _, {_, L}} -> L; _ -> none end; "                                                  \
	"P when is_pid(P) -> case lists:member(node(P), [node() | nodes()]) of "                 \
	"true -> node(P); _ -> none end; "                                                       \
	"_ -> none end end, "                                                                    \
	"case R =:= none andalso erlang:monotonic_time(millisecond) < End of "                   \
	"true -> timer:sleep(50), Again(Again); false -> R end end, Find(Find)."

static char *render_leader(const struct act *act)
{
	uint64_t now_ns = chrono_now_ns();
	uint64_t left_ns = act->remote.deadline_ns > now_ns ? act->remote.deadline_ns - now_ns : 0;
	struct buf vhost = {0}, queue = {0};
	remote_render_binary(slice_str(act->site->vhost), &vhost);
	remote_render_binary(slice_str(act->operands[0]), &queue);
	char *expression = mem_printf(
	    LEADER_EXPRESSION, (unsigned long long)(left_ns / CHRONO_MS), vhost.ptr, queue.ptr);
	buf_release(&vhost);
	buf_release(&queue);
	return expression;
}

static bool no_queue(const struct act *act, struct error *err)
{
	char *queue = text_quote(slice_str(act->operands[0]));
	char *vhost = text_quote(slice_str(act->site->vhost));
	error_set(err, ERROR_REFUSED, "there is no queue '%s' in the vhost '%s'", queue, vhost);
	free(queue);
	free(vhost);
	return false;
}

/* Asks one node; *out stays empty when it does not serve. */
static bool ask_leader(
    const struct act *act, const struct node *node, struct buf *out, struct error *err)
{
	char *expression = render_leader(act);
	bool good = remote_eval(&act->remote, &act->state, node, expression, out, err);
	free(expression);
	if (!good)
		return false;
	if (slice_is(buf_slice(out), "missing"))
		return no_queue(act, err);
	if (slice_is(buf_slice(out), "none"))
		return too_late(act, "the queue had no leader", err);
	if (slice_is(buf_slice(out), "down"))
		buf_clear(out);
	return true;
}

static bool act_leader(struct act *act, struct error *err)
{
	struct buf name = {0};
	bool good = true;
	for (size_t i = 0; good && name.len == 0 && i < act->state.node_count; i++)
		if (act->state.nodes[i].state == NODE_RUNNING)
			good = ask_leader(act, &act->state.nodes[i], &name, err);
	if (good && name.len == 0)
		good = error_set(err, ERROR_UNAVAILABLE, "no node serves, so none leads");
	if (good) {
		const char *at = memchr(name.ptr, '@', name.len);
		text_escape((struct slice){name.ptr, at ? (size_t)(at - name.ptr) : name.len},
		    SIZE_MAX, act->out);
		buf_append_char(act->out, '\n');
	}
	buf_release(&name);
	return good;
}

static const struct verb {
	const char *name, *usage;
	size_t operands_min, operands_max;
	act_fn *act;
} verbs[] = {
    {"kill", "NODE...", 1, NODE_MAX, act_kill},
    {"stop", "NODE...", 1, NODE_MAX, act_stop},
    {"start", "NODE...", 1, NODE_MAX, act_start},
    {"pause", "NODE...", 1, NODE_MAX, act_pause},
    {"resume", "NODE...", 1, NODE_MAX, act_resume},
    {"cut", "NODE [NODE...]", 1, NODE_MAX, act_cut},
    {"heal", "nothing more", 0, 0, act_heal},
    {"alarm", "memory|disk on|off [NODE]", 2, 3, act_alarm},
    {"leader", "QUEUE", 1, 1, act_leader},
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

bool fault_is_verb(const char *verb)
{
	return find_verb(verb) != NULL;
}

bool fault_run(const struct fault_site *site, const char *name, char *const operands[],
    struct buf *out, struct error *err)
{
	const struct verb *verb = find_verb(name);
	uint64_t now_ns = chrono_now_ns();
	struct act act = {.site = site,
	    .remote = {.dir = site->dir,
		.programs = site->programs,
		.deadline_ns = chrono_after(now_ns, site->wait_ns)},
	    .operands = operands,
	    .begun_ns = now_ns,
	    .out = out};
	while (operands[act.operand_count] != NULL)
		act.operand_count++;
	if (act.operand_count < verb->operands_min || act.operand_count > verb->operands_max)
		return error_set(err, ERROR_USAGE, "usage: lab %s %s", verb->name, verb->usage);
	return refresh(&act, err) && verb->act(&act, err);
}
