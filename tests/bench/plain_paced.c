/*
 * plain_paced - what a program that uses rabbitmq-c plainly does to send so many messages a second,
 * with confirms, and to receive them on a second connection in a second thread. Prints how late
 * they are, as a line of JSON: from when they were due, and from when they were sent.
 *
 *   plain_paced URL QUEUE RATE SECONDS SIZE
 */
#include "plain.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#define PREFETCH 1000
#define NS_PER_S 1000000000u

struct stamp {
	uint64_t due_ns, sent_ns;
};

struct run {
	amqp_connection_state_t publishing, consuming;
	const char *queue;
	uint64_t rate, count, start_ns;
	size_t size; /* of a body, which begins with a stamp */
	/* a sample a message, in the order of their coming */
	uint64_t *from_due_ns, *from_sent_ns, *gap_ns;
};

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void sleep_until(uint64_t due_ns)
{
	struct timespec t = {(time_t)(due_ns / NS_PER_S), (long)(due_ns % NS_PER_S)};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0)
		continue;
}

/* ---- publishing ---- */

static void send_stamped(const struct run *r, char *body, struct stamp stamp)
{
	amqp_bytes_t bytes = {.len = r->size, .bytes = body};
	amqp_basic_properties_t properties = {
	    ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG, .delivery_mode = AMQP_DELIVERY_NONPERSISTENT};
	memcpy(body, &stamp, sizeof stamp);
	plain_check_status(amqp_basic_publish(r->publishing, PLAIN_CHANNEL, amqp_empty_bytes,
			       amqp_cstring_bytes(r->queue), 0, 0, &properties, bytes),
	    "publish");
}

/* Sleeps until the next message is due, sends what is due by then, and looks for confirms. */
static void *publish(void *context)
{
	const struct run *r = context;
	const struct timeval no_time = {0};
	struct plain_confirms c = {.lowest = 1, .next = 1};
	char *body = calloc(1, r->size);
	if (body == NULL)
		plain_die("publish", "out of memory");
	while (c.next <= r->count) {
		uint64_t due_ns = r->start_ns + (c.next - 1) * NS_PER_S / r->rate;
		uint64_t sent_ns = now_ns();
		if (sent_ns < due_ns) {
			while (plain_take_confirm(r->publishing, &c, &no_time))
				continue;
			sleep_until(due_ns);
			continue;
		}
		send_stamped(r, body, (struct stamp){due_ns, sent_ns});
		c.next++;
		while (c.next - c.lowest >= PLAIN_WINDOW)
			plain_take_confirm(r->publishing, &c, NULL);
	}
	while (c.lowest < c.next)
		plain_take_confirm(r->publishing, &c, NULL);
	free(body);
	return NULL;
}

/* ---- consuming ---- */

static void consume(const struct run *r)
{
	for (uint64_t received = 1; received <= r->count; received++) {
		amqp_envelope_t envelope;
		struct stamp stamp;
		amqp_maybe_release_buffers(r->consuming);
		plain_check_reply(
		    amqp_consume_message(r->consuming, &envelope, NULL, 0), "receive");
		uint64_t received_ns = now_ns();
		if (envelope.message.body.len != r->size)
			plain_die("receive", "somebody else's message");
		memcpy(&stamp, envelope.message.body.bytes, sizeof stamp);
		r->from_due_ns[received - 1] = received_ns - stamp.due_ns;
		r->from_sent_ns[received - 1] = received_ns - stamp.sent_ns;
		r->gap_ns[received - 1] = stamp.sent_ns - stamp.due_ns;
		if (received % PLAIN_ACK_EVERY == 0 || received == r->count)
			plain_acknowledge(r->consuming, envelope.delivery_tag);
		amqp_destroy_envelope(&envelope);
	}
}

/* ---- reporting ---- */

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* The smallest sample that so many percent of them do not exceed. */
static double percentile_us(const uint64_t *sorted_ns, uint64_t count, unsigned percent)
{
	return (double)sorted_ns[(count * percent + 99) / 100 - 1] / 1000;
}

static double cpu_seconds(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void report(const struct run *r)
{
	qsort(r->from_due_ns, r->count, sizeof(uint64_t), compare);
	qsort(r->from_sent_ns, r->count, sizeof(uint64_t), compare);
	qsort(r->gap_ns, r->count, sizeof(uint64_t), compare);
	printf("{\"client\":\"rabbitmq-c\",\"sent\":%llu,\"received\":%llu,"
	       "\"p50_due_us\":%.1f,\"p99_due_us\":%.1f,\"p50_sent_us\":%.1f,\"p99_sent_us\":%.1f,"
	       "\"p99_gap_us\":%.1f,\"cpu_seconds\":%.3f}\n",
	    (unsigned long long)r->count, (unsigned long long)r->count,
	    percentile_us(r->from_due_ns, r->count, 50),
	    percentile_us(r->from_due_ns, r->count, 99),
	    percentile_us(r->from_sent_ns, r->count, 50),
	    percentile_us(r->from_sent_ns, r->count, 99), percentile_us(r->gap_ns, r->count, 99),
	    cpu_seconds());
}

static uint64_t *allocate_samples(uint64_t count)
{
	uint64_t *samples = calloc(count, sizeof *samples);
	if (samples == NULL)
		plain_die("start", "out of memory");
	return samples;
}

int main(int argc, char *argv[])
{
	pthread_t publisher;
	if (argc != 6)
		plain_die("usage", "plain_paced URL QUEUE RATE SECONDS SIZE");
	struct run r = {.queue = argv[2],
	    .rate = plain_parse_count(argv[3]),
	    .size = plain_parse_count(argv[5])};
	r.count = r.rate * plain_parse_count(argv[4]);
	if (r.size < sizeof(struct stamp))
		plain_die(argv[5], "too small for the time stamps");
	r.from_due_ns = allocate_samples(r.count);
	r.from_sent_ns = allocate_samples(r.count);
	r.gap_ns = allocate_samples(r.count);
	r.publishing = plain_open(argv[1]);
	r.consuming = plain_open(argv[1]);
	plain_select_confirms(r.publishing);
	plain_subscribe(r.consuming, r.queue, PREFETCH);
	r.start_ns = now_ns();
	if (pthread_create(&publisher, NULL, publish, &r) != 0)
		plain_die("start", "no thread");
	consume(&r);
	pthread_join(publisher, NULL);
	report(&r);
	plain_close(r.publishing);
	plain_close(r.consuming);
	free(r.from_due_ns);
	free(r.from_sent_ns);
	free(r.gap_ns);
	return 0;
}
