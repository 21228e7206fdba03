#include "lab/change.h"

#include "base/mem.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

const char *const change_verb_names[CHANGE_VERB_COUNT] = {
    [CHANGE_KILL] = "kill",
    [CHANGE_STOP] = "stop",
    [CHANGE_START] = "start",
    [CHANGE_PAUSE] = "pause",
    [CHANGE_RESUME] = "resume",
    [CHANGE_CUT] = "cut",
    [CHANGE_HEAL] = "heal",
};

#define BIT(state) (1U << (state))

/* A paused node would get SIGTERM only when it is resumed, so it cannot be stopped. A resumed one
 * is heard of again before it counts as running. */
static const struct rule {
	unsigned allowed; /* bits of the states it may begin in */
	const char *allowed_text;
	int signal;
	enum node_state state, ends_as;
} rules[CHANGE_VERB_COUNT] = {
    [CHANGE_KILL] = {BIT(NODE_STARTING) | BIT(NODE_RUNNING) | BIT(NODE_PAUSED) | BIT(NODE_STOPPING),
	"starting, running, paused or stopping", SIGKILL, NODE_STOPPING, NODE_KILLED},
    [CHANGE_STOP] = {BIT(NODE_STARTING) | BIT(NODE_RUNNING), "starting or running", SIGTERM,
	NODE_STOPPING, NODE_STOPPED},
    [CHANGE_START] = {BIT(NODE_STOPPED) | BIT(NODE_KILLED) | BIT(NODE_ENDED),
	"stopped, killed or ended", 0, NODE_STARTING, NODE_ENDED},
    [CHANGE_PAUSE] = {BIT(NODE_RUNNING), "running", SIGSTOP, NODE_PAUSED, NODE_ENDED},
    [CHANGE_RESUME] = {BIT(NODE_PAUSED), "paused", SIGCONT, NODE_STARTING, NODE_ENDED},
    [CHANGE_CUT] = {BIT(NODE_RUNNING), "running", 0, NODE_RUNNING, NODE_ENDED},
};

static bool check_node(
    const struct state *state, const struct change *change, size_t index, struct error *err)
{
	const struct rule *rule = &rules[change->verb];
	const struct node *node = &state->nodes[index];
	return (rule->allowed & BIT(node->state)) != 0 ||
	       error_set(err, ERROR_UNAVAILABLE, "cannot %s node '%s': it is %s, not %s",
		   change_verb_names[change->verb], node->name, node_state_names[node->state],
		   rule->allowed_text);
}

/* A node that starts knows nothing of a cut: it would come back through it. */
static bool check_uncut(const struct state *state, size_t index, struct error *err)
{
	for (size_t other = 0; other < state->node_count; other++)
		if ((state->cuts[index] >> other & 1) != 0)
			return error_set(err, ERROR_UNAVAILABLE,
			    "cannot start node '%s': it is cut from '%s'; heal that first",
			    state->nodes[index].name, state->nodes[other].name);
	return true;
}

bool change_check(const struct state *state, const struct change *change, struct error *err)
{
	if (change->verb == CHANGE_HEAL)
		return true;
	if (!check_node(state, change, change->node, err))
		return false;
	for (size_t other = 0; other < state->node_count; other++)
		if (change->verb == CHANGE_CUT && (change->others >> other & 1) != 0 &&
		    !check_node(state, change, other, err))
			return false;
	return change->verb != CHANGE_START || check_uncut(state, change->node, err);
}

static bool send_signal(struct node *node, const struct rule *rule, struct error *err)
{
	if (kill(node->pid, rule->signal) != 0)
		return error_set(err, ERROR_UNAVAILABLE, "cannot signal node '%s': %s", node->name,
		    strerror(errno));
	node->state = rule->state;
	node->ends_as = rule->ends_as;
	return true;
}

static void note_cut(struct state *state, const struct change *change)
{
	for (size_t other = 0; other < state->node_count; other++)
		if ((change->others >> other & 1) != 0)
			state->cuts[other] |= UINT32_C(1) << change->node;
	state->cuts[change->node] |= change->others;
}

bool change_apply(const struct node_site *site, struct state *state, const struct change *change,
    struct error *err)
{
	if (!change_check(state, change, err))
		return false;
	switch (change->verb) {
	case CHANGE_HEAL:
		memset(state->cuts, 0, sizeof state->cuts);
		return true;
	case CHANGE_CUT:
		note_cut(state, change);
		return true;
	case CHANGE_START:
		return node_start(site, &state->nodes[change->node], err);
	default:
		return send_signal(&state->nodes[change->node], &rules[change->verb], err);
	}
}
