#include "app/relay_input.h"

#include "app/from.h"
#include "app/inquire.h"
#include "app/locate.h"
#include "app/opening.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/source_pattern.h"
#include "flow/source_queue.h"

#include <glob.h>
#include <stdlib.h>

#define DEFAULT_PREFETCH 200
#define FILES_WINDOW 1000
#define RETRY_NS CHRONO_S

/* ---- queues ---- */

static void read_queues(struct relay_input *in)
{
	const json_t *queue = json_object_get(in->plan->spec, "queue"), *item;
	size_t i;
	in->queues = mem_alloc(json_array_size(queue) + 2, sizeof *in->queues);
	if (json_is_string(queue))
		in->queues[in->queue_count++] = json_string_value(queue);
	json_array_foreach((json_t *)(uintptr_t)queue, i, item)
	{
		bool twice = false;
		for (size_t j = 0; j < in->queue_count; j++)
			twice |= strcmp(in->queues[j], json_string_value(item)) == 0;
		if (!twice)
			in->queues[in->queue_count++] = json_string_value(item);
	}
	in->is_stream = mem_alloc(in->queue_count, sizeof *in->is_stream); /* none is */
}

/* Where the broker drops what is rejected, somebody should know before it happens. */
static void warn_of_rejecting(const struct relay_input *in)
{
	const struct topology *t = &in->tool->settings.topology;
	for (size_t i = 0; i < in->queue_count; i++) {
		const struct topology_queue *q = topology_find_queue(t, slice_str(in->queues[i]));
		const char *exchange, *key;
		bool retries = in->retrying.retrier != NULL && in->retrying.policies[i].is_set;
		if (q == NULL || retries || topology_dead_letters(q, &exchange, &key))
			continue;
		char *shown = text_quote(slice_str(in->queues[i]));
		log_write(LOG_WARNING,
		    "queue '%s' has neither 'dead_letter' nor 'retry': what is rejected is only "
		    "logged",
		    shown);
		free(shown);
	}
}

/* A stream keeps what was read, and nobody keeps where a relay was: after each start it would miss
 * something, or do everything again. */
static bool refuse_streams(const struct relay_input *in, struct error *err)
{
	for (size_t i = 0; i < in->queue_count; i++) {
		struct inquire_queue is = {0};
		if (!inquire_queue(in->link.connection, in->queues[i], &is, err))
			return false;
		if (!is.is_stream)
			continue;
		char *shown = text_quote(slice_str(in->queues[i]));
		error_set(err, ERROR_USAGE,
		    "queue '%s' is a stream, in which nobody keeps where a relay was; relay a "
		    "queue "
		    "that is bound beside it, or lines: consumer %s --offset first -f json | relay "
		    "--from -",
		    shown, shown);
		free(shown);
		return false;
	}
	return true;
}

static bool connect_queues(struct relay_input *in, struct error *err)
{
	in->link.own = in->queues;
	in->link.declares = in->options->declare;
	if (!relay_link_open(&in->link, err) || !refuse_streams(in, err))
		return false;
	in->retrying.place = &in->link.place;
	if (!retrying_open(in->tool, in->queues, in->queue_count, RETRYING_ALL, &in->retrying, err))
		return false;
	warn_of_rejecting(in);
	return true;
}

/* Messages of each queue that are under way at most. */
static uint16_t prefetch_of(const struct relay_input *in)
{
	const struct relay_options *o = in->options;
	const json_t *own = json_object_get(in->plan->spec, "prefetch");
	uint64_t prefetch = o->has_prefetch ? o->prefetch
			    : own != NULL   ? (uint64_t)json_integer_value(own)
					    : DEFAULT_PREFETCH;
	bool all_count = json_array_size(json_object_get(in->plan->spec, "core")) == 0;
	if (!o->has_prefetch && o->has_count && all_count && o->count < prefetch)
		prefetch = o->count; /* take no more out of the queue than are wanted */
	return (uint16_t)prefetch;
}

static bool open_queues(struct relay_input *in, struct error *err)
{
	const struct relay_options *o = in->options;
	const struct source_queue_options reading = {.queues = in->queues,
	    .queue_count = in->queue_count,
	    .prefetch = prefetch_of(in),
	    .until_empty = o->until_empty,
	    .idle_ns = o->has_idle ? o->idle_ns : CHRONO_NEVER,
	    .retry_ns = RETRY_NS,
	    .is_stream = in->is_stream,
	    .recovery = in->link.recovery,
	    .holds_undelivered = true,
	    .retrier = in->retrying.retrier};
	in->queue_source = opening_shared(in->link.connection, &reading, err);
	return in->queue_source != NULL;
}

/* ---- files ---- */

static void note_first(void *ctx, const char *pointer, const char *text)
{
	error_set(ctx, ERROR_NO_INPUT, "%s: %s", pointer, text);
}

static bool count_files(const char *path, uint64_t *count, struct error *err)
{
	glob_t found = {0};
	int status = glob(path, 0, NULL, &found);
	*count = status == 0 ? found.gl_pathc : 0;
	globfree(&found);
	if (*count > 0)
		return true;
	char *shown = text_quote(slice_str(path));
	error_set(err, ERROR_NO_INPUT, "no files match '%s'", shown);
	free(shown);
	return false;
}

/* Each file once, in the order of their names. */
static bool open_files(struct relay_input *in, const char *files, struct error *err)
{
	char *path = locate_below(in->plan->folder, files);
	json_t *spec = json_pack("{s:s}", "files", path);
	bool good = count_files(path, &in->pace.amount, err);
	if (good)
		in->pattern = pattern_create(NULL, spec, ".", NULL, note_first, err);
	json_decref(spec);
	free(path);
	if (in->pattern == NULL)
		return false;
	in->member = mem_alloc(1, sizeof *in->member);
	*in->member = (struct source_pattern_member){"files", in->pattern, &in->pace};
	const struct source_pattern_options patterns = {
	    .members = in->member, .count = 1, .seed = rng_entropy()};
	in->files = source_pattern_create(&patterns);
	return true;
}

/* ---- lines ---- */

static bool open_lines(struct relay_input *in, struct error *err)
{
	/* the relay says where they go */
	json_t *spec = json_pack("{s:s}", "routing_key", "");
	const struct settings_message model = {.spec = spec};
	in->pace.unlimited = true;
	const struct from_options options = {.path = in->plan->lines,
	    .model = &model,
	    .plan = &in->pace,
	    .seed = rng_entropy(),
	    .loop = in->tool->loop};
	in->lines = from_open(&options, err);
	json_decref(spec);
	return in->lines != NULL;
}

/* ---- all of them ---- */

bool relay_input_init(struct relay_input *in, struct tool *tool,
    const struct relay_options *options, const struct relay_plan *plan, struct error *err)
{
	const char *files = json_string_value(json_object_get(plan->spec, "files"));
	const char *from = json_string_value(json_object_get(plan->spec, "from"));
	*in = (struct relay_input){.tool = tool, .options = options, .plan = plan};
	if (plan->lines != NULL)
		return open_lines(in, err);
	if (files != NULL)
		return open_files(in, files, err);
	read_queues(in);
	return relay_link_init(&in->link, tool, from, "warren-relay", err);
}

bool relay_input_connect(struct relay_input *in, struct error *err)
{
	return in->queues == NULL || connect_queues(in, err);
}

bool relay_input_open(struct relay_input *in, struct error *err)
{
	return in->queues == NULL || open_queues(in, err);
}

struct flow_source relay_input_source(const struct relay_input *in)
{
	if (in->lines != NULL)
		return from_source(in->lines);
	return in->files != NULL ? source_pattern_source(in->files)
				 : source_queue_source(in->queue_source);
}

size_t relay_input_window(const struct relay_input *in)
{
	return in->queues != NULL ? in->queue_count * prefetch_of(in) : FILES_WINDOW;
}

void relay_input_close(struct relay_input *in)
{
	retrying_close(&in->retrying);
	source_queue_close(in->queue_source);
	in->queue_source = NULL;
	relay_link_close(&in->link);
}

void relay_input_release(struct relay_input *in)
{
	relay_input_close(in);
	relay_link_release(&in->link);
	from_close(in->lines);
	source_pattern_free(in->files);
	pattern_free(in->pattern);
	free(in->member);
	free(in->queues);
	free(in->is_stream);
	*in = (struct relay_input){0};
}
