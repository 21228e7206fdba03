#!/bin/bash
# Measures rpc call and rpc serve against the plain use of rabbitmq-c (plain_call, plain_serve), with 1
# and with 100 calls in flight, on a private RabbitMQ. What counts are the ratios: who asks and who
# answers take turns on the same broker and the same queue. Ours confirm what they publish and watch
# the time; the plain ones do not. Figures only: no speed fails a build.
#
#   rpc.sh            ROUNDS=5, COUNT_1=2000 and COUNT_100=20000 calls a measurement
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 70
BIN=${BIN:-bin} PEERS=${PEERS:-build/release/tests/bench}
rounds=${ROUNDS:-5} count_1=${COUNT_1:-2000} count_100=${COUNT_100:-20000} prefetch=100
unset WARREN_SETTINGS

work=$(mktemp -d "${TMPDIR:-/tmp}/warren-bench-rpc.XXXXXX")
trap '"$BIN/lab" down --dir "$work/lab" >/dev/null 2>&1; rm -rf "$work"' EXIT
"$BIN/lab" up --wait 300s --dir "$work/lab" >/dev/null || exit 1
eval "$("$BIN/lab" env --dir "$work/lab")"
export AMQP_URL

warren_serve() { "$BIN/rpc" serve bench --echo --count "$1" --prefetch $prefetch --format none --quiet; }
plain_serve() { "$PEERS/plain_serve" "$AMQP_URL" bench "$1" $prefetch; }
warren_call() { "$BIN/rpc" call bench hello --amount "$1" --in-flight "$2" --deadline 60s --format none --quiet; }
plain_call() { "$PEERS/plain_call" "$AMQP_URL" bench "$1" "$2"; }

# measure ROUND CALLER SERVER COUNT IN_FLIGHT: appends "CALLER SERVER IN_FLIGHT CALLS/S".
measure() {
	local caller=$2 server=$3 count=$4 window=$5 since
	"${server}_serve" "$count" 2>>"$work/err" &
	since=${EPOCHREALTIME/./}
	"${caller}_call" "$count" "$window" 2>>"$work/err" || exit 1
	echo "$caller $server $window $((count * 1000000 / (${EPOCHREALTIME/./} - since)))" >>"$work/figures"
	wait $! || exit 1
}

"$BIN/rpc" serve bench --echo --idle 100ms --quiet --format none 2>/dev/null # makes the queue
for ((round = 1; round <= rounds; round++)); do
	for server in plain warren; do
		for caller in plain warren; do
			measure $round $caller $server "$count_1" 1
			measure $round $caller $server "$count_100" 100
		done
	done
done
sort "$work/figures" | awk '
	{key = $3 " " $1 " " $2; all[key] = all[key] " " $4}
	function median(list,   n, a, i, j, t) {
		n = split(list, a, " ")
		for (i = 2; i <= n; i++) for (j = i; j > 1 && a[j] + 0 < a[j - 1] + 0; j--) {t = a[j]; a[j] = a[j - 1]; a[j - 1] = t}
		return a[int((n + 1) / 2)]
	}
	END {
		print "in flight  caller  server   calls/s (median)   to plain"
		split("1 100", windows, " "); split("plain warren", whos, " ")
		for (w = 1; w <= 2; w++) for (c = 1; c <= 2; c++) for (s = 1; s <= 2; s++) {
			m = median(all[windows[w] " " whos[c] " " whos[s]])
			printf "%9s  %-6s  %-6s  %17d   %8.2f\n", windows[w], whos[c], whos[s], m, m / median(all[windows[w] " plain plain"])
		}
	}'
