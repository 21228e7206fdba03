# shellcheck shell=bash
# recording.sh - what the tests of `events record` share: settings, recorders, how messages are compared.
# Source it behind tap.sh, which makes $work.
work=${work:?}
sql() { sqlite3 -readonly -cmd '.timeout 20000' "$@"; }
has_stored() { [ "$(sql "$1" 'SELECT count(*) FROM event')" = "$2" ]; }
# recording STORE ARGUMENT...: a recorder beside this script, at work when it returns; its pid in $recorder.
recording() {
	local store=$1
	shift
	fresh "$store.err"
	"$BIN/events" record --store "$store" "$@" 2>"$store.err" &
	# shellcheck disable=SC2034 # for who has sourced this
	recorder=$!
	eventually 60 grep -q ': recording ' "$store.err" || cat "$store.err"
}
ended() {
	kill -INT "$1"
	wait "$1"
}
record() { timeout 60 "$BIN/events" record -q --summary json --store "$@" 2>summary; }
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

# of_all_kinds: messages with everything that one may hold, as JSON lines.
of_all_kinds() {
	cat <<'END'
{"exchange":"shop","routing_key":"k","properties":{"content_type":"text/plain","content_encoding":"gzip","headers":{"h":"v"},"delivery_mode":2,"priority":9,"correlation_id":"c-1","reply_to":"amq.rabbitmq.reply","expiration":"3600000","message_id":"m-1","timestamp":1700000000,"type":"t.y","user_id":"guest","app_id":"a-1","cluster_id":"x-1"},"body":"all fourteen"}
{"exchange":"shop","routing_key":"k","properties":{"content_type":"","headers":{},"priority":0,"message_id":"","timestamp":0,"type":""},"body":""}
{"exchange":"shop","routing_key":"","properties":{},"body":"no properties"}
{"exchange":"shop","routing_key":"types","properties":{"headers":{"t":true,"b":{"$type":"int8","value":-128},"B":{"$type":"uint8","value":255},"s":{"$type":"int16","value":-2},"u":{"$type":"uint16","value":65535},"I":{"$type":"int32","value":-3},"i":{"$type":"uint32","value":4294967295},"l":-4,"L":{"$type":"uint64","value":"18446744073709551615"},"f":{"$type":"float","value":1.5},"d":0.1,"D":{"$type":"decimal","scale":2,"value":1234},"S":"äöü","S2":{"$type":"string","value":"/wA="},"x":{"$type":"bytes","value":"AAEC/w=="},"T":{"$type":"timestamp","value":1700000000},"A":[1,"two",[null]],"F":{"deep":{"deeper":{}}},"V":null}},"body":"types"}
{"exchange":"shop","routing_key":"dead","properties":{"headers":{"x-death":[{"count":1,"reason":"expired","queue":"q","time":{"$type":"timestamp","value":1700000000},"exchange":"","routing-keys":["q"]}],"CC":["k2"],"x-mine":1}},"body":"dead once"}
{"exchange":"shop","routing_key":"é 漢\n\"","properties":{"message_id":"odd"},"body":"a\u0000b \u001b[0m 😀"}
{"exchange":"shop","routing_key":{"$type":"string","value":"//8="},"properties":{},"body_base64":"/wABAg=="}
END
}

# recording_settings: exchanges, queues, messages; declared.
recording_settings() {
	cat >s.yaml <<'END'
broker:
  reconnect: {from: 50ms, to: 500ms, give_up_after: 30s}
exchanges:
  shop: {type: topic}
  desk: {type: direct}
queues:
  a: {}
  b: {}
  replicated: {type: quorum}
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
}
