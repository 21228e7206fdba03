#include "bench/bench_options.h"

#include "base/chrono.h"

const struct bench_options bench_defaults = {
    .producers = 1,
    .consumers = 1,
    .producer_channels = 1,
    .consumer_channels = 1,
    .type = "direct",
    .queue_from = 1,
    .auto_delete = true,
    .durable = true,
    .size = 256,
    .confirm = 1000,
    .confirm_timeout_ns = 30 * CHRONO_S,
    .prefetch = 1000,
    .drain_ns = 10 * CHRONO_S,
    .report_ns = CHRONO_S,
    .latency_bound_ns = 50 * CHRONO_MS,
};
