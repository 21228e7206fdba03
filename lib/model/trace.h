/*
 * trace.h - W3C Trace Context level 1: the headers traceparent and tracestate.
 *
 * They are plain headers of a message, in lower case: traceparent says which trace the message
 * belongs to and which span sent it, tracestate carries what the vendors on the way add.
 * https://www.w3.org/TR/trace-context-1/
 */
#ifndef MODEL_TRACE_H
#define MODEL_TRACE_H

#include "base/rng.h"
#include "base/slice.h"

#define TRACE_PARENT "traceparent"
#define TRACE_STATE "tracestate"
#define TRACE_ID_CHARS 32
#define TRACE_SPAN_CHARS 16
#define TRACE_PARENT_CHARS 55 /* 00-<trace id>-<span id>-<flags> */
#define TRACE_SAMPLED 1	      /* the one flag of level 1 */

/* Ids are lower-case hexadecimal digits without NUL at the end, never all of them zero. */
struct trace {
	char trace_id[TRACE_ID_CHARS];
	char span_id[TRACE_SPAN_CHARS];
	uint8_t flags;
};

/* False, with *out untouched, when the text is no traceparent: then a new trace begins. Of versions
 * above 00 what 00 has is read; flags that it does not know are cleared. */
bool trace_parse(struct slice traceparent, struct trace *out);
/* In version 00; exactly 55 characters, no NUL. */
void trace_format(const struct trace *t, char out[TRACE_PARENT_CHARS]);

/* A new trace, sampled, and its first span. */
void trace_start(struct rng *r, struct trace *out);
/* A new span in the trace of another; its flags are kept. out may be parent. */
void trace_child(const struct trace *parent, struct rng *r, struct trace *out);

/* Whether a tracestate may go on as it is: at most 32 members, none twice. One that may not is
 * dropped, which leaves the traceparent good. */
bool trace_is_state(struct slice tracestate);

/* What the encoded headers of a message say: false when there is no good traceparent. *state is
 * empty when there is none that is good; it borrows from the headers. */
bool trace_read(struct slice headers, struct trace *out, struct slice *state);

#endif
