#include "app/rpc_responders.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_PREFETCH 100

/* A queue and what answers the requests in it. */
struct rpc_responder {
	char *name;	     /* owned */
	const char *queue;   /* borrowed */
	const json_t *steps; /* NULL: the request is the answer */
	char *pointer;	     /* of the steps in the settings; owned, NULL: no place */
	uint64_t prefetch;
	struct chain *chain;
};

/* ---- which ---- */

static void add(struct rpc_responders *r, const struct responder *which)
{
	r->items[r->count++] = (struct rpc_responder){.name = mem_printf("rpc/%s", which->name),
	    .queue = which->queue,
	    .steps = which->core,
	    .prefetch = which->prefetch};
}

static void add_named(struct rpc_responders *r, const struct responder *which)
{
	add(r, which);
	/* names have nothing that a pointer would escape */
	r->items[r->count - 1].pointer = mem_printf("/responders/%s/core", which->name);
}

static bool unknown_responder(const struct responder_list *all, const char *name, struct error *err)
{
	const char **names = mem_alloc(all->count + 1, sizeof *names);
	for (size_t i = 0; i < all->count; i++)
		names[i] = all->items[i].name;
	settings_lack("responder", name, names,
	    "the queue of somebody else's requests goes with --jq, --exec or --echo", err);
	free(names);
	return false;
}

static bool refuse_twice(const char *what, const char *name, struct error *err)
{
	char *shown = text_quote(slice_str(name));
	error_set(err, ERROR_USAGE, "the %s '%s' is named twice", what, shown);
	free(shown);
	return false;
}

static bool is_there(const struct rpc_responders *r, const char *queue)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->items[i].queue, queue) == 0)
			return true;
	return false;
}

/* Responders of the settings: the named ones, or all. */
static bool choose_named(struct rpc_responders *r, char **operands, struct error *err)
{
	const struct responder_list *all = &r->tool->settings.responders;
	if (all->count == 0)
		return error_set(err, ERROR_USAGE,
		    "what answers? give --jq, --exec or --echo, or settings with responders");
	r->items = mem_alloc(all->count, sizeof *r->items);
	for (size_t i = 0; operands[i] != NULL; i++) {
		const struct responder *which = responder_find(all, operands[i]);
		if (which == NULL)
			return unknown_responder(all, operands[i], err);
		if (is_there(r, which->queue))
			return refuse_twice("responder", operands[i], err);
		add_named(r, which);
	}
	for (size_t i = 0; operands[0] == NULL && i < all->count; i++)
		add_named(r, &all->items[i]);
	return true;
}

static json_t *build_steps(const struct rpc_options *o)
{
	json_t *steps = json_array(), *exec;
	if (o->jq != NULL)
		json_array_append_new(steps, json_pack("{s:s}", "jq", o->jq));
	if (o->exec == NULL)
		return steps;
	exec = json_pack("{s:s, s:b, s:I}", "exec", o->exec, "shell", o->exec_shell, "jobs",
	    (json_int_t)o->exec_jobs);
	if (o->has_exec_timeout)
		json_object_set_new(
		    exec, "timeout", json_real((double)o->exec_timeout_ns / (double)CHRONO_S));
	json_array_append_new(steps, exec);
	return steps;
}

/* The queues of the command line, with one answer for all. */
static bool choose_queues(
    struct rpc_responders *r, const struct rpc_options *o, char **operands, struct error *err)
{
	size_t count = 0;
	while (operands[count] != NULL)
		count++;
	if (count == 0)
		return error_set(
		    err, ERROR_USAGE, "whose requests? name the QUEUE that they come to");
	if (o->echo && (o->jq != NULL || o->exec != NULL))
		return error_set(err, ERROR_USAGE, "--echo excludes --jq and --exec");
	r->steps = build_steps(o);
	r->items = mem_alloc(count, sizeof *r->items);
	for (size_t i = 0; i < count; i++) {
		if (is_there(r, operands[i]))
			return refuse_twice("queue", operands[i], err);
		add(r, &(struct responder){operands[i], operands[i], r->steps, 0});
	}
	return true;
}

/* ---- what follows ---- */

/* Who waits for a process has no use for many more requests than processes. */
static uint64_t prefetch_for(const json_t *steps)
{
	uint64_t jobs = 0;
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i), *own = json_object_get(step, "jobs");
		if (json_object_get(step, "exec") != NULL)
			jobs += own != NULL ? (uint64_t)json_integer_value(own) : 1;
	}
	return jobs > 0 ? jobs : DEFAULT_PREFETCH;
}

static void list(struct rpc_responders *r, const struct rpc_options *o)
{
	r->queues = mem_alloc(r->count + 1, sizeof *r->queues);
	r->names = mem_alloc(r->count + 1, sizeof *r->names);
	r->is_stream = mem_alloc(r->count, sizeof *r->is_stream);
	r->own = mem_alloc(r->count, sizeof *r->own);
	for (size_t i = 0; i < r->count; i++) {
		struct rpc_responder *it = &r->items[i];
		r->queues[i] = it->queue;
		r->names[i] = it->name;
		if (o->has_prefetch)
			it->prefetch = o->prefetch;
		else if (it->prefetch == 0)
			it->prefetch = prefetch_for(it->steps);
		r->own[i] = (struct source_queue_own){.prefetch = (uint16_t)it->prefetch};
		r->prefetch += it->prefetch;
	}
}

bool rpc_responders_choose(struct rpc_responders *out, struct tool *tool,
    const struct rpc_options *o, char **operands, struct error *err)
{
	bool is_said = o->jq != NULL || o->exec != NULL || o->echo;
	out->tool = tool;
	if (o->exec == NULL && (o->exec_shell || o->has_exec_timeout || o->has_exec_jobs))
		return error_set(err, ERROR_USAGE,
		    "--exec-shell, --exec-timeout and --exec-jobs go with --exec");
	if (is_said ? !choose_queues(out, o, operands, err) : !choose_named(out, operands, err))
		return false;
	list(out, o);
	return true;
}

/* ---- logic ---- */

bool rpc_responders_open(struct rpc_responders *r, struct error *err)
{
	for (size_t i = 0; i < r->count; i++) {
		struct rpc_responder *it = &r->items[i];
		struct chain_options options = {
		    .tool = r->tool, .name = it->name, .one_answer = true};
		it->chain = chain_create(&options);
		if (!chain_add_contracts(it->chain, &r->queues[i], 1, err) ||
		    !chain_add(it->chain, it->steps, it->pointer, (unsigned)i + 1, err))
			return false;
	}
	return true;
}

/* The first core: requests go to what answers those of their queue. */
static enum flow_answer set_route(void *self, struct flow *flow, uint64_t slot,
    const struct flow_message *in, struct message *out, struct flow_verdict *verdict)
{
	const struct rpc_responders *r = self;
	(void)out, (void)verdict;
	for (size_t i = 0; i < r->count; i++)
		if (slice_is(in->queue, r->queues[i]))
			flow_set_route(flow, slot, (unsigned)i + 1);
	return FLOW_PASS;
}

bool rpc_responders_wire(struct rpc_responders *r, struct flow_options *flow, struct error *err)
{
	static const struct flow_core_kind route = {.apply = set_route};
	size_t count = flow->core_count + 2; /* one that makes the reply comes last */
	for (size_t i = 0; i < r->count; i++)
		count += chain_length(r->items[i].chain);
	if (count > FLOW_MAX_CORES)
		return error_set(err, ERROR_USAGE,
		    "more than %d steps in all: start several servers", FLOW_MAX_CORES - 2);
	flow->cores[flow->core_count++] = (struct flow_core){&route, r};
	for (size_t i = 0; i < r->count; i++)
		chain_wire(r->items[i].chain, flow);
	return true;
}

void rpc_responders_count(const struct rpc_responders *r, struct chain_counts *counts)
{
	for (size_t i = 0; i < r->count; i++)
		chain_count(r->items[i].chain, counts);
}

/* ---- what was answered before ---- */

static void keep_answer(void *ctx, uint64_t slot, const struct message *answer)
{
	const struct rpc_responders *r = ctx;
	for (size_t i = 0; i < r->count; i++)
		chain_keep_answer(r->items[i].chain, slot, answer);
}

static const struct message *find_answer(void *ctx, uint64_t slot)
{
	const struct rpc_responders *r = ctx;
	const struct message *found = NULL;
	for (size_t i = 0; found == NULL && i < r->count; i++)
		found = chain_find_answer(r->items[i].chain, slot);
	return found;
}

struct core_reply_memory rpc_responders_memory(struct rpc_responders *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (chain_has_dedupe(r->items[i].chain))
			return (struct core_reply_memory){keep_answer, find_answer, r};
	return (struct core_reply_memory){0};
}

/* ---- the end ---- */

void rpc_responders_release(struct rpc_responders *r)
{
	for (size_t i = 0; i < r->count; i++) {
		chain_free(r->items[i].chain);
		free(r->items[i].name);
		free(r->items[i].pointer);
	}
	free(r->items);
	free(r->queues);
	free(r->names);
	free(r->is_stream);
	free(r->own);
	json_decref(r->steps);
}
