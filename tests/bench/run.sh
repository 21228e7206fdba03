#!/bin/bash
# Measures the producer and the consumer against plain rabbitmq-c (plain_publish, plain_consume):
# first on the null broker (null_broker.c), where the client is the limit, then on a private
# RabbitMQ. What counts are the ratios: everybody has the same minutes, the same broker and the same
# queue, and the rounds alternate who goes first. Figures only: no speed fails a build.
#
#   run.sh            BENCH_COUNT=N fixes the messages of a measurement on RabbitMQ,
#                     BENCH_ROUNDS the rounds, BENCH_BROKERS="null rabbitmq" which of the two
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 70
export BIN=${BIN:-bin} PEERS=${PEERS:-build/release/tests/bench}

rounds=${BENCH_ROUNDS:-5}
settings=tests/bench/bench.yaml
window=1000 prefetch=1000 # the same on both sides
seconds_to_spend=50       # on RabbitMQ by all rounds together, as far as a first run can tell
seconds_at_most=90        # no further round begins after these
fewest=30000 most=100000  # messages a measurement: with fewer, starting up counts too much
unset WARREN_SETTINGS

# timed WHO COUNT COMMAND...: appends "WHO ROUND COUNT WALL CPU", in seconds.
timed() {
	local who=$1 count=$2 wall user system TIMEFORMAT='%R %U %S'
	shift 2
	{ time "$@" >"$work/out" 2>"$work/err"; } 2>"$work/time" || {
		echo "bench: $* failed:"
		cat "$work/err"
		exit 1
	}
	read -r wall user system <"$work/time"
	awk -v who="$who" -v round="$round" -v count="$count" -v wall="$wall" -v cpu="$user+$system" \
		'BEGIN {split(cpu, part, "+"); print who, round, count, wall, part[1] + part[2]}' >>"$work/figures"
}

peer_publish() { "$PEERS/plain_publish" "$AMQP_URL" bench "$1"; }
peer_consume() { "$PEERS/plain_consume" "$AMQP_URL" bench "$1" $prefetch; }
produce() { "$BIN/producer" -s $settings "$2" --amount "$1" --delay 0 --window $window --format none --yes --quiet; }
consume() { "$BIN/consumer" -s $settings --count "$1" --prefetch $prefetch --format "$2" --quiet; }
purge() { "$BIN/topology" purge -s $settings --quiet >/dev/null; }

# both CONSUME... -- PUBLISH...: at the same time; waits for both.
both() {
	local consuming=()
	while [ "$1" != -- ]; do
		consuming+=("$1")
		shift
	done
	shift
	"${consuming[@]}" &
	"$@" || {
		kill $!
		return 1
	}
	wait $!
}

# ---- on the null broker: it never runs empty, and everybody gets what takes about a second ----

null_measurements=(peer_publish constant generated peer_consume none json)
measure_null() {
	case $1 in
	peer_publish) timed "$1" 200000 peer_publish 200000 ;;
	constant) timed "$1" 3000000 produce 3000000 constant ;;
	generated) timed "$1" 1500000 produce 1500000 generated ;;
	peer_consume) timed "$1" 3000000 peer_consume 3000000 ;;
	none) timed "$1" 5000000 consume 5000000 none ;;
	json) timed "$1" 1500000 consume 1500000 json ;;
	esac
}

start_null() {
	exec {null_port}< <(exec "$PEERS/null_broker")
	null_pid=$!
	read -r port <&"$null_port" || exit 1
	export AMQP_URL=amqp://guest:guest@127.0.0.1:$port
}

# ---- on RabbitMQ: each finds the queue empty, or filled by the peer with what it takes out ----

rabbitmq_measurements=(peer_publish constant generated peer_consume none json peer_both both)
measure_rabbitmq() {
	case $1 in
	peer_publish) timed "$1" "$count" peer_publish "$count" ;;
	constant | generated) timed "$1" "$count" produce "$count" "$1" ;;
	peer_both) timed "$1" "$count" both peer_consume "$count" -- peer_publish "$count" ;;
	both) timed "$1" "$count" both consume "$count" none -- produce "$count" constant ;;
	*) peer_publish "$count" || exit 1 ;;
	esac
	case $1 in
	peer_consume) timed "$1" "$count" peer_consume "$count" ;;
	none | json) timed "$1" "$count" consume "$count" "$1" ;;
	*) purge ;;
	esac
}

# choose_count: as many messages as the time allows; a first run, which also warms everybody up.
choose_count() {
	local began=${EPOCHREALTIME/./} spent_us
	peer_publish $fewest && consume $fewest none || exit 1
	spent_us=$((${EPOCHREALTIME/./} - began))
	# a round publishes eight times and consumes five times
	count=$((seconds_to_spend * 1000000 * fewest / (rounds * 7 * spent_us)))
	count=$((count < fewest ? fewest : count > most ? most : count / 1000 * 1000))
}

# reversed WORD...: the words, last one first.
reversed() {
	local i
	for ((i = $#; i > 0; i--)); do echo "${!i}"; done
}

# report: medians of the rounds; a ratio is the median of the rounds' ratios.
report() {
	awk '
	function median(list, n,    i, j, t) {
		for (i = 2; i <= n; i++)
			for (j = i; j > 1 && list[j - 1] > list[j]; j--) {
				t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
			}
		return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
	}
	function over_rounds(what, a, b,    r, v) {
		for (r = 1; r <= rounds; r++) v[r] = figure[what, a, r] / (b == "" ? 1 : figure[what, b, r])
		return median(v, rounds)
	}
	function row(name, ours, peer) {
		if (!((("rate") SUBSEP ours SUBSEP 1) in figure)) return
		printf "%-32s%9.0f%9.0f%7.2f  %9.2f%7.2f%7.2f\n", name,
			over_rounds("rate", ours), over_rounds("rate", peer), over_rounds("rate", ours, peer),
			over_rounds("cpu", ours), over_rounds("cpu", peer), over_rounds("cpu", ours, peer)
	}
	{
		figure["rate", $1, $2] = $3 / $4
		figure["cpu", $1, $2] = $5 / $3 * 1000000
		if ($2 > rounds) rounds = $2
	}
	END {
		printf "%-32s%18s%7s  %16s\n", "", "messages/s", "", "CPU s/million"
		printf "%-32s%9s%9s%7s  %9s%7s%7s\n", "", "warren", "plain", "ratio", "warren", "plain", "ratio"
		row("publish, a constant body", "constant", "peer_publish")
		row("publish, five generated fields", "generated", "peer_publish")
		row("consume, printing nothing", "none", "peer_consume")
		row("consume, JSON into a file", "json", "peer_consume")
		row("publish and consume at once", "both", "peer_both")
	}' "$work/figures"
}

# run_rounds BROKER MEASUREMENT...: every measurement in every round, every other round backwards.
run_rounds() {
	local measure=measure_$1 order who
	shift
	: >"$work/figures"
	for ((round = 1; round <= rounds; round++)); do
		[ $SECONDS -lt $seconds_at_most ] || {
			echo "bench: time is up after $((round - 1)) rounds"
			break
		}
		order=("$@")
		[ $((round % 2)) -eq 1 ] || mapfile -t order < <(reversed "$@")
		for who in "${order[@]}"; do "$measure" "$who"; done
	done
	report
}

run_null() {
	start_null
	trap 'kill $null_pid' EXIT
	echo "bench: the null broker, $rounds rounds, bodies of 256 bytes, $(nproc) cores," \
		"load $(cut -d' ' -f1 /proc/loadavg)"
	run_rounds null "${null_measurements[@]}"
}

run_rabbitmq() {
	"$BIN/topology" apply -s $settings --quiet >/dev/null || exit
	round=0
	count=${BENCH_COUNT:-}
	[ -n "$count" ] || choose_count
	echo "bench: RabbitMQ, $rounds rounds of $count messages of 256 bytes, $(nproc) cores shared with it," \
		"load $(cut -d' ' -f1 /proc/loadavg)"
	run_rounds rabbitmq "${rabbitmq_measurements[@]}"
}

work=$(mktemp -d "${TMPDIR:-/tmp}/warren-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
if [ -n "${BENCH_INSIDE-}" ]; then
	run_rabbitmq
	exit
fi
for broker in ${BENCH_BROKERS:-null rabbitmq}; do
	case $broker in
	null) (run_null) || exit ;;
	rabbitmq)
		echo "bench: starting a private RabbitMQ (a few seconds) ..."
		BENCH_INSIDE=yes "$BIN/lab" run -- bash tests/bench/run.sh || exit
		;;
	esac
done
echo "warren: producer and consumer with a fresh message_id and content_type on every message;"
echo "plain: rabbitmq-c as its examples use it. CPU is the client's own, user and system. Rates and"
echo "CPU are medians of the rounds, a ratio is the median of the rounds' ratios."
