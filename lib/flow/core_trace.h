/*
 * core_trace.h - two cores that make spans of what a flow does with a message, and let it pass.
 *
 * The one in front: "process QUEUE", of kind consumer, child of the span in the message's
 * traceparent, or the root of a new trace. The one at the end, before an exchange: "publish
 * EXCHANGE", of kind producer, child of the former, whose id goes out in traceparent; tracestate
 * stays. A message that was split has several of these below one of those. A span ends when the
 * message is settled, with an error when it was not accepted.
 *
 * What is in the message between the two is what came: a program sees no other headers because of
 * tracing. The names of attributes are those of OpenTelemetry's conventions for messaging:
 * https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/
 */
#ifndef FLOW_CORE_TRACE_H
#define FLOW_CORE_TRACE_H

#include "flow/flow.h"
#include "model/sampler.h"
#include "model/span.h"

/* Borrowed for the life of the cores. */
struct core_trace_options {
	struct span_outlet outlet;
	struct sampler sampler;
	uint64_t seed; /* of the ids */
	/* The traceparent of a message that has one is its own span's, not its cause's: it was made
	 * here. For the core at the end alone. */
	bool is_origin;
	/* What goes out is a request: its span is a client's, "call QUEUE", and ends with the
	 * reply, for the sink is one that waits for it. */
	bool is_call;
	/* Where all goes that goes out, whatever the messages say; ptr NULL: where they say. */
	struct slice exchange, routing_key;
	/* The broker that messages come from, and the one they go to; NULL: unknown. */
	const char *from_host, *to_host;
	uint16_t from_port, to_port;
	const char *flow; /* the name of the flow; NULL: it has none */
};

struct core_trace;

struct core_trace *core_trace_create(const struct core_trace_options *options);
void core_trace_free(struct core_trace *t); /* accepts NULL; after the flow */
struct flow_core core_trace_front(struct core_trace *t);
struct flow_core core_trace_back(struct core_trace *t);

/* For who has a flow_rescue_fn: the message of this slot failed, unless the reason is NULL, and
 * *out is the answer that goes into the sink in its place, past the core at the end. *out gets
 * other headers, which live until the next call. */
void core_trace_rescue(
    struct core_trace *t, uint64_t slot, const char *reason, struct message *out);

#endif
