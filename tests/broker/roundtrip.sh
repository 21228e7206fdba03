#!/bin/bash
# shellcheck disable=SC2016 # $type is no variable
# What consumer --format json prints, producer --from sends again, byte for byte and type for type.
. tests/support/tap.sh
. tests/support/api.sh
use_broker
cd "$work" || exit

cat >s.yaml <<'END'
exchanges:
  to_a: {type: fanout}
queues:
  a:
  b:
bindings:
  - {exchange: to_a, queue: a}
messages:
  line:
    routing_key: b
    fields: [id]
    properties: {content_type: text/x-line, priority: 4}
    headers: {from: settings}
END

consumer() { timeout 60 "$BIN/consumer" -s s.yaml --until-empty "$@"; }
producer() { timeout 60 "$BIN/producer" -s s.yaml --yes "$@"; }
bodies() { jq -c '.body' "$@"; }
# A record as the consumer prints it, of queue a: record EXCHANGE_JSON KEY_JSON PROPERTIES BODY_MEMBER
record() {
	local properties=${3:-"{}"}
	printf '{"exchange":%s,"routing_key":%s,"redelivered":false,"queue":"a","properties":%s,%s}\n' \
		"$1" "$2" "$properties" "$4"
}

# ---- every property, every type of header ----

{
	record '"to_a"' '"k"' '{"content_type":"text/plain","content_encoding":"gzip","headers":{"h":"v"},"delivery_mode":2,"priority":9,"correlation_id":"c-1","reply_to":"amq.rabbitmq.reply","expiration":"3600000","message_id":"m-1","timestamp":1700000000,"type":"t.y","user_id":"guest","app_id":"a-1","cluster_id":"x-1"}' '"body":"all fourteen"'
	record '"to_a"' '"k"' '{"content_type":"","content_encoding":"","headers":{},"delivery_mode":1,"priority":0,"correlation_id":"","reply_to":"","message_id":"","timestamp":0,"type":"","app_id":"","cluster_id":""}' '"body":"all of them empty"'
	record '"to_a"' '"k"' '' '"body":"no properties"'
	record '"to_a"' '"k"' '{"content_type":{"$type":"string","value":"/wD+"},"type":"a\u0000b","app_id":"é\u0001\n"}' '"body":"odd texts"'
	record '"to_a"' '"k"' '{"timestamp":"18446744073709551615"}' '"body":"the largest timestamp"'
	while IFS= read -r headers; do
		record '"to_a"' '"k"' "{\"headers\":$headers,\"delivery_mode\":2}" '"body":"headers"'
	done <<'END'
{"true":true,"false":false}
{"int8":{"$type":"int8","value":-128},"uint8":{"$type":"uint8","value":255}}
{"int16":{"$type":"int16","value":-32768},"uint16":{"$type":"uint16","value":65535}}
{"int32":{"$type":"int32","value":-2147483648},"uint32":{"$type":"uint32","value":4294967295}}
{"int64":-9223372036854775808,"more":9223372036854775807}
{"uint64":{"$type":"uint64","value":"18446744073709551615"},"small":{"$type":"uint64","value":7}}
{"float":{"$type":"float","value":1.5},"tenth":{"$type":"float","value":0.1}}
{"double":0.1,"whole":1.0,"large":1.7976931348623157e+308}
{"decimal":{"$type":"decimal","scale":2,"value":1234}}
{"text":"äöü €","empty":"","not UTF-8":{"$type":"string","value":"/wA="},"nul":"a\u0000b"}
{"array":[1,"two",{"$type":"int8","value":3},[],[[null]],{"four":4.5}]}
{"timestamp":{"$type":"timestamp","value":1700000000}}
{"table":{"empty":{},"deep":{"deeper":{"deepest":[{"x":null}]}}}}
{"void":null}
{"bytes":{"$type":"bytes","value":"AAEC/w=="},"none":{"$type":"bytes","value":""}}
{"":"empty key","sp ace":1,"quo\"te":2,"новый":3,"\u001b[31m":4}
{"$type":"table","entries":[["double",1],["double","2"]]}
{"$type":"table","entries":[["$type","timestamp"],["value",5]]}
{"$type":"table","entries":[[{"$type":"string","value":"/w=="},1],["n\u0000l",2]]}
END
	# A consumer that gives up lets these pass as well: what other tools wrote.
	record '"to_a"' '"k"' '{"headers":{"x-death":[{"count":1,"reason":"expired","queue":"q","time":{"$type":"timestamp","value":1700000000},"exchange":"","routing-keys":["q"]}]}}' '"body":"dead once"'
} >given.jsonl

# ---- bodies and routing keys ----

long=$(printf 'k%.0s' {1..255})
# not ended by a line feed, which --format body would not double
{ head -c 1048575 /dev/urandom; printf '\0'; } | base64 -w 0 >binary.b64
head -c 1048576 /dev/zero | tr '\0' 'x' >mib.txt
{
	record '"to_a"' '"k"' '' '"body":""'
	record '"to_a"' '"k"' '' '"body":"a\u0000b\u0000"'
	record '"to_a"' '"k"' '' '"body":"line\nline\r\n\ttab \"quoted\" back\\slash / \u001b[0m"'
	record '"to_a"' '"k"' '' '"body":"ünïcödé 漢字 😀 \u0001"'
	record '"to_a"' '"k"' '' '"body":"{\"body\":\"a record in a record\"}"'
	record '"to_a"' '"k"' '' '"body_base64":"/wAB"'
	record '"to_a"' '"k"' '' '"body_base64":"7aCA"' # half of a pair of surrogates
	record '"to_a"' '""' '' '"body":"empty key"'
	record '""' '"a"' '' '"body":"the default exchange"'
	record '"to_a"' "\"$long\"" '' '"body":"255 bytes of key"'
	record '"to_a"' '"a.b.*.#"' '' '"body":"key"'
	record '"to_a"' '"é 漢\n\u0000\""' '' '"body":"key"'
	record '"to_a"' '{"$type":"string","value":"//8="}' '' '"body":"a key that is no UTF-8"'
	record '"to_a"' '"k"' '' "\"body\":\"$(cat mib.txt)\""
	record '"to_a"' '"k"' '' "\"body_base64\":\"$(cat binary.b64)\""
} >>given.jsonl
count=$(wc -l <given.jsonl)

producer --from - --format json <given.jsonl >sent.jsonl 2>sent.err
is $? 0 "the producer takes $count records"
like "$(tail -n 1 sent.err)" "producer: $count sent, $count confirmed" "and all are confirmed"
is "$(grep -c ',"fate":"confirmed"}$' sent.jsonl)" "$count" "each printed with its fate"
consumer a -f json >first.jsonl 2>first.err
is $? 0 "the consumer exits 0"
ok "it prints every byte and type as it was given" cmp given.jsonl first.jsonl
for i in $(seq "$(wc -l <given.jsonl)"); do
	cmp -s <(sed -n "${i}p" given.jsonl) <(sed -n "${i}p" first.jsonl) && continue
	printf '#   given: %.300s\n#   got:   %.300s\n' "$(sed -n "${i}p" given.jsonl)" "$(sed -n "${i}p" first.jsonl)"
done

producer --from - <first.jsonl 2>again.err
is $? 0 "what it printed goes into the producer"
consumer a -f json >second.jsonl 2>second.err
ok "and comes out again, identical" cmp first.jsonl second.jsonl
producer --from sent.jsonl 2>again.err
is $? 0 "so does what the producer printed, fates and all"
consumer a -f json >third.jsonl 2>third.err
ok "identical, but for the order in which fates become known" \
	cmp <(LC_ALL=C sort first.jsonl) <(LC_ALL=C sort third.jsonl)
consumer a -f json 2>none.err | producer --from - 2>again.err
is "${PIPESTATUS[*]}" "0 0" "nothing in, nothing out: both exit 0"

tail -n 2 given.jsonl | producer --from - 2>bytes.err
consumer a -f body --count 1 >body.out 2>body.err
ok "--format body prints the bytes and a line feed" cmp body.out <(cat mib.txt; echo)
consumer a -f body >body.out 2>body.err
ok "binary ones too" cmp body.out <(base64 -d binary.b64; echo)

# ---- an observer that is not ours: the broker's HTTP API ----

head -n 1 given.jsonl | producer --from - 2>api.err
api POST "queues/$vhost/a/get" '{"count":1,"ackmode":"ack_requeue_false","encoding":"auto"}' >api.json
is "$(jq -S -c '.[0].properties' api.json)" \
	"$(head -n 1 given.jsonl | jq -S -c '.properties')" "the broker's HTTP API sees the fourteen properties"
is "$(jq -r '.[0].payload' api.json)" "all fourteen" "and the body"
api POST "exchanges/$vhost/to_a/publish" '{"properties":{"type":"theirs","headers":{"l":[1,"x"],"n":5,"t":{"y":true}}},"routing_key":"rk","payload":"/wA=","payload_encoding":"base64"}' >api.json
consumer a -f json >api.jsonl 2>api.err
is "$(cat api.jsonl)" '{"exchange":"to_a","routing_key":"rk","redelivered":false,"queue":"a","properties":{"headers":{"l":[1,"x"],"n":5,"t":{"y":true}},"type":"theirs"},"body_base64":"/wA="}' \
	"what it publishes is printed as it is"

# ---- plain lines ----

printf 'one\n\n  three \r\n{"not":"a record"}\nlast' >lines.txt
producer --from lines.txt 2>lines.err
is $? 0 "--from a file of plain lines"
consumer b -f json >lines.jsonl 2>lines.err
is "$(bodies lines.jsonl | tr '\n' ' ')" '"one" "" "  three \r" "{\"not\":\"a record\"}" "last" ' \
	"each line is a body: empty ones, blanks and CR are kept, the last needs no line feed"
is "$(jq -c '[.exchange, .routing_key, .properties.content_type, .properties.priority, .properties.headers]' lines.jsonl | sort -u)" \
	'["","b","text/x-line",4,{"from":"settings"}]' "the settings' only message says where they go and with what"
is "$(jq -r .properties.message_id lines.jsonl | sort -u | wc -l)" 5 "each has a message id of its own"

printf 'x\ny\n' | "$BIN/producer" --from - --exchange to_a --routing-key some.key 2>lines.err
is $? 0 "--exchange and --routing-key need no settings"
is "$(consumer a -f json 2>lines.err | jq -c '[.exchange, .routing_key, .body]' | tr '\n' ' ')" \
	'["to_a","some.key","x"] ["to_a","some.key","y"] ' "and say where lines go"
head -n 2 given.jsonl | producer --from - --exchange to_a --routing-key other 2>lines.err
is "$(consumer a -f json 2>lines.err | jq -c '[.exchange, .routing_key]' | sort -u)" '["to_a","other"]' \
	"they win over what a record says"
printf '{"body":"x"}\n' | "$BIN/producer" --from - --from-format bodies -k b 2>lines.err
is "$(consumer b -f body 2>lines.err)" '{"body":"x"}' "--from-format bodies takes a record for a body"
printf 'one\n' | "$BIN/producer" --from - 2>lines.err
is $? 65 "lines that nothing leads anywhere: exit 65"
like "$(cat lines.err)" 'give --exchange or --routing-key' "and the remedy is told"
printf 'one\n' | "$BIN/producer" --from - --routing-key no_such_queue 2>lines.err
is $? 1 "a line that no queue gets: exit 1"
like "$(cat lines.err)" '1 returned' "and it is counted as returned"
status_is 66 "--from a file that is missing: exit 66" "$BIN/producer" --from ./none -k b
like "$(cat err)" "cannot read './none': No such file" "and it is named"

# A human types: each line is sent when it is finished, and answered.

# a line of its own gets what every message gets
printf 'typed\n' | "$BIN/producer" --from - --routing-key b --quiet
consumer b -f json >line.json 2>lines.err
is "$(jq -c '[.exchange, .routing_key, .properties.content_type, .properties.delivery_mode, (.properties.message_id | length)]' line.json)" \
	'["","b","text/plain",2,36]' "a plain line is a persistent text with an id"
printf '%s\n' '{"routing_key":"b","body":"x"' '{"routing_key":"b","body":"y"}' >damaged.jsonl
status_is 65 "a damaged record at the beginning: exit 65" "$BIN/producer" --from damaged.jsonl --routing-key b
like "$(cat "$work/err")" "damaged.jsonl:1: not a JSON object" "and it is told, not sent as a body"
is "$(consumer b -f body 2>lines.err)" "" "nothing of it was sent"

printf 'typed\n' | NO_COLOR=1 script -qec "timeout --foreground 60 $BIN/producer --from - --routing-key b" /dev/null >typed 2>typed.err
is "$(consumer b -f body 2>lines.err)" typed "a line typed on a terminal is sent"
like "$(tr -d '\r' <typed)" '^\[>>\].* typed$' "and its fate is shown"
like "$(tr -d '\r' <typed)" '^producer: 1 sent, 1 confirmed' "the end of the input ends it"
is "$(grep -c 'of 0 sent' typed)" 0 "no progress is shown towards nothing"

# ---- a directory ----

mkdir dir dir/sub
printf 'first\n' >dir/1-first.txt
printf '\377\000' >dir/2-binary
: >dir/3-empty
printf 'odd name' >'dir/4 *[x]'
printf 'hidden' >dir/.hidden
producer --from dir 2>dir.err
is $? 0 "--from a directory"
is "$(consumer b -f json 2>dir.err | jq -c '.body // .body_base64' | tr '\n' ' ')" \
	'"first\n" "/wA=" "" "odd name" ' "each file is a body, in the order of their names; hidden ones and folders are left out"
mkdir nothing
status_is 66 "--from an empty directory: exit 66" "$BIN/producer" --from nothing -k b

# ---- bad lines ----

bad() { # LINE REGEX NAME: the third line is LINE
	{
		head -n 2 given.jsonl
		printf '%s\n' "$1"
		head -n 1 given.jsonl
	} >bad.jsonl
	producer --from - --format json <bad.jsonl >bad.out 2>bad.err
	is $? 65 "$3: exit 65"
	like "$(tail -n 1 bad.err)" "^producer: .*standard input:3: $2" "$3: its line and reason are told"
	is "$(grep -c '"fate":"confirmed"' bad.out)" 2 "$3: the fate of the two before it is told"
	like "$(cat bad.err)" 'producer: 2 sent, 2 confirmed' "$3: and the summary counts them"
	is "$(consumer a -f body 2>bad2.err | wc -l)" 2 "$3: they are in the queue, the one behind it is not"
}
bad '{"body":' 'not a JSON object' "half a record"
bad '{"routing_key":"a","boddy":"x"}' "unknown member 'boddy'; did you mean 'body'" "an unknown member"
bad '{"routing_key":"a","properties":{"priority":256},"body":"x"}' 'properties.priority: not a whole number from 0 to 255' "a wrong property"
done_testing
