#!/bin/bash
# What `events record` writes down: from queues, streams, taps and the firehose, as it was published.
. tests/support/tap.sh
use_broker
. tests/support/through.sh

cat >s.yaml <<'END'
broker:
  reconnect: {from: 50ms, to: 500ms, give_up_after: 30s}
exchanges:
  shop: {type: topic}
  desk: {type: direct}
queues:
  a: {}
  b: {}
  log: {type: stream}
bindings:
  - {exchange: shop, queue: a, routing_key: "#"}
  - {exchange: desk, queue: b, routing_key: paid}
messages:
  m: {exchange: shop, routing_key: order.made, amount: 500, fields: {n: {sequence: 1}}}
  to_b: {routing_key: b, amount: 500, fields: {n: {sequence: 1}}}
  to_log: {routing_key: log, amount: 500, fields: {n: {sequence: 1}}}
END
export WARREN_SETTINGS=$work/s.yaml
"$BIN/topology" apply >applied || exit 1

sql() { sqlite3 -readonly -cmd '.timeout 20000' "$@"; }
has_stored() { [ "$(sql "$1" 'SELECT count(*) FROM event')" = "$2" ]; }
# recording STORE ARGUMENT...: a recorder beside this script, at work when it returns; its pid in $recorder.
recording() {
	local store=$1
	shift
	fresh "$store.err"
	"$BIN/events" record --store "$store" "$@" 2>"$store.err" &
	recorder=$!
	eventually 60 grep -q ': recording ' "$store.err" || cat "$store.err"
}
ended() {
	kill -INT "$1"
	wait "$1"
}
record() { timeout 60 "$BIN/events" record --until-empty -q --summary json --store "$@" 2>summary; }
of_summary() { jq -r "$1" summary; }
produce() { "$BIN/producer" --yes -q "$@"; }
hex() { echo "\"$(od -An -v -tx1 | tr -d ' \n')\""; }
# As [EXCHANGE, KEY, BODY, PROPERTIES], bytes in hex: of the consumer's lines, and of a store.
lines_of_consumer() {
	local line
	while IFS= read -r line; do
		jq -r '.exchange' <<<"$line" | head -c -1 | hex
		jq -r '.routing_key | if type == "object" then .value else @base64 end' <<<"$line" | base64 -d | hex
		jq -r 'if .body_base64 then .body_base64 else .body | @base64 end' <<<"$line" | base64 -d | hex
		jq -cS '.properties' <<<"$line"
	done
}
lines_of_store() {
	sql "$1" "SELECT json_array(lower(hex(exchange)), lower(hex(routing_key)), lower(hex(body)), json(properties)) FROM event ORDER BY position" |
		jq -cS '.[]'
}

# ---- everything that a message may hold ----

head -c 1048576 /dev/urandom | base64 -w 0 >mib
{
	cat <<'END'
{"exchange":"shop","routing_key":"k","properties":{"content_type":"text/plain","content_encoding":"gzip","headers":{"h":"v"},"delivery_mode":2,"priority":9,"correlation_id":"c-1","reply_to":"amq.rabbitmq.reply","expiration":"3600000","message_id":"m-1","timestamp":1700000000,"type":"t.y","user_id":"guest","app_id":"a-1","cluster_id":"x-1"},"body":"all fourteen"}
{"exchange":"shop","routing_key":"k","properties":{"content_type":"","headers":{},"priority":0,"message_id":"","timestamp":0,"type":""},"body":""}
{"exchange":"shop","routing_key":"","properties":{},"body":"no properties"}
{"exchange":"shop","routing_key":"types","properties":{"headers":{"t":true,"b":{"$type":"int8","value":-128},"B":{"$type":"uint8","value":255},"s":{"$type":"int16","value":-2},"u":{"$type":"uint16","value":65535},"I":{"$type":"int32","value":-3},"i":{"$type":"uint32","value":4294967295},"l":-4,"L":{"$type":"uint64","value":"18446744073709551615"},"f":{"$type":"float","value":1.5},"d":0.1,"D":{"$type":"decimal","scale":2,"value":1234},"S":"äöü","S2":{"$type":"string","value":"/wA="},"x":{"$type":"bytes","value":"AAEC/w=="},"T":{"$type":"timestamp","value":1700000000},"A":[1,"two",[null]],"F":{"deep":{"deeper":{}}},"V":null}},"body":"types"}
{"exchange":"shop","routing_key":"dead","properties":{"headers":{"x-death":[{"count":1,"reason":"expired","queue":"q","time":{"$type":"timestamp","value":1700000000},"exchange":"","routing-keys":["q"]}],"CC":["k2"],"x-mine":1}},"body":"dead once"}
{"exchange":"shop","routing_key":"é 漢\n\"","properties":{"message_id":"odd"},"body":"a\u0000b \u001b[0m 😀"}
{"exchange":"shop","routing_key":{"$type":"string","value":"//8="},"properties":{},"body_base64":"/wABAg=="}
END
	echo "{\"exchange\":\"shop\",\"routing_key\":\"big\",\"properties\":{\"message_id\":\"big\"},\"body_base64\":\"$(cat mib)\"}"
} >given
count=$(wc -l <given)
produce --from given || exit 1
"$BIN/consumer" a -f json --ack requeue --count "$count" -q >seen
settled a "$count"
record all.db a
is "$? $(of_summary '[.received, .stored, .duplicates] | join(" ")')" "0 $count $count 0" "$count messages of all kinds are recorded"
ok "every property, type of header and byte as the consumer sees it" \
	cmp <(lines_of_consumer <seen) <(lines_of_store all.db)
is "$(lines_of_store all.db | wc -l)" $((4 * count)) "all of them compared"
ok "the queue is empty" settled a 0
is "$(sql all.db 'SELECT DISTINCT queue, redelivered, stream_offset IS NULL FROM event')" "a|1|1" \
	"with the queue, and the mark of those that had been looked at"
is "$(stat -c %a all.db)" 600 "nobody else may read the store"

# ---- one message, stored soon, while the recorder goes on ----

recording live.db a
produce m --amount 1
ok "one message is stored without waiting for others" eventually 60 has_stored live.db 1
fresh second.err
"$BIN/events" record a --store live.db --count 2 --wait 60s 2>second.err &
second=$!
ok "a second recorder of the queue waits, for two would mix up the order" \
	eventually 60 grep -q 'a queue has another consumer; waiting for its end' second.err
kill -KILL $recorder
wait $recorder 2>/dev/null
produce m --amount 2
wait $second
is "$? $(sql live.db 'SELECT count(*) FROM event')" "0 3" "and takes over when the first one is dead"
"$BIN/consumer" a -f none 2>other.err &
other=$!
eventually 60 grep -q 'waiting for messages' other.err
status_is 77 "a consumer that stays is told" "$BIN/events" record a --store live.db
like "$(tail -n 1 "$work/err")" "its recorder is the only consumer; --tap leaves the queue to others: .*exclusive use" "with the way out"
ended $other

# ---- two recorders, one store ----

produce m --amount 2000
produce to_b --amount 2000
"$BIN/events" record a --store both.db --until-empty --batch 100 -q &
one=$!
"$BIN/events" record b --store both.db --until-empty --batch 100 -q &
two=$!
wait $one
status=$?
wait $two
is "$status $?" "0 0" "two recorders write into one store at a time"
is "$(sql both.db 'SELECT count(*), max(position), count(DISTINCT queue) FROM event')" "4000|4000|2" "nothing is lost, no position is left out"
is "$(sql both.db "SELECT count(*) FROM (SELECT json_extract(body, '\$.n') - row_number() OVER (PARTITION BY queue ORDER BY position) AS off FROM event) WHERE off <> 0")" \
	0 "and each queue is in its order"

# ---- a tap ----

recording tap.db --tap shop
produce m
ok "a tap gets what is published to an exchange" eventually 60 has_stored tap.db 500
ok "and takes nothing from the queue" settled a 500
"$BIN/consumer" a --until-empty -f json -q | jq -r .properties.message_id >got
ok "whose consumer gets the same messages, in the same order" cmp got <(sql tap.db 'SELECT id FROM events ORDER BY position')
is "$(sql tap.db 'SELECT DISTINCT queue IS NULL, exchange, routing_key FROM event')" "1|shop|order.made" "its events are of no queue"
ended $recorder
is $? 0 "the recorder ends when it is told to"
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- -q -p "$vhost" list_queues name >queues
is "$(grep -c warren.events queues)" 0 "and its queue goes with it"
recording keyed.db --tap desk --tap shop --key order.lost --key paid
produce --from - <<'END'
{"exchange":"desk","routing_key":"paid","properties":{},"body":"1"}
{"exchange":"desk","routing_key":"other","properties":{},"body":"2"}
{"exchange":"shop","routing_key":"order.lost","properties":{},"body":"3"}
{"exchange":"shop","routing_key":"order.made","properties":{},"body":"4"}
{"exchange":"shop","routing_key":"paid","properties":{},"body":"5"}
END
ok "--key is what a tap binds with" eventually 60 has_stored keyed.db 3
is "$(sql keyed.db 'SELECT group_concat(body) FROM (SELECT body FROM event ORDER BY body)')" "1,3,5" "and nothing else comes"
ended $recorder
recording desk.db --tap desk
produce --from - <<<'{"exchange":"desk","routing_key":"paid","properties":{},"body":"1"}'
ok "a direct exchange is tapped with the keys of the settings" eventually 60 has_stored desk.db 1
ended $recorder
unset WARREN_SETTINGS
status_is 64 "without settings the keys are asked for" "$BIN/events" record --tap desk
like "$(head -n 1 "$work/err")" "exchange 'desk' is direct, and no settings tell its keys: name them with --key" "since nothing else tells them"
status_is 76 "an exchange that is not there" "$BIN/events" record --tap nowhere
like "$(cat "$work/err")" "there is no exchange 'nowhere'" "is named"
recording unknown.db --tap shop
produce --from - <<<'{"exchange":"shop","routing_key":"any.thing","properties":{},"body":"1"}'
ok "the type of another exchange is asked of the broker" eventually 60 has_stored unknown.db 1
ended $recorder
export WARREN_SETTINGS=$work/s.yaml
"$BIN/topology" purge -q

# ---- a stream: what is in the store is not read again ----

produce to_log
record log.db log
is "$(of_summary .stored)" 500 "a stream is recorded from its beginning"
is "$(sql log.db "SELECT count(*), min(stream_offset), max(stream_offset), count(properties -> '\$.headers') FROM event")" "500|0|499|0" \
	"its offset is a column, and not among the headers"
record log.db log
is "$(of_summary .received)" 0 "nothing is read again"
produce --from - <<<'{"routing_key":"log","properties":{"headers":{"mine":1}},"body":"nameless"}'
WARREN_SETTINGS= record log.db log
is "$(of_summary .stored) $(sql log.db "SELECT stream_offset, properties ->> '\$.headers' FROM event WHERE id IS NULL")" \
	'1 500|{"mine":1}' "only what is new, also without settings"
record log.db log --offset first
is "$(of_summary '[.stored, .duplicates] | join(" ")')" "0 501" "and by its offset it is known again, with an id or without"
"$BIN/topology" delete -q
"$BIN/topology" apply >applied
produce --from - <<<'{"routing_key":"log","properties":{},"body":"of another life"}'
status_is 65 "a stream that was made anew" "$BIN/events" record --store log.db log --offset first --until-empty
like "$(tail -n 1 "$work/err")" "has another message at offset 0 of this stream, which was deleted and made anew" "is not taken for the old one"

# ---- the firehose ----

recording quiet.db --firehose publish
ok "when nothing comes it says how the firehose is turned on" eventually 60 grep -q "rabbitmqctl trace_on -p $vhost" quiet.db.err
ended $recorder
recording publish.db --firehose publish
publishing=$recorder
recording deliver.db --firehose deliver
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- trace_on -p "$vhost" >/dev/null
produce --from given
produce to_b --amount 1
ok "every message that is published is recorded" eventually 60 has_stored publish.db $((count + 1))
ended $publishing
ok "as it was: exchange, key, properties, headers, body" \
	cmp <(lines_of_consumer <seen) <(lines_of_store publish.db | head -n $((4 * count)))
is "$(sql publish.db "SELECT exchange, routing_key, queue IS NULL FROM events ORDER BY position DESC LIMIT 1")" "|b|1" "from the default exchange too"
"$BIN/consumer" b --until-empty -f none -q
ok "every message that is delivered" eventually 60 has_stored deliver.db 1
ended $recorder
is "$(sql deliver.db "SELECT queue, routing_key, redelivered FROM event")" "b|b|0" "with the queue that it was delivered from"
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- trace_off -p "$vhost" >/dev/null
"$BIN/topology" purge -q

# ---- the connection is lost, several times ----

proxy_up 1
recording lost.db a --tap desk --batch-time 5ms
came_back() { [ "$(grep -c 'connected again' lost.db.err)" -ge "$1" ]; }
"$BIN/producer" m --url "$direct_url" --amount 3000 --rate 2000/s --yes -q &
producer=$!
for cut in 1 2 3; do
	eventually 60 eval "[ \$(sql lost.db 'SELECT count(*) FROM event') -ge $((cut * 700)) ]"
	proxy cut
	eventually 60 came_back $cut
done
wait $producer
ok "a recorder comes back when the connection is lost" eventually 60 has_stored lost.db 3000
is "$(sql lost.db "SELECT count(DISTINCT id), sum(json_extract(body, '\$.n') <> position) FROM event")" "3000|0" \
	"with everything once, in order"
like "$(cat lost.db.err)" "the taps are bound anew: what was published while the connection was lost was not seen" \
	"and says what a tap has not seen"
ended $recorder
is $? 0 "it ends when it is told to"
proxy_down
AMQP_URL=$direct_url

# ---- no room ----

# full NAME STORE COMMAND...: a recorder that cannot write on.
full() {
	local name=$1 store=$2 stored
	shift 2
	status_is 74 "$name: exit 74" "$@"
	like "$(tail -n 1 "$work/err")" "store '[^']*full.db': .*(full|File too large|No space)" "$name: says what is full"
	sql "$store" 'PRAGMA quick_check' >checked 2>&1
	stored=$(sql "$store" 'SELECT count(*) FROM event')
	is "$(cat checked) $(((stored > 0)))" "ok 1" "$name: the store is whole, with $stored events"
	ok "$name: the rest is in the queue" settled a $((5000 - stored))
}
body=$(printf 'x%.0s' {1..1000})
jq -cn --arg body "$body" 'range(5000) | {exchange: "shop", routing_key: "k", properties: {message_id: "f-\(.)"}, body: $body}' >large
"$BIN/topology" purge -q
produce --from large
full "a limit of the file" limit/full.db bash -c "mkdir limit; ulimit -f 3000; exec '$BIN/events' record a --store limit/full.db --batch 100"
mkdir small
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=3m none small 2>mount.err; then
	"$BIN/topology" purge -q
	produce --from large
	full "a full disk" small/full.db "$BIN/events" record a --store small/full.db --batch 100
	umount small
else
	skip "a full disk" "no tmpfs may be mounted here: $(id -un) $(head -n 1 mount.err 2>/dev/null)"
fi
done_testing
