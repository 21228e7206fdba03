#!/bin/bash
# Measures the event store: events a second from memory (store_speed.c), and what `events record` takes from a
# broker beside a plain consumer (consumer -f none) of the same queue, in rounds that alternate. Figures only.
#
#   record.sh         EVENTS, ROUNDS and MESSAGES set the sizes, DIRECTORY where the stores are (a disk!)
#
# RabbitMQ's own processes and those of the recorder share the processors: what counts are the ratios.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 70
make --no-print-directory -j"$(nproc)" binaries build/release/tests/bench/store_speed >/dev/null || exit
BIN=${BIN:-$PWD/build/release/bin}
events=${EVENTS:-300000} rounds=${ROUNDS:-5} messages=${MESSAGES:-100000}
work=$(mktemp -d "${DIRECTORY:-${TMPDIR:-/tmp}}/warren-record.XXXXXX")
own=
cleanup() {
	[ -z "$own" ] || "$BIN/lab" down --dir "$work/lab" >/dev/null 2>&1
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

echo "# into a new store: events, a batch, subjects (0: none), seconds, events a second, bytes of the file"
for subjects in 1000 0; do
	for batch in 2000 16384; do
		for ((round = 0; round < rounds; round++)); do
			build/release/tests/bench/store_speed "$work/events.db" "$events" $batch $subjects || exit
			rm -f "$work"/events.db*
		done | sort -n -k 5 | sed -n "$(((rounds + 1) / 2))p"
	done
done

if [ -z "${WARREN_TEST_LAB-}" ]; then
	own=yes
	export WARREN_TEST_LAB=$work/lab
	"$BIN/lab" up --wait 300s --dir "$WARREN_TEST_LAB" >/dev/null || exit
fi
eval "$("$BIN/lab" env --dir "$WARREN_TEST_LAB")"
cat >"$work/s.yaml" <<END
queues:
  recorded: {}
messages:
  m:
    routing_key: recorded
    amount: $messages
    fields: {n: {sequence: 1}, text: {text: {length: 170}}}
END
export WARREN_SETTINGS=$work/s.yaml
rate() { jq -r '.rate' <<<"$1"; }
fill() { "$BIN/producer" --yes -q --delay 0; }
record() { "$BIN/events" record recorded --count "$messages" --store "$work/events.db" -q --summary json 2>&1; }
consume() { "$BIN/consumer" recorded --count "$messages" --prefetch 8000 -f none -q --summary json 2>&1; }

echo "# from RabbitMQ: messages a second by consumer -f none, by events record, ratio"
for ((round = 0; round < rounds; round++)); do
	fill && consumed=$(rate "$(consume)") && fill && recorded=$(rate "$(record)") || exit
	rm -f "$work"/events.db*
	awk -v a="$consumed" -v b="$recorded" 'BEGIN { printf "%.0f %.0f %.2f\n", a, b, b / a }'
done | sort -n -k 3 | tee "$work/ratios"
awk '{ all[NR] = $3 } END { print "# median of the ratios: " all[int((NR + 1) / 2)] }' "$work/ratios"
"$BIN/topology" delete -q --yes 2>/dev/null
