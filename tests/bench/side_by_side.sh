#!/bin/bash
# Measures warren beside the clients that people use today, each written as its own documentation
# advises: rabbitmq-c (plain_*.c), Go, Node and Python (peers/). One private RabbitMQ for all, and
# in every round everybody once, in an order of its own. Figures only: no speed fails a build.
#
#   flood   one process publishes and one consumes, as fast as they go: confirms, at most 1,000
#           of them open, and an ack for every 100 messages
#   paced   one process publishes so many messages a second and consumes them: how late they are
#
# Prints a table in Markdown for each; every measurement is a line of build/bench/peers.jsonl.
#
#   side_by_side.sh      BENCH_CLIENTS="warren go" and BENCH_JOBS=paced choose among all,
#                        BENCH_ROUNDS (5), BENCH_SECONDS of a measurement (5), BENCH_RATE (5000/s)
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 70
export BIN=${BIN:-bin} PEERS=${PEERS:-build/release/tests/bench}

rounds=${BENCH_ROUNDS:-5} seconds=${BENCH_SECONDS:-5} rate=${BENCH_RATE:-5000}
size=256 window=1000 prefetch=1000 ack_every=100 # the same in every client
fewest=10000                                     # messages of a flood
limit=$((10 * seconds + 60))                     # seconds: then whoever is not done has failed
settings=tests/bench/bench.yaml
out=$PWD/build/bench
lines=$out/peers.jsonl
python=/usr/bin/python3 # Debian's, which has Debian's pika
export NODE_PATH=$out/node/node_modules
unset WARREN_SETTINGS

# ---- the clients: prepare_NAME builds one, or says why it cannot be measured ----

prepare_warren() { [ -x "$BIN/bench" ] || echo "there is no $BIN/bench"; }
prepare_tools() { :; } # producer and consumer
prepare_rabbitmq-c() { :; }

prepare_go() {
	command -v go >/dev/null || { echo "there is no go" && return; }
	GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$out/go-cache \
		GOFLAGS='' go build -o "$out/go" tests/bench/peers/go/main.go 2>"$out/go.log" ||
		echo "it does not build: see $out/go.log"
}

prepare_node() {
	local major
	command -v npm >/dev/null || { echo "there is no npm" && return; }
	major=$(node --print 'process.versions.node.split(".")[0]' 2>/dev/null)
	[ "${major:-0}" -ge 18 ] || { echo "there is no node 18 or later" && return; }
	cmp -s tests/bench/peers/node/package-lock.json "$out/node/package-lock.json" &&
		[ -d "$NODE_PATH/amqplib" ] && return
	mkdir -p "$out/node"
	cp tests/bench/peers/node/package*.json "$out/node"
	(cd "$out/node" && npm ci --no-audit --no-fund --ignore-scripts) >"$out/node.log" 2>&1 ||
		echo "amqplib was not installed: see $out/node.log"
}

prepare_pika() { $python -c 'import pika' 2>/dev/null || echo "$python has no pika"; }

within() { timeout --foreground "$limit" "$@"; }

# peer CLIENT publish|consume|paced ARGUMENT...: the clients that take the same command line.
peer() {
	local client=$1
	shift
	case $client in
	go) within "$out/go" "$@" ;;
	node) within node tests/bench/peers/node/peer.js "$@" ;;
	pika) within $python tests/bench/peers/python/peer.py "$@" ;;
	esac
}

publish() {
	case $1 in
	tools) within "$BIN/producer" -s $settings constant --amount "$2" --delay 0 --window $window --format none --yes --quiet ;;
	rabbitmq-c) within "$PEERS/plain_publish" "$AMQP_URL" bench "$2" ;;
	*) peer "$1" publish "$AMQP_URL" bench "$2" $size ;;
	esac
}

consume() {
	case $1 in
	tools) within "$BIN/consumer" -s $settings --count "$2" --prefetch $prefetch --format none --quiet ;;
	rabbitmq-c) within "$PEERS/plain_consume" "$AMQP_URL" bench "$2" $prefetch ;;
	*) peer "$1" consume "$AMQP_URL" bench "$2" ;;
	esac
}

bench() {
	within "$BIN/bench" --size $size --confirm $window --multi-ack-every $ack_every --json "$@"
}

# ---- flood ----

both() {
	consume "$1" "$2" >"$work/consumed" &
	publish "$1" "$2" >"$work/published" || {
		kill $!
		return 1
	}
	wait $!
}

# flood CLIENT COUNT: a line of JSON. A client with a runtime to start tells itself when it began
# and ended, so that the start does not count; the CPU is that of whole processes, all the same.
flood() {
	local user system began TIMEFORMAT='%U %S'
	if [ "$1" = warren ]; then
		bench --pmessages "$2" --cmessages "$2" >"$work/result" 2>"$work/err" || fail "$1"
		jq -c '{rate: .rates.received, cpu: (.totals.cpu_seconds / .totals.received * 1e6)}' "$work/result"
		return
	fi
	began=$EPOCHREALTIME
	{ time both "$1" "$2" 2>"$work/err"; } 2>"$work/time" || fail "$1"
	read -r user system <"$work/time"
	jq -nc --argjson count "$2" --argjson began "$began" --argjson ended "$EPOCHREALTIME" \
		--argjson user "$user" --argjson system "$system" \
		--slurpfile published "$work/published" --slurpfile consumed "$work/consumed" '{
			rate: ($count / (($consumed[0].ended // $ended) - ($published[0].began // $began))),
			cpu: (($user + $system) / $count * 1e6)}'
}

# choose_count CLIENT: as many messages as it moves in the time of a measurement; warms it up, too.
choose_count() {
	flood "$1" $fewest | jq --argjson seconds "$seconds" --argjson fewest $fewest \
		'[$fewest, (.rate * $seconds / 1000 | floor * 1000)] | max'
}

# ---- paced ----

# paced CLIENT: a line of JSON.
paced() {
	local result=$work/result
	case $1 in
	warren) bench --rate "$rate/s" --time "${seconds}s" ;;
	rabbitmq-c) within "$PEERS/plain_paced" "$AMQP_URL" bench "$rate" "$seconds" $size ;;
	*) peer "$1" paced "$AMQP_URL" bench "$rate" "$seconds" $size ;;
	esac >"$result" 2>"$work/err" || fail "$1"
	if [ "$1" = warren ]; then
		jq -c '{sent: .totals.sent, received: .totals.received,
			p50_due_us: (.latency.latency_due.p50 * 1e6), p99_due_us: (.latency.latency_due.p99 * 1e6),
			p50_sent_us: (.latency.latency_sent.p50 * 1e6), p99_sent_us: (.latency.latency_sent.p99 * 1e6),
			p99_gap_us: (.latency.gap.p99 * 1e6), cpu_seconds: .totals.cpu_seconds}' "$result"
	else
		jq -c . "$result"
	fi | jq -c '. + {cpu: (.cpu_seconds / .received * 1e6)}'
}

# ---- the rounds ----

fail() {
	echo "bench: $1 failed:" >&2
	cat "$work/err" >&2
	exit 1
}

# check_empty CLIENT: what one leaves in the queue would be another's, stamps and all.
check_empty() {
	local left
	left=$("$BIN/topology" show -s $settings --format json | jq .ready) && [ "$left" = 0 ] && return
	echo "bench: $1 left $left messages in the queue" >&2
	exit 1
}

# note JOB ROUND CLIENT: adds what it is of to the line on stdin.
note() {
	jq -c --arg job "$1" --argjson round "$2" --arg client "$3" \
		'{job: $job, round: $round, client: $client} + .' >>"$lines"
}

run_flood() {
	local client order
	declare -A count
	for client; do
		count[$client]=$(choose_count "$client") || exit 1
		check_empty "$client"
	done
	for ((round = 1; round <= rounds; round++)); do
		mapfile -t order < <(shuf -e "$@")
		for client in "${order[@]}"; do
			flood "$client" "${count[$client]}" | note flood $round "$client" || exit 1
			check_empty "$client"
		done
	done
}

run_paced() {
	local client order
	for ((round = 1; round <= rounds; round++)); do
		mapfile -t order < <(shuf -e "$@")
		for client in "${order[@]}"; do
			[ "$client" != tools ] || continue # they measure no latencies
			paced "$client" | note paced $round "$client" || exit 1
			check_empty "$client"
		done
	done
}

# report JOB CLIENT...: the first one measured is what the others' ratios are to.
report() {
	local job=$1
	shift
	jq -rs --arg job "$job" -f tests/bench/side_by_side.jq "$lines" --args "$@"
}

run_jobs() {
	local job
	"$BIN/topology" apply -s $settings --quiet >/dev/null || exit 1
	: >"$lines"
	echo "bench: $rounds rounds of $seconds s, bodies of $size bytes, $(nproc) cores shared with RabbitMQ," \
		"load $(cut -d' ' -f1 /proc/loadavg)"
	for job in ${BENCH_JOBS:-flood paced}; do
		"run_$job" "$@"
		echo
		case $job in
		flood) echo "Publish and consume at once, as fast as it goes, confirms and acks:" ;;
		paced) echo "Latency at a paced $rate messages/s, in microseconds:" ;;
		esac
		echo
		report "$job" "$@"
	done
	echo
	echo "Medians of the rounds; x is the median of the rounds' ratios to the first line. CPU: the"
	echo "client's own seconds, user and system, for a million messages. The producer gives every"
	echo "message an id and a content type; the others send a body alone. Every run: ${lines#"$PWD"/}"
}

read -ra clients <<<"${BENCH_CLIENTS:-warren tools rabbitmq-c go node pika}"
if [ -n "${BENCH_INSIDE-}" ]; then
	work=$(mktemp -d "${TMPDIR:-/tmp}/warren-bench.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM
	run_jobs "${clients[@]}"
	exit
fi
for client in "${clients[@]}"; do
	declare -F "prepare_$client" >/dev/null || { echo "bench: no client is called '$client'" >&2 && exit 64; }
done
./tests/support/deps.sh bench || echo "bench: going on with what there is"
mkdir -p "$out"
measured=()
for client in "${clients[@]}"; do
	problem=$("prepare_$client")
	if [ -z "$problem" ]; then
		measured+=("$client")
	else
		echo "bench: $client is not measured: $problem"
	fi
done
[ ${#measured[@]} -gt 0 ] || exit 69
echo "bench: starting a private RabbitMQ (a few seconds) ..."
BENCH_INSIDE=yes BENCH_CLIENTS="${measured[*]}" "$BIN/lab" run -- bash tests/bench/side_by_side.sh
