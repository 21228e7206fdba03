#!/bin/bash
# Builds and runs the tests: unit tests, then the real binaries against a private broker.
# run.sh VARIANT [PART OF A NAME]
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 70
variant=${1:-release} only=${2-}
root=$PWD
export BIN=$root/build/$variant/bin INSTRUMENTS=build/$variant/tests
logs=$root/build/$variant/logs
passed=0 failed=0 skipped=0
limit=$([ -z "$only" ] && echo 600 || echo 3600) # seconds; one that is asked for may be asked for much

./tests/support/deps.sh "$([ "$variant" != asan ] || echo lint)" || exit
mkdir -p "$logs"
make --no-print-directory -j"$(nproc)" VARIANT="$variant" \
	binaries unit instruments >"$logs/build.log" 2>&1 || {
	tail -n 40 "$logs/build.log"
	echo "the build failed"
	exit 1
}

# One test more at a time than there are processors, for those with a broker wait more than they work;
# each appends "passed failed skipped" to counts.
pool() {
	while [ "$(jobs -rp | wc -l)" -gt "$(nproc)" ]; do wait -n; done
	"$@" &
}
: >"$logs/counts"

# Unit tests: Check prints "100%: Checks: 5, Failures: 0, Errors: 0". Under ASan a suite is one process: to look for
# leaks at the end of each of its tests takes longer than the tests.
[ "$variant" != asan ] || export CK_FORK=no
unit() {
	local test=$1 name=${1##*/} log status line checks bad
	log=$logs/$name.log
	# Check's own limit of four seconds a test is less than a busy machine may stand still
	CK_VERBOSITY=normal CK_DEFAULT_TIMEOUT=60 timeout 300 "$test" >"$log" 2>&1
	status=$?
	line=$(grep -E '^[0-9]+%: Checks: ' "$log" | tail -n 1)
	checks=$(sed -n 's/.*Checks: \([0-9]*\),.*/\1/p' <<<"$line")
	bad=$(sed -n 's/.*Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 \2/p' <<<"$line" | awk '{print $1 + $2}')
	if [ -z "$line" ] || { [ $status -ne 0 ] && [ "${bad:-0}" -eq 0 ]; }; then
		checks=1 bad=1 line="ended with status $status"
	fi
	{
		echo "$name: $line"
		grep -E '^draft.*tests pass' "$log"
		[ "${bad:-0}" -eq 0 ] || grep -vE '^[0-9]+%:' "$log" | head -n 40
	} >"$log.said"
	cat "$log.said"
	echo "$((checks - ${bad:-0})) ${bad:-0} 0" >>"$logs/counts"
}
for test in build/"$variant"/tests/unit/test_*; do
	case ${test##*/} in *.o | *.d | *.gc*) ;; *"$only"*) pool unit "$test" ;; esac
done

# Shell tests print TAP. Those in cli/ and most in faults/ bring what they need; those in broker/ and
# faults/ledger-* share one node, each in a vhost of its own. These run alone, for they count what
# something costs or how long it takes.
alone=" broker/hot-path broker/bench broker/producer-fates "
# What these prove is about nodes, clocks and the kernel, and takes long: once is enough.
[ "$variant" != asan ] || left_out=" cli/lab cli/bench broker/cluster-faults broker/drills broker/tls broker/blocked
	broker/bench broker/secrets broker/retries broker/deadletters broker/producer-fates broker/patterns-of-delivery
	broker/hot-path broker/consumer-ends broker/topology broker/losses broker/migrate broker/plan broker/lessons browser/report
	broker/events-taps faults/events-replay-kill faults/ledger-kill-recorder faults/ledger-proxy faults/ledger-half-open faults/ledger-kill-consumer faults/ledger
	faults/relay-kill faults/relay-store-kill faults/workflow-kill broker/contracts-suite broker/explain cli/asyncapi
	faults/ledger-dedupe "
name_of() { echo "$(basename "$(dirname "$1")")/$(basename "$1" .sh)"; }
is_wanted() {
	local name
	name=$(name_of "$1")
	[[ $name == *"$only"* ]] && { [ -n "$only" ] || [[ ! ${left_out-} =~ [[:space:]]${name}[[:space:]] ]]; }
}
tap() {
	local script=$1 name log good bad left status start=$SECONDS
	name=$(name_of "$script")
	log=$logs/$(tr / - <<<"$name").log
	timeout "$limit" bash "$script" >"$log" 2>&1
	status=$?
	left=$(grep -c '^ok .*# SKIP' "$log")
	good=$(($(grep -c '^ok ' "$log") - left))
	bad=$(grep -c '^not ok ' "$log")
	{
		if ! grep -q '^1\.\.[0-9]' "$log"; then
			bad=$((bad + 1))
			echo "# $script ended early, with status $status"
		fi
		echo "$name: $good passed, $bad failed, $left skipped, $((SECONDS - start)) s"
		[ "$bad" -eq 0 ] || { grep -A 12 '^not ok ' "$log" || tail -n 30 "$log"; } | head -n 60
	} >"$log.said"
	cat "$log.said"
	echo "$good $bad $left" >>"$logs/counts"
}
is_alone() { [[ $alone == *" $(name_of "$1") "* ]]; }
# Another look at one that failed: a machine that others use as well stands still for seconds at times.
tap_alone() {
	local before
	before=$(wc -l <"$logs/counts")
	tap "$1"
	[ "$(tail -n 1 "$logs/counts" | cut -d ' ' -f 2)" -eq 0 ] && return
	echo "# once more:"
	head -n "$before" "$logs/counts" >"$logs/counts.new"
	mv "$logs/counts.new" "$logs/counts"
	tap "$1"
}

wanted=() uses_node=
for script in tests/cli/lab.sh tests/broker/*.sh tests/faults/*.sh tests/browser/*.sh tests/cli/[!l]*.sh; do
	is_wanted "$script" || continue
	wanted+=("$script")
	case $script in
	*/broker/* | */ledger-*) uses_node=yes ;;
	# a browser takes minutes to install: only when one is going to be used
	*/browser/*) ./tests/support/deps.sh browser || exit ;;
	esac
done
if [ -n "$uses_node" ]; then
	lab=$(mktemp -d "${TMPDIR:-/tmp}/warren-test.XXXXXX")
	trap '"$BIN/lab" down --dir "$lab/lab" >/dev/null 2>&1; rm -rf "$lab"' EXIT
	trap 'exit 130' INT TERM
	"$BIN/lab" up --wait 300s --dir "$lab/lab" >"$logs/lab.log" 2>&1 || {
		cat "$logs/lab.log"
		exit 1
	}
	export WARREN_TEST_LAB=$lab/lab
fi
for script in "${wanted[@]}"; do
	is_alone "$script" || pool tap "$script"
done
wait
for script in "${wanted[@]}"; do
	! is_alone "$script" || tap_alone "$script"
done
while read -r good bad left; do
	passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left))
done <"$logs/counts"

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
