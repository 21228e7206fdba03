#include "lab/partition.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* "['b@localhost','c@localhost']" */
static void render_nodes(const struct state *state, uint32_t mask, struct buf *out)
{
	const char *separator = "";
	buf_append_char(out, '[');
	for (size_t i = 0; i < state->node_count; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		buf_printf(out, "%s'%s@localhost'", separator, state->nodes[i].name);
		separator = ",";
	}
	buf_append_char(out, ']');
}

static bool await(const struct remote *remote, const struct state *state, size_t index,
    const char *setup, const char *condition, const char *failure, struct error *err)
{
	bool held;
	const struct node *node = &state->nodes[index];
	if (!remote_await(remote, state, node, setup, condition, &held, err))
		return false;
	return held || error_set(err, ERROR_UNAVAILABLE,
			   "node '%s' %s within the --wait; see 'lab ctl %s -- cluster_status'",
			   node->name, failure, node->name);
}

/* A node that has stopped serving, as pause_minority makes it, sees nobody either. */
#define SEES_NONE_OF_THEM                                              \
	"[] =:= [X || X <- Others, lists:member(X, nodes())] andalso " \
	"(not rabbit:is_running() orelse "                             \
	"[] =:= [X || X <- Others, lists:member(X, rabbit_nodes:all_running())])"

/* The other side first, while it can be reached; its half alone changes nothing yet. */
static bool sever(const struct remote *remote, const struct state *state, size_t node,
    uint32_t others, struct error *err)
{
	struct buf list = {0};
	render_nodes(state, others, &list);
	char *setup =
	    mem_printf("Others = %s, "
		       "[rpc:call(X, erlang, set_cookie, [node(), cut_there]) || X <- Others], "
		       "[erlang:set_cookie(X, cut_here) || X <- Others], "
		       "[erlang:disconnect_node(X) || X <- Others],",
		list.ptr);
	bool good =
	    await(remote, state, node, setup, SEES_NONE_OF_THEM, "still sees the others", err);
	free(setup);
	buf_release(&list);
	return good;
}

bool partition_cut(const struct remote *remote, const struct state *state, size_t node,
    uint32_t others, struct error *err)
{
	bool good = sever(remote, state, node, others, err);
	char *setup = mem_printf("Others = ['%s@localhost'],", state->nodes[node].name);
	for (size_t i = 0; good && i < state->node_count; i++)
		if ((others >> i & 1) != 0)
			good = await(remote, state, i, setup, SEES_NONE_OF_THEM,
			    "still sees the node that was cut", err);
	free(setup);
	return good;
}

/* The right secret also for one that has been killed in between and will be started again. */
static bool mend(
    const struct remote *remote, const struct state *state, size_t node, struct error *err)
{
	struct buf expression = {0}, ignored = {0};
	buf_append_str(&expression, "Others = ");
	render_nodes(state, state->cuts[node], &expression);
	buf_append_str(&expression, ", [erlang:set_cookie(X, erlang:get_cookie()) || X <- Others], "
				    "[net_kernel:connect_node(X) || X <- Others], ok.");
	bool good = remote_eval(remote, state, &state->nodes[node], expression.ptr, &ignored, err);
	buf_release(&expression);
	buf_release(&ignored);
	return good;
}

static bool can_be_asked(const struct node *node)
{
	return node->state == NODE_RUNNING;
}

/* All nodes that run but those that are still cut from some. */
static uint32_t whole_part(const struct state *state)
{
	uint32_t mask = 0;
	for (size_t i = 0; i < state->node_count; i++)
		if (can_be_asked(&state->nodes[i]) && state->cuts[i] == 0)
			mask |= UINT32_C(1) << i;
	return mask;
}

bool partition_await_whole(
    const struct remote *remote, const struct state *state, size_t node, struct error *err)
{
	struct buf setup = {0};
	buf_append_str(&setup, "Others = ");
	render_nodes(state, whole_part(state), &setup);
	buf_append_char(&setup, ',');
	bool good = await(remote, state, node, setup.ptr,
	    "rabbit:is_running() andalso [] =:= Others -- rabbit_nodes:all_running() andalso "
	    "[] =:= rabbit_node_monitor:partitions()",
	    "is not back in the cluster", err);
	buf_release(&setup);
	return good;
}

static size_t count_cuts(const struct state *state, size_t node)
{
	return (size_t)__builtin_popcount(state->cuts[node]);
}

/* The node that was cut from most goes last: it alone keeps all its ways closed until then, and
 * opens them at once. If it saw one of two others first, it would serve again while it is still
 * parted from the other, and RabbitMQ would keep the two apart. */
static bool mend_all(const struct remote *remote, const struct state *state, struct error *err)
{
	for (size_t cuts = 1; cuts < state->node_count; cuts++)
		for (size_t i = 0; i < state->node_count; i++)
			if (count_cuts(state, i) == cuts && can_be_asked(&state->nodes[i]) &&
			    !mend(remote, state, i, err))
				return false;
	return true;
}

bool partition_heal(const struct remote *remote, const struct state *state, struct error *err)
{
	struct state healed = *state;
	memset(healed.cuts, 0, sizeof healed.cuts);
	if (!mend_all(remote, state, err))
		return false;
	for (size_t i = 0; i < state->node_count; i++)
		if (state->cuts[i] != 0 && can_be_asked(&state->nodes[i]) &&
		    !partition_await_whole(remote, &healed, i, err))
			return false;
	return true;
}
