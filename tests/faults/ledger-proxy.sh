#!/bin/bash
# The ledger of a run through a proxy that cuts, resets, delays and fragments: whatever was confirmed
# came, and what came twice is marked. make test sends MESSAGES=20000 past STRIKES=20; the run that
# issue 4 asks for:
#   make test T=ledger-proxy MESSAGES=200000 STRIKES=200
. tests/support/tap.sh
use_broker
. tests/support/through.sh
MESSAGES=${MESSAGES:-20000} STRIKES=${STRIKES:-20} SEED=${SEED:-$RANDOM}

settings "$MESSAGES"
# about 270 bytes each way for each message; the last fault comes well before the end
proxy_up "$SEED" "$STRIKES" $((MESSAGES * 2 * 270 / 2 / STRIKES))
echo "# seed $SEED"
"$BIN/consumer" ledger -f json --idle 15s >received 2>consumer.err &
consumer=$!
timeout 500 "$BIN/producer" --delay 0 --yes -f json >sent 2>producer.err
is $? 0 "the producer confirms everything: exit 0"
wait $consumer
is $? 0 "the consumer comes to its end: exit 0"
proxy_down
echo "# proxy: $answer"
is "$(of left)" 0 "all $STRIKES faults struck"
ok "the rest is fetched" rest left
judged "nothing is lost, and nothing twice without a mark" sent -- received left
is "$(verdict sent) $(verdict confirmed) $(verdict received) $(verdict unknown)" "$MESSAGES $MESSAGES $MESSAGES 0" \
	"every message was sent, confirmed and received"
is "$(wc -l <left)" 0 "nothing was left for another consumer"
tail -n 3 producer.err consumer.err | sed 's/^/#   /'
done_testing
