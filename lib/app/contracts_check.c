/* contract check: bodies in files, judged by a schema. */
#include "app/contracts_private.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "config/contract.h"

#include <stdlib.h>

#define PRINT_BYTES 65536 /* printed together */

/* ---- what is found ---- */

static void write_json(
    const struct contracts_report *r, const struct schema_finding *f, struct buf *out)
{
	json_t *line = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s}", "file", r->file, "line",
	    (json_int_t)r->line, "instance", f->instance, "schema", f->schema, "keyword",
	    f->keyword, "text", f->text);
	char *text = line != NULL ? json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	buf_append_str(out, text != NULL ? text : "{}");
	buf_append_char(out, '\n');
	free(text);
	json_decref(line);
}

static void write_pretty(
    const struct contracts_report *r, const struct schema_finding *f, struct buf *out)
{
	buf_printf(out, "%s: ", r->place);
	text_escape(slice_str(f->instance), SIZE_MAX, out);
	buf_printf(out, "%s%s", f->instance[0] != '\0' ? ": " : "", f->text);
	if (f->schema[0] != '\0') {
		buf_append_str(out, " (");
		text_escape(slice_str(f->schema), SIZE_MAX, out);
		buf_append_char(out, ')');
	}
	buf_append_char(out, '\n');
}

void contracts_report_finding(void *ctx, const struct schema_finding *finding)
{
	struct contracts_report *r = ctx;
	r->count++;
	r->findings++;
	if (r->options->format == CONTRACTS_JSON)
		write_json(r, finding, &r->out);
	else
		write_pretty(r, finding, &r->out);
}

bool contracts_report_flush(struct contracts_report *r, bool all, struct error *err)
{
	if (r->out.len == 0 || (!all && r->out.len < PRINT_BYTES))
		return true;
	bool good = tool_print(buf_slice(&r->out), err);
	buf_clear(&r->out);
	return good;
}

void contracts_report_end(struct contracts_report *r, struct tool *tool)
{
	struct buf line = {0};
	num_format_count(r->bad, &line);
	buf_append_str(&line, " of ");
	num_format_count(r->judged, &line);
	log_write(LOG_INFO, "%s %s the contract", line.ptr,
	    num_noun(r->judged, "message breaks", "messages break"));
	if (r->findings > 0)
		tool->status = ERROR_DATA;
	buf_release(&line);
	buf_release(&r->out);
}

/* ---- files ---- */

struct checking {
	struct contracts_report report;
	const struct contract *contract;
};

static bool check_text(void *ctx, const struct contracts_text *text, struct error *err)
{
	struct checking *c = ctx;
	struct contracts_report *r = &c->report;
	char *place = mem_printf("%s:%llu", text->file, (unsigned long long)text->line);
	r->place = place;
	r->file = text->file;
	r->line = text->line;
	r->count = 0;
	r->judged++;
	bool good = true;
	if (text->fault != NULL)
		contracts_report_finding(
		    r, &(struct schema_finding){
			   .instance = "", .schema = "", .keyword = "", .text = text->fault});
	else if (!contract_judge(c->contract, text->body, contracts_report_finding, r, err))
		good = r->count > 0 || error_context(err, "%s", place);
	r->bad += r->count > 0;
	free(place);
	return good && contracts_report_flush(r, false, err);
}

static bool check_files(
    struct tool *tool, const struct contracts_options *o, char **operands, struct error *err)
{
	struct checking checking = {.report.options = o};
	struct contract *contract = contract_load(o->schema, err);
	checking.contract = contract;
	bool good =
	    contract != NULL && contracts_read(operands, (enum contracts_form)o->from_format,
				    check_text, &checking, err);
	good = contracts_report_flush(&checking.report, true, err) && good;
	if (good)
		contracts_report_end(&checking.report, tool);
	buf_release(&checking.report.out);
	contract_free(contract);
	return good;
}

bool contracts_check(
    struct tool *tool, const struct contracts_options *o, char **operands, struct error *err)
{
	bool in_files = o->schema != NULL; /* settings may be in the environment all the same */
	if (!in_files && o->tool.settings == NULL)
		return error_set(err, ERROR_USAGE,
		    "check needs --schema FILE, to judge messages in files, or --settings, to "
		    "judge what the messages of the settings come to");
	if (in_files && (o->has_samples || o->has_seed))
		return error_set(err, ERROR_USAGE, "--samples and --seed go with --settings");
	if (!in_files && o->has_from_format)
		return error_set(err, ERROR_USAGE, "--from-format goes with --schema");
	return in_files ? check_files(tool, o, operands, err)
			: contracts_check_samples(tool, o, operands, err);
}
