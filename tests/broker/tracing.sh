#!/bin/bash
# Spans: one tree from the producer to the consumer, whatever is in between, by the rules of OTLP.
. tests/support/tap.sh
use_broker
. tests/support/spans.sh
cd "$work" || exit

cat >s.yaml <<'END'
exchanges:
  shop: {type: topic}
queues:
  jobs:
  failing: {retry: {attempts: 2, delay: 100ms}}
  orders:
  prices:
  answers:
  begin:
  replies:
bindings:
  - {exchange: shop, queue: jobs, routing_key: "job.#"}
messages:
  job: {exchange: shop, routing_key: job.new, amount: 20, delay: 0, fields: [id]}
  traced: {exchange: shop, routing_key: job.new, amount: 20, delay: 0, fields: [id], trace: true}
  lost: {exchange: shop, routing_key: nobody, amount: 1, properties: {}}
  failing: {routing_key: failing, amount: 1, delay: 0, body: "x"}
  order: {routing_key: orders, amount: 20, delay: 0, fields: [id], properties: {reply_to: answers}}
  begun: {routing_key: begin, amount: 3, delay: 0, body: '{"price": 4}'}
workflows:
  sale:
    start: {queue: begin}
    replies: replies
    steps:
      - {name: price, request: {routing_key: prices, body: .input}}
      - {name: again, request: {routing_key: prices, body: .input}}
relays:
  pricing: {queue: orders, core: [{jq: '.price = 5'}], routing_key: prices}
  twice: {queue: jobs, core: [{jq: '.n = 1, .n = 2'}], routing_key: answers}
responders:
  prices: {queue: prices, core: [{jq: '.price * 2'}]}
END

# begin TOOL OPTION...: in the background, until it takes messages.
begin() {
	local log=$work/begun.$((begun++))
	fresh "$log"
	"$BIN/$1" -s s.yaml "${@:2}" >"$log.out" 2>"$log" </dev/null &
	pids+=($!)
	eventually 60 grep -q 'Ctrl+C ends' "$log" || sed 's/^/# /' "$log"
}
# end: all that was begun, by a signal.
end() {
	kill -INT "${pids[@]}"
	wait "${pids[@]}"
	pids=()
}
begun=0 pids=()

# ---- the tree ----

collect 200
quiet producer --yes --format none job
quiet consumer --until-empty --format json jobs >lines
is "$(wc -l <lines)" 20 "messages arrive"
is "$(cat "$folder/faults")" "" "what the collector gets is OTLP, by its schema"
like "$(tr -d '\r' <"$folder/asked")" '^POST /v1/traces HTTP/1.1$' "where OTLP wants it"
like "$(tr -d '\r' <"$folder/asked")" '^Content-Type: application/json$' "as what it is"
holds 'length == 40 and (group_by(.traceId) | length == 20 and all(.[]; length == 2))' "a trace for each message, of two spans"
holds 'group_by(.traceId) | all(.[]; (map(select(.kind == 4))[0]) as $p | (map(select(.kind == 5))[0]) as $c
	| $p.parentSpanId == null and $c.parentSpanId == $p.spanId and $p.spanId != $c.spanId)' "the consumer's span is the child of the producer's, which is the root"
holds 'all(.[]; .name == (if .kind == 4 then "publish shop" else "process jobs" end) and .status == {}
	and .service == (if .kind == 4 then "warren-producer" else "warren-consumer" end))' "names, kinds and services"
holds 'all(.[]; .startTimeUnixNano <= .endTimeUnixNano)' "none ends before it begins"
holds 'group_by(.traceId) | all(.[]; (map(select(.kind == 4))[0].startTimeUnixNano) <= (map(select(.kind == 5))[0].startTimeUnixNano))' "nor a child before its parent"
holds 'all(.[]; .a["messaging.system"] == "rabbitmq" and .a["messaging.rabbitmq.destination.routing_key"] == "job.new"
	and .a["messaging.destination.name"] == (if .kind == 4 then "shop:job.new" else "shop:job.new:jobs" end)
	and .a["messaging.operation.type"] == (if .kind == 4 then "send" else "process" end)
	and (.a["messaging.message.body.size"] | tonumber) > 0 and .a["server.address"] == "127.0.0.1")' "attributes by the conventions for messaging"
is "$(jq -s '[.[].properties | .headers.traceparent[36:52] + " " + .message_id] | sort' lines)" \
	"$(spans | jq -s '[.[] | select(.kind == 4) | .spanId + " " + .a["messaging.message.id"]] | sort')" "traceparent names the span that sent the message"

collect 200
quiet producer --yes --format none traced
quiet consumer --until-empty --format json jobs >lines
is "$(jq -s '[.[].properties.headers.traceparent[3:52]] | sort' lines)" \
	"$(spans | jq -s '[.[] | select(.kind == 4) | .traceId + "-" + .spanId] | sort')" "a trace that the settings ask for is that of the spans"
holds 'map(select(.kind == 4)) | all(.[]; .parentSpanId == null)' "which begin it"

# what is read has a past
head -n 1 lines >one
collect 200
jq -c '.properties.headers.tracestate = "vendor=1"' one | quiet producer --yes --from -
quiet consumer --until-empty --format json jobs >again
parent=$(jq -r '.properties.headers.traceparent' one)
holds "length == 2 and all(.[]; .traceId == \"${parent:3:32}\" and .traceState == \"vendor=1\")
	and any(.[]; .kind == 4 and .parentSpanId == \"${parent:36:16}\")" "a message that is read from a file goes on with its trace"
is "$(jq -r '.properties.headers.tracestate' again)" "vendor=1" "and keeps its tracestate"

# ---- what went wrong ----

collect 200
quiet producer --yes --format none lost 2>err
holds 'length == 1 and .[0].status.code == 2 and .[0].a["error.type"] == "returned" and (.[0].status.message | test("NO_ROUTE|no queue"; "i"))' \
	"a message that comes back is an error, with its reason"
collect 200
quiet producer --yes --format none failing
begin consumer --format none --exec 'sh -c "exit 75"' failing
ok "(it is tried twice)" settled failing.parked 1
end
holds 'map(select(.kind == 5)) | length == 2 and all(.[]; .status.code == 2) and (map(.a["error.type"]) | . == ["retry", "retry"])
	and (map(.traceId) | unique | length) == 1' "each try is a span of one trace"

# ---- producer -> relay -> rpc -> consumer ----

# below SPANS: those whose parent is one of them, by service and name; then what is below these.
chains='(map({(.spanId): .}) | add) as $by | map(. as $s | [$s | recurse($by[.parentSpanId // ""] // empty)] | reverse
	| map("\(.service[7:]) \(.name)") | join(" > "))'

collect 200
begin relay --format none pricing
begin rpc serve --format none
quiet producer --yes --format none order
quiet consumer --count 20 --format json answers >lines
end
is "$(cat "$folder/faults")" "" "four tools: all of it is OTLP"
holds 'length == 120 and (group_by(.traceId) | length == 20 and all(.[]; length == 6))' "six spans for each message, in one trace"
is "$(spans | jq -sr "$chains | group_by(length) | last | unique[]")" \
	"producer publish orders > relay process orders > relay publish prices > rpc process prices > rpc publish answers > consumer process answers" \
	"one below the other, from the producer to the consumer"
is "$(jq -s '[.[].properties.headers.traceparent[3:35]] | unique | length' lines)" 20 "each answer is of its order's trace"
holds 'all(.[]; if .service == "warren-relay" then .a["warren.flow"] == "pricing" else true end)' "a relay's spans tell its name"

collect 200
begin relay --format none twice
quiet producer --yes --format none job
quiet consumer --count 40 --format none answers
end
holds 'map(select(.service == "warren-relay" and .kind == 5)) as $in | map(select(.service == "warren-relay" and .kind == 4)) as $out
	| ($in | length) == 20 and ($out | length) == 40 and ($out | group_by(.parentSpanId) | map(length) == [range(20) | 2])
	and ([$out[].parentSpanId] | unique) == ([$in[].spanId] | unique)' "what one message becomes are two children of one span"

collect 200
begin rpc serve --format none
timeout 60 "$BIN/rpc" call -q --deadline 60s --format none prices '{"price":4}' >out 2>err
timeout 60 "$BIN/rpc" call -q --deadline 60s --format none prices 'no JSON' >out 2>err
end
is "$(spans | jq -sr "$chains | sort_by(length) | last")" "rpc call prices > rpc process prices > rpc publish (temporary)" "a call, what is done about it, and the reply"
holds 'length == 6 and (map(select(.kind == 3)) | length == 2 and (map(.status.code // 0) | sort) == [0, 2])' "a call ends with its reply; one that tells of an error is one"
holds '(map(select(.name == "process prices" and .status.code == 2)) | length == 1 and (.[0].status.message | length > 5))
	and (map(select(.kind == 3 and .status.code == 2))[0].traceId == map(select(.name == "process prices" and .status.code == 2))[0].traceId)' "where it comes from, too"
holds 'map(select(.kind == 3)) | all(.[]; .a["messaging.destination.name"] == "prices")' "it is said whom was asked"

collect 200
begin rpc serve --format none
begin workflow run --format none
quiet producer --yes --format none begun
ended() { "$BIN/workflow" list --format json --store events.db | jq -s 'length == 3 and all(.[]; .state == "completed")' | grep -q true; }
ok "workflows end" eventually 60 ended
end
holds 'group_by(.traceId) | length == 3 and all(.[]; length == 10)' "a workflow is one trace with all that it asks for"
is "$(spans | jq -sr "$chains | group_by(length) | last | unique[]")" \
	"producer publish begin > workflow publish prices > rpc process prices > rpc publish replies > workflow process replies" "each request is below what began the workflow"

# ---- the same without a collector ----

stop_collector
unset OTEL_EXPORTER_OTLP_ENDPOINT
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- trace_on -p "$vhost" >/dev/null
begin events record --firehose publish --store seen.db
begin relay --format none pricing
begin rpc serve --format none
quiet producer --yes --format none --set messages.order.trace=true --amount 1 order
quiet consumer --count 1 --format json answers >line
has_seen() { "$BIN/events" query --store seen.db -f json 'SELECT count(*) AS n FROM events' | jq -e '.n >= 3' >/dev/null; }
ok "the broker's tracer tells of three messages" eventually 60 has_seen
end
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- trace_off -p "$vhost" >/dev/null
"$BIN/events" trace --store seen.db --format json "$(jq -r '.properties.headers.traceparent' line)" >tree
is "$(jq -c '[.depth, .routing_key, .lacks_cause]' tree | paste -sd' ')" '[0,"orders",false] [1,"prices",false] [2,"answers",false]' \
	"events trace: what was made of what, though nobody exported a span"

# ---- whose traces ----

collect 200
OTEL_TRACES_SAMPLER=always_off quiet producer --yes --format none job
quiet consumer --until-empty --format json jobs >lines
is "$(spans)" "" "what the first decides against is recorded by nobody"
is "$(jq -s 'length == 20 and all(.[]; .properties.headers.traceparent | endswith("-00"))' lines)" true "since traceparent says so"
OTEL_TRACES_SAMPLER=traceidratio OTEL_TRACES_SAMPLER_ARG=0.5 quiet producer --yes --format none --amount 200 job
quiet consumer --until-empty --format none jobs
holds 'length > 80 and length < 320 and (group_by(.traceId) | all(.[]; length == 2))' "half of them, whole"
OTEL_SDK_DISABLED=true quiet producer --yes --format none job
quiet consumer --until-empty --format json jobs >lines
is "$(jq -s 'length == 20 and all(.[]; .properties.headers == null)' lines)" true "switched off, nothing is stamped on a message"
stop_collector
unset OTEL_EXPORTER_OTLP_ENDPOINT
jq -c '.properties.headers = {traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "x=y"}' lines | quiet producer --yes --from -
quiet consumer --until-empty --format json jobs >lines
is "$(jq -c '.properties.headers' lines | sort -u)" '{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","tracestate":"x=y"}' \
	"without a collector a trace passes through as it came"

stop_collector
done_testing
