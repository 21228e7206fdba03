/* Events as JSON lines, without loss. */
#include "app/events_private.h"

#include "app/events_line.h"
#include "app/events_select.h"
#include "base/chrono.h"
#include "base/output.h"

#include <unistd.h>

#define OUTPUT_BYTES (64u << 10)

static bool write_lines(struct events_select *s, struct output *output, struct error *err)
{
	struct select_event e;
	while (events_select_next(s, &e, err)) {
		if (!events_line_write(&e, output_buf(output), err))
			return false;
		if (output_waiting(output) > OUTPUT_BYTES && !output_drain(output, 0, err))
			return false;
	}
	return err->kind == ERROR_NONE && output_drain(output, 0, err);
}

bool events_export(
    struct tool *tool, const struct events_options *o, char **operands, struct error *err)
{
	struct events_select *s = NULL;
	struct store *store = NULL;
	struct output output;
	output_init(&output, STDOUT_FILENO, "standard output", NULL);
	bool good =
	    events_operands(operands, "export", NULL, err) &&
	    (s = events_select_create(o, (int64_t)(chrono_wall_ns() / CHRONO_US), err)) != NULL &&
	    (store = events_open_store(tool, o, STORE_READ, err)) != NULL &&
	    events_select_open(s, store, err) && write_lines(s, &output, err);
	output_release(&output);
	events_select_free(s);
	store_close(store);
	return good;
}
