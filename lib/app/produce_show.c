/* What the producer shows of itself: what it will send, in which form, and what became of it. */
#include "app/produce.h"

#include "app/produce_private.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#define SLOW_GAP_NS (50 * CHRONO_MS) /* messages further apart than this are printed one by one */

/* Whether a person can follow the messages one by one. */
static bool is_slow(const struct produce *run)
{
	if (run->from != NULL)
		return from_is_terminal(run->from);
	for (size_t i = 0; i < run->job_count; i++) {
		const struct pace_plan *p = &run->jobs[i].plan;
		bool slow = p->delay_from_ns >= SLOW_GAP_NS ||
			    (p->step_count == 1 && p->steps[0].from_per_second <= 20 &&
				p->steps[0].to_per_second <= 20) ||
			    (!p->unlimited && p->amount <= 20);
		if (!slow)
			return false;
	}
	return true;
}

enum printer_format produce_format(const struct produce *run)
{
	switch (run->options->format) {
	case PRODUCE_PRETTY:
		return PRINTER_PRETTY;
	case PRODUCE_JSON:
		return PRINTER_JSON;
	case PRODUCE_NONE:
		return PRINTER_NONE;
	default:
		return is_slow(run) && !run->options->tool.quiet ? PRINTER_PRETTY : PRINTER_NONE;
	}
}

static bool ends_by_itself(const struct pace_plan *p)
{
	return p->step_count > 0 && !p->repeat &&
	       p->steps[p->step_count - 1].length_ns != CHRONO_NEVER;
}

static void write_pace(const struct pace_plan *p, struct buf *out)
{
	if (!p->unlimited)
		num_format_count(p->amount, out);
	else
		buf_append_str(out, ends_by_itself(p) ? "as many as fall due" : "until stopped");
	if (p->step_count == 1 && p->steps[0].length_ns == CHRONO_NEVER) {
		buf_printf(out, ", %g a second", p->steps[0].from_per_second);
	} else if (p->step_count > 0) {
		buf_append_str(out, ", by schedule");
	} else if (p->delay_to_ns > 0) {
		buf_append_str(out, ", one every ");
		if (p->delay_from_ns < p->delay_to_ns) {
			num_format_duration(p->delay_from_ns, out);
			buf_append_str(out, " to ");
		}
		num_format_duration(p->delay_to_ns, out);
	}
}

void produce_show_banner(const struct produce *run)
{
	log_write(LOG_INFO, "broker %s (%s)", connection_shown(run->tool->connection),
	    connection_server(run->tool->connection));
	for (size_t i = 0; run->from == NULL && i < run->job_count; i++) {
		const struct produce_job *job = &run->jobs[i];
		const json_t *spec = job->message->spec;
		const char *exchange = json_string_value(json_object_get(spec, "exchange"));
		const char *key = json_string_value(json_object_get(spec, "routing_key"));
		struct buf line = {0};
		buf_append_str(&line, "message ");
		text_escape(slice_str(job->message->name), 255, &line);
		buf_append_str(&line, ": exchange '");
		text_escape(slice_str(exchange), 255, &line);
		buf_append_str(&line, "', key '");
		text_escape(slice_str(key), 255, &line);
		buf_append_str(&line, "', ");
		write_pace(&job->plan, &line);
		log_write(LOG_INFO, "%s", line.ptr);
		buf_release(&line);
	}
}

void produce_report(const struct produce *run)
{
	const struct flow_counts *c = &run->counts;
	uint64_t goal = run->from == NULL ? produce_goal(run) : FLOW_NO_LIMIT;
	uint64_t done = c->put - run->left_put + run->resume.skip;
	uint64_t violations = c->fates[FLOW_REJECTED];
	bool short_of_goal = goal != FLOW_NO_LIMIT && done + violations < goal;
	const struct summary_row rows[] = {
	    {"sent", c->put, false},
	    {"confirmed", c->fates[FLOW_ACCEPTED], false},
	    {"returned", c->fates[FLOW_RETURNED], false},
	    {"nacked", c->fates[FLOW_NACKED], false},
	    {"resent", run->resent, true},
	    {"unconfirmed", c->fates[FLOW_UNCONFIRMED], false},
	    {"unsent", short_of_goal ? goal - done - violations : c->fates[FLOW_RELEASED], true},
	    {"violations", violations, true},
	};
	tool_summarize(run->tool, rows, ARRAY_LEN(rows), run->elapsed_ns);
}
