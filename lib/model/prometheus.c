#include "model/prometheus.h"

#include "base/num.h"
#include "base/text.h"

#include <math.h>

/* Backslashes and line feeds, and in a label's value quotes. */
static void write_escaped(struct slice text, bool quotes_too, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '\\' || (quotes_too && c == '"'))
			buf_append_char(out, '\\');
		if (c == '\n')
			buf_append_str(out, "\\n");
		else
			buf_append_char(out, c);
	}
}

/* The server drops a whole scrape for one label that is not UTF-8. */
static void write_label_value(struct slice value, struct buf *out)
{
	struct buf safe = {0};
	if (!text_is_utf8(value)) {
		text_escape(value, SIZE_MAX, &safe);
		value = buf_slice(&safe);
	}
	write_escaped(value, true, out);
	buf_release(&safe);
}

static void write_value(double value, struct buf *out)
{
	if (isnan(value))
		buf_append_str(out, "NaN");
	else if (isinf(value))
		buf_append_str(out, value > 0 ? "+Inf" : "-Inf");
	else if (value == floor(value) && fabs(value) < 1e15)
		buf_printf(out, "%.0f", value);
	else
		num_format_double(value, out);
}

static void begin_family(struct prometheus *p, const char *name, const char *help, const char *type)
{
	if (p->family != NULL && strcmp(p->family, name) == 0)
		return;
	p->family = name;
	buf_printf(p->out, "# HELP %s ", name);
	write_escaped(slice_str(help), false, p->out);
	buf_printf(p->out, "\n# TYPE %s %s\n", name, type);
}

/* The label that a line of a summary or a histogram has besides. */
struct bound {
	const char *name; /* quantile, le */
	double value;
};

/* bound: NULL for none. */
static void write_sample(struct prometheus *p, const char *suffix,
    const struct prometheus_label *labels, const struct bound *bound, double value)
{
	char before = '{';
	buf_printf(p->out, "%s%s", p->family, suffix);
	for (; labels != NULL && labels->name != NULL; labels++, before = ',') {
		buf_printf(p->out, "%c%s=\"", before, labels->name);
		write_label_value(slice_str(labels->value), p->out);
		buf_append_char(p->out, '"');
	}
	if (bound != NULL) {
		buf_printf(p->out, "%c%s=\"", before, bound->name);
		write_value(bound->value, p->out);
		buf_append_char(p->out, '"');
		before = ',';
	}
	buf_append_str(p->out, before == ',' ? "} " : " ");
	write_value(value, p->out);
	buf_append_char(p->out, '\n');
}

void prometheus_counter(struct prometheus *p, const char *name, const char *help,
    const struct prometheus_label *labels, double value)
{
	begin_family(p, name, help, "counter");
	write_sample(p, "", labels, NULL, value);
}

void prometheus_gauge(struct prometheus *p, const char *name, const char *help,
    const struct prometheus_label *labels, double value)
{
	begin_family(p, name, help, "gauge");
	write_sample(p, "", labels, NULL, value);
}

void prometheus_summary(struct prometheus *p, const char *name, const char *help,
    const struct prometheus_label *labels, const struct prometheus_summary *summary)
{
	begin_family(p, name, help, "summary");
	for (size_t i = 0; i < summary->quantile_count; i++) {
		const struct bound bound = {"quantile", summary->quantiles[i].quantile};
		write_sample(p, "", labels, &bound, summary->quantiles[i].value);
	}
	write_sample(p, "_sum", labels, NULL, summary->sum);
	write_sample(p, "_count", labels, NULL, (double)summary->count);
}

void prometheus_histogram(struct prometheus *p, const char *name, const char *help,
    const struct prometheus_label *labels, const struct prometheus_histogram *histogram)
{
	static const struct bound all = {"le", INFINITY};
	begin_family(p, name, help, "histogram");
	for (size_t i = 0; i < histogram->bucket_count; i++) {
		const struct bound bound = {"le", histogram->buckets[i].upper_bound};
		write_sample(p, "_bucket", labels, &bound, (double)histogram->buckets[i].count);
	}
	write_sample(p, "_bucket", labels, &all, (double)histogram->count);
	write_sample(p, "_sum", labels, NULL, histogram->sum);
	write_sample(p, "_count", labels, NULL, (double)histogram->count);
}
