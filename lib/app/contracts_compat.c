/* contract compat: whether two versions of a schema go together. */
#include "app/contracts_private.h"

#include "base/mem.h"
#include "base/text.h"
#include "config/contract.h"
#include "schema/compat.h"

#include <stdlib.h>

struct comparing {
	const struct contracts_options *options;
	const char *direction; /* "backward" or "forward" */
	struct buf out;
};

static const char *name_of(enum compat_verdict verdict)
{
	static const char *const names[] = {[COMPAT_YES] = "compatible",
	    [COMPAT_UNKNOWN] = "unknown",
	    [COMPAT_NO] = "incompatible"};
	return names[verdict];
}

static void write_json(const struct comparing *c, const struct compat_finding *f, struct buf *out)
{
	json_t *line = json_pack("{s:s, s:s, s:s, s:s, s:s}", "direction", c->direction, "verdict",
	    name_of(f->verdict), "instance", f->instance, "schema", f->reader, "text", f->text);
	char *text = line != NULL ? json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	buf_append_str(out, text != NULL ? text : "{}");
	buf_append_char(out, '\n');
	free(text);
	json_decref(line);
}

static void on_finding(void *ctx, const struct compat_finding *f)
{
	struct comparing *c = ctx;
	if (c->options->format == CONTRACTS_JSON) {
		write_json(c, f, &c->out);
		return;
	}
	buf_printf(&c->out, "%s, %s: ", c->direction, name_of(f->verdict));
	text_escape(slice_str(f->instance), SIZE_MAX, &c->out);
	buf_printf(&c->out, "%s%s (", f->instance[0] != '\0' ? ": " : "", f->text);
	text_escape(slice_str(f->reader), SIZE_MAX, &c->out);
	buf_append_str(&c->out, ")\n");
}

static enum compat_verdict compare(struct comparing *c, const char *direction,
    const struct contract *writer, const struct contract *reader)
{
	json_t *from = contract_bundle(writer), *to = contract_bundle(reader);
	c->direction = direction;
	enum compat_verdict verdict =
	    compat_check(from, to, c->options->closed ? COMPAT_CLOSED : 0, on_finding, c);
	json_decref(from);
	json_decref(to);
	if (c->options->format == CONTRACTS_PRETTY)
		buf_printf(&c->out, "%s: %s\n", direction, name_of(verdict));
	return verdict;
}

static bool run(struct tool *tool, const struct contracts_options *o, const struct contract *old,
    const struct contract *new, struct error *err)
{
	struct comparing c = {.options = o};
	enum compat_verdict backward = COMPAT_YES, forward = COMPAT_YES;
	if (o->mode != CONTRACTS_FORWARD)
		backward = compare(&c, "backward", old, new);
	if (o->mode != CONTRACTS_BACKWARD)
		forward = compare(&c, "forward", new, old);
	enum compat_verdict worst = backward > forward ? backward : forward;
	if (worst == COMPAT_NO || (worst == COMPAT_UNKNOWN && !o->lenient))
		tool->status = ERROR_UNDELIVERED;
	bool good = tool_print(buf_slice(&c.out), err);
	buf_release(&c.out);
	return good;
}

bool contracts_compat(
    struct tool *tool, const struct contracts_options *o, char **operands, struct error *err)
{
	if (operands[0] == NULL || operands[1] == NULL || operands[2] != NULL)
		return error_set(err, ERROR_USAGE, "compat needs two files: OLD and NEW");
	struct contract *old = contract_load(operands[0], err);
	struct contract *new = old != NULL ? contract_load(operands[1], err) : NULL;
	bool good = new != NULL &&run(tool, o, old, new, err);
	contract_free(new);
	contract_free(old);
	return good;
}
