#include "flow/source_spool.h"

#include "base/mem.h"
#include "broker/publisher.h"
#include "model/marks.h"

#include <stdlib.h>

struct source_spool {
	struct spool *spool;
	const struct connection *connection;
	uint64_t next; /* what stands before it has been offered */
	struct buf storage, headers;
	bool stopped;
};

struct source_spool *source_spool_create(struct spool *spool, const struct connection *c)
{
	struct source_spool *source = mem_alloc(1, sizeof *source);
	source->spool = spool;
	source->connection = c;
	return source;
}

void source_spool_free(struct source_spool *source)
{
	if (source == NULL)
		return;
	buf_release(&source->storage);
	buf_release(&source->headers);
	free(source);
}

/* NOLINTBEGIN(readability-non-const-parameter): every source gets it */
static bool tick(
    void *self, struct flow *flow, uint64_t now_ns, uint64_t *wake_ns, struct error *err)
{
	struct source_spool *source = self;
	uint64_t number;
	(void)now_ns, (void)wake_ns;	      /* room comes with the next fate */
	if (!spool_flush(source->spool, err)) /* what has come */
		return false;
	while (!source->stopped && flow_room(flow) > 0 &&
	       spool_find_unsettled(source->spool, source->next, &number)) {
		struct message left, m;
		bool mandatory; /* the flow decides it anew */
		if (!spool_read(source->spool, number, &source->storage, &left, &mandatory, err))
			return false;
		source->next = number + 1;
		marks_resent(&left, &source->headers, &m);
		struct error too_long = {0};
		bool fits = publisher_fits(source->connection, &m, &too_long);
		struct flow_message offered = {.message = fits ? &m : &left};
		flow_offer(flow, &offered, number);
	}
	return true;
}
/* NOLINTEND(readability-non-const-parameter) */

static void settle(void *self, uint64_t token, const struct flow_outcome *outcome)
{
	const struct source_spool *source = self;
	bool is_known = outcome->fate == FLOW_ACCEPTED || outcome->fate == FLOW_RETURNED ||
			outcome->fate == FLOW_NACKED;
	if (is_known)
		spool_settle(source->spool, token);
}

static void stop(void *self)
{
	struct source_spool *source = self;
	source->stopped = true;
}

static bool is_done(const void *self)
{
	const struct source_spool *source = self;
	uint64_t number;
	return source->stopped || !spool_find_unsettled(source->spool, source->next, &number);
}

struct flow_source source_spool_source(struct source_spool *source)
{
	static const struct flow_source_kind kind = {tick, settle, stop, is_done};
	return (struct flow_source){&kind, source};
}
