#!/bin/bash
# events replay --cursor, killed with -9 again and again, and its connection cut: every event arrives, the first time
# in order; the only ones that come twice are those that were named, or were sent again over another connection.
# EVENTS=200000 KILLS=10 RATE=0 ...: the long run, as fast as it goes.
. tests/support/tap.sh
use_broker
. tests/support/through.sh
EVENTS=${EVENTS:-5000} KILLS=${KILLS:-4} RATE=${RATE:-100}

echo 'queues: {out: {}}' >s.yaml
ok "a queue" "$BIN/topology" apply -s s.yaml
awk -v n="$EVENTS" 'BEGIN {for (i = 1; i <= n; i++)
	printf "{\"exchange\":\"\",\"routing_key\":\"out\",\"properties\":{\"message_id\":\"m%d\"},\"body\":\"%d\"}\n", i, i}' >events.jsonl
ok "a store of $EVENTS events" "$BIN/events" import events.jsonl

# What arrives, in its order: position, and whether it is marked.
fresh got
"$BIN/consumer" out -f json --idle 600s >got 2>got.err &
consumer=$!
lines() { wc -l <"$1" | tr -d ' '; }
has_lines() { [ "$(lines "$1")" -ge "$2" ]; }
replay() { exec "$BIN/events" replay --cursor c "$@"; }
slowly=()
[ "$RATE" -eq 0 ] || slowly=(--rate "$RATE/s")

step=$((EVENTS / (KILLS + 3))) # on the way between two kills
[ "$RATE" -eq 0 ] || step=$((RATE / 3)) # and most of the events are left then, however slow the machine
killed=0
for ((n = 1; n <= KILLS; n++)); do
	settled out 0 >/dev/null # what arrives from now on is of this run
	before=$(lines got)
	replay "${slowly[@]}" 2>"run.$n.err" &
	run=$!
	eventually 60 has_lines got $((before + step))
	kill -9 $run 2>/dev/null
	wait $run 2>/dev/null
	[ $? -eq 137 ] || break # it was at its end before we came
	killed=$((killed + 1))
done

# The last run goes through a proxy that hurts its connection every now and then.
proxy_up "${SEED:-7}" 12 $((EVENTS * 5)) # bytes
replay 2>run.cut.err &
wait $!
is $? 0 "killed $killed times, and cut off on its way, it comes to its end"
proxy_down
ok "it was cut off ($answer)" test $(($(of cut) + $(of reset))) -gt 0
is "$(cat run.*.err | grep -c 'may have been sent before')" "$killed" "after each kill it says what may have been sent before"
AMQP_URL=$direct_url

arrived() { [ "$(jq -r .body got | sort -u | wc -l)" -eq "$EVENTS" ]; }
ok "every event arrives" eventually 120 arrived
empty() { [ "$(ready out)" = 0 ]; }
eventually 60 empty
kill -TERM $consumer
wait $consumer

jq -r '[.body, .properties.headers["x-warren-replayed"], .properties.headers["x-warren-replayed-again"] == true,
	.properties.headers["x-warren-resent"] == true] | @tsv' got >seen
is "$(awk '$1 != $2' seen | wc -l)" 0 "each says its position"
is "$(awk '!had[$1]++ {if ($1 != ++n) bad++} END {print bad + 0}' seen)" 0 "the first time, they come in order"
# what the runs have named, a position a line
sed -nE 's/.*positions ([0-9]+)-([0-9]+) may have been sent before.*/\1 \2/p' run.*.err |
	awk '{for (i = $1; i <= $2; i++) print i}' | sort -u >named
awk '$4 == "false" {n[$1]++} END {for (i in n) if (n[i] > 1) print i}' seen | sort >twice
is "$(comm -23 twice named | wc -l)" 0 "only those that were named come twice ($(wc -l <twice | tr -d ' ') of $(wc -l <named | tr -d ' ') named)"
is "$(awk '$3 == "false" && $4 == "false" && n[$1]++' seen | wc -l)" 0 "and each that comes again says so"
ok "a kill leaves something that comes twice, or this test has seen nothing" test -s twice

status_is 0 "at the end there is nothing left" "$BIN/events" replay --cursor c
like "$(cat err)" "0 sent" "and nothing is sent"
done_testing
