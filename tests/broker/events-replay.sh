#!/bin/bash
# events replay: what was recorded is published again, as it was, in its order, at its pace or another.
. tests/support/tap.sh
use_broker
cd "$work" || exit

cat >s.yaml <<'END'
exchanges:
  orders: {type: topic}
  other: {type: fanout}
queues:
  all: {}
  elsewhere: {}
  log: {type: stream}
  small: {max_length: 5, overflow: reject-publish}
bindings:
  - {exchange: orders, queue: all, routing_key: "order.#"}
  - {exchange: other, queue: elsewhere}
END
events() { timeout 60 "$BIN/events" "$@"; }
take() { timeout 60 "$BIN/consumer" -s s.yaml "$1" --until-empty -f json >"$2" 2>"$2.err"; }
# store NAME <LINES: a store of these lines.
store() { events import --store "$1" - >"$1.out" 2>&1; }
# line N BODY [MORE MEMBERS]: an event to orders.
line() { printf '{"exchange":"orders","routing_key":"order.n","properties":{"message_id":"m%s"},"body":"%s"%s}\n' "$1" "$2" "${3-}"; }

# ---- there and back ----

# Every type of header, bytes that are no text, CloudEvents, a trace.
cat >odd.jsonl <<'END'
{"exchange":"orders","routing_key":"order.a","properties":{"content_type":"application/json","content_encoding":"identity","headers":{"n":1,"f":1.5,"t":{"$type":"timestamp","value":1700000000},"u":{"$type":"uint8","value":5},"list":[1,"a",{"x":null}],"b":{"$type":"bytes","value":"AAE="},"yes":true},"delivery_mode":2,"priority":3,"correlation_id":"c","reply_to":"r","message_id":"a1","timestamp":1700000000,"type":"order.placed","app_id":"shop"},"body":"{\"n\":1.50}"}
{"exchange":"orders","routing_key":"order.b","properties":{"headers":{"cloudEvents_specversion":"1.0","cloudEvents_id":"e1","cloudEvents_source":"/shop","cloudEvents_type":"placed","cloudEvents_subject":"order/1","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},"message_id":"e1"},"body_base64":"AP/+gA=="}
{"exchange":"orders","routing_key":"order.c","properties":{},"body":""}
END
for ((i = 1; i <= 500; i++)); do line "$i" "$i"; done >>odd.jsonl
ok "messages of every kind are published" timeout 60 "$BIN/producer" -s s.yaml --yes -f none --from odd.jsonl
ok "and recorded" events record -s s.yaml --store a.db all --until-empty
ok "exported" eval "events export --store a.db >a.jsonl"
ok "imported" store b.db <a.jsonl
status_is 0 "and replayed to where they came from" "$BIN/events" replay -s s.yaml --store b.db
like "$(cat err)" "503 sent, 503 confirmed" "all of them, and it says so"
ok "and recorded once more" events record -s s.yaml --store c.db all --until-empty
ok "and exported" eval "events export --store c.db >c.jsonl"
plain() { jq -c 'del(.received) | if .properties.headers == {} then del(.properties.headers) else . end' "$1"; }
is "$(wc -l <c.jsonl | tr -d ' ')" 503 "none is missing"
ok "they are what they were" diff <(plain a.jsonl) <(plain c.jsonl)

# ---- where to ----

status_is 0 "to another exchange, some of them" "$BIN/events" replay -s s.yaml --store b.db --exchange other --key order.a --key order.c
take elsewhere got
is "$(jq -r '.exchange + " " + .routing_key' got | tr '\n' ',')" "other order.a,other order.c," "keys stay"
status_is 0 "with another key" "$BIN/events" replay -s s.yaml --store b.db --exchange '' --routing-key elsewhere --from 4 --limit 3
take elsewhere got
is "$(jq -r '.body' got | tr '\n' ' ')" "1 2 3 " "those that were asked for"
status_is 76 "an exchange that is not there" "$BIN/events" replay -s s.yaml --store b.db --exchange nowhere
like "$(cat err)" "exchange 'nowhere' does not exist" "is told before anything is sent"
{ line 1 one && echo '{"exchange":"","routing_key":"","properties":{},"body":"by hand"}' && line 2 two; } | store hand.db
status_is 64 "an event that came by no exchange" "$BIN/events" replay -s s.yaml --store hand.db
like "$(cat err)" "event 2 came by no exchange, so nothing is sent: say where to with --exchange" "is told before anything is sent"
take all got
is "$(wc -l <got | tr -d ' ')" 0 "and nothing was"
status_is 0 "it goes where one says" "$BIN/events" replay -s s.yaml --store hand.db --exchange other
take elsewhere got
is "$(jq -r .body got | tr '\n' ' ')" "one by hand two " "all of it"

# ---- what is not sent ----

line 1 one | jq -c '.properties.headers = {"x-death": [{"count": 1, "queue": "all", "reason": "expired"}], "x-first-death-queue": "all",
	"x-last-death-reason": "expired", "x-delivery-count": 3, "x-stream-offset": 9, "x-received-from": [], "x-warren-attempts": 2,
	"x-warren-resent": true, "x-warren-replayed": 77, "x-mine": "stays", "CC": ["order.cc"]} | .properties.expiration = "60000"' >x.jsonl
line 2 two | jq -c '.properties.user_id = "guest"' >>x.jsonl
line 3 three | jq -c '.properties.user_id = "ann"' >>x.jsonl
store x.db <x.jsonl
status_is 0 "headers of the broker, and of others" "$BIN/events" replay -s s.yaml --store x.db --exchange other
like "$(cat err)" "1 message went without the user_id" "a user_id that is not ours is left out, and said"
take elsewhere got
is "$(jq -c '.properties.headers' got | head -n 1)" '{"x-mine":"stays","x-warren-replayed":1}' "what the broker and retries wrote is gone"
is "$(jq -r '.properties.expiration // "-", .properties.user_id // "-"' got | tr '\n' ' ')" "60000 - - guest - - " \
	"expiration stays, and our own user_id"

# ---- what is not confirmed ----

for ((i = 1; i <= 12; i++)); do line "$i" "$i"; done | jq -c 'if .body == "6" then .routing_key = "nobody" else . end' | store route.db
status_is 1 "a message that no queue gets ends it" "$BIN/events" replay -s s.yaml --store route.db --cursor c
like "$(cat err)" "event 6 was returned: 312 NO_ROUTE; the replay ends before it" "with its position and reason"
like "$(cat err)" "the cursor stands at position 5" "the cursor stays before it"
like "$(cat err)" "positions up to 12 were sent behind it" "and what was sent behind it is said"
status_is 1 "it is the first one the next time" "$BIN/events" replay -s s.yaml --store route.db --cursor c
like "$(cat err)" "positions 6-12 may have been sent before" "and those behind it are named"
take all got
is "$(jq -r .body got | awk '!had[$1]++' | tr '\n' ' ')" "1 2 3 4 5 7 8 9 10 11 12 " "all others have come in order"
is "$(jq -r 'select(.properties.headers["x-warren-replayed-again"]) | .body' got | tr '\n' ' ')" "7 8 9 10 11 12 " \
	"and are marked where they come again"
status_is 0 "without --mandatory it does not matter" "$BIN/events" replay -s s.yaml --store route.db --cursor c --no-mandatory
status_is 0 "at its end it sends nothing" "$BIN/events" replay -s s.yaml --store route.db --cursor c
like "$(cat err)" "0 sent, 0 confirmed" "and says so"
status_is 64 "a cursor does not go on with other filters" "$BIN/events" replay -s s.yaml --store route.db --cursor c --key order.n
like "$(cat err)" "cursor 'c' was begun without --key; it does not go on with --key \[\"order.n\"\]: take another name" "and says why"
take all got

status_is 1 "a queue that is full ends it" "$BIN/events" replay -s s.yaml --store route.db --cursor full \
	--exchange '' --routing-key small --window 4
like "$(cat err)" "event 6 was nacked: the broker could not take it; the replay ends before it" "with its position and reason"
take small got
status_is 1 "emptied, it goes on" "$BIN/events" replay -s s.yaml --store route.db --cursor full --exchange '' --routing-key small --window 4
like "$(cat err)" "event 11 was nacked" "from there"
take small more
is "$(jq -r .body got more | tr '\n' ' ')" "1 2 3 4 5 6 7 8 9 10 " "in order"

# ---- pace ----

for i in 0 4 5; do line "$i" "$i" ",\"received\":\"2026-11-21T08:00:00.${i}00000Z\""; done | store pace.db
seconds() { sed -nE 's/.*"seconds": ?([0-9.]+).*/\1/p' err; }
status_is 0 "with the pauses there were" "$BIN/events" replay -s s.yaml --store pace.db --exchange other --speed 1 --summary json
ok "half a second takes no less ($(seconds))" awk -v s="$(seconds)" 'BEGIN {exit !(s >= 0.5)}'
# as others took a second for the same
sooner() { events replay -s s.yaml --store pace.db --exchange other --speed 100 --summary json 2>err && awk -v s="$(seconds)" 'BEGIN {exit !(s < 0.4)}'; }
ok "and a hundred times as fast is faster" eventually 60 sooner
status_is 64 "a speed that is none" "$BIN/events" replay --store pace.db --speed 0
like "$(cat err)" "option '--speed' takes max or a factor above 0, such as 1 or 10, not '0'" "is refused"
status_is 64 "a speed and a rate" "$BIN/events" replay --store pace.db --speed 1 --rate 5/s
take elsewhere got

# ---- masks ----

for i in 1 2; do
	line "$i" x | jq -c --arg i "$i" '.body = ({customer: {email: "ann@firm.de", age: 44}, "order": $i} | tojson)
		| .properties.headers = {"phone": "+49 30 123"}'
done | store mask.db
status_is 0 "fields are masked" "$BIN/events" replay -s s.yaml --store mask.db --exchange other \
	--mask customer.email --mask headers.phone --mask customer.adress
like "$(cat err)" "none of the events has 'customer.adress': nothing is masked there" "one that is nowhere is said"
take elsewhere got
like "$(jq -r '.body | fromjson | .customer.email' got | sort -u)" '^[a-z]{3}@example\.(com|net|org)$' "an address is one, and the same again"
is "$(grep -c 'ann@firm\|49 30 123' got)" 0 "nothing of it is left"
is "$(jq -c '.body | fromjson | [.customer.age, .order]' got | tr '\n' ' ')" '[44,"1"] [44,"2"] ' "the rest stays"
line 3 x | jq -c '.body = ([{customer: {email: "dave@firm.de"}}] | tojson)' | events import --store mask.db - 2>import.err
status_is 0 "a body of another shape" "$BIN/events" replay -s s.yaml --store mask.db --exchange other --mask customer.email --mask '*.customer.email'
like "$(cat err)" "1 of 3 events lack 'customer.email', so nothing is masked there: position 3\$" "is told with its position"
like "$(cat err)" "2 of 3 events lack '\*.customer.email', so nothing is masked there: position 1, 2\$" "for each field"
take elsewhere got
is "$(grep -c firm got)" 0 "a path for each shape masks both"
line 4 'no JSON' | events import --store mask.db - 2>import.err
status_is 65 "a body that is no JSON" "$BIN/events" replay -s s.yaml --store mask.db --exchange other --mask customer.email
like "$(cat err)" "event 4 with id m4 cannot be masked, so nothing is sent: its body is not JSON" "is told before anything is sent"
take elsewhere got
is "$(wc -l <got | tr -d ' ')" 0 "and nothing was"

# ---- a stream ----

for i in 1 2 3; do line "$i" "$i"; done | jq -c '.exchange = "" | .routing_key = "log"' >log.jsonl
ok "messages in a stream" timeout 60 "$BIN/producer" -s s.yaml --yes -f none --from log.jsonl
status_is 0 "are replayed from there" "$BIN/events" replay -s s.yaml --store stream:log --exchange other --where 'position > 1'
take elsewhere got
is "$(jq -c '[.body, .properties.headers]' got | tr '\n' ' ')" '["2",{"x-warren-replayed":2}] ["3",{"x-warren-replayed":3}] ' \
	"without the offsets that the broker wrote on them"
status_is 64 "a cursor needs a file" "$BIN/events" replay --store stream:log --cursor c

# ---- a stop ----

for ((i = 1; i <= 2000; i++)); do line "$i" "$i"; done | store stop.db
fresh got
timeout 300 "$BIN/consumer" -s s.yaml elsewhere --count 2000 -f json >got 2>got.err &
consumer=$!
"$BIN/events" replay -s s.yaml --store stop.db --exchange other --cursor s --rate 50/s 2>stop.err & # half a minute and more before its end
run=$!
has_lines() { [ "$(wc -l <got)" -ge "$1" ]; }
eventually 60 has_lines 20
kill -TERM $run
wait $run
is $? 0 "a signal ends it well"
status_is 0 "and the cursor goes on" "$BIN/events" replay -s s.yaml --store stop.db --exchange other --cursor s
like "$(cat err)" "going on behind position [0-9]+" "behind what was confirmed"
is "$(grep -c 'may have been sent' err)" 0 "with nothing that may come twice"
wait $consumer
is "$(jq -r .body got | awk '$1 != NR' | wc -l) $(wc -l <got | tr -d ' ')" "0 2000" "each once, in order"
done_testing
