#!/bin/bash
# contract: judges bodies and records in files, and what settings come to; learns schemas.
. tests/support/tap.sh
cd "$work" || exit
contract() { timeout 60 "$BIN/contract" "$@"; }

cat >order.json <<'END_OF_SCHEMA'
{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"},
 "items": {"items": {"properties": {"price": {"type": "number"}}}}, "mail": {"format": "email"}}}
END_OF_SCHEMA

# ---- check ----

printf '%s\n' '{"id": 1}' '' '{"id": 2, "items": [{"price": "x"}], "mail": "no"}' 'nonsense' '{"id": 3}' >bodies
status_is 65 "a violation: exit status 65" "$BIN/contract" check --schema order.json bodies
is "$(cat out)" "bodies:3: /items/0/price: expected number, found string \"x\" (/properties/items/items/properties/price/type)
bodies:3: /mail: \"no\" is not a valid email (/properties/mail/format)
bodies:4: not JSON: line 1, column 8: invalid token near 'nonsense'" "each one on a line, with file, line, paths and text"
is "$(cat err)" "contract: 2 of 4 messages break the contract" "the end says how many"
contract check --schema order.json -f json bodies >out 2>/dev/null
is "$(jq -c '[.file, .line, .instance, .schema, .keyword]' out | head -1)" \
	'["bodies",3,"/items/0/price","/properties/items/items/properties/price/type","type"]' "the same as JSON"
printf '{"id": 1}\n{"id": 2}' >good
status_is 0 "none: exit status 0" "$BIN/contract" check --schema order.json good
printf '\n{\n  "id":\n  "x"\n}\n' >document
contract check --schema order.json document >out 2>err
is "$(cat out)" 'document:2: /id: expected integer, found string "x" (/properties/id/type)' "a document may have several lines"
printf '{"id"\n{"id": 1}\n{"id": 2}\n' >first-bad
contract check --schema order.json first-bad >out 2>err
is "$(cut -d: -f2 out) $(cat err)" "1 contract: 1 of 3 messages break the contract" "lines are lines when the first one is bad"
cat good - <<<'{"id": "x"}' | contract check --schema order.json - >out 2>err
like "$(cat out)" '^standard input:2: not JSON' "standard input is read" # the second line had no end
printf '%s\n' '{"exchange":"e","routing_key":"k","properties":{},"body":"{\"id\":\"x\"}"}' \
	'{"exchange":"e","routing_key":"k","properties":{"content_type":"application/cloudevents+json"},"body":"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/\",\"type\":\"t\",\"data\":{\"id\":[]}}"}' \
	'{"no": "record"}' >records
contract check --schema order.json records >out 2>err
is "$(sed 's/ (.*//' out)" "records:1: /id: expected integer, found string \"x\"
records:2: /id: expected integer, found array
records:3: unknown member 'no'" "of records the body is judged, of events the data"
contract check --schema order.json --from-format bodies records >out 2>err
is "$(sed 's/ (.*//' out | sort -u | head -1)" "records:1: required property 'id' is missing" "unless they are bodies"
status_is 66 "a file that is not there: 66" "$BIN/contract" check --schema order.json nowhere
status_is 66 "a schema that is not there: 66" "$BIN/contract" check --schema nowhere bodies
echo '{"type": "text"}' >bad.json
status_is 78 "a bad schema: 78" "$BIN/contract" check --schema bad.json bodies
status_is 64 "nothing to judge by: 64" "$BIN/contract" check bodies
printf '{"id": "\033[31m\\u001b[31m"}' | contract check --schema order.json >out 2>err
is "$(tr -d '[:print:]\n' <out | wc -c)" 0 "no byte of a message reaches the terminal as it is"

# ---- what settings come to ----

cat >s.yaml <<'END_OF_SETTINGS'
exchanges: {e: {}}
messages:
  good: {exchange: e, routing_key: k, contract: order.json, broken: 50%, fields: {id: {sequence: {}}, mail: email}}
  bad: {exchange: e, routing_key: k, contract: order.json, fields: {id: first_name}}
  other: {exchange: e, routing_key: k, fields: [id]}
END_OF_SETTINGS
status_is 0 "messages that fulfil their contract; broken ones are broken on purpose" "$BIN/contract" check -s s.yaml good
status_is 65 "one that does not: 65" "$BIN/contract" check -s s.yaml --samples 3
like "$(cat out)" "^message 'bad', sample 3: /id: expected integer, found string" "it says which"
is "$(wc -l <out)" 3 "as many samples as asked for"
status_is 64 "a message that is not there: 64" "$BIN/contract" check -s s.yaml goood
like "$(cat err)" "did you mean 'good'" "with the nearest one"

# ---- infer ----

contract infer good >out 2>err
is "$(jq -c . out)" '{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"id":{"type":"integer"}},"required":["id"]}' \
	"infer prints a schema"
contract infer records --from-format bodies >inferred 2>err
ok "which the samples fulfil" "$BIN/contract" check --schema inferred --from-format bodies records
contract infer bodies >out 2>err
is "$? $(cat err)" "65 contract: bodies:4: not JSON: line 1, column 8: invalid token near 'nonsense'" "what is no message is told"
contract infer </dev/null >out 2>err
is "$? $(cat err)" "65 contract: there is no message to learn from" "nothing to learn from"
for ((i = 0; i < 30; i++)); do echo "{\"state\": \"s$((i % 3))\"}"; done | contract infer --enum 3 >out 2>err
is "$(jq -c .properties.state.enum out)" '["s0","s1","s2"]' "--enum lists the values that are few"
status_is 64 "an option of another verb: 64" "$BIN/contract" check --schema order.json --enum 3 bodies

# ---- compat ----

cat >v1.json <<'END_OF_SCHEMA'
{"type": "object", "properties": {"id": {"type": "integer"}, "total": {"type": "number"}}, "required": ["id"], "additionalProperties": false}
END_OF_SCHEMA
jq '.properties.total.type = "integer" | .required += ["total"]' v1.json >v2.json
jq '.properties.note = {type: "string"}' v1.json >v3.json
status_is 1 "what old data may have and new readers refuse: 1" "$BIN/contract" compat v1.json v2.json
is "$(sort out)" "backward, incompatible: /total: may be a number that is no integer; accepted is integer (/properties/total/type)
backward, incompatible: the property 'total' is required, and may be missing (/required)
backward: incompatible" "each place, and why"
status_is 0 "the other way round is fine" "$BIN/contract" compat v1.json v2.json --mode forward
is "$(cat out)" "forward: compatible" "and said"
status_is 0 "another property, once there were no others: backward compatible" "$BIN/contract" compat v1.json v3.json
status_is 1 "but not forward" "$BIN/contract" compat v1.json v3.json --mode full -f json
is "$(jq -c '[.direction, .verdict, .instance]' out)" '["forward","incompatible","/note"]' "as JSON"
jq 'del(.additionalProperties)' v1.json >open1.json
jq 'del(.additionalProperties)' v3.json >open3.json
status_is 1 "an open object may have had it, as anything" "$BIN/contract" compat open1.json open3.json
status_is 0 "--closed: it had not" "$BIN/contract" compat --closed open1.json open3.json
echo '{"not": {"maxLength": 3}}' >not.json
status_is 1 "what cannot be decided: 1" "$BIN/contract" compat v1.json not.json
like "$(cat out)" '^backward: (compatible|unknown)$' "it says so" # objects have no length: the keyword is not asked
status_is 0 "--lenient: 0" "$BIN/contract" compat v1.json not.json --lenient
status_is 64 "one file is not enough" "$BIN/contract" compat v1.json
status_is 66 "a file that is not there" "$BIN/contract" compat v1.json nowhere

done_testing
