/* source_texts.h - a source of messages whose bodies are given beforehand, in turn. */
#ifndef FLOW_SOURCE_TEXTS_H
#define FLOW_SOURCE_TEXTS_H

#include "fake/pattern.h"
#include "flow/flow.h"
#include "model/pace.h"

/* Borrowed. */
struct source_texts_options {
	char *const *texts;	      /* ends with NULL; at least one */
	struct pattern *pattern;      /* gives the rest of the message */
	const struct pace_plan *plan; /* unlimited: each text once */
	uint64_t seed;
};

struct source_texts;

struct source_texts *source_texts_create(const struct source_texts_options *options);
void source_texts_free(struct source_texts *source);
struct flow_source source_texts_source(struct source_texts *source);

#endif
