#!/bin/bash
# kill -9 of a relay while messages pass through jq into another exchange: nothing is lost, what arrives twice
# has the same id, and a receiver with dedupe has each once. MESSAGES=20000 KILLS=50 is the long run.
. tests/support/tap.sh
use_broker
cd "$work" || exit
MESSAGES=${MESSAGES:-4000} KILLS=${KILLS:-6}
RESULTS=$((2 * MESSAGES))

cat >s.yaml <<END
exchanges:
  cooked: {type: fanout}
queues:
  raw:
  all:
  once:
  kept:
bindings:
  - {exchange: cooked, queue: all}
  - {exchange: cooked, queue: once}
  - {exchange: cooked, queue: kept}
messages:
  m:
    routing_key: raw
    amount: $MESSAGES
    fields: {n: {sequence: 1}, text: {text: {length: 100}}}
relays:
  kitchen:
    queue: raw
    core: [{jq: '(1, 2) as \$part | {n, part: \$part, size: (.text | length)}'}]
    exchange: cooked
  keeper:
    queue: kept
    core: [{dedupe: id}]
    output: kept.jsonl
END
export WARREN_SETTINGS=$work/s.yaml
"$BIN/topology" apply >applied || exit 1
lines() { wc -l <"$1"; }
has_lines() { [ "$(lines "$1")" -ge "$2" ]; }

fresh all.jsonl once.jsonl kept.jsonl
"$BIN/consumer" all -q -f json >all.jsonl 2>all.err &
all=$!
"$BIN/consumer" once --dedupe -q -f json >once.jsonl 2>once.err &
once=$!
"$BIN/relay" keeper -q >kept.out 2>kept.err &
kept=$!
"$BIN/producer" m --yes -q 2>producer.err &
producer=$!

step=$((RESULTS / (KILLS + 1))) before=0 killed=0
for ((i = 0; i < KILLS; i++)); do
	"$BIN/relay" kitchen -q >relay.out 2>relay.err &
	relay=$!
	eventually 60 has_lines all.jsonl $((before + RANDOM % step + 1)) || break
	kill -KILL $relay
	wait $relay 2>/dev/null
	[ $? -ne 137 ] || killed=$((killed + 1))
	before=$((before + step))
done
is $killed "$KILLS" "the relay was killed $KILLS times in the middle of its work"
wait $producer
is $? 0 "the producer has sent $MESSAGES messages"
deserted raw
timeout 300 "$BIN/relay" kitchen --until-empty -q --summary json 2>last.err
is $? 0 "the last relay takes the rest"
ok "the queue is empty" settled raw 0

distinct() { jq -r '.body | fromjson | "\(.n) \(.part)"' "$1" | sort -u | wc -l; }
has_all() { has_lines "$1" "$RESULTS" && [ "$(distinct "$1")" = "$RESULTS" ]; }
ok "every result of every message is there" eventually 120 has_all all.jsonl
ok "at the receiver with dedupe too" eventually 120 has_all once.jsonl
ok "and at the relay with dedupe" eventually 120 has_all kept.jsonl
ok "nothing else is on its way to one," settled once 0
ok "nor the other" settled kept 0
ok "and what arrived is read" settled all 0
kill -INT $all $once $kept
wait $all $once $kept

twice=$(($(lines all.jsonl) - RESULTS))
if [ $twice -gt 0 ]; then
	ok "some arrived twice ($twice), so the kills were felt" true
else # the machine stood still while the relay was done with all of them
	skip "some arrived twice" "no kill met a message on its way"
fi
jq -r '[(.body | fromjson | "\(.n) \(.part)"), .properties.message_id] | @tsv' all.jsonl | sort -u >pairs
is "$(lines pairs) $(cut -f2 pairs | sort -u | wc -l)" "$RESULTS $RESULTS" "each result has one id, whenever it was made"
is "$(lines once.jsonl)" "$RESULTS" "consumer --dedupe has each exactly once"
is "$(lines kept.jsonl)" "$RESULTS" "and so has a relay with dedupe"
done_testing
