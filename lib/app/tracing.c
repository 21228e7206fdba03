#include "app/tracing.h"

#include "base/log.h"
#include "base/mem.h"
#include "web/otlp.h"

#include <stdlib.h>
#include <string.h>

struct tracing {
	struct otlp_options options;
	struct otlp *otlp;
	bool has_told; /* where to */
};

static const char *look_up(const char *name)
{
	return getenv(name);
}

static void tell(struct buf *lines)
{
	char *rest = NULL;
	for (char *line = lines->ptr != NULL ? strtok_r(lines->ptr, "\n", &rest) : NULL;
	     line != NULL; line = strtok_r(NULL, "\n", &rest))
		log_write(LOG_WARNING, "%s", line);
}

bool tracing_open(struct loop *loop, const char *endpoint, const char *tool, struct tracing **out,
    struct error *err)
{
	struct tracing *t = mem_alloc(1, sizeof *t);
	char *service = mem_printf("warren-%s", tool);
	struct buf told = {0};
	struct error why = {0};
	*out = NULL;
	otlp_options_read(look_up, endpoint, service, &t->options, &told);
	tell(&told);
	if (t->options.url != NULL)
		t->otlp = otlp_open(loop, &t->options, &why);
	if (t->otlp != NULL) {
		*out = t;
	} else {
		otlp_options_release(&t->options);
		free(t);
	}
	buf_release(&told);
	free(service);
	if (why.kind != ERROR_NONE && endpoint != NULL)
		return error_set(err, ERROR_USAGE, "option '--otlp': %s", why.text);
	if (why.kind != ERROR_NONE)
		log_write(LOG_WARNING, "no spans are exported: %s", why.text);
	return true;
}

void tracing_close(struct tracing *t)
{
	if (t == NULL)
		return;
	otlp_close(t->otlp, t->options.last_ns);
	otlp_options_release(&t->options);
	free(t);
}

struct core_trace_options tracing_core_options(struct tracing *t)
{
	if (!t->has_told)
		log_write(LOG_INFO, "spans to %s", otlp_shown(t->otlp));
	t->has_told = true;
	return (struct core_trace_options){
	    .outlet = otlp_outlet(t->otlp), .sampler = t->options.sampler, .seed = rng_entropy()};
}

static uint64_t count_exported(const void *ctx)
{
	return otlp_exported(ctx);
}

static uint64_t count_dropped(const void *ctx)
{
	return otlp_dropped(ctx);
}

void tracing_count(const struct tracing *t, struct metrics *metrics)
{
	metrics_count(metrics, "warren_spans_exported_total", "Spans that the collector has taken.",
	    count_exported, t->otlp);
	metrics_count(metrics, "warren_spans_dropped_total",
	    "Spans that were not exported, for want of room or of a collector.", count_dropped,
	    t->otlp);
}

void tracing_freeze(const struct tracing *t, struct metrics *metrics)
{
	metrics_freeze(metrics, t->otlp);
}
