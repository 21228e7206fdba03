#!/bin/bash
# A lost connection, a deleted queue, a refused or nacked message: the tools go on, nothing is lost,
# and what may have come twice says so.
. tests/support/tap.sh
use_broker
cd "$work" || exit

cat >s.yaml <<'END'
broker:
  reconnect: {from: 50ms, to: 500ms, give_up_after: 30s}
exchanges:
  jobs: {type: direct}
queues:
  jobs: {}
  small: {max_length: 10, overflow: reject-publish}
  log: {type: stream}
bindings:
  - {exchange: jobs, queue: jobs, routing_key: job}
messages:
  job:
    exchange: jobs
    routing_key: job
    rate: 1000/s
    fields: {n: {sequence: 1}}
END

ctl() { "$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- "$@"; }
# Ends every connection to our vhost, as an administrator would.
cut_off() { ctl close_all_connections -p "$vhost" "cut by a test" >/dev/null; }
ids() { jq -r .properties.message_id "$@" | LC_ALL=C sort; }
lines() { wc -l <"$1" | tr -d ' '; }
has_lines() { [ "$(lines "$1")" -ge "$2" ]; }
queue() { "$BIN/topology" show -s s.yaml "$1" -f json | jq "select(.object == \"queue\") | $2"; }
came_back() { [ "$(grep -c 'connected again' "$1")" -ge "$2" ]; }
field() { tail -n 1 "$1" | jq -r ".$2"; }
take_all() { timeout 60 "$BIN/consumer" -s s.yaml "$1" --until-empty -f json --summary json >"$2" 2>"$2.err"; }
is_ready() { grep -q 'waiting for messages' "$1"; }
# ends_with STATUS PID NAME: the job ends with this status.
ends_with() {
	wait "$2"
	is $? "$1" "$3"
}
# cut ERR N: until the tool with this stderr has told of N losses; the broker does not list a connection
# that is new at once.
loses() { [ "$(grep -c 'trying again' "$1")" -ge "$2" ]; }
is_cut() { cut_off && eventually 10 loses "$@"; }
cut() { eventually 60 is_cut "$@"; }
# cut_thrice ERR: three times, each when the tool is back.
cut_thrice() {
	local n
	for n in 1 2 3; do
		cut "$1" $n
		eventually 60 came_back "$1" $n
	done
}

# ---- a producer that loses its connection three times ----

"$BIN/producer" -s s.yaml --yes -f json --summary json >sent 2>sent.err &
producer=$!
eventually 60 has_lines sent 500
cut_thrice sent.err
kill -INT $producer
ends_with 0 $producer "a producer cut off three times: exit 0"
is "$(field sent.err confirmed) $(field sent.err unconfirmed)" "$(lines sent) 0" "every message is confirmed"
is "$(grep -c 'trying again' sent.err) $(grep -c 'connected again' sent.err)" "3 3" "each loss and return is told"
like "$(grep 'trying again' sent.err | head -n 1)" "CONNECTION_FORCED - cut by a test" "with the broker's reason"
is "$(jq -r .fate sent | sort | uniq -c | tr -s ' ')" " $(lines sent) confirmed" "each is printed once, with its fate"
take_all jobs got
is "$(comm -23 <(ids sent) <(ids got | uniq) | wc -l)" 0 "every confirmed message has arrived"
jq -r 'select(.properties.headers["x-warren-resent"] != true) | .properties.message_id' got | LC_ALL=C sort |
	uniq -d >twice
is "$(lines twice)" 0 "none has come twice without x-warren-resent"
ok "no more are marked than were sent again ($(field sent.err resent))" \
	test "$(grep -c x-warren-resent got)" -le "$(field sent.err resent)"

# ---- a producer that waits for Enter ----

mkfifo keys
script -qefc "$BIN/producer -s s.yaml --amount 5 -f none" /dev/null <keys >asked &
producer=$!
exec 8>keys
eventually 60 grep -q 'press Enter' asked
cut asked 1
ok "a producer that waits for Enter comes back, too" eventually 60 came_back asked 1
echo >&8
ends_with 0 $producer "and begins when it is pressed"
exec 8>&-
like "$(cat asked)" "5 sent, 5 confirmed" "to send what it should"
"$BIN/topology" purge -s s.yaml jobs >purged

# ---- a consumer that loses its connection three times ----

fresh got got.err sent sent.err
"$BIN/consumer" -s s.yaml jobs -f json --prefetch 200 --summary json >got 2>got.err &
consumer=$!
"$BIN/producer" -s s.yaml --yes -f json >sent 2>sent.err &
producer=$!
eventually 60 has_lines got 500
cut_thrice got.err
kill -INT $producer
wait $producer
has_all() { [ "$(ids got | uniq | wc -l)" -ge "$(lines sent)" ]; }
eventually 60 has_all
kill -INT $consumer
ends_with 0 $consumer "a consumer cut off three times: exit 0"
is "$(grep -c 'connected again' got.err)" 3 "it came back each time"
is "$(comm -3 <(ids sent) <(ids got | uniq) | wc -l)" 0 "every message has arrived"
is "$(jq -r 'select(.redelivered or .properties.headers["x-warren-resent"] | not) | .properties.message_id' got | sort | uniq -d | wc -l)" 0 \
	"what came twice is marked as redelivered, or as sent again"
holds() { [ "$(queue "$1" .ready)" = "$2" ]; }
ok "nothing is left" eventually 60 holds jobs 0

# ---- without acknowledgements, what has come is not dropped: nobody gets it again ----

yes "$(printf '%0200d' 0)" | head -n 3000 >lines
"$BIN/producer" -s s.yaml --from lines --exchange '' --routing-key jobs -f none --quiet
mkfifo pipe
fresh got.err
"$BIN/consumer" -s s.yaml jobs --ack auto -f body --count 3000 --idle 10s --summary json >pipe 2>got.err &
consumer=$!
exec 6<pipe # which nobody reads, so most of them wait in the consumer
all_sent() { is_ready got.err && [ "$(queue jobs .ready)" = 0 ]; }
eventually 60 all_sent
cut got.err 1
ok "--ack auto: a consumer with a slow reader comes back" eventually 60 came_back got.err 1
cat <&6 >got
exec 6<&-
ends_with 0 $consumer "--ack auto: exit 0"
is "$(lines got) $(field got.err received) $(field got.err acknowledged)" "3000 3000 3000" "--ack auto: all that had come is shown"

# ---- topology comes back with the connection ----

fresh sent sent.err
"$BIN/producer" -s s.yaml --yes -f json >sent 2>sent.err &
producer=$!
eventually 60 has_lines sent 500
ctl delete_queue -p "$vhost" jobs >/dev/null
cut sent.err 1
eventually 60 came_back sent.err 1
kill -INT $producer
wait $producer
is "$(grep -c 'connected again' sent.err) $(queue jobs .exists)" "1 true" "a queue that was gone is declared again after a loss"
has_some() { [ "$(queue jobs .ready)" -gt 0 ]; }
ok "with its binding" eventually 60 has_some
"$BIN/topology" purge -s s.yaml jobs >purged

# ---- a queue is deleted under a consumer ----

fresh got got.err
"$BIN/consumer" -s s.yaml jobs -f json >got 2>got.err &
consumer=$!
eventually 60 is_ready got.err
ctl delete_queue -p "$vhost" jobs >/dev/null
ends_with 76 $consumer "a consumer whose queue is deleted ends with 76"
like "$(cat got.err)" "queue 'jobs' was deleted or moved" "and says why"
fresh got got.err
"$BIN/consumer" -s s.yaml jobs -f json --count 100 --on-cancel renew >got 2>got.err &
consumer=$!
eventually 60 is_ready got.err
ctl delete_queue -p "$vhost" jobs >/dev/null
consumes() { [ "$(queue jobs '.consumers // 0')" -gt 0 ]; }
ok "--on-cancel renew: it declares and consumes again" eventually 60 consumes
"$BIN/producer" -s s.yaml --yes --amount 100 --delay 0 -f none 2>/dev/null
ends_with 0 $consumer "and gets what is sent then"
like "$(cat got.err)" "queue 'jobs' was deleted or moved.*; declaring and consuming anew" "not without a word"
is "$(lines got)" 100 "all of it"

# ---- refused ----

{
	for n in 1 2 3; do echo "{\"exchange\":\"jobs\",\"routing_key\":\"job\",\"body\":\"good $n\"}"; done
	echo '{"exchange":"nowhere","routing_key":"job","body":"bad"}'
	for n in 4 5 6; do echo "{\"exchange\":\"jobs\",\"routing_key\":\"job\",\"body\":\"good $n\"}"; done
} >lines
status_is 76 "a missing exchange ends the run with 76" "$BIN/producer" -s s.yaml --from lines -f json
"$BIN/topology" purge -s s.yaml jobs >purged
status_is 1 "--on-refusal skip: exit 1" "$BIN/producer" -s s.yaml --from lines -f json --on-refusal skip
is "$(jq -r 'select(.fate == "nacked") | .body' "$work/out")" bad "the refused message alone is nacked"
is "$(jq -r 'select(.fate == "confirmed") | .body' "$work/out" | sort | tr '\n' ';')" \
	"good 1;good 2;good 3;good 4;good 5;good 6;" "all others are confirmed"
take_all jobs got
is "$(jq -r .body got | sort -u | grep -c good)" 6 "and have arrived"

status_is 1 "and so it is when no loss is recovered from" \
	"$BIN/producer" -s s.yaml --from lines -f json --on-refusal skip --give-up-after 0
is "$(jq -r .fate "$work/out" | sort | uniq -c | tr -s ' ' | paste -sd,)" " 6 confirmed, 1 nacked" "with the same fates"
"$BIN/topology" purge -s s.yaml jobs >purged

# ---- nacked ----

seq 30 >lines
"$BIN/producer" -s s.yaml --from lines --exchange '' --routing-key small -f json --nack-retries 1000 --summary json >out 2>err &
producer=$!
small_is_full() { [ "$(queue small .ready)" -ge 10 ]; }
eventually 60 small_is_full
"$BIN/consumer" -s s.yaml small -f body >got 2>/dev/null &
consumer=$!
ends_with 0 $producer "nacked messages are sent again until the queue has room"
is_complete() { [ "$(sort -n got | uniq | tr '\n' ' ')" = "$(seq 30 | tr '\n' ' ')" ]; }
ok "and every one arrives" eventually 60 is_complete
kill -INT $consumer
wait $consumer
ok "and is gone from the queue" eventually 60 holds small 0
ok "which the summary tells" test "$(field err resent)" -gt 0

seq 20 >lines
"$BIN/producer" -s s.yaml --from lines --exchange '' --routing-key small -f none --nack-retries 1 --give-up-after 0 --summary json 2>err
is "$? $(field err confirmed) $(field err nacked) $(field err resent)" "1 10 10 10" \
	"they are sent again, too, when no loss is recovered from"

fresh out err
"$BIN/producer" -s s.yaml --from lines --exchange '' --routing-key small -f pretty --nack-retries 1000 >out 2>err &
producer=$!
eventually 60 has_lines out 20
kill -INT $producer
ok "after Ctrl+C, it says what it waits for" eventually 60 grep -q 'sent again: .*a second Ctrl+C ends at once' err
kill -INT $producer
wait $producer 2>/dev/null

# ---- a stream goes on where it was ----

seq 3000 >lines
"$BIN/producer" -s s.yaml --from lines --exchange '' --routing-key log -f none 2>/dev/null
# The 1500th is at work when the connection goes, and a hundred have gone past it. The others wait for
# the loss: were the end near, it could be reached before what comes again is read.
cat >handler <<'END'
read -r n
[ "$n" -ne 1500 ] && [ "$n" -lt 1601 ] || until [ -e lost ]; do sleep 0.05; done
echo "$n"
END
fresh got err
"$BIN/consumer" -s s.yaml log -f body --exec 'sh handler' --exec-jobs 4 --prefetch 50 --summary json >got 2>err &
consumer=$!
eventually 60 has_lines got 1599
cut err 1
eventually 60 came_back err 1
touch lost
reads_all() { [ "$(sort -n got | uniq | wc -l)" -ge 3000 ]; }
eventually 60 reads_all
kill -INT $consumer
ends_with 0 $consumer "a stream's consumer comes back"
is "$(sort -n got | uniq | wc -l)" 3000 "it has read every message"
is "$(sort -n got | uniq -d | wc -l)" "$(field err unacknowledged)" \
	"again only what was at work ($(field err unacknowledged)), not all that came after the 1500th"
like "$(sort -n got | uniq -d | head -n 1)" '^1500$' "of which that was the first"

# ---- nobody comes back ----

fresh got got.err
"$BIN/consumer" -s s.yaml jobs --give-up-after 0 >got 2>got.err &
consumer=$!
eventually 60 is_ready got.err
is_gone() { cut_off && eventually 10 eval "! kill -0 $consumer"; }
eventually 60 is_gone
ends_with 69 $consumer "--give-up-after 0: a loss is the end"

done_testing
