/* What is sent, and what becomes of it. */
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/sink_workflow_private.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_WAIT_NS (3600 * CHRONO_S)
#define NOBODY SINK_WORKFLOW_NOBODY

/* Free ones are chained through slot. */
struct sink_workflow_sent {
	bool used;
	uint64_t slot;
	char message_id[WORKFLOW_INSTANCE_UUID_CHARS + 1];
};

uint64_t sink_workflow_wait_ns(const struct workflow_instance *instance)
{
	const struct workflow_letter *letter =
	    workflow_letter_due(instance->workflow, &instance->state);
	uint64_t wait_ns = letter != NULL ? letter->timeout_ns : 0;
	if (workflow_due(instance->workflow, &instance->state) == WORKFLOW_COMPENSATE)
		for (uint64_t n = 1; n < instance->state.attempt && wait_ns < LONGEST_WAIT_NS / 2;
		     n++)
			wait_ns *= 2;
	return wait_ns;
}

static uint64_t note_sent(
    struct sink_workflow *sink, const struct workflow_instance *i, uint64_t slot)
{
	size_t token = sink->first_free;
	if (token == sink->sent_capacity) {
		sink->sent =
		    mem_grow(sink->sent, &sink->sent_capacity, token + 1, sizeof *sink->sent);
		for (size_t k = token; k < sink->sent_capacity; k++)
			sink->sent[k].slot = k + 1;
	}
	sink->first_free = (size_t)sink->sent[token].slot;
	sink->sent[token] = (struct sink_workflow_sent){.used = true, .slot = slot};
	memcpy(sink->sent[token].message_id, i->message_id, sizeof i->message_id);
	return token;
}

void sink_workflow_warn(const struct workflow_instance *i, const char *what, const char *why)
{
	char *subject = text_quote(slice_str(i->subject));
	const struct workflow_letter *letter = workflow_letter_due(i->workflow, &i->state);
	char *key = text_quote(slice_str(letter != NULL ? letter->routing_key : ""));
	log_write(LOG_WARNING, "%s: the message with key '%s' %s%s%s", subject, key, what,
	    why[0] != '\0' ? ": " : "", why);
	free(key);
	free(subject);
}

void sink_workflow_send(
    struct sink_workflow *sink, struct workflow_instance *instance, uint64_t slot, uint64_t due_ns)
{
	struct message message;
	struct error why = {0};
	workflow_timers_set(&sink->timers, &instance->timer, due_ns);
	if (workflow_instance_message(instance, &sink->store, &message, &why)) {
		workflow_outbox_put(
		    sink->options.outbox, &message, note_sent(sink, instance, slot));
		return;
	}
	sink_workflow_warn(instance, "cannot be made and is tried again later", why.text);
	if (slot != NOBODY)
		flow_settle(sink->flow, slot, FLOW_ACCEPTED, "");
}

static void report_unsent(struct sink_workflow *sink, const struct workflow_instance *i,
    enum flow_fate fate, const char *reason)
{
	if (fate == FLOW_RETURNED && sink->counts.unroutable++ < 10)
		sink_workflow_warn(i, "found no queue", reason);
	if (fate == FLOW_NACKED && sink->counts.nacked++ < 10)
		sink_workflow_warn(i, "was refused by the broker", reason);
}

/* A message that the broker does not take goes again when its time is over. */
static void on_fate(void *ctx, uint64_t token, enum flow_fate fate, const char *reason)
{
	struct sink_workflow *sink = ctx;
	struct sink_workflow_sent sent = sink->sent[token];
	struct workflow_instance *i = workflow_crowd_find(sink->crowd, slice_str(sent.message_id));
	bool is_known = fate == FLOW_ACCEPTED || fate == FLOW_RETURNED || fate == FLOW_NACKED;
	sink->sent[token] = (struct sink_workflow_sent){.slot = sink->first_free};
	sink->first_free = (size_t)token;
	if (sent.slot != NOBODY)
		flow_settle(sink->flow, sent.slot, is_known ? FLOW_ACCEPTED : FLOW_RELEASED, "");
	if (i == NULL) /* its answer was faster */
		return;
	struct sink_workflow_news news = {
	    .input = {WORKFLOW_IN_SENT, workflow_due(i->workflow, &i->state), i->state.at},
	    .slot = NOBODY};
	if (fate == FLOW_ACCEPTED)
		(void)sink_workflow_take(sink, i, &news); /* most wait for a reply */
	else
		report_unsent(sink, i, fate, reason);
}

void sink_workflow_listen(struct sink_workflow *sink)
{
	workflow_outbox_listen(sink->options.outbox, on_fate, sink);
}
