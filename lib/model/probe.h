/*
 * probe.h - what a message of a load run says about itself: who sent it, which one it is, when it
 * was due and when it was sent.
 *
 * It stands at the beginning of the body, numbers big-endian:
 *
 *   0 sequence, the low 32 bits    4 time of sending, 64 bits    (so far as RabbitMQ's PerfTest)
 *  12 "wrnM" or "wrnW"            16 run, 32                    20 publisher, 32
 *  24 sequence, 64                32 due, 64                    40 sent, 64
 *
 * Times are nanoseconds of CLOCK_MONOTONIC ("wrnM", one machine) or since 1970 ("wrnW", several);
 * the one at 4 is milliseconds then. A body of its own keeps its bytes: then the same stands in the
 * header "warren-probe", and PerfTest's time in "timestamp".
 * https://github.com/rabbitmq/rabbitmq-perf-test
 */
#ifndef MODEL_PROBE_H
#define MODEL_PROBE_H

#include "model/message.h"

#define PROBE_BYTES 48
#define PROBE_PERFTEST_BYTES 12	       /* the part that PerfTest knows */
#define PROBE_HEADER_BYTES 85	       /* as entries of a field table; */
#define PROBE_PERFTEST_HEADER_BYTES 19 /* the first of them, which PerfTest knows */

enum probe_clock { PROBE_MONOTONIC, PROBE_WALL };

struct probe {
	enum probe_clock clock;
	uint32_t run, publisher;
	uint64_t sequence;
	uint64_t due_ns, sent_ns; /* of that clock */
};

void probe_write(const struct probe *p, char out[PROBE_BYTES]);
void probe_write_header(const struct probe *p, char out[PROBE_HEADER_BYTES]);

/* False when the message has none, in the body or in its headers. */
bool probe_read(const struct message *m, struct probe *out);
/* Takes the header "timestamp", or else the first bytes of any body, for PerfTest's: due is sent,
 * publisher and run are 0. False when the body is too short. */
bool probe_read_perftest(const struct message *m, enum probe_clock clock, struct probe *out);

#endif
