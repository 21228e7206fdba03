/*
 * store_speed - events into a new store as fast as they go, without a broker.
 *
 *   store_speed FILE [EVENTS [BATCH [SUBJECTS]]]
 *
 * Each event is a CloudEvent in binary mode with a random UUID, a type, one of SUBJECTS subjects
 * (0: none) and a JSON body of about 200 bytes. Prints "EVENTS BATCH SUBJECTS SECONDS
 * EVENTS_A_SECOND BYTES_OF_THE_FILE".
 */
#include "base/buf.h"
#include "base/chrono.h"
#include "base/num.h"
#include "base/rng.h"
#include "model/table.h"
#include "store/append.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static uint64_t argument(int argc, char **argv, int which, uint64_t otherwise)
{
	struct error err = {0};
	uint64_t number = otherwise;
	if (which < argc && !num_parse_u64(slice_str(argv[which]), 0, 1000000000, &number, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(ERROR_USAGE);
	}
	return number;
}

/* The event of a number; its bytes live in the buffers. Without printf, which would be a tenth of
 * what is measured. */
static struct message make(uint64_t number, uint64_t subjects, struct rng *rng, struct buf *headers,
    struct buf *body, struct buf *subject)
{
	char id[RNG_UUID_CHARS];
	rng_uuid4(rng, id);
	buf_clear(headers);
	buf_clear(body);
	table_add_string(headers, "cloudEvents_specversion", SLICE("1.0"));
	table_add_string(headers, "cloudEvents_id", (struct slice){id, sizeof id});
	table_add_string(headers, "cloudEvents_type", SLICE("com.example.account.deposited"));
	table_add_string(headers, "cloudEvents_source", SLICE("/bank"));
	buf_clear(subject);
	buf_append_str(subject, "account/acc");
	buf_append_u64(subject, subjects > 0 ? rng_below(rng, subjects) : 0);
	if (subjects > 0)
		table_add_string(headers, "cloudEvents_subject", buf_slice(subject));
	buf_append_str(body, "{\"number\":");
	buf_append_u64(body, number);
	buf_append_str(body, ",\"account\":\"");
	buf_append(body, buf_slice(subject));
	buf_append_str(body, "\",\"amount\":");
	buf_append_u64(body, rng_below(rng, 100000));
	buf_append_str(body,
	    ",\"currency\":\"EUR\",\"reference\":\"invoice of the fourth quarter\",\"customer\":"
	    "{\"name\":\"Ada Lovelace\",\"city\":\"London\"},\"note\":\"deposited at the "
	    "counter\"}");
	return (struct message){.exchange = SLICE("bank"),
	    .routing_key = SLICE("account.deposited"),
	    .body = buf_slice(body),
	    .present = MESSAGE_HEADERS | MESSAGE_CONTENT_TYPE | MESSAGE_DELIVERY_MODE,
	    .delivery_mode = MESSAGE_PERSISTENT,
	    .content_type = SLICE("application/json"),
	    .headers = buf_slice(headers)};
}

static bool fill(
    struct store *store, uint64_t count, uint64_t batch, uint64_t subjects, struct error *err)
{
	struct append *append = append_create(store);
	struct buf headers = {0}, body = {0}, subject = {0};
	struct rng rng;
	const struct append_result *results;
	bool good = true;
	rng_seed(&rng, 1);
	for (uint64_t i = 1; good && i <= count; i++) {
		struct message m = make(i, subjects, &rng, &headers, &body, &subject);
		const struct append_event event = {.message = &m,
		    .queue = SLICE("account"),
		    .stream_offset = -1,
		    .received_us = (int64_t)(chrono_wall_ns() / CHRONO_US)};
		good = append_add(append, &event, err);
		if (good && (i % batch == 0 || i == count))
			good = append_commit(append, &results, err);
	}
	buf_release(&headers);
	buf_release(&body);
	buf_release(&subject);
	append_free(append);
	return good;
}

int main(int argc, char *argv[])
{
	struct error err = {0};
	uint64_t count = argument(argc, argv, 2, 300000), batch = argument(argc, argv, 3, 2000);
	uint64_t subjects = argument(argc, argv, 4, 1000);
	struct stat file = {0};
	if (argc < 2 || batch == 0) {
		fprintf(stderr, "usage: store_speed FILE [EVENTS [BATCH [SUBJECTS]]]\n");
		return ERROR_USAGE;
	}
	struct store *store = store_open(argv[1], STORE_CREATE, &err);
	uint64_t start = chrono_now_ns();
	bool good = store != NULL && fill(store, count, batch, subjects, &err);
	double seconds = (double)(chrono_now_ns() - start) / 1e9;
	store_close(store);
	if (!good) {
		fprintf(stderr, "store_speed: %s\n", err.text);
		return (int)err.kind;
	}
	(void)stat(argv[1], &file);
	printf("%llu %llu %llu %.3f %.0f %lld\n", (unsigned long long)count,
	    (unsigned long long)batch, (unsigned long long)subjects, seconds,
	    (double)count / seconds, (long long)file.st_size);
	return 0;
}
