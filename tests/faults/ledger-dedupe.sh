#!/bin/bash
# With --dedupe what comes twice, because a producer or a broker sent it again, is shown once: exactly
# once, as long as the consumer lives; with --dedupe-file also when it is killed between two of them.
. tests/support/tap.sh
use_broker
. tests/support/through.sh
MESSAGES=${MESSAGES:-10000} STRIKES=${STRIKES:-10} SEED=${SEED:-$RANDOM}

settings "$MESSAGES"
proxy_up "$SEED" "$STRIKES" $((MESSAGES * 2 * 270 / 2 / STRIKES))
echo "# seed $SEED"
"$BIN/consumer" ledger -f json --idle 20s --dedupe --summary json >received 2>consumer.err &
consumer=$!
timeout 300 "$BIN/producer" --delay 0 --yes -f json --summary json >sent 2>producer.err
is $? 0 "the producer confirms everything: exit 0"
wait $consumer
is $? 0 "the consumer comes to its end: exit 0"
proxy_down
is "$(of left)" 0 "all $STRIKES faults struck"
judged "nothing is lost" sent -- received
is "$(verdict received) $(verdict duplicates)" "$MESSAGES 0" "every message is shown exactly once"
twice=$(tail -n 1 consumer.err | jq .duplicates)
ok "some had come twice ($twice)" test "$twice" -gt 0

# ---- the consumer is killed in between ----

timeout 60 "$BIN/producer" --url "$direct_url" --delay 0 --yes -f json >sent 2>producer.err
: >received
shown() { [ "$(wc -l <part)" -ge "$1" ]; }
for n in 1 2 3 4 5; do
	fresh part
	"$BIN/consumer" ledger --url "$direct_url" -f json --quiet --prefetch 50 --dedupe-file ids >part 2>consumer.err &
	consumer=$!
	eventually 60 shown $((n * 100))
	kill -9 $consumer
	wait $consumer 2>/dev/null
	cat part >>received
done
rest part --dedupe-file ids
cat part >>received
judged "killed five times: nothing is lost" sent -- received
# what was shown when the kill came, and not yet noted, is shown again
ok "what was noted is not shown again ($(verdict duplicates) were shown at the moment of a kill)" \
	test "$(verdict duplicates)" -le 250
is "$(stat -c %a ids)" 600 "the file is nobody else's business"
done_testing
