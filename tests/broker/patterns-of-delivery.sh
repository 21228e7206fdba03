#!/bin/bash
# Who gets what: workers share the messages of one queue, subscribers get a copy each.
. tests/support/tap.sh
use_broker

ids() { jq -r '.properties.message_id' "$@" | LC_ALL=C sort; }
waits() { eventually 30 grep -q 'waiting for messages' "$1"; }
# left QUEUE...: how many messages each holds, in the order asked for.
left() {
	"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- -q -p "$vhost" list_queues name messages |
		awk -v names="$*" '{ n[$1] = $2 }
		END { c = split(names, q, " "); for (i = 1; i <= c; i++) printf "%s%s", n[q[i]], i < c ? " " : "\n" }'
}

# ---- work-queue: two workers, each job done once ----

for worker in 1 2; do
	timeout 50 "$BIN/consumer" -s work-queue jobs --prefetch 10 --format json --idle 3s \
		>"$work/worker$worker" 2>"$work/worker$worker.err" &
	workers[worker]=$!
done
ok "both workers are there first" eval "waits $work/worker1.err && waits $work/worker2.err"
"$BIN/producer" -s work-queue --yes --format json >"$work/sent" 2>"$work/sent.err"
is $? 0 "the producer of 1,000 jobs exits 0"
for worker in 1 2; do
	wait "${workers[worker]}"
	is $? 0 "worker $worker exits 0"
	ids "$work/worker$worker" >"$work/ids$worker"
done
ids "$work/sent" >"$work/sent.ids"
is "$(uniq "$work/sent.ids" | wc -l)" 1000 "1,000 different messages were sent"
LC_ALL=C sort "$work/ids1" "$work/ids2" >"$work/all.ids"
ok "together the workers have all of them, none twice" cmp "$work/sent.ids" "$work/all.ids"
is "$(LC_ALL=C comm -12 "$work/ids1" "$work/ids2" | wc -l)" 0 "no job was done by both"
ok "neither stood idle" test -s "$work/ids1" -a -s "$work/ids2"
is "$(left jobs jobs_failed)" "0 0" "no job is left, and none failed"

# ---- one consumer of several queues; the lessons play the rest of publish-subscribe ----

subscribers=(billing shipping analytics)

"$BIN/producer" -s publish-subscribe --amount 50 --delay 0 --yes --format json \
	>"$work/published" 2>"$work/published.err"
is "$(left "${subscribers[@]}")" "50 50 50" \
	"published with nobody there: a copy waits in each queue"
timeout 20 "$BIN/consumer" -s publish-subscribe --until-empty --format json \
	>"$work/late" 2>"$work/late.err"
is $? 0 "one consumer of all three queues ends when they are empty"
for name in "${subscribers[@]}"; do
	jq -c --arg q "$name" 'select(.queue == $q)' "$work/late" >"$work/late.$name"
	ok "it got the 50 of $name" cmp <(ids "$work/published") <(ids "$work/late.$name")
done
like "$(cat "$work/late.err")" '150 received, 150 acknowledged' "its summary counts them all"
done_testing
