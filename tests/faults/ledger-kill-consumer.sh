#!/bin/bash
# kill -9 of the consumer, twenty times, while messages come: each is printed at least once, and what
# is printed again is marked as redelivered.
. tests/support/tap.sh
use_broker
. tests/support/through.sh
KILLS=${KILLS:-20}

settings 10000000 # that is: until the last consumer is killed
"$BIN/producer" --rate 2000/s --yes -f json >sent 2>producer.err &
producer=$!
killed=0
for ((i = 0; i < KILLS; i++)); do
	"$BIN/consumer" ledger -f json --prefetch 200 >"received.$i" 2>"received.$i.err" &
	consumer=$!
	least=$((RANDOM % 300 + 1))
	eventually 60 eval "[ \$(wc -l <received.$i) -ge $least ]" || break
	kill -KILL $consumer
	wait $consumer 2>/dev/null
	[ $? -ne 137 ] || killed=$((killed + 1))
done
is $killed "$KILLS" "the consumer was killed $KILLS times in the middle of its work"
kill -INT $producer
wait $producer
is $? 0 "the producer exits 0"
ok "the next consumer takes the rest" rest received.last
mapfile -t files < <(seq -f received.%g 0 $((KILLS - 1)))
judged "nothing is lost, and nothing twice without a mark" sent -- "${files[@]}" received.last
sent=$(wc -l <sent)
is "$(verdict sent) $(verdict confirmed) $(verdict received) $(verdict unknown)" "$sent $sent $sent 0" \
	"every message that was sent was confirmed and received"
ok "some came again ($(verdict duplicates)), so the kills were felt" test "$(verdict duplicates)" -gt 0
done_testing
