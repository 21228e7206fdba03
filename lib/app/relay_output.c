#include "app/relay_output.h"

#include "app/chain.h"
#include "app/half_line.h"
#include "app/locate.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/sink_exchange.h"
#include "flow/sink_store.h"
#include "flow/sink_terminal.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH_COUNT 1000
#define BATCH_NS (10 * CHRONO_MS)
#define NACK_RETRIES 5 /* about as many seconds */
#define MOST_UNCONFIRMED 10000

static const char *path_of(const struct relay_plan *plan, const char *key)
{
	return json_string_value(json_object_get(plan->spec, key));
}

/* What a relay that was killed has left of a line is of a message that comes again. */
static bool mend_file(const struct relay_output *out, struct error *err)
{
	uint64_t cut = 0;
	if (!half_line_mend(out->fd, &cut, err))
		return error_context(err, "'%s'", out->file_name);
	if (cut > 0)
		log_write(
		    LOG_WARNING, "'%s' ended with half a line, which is gone", out->file_name);
	return true;
}

static bool open_file(struct relay_output *out, const char *name, struct error *err)
{
	char *path = locate_below(out->plan->folder, name);
	out->file_name = text_quote(slice_str(path));
	out->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (out->fd < 0 && errno != ENOENT) /* /dev/stdout, a pipe: for writing alone */
		out->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	free(path);
	if (out->fd < 0)
		return error_set(err, ERROR_CANNOT_CREATE, "cannot write '%s': %s", out->file_name,
		    strerror(errno));
	return mend_file(out, err);
}

static bool open_store(struct relay_output *out, const char *name, struct error *err)
{
	char *path = locate_below(out->plan->folder, name);
	out->store = store_open(path, STORE_CREATE, err);
	free(path);
	return out->store != NULL;
}

bool relay_output_init(struct relay_output *out, struct tool *tool,
    const struct relay_options *options, const struct relay_plan *plan, struct error *err)
{
	*out = (struct relay_output){.tool = tool, .options = options, .plan = plan, .fd = -1};
	if (path_of(plan, "output") != NULL)
		return open_file(out, path_of(plan, "output"), err);
	if (path_of(plan, "store") != NULL)
		return open_store(out, path_of(plan, "store"), err);
	return relay_link_init(&out->link, tool, path_of(plan, "to"), "warren-relay-publish", err);
}

/* ---- the sinks ---- */

static bool open_exchange(
    struct relay_output *out, const struct relay_output_options *how, struct error *err)
{
	const struct relay_options *o = out->options;
	out->link.declares = o->declare;
	if (!relay_link_open(&out->link, err))
		return false;
	bool knows = out->link.is_home && o->tool.settings != NULL;
	const struct sink_exchange_options sending = {
	    .window = how->window < MOST_UNCONFIRMED ? how->window : MOST_UNCONFIRMED,
	    .mandatory = !o->has_mandatory ? SINK_EXCHANGE_AS_SETTINGS
			 : o->mandatory	   ? SINK_EXCHANGE_ALWAYS
					   : SINK_EXCHANGE_NEVER,
	    .topology = knows ? &out->tool->settings.topology : NULL,
	    .is_unhurried = true,
	    .recovery = out->link.recovery,
	    .nack_retries = how->gives_up ? NACK_RETRIES : UINT_MAX,
	    .skips_refused = how->routes,
	    .nacks_unfit = true};
	out->exchange = sink_exchange_open(out->link.connection, &sending, err);
	return out->exchange != NULL;
}

static void open_recorder(struct relay_output *out, const struct relay_output_options *how)
{
	const struct sink_store_options storing = {.store = out->store,
	    .loop = out->tool->loop,
	    .batch_count = how->window < BATCH_COUNT ? how->window : BATCH_COUNT,
	    .batch_ns = BATCH_NS,
	    .mark = chain_mark,
	    .mark_ctx = how->chain};
	out->recorder = sink_store_create(&storing);
}

static void open_printer(struct relay_output *out)
{
	const struct sink_terminal_options printing = {.fd = out->fd,
	    .format = SINK_TERMINAL_JSON,
	    .durable = true,
	    .name = out->file_name,
	    .loop = out->tool->loop};
	out->file = sink_terminal_create(&printing);
}

bool relay_output_open(
    struct relay_output *out, const struct relay_output_options *how, struct error *err)
{
	if (out->store != NULL)
		open_recorder(out, how);
	else if (out->fd >= 0)
		open_printer(out);
	else
		return open_exchange(out, how, err);
	return true;
}

struct flow_sink relay_output_sink(const struct relay_output *out)
{
	if (out->recorder != NULL)
		return sink_store_sink(out->recorder);
	return out->file != NULL ? sink_terminal_sink(out->file)
				 : sink_exchange_sink(out->exchange);
}

uint64_t relay_output_resent(const struct relay_output *out)
{
	return out->exchange != NULL ? sink_exchange_resent(out->exchange) : 0;
}

uint64_t relay_output_known(const struct relay_output *out)
{
	if (out->recorder == NULL)
		return 0;
	const struct sink_store_counts *c = sink_store_counts(out->recorder);
	return c->duplicates + c->handled;
}

void relay_output_release(struct relay_output *out)
{
	sink_exchange_close(out->exchange);
	relay_link_release(&out->link);
	sink_store_free(out->recorder);
	store_close(out->store);
	sink_terminal_free(out->file);
	if (out->file_name != NULL && out->fd >= 0)
		close(out->fd);
	free(out->file_name);
	*out = (struct relay_output){.fd = -1};
}
