/* responder.h - who answers the requests of a queue, as the settings have it under `responders`. */
#ifndef MODEL_RESPONDER_H
#define MODEL_RESPONDER_H

#include "model/reader.h"
#include "model/topology.h"

/* Borrowed from the settings. */
struct responder {
	const char *name;
	const char *queue;
	const json_t *core; /* a list of steps; NULL: the request is the answer */
	uint64_t prefetch;  /* 0: by the steps */
};

struct responder_list {
	struct responder *items; /* owned, in the order of the settings */
	size_t count;
};

/* Reads the section, which fits the schema; NULL is an empty one. False when something was
 * reported: a queue that is unknown, a stream, or another one's too. */
bool responder_read(const json_t *section, const struct topology *topology,
    struct responder_list *out, reader_report_fn *report, void *ctx);
void responder_release(struct responder_list *list);

/* NULL when there is none of that name. */
const struct responder *responder_find(const struct responder_list *list, const char *name);

#endif
