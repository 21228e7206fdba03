#include "bench/perftest_private.h"

#include "base/mem.h"

#define NOTHING PERFTEST_TAKES_NOTHING
#define ONE PERFTEST_TAKES_ONE
#define PERHAPS PERFTEST_TAKES_PERHAPS
#define MANY PERFTEST_TAKES_MANY
#define LOST(name, letter, takes, reason)                                      \
	{                                                                      \
		name, letter, takes, PERFTEST_NOT_CARRIED, NULL, reason, false \
	}
#define LOST_NUMBER(name, letter, reason)                                           \
	{                                                                           \
		name, letter, ONE, PERFTEST_NUMBER_NOT_CARRIED, NULL, reason, false \
	}
#define SECRET(name, letter, takes, reason)                                   \
	{                                                                     \
		name, letter, takes, PERFTEST_NOT_CARRIED, NULL, reason, true \
	}
#define KEPT(name, letter, takes, kind, target)                           \
	{                                                                 \
		name, letter, takes, PERFTEST_##kind, target, NULL, false \
	}

static const char no_netty[] = "how its client reads and writes; bench has one way";
static const char no_threads[] = "threads of its client; bench needs none for this";
static const char no_oauth[] = "no OAuth 2 here; put a token into the address as the password";
static const char no_datadog[] = "let Datadog scrape --metrics";
static const char no_jvm[] = "of the Java machine";
static const char no_json[] = "make the documents with files of your own and --body";
static const char no_sync[] = "start one bench with more producers and consumers instead";
static const char no_prefix[] = "the names of bench's metrics are fixed";
static const char no_verbose[] = "watch messages with the consumer";
static const char no_print[] = "prints something and ends";
static const char no_socket[] = "sockets are as the system has them";

/* PerfTest 2.25. Rows that change what earlier ones say stand below them. */
const struct perftest_row perftest_rows[] = {
    KEPT("uri", "h", ONE, TEXT, "url"),
    KEPT("uris", "H", ONE, FILES, "url"),
    KEPT("heartbeat", "b", ONE, SECONDS, "heartbeat"),
    KEPT("connection-recovery-interval", "cri", ONE, RECONNECT, "reconnect"),
    KEPT("servers-startup-timeout", "sst", ONE, SECONDS, "wait"),
    KEPT("producers", "x", ONE, COUNT, "producers"),
    KEPT("consumers", "y", ONE, COUNT, "consumers"),
    KEPT("producer-channel-count", "X", ONE, COUNT, "producer-channels"),
    KEPT("consumer-channel-count", "Y", ONE, COUNT, "consumer-channels"),
    KEPT("type", "t", ONE, TEXT, "type"),
    KEPT("exchange", "e", PERHAPS, EXCHANGE, "exchange"),
    KEPT("queue", "u", ONE, TEXTS, "queue"),
    KEPT("queue-pattern", "qp", ONE, TEXT, "queue-pattern"),
    KEPT("queue-pattern-from", "qpf", ONE, COUNT, "queue-pattern-from"),
    KEPT("queue-pattern-to", "qpt", ONE, COUNT, "queue-pattern-to"),
    KEPT("auto-delete", "ad", ONE, BOOLEAN, "auto-delete"),
    KEPT("exclusive", "E", NOTHING, FLAG, "exclusive"),
    KEPT("flag", "f", MANY, FLAGS, "flag"),
    KEPT("queue-args", "qa", MANY, ARGUMENTS, "queue-argument"),
    KEPT("quorum-queue", "qq", NOTHING, QUORUM, "queue-type"),
    KEPT("qos", "q", ONE, BOUND, "prefetch"),
    KEPT("stream-queue", "sq", NOTHING, STREAM, "queue-type"),
    KEPT("max-length-bytes", "mlb", ONE, LENGTH_BYTES, "queue-argument"),
    KEPT("stream-max-segment-size-bytes", "smssb", ONE, SEGMENT_BYTES, "queue-argument"),
    KEPT("max-age", "ma", ONE, AGE, "queue-argument"),
    KEPT("leader-locator", "ll", ONE, LEADER, "queue-argument"),
    KEPT("routing-key", "k", ONE, TEXT, "routing-key"),
    KEPT("random-routing-key", "K", NOTHING, FLAG, "random-routing-key"),
    KEPT("predeclared", "p", NOTHING, FLAG, "predeclared"),
    KEPT("rate", "r", ONE, RATE, "rate"),
    KEPT("variable-rate", "vr", MANY, RATES, "schedule"),
    KEPT("publishing-interval", "P", ONE, INTERVAL, "publishing-interval"),
    KEPT("producer-random-start-delay", "prsd", ONE, SECONDS, "random-start"),
    KEPT("size", "s", ONE, SIZE, "size"),
    KEPT("variable-size", "vs", MANY, SIZES, "size-schedule"),
    KEPT("body", "B", ONE, FILES, "body"),
    KEPT("body-content-type", "T", ONE, TEXT, "content-type"),
    KEPT("message-properties", "mp", ONE, PROPERTIES, "property"),
    KEPT("use-millis", "ms", NOTHING, CLOCK, "clock"),
    KEPT("confirm", "c", ONE, CONFIRM, "confirm"),
    KEPT("confirm-timeout", "ct", ONE, SECONDS, "confirm-timeout"),
    KEPT("autoack", "a", NOTHING, FLAG, "autoack"),
    KEPT("multi-ack-every", "A", ONE, BOUND, "multi-ack-every"),
    KEPT("consumer-rate", "R", ONE, RATE, "consumer-rate"),
    KEPT("consumer-latency", "L", ONE, MICROS, "consumer-latency"),
    KEPT("variable-latency", "vl", MANY, LATENCIES, "latency-schedule"),
    KEPT("nack", "na", NOTHING, FLAG, "nack"),
    KEPT("requeue", "re", ONE, BOOLEAN, "requeue"),
    KEPT("polling", "po", NOTHING, FLAG, "polling"),
    KEPT("polling-interval", "pi", ONE, MILLIS, "polling-interval"),
    KEPT("consumer-args", "ca", ONE, ARGUMENTS, "consumer-argument"),
    KEPT("stream-consumer-offset", "sco", ONE, OFFSET, "offset"),
    KEPT("consumer-start-delay", "csd", ONE, SECONDS, "consumer-start-delay"),
    KEPT("slow-start", "S", NOTHING, FLAG, "slow-start"),
    KEPT("time", "z", ONE, SECONDS, "time"),
    KEPT("pmessages", "C", ONE, BOUND, "pmessages"),
    KEPT("cmessages", "D", ONE, BOUND, "cmessages"),
    KEPT("exit-when", "ew", ONE, EXIT, "exit-when"),
    KEPT("interval", "i", ONE, SECONDS, "interval"),
    KEPT("metrics-format", "mf", ONE, FORMAT, "format"),
    KEPT("output-file", "o", ONE, TEXT, "csv"),
    KEPT("metrics-prometheus", "mpr", NOTHING, PROMETHEUS, "metrics"),
    KEPT("metrics-prometheus-port", "mpp", ONE, PORT, "metrics"),

    LOST("help", "?", NOTHING, no_print),
    LOST("version", "v", NOTHING, no_print),
    LOST("metrics-help", "mh", NOTHING, no_print),
    LOST("environment-variables", "env", NOTHING, no_print),
    LOST("id", "d", ONE, "a label of its output"),
    LOST("connection-allocation", "cal", ONE, "addresses are tried in their order"),
    LOST_NUMBER("servers-up-limit", "sul", "one broker that answers is enough"),
    LOST_NUMBER("framemax", "M", "put ?frame_max= into the address"),
    LOST_NUMBER("heartbeat-sender-threads", "hst", no_threads),
    LOST("disable-connection-recovery", "dcr", NOTHING, "give no --wait"),
    LOST_NUMBER("shutdown-timeout", "st", "how long connections take to close is bounded anyway"),
    LOST_NUMBER("tcp-send-buffer-size", "tsbs", no_socket),
    LOST_NUMBER("tcp-receive-buffer-size", "trbs", no_socket),
    LOST("tcp-no-delay", "tnd", ONE, "it is always on"),
    LOST("netty", "nty", NOTHING, no_netty),
    LOST_NUMBER("netty-threads", "ntyt", no_netty),
    LOST("netty-epoll", "ntyep", NOTHING, no_netty),
    LOST("netty-kqueue", "ntykq", NOTHING, no_netty),
    LOST_NUMBER("nio-threads", "niot", no_netty),
    LOST_NUMBER("nio-thread-pool", "niotp", no_netty),
    LOST("use-default-ssl-context", "udsc", NOTHING, "put ?cacertfile= into the address"),
    LOST("sasl-external", "se", NOTHING, "put ?auth_mechanism=external into the address"),
    LOST("server-name-indication", "sni", ONE, "put ?server_name_indication= into the address"),
    LOST("oauth2-token-endpoint", "o2uri", ONE, no_oauth),
    LOST("oauth2-client-id", "o2id", ONE, no_oauth),
    SECRET("oauth2-client-secret", "o2sec", ONE, no_oauth),
    LOST("oauth2-grant-type", "o2gr", ONE, no_oauth),
    SECRET("oauth2-parameters", "o2p", MANY, no_oauth),
    LOST("queue-file", "qf", ONE, "list the names with --queue"),
    LOST("skip-binding-queues", "sb", NOTHING, "bench binds its queues; see --predeclared"),
    LOST_NUMBER("routing-key-cache-size", "rkcs", "each message gets a key of its own"),
    LOST_NUMBER("producer-scheduler-threads", "pst", no_threads),
    LOST_NUMBER("consumers-thread-pools", "ctp", no_threads),
    LOST("json-body", "jb", NOTHING, no_json),
    LOST_NUMBER("body-count", "bc", no_json),
    LOST_NUMBER("body-field-count", "bfc", no_json),
    LOST_NUMBER("ptxsize", "m", "transactions; use --confirm"),
    LOST_NUMBER("ctxsize", "n", "transactions; use --multi-ack-every"),
    LOST_NUMBER("global-qos", "Q", "one bound for a whole channel; use --prefetch"),
    LOST("verbose", "", NOTHING, no_verbose),
    LOST("verbose-full", "", NOTHING, no_verbose),
    LOST("metrics-prometheus-endpoint", "mpe", ONE, "the path is /metrics"),
    LOST("metrics-jmx", "mjx", NOTHING, "Java alone has it; use --metrics"),
    LOST("metrics-datadog", "mda", NOTHING, no_datadog),
    SECRET("metrics-datadog-api-key", "mdk", ONE, no_datadog),
    SECRET("metrics-datadog-application-key", "mdak", ONE, no_datadog),
    LOST("metrics-datadog-step-size", "mds", ONE, no_datadog),
    LOST("metrics-datadog-host-tag", "mdh", ONE, no_datadog),
    LOST("metrics-datadog-descriptions", "mdd", NOTHING, no_datadog),
    LOST("metrics-datadog-uri", "mdu", ONE, no_datadog),
    LOST("metrics-tags", "mt", ONE, "add labels where the metrics are scraped"),
    LOST("metrics-prefix", "mpx", ONE, no_prefix),
    LOST("metrics-client", "mc", NOTHING, "of its client"),
    LOST("metrics-jvm-memory", "mjm", NOTHING, no_jvm),
    LOST("metrics-jvm-gc", "mjgc", NOTHING, no_jvm),
    LOST("metrics-jvm-thread", "mjt", NOTHING, no_jvm),
    LOST("metrics-processor", "mjp", NOTHING, no_jvm),
    LOST("metrics-class-loader", "mcl", NOTHING, no_jvm),
    LOST("metrics-command-line-arguments", "mcla", NOTHING, "the report has the settings"),
    LOST("exposed-metrics", "em", ONE, "bench judges itself: --expect"),
    LOST_NUMBER("expected-instances", "ei", no_sync),
    LOST("instance-sync-namespace", "isn", ONE, no_sync),
    LOST_NUMBER("instance-sync-timeout", "ist", no_sync),
};

const size_t perftest_row_count = ARRAY_LEN(perftest_rows);
