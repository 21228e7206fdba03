#!/bin/bash
# Contracts at work: what breaks one becomes a dead letter that tells where and why, and is
# acknowledged only when that is confirmed.
. tests/support/tap.sh
use_broker
cd "$work" || exit

cat >s.yaml <<'END_OF_SETTINGS'
exchanges:
  graveyard: {type: topic}
queues:
  judged: {type: quorum, contract: order.schema.json, dead_letter: judged.dead}
  buried: {contract: order.schema.json, dead_letter_exchange: graveyard, dead_letter_routing_key: grave}
  dug: {}
  nowhere: {contract: order.schema.json}
  plain: {dead_letter: plain.dead}
bindings:
  - {exchange: graveyard, queue: dug, routing_key: grave}
END_OF_SETTINGS
cat >order.schema.json <<'END_OF_SCHEMA'
{"$id": "https://example.com/order", "type": "object", "required": ["id"],
 "properties": {"id": {"type": "integer"},
  "items": {"type": "array", "items": {"type": "object", "properties": {"price": {"type": "number"}}}}}}
END_OF_SCHEMA
export WARREN_SETTINGS=$work/s.yaml
ok "the topology stands" "$BIN/topology" apply

# send QUEUE BODY...
send() {
	local queue=$1 body
	shift
	for body; do
		jq -nc --arg queue "$queue" --arg body "$body" '{exchange: "", routing_key: $queue, body: $body,
			properties: {delivery_mode: 2, message_id: $body, headers: {"x-warren-schema-path": "/old", a: 1}}}'
	done | "$BIN/producer" --from - --quiet --no-declare
}
take() { timeout 60 "$BIN/consumer" "$@"; }

# ---- dead letters with a reason ----

for queue in judged:judged.dead buried:dug; do
	send "${queue%:*}" '{"id": 1}' '{"id": 2}'
	take "${queue%:*}" --no-contract --filter '.id == 1' --unmatched reject -e -f none >out 2>err
	like "$(grep received err)" '2 received, 1 acknowledged, 1 parked, ' "what is rejected is parked (${queue%:*})"
	take "${queue#*:}" -e -f json --no-declare >dead 2>/dev/null
	is "$(jq -c '[.properties.message_id, (.properties.headers |
			.["x-warren-reason"], .["x-warren-queue"], .["x-warren-exchange"], .["x-warren-routing-key"],
			.["x-warren-attempts"], .a, has("x-death"), has("x-warren-schema-path"),
			(.["x-warren-time"].value - now | fabs < 60))]' dead)" \
		"[\"{\\\"id\\\": 2}\",\"rejected\",\"${queue%:*}\",\"\",\"${queue%:*}\",1,1,false,false,true]" \
		"the dead letter tells of what it died (${queue%:*})"
	settled "${queue%:*}" 0 >/dev/null
	is "$(ready "${queue%:*}")" 0 "and nothing is left behind (${queue%:*})"
done
send nowhere '{"id": 2}'
take nowhere --filter false --unmatched reject -e -f none 2>err
like "$(grep received err)" '1 received, 0 acknowledged, 1 rejected, ' "without a place for dead letters it is rejected"
send plain '{"id": 2}'
take plain --filter false --unmatched reject -e -f none 2>err
take plain.dead -e -f json --no-declare >dead 2>/dev/null
is "$(jq -c '.properties.headers | has("x-death"), has("x-warren-reason")' dead | tr '\n' ' ')" "true false " \
	"without a contract the broker moves it"

# ---- violations, at the consumer ----

send judged '{"id": 1}' '{"id": "1"}' '{"id": 2, "items": [{"price": 1}, {"price": "2"}]}' 'nonsense' '{"items": 1}'
take judged -e -f json >out 2>err
is "$(jq -r .body out)" '{"id": 1}' "what follows the contract is printed"
like "$(grep received err)" '5 received, 1 acknowledged, 4 parked, 4 violations in' "the others are parked and counted"
take judged.dead -e -f json --no-declare >dead 2>/dev/null
is "$(jq -c '.properties.headers | [.["x-warren-instance-path"], .["x-warren-schema-path"], .["x-warren-error"]]' dead | sort)" \
	"$(sort <<'END_OF_PATHS'
["/id","/properties/id/type","/id: expected integer, found string \"1\""]
["/items/1/price","/properties/items/items/properties/price/type","/items/1/price: expected number, found string \"2\""]
["","","not JSON: line 1, column 8: invalid token near 'nonsense'"]
["","/required","required property 'id' is missing (and 1 more)"]
END_OF_PATHS
)" "each dead letter has instance path, schema path and text"
is "$(jq -r '.properties.headers["x-warren-contract"]' dead | sort -u)" https://example.com/order "and the contract's name"

send judged '{"id": []}'
take judged -e -f none 2>err
settled judged.dead 1 >/dev/null
"$BIN/deadletters" list judged.dead >out 2>err
like "$(cat out)" '/id: expected integer, found array' "deadletters list says why"
"$BIN/deadletters" show judged.dead >out 2>err
like "$(cat out)" 'contract: https://example.com/order' "deadletters show tells the contract"
like "$(cat out)" 'schema path: /properties/id/type' "and the schema path"
"$BIN/deadletters" return judged.dead --yes >out 2>err
settled judged 1 >/dev/null
is "$(take judged -e -f json --no-contract 2>/dev/null | jq -c '.properties.headers | keys - ["x-warren-resent"]')" '["a","x-warren-returned"]' \
	"what is brought back has forgotten it"

send judged '{"id": []}'
take judged -e -f json --ack requeue >out 2>/dev/null
is "$(jq -r .body out)" '{"id": []}' "who only looks judges nothing"
status_is 64 "--ack auto and a contract exclude each other" "$BIN/consumer" judged --ack auto
like "$(cat err)" "consumer: --ack auto gives messages up before the contract" "and it says why"
take judged -e -f none 2>err
"$BIN/topology" purge judged.dead >/dev/null

send nowhere '{}'
take nowhere -e -f none 2>err
like "$(grep received err)" '1 received, 0 acknowledged, 1 rejected, 1 violation in' "without a place for dead letters it is rejected"

# ---- at the producer ----

cat >p.yaml <<'END_OF_SETTINGS'
queues:
  sent: {contract: order.schema.json, dead_letter: sent.dead}
messages:
  some: # every other one has an id
    {exchange: "", routing_key: sent, amount: 20, delay: 0, body: '{"id": {{id}} }', contract: order.schema.json,
     fields: {id: {sequence: {}}}}
  bad:
    {exchange: "", routing_key: sent, amount: 3, delay: 0, body: '{"items": [{"price": "x"}], "id": 1}', contract: order.schema.json}
  broken:
    {exchange: "", routing_key: sent, amount: 200, delay: 0, contract: order.schema.json, broken: 20%,
     fields: {id: {sequence: {}}}}
END_OF_SETTINGS
export WARREN_SETTINGS=$work/p.yaml
ok "messages that follow their contract are sent" "$BIN/producer" some --yes -f none
ok "they arrive" settled sent 20
"$BIN/producer" bad some --yes -f json >out 2>err
is $? 1 "a violation: exit status 1"
is "$(jq -c 'select(.fate == "violation") | .reason' out | sort | uniq -c | sed 's/^ *//')" \
	'3 "/items/0/price: expected number, found string \"x\""' "each is told with its path"
like "$(grep sent, err)" '20 sent, 20 confirmed, .*3 violations in' "counted"
ok "and not sent" settled sent 40
"$BIN/producer" bad --yes -f none >out 2>err
like "$(cat err)" "breaks its contract and is not sent: /items/0/price: expected number" "a person is told as well"
ok "--no-contract sends them" "$BIN/producer" bad --yes --no-contract -f none
ok "so they arrive" settled sent 43
"$BIN/topology" purge sent >/dev/null
ok "what is broken on purpose is sent" "$BIN/producer" broken --yes -f none --seed 7
ok "all of it" settled sent 200
take sent -e -f json >out 2>err
"$BIN/deadletters" show sent.dead -f json >dead 2>/dev/null
is "$(($(wc -l <out) + $(wc -l <dead)))" 200 "each is accepted or dead"
is "$(jq -r '.properties.headers["warren-broken"] // "good"' out | sort -u)" good "what is accepted is not broken"
is "$(jq -r 'select(.properties.headers["warren-broken"] == null) | .body' dead)" "" "what is dead was broken"
ok "there were some" [ "$(wc -l <dead)" -gt 10 ]
printf '%s\n' '{"id": 1}' '{"id": "1"}' '{"id": 2}' | "$BIN/producer" bad --from - --yes -f none >out 2>err
is $? 1 "lines are judged by the contract of their message"
like "$(grep sent, err)" '2 sent, 2 confirmed, .*1 violation in' "those that follow it are sent"
ok "they are there" settled sent 2

done_testing
