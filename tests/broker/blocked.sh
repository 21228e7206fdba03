#!/bin/bash
# An alarm of memory: the broker takes no messages. The producer says so, keeps its heartbeats, uses
# neither memory nor processor, and goes on; nothing is lost. And a broker that stands still.
. tests/support/tap.sh
unset WARREN_TEST_LAB # a node of its own: it changes what belongs to all of it
use_broker
cd "$work" || exit

cat >s.yaml <<'END'
broker:
  heartbeat: 2s
queues:
  jobs: {}
messages:
  job:
    routing_key: jobs
    rate: 5000/s
    fields: {n: {sequence: 1}, text: {text: {length: 200}}}
END
node=$(cat "$WARREN_TEST_LAB/a/pid")
seconds=${BLOCKED_SECONDS:-8} # four heartbeats, two more than a broker waits; issue 4 has 30

lines() { wc -l <"$1" | tr -d ' '; }
has_lines() { [ "$(lines "$1")" -ge "$2" ]; }
says() { grep -q "$1" "$2"; }
alarm() { "$BIN/lab" alarm memory "$1" --dir "$WARREN_TEST_LAB" >alarm.out 2>&1; }
kib_of() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
ticks_of() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

"$BIN/producer" -s s.yaml --yes -f json >sent 2>sent.err &
producer=$!
"$BIN/consumer" -s s.yaml -f json >got 2>got.err &
consumer=$!
ok "messages flow" eventually 60 has_lines sent 3000
alarm on
ok "the producer says that the broker is blocked" eventually 60 says 'takes no messages for now' sent.err
like "$(grep 'takes no messages' sent.err)" "low on memory" "with its reason"
# at_rest: several looks in a row that find the same; a machine that stands still spoils one of them.
at_rest() {
	local n _
	n=$(lines sent)
	for _ in 1 2 3 4 5; do
		read -r -t 0.3 <> <(:)
		[ "$(lines sent)" = "$n" ] || return
	done
}
eventually 60 at_rest
before=$(lines sent) kib=$(kib_of $producer) ticks=$(ticks_of $producer) start=$SECONDS
still() { [ $((SECONDS - start)) -ge "$seconds" ]; }
eventually 60 still
is "$(lines sent)" "$before" "for $seconds seconds nothing is confirmed"
ok "memory stays flat ($kib to $(kib_of $producer) KiB)" test "$(kib_of $producer)" -le $((kib + 2048))
used=$(($(ticks_of $producer) - ticks)) took=$((SECONDS - start))
ok "the processor is left alone ($used ticks in $took s)" test $used -le $((took * 10))
alarm off
ok "it says that the broker takes messages again" eventually 60 says 'takes messages again' sent.err
ok "and goes on" eventually 60 has_lines sent $((before + 3000))
is "$(grep -c 'trying again' sent.err)" 0 "over the same connection"
kill -INT $producer
wait $producer
is $? 0 "Ctrl+C: a clean end, everything confirmed"
kept_up() { [ "$(lines got)" -ge "$(lines sent)" ]; }
ok "the consumer has got everything" eventually 60 kept_up
kill -INT $consumer
wait $consumer
ids() { jq -r .properties.message_id "$1" | LC_ALL=C sort; }
is "$(comm -3 <(ids sent) <(ids got) | wc -l)" 0 "exactly what was sent has arrived"

# ---- a broker that stands still is not the end of a stream ----

echo 'queues: {log: {type: stream}}' >log.yaml
seq 200 >lines
"$BIN/producer" -s log.yaml --from lines --routing-key log -f none --quiet
cat >handler <<END
read -r n
echo "\$n"
[ "\$n" -ne 50 ] || { kill -STOP $node; (sleep 2; kill -CONT $node) >/dev/null 2>&1 & }
END
timeout 60 "$BIN/consumer" -s log.yaml log --until-empty --prefetch 10 -f body --exec 'sh handler' >got 2>got.err
is "$? $(wc -l <got)" "0 200" "a stream is read to its end, though the broker stands still for two seconds"

done_testing
