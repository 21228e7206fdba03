#!/bin/bash
# The official suite through a broker: what is valid is accepted, and what is not is a dead letter with its paths.
. tests/support/tap.sh
suite=$PWD/tests/cases/json-schema-suite/tests/draft2020-12
use_broker
cd "$work" || exit

# Every group of the suite is a case of one schema; what refers to elsewhere, or asserts no format, is left out.
jq -c '.[] | select([.. | objects | keys[] | select(test("^\\$(ref|id|dynamic|anchor|defs|vocabulary)|^format$"))] == []) |
	select(.schema | type == "object" or type == "boolean")' \
	"$suite"/{type,enum,const,required,properties,patternProperties,additionalProperties,items,prefixItems,contains,minContains,maxContains,minimum,maximum,exclusiveMinimum,exclusiveMaximum,multipleOf,minLength,maxLength,pattern,minItems,maxItems,uniqueItems,minProperties,maxProperties,dependentRequired,dependentSchemas,propertyNames,allOf,anyOf,oneOf,not,if-then-else,boolean_schema,unevaluatedItems,unevaluatedProperties}.json >groups
jq -cs '{allOf: [to_entries[] | {"if": {properties: {case: {const: .key}}}, "then": {properties: {data: (.value.schema | if type == "object" then del(.["$schema"]) else . end)}}}]}' groups >suite.schema.json
jq -cs 'to_entries[] | .key as $case | .value.tests[] | {valid, body: ({case: $case, data} | tojson)}' groups >tests
cat >suite.yaml <<'END_OF_SETTINGS'
queues:
  suite: {contract: suite.schema.json, dead_letter: suite.dead}
END_OF_SETTINGS
export WARREN_SETTINGS=$work/suite.yaml
jq -c '{exchange: "", routing_key: "suite", body, properties: {message_id: "\(input_line_number)-\(.valid)"}}' tests |
	"$BIN/producer" --from - --quiet
timeout 60 "$BIN/consumer" suite -e -f json >good 2>err
"$BIN/deadletters" show suite.dead -f json >dead 2>/dev/null
count=$(wc -l <tests)
ok "$count cases of the official suite: each is accepted or dead" [ $(($(wc -l <good) + $(wc -l <dead))) -eq "$count" ]
ok "they are several hundred" [ "$count" -gt 500 ]
is "$(jq -r .properties.message_id good | grep -vc 'true$')" 0 "what is accepted is valid"
is "$(jq -r .properties.message_id dead | grep -vc 'false$')" 0 "what is dead is not"
is "$(jq -r '(.body | fromjson | .case) as $case | .properties.headers |
	select((.["x-warren-instance-path"] | test("^/data(/|$)")) and
		(.["x-warren-schema-path"] | startswith("/allOf/\($case)/then/properties/data"))) | 1' dead | wc -l)" \
	"$(wc -l <dead)" "and its paths lead to the data and to the case's schema"
jq -r .body dead >bodies
timeout 60 "$BIN/contract" check --schema suite.schema.json --from-format bodies -f json bodies >found 2>err
jq -sc 'group_by(.line)[] | .[0] | [.instance, .schema]' found >expected
jq -c '.properties.headers | [.["x-warren-instance-path"], .["x-warren-schema-path"]]' dead >got
ok "the same that contract check finds first" diff expected got
like "$(cat err)" "messages break the contract" "which ends well"

done_testing
