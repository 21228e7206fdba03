#!/bin/bash
# A command that works three times the heartbeat on each message: the connection lives on, and each
# message is worked on once.
. tests/support/tap.sh
use_broker
. tests/support/through.sh

settings 3
proxy_up
"$BIN/producer" --delay 0 --yes -f json --url "$direct_url" >sent 2>producer.err
timeout 60 "$BIN/consumer" ledger --url "$AMQP_URL?heartbeat=1" -f json --count 3 \
	--exec "sh -c 'sleep 3; cat'" >received 2>consumer.err
is $? 0 "three messages of three heartbeats each"
proxy state
is "$(of accepted)" 1 "over one connection"
judged "each came once" --once --in-order sent -- received
is "$(verdict received)" 3 "and all of them"
proxy_down
done_testing
