#!/bin/bash
# Measures the producer and the consumer against plain rabbitmq-c (plain_publish, plain_consume), on
# a private broker. What counts are the ratios: everybody has the same minutes, the same broker and
# the same queue, and the rounds alternate who goes first. Figures only: no speed fails a build.
#
#   run.sh            BENCH_COUNT=N fixes the messages of a measurement, BENCH_ROUNDS the rounds
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 70
export BIN=${BIN:-bin} PEERS=${PEERS:-build/release/tests/bench}
if [ -z "${BENCH_INSIDE-}" ]; then
	echo "bench: starting a private RabbitMQ (a few seconds) ..."
	BENCH_INSIDE=yes exec "$BIN/lab" run -- bash tests/bench/run.sh
fi

rounds=${BENCH_ROUNDS:-5}
settings=tests/bench/bench.yaml
window=1000 prefetch=1000 # the same on both sides
seconds_to_spend=50       # by all rounds together, as far as a first run can tell
seconds_at_most=90        # no further round begins after these
fewest=30000 most=100000  # messages a measurement: with fewer, starting up counts too much
work=$(mktemp -d "${TMPDIR:-/tmp}/warren-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
unset WARREN_SETTINGS

# timed WHO COMMAND...: appends "WHO ROUND WALL CPU", in seconds.
timed() {
	local who=$1 wall user system TIMEFORMAT='%R %U %S'
	shift
	{ time "$@" >"$work/out" 2>"$work/err"; } 2>"$work/time" || {
		echo "bench: $* failed:"
		cat "$work/err"
		exit 1
	}
	read -r wall user system <"$work/time"
	awk -v who="$who" -v round="$round" -v wall="$wall" -v user="$user" -v sys="$system" \
		'BEGIN {print who, round, wall, user + sys}' >>"$work/figures"
}

peer_publish() { "$PEERS/plain_publish" "$AMQP_URL" bench "$1"; }
peer_consume() { "$PEERS/plain_consume" "$AMQP_URL" bench "$1" $prefetch; }
produce() { "$BIN/producer" -s $settings "$2" --amount "$1" --delay 0 --window $window --format none --yes --quiet; }
consume() { "$BIN/consumer" -s $settings --count "$1" --prefetch $prefetch --format "$2" --quiet; }
purge() { "$BIN/topology" purge -s $settings --quiet >/dev/null; }

# The measurements. Each finds the queue empty, or filled by the peer with what it is to take out.
publishing=(peer_publish constant generated)
consuming=(peer_consume none json)
measure() {
	case $1 in
	peer_publish) timed "$1" peer_publish "$count" ;;
	constant | generated) timed "$1" produce "$count" "$1" ;;
	*) peer_publish "$count" ;;
	esac
	case $1 in
	peer_consume) timed "$1" peer_consume "$count" ;;
	none | json) timed "$1" consume "$count" "$1" ;;
	*) purge ;;
	esac
}

# choose_count: as many messages as the time allows; a first run, which also warms everybody up.
choose_count() {
	local began=${EPOCHREALTIME/./} spent_us
	peer_publish $fewest && consume $fewest none || exit 1
	spent_us=$((${EPOCHREALTIME/./} - began))
	# a round publishes six times and consumes three times
	count=$((seconds_to_spend * 1000000 * fewest / (rounds * 5 * spent_us)))
	count=$((count < fewest ? fewest : count > most ? most : count / 1000 * 1000))
}

# reversed WORD...: the words, last one first.
reversed() {
	local i
	for ((i = $#; i > 0; i--)); do echo "${!i}"; done
}

# report: medians of the rounds; a ratio is the median of the rounds' ratios.
report() {
	awk -v count="$count" '
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
		printf "%-32s%9.0f%9.0f%7.2f  %9.2f%7.2f%7.2f\n", name,
			over_rounds("rate", ours), over_rounds("rate", peer), over_rounds("rate", ours, peer),
			over_rounds("cpu", ours), over_rounds("cpu", peer), over_rounds("cpu", ours, peer)
	}
	{
		figure["rate", $1, $2] = count / $3
		figure["cpu", $1, $2] = $4 / count * 1000000
		if ($2 > rounds) rounds = $2
	}
	END {
		printf "%-32s%18s%7s  %16s\n", "", "messages/s", "", "CPU s/million"
		printf "%-32s%9s%9s%7s  %9s%7s%7s\n", "", "warren", "plain", "ratio", "warren", "plain", "ratio"
		row("publish, a constant body", "constant", "peer_publish")
		row("publish, five generated fields", "generated", "peer_publish")
		row("consume, printing nothing", "none", "peer_consume")
		row("consume, JSON into a file", "json", "peer_consume")
	}' "$work/figures"
}

"$BIN/topology" apply -s $settings --quiet >/dev/null || exit
round=0
count=${BENCH_COUNT:-}
[ -n "$count" ] || choose_count
echo "bench: $rounds rounds of $count messages of 256 bytes, $(nproc) cores shared with the broker," \
	"load $(cut -d' ' -f1 /proc/loadavg)"
for ((round = 1; round <= rounds; round++)); do
	[ $SECONDS -lt $seconds_at_most ] || {
		echo "bench: time is up after $((round - 1)) rounds"
		break
	}
	order=("${publishing[@]}" "${consuming[@]}")
	[ $((round % 2)) -eq 1 ] || mapfile -t order < <(reversed "${order[@]}")
	for who in "${order[@]}"; do measure "$who"; done
done
report
echo "warren: producer and consumer with a fresh message_id and content_type on every message;"
echo "plain: rabbitmq-c as its examples use it. CPU is the client's own, user and system."
