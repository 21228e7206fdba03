#!/bin/bash
# topology import of AsyncAPI documents: no broker is asked.
. tests/support/tap.sh
root=$PWD
cases=$root/tests/cases/asyncapi-import
cd "$work" || exit
cp "$root/tests/cases/asyncapi/part.schema.json" . # steps name it
unset AMQP_URL RABBITMQ_MANAGEMENT_URL
export HOME=/nowhere

# What settings declare, whatever the order.
declared() { # SETTINGS
	"$BIN/topology" export -s "$1" 2>/dev/null |
		jq -S '(.queues | select(.)) |= sort_by(.name) | (.exchanges | select(.)) |= sort_by(.name) | (.bindings | select(.)) |= sort_by(tojson)'
}

# ---- our own export ----

for settings in "$root"/settings/*.yaml "$root"/tests/cases/asyncapi/*.yaml; do
	name=$(basename "$settings" .yaml)
	"$BIN/topology" export -s "$settings" -f asyncapi >"$name.json"
	status_is 0 "import of our own export: $name" "$BIN/topology" import "$name.json" --contracts "$name.d"
	cp out "$name.yaml"
	is "$(declared "$name.yaml")" "$(declared "$settings")" "$name declares the same"
	# a contract is called after its message; files are not in the document
	"$BIN/topology" export -s "$name.yaml" -f asyncapi >back.json
	same='del(.servers, .info) | del(.. | .contract?, ."$id"?, ."x-warren-contract"?)'
	[ "$name" = chat ] || is "$(jq -S "$same" back.json)" "$(jq -S "$same" "$name.json")" "$name goes out again as it came in"
done
status_is 0 "its contracts hold for its messages" "$BIN/contract" check -s contracts.yaml

status_is 0 "import of logic" "$BIN/topology" import logic.json
is "$(grep -o 'x-warren-sections.*' err)" "x-warren-sections.relays.types: it reads files that are not in the document
x-warren-sections.relays.shovel: it runs commands ('exec'): read them before you let it
x-warren-sections.responders.checks: it reads files that are not in the document" "tells what it needs and does"
# who writes operations by hand has no section beside them
jq 'del(."x-warren-sections")' logic.json >bare.json
status_is 0 "import of logic without its sections" "$BIN/topology" import bare.json
cp out bare.yaml
is "$(grep -cE '^(relays|responders|workflows):' bare.yaml)" 0 "makes none of it up"
is "$(grep -c "'reply' is not taken" err)" 5 "and says so"
status_is 0 "what is made of it loads" "$BIN/topology" export -s bare.yaml

jq '."x-warren-sections".responders.checks.queue = "nowhere"' logic.json >bad.json
status_is 65 "logic of a queue that is not there" "$BIN/topology" import bad.json
like "$(cat err)" "responders: what is made of it is refused: checks.queue: queue 'nowhere' is not declared" "is refused"
cat >moved.yaml <<'END'
queues: {raw: {}, strict: {contract: part.schema.json}}
messages: {filed: {routing_key: raw, files: part.schema.json}}
relays: {passer: {queue: raw, routing_key: strict}}
END
status_is 0 "export of what a relay moves on" "$BIN/topology" export -s moved.yaml -f asyncapi
is "$(jq -c '[.channels.strict.messages | keys[]] + [.components.messages.filed.payload]' out)" '["filed",null]' "says of it what its sender does"

# ---- somebody else's ----

cp "$cases/shop.yaml" .
status_is 0 "import of a document in YAML" "$BIN/topology" import shop.yaml --contracts made
cp out s.yaml
is "$(cat err)" "topology: warning: shop.yaml:5:10: servers.kafka: is no server of amqp or amqps: left out
topology: warning: shop.yaml:22:14: channels.elsewhere: has no binding of amqp: left out
topology: warning: shop.yaml:25:85: operations.placeOrder.bindings.amqp: 'cc' is not taken
topology: warning: shop.yaml:28:11: operations.answer: 'reply' is not taken: the requests have a queue, but nothing says how a responder answers them
topology: warning: shop.yaml:29:8: operations.ask: 'reply' is not taken: what is sent becomes a message, and rpc call says itself where its reply goes" \
	"what is not taken is told once each, with its place"
status_is 0 "its messages fulfil its payloads" "$BIN/contract" check -s s.yaml
like "$(cat err out)" "0 of [0-9]+ messages break the contract" "all of them"
status_is 0 "what is received has a queue" "$BIN/topology" explain orders --key order.eu.placed -s s.yaml
is "$(tail -n 1 out)" "  onPlaced" "bound by the address, whose parameter is any word"
is "$(grep -c '/nowhere' s.yaml)" 0 "no variable of ours gets into it"
status_is 73 "a second time" "$BIN/topology" import shop.yaml --contracts made
like "$(cat err)" "cannot write 'made/.*': it is there already" "no file is written over"
status_is 0 "without --contracts" "$BIN/topology" import shop.yaml
is "$(grep -c contract: out)" 0 "there are none"
ok "standard input is taken as well" "$BIN/topology" import - <shop.yaml
jq -n '{asyncapi: "3.0.0", info: {title: "\ud83d\ude00", version: "1"}}' | jq -a . >face.json
status_is 0 "JSON that YAML does not take" "$BIN/topology" import face.json

sed "/^  mails:/,/^  elsewhere:/{s/is: queue, .*/is: routingKey, exchange: {name: ''}}}/}" shop.yaml >direct.yaml
status_is 0 "what goes to a queue that no channel has" "$BIN/topology" import direct.yaml
like "$(cat out)" "^  mails: .declared: false" "has it declared by somebody else"
cp out d.yaml
status_is 0 "and loads" "$BIN/topology" export -s d.yaml

# ---- refused ----

refused() { # STATUS SED NAME REGEX
	sed "$2" shop.yaml >bad.yaml
	status_is "$1" "$3" "$BIN/topology" import bad.yaml
	like "$(cat err)" "$4" "$3 is told with its place"
}
refused 65 's/^asyncapi: .*/asyncapi: 2.6.0/' "an older version" \
	"bad.yaml:1:11: asyncapi: version '2.6.0' is not taken, only 3.x is"
refused 65 "s/name: mails/name: amq.x/" "a name of the broker's" "bad.yaml:21:[0-9]+: channels.mails.*begins with 'amq.'"
refused 65 "s/name: mails/name: $(printf 'x%.0s' {1..256})/" "a name too long" "bad.yaml:21:[0-9]+: .*256 bytes"
refused 65 's/^channels:/channels: [/' "what is no YAML" "bad.yaml:[0-9]+:[0-9]+: "
refused 0 "s|#/components/schemas/Id|other.yaml#/Id|" "a reference to elsewhere" "leads to 'other.yaml#/Id'"
refused 0 "s|#/components/messages/mail|#/channels/mails/messages/mail|" "a reference to itself" "leads over more than 32 others"
refused 0 's|name: OrderPlaced|name: "Order\\e[2J"|' "an escape sequence" "."
is "$(LC_ALL=C grep -c "$(printf '\033')" out err | tr '\n' ' ')" "out:0 err:0 " "and does not reach the terminal"
done_testing
