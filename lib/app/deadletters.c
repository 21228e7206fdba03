#include "app/deadletters.h"

#include "app/ask.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "broker/provision.h"

#include <stdlib.h>

static const char *const verb_names[DEADLETTERS_VERB_COUNT] = {"list", "show", "return", "purge"};

/* ---- the command line ---- */

/* Options that not every verb has. */
static bool check_verb(const struct deadletters_job *job, struct error *err)
{
	const struct deadletters_options *o = job->options;
	const unsigned returns = 1u << DEADLETTERS_RETURN, purges = 1u << DEADLETTERS_PURGE;
	const unsigned looks = 1u << DEADLETTERS_LIST | 1u << DEADLETTERS_SHOW;
	const struct {
		const char *name;
		bool given;
		unsigned verbs;
		const char *with;
	} rows[] = {
	    {"--exchange", o->exchange != NULL, returns, "return"},
	    {"--routing-key", o->routing_key != NULL, returns, "return"},
	    {"--to-queue", o->to_queue, returns, "return"},
	    {"--force", o->force, returns, "return"},
	    {"--max-returns", o->has_max_returns, returns, "return"},
	    {"--save", o->save != NULL, purges, "purge"},
	    {"--dry-run", o->dry_run, returns | purges, "return and purge"},
	    {"--yes", o->yes, returns | purges, "return and purge"},
	    {"--format", o->has_format && !o->dry_run, looks, "list, show and --dry-run"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].given && (rows[i].verbs & 1u << job->verb) == 0)
			return error_set(
			    err, ERROR_USAGE, "%s goes with %s", rows[i].name, rows[i].with);
	return true;
}

static bool check_place(const struct deadletters_job *job, struct error *err)
{
	const struct deadletters_options *o = job->options;
	if (o->to_queue && (o->exchange != NULL || o->routing_key != NULL))
		return error_set(
		    err, ERROR_USAGE, "--to-queue does not go with --exchange and --routing-key");
	if (o->routing_key != NULL && o->exchange == NULL)
		return error_set(err, ERROR_USAGE,
		    "--routing-key goes with --exchange; --exchange '' is the default exchange, "
		    "where the key is the name of a queue");
	if (o->exchange != NULL && o->exchange[0] == '\0' && o->routing_key != NULL &&
	    strcmp(o->routing_key, job->queue) == 0)
		return error_set(err, ERROR_USAGE, "they would go back into the same queue");
	return true;
}

static bool is_change(const struct deadletters_job *job)
{
	bool changes = job->verb == DEADLETTERS_RETURN || job->verb == DEADLETTERS_PURGE;
	return changes && !job->options->dry_run;
}

static bool read_operands(struct deadletters_job *job, struct error *err)
{
	char **operands = job->tool->operands;
	if (operands[0] == NULL)
		return error_set(err, ERROR_USAGE,
		    "what is to be done? one of list, show, return, purge; and the queue");
	while (strcmp(verb_names[job->verb], operands[0]) != 0)
		job->verb++; /* options_parse lets only verbs through */
	job->queue = operands[1];
	if (job->queue == NULL || job->queue[0] == '\0')
		return error_set(err, ERROR_USAGE, "which queue? %s needs one", operands[0]);
	if (strlen(job->queue) > 255)
		return error_set(err, ERROR_USAGE, "no queue has a name of over 255 bytes");
	return operands[2] == NULL || error_set(err, ERROR_USAGE, "one queue at a time");
}

static bool check_options(struct deadletters_job *job, struct error *err)
{
	if (!read_operands(job, err) || !check_verb(job, err) || !check_place(job, err))
		return false;
	if (is_change(job) && !job->options->yes && !ask_is_possible())
		return error_set(err, ERROR_USAGE,
		    "there is no terminal to ask on: --dry-run tells what would be done, --yes "
		    "does it");
	return true;
}

/* ---- before the run ---- */

static bool look_at_queue(struct deadletters_job *job, struct error *err)
{
	struct provision_state state = {0};
	if (!provision_look_queue(job->tool->connection, job->queue, &state, err))
		return false;
	char *shown = text_quote(slice_str(job->queue));
	if (state.locked)
		error_set(err, ERROR_REFUSED, "queue '%s' belongs to another connection", shown);
	else if (!state.exists)
		error_set(err, ERROR_REFUSED, "there is no queue '%s'", shown);
	free(shown);
	job->pick.in_queue = state.ready;
	return err->kind == ERROR_NONE;
}

static bool look_at_exchange(const struct deadletters_job *job, struct error *err)
{
	const char *name = job->options->exchange;
	struct provision_state state = {0};
	if (name == NULL || name[0] == '\0')
		return true;
	if (!provision_look_exchange(job->tool->connection, name, &state, err) || state.exists)
		return err->kind == ERROR_NONE;
	char *shown = text_quote(slice_str(name));
	error_set(err, ERROR_REFUSED, "there is no exchange '%s'", shown);
	free(shown);
	return false;
}

static bool prepare(struct deadletters_job *job, struct error *err)
{
	const struct deadletters_options *o = job->options;
	if (!check_options(job, err) || !tool_load_settings(job->tool, false, rng_entropy(), err))
		return false;
	job->pick = (struct deadletters_pick){.reason = o->reason,
	    .queue = o->queue,
	    .ids = &o->ids,
	    .older_than_s = o->has_older_than ? o->older_than_ns / CHRONO_S : UINT64_MAX,
	    .now_s = (uint64_t)chrono_wall_ms() / 1000,
	    .limit = o->has_limit ? o->limit : UINT64_MAX};
	if (o->jq != NULL)
		job->jq = core_jq_create(o->jq, FLOW_HELD, err);
	return err->kind == ERROR_NONE && tool_connect(job->tool, err) && look_at_queue(job, err) &&
	       look_at_exchange(job, err);
}

/* ---- what is told ---- */

static bool print_groups(
    const struct deadletters_job *job, struct deadletters_groups *groups, struct error *err)
{
	struct buf text = {0};
	if (job->options->format == DEADLETTERS_JSON)
		deadletters_groups_write_json(groups, job->pick.now_s, &text);
	else
		deadletters_groups_write_table(groups, job->pick.now_s, &text);
	bool good = text.len == 0 || tool_print(buf_slice(&text), err);
	buf_release(&text);
	return good;
}

/* What return and purge could not do; 1 is the exit status then. */
static uint64_t count_failures(const struct deadletters_pass *pass)
{
	const struct flow_counts *c = flow_counts(pass->flow);
	uint64_t failures = c->fates[FLOW_RETURNED] + c->fates[FLOW_NACKED] +
			    c->fates[FLOW_UNCONFIRMED] + pass->guard.unsendable;
	for (size_t i = 1; pass->route != NULL && i < DEADLETTERS_STAY_COUNT; i++)
		failures += deadletters_route_stays(pass->route, (enum deadletters_stay)i);
	if (pass->terminal != NULL)
		failures += sink_terminal_unshown(pass->terminal);
	return failures;
}

static void warn_of_stays(const struct deadletters_pass *pass)
{
	for (size_t i = 1; pass->route != NULL && i < DEADLETTERS_STAY_COUNT; i++) {
		uint64_t count = deadletters_route_stays(pass->route, (enum deadletters_stay)i);
		struct buf shown = {0};
		num_format_count(count, &shown);
		if (count > 0)
			log_write(
			    LOG_WARNING, "%s stayed: %s", shown.ptr, deadletters_stay_texts[i]);
		buf_release(&shown);
	}
	if (pass->route != NULL && deadletters_route_unsigned(pass->route) > 0)
		log_write(LOG_WARNING,
		    "a user_id that only its user may send is in the header x-warren-user-id");
}

static void report(const struct deadletters_pass *pass)
{
	static const char *const done[DEADLETTERS_VERB_COUNT] = {
	    "listed", "shown", "returned", "purged"};
	const struct deadletters_job *job = pass->job;
	const struct flow_counts *c = flow_counts(pass->flow);
	bool looks = !pass->settles;
	uint64_t stayed = 0;
	for (size_t i = 1; pass->route != NULL && i < DEADLETTERS_STAY_COUNT; i++)
		stayed += deadletters_route_stays(pass->route, (enum deadletters_stay)i);
	uint64_t unshown = pass->terminal != NULL ? sink_terminal_unshown(pass->terminal) : 0;
	const struct summary_row rows[] = {
	    {looks && job->options->dry_run ? "selected" : done[job->verb],
		looks ? job->pick.taken - unshown : c->fates[FLOW_ACCEPTED], false},
	    {"looked_at", job->pick.looked_at, false},
	    {"unroutable", c->fates[FLOW_RETURNED], true},
	    {"nacked", c->fates[FLOW_NACKED], true},
	    {"unconfirmed", c->fates[FLOW_UNCONFIRMED], true},
	    {"stayed", stayed, true},
	    {"unsendable", pass->guard.unsendable, true},
	    {"unshown", unshown, true},
	    {"unsigned", pass->route != NULL ? deadletters_route_unsigned(pass->route) : 0, true},
	    {"filter_errors", job->jq != NULL ? core_jq_errors(job->jq) : 0, true},
	};
	if (pass->settles)
		warn_of_stays(pass);
	tool_summarize(job->tool, rows, ARRAY_LEN(rows), pass->elapsed_ns);
	if ((pass->settles || unshown > 0) && count_failures(pass) > 0)
		job->tool->status = ERROR_UNDELIVERED;
}

/* ---- asking ---- */

static char *make_question(
    const struct deadletters_job *job, const struct deadletters_groups *groups, uint64_t count)
{
	struct buf text = {0};
	buf_printf(&text, "%s ", verb_names[job->verb]);
	num_format_count(count, &text);
	buf_append_str(&text, num_noun(count, " message", " messages"));
	if (job->verb == DEADLETTERS_RETURN) {
		buf_append_str(&text, " to ");
		deadletters_groups_write_places(groups, &text);
	} else {
		buf_append_str(&text, " of queue '");
		text_escape(slice_str(job->queue), SIZE_MAX, &text);
		buf_append_char(&text, '\'');
	}
	buf_append_str(&text, "? [y/N] ");
	return buf_take(&text);
}

/* Looks first, shows it and asks. What is agreed to is that many messages, not more. */
static bool agree(struct deadletters_job *job, bool *yes, struct error *err)
{
	struct deadletters_pass look = {.save_fd = -1};
	*yes = false;
	bool good =
	    deadletters_pass_run(&look, job, false, err) && print_groups(job, look.groups, err);
	uint64_t count = good ? deadletters_groups_going(look.groups) : 0;
	if (good && count == 0)
		report(&look);
	if (count > 0) {
		char *question = make_question(job, look.groups, count);
		deadletters_pass_close(&look); /* nothing is held while somebody thinks */
		good = ask_yes(job->tool, question, yes, err);
		free(question);
		job->pick.limit = count;
		if (good && !*yes)
			log_write(LOG_INFO, "nothing is changed");
	}
	deadletters_pass_close(&look);
	return good;
}

/* ---- the run ---- */

static bool act(struct deadletters_job *job, struct error *err)
{
	bool go_on = true;
	if (is_change(job) && !job->options->yes && !agree(job, &go_on, err))
		return false;
	if (!go_on)
		return true;
	struct deadletters_pass pass = {.save_fd = -1};
	bool good = deadletters_pass_run(&pass, job, is_change(job), err);
	if (pass.groups != NULL && good)
		good = print_groups(job, pass.groups, err);
	if (pass.flow != NULL)
		report(&pass);
	deadletters_pass_close(&pass);
	return good;
}

bool deadletters_run(struct tool *tool, const void *options, struct error *err)
{
	struct deadletters_job job = {.tool = tool, .options = options};
	bool good = prepare(&job, err) && act(&job, err);
	core_jq_free(job.jq);
	free(job.options->ids.items);
	return good;
}
