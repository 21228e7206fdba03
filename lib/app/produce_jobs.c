/* Which messages the producer sends: patterns at their pace, or lines; and their contracts. */
#include "app/produce.h"

#include "app/enforce.h"
#include "app/paced.h"
#include "app/produce_private.h"
#include "base/mem.h"

#include <stdlib.h>

static bool read_plan(
    const json_t *spec, const struct produce_options *o, struct pace_plan *plan, struct error *err)
{
	struct paced paced = {.has_amount = o->has_amount,
	    .has_delay = o->has_delay,
	    .has_rate = o->has_rate,
	    .amount = o->amount,
	    .delay_ns = o->delay_ns,
	    .rate = o->rate};
	return paced_read(spec, &paced, plan, err);
}

static bool add_job(struct produce *run, const struct settings_message *m, struct error *err)
{
	struct produce_job *job = &run->jobs[run->job_count];
	job->message = m;
	if (!read_plan(m != NULL ? m->spec : NULL, run->options, &job->plan, err))
		return false;
	run->job_count++;
	return true;
}

bool produce_choose_jobs(struct produce *run, struct error *err)
{
	const struct settings *s = &run->tool->settings;
	char **names = run->tool->operands;
	size_t named = 0;
	while (names[named] != NULL)
		named++;
	run->jobs = mem_alloc(named + s->message_count + 1, sizeof *run->jobs);
	for (size_t i = 0; i < named; i++) {
		const struct settings_message *m = settings_need_message(s, names[i], err);
		if (m == NULL)
			return false;
		if (!add_job(run, m, err))
			return false;
	}
	for (size_t i = 0; named == 0 && i < s->message_count; i++)
		if (!add_job(run, &s->messages[i], err))
			return false;
	return true;
}

/* The message that says where lines go: the one named, or the only one; NULL for none. */
static bool choose_model(
    const struct produce *run, const struct settings_message **model, struct error *err)
{
	char **named = run->tool->operands;
	if (named[0] != NULL && named[1] != NULL)
		return error_set(err, ERROR_USAGE, "--from takes one MESSAGE at most");
	bool chosen = named[0] != NULL || run->tool->settings.message_count == 1;
	*model = chosen && run->job_count > 0 ? run->jobs[0].message : NULL;
	return true;
}

/* The message that made it is the member of the source; what is read has one at most. */
static bool add_contract(
    struct produce *run, const struct settings_message *m, size_t member, struct error *err)
{
	const struct core_contract_scope scope = {
	    .of_member = true, .member = member, .spares_broken = true};
	return m == NULL || !run->options->contract ||
	       enforce_add(&run->tool->settings, "messages", m->name, &scope, &run->contract, err);
}

bool produce_add_contracts(struct produce *run, struct error *err)
{
	for (size_t i = 0; i < run->job_count; i++)
		if (!add_contract(run, run->jobs[i].message, i, err))
			return false;
	return true;
}

bool produce_open_from(struct produce *run, struct error *err)
{
	const struct produce_options *o = run->options;
	const struct settings_message *model = NULL;
	/* the amount and pace of a pattern are not those of what is read */
	if (!choose_model(run, &model, err) || !read_plan(NULL, o, &run->from_plan, err) ||
	    !add_contract(run, model, 0, err) || !tool_open_loop(run->tool, err))
		return false;
	struct from_options options = {.path = o->from,
	    .format = (enum source_lines_format)o->from_format,
	    .model = model,
	    .exchange = o->exchange,
	    .routing_key = o->routing_key,
	    .pools = run->tool->settings.pools,
	    .plan = &run->from_plan,
	    .seed = run->seed,
	    .skip = run->resume.skip,
	    .loop = run->tool->loop};
	run->from = from_open(&options, err);
	return run->from != NULL;
}

uint64_t produce_goal(const struct produce *run)
{
	uint64_t goal = 0;
	if (run->options->from != NULL)
		return run->options->has_amount ? run->options->amount : FLOW_NO_LIMIT;
	for (size_t i = 0; i < run->job_count; i++) {
		if (run->jobs[i].plan.unlimited)
			return FLOW_NO_LIMIT;
		goal += run->jobs[i].plan.amount;
	}
	return goal;
}

void produce_release_jobs(struct produce *run)
{
	for (size_t i = 0; i < run->job_count; i++)
		pace_plan_release(&run->jobs[i].plan);
	free(run->jobs);
	core_contract_free(run->contract);
	from_close(run->from);
	pace_plan_release(&run->from_plan);
}
