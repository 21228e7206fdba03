#!/bin/bash
# A command that works three times the heartbeat on each message: the connection lives on, and each
# message is worked on once.
. tests/support/tap.sh
use_broker
. tests/support/through.sh

settings 3
proxy_up
# takes_long FACTOR: a machine that stands still for two heartbeats makes a dead connection of any.
takes_long() {
	"$BIN/topology" purge --url "$direct_url" >purged
	"$BIN/producer" --delay 0 --yes -f json --url "$direct_url" >sent 2>producer.err
	proxy state
	accepted=$(of accepted)
	timeout 200 "$BIN/consumer" ledger --url "$AMQP_URL?heartbeat=$1" -f json --count 3 \
		--exec "sh -c 'sleep $((3 * $1)); cat'" >received 2>consumer.err
	status=$?
	proxy state
	[ $status -eq 0 ] && [ "$(of accepted)" -eq $((accepted + 1)) ]
}
ok "three messages of three heartbeats each, over one connection" patiently takes_long
is $status 0 "a clean end"
judged "each came once" --once --in-order sent -- received
is "$(verdict received)" 3 "and all of them"
proxy_down
done_testing
