/* contract infer: a schema out of messages in files. */
#include "app/contracts_private.h"

#include "base/log.h"
#include "base/num.h"
#include "config/contract.h"
#include "schema/infer.h"

#include <stdlib.h>

struct inferring {
	struct infer *infer;
	uint64_t count;
};

static bool add_text(void *ctx, const struct contracts_text *text, struct error *err)
{
	struct inferring *i = ctx;
	struct error why;
	error_clear(&why);
	json_t *sample = text->fault == NULL ? contract_parse(text->body, &why) : NULL;
	if (sample == NULL)
		return error_set(err, ERROR_DATA, "%s:%llu: %s", text->file,
		    (unsigned long long)text->line, text->fault != NULL ? text->fault : why.text);
	infer_add(i->infer, sample);
	json_decref(sample);
	i->count++;
	return true;
}

static bool print_schema(const struct infer *infer, struct error *err)
{
	json_t *schema = infer_schema(infer);
	char *text = json_dumps(schema, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	struct buf out = {0};
	buf_append_str(&out, text);
	buf_append_char(&out, '\n');
	bool good = tool_print(buf_slice(&out), err);
	buf_release(&out);
	free(text);
	json_decref(schema);
	return good;
}

bool contracts_infer(
    struct tool *tool, const struct contracts_options *o, char **operands, struct error *err)
{
	struct inferring i = {.infer = infer_create((size_t)o->max_enum)};
	(void)tool;
	bool good =
	    contracts_read(operands, (enum contracts_form)o->from_format, add_text, &i, err);
	if (good && i.count == 0)
		good = error_set(err, ERROR_DATA, "there is no message to learn from");
	good = good && print_schema(i.infer, err);
	if (good)
		log_write(LOG_INFO, "made of %llu %s", (unsigned long long)i.count,
		    num_noun(i.count, "message", "messages"));
	infer_free(i.infer);
	return good;
}
