#!/bin/bash
# A connection on which nothing comes any more, without an end: it is noticed within two heartbeats
# and a second, by a producer and a consumer, and both go on over another one.
. tests/support/tap.sh
use_broker
. tests/support/through.sh
LIMIT_MS=3500 # 2 x 1 s + 1 s, and time for this script to look

settings 100000
proxy_up
AMQP_URL="$AMQP_URL?heartbeat=1"
"$BIN/consumer" ledger -f json >received 2>consumer.err &
consumer=$!
"$BIN/producer" --rate 500/s --yes -f json >sent 2>producer.err &
producer=$!
# told TOOL N: it has told of N losses.
told() { [ "$(grep -cE 'no sign of life|did not answer|lost the broker' "$1.err")" -ge "$2" ]; }
grows() { [ "$(wc -l <"$1")" -gt "$2" ]; }

# notice: from now on, nothing comes any more in that direction; how long the slower one took in $took.
notice() {
	local tool since
	round=$((round + 1))
	since=${EPOCHREALTIME/./}
	proxy blackhole "$1"
	proxy resume
	for tool in producer consumer; do eventually 60 told $tool $round || return; done
	took=$(((${EPOCHREALTIME/./} - since) / 1000))
}
round=0
for direction in 0 2; do
	ok "direction $direction: messages flow" eventually 60 eval "grows sent 200 && grows received 200"
	for _ in 1 2 3 4 5; do # the machine may stand still meanwhile
		notice $direction
		result $? "direction $direction: producer and consumer notice ($took ms)"
		for file in sent received; do
			ok "direction $direction: $file grows again" eventually 60 grows $file "$(wc -l <$file)"
		done
		[ "$took" -gt $LIMIT_MS ] || break
	done
	ok "direction $direction: in time" test "$took" -le $LIMIT_MS
done
kill -INT $producer
wait $producer
ok "the producer ends in order" test $? -le 1
kill -INT $consumer
wait $consumer
is $? 0 "so does the consumer"
proxy_down
ok "the rest is fetched" rest left
judged "nothing is lost, and nothing twice without a mark" sent -- received left
done_testing
