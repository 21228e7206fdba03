#!/bin/bash
# relay: each source, each sink, what logic does to messages, and each fate of a result.
. tests/support/tap.sh
use_broker
cd "$work" || exit

# relay ARG...: one that ends by itself; its words in relay.err, what it prints in relay.out.
relay() { timeout 60 "$BIN/relay" "$@" >relay.out 2>relay.err </dev/null; }
# sent QUEUE LINE...: records or bodies, each a message.
sent() {
	local queue=$1
	shift
	printf '%s\n' "$@" | timeout 60 "$BIN/producer" --from - --exchange '' --routing-key "$queue" --yes -q
}
# numbered QUEUE FIRST LAST: messages that hold a number times ten.
numbered() { seq "$2" "$3" | sed 's/.*/{"n":&0}/' | timeout 60 "$BIN/producer" --from - --exchange '' --routing-key "$1" --yes -q; }
# taken QUEUE: all that is in it, as records.
taken() { timeout 60 "$BIN/consumer" "$1" --no-declare --until-empty -q -f json; }
bodies() { taken "$1" | jq -r '.body' | paste -sd' '; }
says() { grep -qF -- "$2" "$1"; }

cat >s.yaml <<'END'
exchanges:
  room: {type: fanout}
  typed: {type: direct}
  nowhere: {type: direct}
queues:
  in: {dead_letter: dead}
  bare:
  dead:
  out:
  eu:
  us:
  again: {retry: {attempts: 2, delay: 100ms}}
  small: {max_length: 2, overflow: reject-publish}
bindings:
  - {exchange: room, queue: out}
  - {exchange: typed, queue: eu, routing_key: zone.eu}
  - {exchange: typed, queue: us, routing_key: zone.us}
  - {exchange: nowhere, queue: us, routing_key: never}
relays:
  clock:
    queue: in
    core: [{filter: '.n != 3'}, {jq: 'if .n == 2 then empty else ., {n: (.n * 10)} end'}]
    exchange: room
    type: shown
    headers: {from: clock, level: 2}
  zones:
    queue: in
    core: [{jq: .}]
    exchange: typed
    routing_key: 'zone.{{where}}'
  types:
    queue: in
    on:
      greeting: [{jq: '"hello " + .who'}]
      order:
        core: [{jq: '{order: .id}'}]
        exchange: typed
        routing_key: zone.eu
        type: ordered
    exchange: room
END
export WARREN_SETTINGS=$work/s.yaml
"$BIN/topology" apply >applied || exit 1

# ---- logic ----

sent in '{"n":1}' '{"n":2}' '{"n":3}' '{"n":4}'
relay clock --until-empty --summary json
is $? 0 "a relay of the settings runs until its queue is empty"
is "$(jq -c '[.received, .published, .dropped, .unmatched, .rejected]' <<<"$(tail -1 relay.err)")" "[4,4,1,1,0]" \
	"and counts what it received, published, dropped and hid"
taken out >out.jsonl
is "$(jq -r .body out.jsonl | paste -sd' ')" '{"n":1} {"n":10} {"n":4} {"n":40}' "one message becomes several, in order"
is "$(jq -c '[.properties.type, .properties.headers.from, .properties.headers.level]' out.jsonl | sort -u)" \
	'["shown","clock",2]' "with the type and the headers of the relay"
is "$(jq -r .properties.message_id out.jsonl | sort -u | wc -l)" 4 "each with an id of its own"
is "$(jq -c '.properties | .correlation_id == .headers["x-warren-cause"]' out.jsonl | sort -u)" true \
	"and with where it comes from"

sent in '{"properties":{"message_id":"m-1"},"body":"{\"n\":1}"}' '{"properties":{"message_id":"m-1"},"body":"{\"n\":1}"}'
relay clock --until-empty
taken out >out.jsonl
is "$(jq -r .properties.message_id out.jsonl | sort | uniq -c | awk '{print $1}' | paste -sd' ')" "2 2" \
	"what comes again has results with the same ids"

sent in '{"n":{}}' '{"n":7}'
relay clock --until-empty
is "$(bodies out)" '{"n":7} {"n":70}' "a message on which jq fails half-way sends nothing, and the next one passes"
taken dead >dead.jsonl
is "$(jq -r '[.body, .properties.headers["x-warren-reason"]] | join(" ")' dead.jsonl)" '{"n":{}} rejected' \
	"it is dead-lettered"
like "$(jq -r '.properties.headers["x-warren-error"]' dead.jsonl)" '^the jq program fails: .*cannot be multiplied' \
	"with the words of jq"

sent in '{"where":"eu"}' '{"where":"us"}' '{"who":"me"}'
relay zones --until-empty
is "$(bodies eu) $(bodies us)" '{"where":"eu"} {"where":"us"}' "a routing key is made of the result's body"
is "$(taken dead | jq -r '.properties.headers["x-warren-error"]')" \
	"the routing key wants member 'where' of the body, which has none" "and what has not the member is rejected, with the reason"

# ---- event types ----

typed() { jq -nc --arg t "$1" --arg b "$2" '{properties: {type: $t}, body: $b}'; }
events() { sent in "$(typed greeting '{"who":"ada"}')" "$(typed order '{"id":7}')" "$(typed other '{"x":1}')"; }
events
relay types --until-empty
is "$(bodies out) | $(taken eu | jq -r '.body + " " + .properties.type')" 'hello ada | {"order":7} ordered' \
	"each type goes to its handler, which may have an address and a type of its own"
is "$(taken dead | jq -r '.properties.headers["x-warren-error"]')" "nobody handles type 'other'" \
	"an unknown type is dead-lettered, with the reason"
events
relay types --until-empty --set relays.types.unknown=drop --summary json
is "$(jq .dropped <<<"$(tail -1 relay.err)") $(bodies out) $(bodies eu) $(bodies dead)" '1 hello ada {"order":7} ' "or dropped, and counted"
events
relay types --until-empty --set relays.types.unknown=pass
is "$(bodies out) $(bodies eu)" 'hello ada {"x":1} {"order":7}' "or passed on as it is"

# ---- a relay of the command line; messages as they are ----

unset WARREN_SETTINGS
rich='{"properties":{"message_id":"r-1","content_type":"text/plain","priority":3,"headers":{"a":[1,"x"],"x-death":[{"count":1}],"CC":["eu"]}},"body_base64":"AP8="}'
sent in "$rich" >/dev/null
is "$(bodies eu | wc -w)" 1 "(the copy by CC is there)"
relay --queue in --routing-key out --until-empty
is "$(taken out | jq -cS '[.body_base64, .properties.message_id, .properties.priority, .properties.headers]')" \
	'["AP8=","r-1",3,{"a":[1,"x"]}]' "without logic a message stays what it is, but for what brokers wrote on it, and CC"

sent in '{"to":"eu","n":1}'
relay --queue in --until-empty --as-message \
	--jq '{exchange: "typed", routing_key: ("zone." + .to), body: {n}, properties: {type: "routed", headers: {h: 1}}}'
is "$(taken eu | jq -c '[.exchange, .routing_key, .body, .properties.type, .properties.headers.h]')" \
	'["typed","zone.eu","{\"n\":1}","routed",1]' "a program may write whole messages"

# ---- files and lines; a store and a file ----

mkdir files
for n in 1 2 3; do echo "{\"n\":$n}" >"files/$n.json"; done
relay --files 'files/*.json' --jq '.n' --routing-key out -f json
is $? 0 "files are a source"
is "$(bodies out)" "1 2 3" "each a message, in the order of their names"
is "$(jq -r '[.body, .fate] | join(" ")' relay.out | paste -sd,)" "1 confirmed,2 confirmed,3 confirmed" \
	"and the results are printed with their fates"
seq 5 | timeout 60 "$BIN/relay" --from - --filter '. > 2' --store e.db -q
is "$("$BIN/events" query 'SELECT group_concat(body) FROM events' --store e.db -f json 2>query.err | jq -r '.[]' | head -1)" "3,4,5" \
	"lines into an event store"
seq 5 >lines
relay --from lines --jq '{n: .}' --output o.jsonl
relay --from lines --jq 'select(. == 1)' --output o.jsonl
is "$(jq -r .body o.jsonl | paste -sd' ')" '{"n":1} {"n":2} {"n":3} {"n":4} {"n":5} 1' "and into a file, behind what is there"
printf '{"body":"9"}' >>o.jsonl
relay --from lines --jq 'select(. == 1)' --output o.jsonl
printf '{"body":"half' >>o.jsonl
relay --from lines --jq 'select(. == 2)' --output o.jsonl
is "$(jq -r .body o.jsonl | tail -n 4 | paste -sd' ') $(grep -c 'half a line' relay.err)" '1 9 1 2 1' \
	"a half line that somebody who was killed has left is cut off, a whole one is not"
seq 3 >lines
relay --from lines --exchange nowhere --routing-key lost
is $? 1 "lines that no queue gets are told of by the exit status"
ok "and by name" says relay.err "was returned"

# ---- another broker ----

other=o$$-$RANDOM
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- add_vhost "$other" >/dev/null
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- set_permissions -p "$other" guest '.*' '.*' '.*' >/dev/null
there=${AMQP_URL%/*}/$other
echo 'queues: {far: }' >far.yaml
"$BIN/topology" apply -s far.yaml --url "$there" >/dev/null
sent in 1 2 3
relay --queue in --jq '. + 1' --to "$there" --routing-key far --until-empty
is "$(timeout 60 "$BIN/consumer" far --url "$there" --count 3 --idle 10s -q -f body | paste -sd' ')" "2 3 4" \
	"from one broker to another"
sent in 1
relay --queue in --to "$there" --routing-key far --until-empty
relay --queue far --from-url "$there" --routing-key out --until-empty
is "$(bodies out)" 1 "and back"
relay --queue in --to 'amqp://me:secret@localhost:1/x?no=1' --routing-key far
is "$? $(grep -c secret relay.err)" "78 0" "an address that is wrong is refused without its password"
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- delete_vhost "$other" >/dev/null

# ---- results that have no place ----

export WARREN_SETTINGS=$work/s.yaml
sent in '{"k":"lost"}' '{"k":"never"}'
relay --queue in --exchange nowhere --routing-key '{{k}}' --until-empty --summary json
is "$(bodies us) $(jq -r .returned <<<"$(tail -1 relay.err)")" '{"k":"never"} 1' "a result that comes back does not keep the others from passing"
is "$(taken dead | jq -r '.body + " " + .properties.headers["x-warren-error"]')" \
	'{"k":"lost"} the result was returned: 312 NO_ROUTE' "its message is dead-lettered where the queue has a place for it"
sent again '{"k":"lost"}'
fresh parked.err
"$BIN/relay" --queue again --exchange nowhere --routing-key '{{k}}' --summary json >parked.out 2>parked.err </dev/null &
parking=$!
ok "(until it is parked)" settled again.parked 1
kill -INT $parking
wait $parking
is "$(jq -c '[.retried, .parked, .returned]' <<<"$(tail -1 parked.err)")" "[1,1,2]" "with a retry policy it is tried again, then parked"
is "$(taken again.parked | jq -r '.properties.headers["x-warren-attempts"]')" 2 "after its attempts"
sent bare '{"k":"lost"}' '{"k":"never"}'
relay --queue bare --exchange nowhere --routing-key '{{k}}' --until-empty --summary json
is "$(bodies us) $(jq -c '[.returned, .requeued]' <<<"$(tail -1 relay.err)")" '{"k":"never"} [1,1]' \
	"without either it is held once, not tried again and again,"
is "$(bodies bare)" '{"k":"lost"}' "and is in its queue when the relay ends"

sent bare 1 2 3 4 5
timeout 300 "$BIN/relay" --queue bare --routing-key small --until-empty --summary json 2>full.err &
full=$!
ok "a full queue takes what it can" settled small 2
kill -0 $full
is $? 0 "and the relay waits"
few() { timeout 60 "$BIN/consumer" small --count "$1" --idle 20s -q -f body; }
is "$(few 5 | paste -sd' ')" "1 2 3 4 5" "until there is room again: everything arrives, in order"
wait $full
is "$? $(jq -c '[.published, .nacked, .requeued]' <<<"$(tail -1 full.err)")" "0 [5,0,0]" "and nothing went back"

# ---- what must not get lost in between ----

cat >parts.yaml <<'END'
queues: {from: , to: , bad: , strict: {dead_letter: bad}, log: {type: stream}}
relays:
  parts: {queue: from, core: [{jq: '.i[]'}, {dedupe: id}], routing_key: to}
  same: {queue: from, core: [{jq: '.i[]'}, {dedupe: '.'}], store: same.db}
END
"$BIN/topology" apply -s parts.yaml -q
sent from '{"i":[1,2,3]}'
relay -s parts.yaml parts --until-empty
is "$(bodies to)" "1 2 3" "the parts of a message are no duplicates of one another"
sent from '{"i":["a","a"]}'
relay -s parts.yaml same --until-empty
is "$? $("$BIN/events" list --store same.db --format json | wc -l)" "0 1" "two parts with one key are one event, and do not wait for each other"

for program in '{x:.}' '{x:.}' '{y:.}'; do
	sent from '{"properties":{"message_id":"one"},"body":"1"}'
	relay --queue from --jq "$program" --routing-key to --until-empty
done
is "$(taken to | jq -r .properties.message_id | sort | uniq -c | awk '{print $1}' | sort | paste -sd' ')" "1 2" \
	"a relay that is made up has the ids of its own options"

relay --queue log --routing-key to --until-empty
is "$? $(grep -c "'log' is a stream" relay.err)" "64 1" "a stream is refused, with a way out"

sent strict '{"properties":{"message_id":"gz","content_encoding":"gzip"},"body_base64":"H4sIAAAAAAAA/w=="}'
cat >strict.yaml <<'END'
queues: {bad: , strict: {dead_letter: bad}, to: }
relays: {strict: {queue: strict, core: [{jq: .}], routing_key: to}}
END
relay -s strict.yaml --until-empty
is "$(taken bad | jq -r .body_base64)" "H4sIAAAAAAAA/w==" "a body that is no text is not made null, but rejected as it is"

sent from '{"properties":{"message_id":"e1","content_type":"application/cloudevents+json"},"body":"{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"/s\",\"type\":\"t\",\"data\":{\"i\":[1,2]}}"}'
relay --queue from --jq '.data.i[] as $i | .data = $i' --routing-key to --until-empty
taken to >events.jsonl
is "$(jq -r '(.body | fromjson | .id) == .properties.message_id' events.jsonl | paste -sd' ')" "true true" \
	"parts of a structured event have ids of their own, also in the body"
is "$(jq -r '.body | fromjson | .causationid' events.jsonl | sort -u)" "e1" "and say what they come from"

sent from 1
relay --queue from --routing-key nobody --until-empty
is "$? $(bodies from)" "1 1" "a result without a place leaves its message, and says so by the exit status"
sent from 1
relay --queue from --filter false --routing-key from --until-empty
ok "who sends where it takes from is told" says relay.err 'round for ever'

# ---- ends ----

numbered in 1 300
has_lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }
fresh stop.out
"$BIN/relay" clock --prefetch 10 -f json >stop.out 2>stop.err &
stopped=$!
eventually 60 has_lines stop.out 20
kill -INT $stopped
wait $stopped
is $? 0 "Ctrl+C ends a relay well"
relay clock --until-empty
is "$(taken out | jq -r '.properties.message_id' | sort -u | wc -l)" 600 "and in the middle of its work it loses nothing"

# both connections are lost, again and again, while messages pass
numbered in 1 300
fresh lost.out lost.err
"$BIN/relay" clock --prefetch 5 -f json --summary json >lost.out 2>lost.err &
losing=$!
cut() { "$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- -q close_all_connections -p "$vhost" test >/dev/null; }
is_back() { [ "$(grep -c 'connected again' lost.err)" -ge "$1" ]; }
eventually 60 has_lines lost.out 1 && cut
numbered in 301 600
eventually 60 has_lines lost.out 601 && eventually 60 is_back 3 && cut
ids() { jq -r 'select(.fate == "confirmed") | .properties.message_id' lost.out | sort -u | wc -l; }
arrived() { [ "$(ids)" -ge 1200 ]; }
ok "a relay whose connections are cut goes on" eventually 60 arrived
ok "it has found the broker again, twice: where it takes, publishes, and sends failed messages on" eventually 60 is_back 6
kill -INT $losing
wait $losing
is $? 0 "and ends well"
is "$(taken out | jq -r '.properties.message_id' | sort -u | wc -l)" 1200 "every result is there"

cat >wrong.yaml <<'END'
queues: {in: , out: }
relays:
  good: {queue: in, routing_key: out}
  wrong: {queue: in, core: [{filter: 'true'}, {jq: '.a |'}], routing_key: out}
END
sent in 1
relay -s wrong.yaml --until-empty
is $? 78 "a program that does not compile ends the tool before anything moves"
like "$(head -1 relay.err)" '^relay: wrong.yaml:4:47: relays.wrong.core.1: cannot compile the jq expression' "with its place"
is "$(bodies in)" 1 "and nothing has moved"
relay -s s.yaml clok
is "$? $(grep -c "did you mean 'clock'" relay.err)" "64 1" "a relay that is not there has a neighbour"
relay --queue in
is $? 64 "a relay needs a place for its results"
done_testing
