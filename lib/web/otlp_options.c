#include "web/otlp_options.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "base/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define PATH "/v1/traces"
#define MOST_QUEUE 1000000
#define MOST_MS (INT32_MAX)

struct reading {
	otlp_options_lookup_fn *lookup;
	struct otlp_options *out;
	struct buf *told;
};

static const char *find(const struct reading *r, const char *name)
{
	const char *value = r->lookup(name);
	return value != NULL && value[0] != '\0' ? value : NULL;
}

/* The one for traces before the one for all. */
static const char *find_exporter(const struct reading *r, const char *suffix)
{
	char name[64];
	snprintf(name, sizeof name, "OTEL_EXPORTER_OTLP_TRACES_%s", suffix);
	const char *value = find(r, name);
	snprintf(name, sizeof name, "OTEL_EXPORTER_OTLP_%s", suffix);
	return value != NULL ? value : find(r, name);
}

static void tell(const struct reading *r, const char *name, const char *value, const char *why)
{
	char *shown = text_quote(slice_str(value));
	buf_printf(r->told, "%s '%s' is ignored: %s\n", name, shown, why);
	free(shown);
}

/* ---- lists: key=value,key=value, the values percent-encoded (W3C Baggage) ---- */

static int hex_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static struct slice trim(struct slice s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = slice_from(s, 1);
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* NULL when an escape is broken, or a control character comes out: it would begin another header.
 */
static char *decode(struct slice text)
{
	struct buf out = {0};
	for (size_t i = 0; i < text.len; i++) {
		int c = (unsigned char)text.ptr[i];
		if (c == '%') {
			int high = i + 2 < text.len ? hex_value(text.ptr[i + 1]) : -1;
			int low = i + 2 < text.len ? hex_value(text.ptr[i + 2]) : -1;
			c = high >= 0 && low >= 0 ? high * 16 + low : 0;
			i += 2;
		}
		if (c < ' ' || c == 127) {
			buf_release(&out);
			return NULL;
		}
		buf_append_char(&out, (char)c);
	}
	return out.len > 0 ? buf_take(&out) : mem_strdup("");
}

/* A name of a header: a token of RFC 9110. */
static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] >= 127 ||
		    strchr("\"(),/:;<=>?@[\\]{}", s.ptr[i]) != NULL)
			return false;
	return s.len > 0;
}

typedef bool add_fn(struct otlp_options *o, struct slice key, const char *value);

static bool add_header(struct otlp_options *o, struct slice key, const char *value)
{
	if (o->header_count == OTLP_MOST_HEADERS - 1 || !is_token(key))
		return false; /* the last one is ours */
	o->headers[o->header_count++] = mem_printf("%.*s: %s", (int)key.len, key.ptr, value);
	return true;
}

/* Instead of one of that name. */
static bool add_attribute(struct otlp_options *o, struct slice key, const char *value)
{
	size_t i = 0;
	while (i < o->resource_count && !slice_is(key, o->resource[i].key))
		i++;
	if (i == OTLP_MOST_ATTRIBUTES || key.len == 0)
		return false;
	if (i < o->resource_count) {
		free((char *)o->resource[i].value);
		o->resource[i].value = mem_strdup(value);
		return true;
	}
	o->resource[o->resource_count++] =
	    (struct span_attribute){mem_strndup(key.ptr, key.len), mem_strdup(value)};
	return true;
}

static bool read_member(struct reading *r, struct slice member, add_fn *add)
{
	const char *equals = memchr(member.ptr, '=', member.len);
	if (equals == NULL)
		return false;
	size_t len = (size_t)(equals - member.ptr);
	char *value = decode(trim(slice_from(member, len + 1)));
	bool good = value != NULL && add(r->out, trim((struct slice){member.ptr, len}), value);
	if (value != NULL)
		explicit_bzero(value, strlen(value));
	free(value);
	return good;
}

/* Its values may be secret: what is wrong is told by number. */
static void read_list(struct reading *r, const char *name, const char *list, add_fn *add)
{
	struct slice rest = slice_str(list != NULL ? list : "");
	for (unsigned number = 1; rest.len > 0; number++) {
		const char *comma = memchr(rest.ptr, ',', rest.len);
		size_t len = comma != NULL ? (size_t)(comma - rest.ptr) : rest.len;
		struct slice member = trim((struct slice){rest.ptr, len});
		if (member.len > 0 && !read_member(r, member, add))
			buf_printf(r->told,
			    "%s: number %u is ignored: it is no key=value with a value that is "
			    "percent-encoded\n",
			    name, number);
		rest = slice_from(rest, len + (comma != NULL));
	}
}

/* ---- numbers ---- */

static uint64_t read_number(
    const struct reading *r, const char *name, const char *text, uint64_t most, uint64_t otherwise)
{
	uint64_t number = otherwise;
	struct error why = {0};
	if (text != NULL && !num_parse_u64(slice_str(text), 1, most, &number, &why))
		tell(r, name, text, why.text);
	return number;
}

static uint64_t read_ms(
    const struct reading *r, const char *name, const char *text, uint64_t otherwise)
{
	return read_number(r, name, text, MOST_MS, otherwise) * CHRONO_MS;
}

/* ---- the whole ---- */

static void read_url(struct reading *r, const char *given)
{
	const char *traces = find(r, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
	const char *base = given != NULL ? given : find(r, "OTEL_EXPORTER_OTLP_ENDPOINT");
	if (given == NULL && traces != NULL) {
		r->out->url = mem_strdup(traces); /* as it is */
		return;
	}
	if (base == NULL)
		return;
	size_t len = strlen(base);
	if (given != NULL && len > strlen(PATH) && strcmp(base + len - strlen(PATH), PATH) == 0) {
		r->out->url = mem_strdup(base); /* whole already */
		return;
	}
	while (len > 0 && base[len - 1] == '/')
		len--;
	r->out->url = mem_printf("%.*s" PATH, (int)len, base);
}

static bool is_off(const struct reading *r)
{
	const char *disabled = find(r, "OTEL_SDK_DISABLED");
	const char *exporter = find(r, "OTEL_TRACES_EXPORTER");
	bool is_other = exporter != NULL && strcmp(exporter, "otlp") != 0;
	if (is_other && strcmp(exporter, "none") != 0)
		tell(r, "OTEL_TRACES_EXPORTER", exporter, "there are otlp and none");
	return (disabled != NULL && strcasecmp(disabled, "true") == 0) ||
	       (is_other && strcmp(exporter, "none") == 0);
}

static void read_sampler(struct reading *r)
{
	const char *name = find(r, "OTEL_TRACES_SAMPLER");
	const char *argument = find(r, "OTEL_TRACES_SAMPLER_ARG");
	r->out->sampler = (struct sampler){.ratio = 1, .is_parent_based = true};
	if (name != NULL && !sampler_parse(name, argument, &r->out->sampler))
		tell(r, "OTEL_TRACES_SAMPLER", name,
		    "there are always_on, always_off, traceidratio and these three behind "
		    "parentbased_; OTEL_TRACES_SAMPLER_ARG is from 0 to 1");
}

static void read_resource(struct reading *r, const char *service)
{
	const char *name = find(r, "OTEL_SERVICE_NAME");
	char pid[32];
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	add_attribute(r->out, slice_str("service.name"), service);
	add_attribute(r->out, slice_str("service.version"), WARREN_VERSION);
	add_attribute(r->out, slice_str("service.instance.id"), pid);
	read_list(
	    r, "OTEL_RESOURCE_ATTRIBUTES", find(r, "OTEL_RESOURCE_ATTRIBUTES"), add_attribute);
	if (name != NULL)
		add_attribute(r->out, slice_str("service.name"), name);
}

static void read_protocol(const struct reading *r)
{
	const char *protocol = find_exporter(r, "PROTOCOL");
	const char *compression = find_exporter(r, "COMPRESSION");
	if (protocol != NULL && strcmp(protocol, "http/json") != 0)
		tell(r, "OTEL_EXPORTER_OTLP_PROTOCOL", protocol,
		    "what is sent is http/json, which a collector takes at the same port as "
		    "http/protobuf (4318)");
	if (compression != NULL && strcmp(compression, "none") != 0)
		tell(r, "OTEL_EXPORTER_OTLP_COMPRESSION", compression, "nothing is compressed");
}

static char *copy(const char *text)
{
	return text != NULL ? mem_strdup(text) : NULL;
}

void otlp_options_read(otlp_options_lookup_fn *lookup, const char *endpoint, const char *service,
    struct otlp_options *out, struct buf *told)
{
	struct reading r = {lookup, out, told};
	*out = (struct otlp_options){0};
	read_url(&r, endpoint);
	if (out->url != NULL && is_off(&r)) {
		free(out->url);
		out->url = NULL;
	}
	if (out->url == NULL)
		return;
	read_protocol(&r);
	read_list(&r, "OTEL_EXPORTER_OTLP_HEADERS", find_exporter(&r, "HEADERS"), add_header);
	out->headers[out->header_count++] = mem_strdup("Content-Type: application/json");
	read_resource(&r, service);
	read_sampler(&r);
	out->ca = copy(find_exporter(&r, "CERTIFICATE"));
	out->cert = copy(find_exporter(&r, "CLIENT_CERTIFICATE"));
	out->key = copy(find_exporter(&r, "CLIENT_KEY"));
	out->timeout_ns =
	    read_ms(&r, "OTEL_EXPORTER_OTLP_TIMEOUT", find_exporter(&r, "TIMEOUT"), 10000);
	out->delay_ns =
	    read_ms(&r, "OTEL_BSP_SCHEDULE_DELAY", find(&r, "OTEL_BSP_SCHEDULE_DELAY"), 5000);
	out->last_ns =
	    read_ms(&r, "OTEL_BSP_EXPORT_TIMEOUT", find(&r, "OTEL_BSP_EXPORT_TIMEOUT"), 2000);
	out->queue = (size_t)read_number(
	    &r, "OTEL_BSP_MAX_QUEUE_SIZE", find(&r, "OTEL_BSP_MAX_QUEUE_SIZE"), MOST_QUEUE, 2048);
	out->batch = (size_t)read_number(&r, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
	    find(&r, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"), MOST_QUEUE, 512);
	if (out->batch > out->queue)
		out->batch = out->queue;
}

static void wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

void otlp_options_release(struct otlp_options *o)
{
	wipe(o->url);
	for (size_t i = 0; i < o->header_count; i++)
		wipe(o->headers[i]);
	for (size_t i = 0; i < o->resource_count; i++) {
		free((char *)o->resource[i].key); /* ours, const for who reads */
		free((char *)o->resource[i].value);
	}
	free(o->ca);
	free(o->cert);
	free(o->key);
	*o = (struct otlp_options){0};
}
