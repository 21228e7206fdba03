# A result of bench that looks like one of a real run: jq -n --argjson intervals 60 -f result.jq
# From 40 % to 43 % of the time the broker blocks its publishers, and 2 of 100 intervals have a tail.
def wave(x): (((x * 12.9898 | sin) * 43758.5453) | . - floor) * 2 - 1; # looks random, repeats
def times(from): {p50: from, p75: (from * 1.4), p90: (from * 2.1), p95: (from * 3), p99: (from * 6), p999: (from * 14),
	p9999: (from * 40), max: (from * 55)};
def latency(from; n): {count: n, min: (from / 4), mean: (from * 1.3)} + times(from);
def blocked(i): i >= $intervals * 0.4 and i < $intervals * 0.43;
def interval(i):
	(if blocked(i) then 0.35 else 1 end) as $open
	| (if wave(i * 7) > 0.96 then 9 else 1 end) as $tail
	| ((5000 + 40 * wave(i)) * $open | round) as $sent
	| (0.0011 * (1 + 0.15 * wave(i + 0.5))) as $p50
	| {at: (i + 1),
	   counts: {sent: $sent, confirmed: ($sent - (3 * wave(i * 3) | fabs | round)), returned: 0, nacked: 0,
		received: ((5000 + 160 * wave(i * 5)) * ($open + 0.1 * (1 - $open)) | round), operations: 0,
		blocked_seconds: (if blocked(i) then 0.65 else 0 end)},
	   latency: {
		latency_due: ({count: $sent} + (times($p50 * (if blocked(i) then 120 else 1 end)) | .p99 *= $tail | .p999 *= $tail | .max *= $tail)),
		latency_sent: ({count: $sent} + (times($p50 * 0.93) | .p99 *= $tail | .p999 *= $tail | .max *= $tail)),
		confirm_due: ({count: $sent} + times($p50 * (if blocked(i) then 100 else 0.6 end))), confirm_sent: ({count: $sent} + times($p50 * 0.55)),
		gap: ({count: $sent} + times($p50 / 20)), operation: null}};
# Buckets 2 % wide: a hump around the median, and a long tail.
def buckets(from): [range(0; 330) | (from / 4 * pow(1.02; .)) as $low | (. - 70) as $off
	| [$low, $low * 1.02, ((9000 * (-$off * $off / (if $off > 0 then 1500 else 500 end) | exp) + 40 * (-$off / 60 | exp) * (1 + wave(.)) * (if $off > 0 then 1 else 0 end)) | floor)]
	| select(.[2] > 0)];
[range(0; $intervals) | interval(.)] as $all
| ($all | map(.counts.sent) | add // 0) as $sent
| ($all | map(.counts.confirmed) | add // 0) as $confirmed
| ($all | map(.counts.received) | add // 0) as $received
| {warren: "0.1.0", started: "2026-11-21T09:00:00Z", seconds: $intervals, interval: 1, stopped_by: "time",
   options: {producers: "2", consumers: "4", rate: "5000/s", size: "256B", queue: "bench", confirm: "500", prefetch: "200", time: "\($intervals)s"},
   machine: {system: "Linux 6.1.0-37-amd64 x86_64", cpus: 2, cpu: "AMD EPYC 7B13", memory_bytes: 25769803776},
   broker: "RabbitMQ 3.10.8",
   totals: {sent: $sent, confirmed: $confirmed, returned: 0, nacked: 0, unconfirmed: ($sent - $confirmed), received: $received, redelivered: 12,
	reordered: 0, foreign: 0, sent_bytes: ($sent * 256), received_bytes: ($received * 256), blocked_seconds: ($intervals * 0.02),
	operations: 0, duplicated: 3, lost: 0, left: 0, cpu_seconds: ($sent / 1e6 * 2.4)},
   rates: {sent: ($sent / $intervals), confirmed: ($confirmed / $intervals), received: ($received / $intervals), operations: 0},
   latency: {latency_due: (latency(0.00114; $received) | .p999 = 0.131 | .p9999 = 0.7 | .max = 0.84), latency_sent: latency(0.00106; $received),
	confirm_due: latency(0.00066; $confirmed), confirm_sent: latency(0.0006; $confirmed), gap: latency(0.000055; $sent), operation: null},
   histogram: {latency_due: buckets(0.00114), latency_sent: buckets(0.00106), confirm_due: buckets(0.00066), confirm_sent: buckets(0.0006),
	gap: buckets(0.000055), operation: []},
   intervals: $all,
   expectations: [{name: "latency_p99", wanted: "at most 5 ms", found: "6.84 ms", met: false}, {name: "lost", wanted: "0", found: "0", met: true}],
   verdict: "failed"}
