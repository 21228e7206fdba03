/*
 * span.h - a span of OpenTelemetry as OTLP/HTTP wants it in JSON.
 *
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: names in lowerCamelCase, ids in
 * hexadecimal, 64-bit integers as decimal texts, enums as numbers. A span is written in two parts,
 * when it begins and when it ends, so that nothing of the message need be kept meanwhile.
 */
#ifndef MODEL_SPAN_H
#define MODEL_SPAN_H

#include "base/buf.h"
#include "model/trace.h"

/* The numbers of the protocol. */
enum span_kind {
	SPAN_INTERNAL = 1,
	SPAN_SERVER = 2,
	SPAN_CLIENT = 3,
	SPAN_PRODUCER = 4,
	SPAN_CONSUMER = 5,
};

/* Borrowed until span_begin returns. */
struct span {
	struct trace trace; /* its own ids */
	const char *parent; /* its span id, without NUL; NULL: a root */
	bool is_remote;	    /* the parent is another process' */
	struct slice state; /* tracestate; empty for none */
	enum span_kind kind;
	struct slice operation, target; /* its name: "process jobs" */
	uint64_t start_ns;		/* since 1970 */
};

/* Appends all of it but the end; attributes may follow. */
void span_begin(const struct span *span, struct buf *out);
/* Any bytes: what is not UTF-8 is escaped, what is long is cut. An empty text is left out. */
void span_add_text(struct buf *out, const char *key, struct slice value);
void span_add_int(struct buf *out, const char *key, int64_t value);
/* error: why it failed, "" when nothing is known; NULL: it did not fail. */
void span_end(struct buf *out, uint64_t end_ns, const char *error);

/* An attribute of who makes the spans. */
struct span_attribute {
	const char *key, *value;
};

/* A request: its head, spans with a comma between them, its tail. */
void span_write_head(const struct span_attribute *resource, size_t count, struct buf *out);
void span_write_tail(struct buf *out);

/* Where spans go. */
struct span_outlet {
	/* False: one more would be dropped, and is counted as such. */
	bool (*has_room)(void *ctx);
	/* One that has ended; copied. */
	void (*take)(void *ctx, struct slice span);
	void *ctx;
};

#endif
