#!/bin/bash
# What `events record` writes down of queues and streams: everything, once, in order; and what it does when there is no room.
. tests/support/tap.sh
. tests/support/recording.sh
use_broker
cd "$work" || exit
recording_settings

# ---- everything that a message may hold ----

of_all_kinds >given
count=$(wc -l <given)
produce --from given || exit 1
"$BIN/consumer" a -f json --ack requeue --count "$count" -q >seen
settled a "$count"
record all.db a --until-empty
is "$? $(of_summary '[.received, .stored, .duplicates] | join(" ")')" "0 $count $count 0" "$count messages of all kinds are recorded"
ok "every property, type of header and byte as the consumer sees it" \
	cmp <(lines_of_consumer <seen) <(lines_of_store all.db)
is "$(lines_of_store all.db | wc -l)" $((4 * count)) "all of them compared"
ok "the queue is empty" settled a 0
is "$(sql all.db 'SELECT DISTINCT queue, redelivered, stream_offset IS NULL FROM event')" "a|1|1" \
	"with the queue, and the mark of those that had been looked at"
head -c 1048576 /dev/urandom >mib
printf '{"exchange":"shop","routing_key":"big","properties":{},"body_base64":"%s"}\n' "$(base64 -w 0 mib)" | produce --from -
record all.db a --until-empty
sql all.db "SELECT writefile('mib.out', body) FROM event ORDER BY position DESC LIMIT 1" >written
ok "a body of 1 MiB, byte for byte" cmp mib mib.out
is "$(stat -c %a all.db)" 600 "nobody else may read the store"

# ---- a quorum queue: what it delivers again has a header of its own ----

twin='{"routing_key":"replicated","properties":{"headers":{},"message_id":"twin"},"body":"1"}'
produce --from - <<<"$twin"
record twin.db replicated --count 1
is "$(of_summary .stored) $(sql twin.db 'SELECT properties FROM event')" '1 {"headers":{},"message_id":"twin"}' \
	"an empty table of headers is recorded"
produce --from - <<<"$twin"
"$BIN/consumer" replicated -f json --ack requeue --count 1 -q >first
settled replicated 1
"$BIN/consumer" replicated -f json --ack requeue --count 1 -q >again
like "$(jq -c .properties.headers first again | tr '\n' ' ')" '^\{\} \{"x-delivery-count":' "a second delivery has a count"
settled replicated 1
record twin.db replicated --count 1
is "$(of_summary '[.stored, .duplicates] | join(" ")')" "0 1" "and is known as the same event nevertheless"

# ---- one message, stored soon, while the recorder goes on ----

recording live.db a
produce m --amount 1
ok "one message is stored without waiting for others" eventually 60 has_stored live.db 1
fresh second.err
"$BIN/events" record a --store live.db --count 2 --wait 60s 2>second.err &
second=$!
ok "a second recorder of the queue waits, for two would mix up the order" \
	eventually 60 grep -q "queue 'a' has another consumer.*; waiting for its end" second.err
kill -KILL $recorder
wait $recorder 2>/dev/null
produce m --amount 2
wait $second
is "$? $(sql live.db 'SELECT count(*) FROM event')" "0 3" "and takes over when the first one is dead"
# that takes its time: it is looked at below
"$BIN/consumer" replicated -f none 2>other.err &
other=$!
eventually 60 grep -q 'waiting for messages' other.err
timeout 60 "$BIN/events" record replicated --store refused.db 2>refused.err &
refused=$!

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

wait $refused
is $? 69 "a recorder gives up where another consumer stays"
like "$(tail -n 1 refused.err)" "queue 'replicated' has another consumer; a store wants every event of it, in order: .*--tap" "with the way out"
ended $other

# ---- a stream: what is in the store is not read again ----

produce to_log
record log.db log --count 500
is "$(of_summary .stored)" 500 "a stream is recorded from its beginning"
is "$(sql log.db "SELECT count(*), min(stream_offset), max(stream_offset), count(properties -> '\$.headers') FROM event")" "500|0|499|0" \
	"its offset is a column, and not among the headers"
record log.db log --until-empty
is "$(of_summary '[.stored, .duplicates] | join(" ")')" "0 1" "nothing is stored again; one is looked at, to see that it is the same stream"
produce --from - <<<'{"routing_key":"log","properties":{"headers":{"mine":1}},"body":"nameless"}'
WARREN_SETTINGS='' record log.db log --count 1
is "$(of_summary .stored) $(sql log.db "SELECT stream_offset, properties ->> '\$.headers' FROM event WHERE id IS NULL")" \
	'1 500|{"mine":1}' "only what is new, also without settings"
record log.db log --offset first --count 501
is "$(of_summary '[.stored, .duplicates] | join(" ")')" "0 501" "and by its offset it is known again, with an id or without"
"$BIN/topology" delete -q
"$BIN/topology" apply >applied
produce --from - <<<'{"routing_key":"log","properties":{},"body":"of another life"}'
status_is 65 "a stream that was made anew" "$BIN/events" record --store log.db log --offset first --until-empty
like "$(tail -n 1 "$work/err")" "has another message at offset 0 of this stream, which was deleted and made anew" "is not taken for the old one"
status_is 65 "nor one that is shorter" "$BIN/events" record --store log.db log --until-empty
like "$(tail -n 1 "$work/err")" "stream 'log' has nothing at offset 500, where the store ends" "which is told"

# ---- no room ----

# full NAME STORE COMMAND...: a recorder that cannot write on.
full() {
	local name=$1 store=$2 stored
	shift 2
	status_is 74 "$name: exit 74" "$@"
	like "$(tail -n 1 "$work/err")" "store '[^']*full.db': .*(full|File too large|No space)" "$name: says what is full"
	sql "$store" 'PRAGMA quick_check' >checked 2>&1
	stored=$(sql "$store" 'SELECT count(*) FROM event')
	is "$(cat checked) $((stored > 0))" "ok 1" "$name: the store is whole, with $stored events"
	ok "$name: the rest is in the queue" settled a $((5000 - stored))
}
body=$(printf 'x%.0s' {1..1000})
jq -cn --arg body "$body" 'range(5000) | {exchange: "shop", routing_key: "k", properties: {message_id: "f-\(.)"}, body: $body}' >large
"$BIN/topology" purge -q
produce --from large
full "a limit of the file" limit/full.db bash -c "mkdir limit; ulimit -f 3000; exec '$BIN/events' record a --store limit/full.db --batch 100"
mkdir small copied
if unshare -rm mount -t tmpfs -o size=3m none small 2>mount.err; then
	"$BIN/topology" purge -q
	produce --from large
	full "a full disk" copied/full.db unshare -rm bash -c "
		mount -t tmpfs -o size=3m none small
		'$BIN/events' record a --store small/full.db --batch 100
		status=\$?
		cp small/* copied
		exit \$status"
else
	skip "a full disk" "no small disk can be made here: $(head -n 1 mount.err)"
fi
done_testing
