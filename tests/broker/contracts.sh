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
	take "${queue%:*}" --filter '.id == 1' --unmatched reject -e -f none >out 2>err
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

done_testing
