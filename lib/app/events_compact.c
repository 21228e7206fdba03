/* The file of the store made small again. */
#include "app/events_private.h"

#include "base/num.h"
#include "store/compact.h"

static bool tell(struct store *store, const struct compact_result *r, struct error *err)
{
	struct buf text = {0};
	buf_printf(&text, "%s: ", store_path(store));
	num_format_size(r->before, &text);
	buf_append_str(&text, " before, ");
	num_format_size(r->after, &text);
	buf_append_str(&text, " now; every event stays");
	if (r->snapshots > 0)
		buf_printf(&text, ", %llu %s dropped", (unsigned long long)r->snapshots,
		    num_noun(r->snapshots, "snapshot is", "snapshots are"));
	buf_append_char(&text, '\n');
	bool good = tool_print(buf_slice(&text), err);
	buf_release(&text);
	return good;
}

bool events_compact(
    struct tool *tool, const struct events_options *o, char **operands, struct error *err)
{
	struct compact_result result;
	if (!events_operands(operands, "compact", NULL, err))
		return false;
	struct store *store = events_open_store(tool, o, STORE_WRITE, err);
	bool good = store != NULL && compact_run(store, &result, err) && tell(store, &result, err);
	store_close(store);
	return good;
}
