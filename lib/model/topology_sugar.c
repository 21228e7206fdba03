/* dead_letter and retry: the queues and arguments they stand for. */
#include "model/topology.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "model/topology_private.h"

#include <inttypes.h>
#include <stdlib.h>

#define DEFAULT_ATTEMPTS 5
#define MAX_ATTEMPTS 1000000
#define DEFAULT_FROM_MS 1000
#define DEFAULT_TO_MS 60000
#define MAX_MS UINT32_MAX /* what x-message-ttl holds */

/* ---- the policy ---- */

static bool to_ms(struct reader *r, uint64_t ns, uint64_t *out_ms)
{
	if (ns % CHRONO_MS != 0 || ns == 0 || ns / CHRONO_MS > MAX_MS)
		return reader_fail_at(r, "delay",
		    "the wait must be a whole number of milliseconds from 1 to %" PRIu64,
		    (uint64_t)MAX_MS);
	*out_ms = ns / CHRONO_MS;
	return true;
}

/* Reads the member `retry` of a queue's body; false when it is absent or was reported. */
static bool read_retry(struct reader *r, const json_t *body, struct topology_retry *out)
{
	const json_t *spec = reader_member(body, "retry");
	struct topology_retry retry = {DEFAULT_ATTEMPTS, DEFAULT_FROM_MS, DEFAULT_TO_MS};
	uint64_t from_ns, to_ns;
	if (spec == NULL)
		return false;
	size_t mark = reader_enter(r, "retry");
	bool failed_before = r->failed;
	r->failed = false;
	if (!json_is_object(spec))
		reader_fail(r, "not a mapping such as {attempts: 5, delay: {from: 1s, to: 1m}}");
	(void)reader_count(r, spec, "attempts", 1, MAX_ATTEMPTS, &retry.attempts);
	if (reader_duration_range(r, spec, "delay", &from_ns, &to_ns) &&
	    to_ms(r, from_ns, &retry.delay_from_ms))
		(void)to_ms(r, to_ns, &retry.delay_to_ms); /* reports itself */
	bool good = !r->failed;
	r->failed |= failed_before;
	reader_leave(r, mark);
	if (good)
		*out = retry;
	return good;
}

bool topology_retry_of(const json_t *settings, const char *queue, struct topology_retry *out)
{
	struct reader r = {0};
	const json_t *body = reader_member(reader_member(settings, "queues"), queue);
	bool found = read_retry(&r, body, out);
	reader_release(&r);
	return found;
}

uint64_t topology_retry_delay_ms(const struct topology_retry *retry, uint64_t n)
{
	uint64_t delay_ms = retry->delay_from_ms;
	for (uint64_t i = 1; i < n && delay_ms < retry->delay_to_ms; i++)
		delay_ms *= 2;
	return delay_ms < retry->delay_to_ms ? delay_ms : retry->delay_to_ms;
}

char *topology_retry_queue(const char *queue, uint64_t delay_ms)
{
	struct buf name = {0};
	struct error ignored = {0}; /* only whether the short form is exact counts */
	uint64_t ns = 0;
	buf_append_str(&name, queue);
	buf_append_str(&name, ".retry.");
	size_t mark = name.len;
	num_format_duration(delay_ms * CHRONO_MS, &name);
	struct slice text = {name.ptr + mark, name.len - mark};
	if (!num_parse_duration(text, &ns, &ignored) || ns != delay_ms * CHRONO_MS) {
		name.len = mark; /* rounded: two delays must never share a name */
		buf_printf(&name, "%" PRIu64 "ms", delay_ms);
	}
	return buf_take(&name);
}

void topology_retry_parking(
    const json_t *settings, const char *queue, char **exchange, char **routing_key)
{
	const struct topology none = {0};
	const json_t *body = reader_member(reader_member(settings, "queues"), queue);
	const char *target = json_string_value(reader_member(body, "dead_letter"));
	bool is_exchange = target != NULL &&
			   (json_object_get(reader_member(settings, "exchanges"), target) != NULL ||
			       topology_find_exchange(&none, slice_str(target)) != NULL);
	*exchange = mem_strdup(is_exchange ? target : "");
	*routing_key = is_exchange	? NULL
		       : target != NULL ? mem_strdup(target)
					: mem_printf("%s.parked", queue);
}

bool topology_dead_letters(
    const struct topology_queue *q, const char **exchange, const char **routing_key)
{
	const char *target =
	    json_string_value(json_object_get(q->arguments, "x-dead-letter-exchange"));
	if (target == NULL)
		return false;
	*exchange = target;
	*routing_key =
	    json_string_value(json_object_get(q->arguments, "x-dead-letter-routing-key"));
	return true;
}

static bool has_ending(struct slice name, const char *ending, struct slice *rest)
{
	size_t len = strlen(ending);
	if (name.len <= len || memcmp(name.ptr + name.len - len, ending, len) != 0)
		return false;
	*rest = (struct slice){name.ptr, name.len - len};
	return true;
}

bool topology_made_for(const char *name, struct slice *queue)
{
	static const char *const endings[] = {".parked", ".migration", ".migration.away"};
	static const char retry[] = ".retry.";
	struct error ignored = {0}; /* then it is somebody's own name */
	uint64_t ns;
	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		if (has_ending(slice_str(name), endings[i], queue))
			return true;
	const char *last = strstr(name, retry);
	for (const char *next = last; next != NULL; next = strstr(next + 1, retry))
		last = next;
	if (last == NULL || last == name ||
	    !num_parse_duration(slice_str(last + strlen(retry)), &ns, &ignored))
		return false;
	*queue = (struct slice){name, (size_t)(last - name)};
	return true;
}

/* ---- the queues ---- */

/* A queue that nobody has written down, for queue number `index`; NULL when it was reported. */
static struct topology_queue *make_queue(
    struct topology_builder *b, size_t index, const char *key, const char *name)
{
	const char *made_for = b->t.queues[index].name;
	if (strlen(name) > TOPOLOGY_MAX_NAME) {
		reader_fail_at(&b->reader, key,
		    "it makes a queue with a name of %zu bytes; it may have %d", strlen(name),
		    TOPOLOGY_MAX_NAME);
		return NULL;
	}
	struct topology_queue *q = topology_add_queue(b, name, b->t.queues[index].type);
	q->made_for = made_for;
	return q;
}

static void set_dead_letters(struct topology_queue *q, const char *exchange, const char *key)
{
	json_object_set_new(q->arguments, "x-dead-letter-exchange", json_string(exchange));
	if (key != NULL)
		json_object_set_new(q->arguments, "x-dead-letter-routing-key", json_string(key));
}

/* What a target of dead letters may not be. */
static bool check_target(struct topology_builder *b, size_t index, const char *target)
{
	const json_t *arguments = b->t.queues[index].arguments;
	struct reader *r = &b->reader;
	if (strcmp(b->t.queues[index].type, "stream") == 0)
		return reader_fail_at(r, "dead_letter",
		    "dead_letter is for classic and quorum queues, not for stream ones");
	if (json_object_get(arguments, "x-dead-letter-exchange") != NULL ||
	    json_object_get(arguments, "x-dead-letter-routing-key") != NULL)
		return reader_fail_at(r, "dead_letter",
		    "dead_letter stands beside arguments for dead letters; keep one of them");
	if (target[0] == '\0')
		return reader_fail_at(r, "dead_letter", "it names neither an exchange nor a queue");
	if (strcmp(target, b->t.queues[index].name) == 0)
		return reader_fail_at(
		    r, "dead_letter", "dead letters would come back to the same queue");
	return true;
}

static void add_dead_letter(struct topology_builder *b, size_t index, const char *target)
{
	if (!check_target(b, index, target))
		return;
	if (topology_find_exchange(&b->t, slice_str(target)) != NULL) {
		set_dead_letters(&b->t.queues[index], target, NULL);
		return;
	}
	bool is_known = topology_find_queue(&b->t, slice_str(target)) != NULL;
	if (!is_known && strncmp(target, "amq.", 4) == 0) {
		topology_fail_unknown(b, "dead_letter", false, target);
		return;
	}
	if (is_known || make_queue(b, index, "dead_letter", target) != NULL)
		set_dead_letters(&b->t.queues[index], "", target);
}

/* The way back from a quorum queue is confirmed as well; it asks for a queue that refuses rather
 * than drops (https://www.rabbitmq.com/blog/2022/03/29/at-least-once-dead-lettering). */
static void set_safe_return(struct topology_queue *q)
{
	if (strcmp(q->type, "quorum") != 0)
		return;
	json_object_set_new(q->arguments, "x-dead-letter-strategy", json_string("at-least-once"));
	json_object_set_new(q->arguments, "x-overflow", json_string("reject-publish"));
}

static bool add_wait_queue(struct topology_builder *b, size_t index, uint64_t delay_ms)
{
	const char *queue = b->t.queues[index].name;
	char *name = topology_retry_queue(queue, delay_ms);
	if (topology_find_queue(&b->t, slice_str(name)) != NULL) {
		char *quoted = text_quote(slice_str(name));
		reader_fail_at(&b->reader, "retry",
		    "it makes the queue '%s', which is written down as well", quoted);
		free(quoted);
		free(name);
		return false;
	}
	struct topology_queue *q = make_queue(b, index, "retry", name);
	if (q != NULL) {
		json_object_set_new(
		    q->arguments, "x-message-ttl", json_integer((json_int_t)delay_ms));
		set_dead_letters(q, "", queue);
		set_safe_return(q);
	}
	free(name);
	return q != NULL;
}

static void add_parking_queue(struct topology_builder *b, size_t index)
{
	char *name = mem_printf("%s.parked", b->t.queues[index].name);
	if (topology_find_queue(&b->t, slice_str(name)) == NULL)
		(void)make_queue(b, index, "retry", name); /* reports itself */
	free(name);
}

static void add_retry(
    struct topology_builder *b, size_t index, const struct topology_retry *retry, bool park)
{
	uint64_t before_ms = 0;
	if (strcmp(b->t.queues[index].type, "stream") == 0) {
		reader_fail_at(&b->reader, "retry",
		    "retry is for classic and quorum queues, not for stream ones");
		return;
	}
	for (uint64_t n = 1; n < retry->attempts; n++) {
		uint64_t delay_ms = topology_retry_delay_ms(retry, n);
		if (delay_ms == before_ms) /* at its longest */
			break;
		if (!add_wait_queue(b, index, delay_ms)) /* one report is enough */
			return;
		before_ms = delay_ms;
	}
	if (park)
		add_parking_queue(b, index);
}

void topology_add_sugar(struct topology_builder *b, const json_t *queues)
{
	size_t written = b->t.queue_count;
	for (size_t i = 0; i < written; i++) {
		const json_t *body = reader_member(queues, b->t.queues[i].name);
		struct topology_retry retry;
		const char *target = NULL;
		size_t mark = reader_enter(&b->reader, b->t.queues[i].name);
		if (reader_text(&b->reader, body, "dead_letter", &target))
			add_dead_letter(b, i, target);
		if (read_retry(&b->reader, body, &retry))
			add_retry(b, i, &retry, target == NULL);
		reader_leave(&b->reader, mark);
	}
}
