/* contract check -s SETTINGS: what the messages of the settings come to, judged by their own
 * contracts. */
#include "app/contracts_private.h"

#include "app/locate.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/contract.h"
#include "flow/core_contract.h"
#include "model/marks.h"

#include <stdlib.h>

#define SAMPLE_MS INT64_C(1700000000000) /* their time: the samples are the same each time */

struct sampling {
	struct contracts_report report;
	const struct contracts_options *options;
	const struct settings *settings;
};

static bool is_named(char *const *operands, const char *name)
{
	if (operands[0] == NULL)
		return true;
	for (; *operands != NULL; operands++)
		if (strcmp(*operands, name) == 0)
			return true;
	return false;
}

static bool check_names(const struct settings *s, char *const *operands, struct error *err)
{
	for (; *operands != NULL; operands++)
		if (settings_need_message(s, *operands, err) == NULL)
			return false;
	return true;
}

static bool is_broken(const struct message *m)
{
	return (m->present & MESSAGE_HEADERS) != 0 && marks_has(m->headers, MARKS_BROKEN);
}

static bool judge(struct sampling *s, const struct settings_message *m,
    const struct contract *contract, uint64_t number, const struct message *sample,
    struct error *err)
{
	struct contracts_report *r = &s->report;
	struct buf scratch = {0};
	char *name = text_quote(slice_str(m->name));
	char *place = mem_printf("message '%s', sample %llu", name, (unsigned long long)number + 1);
	r->file = name;
	r->place = place;
	r->line = number + 1;
	r->count = 0;
	r->judged++;
	struct slice body = core_contract_data(sample, &scratch);
	bool good = contract_judge(contract, body.ptr != NULL ? body : SLICE(""),
			contracts_report_finding, r, err) ||
		    r->count > 0 || error_context(err, "%s", place);
	r->bad += r->count > 0;
	buf_release(&scratch);
	free(place);
	free(name);
	return good;
}

static bool check_message(struct sampling *s, const struct settings_message *m, struct error *err)
{
	const char *file = json_string_value(json_object_get(m->spec, "contract"));
	struct rng rng;
	if (file == NULL)
		return true;
	char *path = locate_below(s->settings->directory, file);
	struct contract *contract = contract_load(path, err);
	bool good = contract != NULL;
	rng_seed(&rng, s->options->seed);
	for (uint64_t i = 0; good && i < s->options->samples; i++) {
		struct message sample = {0};
		good = pattern_render(m->pattern, &rng, SAMPLE_MS, i, &sample, err);
		if (good && !is_broken(&sample))
			good = judge(s, m, contract, i, &sample, err);
		good = good && contracts_report_flush(&s->report, false, err);
	}
	contract_free(contract);
	free(path);
	return good;
}

bool contracts_check_samples(
    struct tool *tool, const struct contracts_options *o, char **operands, struct error *err)
{
	struct sampling s = {.report.options = o, .options = o, .settings = &tool->settings};
	if (!tool_load_settings(tool, true, o->seed, err) ||
	    !check_names(s.settings, operands, err))
		return false;
	bool good = true;
	for (size_t i = 0; good && i < s.settings->message_count; i++)
		if (is_named(operands, s.settings->messages[i].name))
			good = check_message(&s, &s.settings->messages[i], err);
	good = contracts_report_flush(&s.report, true, err) && good;
	if (good && s.report.judged == 0)
		log_write(LOG_WARNING, "no message of the settings has a contract");
	if (good)
		contracts_report_end(&s.report, tool);
	buf_release(&s.report.out);
	return good;
}
