#!/bin/bash
# bench on a real broker: every message has one known fate, rates are exact, times begin when they
# should, and what it writes can be read.
. tests/support/tap.sh
use_broker

# bench ARGUMENT...: its result in $work/json, its exit status in $status.
bench() {
	timeout 60 "$BIN/bench" --json "$@" >"$work/json" 2>"$work/err" </dev/null
	status=$?
}
# holds NAME FILTER: the filter is true of the result.
holds() {
	jq -e "$2" "$work/json" >"$work/holds" 2>&1
	local result=$?
	result $result "$1"
	[ $result -eq 0 ] || {
		jq -c '{seconds, stopped_by, totals, rates, latency: (.latency | map_values(if . then {count, p50, p99, p999, max} else . end))}' "$work/json"
		cat "$work/err"
	} 2>&1 | sed 's/^/#   /' | cut -c1-900
}
# steadily NAME FILTER ARGUMENT...: a bench of which the filter is true. What it asks for needs a machine
# that does not stand still meanwhile, so it may take a few; what is a mistake of ours shows in each.
steadily() {
	local name=$1 filter=$2
	shift 2
	for _ in 1 2 3 4 5; do
		bench "$@"
		! jq -e "$filter" "$work/json" >/dev/null 2>&1 || break
	done
	holds "$name" "$filter"
}
# runs: the bench in the background has printed its first interval.
runs() { eventually 60 grep -qE '^ +[0-9.]+s ' "$work/err"; }
own_queues() { "$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- -q -p "$vhost" list_queues name messages consumers | grep warren-bench; }
# gone: the queue that a run has made for itself, soon.
gone() { eventually 60 eval '! own_queues' || { own_queues && false; }; }

# ---- counts ----

bench --pmessages 20000
is "$status" 0 "20,000 messages as fast as they go"
holds "all sent, confirmed, received, none lost or twice" \
	'.totals | [.sent, .confirmed, .received, .lost, .duplicated, .left, .reordered] == [20000, 20000, 20000, 0, 0, 0, 0]'
holds "every one of them is timed in every way" \
	'.latency | [.latency_due.count, .latency_sent.count, .confirm_due.count, .confirm_sent.count, .gap.count] == [20000, 20000, 20000, 20000, 20000]'
holds "the intervals add up to the totals" \
	'([.intervals[].counts.received] | add) == .totals.received and ([.intervals[].counts.sent] | add) == .totals.sent'
holds "the histogram adds up, in ascending order" \
	'(.histogram.latency_due | map(.[2]) | add) == 20000 and (.histogram.latency_due | map(.[0]) | . == sort)'
ok "the queue of the run is gone" gone
bench --rate 1000/s --pmessages 1020
holds "a last interval that is next to nothing has its messages as well" \
	'([.intervals[].counts.received] | add) == 1020 and ([.intervals[].counts.sent] | add) == 1020'

bench -x 2 -X 3 -y 2 -Y 2 --pmessages 500 --threads 2
holds "two connections of three channels send 500 each" \
	'.totals | [.sent, .received, .lost] == [3000, 3000, 0]'

bench -u fan1,fan2 -e fan -t fanout --pmessages 500
holds "a fanout to two queues: each message twice, in order, and no duplicate" \
	'.totals | [.sent, .received, .duplicated, .lost, .reordered] == [500, 1000, 0, 0, 0]'

bench --queue-pattern 'many-%02d' --queue-pattern-to 4 -x 4 -y 4 --pmessages 100
holds "four queues of a pattern, a producer and a consumer each" \
	'.totals | [.sent, .received, .lost] == [400, 400, 0]'

bench --queue-type stream --pmessages 1000 -y 2
holds "two readers of a stream get all of it each" \
	'.totals | [.sent, .received, .duplicated, .lost] == [1000, 2000, 0, 0]'
bench --queue-type quorum --pmessages 1000
holds "a quorum queue" '.totals | [.sent, .received, .lost] == [1000, 1000, 0]'
bench --polling --pmessages 300
holds "polled, one by one" '.totals | [.sent, .received, .lost] == [300, 300, 0]'
bench --confirm 0 --pmessages 5000
holds "without confirms: nothing is confirmed, all is received" \
	'.totals | [.sent, .confirmed, .received, .never_confirmed_nor_received] == [5000, 0, 5000, 0]'
bench --autoack --prefetch 0 --pmessages 5000
holds "without acknowledgements" '.totals | [.sent, .received, .lost] == [5000, 5000, 0]'
bench --size 12 --pmessages 500
holds "small bodies carry their stamp in a header" \
	'.totals.received_bytes == 6000 and .latency.latency_due.count == 500'
bench --stamp perftest --size 12 --pmessages 500
holds "PerfTest's stamp is enough for the time from sending" '.latency.latency_sent.count == 500'

# ---- what goes wrong is counted ----

bench -e amq.direct --predeclared -u nowhere -y 0 --flag mandatory --pmessages 50
is "$status" 1 "messages that no queue takes fail the run"
holds "they are returned" '.totals | [.sent, .returned, .confirmed] == [50, 50, 0]'
bench -e amq.direct --predeclared -u nowhere -y 0 --flag mandatory --pmessages 50 --expect returned=50
is "$status" 0 "unless that is what is expected"

bench --queue-argument x-max-length=5 --rate 500/s --consumer-rate 1/s --prefetch 1 --pmessages 200 --drain 1s
is "$status" 1 "confirmed, then dropped by a queue that is full: the run fails"
holds "the ledger names what was lost" \
	'.totals.confirmed == 200 and .totals.lost > 50 and .totals.lost == 200 - .totals.received - .totals.left and (.lost_ranges | length) > 0'
bench --queue-argument x-max-length=5 --queue-argument x-overflow=reject-publish -y 0 --pmessages 100
holds "a full queue that refuses: nacked" '.totals | .nacked > 50 and .nacked + .confirmed == 100'

bench --pmessages 300 --consumer-rate 5/s --drain 300ms --prefetch 10
is "$status" 0 "a consumer that is too slow loses nothing"
holds "what it did not get is left in the queue" \
	'.totals | .left > 100 and .lost == 0 and .received + .left == 300'
steadily "rejected into the queue, they come again" '.totals | .redelivered > 0 and .duplicated > 0 and .lost == 0' \
	--nack --requeue --pmessages 10 --time 500ms --drain 100ms

bench -u kept --no-auto-delete -y 0 --pmessages 100
bench -u kept --no-auto-delete --pmessages 100
holds "what another run has left is foreign, and not timed" \
	'.totals.foreign == 100 and .totals.lost == 0 and .latency.latency_due.count == 100'
bench -u kept --no-auto-delete -y 0 --pmessages 100
bench -u kept --no-auto-delete -x 0 --exit-when empty
holds "a consumer by itself times what another bench has sent" \
	'.totals.received == 100 and .latency.latency_due.count == 100 and .stopped_by == "the queues are empty"'

# ---- rates and times ----

steadily "1,000 a second for two seconds are 2,000" \
	'.totals.sent == 2000 and .totals.received == 2000 and .seconds >= 2 and .seconds < 2.2' --rate 1000/s --time 2s
steadily "they are sent when they are due" '.latency.gap.p50 < 0.001' --rate 1000/s --time 1s
steadily "a total rate is shared out" '.totals.sent == 600' -x 3 -X 2 --total-rate 600/s --time 1s
steadily "a rate is that of each producer" '.totals.sent == 300' -x 3 --rate 100/s --time 1s
steadily "a schedule" '.totals.sent == 400' --schedule 200/s:500ms,0:200ms,1000/s:300ms --time 1s
steadily "an interval" '.totals.sent == 20' --publishing-interval 50ms --time 1s
steadily "a warm-up is sent, and not measured" \
	'.totals.sent == 1000 and .seconds < 0.8 and .latency.latency_due.count < 600 and (.intervals | length) >= 2' \
	--rate 1000/s --warm-up 500ms --interval 250ms --time 1s
steadily "a consumer that takes its time" '.totals.received == 400 and .totals.lost == 0' \
	--rate 400/s --time 1s --consumer-latency 1ms
bench --pmessages 3000 --consumer-latency 100us --drain 50s
holds "... and gets all of them, however short that is" '.totals.received == 3000 and .totals.lost == 0'
bench --pmessages 2000 --consumer-latency 5ms --drain 100ms
holds "... what it had in hand is in the queue again" \
	'.totals | .lost == 0 and .left > 1000 and .received + .left == 2000'
steadily "... is no faster than that" '.totals.received <= 110' \
	--consumer-latency 10ms --prefetch 1 --rate 1000/s --time 1s --drain 10ms
steadily "sizes take turns" '.totals.sent == 200 and .totals.sent_bytes == 110000' \
	--size-schedule 100:200ms,1000:200ms --rate 500/s --time 400ms

# a broker that stands still, and a window that keeps most messages waiting on our side
node=$(cat "$WARREN_TEST_LAB/a/pid")
# but for the twenty that were on their way
untimed='.latency.latency_sent.p99 < 0.5'
for _ in 1 2 3 4 5; do # it may stand still more often
	fresh "$work/err"
	timeout 120 "$BIN/bench" --json --rate 2000/s --confirm 20 --interval 500ms --pmessages 16000 >"$work/json" 2>"$work/err" &
	pid=$!
	runs
	kill -STOP "$node"
	read -r -t 2 <> <(:)
	kill -CONT "$node"
	wait $pid
	! jq -e "$untimed" "$work/json" >/dev/null || break
done
holds "a broker that stands still for two seconds shows from the due time" \
	'.latency.latency_due.p99 > 1.5 and .latency.gap.p99 > 1.5 and .totals.sent == 16000 and .totals.lost == 0'
holds "... and not in the time from sending alone" "$untimed"

# an alarm: the broker takes nothing, and says so
is_blocked() { grep -q 'takes no messages' "$work/err"; }
rows() { grep -cE '^ +[0-9.]+s +[1-9]' "$work/err"; }
have_come() { [ "$(rows)" -ge "$1" ]; }
# but for the message that was on its way when the broker stopped reading
untimed='.totals.lost == 0 and .latency.latency_due.p99 < .totals.blocked_seconds / 4'
for _ in 1 2 3 4 5; do # it may stand still for other reasons as well
	fresh "$work/err"
	"$BIN/bench" --json --rate 500/s --interval 500ms --time 280s >"$work/json" 2>"$work/err" &
	pid=$!
	runs
	"$BIN/lab" alarm memory on --dir "$WARREN_TEST_LAB" >/dev/null
	eventually 60 is_blocked
	read -r -t 3 <> <(:)
	"$BIN/lab" alarm memory off --dir "$WARREN_TEST_LAB" >/dev/null
	eventually 60 have_come $(($(rows) + 4)) # two seconds more
	kill -INT $pid
	wait $pid
	! jq -e "$untimed" "$work/json" >/dev/null || break
done
holds "a blocked connection has a column of its own" '.totals.blocked_seconds > 2'
holds "... and its time is in no latency" "$untimed"

# ---- results ----

# five intervals, unless the machine stands still at their end
for _ in 1 2 3 4 5; do
	"$BIN/bench" --rate 500/s --time 1s --interval 200ms --csv "$work/csv" --html "$work/html" >"$work/out" 2>"$work/err"
	status=$?
	! grep -q '^500 sent (500/s), 500 confirmed (500/s), 500 received (500/s)' "$work/out" || break
done
is $status 0 "CSV and HTML beside the table"
is "$(wc -l <"$work/csv")" 6 "the CSV has a head and five intervals"
is "$(awk -F, '{ print NF }' "$work/csv" | sort -u | wc -l)" 1 "... of as many fields each"
ok "the report holds the result" grep -q '"latency_due"' "$work/html"
like "$(head -n 1 "$work/out")" 'sent/s.*received/s.*due p50' "the table has a head"
like "$(cat "$work/out")" '500 sent \(500/s\), 500 confirmed \(500/s\), 500 received' "the account"
like "$(cat "$work/out")" '^0 lost$' "... says that nothing is lost"
"$BIN/bench" --rate 500/s --time 500ms --format compact >"$work/out" 2>&1
like "$(cat "$work/out")" '^[0-9]+s sent [1-9][0-9]+/s received [1-9]' "compact lines"

bench --rate 500/s --time 1s --expect lost=0 --expect latency_p99=60s --expect sent_rate=40/s
is "$status" 0 "expectations that are met"
holds "... are told" '.verdict == "met" and (.expectations | length) == 3'
cp "$work/json" "$work/old"
bench --rate 500/s --time 1s --expect latency_p50=1ns
is "$status" 1 "one that is not"
holds "... is told, too" '.verdict == "failed" and .expectations[0].met == false'
bench --rate 500/s --time 1s --compare "$work/old"
holds "compared with an older result" '.comparison.figures | length > 3'

cat >"$work/settings.yaml" <<-'END'
	queues: {orders: {type: classic}}
	messages:
	  placed: {routing_key: orders, rate: 200/s, fields: [id, email]}
	  paid: {routing_key: orders, rate: 100/s, fields: [id]}
	bench: {time: 1, producers: 2}
	expect: {lost: 0, sent_rate: 500/s}
END
steadily "each at its own pace, by two producers" '.totals | [.sent, .received, .lost] == [600, 600, 0]' -s "$work/settings.yaml"
is "$status" 0 "messages of the settings, with options and expectations there"
steadily "one of them alone; the command line wins" '.totals.sent == 100' \
	-s "$work/settings.yaml" paid --producers 1 --expect sent_rate=90/s

exec {metrics}< <("$BIN/bench" --rate 200/s --time 120s --interval 100ms --metrics 127.0.0.1:0 2>&1 >/dev/null)
bench_pid=$!
read -r -t 60 -u "$metrics" line
address=$(grep -oE '127[0-9.]+:[0-9]+' <<<"$line")
# scraped: a page with a figure that is not 0
scraped() {
	exec {page}<>"/dev/tcp/${address%:*}/${address#*:}" || return
	printf 'GET /metrics HTTP/1.0\r\n\r\n' >&"$page"
	grep -qE '^warren_bench_received_total [1-9]' <&"$page"
}
ok "Prometheus can have the running totals" eventually 60 scraped
kill -INT "$bench_pid"
cat <&"$metrics" >/dev/null # until it has ended

for what in connections channels queues; do
	steadily "churn of $what" '.totals.operations > 5 and .latency.operation.count == .totals.operations' --churn $what --time 500ms
done
bench --churn channels -C 10 -x 3
holds "a number of openings" '.totals.operations == 30'

steadily "a search for the highest rate tells what was tried, and shows the best" \
	'(.trials | length) > 3 and ([.trials[] | select(.held) | .rate] | max) as $best | .rates.sent > $best * 0.95' \
	--find-max --latency-bound 1s --time 300ms
is "$status" 0 "... and ends well"

# ---- what was wrong once ----

exchange() { "$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- -q -p "$vhost" list_exchanges name type | awk -v x="$1" '$1 == x { print $2 }'; }
echo 'exchanges: {mine: {type: topic}}' >"$work/mine.yaml"
"$BIN/topology" apply -s "$work/mine.yaml" >"$work/out" 2>&1
bench -e mine -t topic --pmessages 100
holds "an exchange that somebody made is sent to" '.totals | [.sent, .received, .lost] == [100, 100, 0]'
is "$(exchange mine)" topic "... and is there after the run"
bench -e mine -t fanout --pmessages 100
is "$status" 76 "with another type it is refused"
is "$(exchange mine)" topic "... and is there even so"
bench -e ours --pmessages 10
bench -e ours --pmessages 10
is "$status $(exchange ours)" "0 direct" "an exchange that bench made stays, too, and serves again"

began=$SECONDS
steadily "a run that is over is over at once" '.seconds < 0.5 and .totals.received == 1000 and (.intervals | length) == 1' \
	--pmessages 1000 --interval 50s
ok "... whatever the interval" test $((SECONDS - began)) -lt 40
steadily "a last interval that is shorter: the ends grow, and lengths and counts add up" \
	'. as $r | ([.intervals[].at] | . == (. | unique) and length == 2) and (.intervals[-1].at - 0.98 | fabs) < 0.1 and
	 (([.intervals[].seconds] | add) - .seconds | fabs) < 1e-6 and all(.intervals[]; .seconds > 0) and
	 ([.intervals[].counts.sent] | add) == .totals.sent and .totals.sent == 980' --time 980ms --interval 500ms --rate 1000/s
steadily "a warm-up shorter than an interval" \
	'.totals.sent == 1000 and .totals.received == 1000 and (.seconds - 0.7 | fabs) < 0.05 and .latency.latency_due.count < 750 and
	 (.rates.sent - 1000 | fabs) < 50 and (.intervals | length) == 1 and (.intervals[0].seconds - 0.7 | fabs) < 0.05' \
	--warm-up 300ms --interval 1s --rate 1000/s --time 1s

bench --rate 2000/s -D 500
holds "a consumer that has had enough: the rest is in the queue of the run" \
	'.totals | .received == 500 and .left + .received == .sent and .lost == 0'
ok "... which is gone afterwards" gone
bench --confirm 0 --pmessages 100 --expect lost=0
is "$status" 1 "without confirms nobody knows what was lost: expected none, and failed"
holds "... since it was not measured" \
	'.totals.lost == null and .verdict == "failed" and .expectations[0].met == false and (.expectations[0].found | test("nothing was measured"))'
bench --nack --requeue --pmessages 10 --time 300ms --drain 100ms
holds "rejected into the queue for ever: all are left there" '.totals | .left == 10 and .lost == 0'
bench -e amq.direct --predeclared -u nowhere -y 0 --flag mandatory --confirm 0 --pmessages 50
holds "without confirms, too, it is told what came back" '.totals | [.sent, .returned, .confirmed] == [50, 50, 0]'
is "$status" 1 "... and fails the run"
bench -e amq.direct --predeclared -u nowhere -x 2 -X 2 -y 0 --flag mandatory --confirm 0 --pmessages 5000 --expect returned=19999
holds "... of many, to the last one" '.totals.returned == 20000 and .verdict == "failed"'

bench -u backlog --no-auto-delete -y 0 --pmessages 200
kept='.totals.received == 1000 and .rates.received > 800 and .rates.received < 1050'
for _ in 1 2 3 4 5; do
	bench -u backlog --no-auto-delete -y 0 --pmessages 1000
	bench -u backlog --no-auto-delete -x 0 -D 1000 --consumer-rate 1000/s
	! jq -e "$kept" "$work/json" >/dev/null || break
done
holds "a consumer's rate is kept over a backlog" "$kept"
bench -u backlog --no-auto-delete -x 0 -D 200
holds "what is read as fast as it goes is timed, too" '.totals.received == 200 and .seconds > 0 and .latency.latency_due.count == 200'
bench -u backlog --no-auto-delete -y 0 --pmessages 400
bench -u backlog --no-auto-delete -x 0 -D 300 --consumer-latency 1ms
holds "a consumer that takes its time reads on after its prefetch" \
	'.totals.received == 300 and .seconds > 0.29 and .seconds < 20 and .stopped_by == "all consumed"'
steadily "a total rate is shared among messages of the settings" '.totals | [.sent, .received, .lost] == [400, 400, 0]' \
	-s "$work/settings.yaml" --total-rate 400/s --expect sent_rate=390/s

"$BIN/bench" --rate 500/s --time 400ms --interval 200ms --csv - >"$work/csv" 2>"$work/err"
is "$? $(wc -l <"$work/csv") $(awk -F, '{ print NF }' "$work/csv" | sort -u | wc -l)" "0 3 1" "--csv -: a head and two intervals on stdout"
like "$(head -n 1 "$work/csv")" '^time_s,' "... and nothing else"
like "$(cat "$work/err")" 'sent/s.*received/s' "the table goes to stderr"

fresh "$work/err"
"$BIN/bench" --find-max --latency-bound 1s --time 300ms --json >"$work/json" 2>"$work/err" &
pid=$!
eventually 60 grep -q ', held' "$work/err"
kill -INT $pid
wait $pid
is $? 0 "a search that is interrupted ends well"
holds "... with the best so far" '.max_rate > 0 and ([.trials[] | select(.held) | .rate] | max) == .max_rate and .totals.sent > 0'

# ---- ends ----

fresh "$work/err"
"$BIN/bench" --rate 500/s --interval 200ms --time 120s --json >"$work/json" 2>"$work/err" &
pid=$!
runs
kill -INT $pid
wait $pid
is $? 0 "a signal ends it"
holds "... with an account of everything" '.stopped_by == "a signal" and .totals.sent == .totals.received and .totals.lost == 0'
ok "... and its queue is gone" gone

fresh "$work/err"
"$BIN/bench" --time 120s -u victim --no-auto-delete --rate 500/s --interval 200ms --json >"$work/json" 2>"$work/err" &
pid=$!
runs
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- -q -p "$vhost" delete_queue victim >/dev/null
wait $pid
is $? 76 "a queue that is deleted under it ends it"
like "$(cat "$work/err")" "queue 'victim' was deleted" "... with the reason"
fresh "$work/err"
"$BIN/bench" --json --rate 1000/s --consumer-latency 1ms --time 120s --interval 200ms >"$work/json" 2>"$work/err" &
pid=$!
runs
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- -q close_all_connections --vhost "$vhost" bye >/dev/null
wait $pid
like $? '^(69|76)$' "connections that the broker closes end it"
holds "... and nothing is said to be lost" '.stopped_by == "a failure" and (.totals.lost == null or .totals.lost == 0) and .totals.received > 0'
status_is 69 "no broker" "$BIN/bench" --url amqp://127.0.0.1:1
done_testing
