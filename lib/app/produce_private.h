/* produce_private.h - the inside of the producer, for produce*.c alone. */
#ifndef APP_PRODUCE_PRIVATE_H
#define APP_PRODUCE_PRIVATE_H

#include "app/from.h"
#include "app/printer.h"
#include "app/produce.h"
#include "app/resume.h"
#include "flow/core_contract.h"
#include "model/pace.h"

/* One pattern as it is run: the settings' or the command line's pace. */
struct produce_job {
	const struct settings_message *message;
	struct pace_plan plan; /* owned */
};

struct produce {
	struct tool *tool;
	const struct produce_options *options;
	uint64_t seed;
	struct produce_job *jobs;
	size_t job_count;
	struct pace_plan from_plan;	/* owned */
	struct core_contract *contract; /* NULL: no message has one */
	struct from *from;		/* NULL: patterns are sent */
	struct printer printer;
	struct resume resume;
	struct flow_counts counts; /* of all flows of the run */
	uint64_t resent, left_put, elapsed_ns;
	bool has_run;
};

/* ---- of produce_jobs.c ---- */

/* The messages named on the command line, or all; there may be none. */
bool produce_choose_jobs(struct produce *run, struct error *err) MUST_CHECK;
/* Opens what --from names, with the contract of the message that says where the lines go; opens the
 * loop of the tool for it. */
bool produce_open_from(struct produce *run, struct error *err) MUST_CHECK;
/* The contracts of the patterns. */
bool produce_add_contracts(struct produce *run, struct error *err) MUST_CHECK;
/* How many messages the run is to send; FLOW_NO_LIMIT. */
uint64_t produce_goal(const struct produce *run);
/* What the above have opened; fine without. */
void produce_release_jobs(struct produce *run);

/* ---- of produce_show.c ---- */

/* As asked for; else each message where a person can follow, none where not. */
enum printer_format produce_format(const struct produce *run);
void produce_show_banner(const struct produce *run);
void produce_report(const struct produce *run);

#endif
