#!/bin/bash
# topology graph, export and import of files: no broker is asked.
. tests/support/tap.sh
root=$PWD
cd "$work" || exit
unset AMQP_URL RABBITMQ_MANAGEMENT_URL LC_ALL LC_CTYPE
export LANG=C.UTF-8 TERM=xterm

cat >s.yaml <<'END'
exchanges:
  "a\"b\\c\n": {type: topic, alternate: lost}
  lost: {type: fanout}
queues:
  "<b>&amp;]": {retry: {attempts: 2, delay: 1s}}
bindings:
  - {exchange: "a\"b\\c\n", queue: "<b>&amp;]", routing_key: "*.\"|;#"}
  - {exchange: lost, queue: "<b>&amp;]"}
messages:
  "1. m": {exchange: lost, fields: [id]}
END

# ---- graph ----

status_is 0 "graph" "$BIN/topology" graph -s s.yaml
is "$(head -n 3 out)" '1. m (message)
└──▶ lost (fanout exchange)
    └──▶ <b>&amp;] (classic queue)' "it is a tree"
status_is 0 "graph, where the locale is not UTF-8" env LANG=C "$BIN/topology" graph -s s.yaml
is "$(LC_ALL=C grep -c '[^ -~]' out)" 0 "is ASCII"
TERM=dumb status_is 0 "graph on a dumb terminal" "$BIN/topology" graph -s s.yaml
is "$(LC_ALL=C grep -c '[^ -~]' out)" 0 "is ASCII"
status_is 0 "graph --format dot" "$BIN/topology" graph -s s.yaml --format dot
ok "Graphviz takes it" dot -Tsvg -o g.svg out
is "$(grep -c 'class="node"' g.svg) $(grep -c 'class="edge"' g.svg) $(grep -c 'stroke-dasharray' g.svg)" "6 7 4" \
	"with all nodes and edges, and four of them dashed"
like "$(cat g.svg)" '>a&quot;b\\\\c\\n</text>' "a name is shown as it is, escaped as on a terminal"
like "$(cat g.svg)" '>&lt;b&gt;&amp;amp;\]</text>' "also one that looks like HTML"
status_is 0 "graph --format mermaid" "$BIN/topology" graph -s s.yaml --format mermaid
is "$(head -n 1 out) $(grep -c '"' out) $(grep -vcE '^(flowchart LR|	n[0-9]+([[({]+".*"[])}]+| -\.?->(\|"[^"]*"\|)? n[0-9]+))$' out)" \
	"flowchart LR 11 0" "each line is a node or an edge; quotes stand only around labels"

# ---- one clear error ----

while IFS='|' read -r status text command; do
	# shellcheck disable=SC2086
	status_is "$status" "$command" "$BIN/"$command
	like "$(cat err)" "$text" "says: $text"
done <<'END'
64|--format: 'graph' has no form yaml; it has text, dot, mermaid|topology graph -s s.yaml -f yaml
64|--format: 'show' has no form dot; it has text, json|topology show -s s.yaml -f dot
64|--format: 'import' has no form text; it has yaml|topology import x.json -f text
64|'graph' takes no names|topology graph -s s.yaml lost
64|what is to be imported\? one FILE|topology import
64|what is to be imported\? one FILE|topology import a b
64|what is to be imported\? one FILE|topology import a --live
64|--key goes with explain|topology show -s s.yaml --key k
64|--header goes with explain|topology plan -s s.yaml -H a=b
64|--live goes with explain, graph, export and import|topology show -s s.yaml --live
64|--vhost goes with import|topology export -s s.yaml --vhost other
64|--credentials goes with import and export --live|topology export -s s.yaml --credentials
64|--credentials goes with import and export --live|topology explain lost -s s.yaml --live --credentials
64|where is the HTTP API\?|topology graph --live
66|cannot open 'nosuch.json'|topology import nosuch.json
END
printf '{"queues": [\n  {"name": "a" "b"}]}' >bad.json
status_is 65 "import of what is no JSON" "$BIN/topology" import bad.json
like "$(cat err)" "bad.json:2:[0-9]+: " "names the place"
echo '{"queues": [{"name": "a"}, {"vhost": "/"}]}' >bad.json
status_is 65 "import of a queue without a name" "$BIN/topology" import bad.json
like "$(cat err)" "bad.json: queues.1: lacks 'name'" "names the queue"
is "$(cat out)" "" "and writes nothing"

# ---- the password of AMQP for the HTTP API ----

lent() { # URL OF THE BROKER, OF THE API: what is said of the password; nobody answers there
	timeout 30 "$BIN/topology" graph --live --url "$1" --management "$2" 2>&1 | grep "password"
}
is "$(lent amqps://u:geheim@0.0.0.0 http://0.0.0.0:1 | grep -c 'goes to http://0.0.0.0:1 without TLS')" 1 \
	"a password of amqps that goes over http is told, once"
is "$(lent amqp://u:geheim@localhost http://0.0.0.0:1 | grep -c 'goes to another host, http://0.0.0.0:1')" 1 \
	"so is one that goes to another host"
is "$(for urls in "amqp://u:geheim@0.0.0.0 http://0.0.0.0:1" "amqps://u:geheim@0.0.0.0 http://a:b@0.0.0.0:1" \
	"amqps://u:geheim@localhost http://127.0.0.1:1" "amqps://u:geheim@[::1] https://[::1]:1" "amqps://0.0.0.0 http://0.0.0.0:1"; do
	# shellcheck disable=SC2086
	lent $urls
done)" "" "and none that goes where it went, is another one, stays on this machine, or is known"

# ---- import and export ----

same() { # DOCUMENT OTHER: but for the order of lists
	diff <(jq -S 'walk(if type == "array" then sort else . end)' "$1") \
		<(jq -S 'walk(if type == "array" then sort else . end)' "$2")
}
cat >d.json <<'END'
{"rabbit_version": "4.1.0", "vhosts": [{"name": "shop", "limits": []}, {"name": "other"}],
 "users": [{"name": "u", "password_hash": "aGFzaA==", "tags": ["administrator"]}],
 "permissions": [{"user": "u", "vhost": "shop", "configure": ".*", "write": ".*", "read": ".*"}],
 "topic_permissions": [], "global_parameters": [{"name": "cluster_name", "value": "rabbit@${HOST}"}],
 "parameters": [{"vhost": "shop", "component": "shovel", "name": "s", "value": {"src-uri": "amqp://u:p@h"}}],
 "policies": [{"vhost": "shop", "name": "p", "pattern": "^a\\.$$", "definition": {"max-length": 5}, "priority": 0}],
 "queues": [{"name": "yes", "vhost": "shop", "durable": true, "auto_delete": false, "arguments": {"x-queue-type": "quorum", "x-message-ttl": 60000}},
  {"name": "12:30 ${X}", "vhost": "shop", "durable": false, "auto_delete": true, "arguments": {"x-plugin": [1, 2.5, {"a": null}]}},
  {"name": "amq.gen-x", "vhost": "shop", "durable": true, "auto_delete": false, "arguments": {}}],
 "exchanges": [{"name": "e\u202e\u5b50", "vhost": "shop", "type": "headers", "durable": true, "auto_delete": false, "internal": false, "arguments": {}}],
 "bindings": [{"source": "e\u202e\u5b50", "vhost": "shop", "destination": "yes", "destination_type": "queue", "routing_key": "", "arguments": {"x-match": "any", "n": 1.0}}]}
END
status_is 0 "import" "$BIN/topology" import d.json
like "$(cat err)" "queue 'amq.gen-x' stays under 'definitions'" "tells what the settings cannot say"
like "$(cat err)" "left out: 1 user with permissions, 1 parameter with a password" "and what is left out"
is "$(grep -cE 'aGFzaA|amqp://u:p' out)" 0 "no credentials come without being asked for"
cp out plain.yaml
like "$(cat plain.yaml)" '"yes": \{type: quorum, message_ttl: 1m\}' "keys are friendly, and a name that is no word is quoted"
status_is 0 "the settings are good" "$BIN/topology" graph -s plain.yaml
status_is 0 "import --credentials, from standard input" bash -c '"$0" import --credentials - <d.json' "$BIN/topology"
cp out whole.yaml
status_is 0 "export" "$BIN/topology" export -s whole.yaml
cp out back.json
ok "is the document that was imported" same d.json back.json
jq '{queues: [.queues[] | select(.vhost == "shop") | del(.vhost)], exchanges: [.exchanges[] | del(.vhost)], bindings: [.bindings[] | del(.vhost)], policies: []}' d.json >v.json
status_is 0 "import of one virtual host" "$BIN/topology" import v.json
cp out v.yaml
status_is 0 "export of it" "$BIN/topology" export -s v.yaml
cp out back.json
ok "is the document that was imported" same v.json back.json
is "$("$BIN/topology" import d.json --vhost other 2>/dev/null | head -n 2)" "broker:
  url: amqp://localhost:5672/other" "--vhost names another one; the address leads there"

status_is 0 "export --format asyncapi" "$BIN/topology" export -s "$root/tests/cases/asyncapi/everything.yaml" -f asyncapi
is "$(jq -r '.asyncapi + " " + .info.title' out)" "3.0.0 everything" "is AsyncAPI, called like the settings"

# ---- as large as they come ----

jq -n '{vhosts: [{name: "/"}], exchanges: [{name: "e", vhost: "/", type: "topic", durable: true, auto_delete: false, internal: false, arguments: {}}],
	queues: [range(10000) | {name: "queue.\(.)", vhost: "/", durable: true, auto_delete: false, arguments: {"x-queue-type": "quorum", "x-message-ttl": 60000}}],
	bindings: [range(10000) | {source: "e", vhost: "/", destination: "queue.\(.)", destination_type: "queue", routing_key: "k.\(.)", arguments: {}}]}' >huge.json
status_is 0 "import of 10,000 queues" "$BIN/topology" import huge.json
cp out huge.yaml
status_is 0 "export of them" "$BIN/topology" export -s huge.yaml
cp out back.json
ok "is the document that was imported" cmp <(jq -S . huge.json) <(jq -S . back.json)
jq '.bindings[].destination |= "no" + .' huge.json >nobody.json
status_is 0 "import of 10,000 bindings to queues that nobody declares" "$BIN/topology" import nobody.json
(
	printf 'exchanges: {e: {type: fanout}}\nmessages: {m: {exchange: e}}\nqueues:\n'
	seq -f '  q%.0f:' 10000
	echo 'bindings:'
	seq -f '  - {exchange: e, queue: q%.0f}' 10000
) >fan.yaml
status_is 0 "AsyncAPI of a message that 10,000 queues get" timeout 20 "$BIN/topology" export -s fan.yaml -f asyncapi
(
	echo 'queues:'
	seq -f '  queue.number.%.0f: {max_length: 5}' 120000
) >beyond.yaml
status_is 78 "settings larger than any" "$BIN/topology" export -s beyond.yaml
is "$(cat err)" "topology: 'beyond.yaml' is larger than 4194304 bytes" "are told to be that"
jq -n '{parameters: [{name: "p", component: "c", vhost: "/", value: ("x" * 4200000)}]}' >beyond.json
status_is 0 "import of what becomes such settings" "$BIN/topology" import beyond.json
like "$(cat err)" "the settings are larger than 4194304 bytes: as one file they are refused" "is told, too"
done_testing
