#!/bin/bash
# A live broker's definitions become settings, and definitions again: nothing is lost on the way.
. tests/support/tap.sh
. tests/support/api.sh
use_broker
cd "$work" || exit
sorted() { jq -S 'walk(if type == "array" then sort else . end)'; }
# The node is shared: of a whole broker only what stands in the vhost of this test stays as it is.
of_vhost() { jq --arg v "$vhost" '{queues, exchanges, bindings, policies} | map_values([.[] | select(.vhost == $v) | del(.vhost)])' | sorted; }

# what others declare, with their own ways of saying it
cat >theirs.json <<'END'
{"queues": [
  {"name": "untyped", "durable": true, "auto_delete": false, "arguments": {"x-message-ttl": 90061, "x-dead-letter-exchange": "nowhere"}},
  {"name": "plain", "durable": true, "auto_delete": false, "arguments": {}},
  {"name": "12:30 \"q\" ${X}", "durable": false, "auto_delete": true, "arguments": {"x-queue-type": "classic", "x-odd": {"a": [1, true, "$$"]}}},
  {"name": "quorum", "durable": true, "auto_delete": false, "arguments": {"x-queue-type": "quorum", "x-delivery-limit": 3}},
  {"name": "log", "durable": true, "auto_delete": false, "arguments": {"x-queue-type": "stream", "x-max-age": "7D"}}],
 "exchanges": [
  {"name": "t", "type": "topic", "durable": true, "auto_delete": false, "internal": false, "arguments": {"alternate-exchange": "f"}},
  {"name": "f", "type": "fanout", "durable": false, "auto_delete": true, "internal": true, "arguments": {}},
  {"name": "h", "type": "headers", "durable": true, "auto_delete": false, "internal": false, "arguments": {}}],
 "bindings": [
  {"source": "t", "destination": "untyped", "destination_type": "queue", "routing_key": "#.{{x}}", "arguments": {}},
  {"source": "t", "destination": "f", "destination_type": "exchange", "routing_key": "*", "arguments": {}},
  {"source": "h", "destination": "quorum", "destination_type": "queue", "routing_key": "", "arguments": {"x-match": "any", "n": 5}},
  {"source": "h", "destination": "log", "destination_type": "queue", "routing_key": "k", "arguments": {"n": 5}},
  {"source": "amq.topic", "destination": "log", "destination_type": "queue", "routing_key": "", "arguments": {}}],
 "policies": [{"name": "p", "pattern": "^a\\.${b}$", "apply-to": "queues", "priority": 1, "definition": {"max-length": 7}}]}
END
api POST "definitions/$vhost" "$(cat theirs.json)" >posted
is "$(definitions '[.queues, .exchanges, .bindings, .policies | length] | join(" ")')" "5 3 5 1" "the broker has what others declared"
is "$(cat posted)" "" "and found nothing wrong with it"
# 3.10 names the vhost of policies in the form of one vhost as well
now() { definitions '{queues, exchanges, bindings, policies} | map_values(map(del(.vhost)))' | sorted; }
now >there

# ---- of the whole broker ----

status_is 0 "export --live" "$BIN/topology" export --live
is "$(grep -c password_hash out)" 0 "no user comes without --credentials"
status_is 0 "export --live --credentials" "$BIN/topology" export --live --credentials
cp out whole.json
is "$(of_vhost <whole.json)" "$(cat there)" "it is what the HTTP API says"
status_is 0 "import of that file" "$BIN/topology" import --credentials --vhost "$vhost" whole.json
cp out whole.yaml
like "$(cat err)" "queue 'untyped' stays under 'definitions': exchange 'nowhere' is not declared" "tells what the settings cannot say"
status_is 0 "export of the settings" "$BIN/topology" export -s whole.yaml
is "$(sorted <out)" "$(sorted <whole.json)" "the same document, with users, policies and all virtual hosts"

# ---- of the vhost of the address ----

status_is 0 "import --live" "$BIN/topology" import --live
cp out live.yaml
is "$(grep -c password_hash live.yaml)" 0 "no user comes without --credentials"
like "$(cat live.yaml)" '^  log: \{type: stream, max_age: 7d\}$' "there are friendly keys"
like "$(cat live.yaml)" '^  plain: \{\}$' "and a queue that says nothing of its type"
status_is 0 "export of the settings" "$BIN/topology" export -s live.yaml
is "$(of_vhost <out)" "$(cat there)" "the same queues, exchanges, bindings and policies"
status_is 0 "apply of them to the same broker" "$BIN/topology" apply -s live.yaml
is "$(now)" "$(cat there)" "changes nothing"

user=u$vhost
api PUT "users/$user" "{\"password\": \"$user\", \"tags\": \"management\"}" >/dev/null
api PUT "permissions/$vhost/$user" '{"configure": ".*", "write": ".*", "read": ".*"}' >/dev/null
management="http://$user:$user@${RABBITMQ_MANAGEMENT_URL##*@}"
status_is 0 "import --live as one who is no administrator" "$BIN/topology" import --live --management "$management"
like "$(cat err)" "of the virtual host only, no policies" "says so"
cp out mine.yaml
status_is 0 "export of it" "$BIN/topology" export -s mine.yaml
is "$(jq '.queues |= map(if .arguments."x-queue-type" == "classic" then del(.arguments."x-queue-type") else . end)
	| {queues, exchanges, bindings}' out | sorted)" "$(jq '.queues |= map(if .arguments."x-queue-type" == "classic"
	then del(.arguments."x-queue-type") else . end) | {queues, exchanges, bindings}' there | sorted)" "has what can be seen"
api DELETE "users/$user" >/dev/null

# ---- and back into a broker ----

"$BIN/topology" import --vhost "$vhost" <(jq --arg v "$vhost" '{vhosts: [{name: $v}], queues, exchanges, bindings, policies}
	| map_values(map(select(.vhost == $v or .name == $v)))' whole.json) >again.yaml 2>again.err
for object in queues/$vhost/quorum queues/$vhost/log exchanges/$vhost/h policies/$vhost/p; do api DELETE "$object" >/dev/null; done
"$BIN/topology" export -s again.yaml >again.json
is "$(api POST definitions "$(cat again.json)")" "" "the broker takes the export"
is "$(now)" "$(cat there)" "and has all again"

# ---- drawn, and described ----

status_is 0 "graph --live" env LANG=C.UTF-8 LC_ALL= TERM=xterm "$BIN/topology" graph --live
like "$(cat out)" '^    └╌╌ not routed ╌╌▶ f|^└╌╌ not routed ╌╌▶ f' "shows the alternate exchange"
like "$(cat out)" 'dead letters, also after 90061ms|dead letters, also after 1m?.* ╌╌▶ nowhere \(exchange, not declared\)' "and dead letters that go nowhere"
status_is 0 "export --live --format asyncapi" "$BIN/topology" export --live -f asyncapi
is "$(jq -r '.channels.quorum.bindings.amqp.queue.vhost' out)" "$vhost" "describes the queues of the broker"
done_testing
