/*
 * prometheus.h - figures in Prometheus' text format, version 0.0.4.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/. All samples of a name are written
 * one after the other; HELP and TYPE stand before the first of them.
 */
#ifndef MODEL_PROMETHEUS_H
#define MODEL_PROMETHEUS_H

#include "base/buf.h"

#define PROMETHEUS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* `= {.out = &buf}` begins a document. */
struct prometheus {
	struct buf *out;
	const char *family; /* the name written last; borrowed until the next call */
};

/* The value may be any bytes without NUL; what is not UTF-8 is escaped as text_escape does. */
struct prometheus_label {
	const char *name; /* [a-zA-Z_][a-zA-Z0-9_]*, not quantile or le; NULL ends a list */
	const char *value;
};

struct prometheus_quantile {
	double quantile; /* 0.99 */
	double value;	 /* NaN: nothing was observed */
};

/* What was observed in all, and the value at some quantiles of it. */
struct prometheus_summary {
	const struct prometheus_quantile *quantiles;
	size_t quantile_count;
	double sum;
	uint64_t count;
};

/* How many were observed up to each bound. */
struct prometheus_bucket {
	double upper_bound; /* ascending, finite: that of +Inf is the count */
	uint64_t count;	    /* of all up to here */
};
struct prometheus_histogram {
	const struct prometheus_bucket *buckets;
	size_t bucket_count;
	double sum;
	uint64_t count;
};

/* name: [a-zA-Z_:][a-zA-Z0-9_:]*. labels: ended by a NULL name, or NULL for none. Values may be NaN
 * and infinite. */
void prometheus_counter(struct prometheus *p, const char *name, const char *help,
    const struct prometheus_label *labels, double value);
void prometheus_gauge(struct prometheus *p, const char *name, const char *help,
    const struct prometheus_label *labels, double value);
/* A line for each quantile, then NAME_sum and NAME_count. */
void prometheus_summary(struct prometheus *p, const char *name, const char *help,
    const struct prometheus_label *labels, const struct prometheus_summary *summary);
/* A line NAME_bucket for each bound and for +Inf, then NAME_sum and NAME_count. */
void prometheus_histogram(struct prometheus *p, const char *name, const char *help,
    const struct prometheus_label *labels, const struct prometheus_histogram *histogram);

#endif
