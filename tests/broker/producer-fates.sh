#!/bin/bash
# Every message the producer sends has a fate that is told, counted, and shows in the exit status; and
# it goes at the time it is due.
. tests/support/tap.sh
use_broker
cd "$work" || exit

cat >s.yaml <<'END'
exchanges:
  e: {type: topic}
  nowhere: {type: fanout}
  matched: {type: headers}
queues:
  q:
  full: {max_length: 1, overflow: reject-publish}
bindings:
  - {exchange: e, queue: q, routing_key: "known.#"}
  - {exchange: matched, queue: q, headers: {a: 1}}
messages:
  fine: {exchange: e, routing_key: "known.{{n}}", fields: {n: {sequence: 1}, at: {now: {format: epoch_ms}}}}
  lost: {exchange: e, routing_key: unknown, amount: 30, fields: {n: {sequence: 1}}}
  full: {routing_key: full, amount: 50, fields: {n: {sequence: 1}}}
  void: {exchange: nowhere, routing_key: x, amount: 30, fields: [id]}
END
export WARREN_SETTINGS=$work/s.yaml
"$BIN/topology" apply >applied || exit

# send ARGUMENTS: a producer; out, err, and its status.
send() {
	timeout 60 "$BIN/producer" --yes "$@" >out 2>err
	status=$?
}
drop() { "$BIN/topology" purge >purged; }
# fates: how many of each, in the JSON lines.
fates() { jq -r '.fate' out | LC_ALL=C sort | uniq -c | awk '{printf "%s%s %s", (NR > 1 ? ", " : ""), $1, $2}'; }
# counts: what the summary says.
counts() { sed -nE 's/^producer: (.*) in [0-9.]+[mun]?s .*/\1/p' err; }

# ---- confirmed ----

send fine --amount 100 --format json
is "$status" 0 "all confirmed: exit 0"
is "$(fates)" "100 confirmed" "--format json has the fate of each"
is "$(counts)" "100 sent, 100 confirmed, 0 returned, 0 nacked, 0 unconfirmed" "the summary counts them"
is "$(jq -r .properties.message_id out | sort -u | grep -cE '^[0-9a-f-]{36}$')" 100 "each has a message id of its own"
is "$(jq -r .routing_key out | sort -u | wc -l)" 100 "and its templated routing key"
send fine --amount 3 --format pretty
is "$(grep -cE '^\[>>\] [0-9:.]+ e/known\.[123] \{"n":[123],.*\}( confirmed)?$' out)" 3 "--format pretty: a line for each"
send fine --amount 100
is "$(cat out)" "" "fast and not asked for: nothing on stdout"
send fine --amount 100 --window 1 --format json
is "$status $(fates) $(jq -r '.body | fromjson | .n' out | tr '\n' ' ')" "0 100 confirmed $(seq 100 | tr '\n' ' ')" \
	"--window 1 sends one after the other"
send fine --amount 0
is "$status $(counts)" "0 0 sent, 0 confirmed, 0 returned, 0 nacked, 0 unconfirmed" "--amount 0 sends nothing and exits 0"
drop

# ---- returned ----

send lost --format json
is "$status" 1 "no queue gets them, though the settings lead to one: exit 1"
is "$(fates) $(jq -r .reason out | sort -u)" "30 returned 312 NO_ROUTE" "each is told as returned, with the reason"
is "$(counts)" "30 sent, 0 confirmed, 30 returned, 0 nacked, 0 unconfirmed" "and counted"
send lost
is "$status" 1 "also when no messages are printed"
is "$(grep -cE 'message [0-9a-f-]{36} was returned: .*NO_ROUTE' err)" 30 "then each is reported on stderr"
send lost --quiet
is "$status $(grep -c . out)" "1 0" "--quiet keeps the exit status"
send lost --no-mandatory --format json
is "$status $(fates)" "0 30 confirmed" "--no-mandatory: the broker drops them, exit 0"
send void --format json
is "$status $(fates)" "0 30 confirmed" "an exchange that leads to no queue in the settings: not mandatory"
send void --mandatory --format json
is "$status $(fates)" "1 30 returned" "--mandatory asks for it"
send fine lost --amount 20 --format json
is "$status $(fates)" "1 20 confirmed, 20 returned" "some of each: exit 1"
drop

# ---- nacked ----

send full --format json
is "$status $(fates)" "1 1 confirmed, 49 nacked" "a full queue that rejects: nacked, exit 1"
is "$(counts)" "50 sent, 1 confirmed, 0 returned, 49 nacked, 294 resent, 0 unconfirmed" \
	"and counted, after six more tries each"
send full --amount 30
is "$(grep -cE 'message [0-9a-f-]{36} was nacked' err)" 30 "each is reported on stderr"
drop

# ---- unconfirmed ----

for amount in 3 5000; do
	send lost --no-declare --amount $amount --set messages.lost.exchange=missing \
		--set exchanges.missing.type=topic --format json
	is "$status" 76 "a missing exchange, $amount messages: exit 76"
	like "$(tail -n 1 err)" "^producer: cannot publish to .*exchange 'missing'.*there is no such exchange; .*topology apply" \
		"a missing exchange, $amount messages: one sentence with the next step"
	is "$(jq -r 'select(.fate == "unconfirmed") | .reason' out | sort -u | grep -c NOT_FOUND) $(jq -r .fate out | sort -u)" \
		"1 unconfirmed" "a missing exchange, $amount messages: each printed as unconfirmed"
	sent=$(counts | sed 's/ sent.*//; s/,//g')
	unsent=$([ "$sent" -eq "$amount" ] || echo " $((amount - sent)) unsent")
	is "$(counts | tr -d ,) $(wc -l <out)" "$sent sent 0 confirmed 0 returned 0 nacked $sent unconfirmed$unsent $sent" \
		"a missing exchange, $amount messages: all are accounted for"
done

# refused STATUS NAME REGEX RECORD: the broker, or we, refuse it.
refused() {
	printf '%s\n' "$4" >refused.jsonl
	send --from refused.jsonl --format pretty
	is "$status" "$1" "$2: exit $1"
	like "$(tail -n 1 err)" "^producer: $3" "$2: with the reason and the next step"
}
refused 76 "another's user_id" "cannot publish to the exchange: the user_id .* leave user_id out" \
	'{"routing_key":"q","properties":{"user_id":"nobody"},"body":"x"}'
refused 65 "an expiration that is no number" "refused.jsonl:1: properties.expiration: not a whole number of milliseconds" \
	'{"routing_key":"q","properties":{"expiration":"soon"},"body":"x"}'
"$BIN/topology" apply --set exchanges.inner.type=fanout --set exchanges.inner.internal=true --quiet
refused 77 "an internal exchange" "cannot publish to exchange 'inner': it is internal" \
	'{"exchange":"inner","routing_key":"q","body":"x"}'
refused 65 "a header that RabbitMQ cannot carry" "refused.jsonl:1: properties.headers: a: not a finite number" \
	'{"routing_key":"q","properties":{"headers":{"a":{"$type":"double","value":"nan"}}},"body":"x"}'
send fine --amount 3 --format pretty --set 'messages.fine.routing_key="{{long}}"' --set 'messages.fine.fields={long: {text: {length: 300}}}'
is "$(counts) $(wc -l <out)" "0 sent, 0 confirmed, 0 returned, 0 nacked, 0 unconfirmed, 3 unsent 0" \
	"a message that is not sent is not counted as sent, and not shown (exit $status)"

# Two with one id: the broker does not say which of them it returns.
printf '%s\n' '{"routing_key":"q","properties":{"message_id":"same"},"body":"x"}' \
	'{"routing_key":"none","properties":{"message_id":"same"},"body":"x"}' >same.jsonl
send --from same.jsonl --format json
is "$status $(jq -rs 'sort_by(.routing_key)[] | "\(.routing_key) \(.fate)"' out | tr '\n' ' ')" \
	"1 none returned q confirmed " "of two messages with one id the right one is told as returned"

# The broker takes BCC out of what it returns; other headers tell messages with one body apart.
cat >bcc.jsonl <<'END'
{"routing_key":"none","properties":{"headers":{"BCC":["none"],"a":1}},"body":"x"}
{"exchange":"matched","routing_key":"k","properties":{"headers":{"a":1}},"body":"x"}
{"exchange":"matched","routing_key":"k","properties":{"headers":{"BCC":["none"],"a":2}},"body":"x"}
END
send --from bcc.jsonl --mandatory --format json
is "$status $(jq -rs 'sort_by(.routing_key, .properties.headers.a)[] | "\(.routing_key) \(.properties.headers.a) \(.fate)"' out | paste -sd,)" \
	"1 k 1 confirmed,k 2 returned,none 1 returned" "with a BCC, returned is told as returned"

# ---- a reader that has gone to sleep ----

mkfifo pipe
"$BIN/producer" fine --amount 100000 --delay 0 --yes --format json --summary json >pipe 2>err &
producer=$!
exec 8<pipe
# resting: it waits for room, so its memory does not grow.
resting() { [ "$(awk '{print $3}' /proc/$producer/stat)" = S ] && [ "$(awk '/VmRSS/ {print $2}' /proc/$producer/status)" -gt 0 ]; }
peak() { awk '/VmHWM/ {print $2}' /proc/$producer/status; }
sent_so_far() { "$BIN/topology" show q -f json | jq -es 'map(.ready // 0) | add > 2000'; }
ok "a reader that sleeps: the producer goes on until much is waiting" eventually 60 eval 'sent_so_far && resting'
memory=$(peak)
ok "a reader that sleeps: memory stays small ($memory kB)" test "$memory" -lt 65536
kill -INT $producer
since=$SECONDS
wait $producer
is $? 74 "a reader that sleeps: Ctrl+C ends, and what could not be printed is an error: exit 74"
ok "a reader that sleeps: soon" test $((SECONDS - since)) -le 30
is "$(grep '^{' err | jq '.sent == .confirmed and .sent + .unsent == 100000')" true \
	"a reader that sleeps: every message is accounted for"
like "$(cat err)" "standard output takes no more: [0-9]+ bytes are not written" "a reader that sleeps: it is told"
exec 8<&-
drop

# ---- the summary ----

send fine --amount 7 --summary json
is "$(tail -n 1 err | jq -c 'to_entries | map(select(.key != "seconds" and .key != "rate")) | from_entries')" \
	'{"sent":7,"confirmed":7,"returned":0,"nacked":0,"resent":0,"unconfirmed":0,"unsent":0,"violations":0}' "--summary json: the counts"
is "$(tail -n 1 err | jq -c '[.seconds, .rate] | map(type)')" '["number","number"]' "with seconds and rate"
send fine --amount 7 --summary none
is "$(grep -c ' sent' err)" 0 "--summary none"
send fine --amount 7 --quiet
is "$(cat err)" "" "--quiet says nothing"
send fine --amount 7 --quiet --summary json
is "$(jq .sent err)" 7 "--quiet with --summary json is the summary alone"
send fine --amount 7 --log-format json
is "$(jq -c 'has("sent") or has("message")' err | sort -u) $(jq .sent err | grep -v null)" "true 7" \
	"--log-format json: the summary is JSON as well"
send fine --amount 7 --log-format json --summary text
like "$(tail -n 1 err)" '^producer: 7 sent' "but for what --summary says"
WARREN_SUMMARY=json WARREN_AMOUNT=4 send fine
is "$(tail -n 1 err | jq .sent)" 4 "options come from the environment, too"
drop

# ---- overrides ----

send fine --set messages.fine.amount=6 --set messages.fine.properties.type=special \
	--set 'messages.fine.headers={"k": 5}' --format json
is "$status $(jq -c '[.properties.type, .properties.headers]' out | sort | uniq -c | tr -s ' ')" \
	'0  6 ["special",{"k":5}]' "--set overrides values"
status_is 78 "--set is checked as the file is" "$BIN/producer" fine --set messages.fine.amount=many
like "$(cat err)" "messages.fine.amount" "and names its path"
status_is 64 "an unknown message: exit 64" "$BIN/producer" fien
like "$(cat err)" "no message 'fien'; did you mean 'fine'" "with a suggestion"
status_is 64 "--delay and --rate exclude each other" "$BIN/producer" fine --delay 1s --rate 5/s

# ---- weights and pace ----

cat >w.yaml <<'END'
queues:
  q:
messages:
  a: {routing_key: q, weight: 8, amount: 800, fields: {n: {sequence: 1}}}
  b: {routing_key: q, weight: 2, amount: 200, fields: {n: {sequence: 1}}, properties: {type: b}}
END
"$BIN/producer" -s w.yaml --yes --window 1 --format json >out 2>err
is "$(head -n 100 out | jq -r '.properties.type // "a"' | sort | uniq -c | tr -s ' ' | tr '\n' ';')" " 80 a; 20 b;" \
	"weights 8 and 2: of the first 100, 80 and 20"
is "$(sed -n 401,500p out | jq -r '.properties.type // "a"' | sort | uniq -c | tr -s ' ' | tr '\n' ';')" " 80 a; 20 b;" \
	"and in the middle as well"

# between NUMBER LOW HIGH
between() { awk -v n="$1" -v low="$2" -v high="$3" 'BEGIN { exit !(n >= low && n <= high) }'; }
seconds() { tail -n 1 err | jq .seconds; }
# steadily COMMAND...: it holds of what a producer does when the machine does not stand still meanwhile.
steadily() { "$@" || "$@" || "$@" || "$@" || "$@"; }
keeps_rate() {
	send fine --rate 500/s --amount 2000 --summary json --format json
	jq -r '.body | fromjson | .at' out | sort -n >at.ms
	echo "in $(seconds) s"
	between "$(seconds)" 3.96 7.9 && awk 'NR == 1 { start = $1 }
		{ n[int(($1 - start) / 1000)]++ }
		END { for (i = 0; i < 4; i++) if (n[i] < 490 || n[i] > 510) { print i, n[i]; bad = 1 } exit bad }' at.ms
}
ok "--rate 500/s --amount 2000 keeps to it: four seconds, 500 in each, within 2 %" steadily keeps_rate
is "$(fates)" "2000 confirmed" "and sends them all"
keeps_pauses() { send fine --delay 20ms --amount 51 --summary json && echo "$(seconds)" && between "$(seconds)" 0.99 1.1; }
ok "--delay 20ms: 50 pauses are a second" steadily keeps_pauses
keeps_schedule() {
	send fine --set 'messages.fine.schedule=[{rate: 100/s, for: 1s}, {pause: 500ms}, {from: 100/s, to: 300/s, for: 1s}]' --summary json --format json
	jq -r '.body | fromjson | .at' out | sort -n >at.ms
	echo "in $(seconds) s"
	between "$(seconds)" 2.4 2.6 && awk 'NR == 1 { start = $1 }
		{ t = $1 - start; if (t > 1040 && t < 1460) pause++; if (t >= 1460 && t < 1990) early++; if (t >= 1990) late++ }
		END { print pause + 0, early, late; exit !(pause + 0 == 0 && late > 1.3 * early) }' at.ms
}
ok "a schedule: 2.5 s with the pause, none in it, and more and more afterwards" steadily keeps_schedule
is "$(fates)" "300 confirmed" "100/s for 1 s, and from 100/s to 300/s in 1 s, are 300 messages"
drop

# ---- a stop ----

rm out
"$BIN/producer" fine --rate 100/s --yes --format json >out 2>err &
producer=$!
some() { [ "$(wc -l <out)" -ge 20 ]; }
ok "without an amount it goes on" eventually 60 some
kill -INT $producer
wait $producer
is $? 0 "until Ctrl+C, which is a clean end"
is "$(counts | tr -d ,)" "$(wc -l <out) sent $(wc -l <out) confirmed 0 returned 0 nacked 0 unconfirmed" \
	"what was sent is confirmed, and printed"
drop

# ---- no broker, or none yet ----

status_is 69 "no broker: exit 69" "$BIN/producer" fine --amount 1 --url amqp://127.0.0.1:1
like "$(cat err)" "cannot connect to 127.0.0.1:1: Connection refused" "with the reason"
is_refused() { ! "$BIN/producer" fine --amount 1 --url amqp://127.0.0.1:1; }
ok "at once" quickly 1000 is_refused
for tool in "producer fine --amount 1" "consumer q" "topology show"; do
	# shellcheck disable=SC2086
	set -- $tool
	since=${EPOCHREALTIME/[.,]/}
	timeout 60 "$BIN/$1" "${@:2}" --wait 2s --url amqp://127.0.0.1:1 >out 2>err
	is $? 69 "$1 --wait 2s: exit 69"
	ok "$1 --wait 2s: after 2 s" between $((${EPOCHREALTIME/[.,]/} - since)) 1950000 20000000
	like "$(cat err)" "waiting for the broker" "$1 --wait 2s: and it says what it waits for"
done
rm err
"$BIN/producer" fine --amount 1 --wait 300s --url amqp://127.0.0.1:1 >out 2>err &
producer=$!
eventually 60 grep -q 'waiting for the broker' err
kill -INT $producer
since=$SECONDS
wait $producer
status=$?
ok "Ctrl+C ends the waiting at once (status $status)" test $((SECONDS - since)) -le 20

# A node of its own whose application is stopped refuses connections, on the port it has afterwards.
"$BIN/lab" up --dir "$work/late" >late.log 2>&1
trap '"$BIN/lab" down --dir "$work/late" >/dev/null 2>&1; tap_cleanup' EXIT
url=$("$BIN/lab" env --dir "$work/late" | sed -n "s/^export AMQP_URL='\(.*\)'/\1/p")
"$BIN/lab" ctl --dir "$work/late" -- stop_app >late.log 2>&1
timeout 300 "$BIN/consumer" q --count 20 -f body --wait 280s --url "$url" >consumed 2>consumer.err &
consumer=$!
timeout 300 "$BIN/producer" fine --amount 20 --yes --wait 280s --url "$url" >produced 2>producer.err &
producer=$!
ok "both tools are there before the broker" eventually 60 \
	eval 'grep -q "waiting for the broker" consumer.err && grep -q "waiting for the broker" producer.err'
"$BIN/lab" ctl --dir "$work/late" -- start_app >late.log 2>&1
wait $producer
is $? 0 "the producer sends when the broker is there"
wait $consumer
is "$? $(wc -l <consumed)" "0 20" "and the consumer gets it"
"$BIN/lab" down --dir "$work/late" >late.log 2>&1
is $? 0 "the lab goes down"
done_testing
