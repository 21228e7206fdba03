/*
 * core_enrich.h - sets a member of the body, a JSON object, to what is known elsewhere (a content
 * enricher): flow/enrichment.h.
 *
 * The key is made by jq of the body (key.h). Made-up data may do without one: then it is the same
 * whenever the same message_id comes, and any without one. A body that is no object is rejected. A
 * key that jq does not make is as one under which there is nothing.
 */
#ifndef FLOW_CORE_ENRICH_H
#define FLOW_CORE_ENRICH_H

#include "flow/enrichment.h"
#include "flow/flow.h"

/* When there is nothing under the key. */
enum core_enrich_missing { CORE_ENRICH_NULL, CORE_ENRICH_OMIT, CORE_ENRICH_REJECT };

struct core_enrich_options {
	const char *member;
	const char *key; /* jq; NULL: only with a volume */
	enum core_enrich_missing missing;
	struct enrichment_options with;
};

struct core_enrich;

/* ERROR_USAGE: the key is missing or does not compile; errors of enrichment_open. */
struct core_enrich *core_enrich_create(
    const struct core_enrich_options *options, struct error *err);
void core_enrich_free(struct core_enrich *core);
struct flow_core core_enrich_core(struct core_enrich *core);

/* Messages for which there was nothing. */
uint64_t core_enrich_missed(const struct core_enrich *core);

#endif
