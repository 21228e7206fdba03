#!/bin/bash
# Retries, parking and --dedupe, on classic and quorum queues: attempts and waits are those of the
# settings, what is parked tells all that is known, and nothing is lost, whoever is killed.
. tests/support/tap.sh
. tests/support/api.sh
unset WARREN_TEST_LAB # a node of its own: it changes what belongs to all of it
use_broker
cd "$work" || exit

cat >s.yaml <<'END_OF_SETTINGS'
exchanges:
  orders: {type: topic}
  graveyard: {type: fanout}
queues:
  c: {retry: {attempts: 4, delay: {from: 1s, to: 2s}}}
  q: {type: quorum, retry: {attempts: 4, delay: {from: 1s, to: 2s}}}
  to_exchange: {dead_letter: graveyard, retry: {attempts: 1}}
  dug: {}
  aside: {}
  limited: {type: quorum, delivery_limit: 2, dead_letter: over}
  brief: {type: quorum, delivery_limit: 1, retry: {attempts: 1}}
  single: {single_active_consumer: true}
  plain: {}
bindings:
  - {exchange: orders, queue: c, routing_key: "c.#"}
  - {exchange: orders, queue: q, routing_key: "q.#"}
  - {exchange: orders, queue: aside, routing_key: aside}
  - {exchange: graveyard, queue: dug}
END_OF_SETTINGS
export WARREN_SETTINGS=$work/s.yaml
ok "the topology stands" "$BIN/topology" apply

# A handler: fails with 75 until as many attempts have failed as the body's n says; n of 90 and more
# is the status it ends with at once. Writes down when it was called, and for what.
cat >handler <<'END_OF_HANDLER'
#!/bin/bash
began=${EPOCHREALTIME/./}
body=$(cat)
[[ $body == *'}' ]] || exit 75 # whoever was writing it was killed
n=${body#*:}
n=${n%%[^0-9]*}
attempts=${WARREN_HEADER_X_WARREN_ATTEMPTS:-0}
status=0
if [ "$n" -ge 90 ]; then status=$n; elif [ "$attempts" -lt "$n" ]; then status=75; fi
printf '%s %s %s %s %s %s %s %s %s\n' "$((began / 1000))" "$WARREN_MESSAGE_ID" "$attempts" "$WARREN_REDELIVERED" \
	"$status" "$WARREN_QUEUE" "$WARREN_EXCHANGE" "$WARREN_ROUTING_KEY" "$((${EPOCHREALTIME/./} / 1000))" >>"$LOG"
exit "$status"
END_OF_HANDLER
chmod +x handler
export LOG=$work/log
: >log

# send QUEUE N...: a message for each n, with the id QUEUE-N, to the queue's exchange.
send() {
	local queue=$1 n
	shift
	for n; do
		printf '{"exchange":"orders","routing_key":"%s.x","properties":{"message_id":"%s-%s","delivery_mode":2},"body":"{\\"n\\":%s}"}\n' \
			"$queue" "$queue" "$n" "$n"
	done | "$BIN/producer" --from - --quiet --no-declare
}
# take ARGUMENTS: a consumer that ends by itself.
take() { timeout 60 "$BIN/consumer" "$@"; }
consume() { exec "$BIN/consumer" --exec ./handler -f none "$@"; }
counted() { [ "$("$BIN/topology" show "$1" -f json | jq 'select(.object == "queue") | .ready')" = "$2" ]; }
lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }
# stop PID: a clean end; its status in $status.
stop() {
	kill -TERM "$1"
	wait "$1"
	status=$?
}

# ---- attempts, waits, parking ----

send c 0 1 2 3 4 93
send q 0 1 2 3 4 93
consume c q --exec-jobs 8 >out 2>err &
pid=$!
ok "a consumer handles all of it" eventually 60 lines log 30 # nobody asks the broker: time is measured
ok "what cannot be done ends parked (classic)" eventually 60 counted c.parked 2
ok "what cannot be done ends parked (quorum)" eventually 60 counted q.parked 2
stop $pid
is "$status" 0 "a consumer whose messages were retried and parked exits 0"
like "$(grep received err)" '30 received, 8 acknowledged, 18 retried, 4 parked in' "its summary counts retries and parkings"
for queue in c q; do
	for n in 0 1 2 3; do
		is "$(awk -v id="$queue-$n" '$2 == id {print $3 ":" $5}' log | tr '\n' ' ')" \
			"$(for ((i = 0; i < n; i++)); do printf '%s:75 ' "$i"; done)$n:0 " \
			"$n failures: done at attempt $((n + 1)) ($queue)"
	done
	is "$(awk -v id="$queue-4" '$2 == id {print $3}' log | tr '\n' ' ')" "0 1 2 3 " "four failures are the limit ($queue)"
	is "$(awk -v id="$queue-93" '$2 == id' log | wc -l)" 1 "what is rejected is not tried again ($queue)"
	is "$(awk -v q="$queue" '$6 == q && !($7 == "orders" && $8 == q ".x")' log)" "" \
		"each attempt sees the exchange and key of the first ($queue)"
	# from the end of an attempt to the beginning of the next one; a machine that stalls makes some late
	awk -v q="$queue" '$6 == q && $3 > 0 {print $3, $1 - last[$2]} {last[$2] = $9}' log | sort -n >waits
	is "$(awk '$2 < ($1 == 1 ? 1000 : 2000) * 0.8' waits)" "" "no wait is more than 20 % too short ($queue)"
	# all of them wait at the same time, and a machine that stands still then makes all of them late
	are_in_time() { awk '{m[$1] = $1 in m && m[$1] < $2 ? m[$1] : $2} END {exit !(length(m) == 3 && m[1] <= 1200 && m[2] <= 2400 && m[3] <= 2400)}' waits; }
	for _ in 1 2 3 4; do
		! are_in_time || break
		send $queue 3
		take $queue --exec ./handler --count 1 -f none 2>/dev/null
		awk -v q="$queue" '$6 == q && $3 > 0 {print $3, $1 - last[$2]} {last[$2] = $9}' log | sort -n >waits
	done
	ok "each wait is as configured, at most 20 % longer ($(tr '\n' ';' <waits), $queue)" are_in_time
	take "$queue.parked" -e -f json --no-declare >parked 2>parked.err
	is "$(jq -c '[.properties.message_id, (.properties.headers |
			.["x-warren-reason"], .["x-warren-error"], .["x-warren-attempts"],
			.["x-warren-queue"], .["x-warren-exchange"], .["x-warren-routing-key"],
			(.["x-warren-time"].value - now | fabs < 60))]' parked | sort)" \
		"[\"$queue-4\",\"attempts\",\"ended with status 75\",4,\"$queue\",\"orders\",\"$queue.x\",true]
[\"$queue-93\",\"rejected\",\"ended with status 93\",1,\"$queue\",\"orders\",\"$queue.x\",true]" \
		"a parked message tells why, how often, from where and when ($queue)"
done

# ---- all properties and headers, and those that the broker would obey ----

"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- add_user bob bob >/dev/null 2>&1
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- set_permissions -p "$vhost" bob '.*' '.*' '.*' >/dev/null 2>&1
bob=${AMQP_URL/guest:guest/bob:bob}
rich() {
	jq -nc --arg queue "$1" '{exchange: "orders", routing_key: "\($queue).deep", properties: {
		content_type: "application/json", content_encoding: "identity",
		headers: {bool: true, i8: {"$type": "int8", value: -8},
			i16: {"$type": "int16", value: -16}, i32: {"$type": "int32", value: 32}, i64: 64,
			double: 1.5, float: {"$type": "float", value: 0.5},
			decimal: {"$type": "decimal", scale: 2, value: 1234},
			time: {"$type": "timestamp", value: 1700000000}, nothing: null,
			bytes: {"$type": "bytes", value: "AAEC"}, text: "täxt", list: [1, {a: []}],
			table: {deep: {deeper: "x"}}, CC: ["aside"],
			"x-death": [{queue: $queue, reason: "expired", count: 1}]},
		delivery_mode: 2, priority: 3, correlation_id: "corr", reply_to: "reply",
		expiration: "600000", message_id: "rich", timestamp: 1700000000, type: "t",
		user_id: "bob", app_id: "app"}, body: "{\"n\":9}"}'
}
for queue in c q; do
	rich $queue >rich
	ok "another user's message comes ($queue)" "$BIN/producer" --url "$bob" --from rich --quiet
	consume $queue >out 2>err &
	pid=$!
	ok "and is parked in the end ($queue)" eventually 60 counted $queue.parked 1
	stop $pid
	take $queue.parked -e -f json --no-declare >parked 2>parked.err
	# as it was, when what was set aside is put back
	jq -S '.properties.headers |= (with_entries(.key |= sub("^x-warren-kept-"; "")) |
			.expiration = .["x-warren-expiration"] | .user_id = .["x-warren-user-id"]) |
		.properties.expiration = .properties.headers.expiration |
		.properties.user_id = .properties.headers.user_id |
		.properties.headers |= with_entries(select(.key | test("^(x-warren-|expiration|user_id)") | not)) |
		{properties, body}' parked >got
	jq -S '{properties, body}' rich >expected
	ok "with all its properties and typed headers ($queue)" diff expected got
	ok "CC was obeyed once, when it was published ($queue)" eventually 60 counted aside 1
	"$BIN/topology" purge aside >/dev/null
done

# ---- the third attempt as the handler and the others see it ----

rich c >rich
"$BIN/producer" --url "$bob" --from rich --quiet
cat >env-handler <<'END_OF_HANDLER'
#!/bin/sh
printf '%s|%s|%s|%s\n' "$WARREN_HEADERS" "$WARREN_EXPIRATION" "$WARREN_PRIORITY" "$WARREN_USER_ID" >>seen
[ "${WARREN_HEADER_X_WARREN_ATTEMPTS:-0}" -ge 2 ] || exit 75
END_OF_HANDLER
chmod +x env-handler
take c --exec ./env-handler --count 1 -f json >out 2>err
is "$(sed -n '3s/^{\(.*\)}|.*/{\1}/p' seen | jq -cS 'with_entries(select(.key | startswith("x-warren-") | not))')" \
	"$(jq -cS .properties.headers rich)" "at its third attempt a message has the headers of its first"
is "$(sed -n '3s/.*}|//p' seen)" "600000|3|" "its expiration and priority; not a user_id that nobody vouches for"
is "$(jq -r '"\(.exchange) \(.routing_key)"' out)" "orders c.deep" "-f json tells where it was published first"
"$BIN/topology" purge aside >/dev/null

# ---- a parking exchange of the user's; a filter that rejects ----

echo '{"exchange":"","routing_key":"to_exchange","body":"{\"n\":9}"}' | "$BIN/producer" --from - --quiet --no-declare
take to_exchange --exec ./handler --until-empty -f none >out 2>err
take dug -e -f json >parked 2>parked.err
is "$(jq -r '"\(.exchange) \(.routing_key) \(.properties.headers["x-warren-attempts"])"' parked)" \
	"graveyard to_exchange 1" "a dead_letter exchange gets what is given up, with its own key"
send c 0 1
take c --filter '.n > 0' --unmatched reject -e -f none >out 2>err
is "$(take c.parked -e -f json --no-declare 2>parked.err | jq -r '.properties | "\(.message_id) \(.headers["x-warren-reason"])"')" \
	"c-0 rejected" "what a filter rejects is parked as well"
like "$(grep received err)" '2 received, 1 acknowledged, 1 parked' "and counted as parked"
send c 0
take c --ack requeue -e -f none 2>err
take c --filter false --unmatched reject -e -f none 2>err
is "$(take c.parked -e -f json --no-declare 2>parked.err | jq -c '.properties.headers["x-warren-resent"]')" true \
	"the copy of one that was delivered before says that there may be another"

# ---- where sending on fails ----

: >log
fresh err
consume c >out 2>err &
pid=$!
ok "a consumer waits" eventually 60 grep -q 'waiting for messages' err
api DELETE "queues/$vhost/c.retry.1s" >/dev/null
send c 1
ok "a wait queue that is gone: said once" eventually 60 grep -q "cannot send a failed message of queue 'c' on: 312 NO_ROUTE" err
stop $pid
is "$status" 1 "the consumer ends with 1"
like "$(grep received err)" '1 received, 0 acknowledged, 1 requeued, 1 unsent in' "and says what it could not send on"
is "$(grep -c 'cannot send a failed' err)" 1 "one warning was enough"
ok "the message is still there" eventually 60 counted c 1
: >log
take c --exec ./handler --until-empty -f none >out 2>err
is "$(tail -n 1 log | cut -d ' ' -f 2-5) $(grep -oE '1 retried' err)" "c-1 0 1 75 1 retried" \
	"a consumer that declares the queue again sends it on, with its first failure"
: >log
take c --exec ./handler --count 1 -f none >out 2>err
is "$(cut -d ' ' -f 2-5 log)" "c-1 1 0 0" "and then it is done"

# held, not given back again and again: that would use the deliveries of a quorum queue up
: >log
fresh err
consume brief >out 2>err &
pid=$!
ok "a consumer waits" eventually 60 grep -q 'waiting for messages' err
api DELETE "queues/$vhost/brief.parked" >/dev/null
echo '{"exchange":"","routing_key":"brief","body":"{\"n\":90}"}' | "$BIN/producer" --from - --quiet --no-declare
ok "a parking queue that is gone: said" eventually 60 grep -q "queue 'brief' on: 312 NO_ROUTE" err
"$BIN/topology" apply >/dev/null
ok "the message is parked when the queue is back" eventually 60 counted brief.parked 1
stop $pid
is "$status $(grep -oE '1 parked' err) $(wc -l <log)" "0 1 parked 1" "without another delivery"

: >log
fresh err
consume to_exchange >out 2>err &
pid=$!
ok "a consumer waits" eventually 60 grep -q 'waiting for messages' err
api DELETE "exchanges/$vhost/graveyard" >/dev/null
echo '{"exchange":"","routing_key":"to_exchange","body":"{\"n\":9}"}' | "$BIN/producer" --from - --quiet --no-declare
ok "a parking exchange that is gone: said" eventually 60 grep -q "queue 'to_exchange' on: .*no exchange" err
"$BIN/topology" apply >/dev/null
ok "the message is parked when the exchange is back" eventually 60 counted dug 1
stop $pid
is "$status $(wc -l <log)" "0 1" "its handler had it once"
"$BIN/topology" purge dug >/dev/null

# ---- a stop in the middle ----

cat >slow <<'END_OF_HANDLER'
#!/bin/bash
echo begun >>log
until [ -e told ]; do read -r -t 0.05 <> <(:); done
exit 75
END_OF_HANDLER
chmod +x slow
: >log
send c 1
"$BIN/consumer" c --exec ./slow -f none >out 2>err &
pid=$!
ok "a handler is at work" eventually 60 lines log 1
kill -TERM $pid
left_alone() { "$BIN/topology" show c -f json | jq -es 'any(.object == "queue" and .consumers == 0)'; }
eventually 60 left_alone # it has heard
: >told
wait $pid
is "$(grep -oE '[0-9]+ requeued|[0-9]+ retried' err)" "1 requeued" "what fails after the stop is given back,"
is "$(take c -e -f json 2>/dev/null | jq -r '"\(.redelivered) \(.properties.headers)"')" "true null" "uncounted"

# ---- a blocked broker: copies wait, acknowledgements go on ----

: >log
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- set_vm_memory_high_watermark 0.4 >/dev/null
send c 1 0
ok "two messages" eventually 60 counted c 2
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- set_vm_memory_high_watermark 0.0000001 >/dev/null
consume c >out 2>err &
pid=$!
ok "both are handled during an alarm" eventually 60 lines log 2
ok "the good one is acknowledged" eventually 60 eval '[ "$(api GET "queues/$vhost/c" | jq .messages)" = 1 ]'
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- set_vm_memory_high_watermark 0.4 >/dev/null
ok "the failed one goes its way when the alarm is over" eventually 60 grep -q 'c-1 1 0 0' log
is "$(wc -l <log)" 3 "at the price of no attempt"
stop $pid

# ---- kill -9 in the middle ----

# done_with QUEUE: how many of its messages are handled or parked.
done_with() {
	{
		awk '$5 == 0 {print $2}' log
		take "$1.parked" --ack requeue -e -f json --no-declare 2>/dev/null | jq -r .properties.message_id
	} | sort -u | wc -l
}
# quiet QUEUE: as far as the broker has counted, nothing is in it, or waits for another attempt.
quiet() {
	"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- -q -p "$vhost" list_queues name messages |
		awk -v q="$1" '$1 == q {seen = 1} $1 == q || index($1, q ".retry.") == 1 {n += $2} END {exit !seen || n > 0}'
}

for ((i = 0; i < 200; i++)); do numbers[i]=$((i % 6)); done
for queue in c q; do
	: >log
	send $queue "${numbers[@]}" # with ids of their own below
	take $queue -e -f json 2>/dev/null | jq -sc 'to_entries[] | .value.properties.message_id = "\(.key)" | .value' >numbered
	"$BIN/producer" --from numbered --quiet
	for ((round = 0; round < 10; round++)); do
		had=$(wc -l <log)
		consume $queue --exec-jobs 4 --prefetch 50 >out 2>err &
		pid=$!
		eventually 60 lines log $((had + 5 + 3 * round)) || break
		kill -9 $pid
		wait $pid 2>/dev/null
	done
	is "$round" 10 "ten consumers were killed at work ($queue)"
	consume $queue --exec-jobs 4 >out 2>err &
	pid=$!
	all_done() { [ "$(done_with $queue)" -eq 200 ] && quiet $queue && quiet $queue; }
	ok "the next one comes to an end ($queue)" eventually 60 all_done
	stop $pid
	take $queue.parked -e -f json --no-declare 2>/dev/null | jq -r .properties.message_id | sort >parked
	awk '$5 == 0 {print $2}' log | sort >handled
	is "$(sort -u handled parked | wc -l)" 200 "each of 200 messages is handled or parked ($queue)"
	is "$(comm -12 <(sort -u handled) <(sort -u parked))" "" "and none is both ($queue)"
	is "$(awk '$5 == 0 && $3 == 0 && $4 == 0 {print $2}' log | sort | uniq -d)" "" \
		"one that is handled twice is marked: redelivered, or with attempts ($queue)"
	echo "# $queue: $(wc -l <handled) handled, $(wc -l <parked) parked"
done

# ---- dedupe ----

cat >note <<'END_OF_HANDLER'
#!/bin/sh
echo "$WARREN_MESSAGE_ID" >>ids
END_OF_HANDLER
chmod +x note
jq -nc 'range(100) | {exchange: "", routing_key: "plain", properties: {message_id: "id-\(.)"}, body: "x"}' >hundred
put_hundred() { "$BIN/producer" --from hundred --quiet; }
: >ids
put_hundred
put_hundred
take plain -e --dedupe --exec ./note --exec-jobs 3 -f none >out 2>err
is "$(wc -l <ids) $(sort -u ids | wc -l)" "100 100" "--dedupe: each message is handled once"
like "$(grep received err)" ' received, 200 acknowledged, .*100 duplicates in' "and the others are counted as duplicates"
: >ids
put_hundred
take plain -e --dedupe-file seen.ids --exec ./note -f none >out 2>err
put_hundred
take plain -e --dedupe-file seen.ids --exec ./note -f none >out 2>err
is "$(wc -l <ids) $(stat -c %a seen.ids)" "100 600" "--dedupe-file: also across runs"
put_hundred
take plain -e --dedupe-file seen.ids --dedupe-window 10 --prefetch 1 --exec ./note -f none >out 2>err
is "$(wc -l <ids)" 200 "--dedupe-window: only the last ones are known"

: >ids
rm seen.ids
cat >slow-note <<'END_OF_HANDLER'
#!/bin/sh
echo "$WARREN_MESSAGE_ID" >>ids
sleep 0.02
END_OF_HANDLER
chmod +x slow-note
put_hundred
put_hundred
for ((round = 0; round < 5; round++)); do
	had=$(wc -l <ids)
	"$BIN/consumer" plain --dedupe-file seen.ids --exec ./slow-note -f none >out 2>err &
	pid=$!
	eventually 60 lines ids $((had + 10)) || break
	kill -9 $pid
	wait $pid 2>/dev/null
done
take plain -e --dedupe-file seen.ids --exec ./slow-note -f none >out 2>err
is "$round $(sort -u ids | wc -l)" "5 100" "five kill -9 with a file: each message is handled"
ok "and again at most the one at work and the one just done ($(($(wc -l <ids) - 100)))" test "$(wc -l <ids)" -le 110

: >ids
head -n 1 hundred >one
"$BIN/producer" --from one --quiet
"$BIN/producer" --from one --quiet
cat >half-second <<'END_OF_HANDLER'
#!/bin/sh
echo "$WARREN_MESSAGE_ID" >>ids
sleep 0.5
END_OF_HANDLER
chmod +x half-second
take plain -e --dedupe --exec ./half-second --exec-jobs 2 -f none >out 2>err
is "$(wc -l <ids)" 1 "a second one that comes while the first is at work waits for what becomes of it"
like "$(grep received err)" '2 received, 2 acknowledged, 1 duplicate in' "and is dropped then"

# a redelivery of what is still at work: giving it back would use the deliveries of the queue up
cat >gated <<'END_OF_HANDLER'
#!/bin/bash
echo begun >>log
until [ -e go ]; do read -r -t 0.05 <> <(:); done
[ "$(wc -l <log)" -ge 2 ] || exit 75
END_OF_HANDLER
chmod +x gated
: >log
jq -c '.routing_key = "limited"' one | "$BIN/producer" --from - --quiet
fresh err
"$BIN/consumer" limited --dedupe --exec ./gated -f none >out 2>err &
pid=$!
ok "a handler is at work" eventually 60 lines log 1
ctl() { "$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- -q "$@"; }
ctl close_all_connections -p "$vhost" cut >/dev/null
is_out() { [ "$(ctl -p "$vhost" list_queues name messages_unacknowledged consumers | awk '$1 == "limited" {print $2, $3}')" = "1 1" ]; }
ok "its connection is cut, its message comes again" eventually 60 eval 'grep -q "connected again" err && is_out'
: >go
ok "it fails: the one that came again has its turn" eventually 60 lines log 2
ok "and is acknowledged" eventually 60 eval '[ "$(ready limited)" = 0 ]'
stop $pid
like "$(grep received err)" '2 received, 1 acknowledged, 1 redelivered in' "nothing was given back in between"

status_is 64 "--dedupe does not go with --ack requeue" "$BIN/consumer" plain --dedupe --ack requeue

# ---- what the broker limits ----

"$BIN/consumer" single --exec ./note -f none >out1 2>err1 &
first=$!
ok "the first consumer of a queue with single_active_consumer" eventually 60 grep -q 'waiting for messages' err1
"$BIN/consumer" single -f json >out2 2>err2 &
second=$!
ok "the second one" eventually 60 eval '[ "$(api GET "queues/$vhost/single" | jq .consumers)" = 2 ]'
: >ids
jq -c '.routing_key = "single"' hundred | "$BIN/producer" --from - --quiet
ok "the first one gets all" eventually 60 lines ids 100
is "$(wc -l <out2)" 0 "the second one nothing"
kill -9 $first
wait $first 2>/dev/null
jq -c '.routing_key = "single"' hundred | "$BIN/producer" --from - --quiet
ok "until the first is killed: it takes over" eventually 60 lines out2 100
stop $second

echo '{"exchange":"","routing_key":"limited","body":"{\"n\":9}"}' | "$BIN/producer" --from - --quiet --no-declare
consume limited >out 2>err &
pid=$!
ok "a quorum queue's delivery_limit ends a loop" eventually 60 counted over 1
stop $pid
is "$(take over -e -f json --no-declare 2>/dev/null | jq -r '.properties.headers["x-death"][0].reason')" delivery_limit \
	"with that as its reason"

# Headers that nearly fill a frame leave no room for ours, nor for those of the broker.
jq -nc '(128000, 130000, 130850, 131000) | {exchange: "orders", routing_key: "aside",
	properties: {delivery_mode: 2, message_id: tostring, headers: {pad: ("p" * .)}}, body: "{\"n\":1}"}' >large
sed 's/aside/c.x/' large | "$BIN/producer" --from - --quiet --no-declare
consume c >out 2>err &
pid=$!
ok "what has no room for another attempt is parked" eventually 60 counted c.parked 3
ok "and what has it gets it" eventually 60 grep -q '128000 1 .* 0 c ' log
stop $pid
is "$status" 0 "and the consumer goes on"
take c.parked -e -f json --no-declare 2>/dev/null |
	jq -c '[.properties.message_id, (.properties.headers | del(.pad, ."x-warren-time") | length)]' >parked
is "$(sort parked | tr '\n' ' ')" '["130000",6] ["130850",5] ["131000",0] ' "with the marks for which there is room"

limit() { "$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- eval "application:set_env(rabbit, consumer_timeout, $1), application:set_env(rabbit, channel_tick_interval, $2)." >/dev/null; }
cat >long <<'END_OF_HANDLER'
#!/bin/sh
exec sleep 6
END_OF_HANDLER
chmod +x long
limit 2000 500
head -n 1 hundred | "$BIN/producer" --from - --quiet
timeout 60 "$BIN/consumer" plain --exec ./long -f none >out 2>err &
pid=$!
wait $pid
status=$?
limit 1800000 60000
is "$status" 76 "a handler that outlasts the broker's consumer_timeout: exit 76"
like "$(cat err)" "cannot consume from queue 'plain': a delivery was not acknowledged in time; raise the broker's consumer_timeout" \
	"and the timeout is named"
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- delete_user bob >/dev/null 2>&1
done_testing
