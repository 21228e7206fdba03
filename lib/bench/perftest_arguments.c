#include "bench/perftest_private.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "config/scalar.h"
#include "model/message.h"

#include <ctype.h>
#include <stdlib.h>

/* ---- queues ---- */

static bool convert_type(const struct perftest_job *job, const char *type)
{
	perftest_set(job->result, "queue-type", type, NULL);
	if (perftest_find(job->result->command, "auto-delete") == NULL ||
	    strcmp(perftest_get(job->result, "auto-delete", ""), "true") == 0)
		perftest_set(
		    job->result, "auto-delete", "false", "so PerfTest has it for this type");
	perftest_add_once(job->result, "flag", "persistent");
	return true;
}

bool perftest_convert_quorum(const struct perftest_job *job, struct error *err)
{
	const struct perftest_given *stream = perftest_find(job->result->command, "stream-queue");
	if (stream != NULL)
		return perftest_refuse(stream, NULL, err,
		    "not together with --quorum-queue: a queue is the one or the other");
	return convert_type(job, "quorum");
}

bool perftest_convert_stream(const struct perftest_job *job, struct error *err)
{
	(void)err;
	convert_type(job, "stream");
	if (!perftest_is_set(job->result, "prefetch"))
		perftest_set(job->result, "prefetch", "200", "PerfTest's for streams");
	perftest_put(job->result, "queue-argument", "x-max-length-bytes", "20000000000");
	perftest_put(job->result, "queue-argument", "x-stream-max-segment-size-bytes", "500000000");
	job->result->max_length_bytes = UINT64_C(20000000000);
	return true;
}

/* "500mb", units of 1000 in any case of letters. */
static bool take_bytes(const struct perftest_job *job, uint64_t *out, struct error *err)
{
	static const char *const units[] = {"", "kb", "mb", "gb", "tb"};
	struct slice digits = {job->value, strspn(job->value, "0123456789")};
	struct error unused = {0};
	uint64_t factor = 1;
	for (size_t i = 0; i < ARRAY_LEN(units); i++, factor *= 1000)
		if (strcasecmp(job->value + digits.len, units[i]) == 0 &&
		    num_parse_u64(digits, 0, INT64_MAX / factor, out, &unused)) {
			*out *= factor;
			return true;
		}
	return perftest_accept(job, job->value, "a size such as 50mb or 100gb", err);
}

static bool put_number(const struct perftest_job *job, const char *name, uint64_t number)
{
	char *text = mem_printf("%llu", (unsigned long long)number);
	perftest_put(job->result, "queue-argument", name, text);
	free(text);
	return true;
}

bool perftest_convert_length_bytes(const struct perftest_job *job, struct error *err)
{
	uint64_t bytes;
	if (!take_bytes(job, &bytes, err))
		return false;
	job->result->max_length_bytes = bytes;
	if (bytes > 0)
		return put_number(job, "x-max-length-bytes", bytes);
	perftest_unput(job->result, "queue-argument", "x-max-length-bytes");
	return true;
}

bool perftest_convert_segment_bytes(const struct perftest_job *job, struct error *err)
{
	uint64_t bytes;
	if (!take_bytes(job, &bytes, err))
		return false;
	if (bytes > UINT64_C(3000000000))
		return perftest_accept(job, job->value, "3gb at most", err);
	if (job->result->max_length_bytes > 0 && job->result->max_length_bytes <= bytes)
		return perftest_refuse(
		    job->given, job->value, err, "a segment is smaller than --max-length-bytes");
	return put_number(job, "x-stream-max-segment-size-bytes", bytes);
}

/* ISO 8601 as java.time.Duration has it: P1DT2H3M4.5S; the fraction is dropped. */
static bool read_age(const char *at, uint64_t *out_s)
{
	static const struct {
		char letter;
		uint64_t seconds;
	} parts[] = {{'D', 86400}, {'H', 3600}, {'M', 60}, {'S', 1}};
	struct error unused = {0};
	bool has_time = false;
	size_t next = 0;
	*out_s = 0;
	if (toupper((unsigned char)*at++) != 'P')
		return false;
	while (*at != '\0') {
		if (!has_time && toupper((unsigned char)*at) == 'T') {
			has_time = true;
			next = next > 1 ? next : 1;
			at++;
		}
		struct slice digits = {at, strspn(at, "0123456789")};
		size_t fraction =
		    at[digits.len] == '.' ? 1 + strspn(at + digits.len + 1, "0123456789") : 0;
		char letter = (char)toupper((unsigned char)at[digits.len + fraction]);
		uint64_t number;
		while (next < ARRAY_LEN(parts) && parts[next].letter != letter)
			next++;
		if (next == ARRAY_LEN(parts) || (next > 0) != has_time ||
		    (fraction > 0 && letter != 'S') ||
		    !num_parse_u64(digits, 0, INT32_MAX, &number, &unused))
			return false;
		*out_s += number * parts[next++].seconds;
		at += digits.len + fraction + 1;
	}
	return next > 0;
}

bool perftest_convert_age(const struct perftest_job *job, struct error *err)
{
	uint64_t seconds;
	if (!read_age(job->value, &seconds) || seconds == 0)
		return perftest_accept(job, job->value, "a duration such as PT15M or P5DT8H", err);
	char *text = mem_printf("%llus", (unsigned long long)seconds);
	perftest_put(job->result, "queue-argument", "x-max-age", text);
	free(text);
	return true;
}

bool perftest_convert_leader(const struct perftest_job *job, struct error *err)
{
	if (strcmp(job->value, "client-local") != 0 && strcmp(job->value, "balanced") != 0)
		return perftest_accept(job, job->value, "client-local or balanced", err);
	perftest_put(job->result, "queue-argument", "x-queue-leader-locator", job->value);
	return true;
}

/* ---- NAME=VALUE,... ---- */

struct pair {
	char *name, *value;
};

/* What PerfTest takes for a number (Java's long) or a boolean; all else is a text. */
static bool is_typed(const char *value)
{
	struct error unused = {0};
	int64_t number;
	return strcmp(value, "true") == 0 || strcmp(value, "false") == 0 ||
	       num_parse_i64(slice_str(value), INT64_MIN, INT64_MAX, &number, &unused);
}

/* The value so that it keeps its type where it is read as a YAML scalar; to free(). */
static char *write_typed(const char *value)
{
	struct error unused = {0};
	struct buf out = {0};
	json_t *read = scalar_read(slice_str(value), SCALAR_ANY, &unused);
	if (is_typed(value) || json_is_string(read))
		buf_append_str(&out, value);
	else
		text_json(slice_str(value), &out);
	json_decref(read);
	return buf_take(&out);
}

static void take_argument(const struct perftest_job *job, const struct pair *pair)
{
	static const char *const types[] = {"classic", "quorum", "stream"};
	const char *value = pair->value;
	bool is_queue = strcmp(job->given->row->target, "queue-argument") == 0;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (is_queue && strcmp(pair->name, "x-queue-type") == 0 &&
		    strcmp(value, types[i]) == 0) {
			perftest_set(job->result, "queue-type", value, NULL);
			return;
		}
	if (strcmp(pair->name, "x-dead-letter-exchange") == 0 && strcmp(value, "amq.default") == 0)
		value = "";
	if (strcmp(pair->name, "x-single-active-consumer") == 0)
		value = strcasecmp(value, "true") == 0 ? "true" : "false";
	char *typed = write_typed(value);
	perftest_put(job->result, job->given->row->target, pair->name, typed);
	free(typed);
}

/* deliveryMode -> delivery_mode; to free(). */
static char *snake_case(const char *name)
{
	struct buf out = {0};
	for (; *name != '\0'; name++) {
		if (isupper((unsigned char)*name))
			buf_append_char(&out, '_');
		buf_append_char(&out, (char)tolower((unsigned char)*name));
	}
	buf_append_str(&out, "");
	return buf_take(&out);
}

/* PerfTest's name of a property is ours in camel case; what has our name is a header there. */
static const struct message_property_row *find_property(const char *name)
{
	char *ours = snake_case(name);
	const struct message_property_row *row =
	    strchr(name, '_') == NULL ? message_property_find(slice_str(ours)) : NULL;
	free(ours);
	return row;
}

static bool put_property(const struct perftest_job *job, const struct message_property_row *row,
    const char *value, struct error *err)
{
	struct error unused = {0};
	uint64_t number;
	int64_t wall_ms;
	char *text = NULL;
	if (row->value == MESSAGE_VALUE_TIMESTAMP) {
		if (!chrono_parse(slice_str(value), &wall_ms, &unused) || wall_ms < 0)
			return perftest_accept(
			    job, value, "a time such as 2007-12-03T10:15:30+01:00", err);
		text = mem_printf("%lld", (long long)(wall_ms / 1000));
	} else if (row->value == MESSAGE_VALUE_OCTET &&
		   !num_parse_u64(slice_str(value), 0, UINT8_MAX, &number, &unused)) {
		return perftest_accept(job, value, "a number from 0 to 255", err);
	}
	perftest_put(job->result, "property", row->name, text != NULL ? text : value);
	free(text);
	return true;
}

static bool take_property(
    const struct perftest_job *job, const struct pair *pair, struct error *err)
{
	const struct message_property_row *row = find_property(pair->name);
	if (row != NULL && row->value != MESSAGE_VALUE_TABLE)
		return put_property(job, row, pair->value, err);
	if (row != NULL || message_property_find(slice_str(pair->name)) != NULL) {
		perftest_remark(job->result,
		    "not carried over: header %s (bench takes the name for the property)",
		    pair->name);
		return true;
	}
	char *typed = write_typed(pair->value);
	perftest_put(job->result, "property", pair->name, typed);
	free(typed);
	return true;
}

/* "a=b=c" is a=b to PerfTest, and "a" is a with an empty text. */
static struct pair split_pair(struct slice part)
{
	struct pair pair = {mem_strndup(part.ptr, part.len), NULL};
	char *equals = strchr(pair.name, '=');
	pair.value = mem_strdup(equals != NULL ? equals + 1 : "");
	pair.value[strcspn(pair.value, "=")] = '\0';
	if (equals != NULL)
		*equals = '\0';
	return pair;
}

static bool convert_pairs(const struct perftest_job *job, bool are_properties, struct error *err)
{
	bool good = true;
	for (size_t i = 0; i < job->given->count; i++) {
		const char *rest = job->given->values[i];
		for (struct slice part; good && perftest_next_part(&rest, &part);) {
			struct pair pair = split_pair(part);
			if (pair.name[0] == '\0')
				good = perftest_accept(
				    job, job->given->values[i], "NAME=VALUE,...", err);
			else if (are_properties)
				good = take_property(job, &pair, err);
			else
				take_argument(job, &pair);
			free(pair.name);
			free(pair.value);
		}
	}
	return good;
}

bool perftest_convert_arguments(const struct perftest_job *job, struct error *err)
{
	return convert_pairs(job, false, err);
}

bool perftest_convert_properties(const struct perftest_job *job, struct error *err)
{
	return convert_pairs(job, true, err);
}
