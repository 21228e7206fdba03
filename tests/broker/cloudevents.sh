#!/bin/bash
# Events of the settings as another client sees them: the attributes in headers or in the body, a
# trace of its own for each message, and nothing at all where the settings ask for nothing.
. tests/support/tap.sh
use_broker
cd "$work" || exit

cat >s.yaml <<'END'
queues:
  bank:
messages:
  deposited:
    routing_key: bank
    amount: 20
    fields: {account: {choice: [acc1, acc2]}, amount: {number: {min: 1, max: 100}}}
    headers: {region: eu}
    cloudevents:
      type: com.example.deposited
      source: /bank/{{account}}
      subject: account/{{account}}
      extensions: {tenant: acme, attempt: 1}
    trace: true
  knative:
    routing_key: bank
    body: "say \"{{what}}\""
    fields: {what: {constant: hello}}
    amount: 1
    cloudevents: {type: said, prefix: ce-}
  whole:
    routing_key: bank
    amount: 20
    fields: {account: {choice: [acc1, acc2]}, amount: {number: {min: 1, max: 100}}}
    cloudevents: {type: com.example.withdrawn, subject: "account/{{account}}", mode: structured, dataschema: "https://bank.example/withdrawn.json"}
    trace: true
  plain:
    routing_key: bank
    fields: {n: {constant: 5}}
    amount: 1
END

# sent FILE OPTION...: what becomes of what producer sends, as consumer prints it.
sent() {
	local file=$1
	shift
	timeout 60 "$BIN/producer" -s s.yaml --yes --format none --quiet "$@" >out 2>err || sed 's/^/# /' err
	timeout 60 "$BIN/consumer" -s s.yaml --until-empty --format json --quiet bank >"$file"
}
# each FILE JQ NAME: true of every line, of which there is one at least.
each() { is "$(jq -s "length > 0 and all(.[]; $2)" "$1")" true "$3"; }

sent all --delay 0 deposited knative whole plain
jq -c 'select(.properties.type == "com.example.deposited")' all >deposited
jq -c 'select(.properties.type == "com.example.withdrawn")' all >whole
is "$(jq -s length deposited)" 20 "binary: all arrive"
each deposited '.properties.headers | (keys - ["region"]) == (["attempt", "id", "source", "specversion", "subject", "tenant",
	"time", "traceparent", "type"] | map("cloudEvents_" + .)) + ["traceparent"]' "binary: exactly the attributes, beside the headers of the settings"
each deposited '(.body | fromjson) as $b | .properties.headers as $h | ($b | keys) == ["account", "amount"]
	and $h.cloudEvents_source == "/bank/" + $b.account and $h.cloudEvents_subject == "account/" + $b.account
	and $h.cloudEvents_type == "com.example.deposited" and $h.cloudEvents_specversion == "1.0"
	and $h.cloudEvents_tenant == "acme" and $h.cloudEvents_attempt == 1 and $h.region == "eu"' "binary: what the settings say, and the body as ever"
each deposited '.properties | .headers.cloudEvents_id == .message_id and .type == "com.example.deposited"
	and .content_type == "application/json"' "binary: the properties say the same"
each deposited '.properties | (.headers.cloudEvents_time | sub("\\.[0-9]{3}Z$"; "Z") | fromdate) == .timestamp' "binary: timestamp is the second of time"
is "$(jq -s 'map(.properties.headers.cloudEvents_id) | unique | length' deposited)" 20 "binary: each event has an id of its own"
each deposited '.properties.headers | .traceparent == .cloudEvents_traceparent
	and (.traceparent | test("^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$"))' "trace: valid, and kept as the origin in the event"
is "$(jq -s 'map(.properties.headers.traceparent[3:35]) | unique | length' deposited)" 20 "trace: each message begins one"

jq -c 'select(.properties.type == "said")' all >knative
is "$(jq -c '[.body, .properties.content_type, (.properties.headers | del(."ce-id", ."ce-time"))]' knative)" \
	'["say \"hello\"","text/plain",{"ce-specversion":"1.0","ce-type":"said","ce-source":"/warren/knative"}]' "Knative: its prefix, a text as it is, the source by default"

is "$(jq -s length whole)" 20 "structured: all arrive"
each whole '(.body | fromjson) as $e | ($e | keys) == ["data", "datacontenttype", "dataschema", "id", "source", "specversion",
	"subject", "time", "traceparent", "type"] and $e.specversion == "1.0" and $e.type == "com.example.withdrawn"
	and $e.source == "/warren/whole" and $e.subject == "account/" + $e.data.account and ($e.data.amount | type) == "number"
	and $e.dataschema == "https://bank.example/withdrawn.json" and $e.datacontenttype == "application/json"' "structured: the body is the whole event"
each whole '(.body | fromjson) as $e | .properties | .content_type == "application/cloudevents+json" and .message_id == $e.id
	and .type == $e.type and .headers == {traceparent: $e.traceparent}' "structured: properties say the same, and the trace is the only header"

# What the lines of --from have become.
data() { jq -r '.body | fromjson | [.datacontenttype, .data, .data_base64] | tojson' lines.json; }
printf '%s\n' '{"account":"acc9"}' 'no JSON' >lines
sent lines.json --from lines whole
is "$(data)" '["text/plain","{\"account\":\"acc9\"}",null]
["text/plain","no JSON",null]' "structured: a line is the data of its event, as text"
sent lines.json --from lines whole --set messages.whole.properties.content_type=application/json
is "$(data)" '["application/json",{"account":"acc9"},null]
["application/json",null,"bm8gSlNPTg=="]' "structured: as JSON, when the content type says so and it is"

is "$(jq -c 'select(.properties.type == null) | del(.properties.message_id)' all)" '{"exchange":"","routing_key":"bank","redelivered":false,"queue":"bank","properties":{"content_type":"application/json","delivery_mode":2},"body":"{\"n\":5}"}' \
	"a message without an envelope stays what it is"

sent again --from - <all
ok "sent again, events and traces are what they were" diff all again
done_testing
