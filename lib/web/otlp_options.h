/*
 * otlp_options.h - where spans are sent, out of the environment variables that OpenTelemetry names.
 *
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/. As it says
 * there, an empty variable is one that is not set, and what cannot be understood is told and
 * ignored: a program does not end because of what watches it.
 */
#ifndef WEB_OTLP_OPTIONS_H
#define WEB_OTLP_OPTIONS_H

#include "model/sampler.h"
#include "model/span.h"

#define OTLP_MOST_HEADERS 32
#define OTLP_MOST_ATTRIBUTES 64

/* All texts are owned. */
struct otlp_options {
	char *url;			      /* where to POST to; NULL: nothing is exported */
	char *headers[OTLP_MOST_HEADERS + 1]; /* "Name: value", secret; ended by NULL */
	size_t header_count;
	struct span_attribute resource[OTLP_MOST_ATTRIBUTES];
	size_t resource_count;
	char *ca, *cert, *key; /* PEM files; NULL: the system's, none */
	struct sampler sampler;
	uint64_t timeout_ns; /* of one request */
	uint64_t delay_ns;   /* what has waited so long is sent */
	uint64_t last_ns; /* for what is queued at the end; others have 30 s: our tools end soon */
	size_t queue;	  /* most spans that wait */
	size_t batch;	  /* most in a request */
};

/* The value of an environment variable; NULL: it is not set. */
typedef const char *otlp_options_lookup_fn(const char *name);

/* endpoint: instead of OTEL_EXPORTER_OTLP_ENDPOINT; NULL: none is given. service: the name where
 * none is set. Each thing that is ignored is told as a sentence in *told, a line each. */
void otlp_options_read(otlp_options_lookup_fn *lookup, const char *endpoint, const char *service,
    struct otlp_options *out, struct buf *told);
void otlp_options_release(struct otlp_options *o);

#endif
