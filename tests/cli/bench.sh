#!/bin/bash
# bench without a broker: its options and those of the settings are the same, what PerfTest's command
# lines become is accepted, and mistakes are told before anything is opened.
. tests/support/tap.sh
export WARREN_SETTINGS='' AMQP_URL=amqp://127.0.0.1:1 # where nobody listens

# ---- one list of options ----

"$BIN/bench" --help | grep -oE '^ +(-[A-Za-z], |    )--[a-z-]+' | grep -oE '[a-z][a-z-]+$' |
	grep -vxE 'settings|url|url-file|password-file|ask-password|set|wait|quiet|verbose|color|log-format|help|version|man|completion' |
	sort -u >"$work/options"
jq -r '.properties.bench.properties | keys[]' settings/warren.schema.json | sort >"$work/keys"
ok "there are options" test "$(wc -l <"$work/options")" -gt 60
ok "the settings have a key for each option, and no other" diff "$work/options" "$work/keys"

# ---- PerfTest ----

for case in tests/cases/perftest/*/; do
	name=$(basename "$case")
	"$BIN/bench" from-perftest "$(cat "$case/command")" >"$work/settings.yaml" 2>"$work/err"
	is "$?" 0 "from-perftest: $name"
	line=$(sed -n 's/^# \(bench .*\)/\1/p' "$work/settings.yaml" | tail -n 1)
	ok "the documentation has that command of $name" grep -qF "| \`${line//|/\\|}\` |" docs/perftest.md
	# files that are not here
	body=()
	! grep -q '^ *body:' "$work/settings.yaml" || body=(--body LICENSE)
	# a plan is made of it; then nobody is there
	status_is 69 "bench takes what became of $name" \
		env -u AMQP_URL "$BIN/bench" -s "$work/settings.yaml" --url "$AMQP_URL" --metrics '' \
		"${body[@]}" --csv ''
done
status_is 64 "a PerfTest option that does not exist" "$BIN/bench" from-perftest '-x 1 --prodcers 2'
like "$(cat "$work/err")" "did you mean '--producers'" "... and what was meant"
status_is 64 "from-perftest takes one command line" "$BIN/bench" from-perftest -x 1

# ---- mistakes ----

refused() {
	local text=$1
	shift
	status_is 64 "bench $* is refused" "$BIN/bench" "$@"
	like "$(cat "$work/err")" "$text" "... and says why"
}
refused 'exclude each other' --rate 5/s --total-rate 5/s
refused 'exclude each other' --queue a --queue-pattern b%d
refused 'one %d' --queue-pattern perf
refused 'goes with --nack' --requeue
refused 'holds back' --multi-ack-every 10 --prefetch 5
refused 'nothing to acknowledge' --autoack --nack
refused 'at least 10ms' --interval 0
refused 'at least 10ms' --interval 9ms
refused 'nothing of --time' --time 1s --warm-up 1s
refused 'of an --exchange' --type fanout
refused 'size that it has' --body LICENSE --size 10
refused 'poisson needs a rate' --arrivals poisson
refused 'never done' --nack --requeue --cmessages 10
refused 'need --time or --pmessages' --exit-when empty
refused 'bodies that are made up' --body LICENSE --stamp body
refused 'as fast as it can' --churn channels --total-rate 5/s
refused 'itself' --find-max --rate 5/s
refused 'itself' --find-max -x 0
refused 'in --json and --html' --find-max --csv "$work/csv"
refused 'persistent or mandatory' --flag durable
refused 'RATE:DURATION' --schedule 100
refused 'such as 4KiB:30s' --size-schedule 100
refused '48 bytes' --size 12 --stamp body
refused 'for streams' --offset first
refused 'no consumers' -x 0 -y 0
refused 'NAME=VALUE' --property priority
refused 'an --exchange' --queue a,b
refused 'did you mean' --expect latency_p9=1ms
refused 'not UTF-8' --queue $'\xff'
status_is 66 "a body that is not there" "$BIN/bench" --body "$work/nothing"
status_is 66 "an old result that is not there" "$BIN/bench" --compare "$work/nothing"
echo '{"a":1}' >"$work/other.json"
status_is 65 "an old result that is none" "$BIN/bench" --compare "$work/other.json"
like "$(cat "$work/err")" 'not a result of bench' "... is told"
printf 'bench: {rate: 5/s, total-rate: 5/s}\n' >"$work/both.yaml"
status_is 64 "options of the settings exclude each other, too" "$BIN/bench" -s "$work/both.yaml"
printf 'bench: {confirm: 2000000}\n' >"$work/much.yaml"
status_is 78 "a value of the settings is checked" "$BIN/bench" -s "$work/much.yaml"

# ---- taken, as far as the broker that is not there ----

for options in '--flag mandatory --confirm 0' '--arrivals poisson --publishing-interval 50ms' '--arrivals poisson --find-max'; do
	# shellcheck disable=SC2086
	status_is 69 "bench $options" "$BIN/bench" $options
done
fresh "$work/err"
"$BIN/bench" --wait 300s >"$work/out" 2>"$work/err" &
pid=$!
eventually 60 grep -q 'waiting for the broker' "$work/err"
began=$SECONDS
kill -INT $pid
wait $pid
is $? 69 "who waits for a broker can be interrupted"
ok "... and ends at once" test $((SECONDS - began)) -lt 20
like "$(cat "$work/err")" 'interrupted before the broker answered' "... which is told"
done_testing
