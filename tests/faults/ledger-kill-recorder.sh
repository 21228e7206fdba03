#!/bin/bash
# kill -9 of `events record` while messages come: the store has each once, in the order of the producer, and
# the queue is empty. EVENTS=100000 KILLS=30 is the long run.
. tests/support/tap.sh
use_broker
cd "$work" || exit
EVENTS=${EVENTS:-20000} KILLS=${KILLS:-6} RATE=${RATE:-5000}

sql() { sqlite3 -readonly -cmd '.timeout 20000' "${store:-events.db}" "$1"; }
has_stored() { [ "$(sql 'SELECT count(*) FROM event')" -ge "$1" ]; }
# killed QUEUE EVENTS KILLS: kills so many recorders of a queue, each after some more events; $killed counts.
killed() {
	local queue=$1 events=$2 kills=$3 i recorder before=0 step
	step=$((events / (kills + 1)))
	killed=0
	for ((i = 0; i < kills; i++)); do
		"$BIN/events" record "$queue" --store "$store" -q 2>"recorder.$i.err" &
		recorder=$!
		eventually 60 has_stored $((before + RANDOM % step + 1)) || break
		kill -KILL $recorder
		wait $recorder 2>/dev/null
		[ $? -ne 137 ] || killed=$((killed + 1))
		before=$((before + step))
	done
}
# rest QUEUE: the last recorder takes what is left.
rest() {
	timeout 120 "$BIN/events" record "$1" --store "$store" --until-empty -q --summary json 2>last.err
	local status=$?
	is $status 0 "the last recorder takes the rest from $1"
	[ $status -eq 0 ] || sed 's/^/#   /' last.err
}

cat >s.yaml <<END
queues:
  ledger: {}
  replicated: {type: quorum}
  nameless: {}
messages:
  m:
    routing_key: ledger
    amount: $EVENTS
    fields: {n: {sequence: 1}, text: {text: {length: 150}}}
END
export WARREN_SETTINGS=$work/s.yaml
"$BIN/topology" apply >applied || exit 1

# ---- with ids: exactly once ----

store=events.db
"$BIN/producer" --rate "$RATE/s" --yes -q 2>producer.err &
producer=$!
killed ledger "$EVENTS" "$KILLS"
is $killed "$KILLS" "the recorder was killed $KILLS times in the middle of its work"
wait $producer
is $? 0 "the producer has sent $EVENTS events"
rest ledger
is "$(sql 'SELECT count(*), count(DISTINCT id), max(position) FROM event')" "$EVENTS|$EVENTS|$EVENTS" \
	"the store has each id once, at positions without a gap"
is "$(sql "SELECT count(*) FROM event WHERE json_extract(body, '\$.n') <> position")" 0 "in the order of the producer"
ok "the queue is empty" settled ledger 0
again=$(($(sql 'SELECT sum(redelivered) FROM event') + $(jq '.duplicates' last.err)))
ok "some came again ($again), so the kills were felt" test $again -gt 0
is "$(sql 'SELECT count(*) FROM event a JOIN event b ON b.position = a.position + 1 WHERE b.received < a.received')" 0 \
	"and the time of receipt never goes back"

# ---- a quorum queue, whose second deliveries have a header more; messages with an empty table of headers ----

store=quorum.db
few=$((EVENTS / 10))
for ((n = 1; n <= few; n++)); do
	printf '{"routing_key":"%s","properties":{"headers":{},"message_id":"m-%d"},"body":"{\\"n\\":%d}"}\n' replicated $n $n
done >records
"$BIN/producer" --from records --rate $((RATE / 2))/s --yes -q 2>producer.err &
producer=$!
killed replicated $few 2
wait $producer
rest replicated
is "$(sql "SELECT count(*), max(position), sum(json_extract(body, '\$.n') <> position) FROM event")" "$few|$few|0" \
	"from a quorum queue: each once, in order"

# ---- without ids: nothing is lost, and what is there twice is marked ----

store=nameless.db
sed 's/"replicated"/"nameless"/; s/,"message_id":"[^"]*"//' records >nameless
"$BIN/producer" --from nameless --rate $((RATE / 2))/s --yes -q 2>producer.err &
producer=$!
killed nameless $few 2
wait $producer
rest nameless
is "$(sql "SELECT count(DISTINCT json_extract(body, '\$.n')), count(id) FROM event")" "$few|0" \
	"without ids nothing is lost"
is "$(sql "SELECT count(*) FROM (SELECT count(*) AS times, sum(redelivered) AS marked FROM event
	GROUP BY json_extract(body, '\$.n')) WHERE times - marked > 1")" 0 "and what is there twice is marked as redelivered"
done_testing
