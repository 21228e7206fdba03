#!/bin/bash
# workflow run, list, show: orders that go well, are refused, time out; what comes twice, late, or from nobody; a second
# orchestrator; changed steps; a full house.
# shellcheck disable=SC2317 # functions are called through eventually
. tests/support/tap.sh
use_broker
cd "$work" || exit

cat >s.yaml <<'END'
exchanges:
  shop: {type: topic}
queues:
  placed: {}
  replies: {}
  stock: {}
  bank: {}
  shipping: {}
  office: {}
  dead: {}
bindings:
  - {exchange: shop, queue: placed, routing_key: order.placed}
  - {exchange: shop, queue: stock, routing_key: "stock.*"}
  - {exchange: shop, queue: bank, routing_key: "bank.*"}
  - {exchange: shop, queue: shipping, routing_key: "shipping.*"}
  - {exchange: shop, queue: office, routing_key: "order.done"}
  - {exchange: shop, queue: office, routing_key: "order.undone"}
workflows:
  order:
    start: {queue: placed, id: .id}
    replies: replies
    steps:
      - name: reserve
        timeout: 10m
        request: {exchange: shop, routing_key: stock.reserve, body: '{order: .id, items: .input.items}'}
        compensate: {exchange: shop, routing_key: stock.release, body: '{order: .id, shelf: .replies.reserve.shelf}'}
      - name: charge
        request: {exchange: shop, routing_key: bank.charge, type: please.charge}
        timeout: 10m
        retries: 2
        compensate: {exchange: shop, routing_key: bank.refund, body: '"refund \(.id)"', reply: false}
      - name: ship
        timeout: 10m
        request: {exchange: shop, routing_key: shipping.ship, body: 'if .input.to == null then error("where to?") else .input.to end'}
        failed: .lost
    completed: {exchange: shop, routing_key: order.done, body: '{id, shelf: .replies.reserve.shelf}'}
    failed: {exchange: shop, routing_key: order.undone, body: '{id, step: .failure.step, reason: .failure.reason, why: (.failure.error // .failure.reply.why? // null)}'}
END
export WARREN_SETTINGS=$work/s.yaml WARREN_STORE=$work/events.db
"$BIN/topology" apply >applied || exit 1

# run ARGS...: an orchestrator in the background, that takes orders.
run() {
	fresh run.err
	# in the foreground: else timeout sends the signal twice, to the child and to its group, and two end it at once
	timeout --foreground 500 "$BIN/workflow" run -f json "$@" >run.out 2>run.err &
	runner=$!
	eventually 60 grep -q 'waiting for' run.err || sed 's/^/# /' run.err
}
ends() { kill -INT "$runner" && wait "$runner"; }
place() { printf '{"exchange":"shop","routing_key":"order.placed","properties":{%s},"body":%s}\n' "${2-}" "$(jq -c tojson <<<"$1")" |
	"$BIN/producer" --from - --yes -q -f none; }
# asked QUEUE: takes the next request, as a line of JSON.
asked() { timeout 60 "$BIN/consumer" "$1" --count 1 --ack manual -q -f json --no-declare; }
# answer REQUEST BODY [HEADERS]
answer() {
	jq -c --arg body "$2" --argjson headers "${3:-{\}}" '{exchange: "", routing_key: .properties.reply_to,
		properties: {correlation_id: .properties.message_id, headers: $headers}, body: $body}' <<<"$1" |
		"$BIN/producer" --from - --yes -q -f none
}
happened() { "$BIN/workflow" show "$1" -f json | jq -r '[.properties.type | sub("warren.workflow."; "")] + [.body | fromjson | .step // empty] | join(" ")' | tr '\n' ',' | sed 's/,$//; s/,/, /g'; }
is_state() { [ "$("$BIN/workflow" list -f json | jq -r --arg id "$1" 'select(.id == $id) | .state')" = "$2" ]; }
summary() { tail -n 1 run.err; }

# ---- an order that goes well, step by step ----

run --summary json
place '{"id":"a1","items":3,"to":"home"}' '"message_id":"m1","correlation_id":"chain","headers":{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}'
request=$(asked stock)
is "$(jq -r .body <<<"$request")" '{"order":"a1","items":3}' "the first request has the body that jq makes"
is "$(jq -r '.properties | [.type, .reply_to, .content_type, .headers.cloudEvents_subject, .headers.cloudEvents_correlationid, .headers["x-warren-cause"]] | join(" ")' <<<"$request")" \
	"order.reserve replies application/json workflow/order/a1 chain m1" "it says what it is, where the reply goes, and where it comes from"
like "$(jq -r .properties.headers.traceparent <<<"$request")" '^00-0af7651916cd43dd8448eb211c80319c-' "and belongs to the same trace"
answer "$request" 'handled before' '{"x-warren-error":"handled before"}' # of a dedupe; no answer, and no refusal
answer "$request" '{"shelf":7}'
request=$(asked bank)
is "$(jq -r '.properties.type + " " + .body' <<<"$request")" 'please.charge {"id":"a1","items":3,"to":"home"}' "without a body it gets the input"
answer "$request" '"paid"'
answer "$request" '"paid"'
request=$(asked shipping)
is "$(jq -r '.properties.content_type + " " + .body' <<<"$request")" 'text/plain home' "a text goes as it is"
answer "$request" '{"sent":true}'
is "$(asked office | jq -r '.routing_key + .body')" 'order.done{"id":"a1","shelf":7}' "the end is announced, with what the steps have told"
ok "it is completed" eventually 60 is_state a1 completed
is "$(happened a1)" "started, requested reserve, replied reserve, requested charge, replied charge, requested ship, replied ship, completed" \
	"what happened stands in the store, in order"

# ---- one that is refused ----

place '{"id":2,"items":1,"to":"moon"}'
answer "$(asked stock)" '{"shelf":9}'
answer "$(asked bank)" '{}'
answer "$(asked shipping)" '{"lost":true,"why":"no road"}'
is "$(asked bank | jq -r '[.routing_key, .body, .properties.reply_to, .properties.type] | join(" ")')" \
	"bank.refund refund 2  order.charge.compensate" "the last step is undone first; who needs not answer is not asked to"
request=$(asked stock)
is "$(jq -r .body <<<"$request")" '{"order":"2","shelf":9}' "then the one before, who knows what it has answered"
answer "$request" 'handled before' '{"x-warren-error":"handled before"}' # of one who does not know its answer any more
answer "$request" '{}' '{"x-warren-error":"the shelf is locked"}'
ok "an error is no confirmation" eventually 60 grep -q compensating run.out
answer "$request" '{}'
is "$(asked office | jq -r .body)" '{"id":"2","step":"ship","reason":"refused","why":"no road"}' "and then it is announced"
ok "it is aborted" eventually 60 is_state 2 aborted
is "$(happened order/2)" "started, requested reserve, replied reserve, requested charge, replied charge, requested ship, failed ship, compensating charge, compensated charge, compensating reserve, compensated reserve, aborted" \
	"all of it in this order"

# ---- one whose request cannot be made; an error reply ----

place '{"id":"4"}'
answer "$(asked stock)" '{}'
answer "$(asked bank)" '{}'
asked bank >/dev/null
answer "$(asked stock)" '{}'
is "$(asked office | jq -r .body)" '{"id":"4","step":"ship","reason":"not sent","why":"its body: where to?"}' "a request that cannot be made is a failure of its step"
place '{"id":"5","to":"x"}'
answer "$(asked stock)" 'out of order' '{"x-warren-error":"crashed"}'
is "$(asked office | jq -r .body)" '{"id":"5","step":"reserve","reason":"refused","why":null}' "a reply with x-warren-error is one, too"

# ---- what comes twice, from nobody, and what is no order ----

place '{"id":"a1","items":3,"to":"home"}'
place '{"id":{}}' '"message_id":"bad"'
place '{"id":"6","to":"x"}' '"message_id":"m6"'
place '{"id":"6","to":"y"}' '"message_id":"m7"'
answer '{"properties":{"reply_to":"replies","message_id":"nobody"}}' '{}'
answer "$(asked stock)" '{}'
answer "$(asked bank)" '{}'
is "$(asked shipping | jq -r .body)" x "an order that is placed twice is one, the first"
like "$(grep rejected run.err)" "its id is no text and no whole number" "what has no id is told"
ok "nothing waits for it" settled placed 0
ok "nor any reply" settled replies 0
status_is 69 "a second orchestrator ends" "$BIN/workflow" run
like "$(cat err)" "queue 'placed' has another consumer; an orchestrator has its queues for itself" "and says why"
ends
is "$(jq -c '[.started, .completed, .aborted, .under_way, .repeated, .rejected]' <<<"$(summary)")" '[5,1,3,1,2,1]' "it counts them all"

# ---- one that gets no answer: asked three times the same, then undone as well ----

export WARREN_STORE=$work/silent.db
run --set workflows.order.steps.1.timeout=300ms
place '{"id":"3","to":"home"}'
answer "$(asked stock)" '{}'
first=$(asked bank) second=$(asked bank) third=$(asked bank)
is "$(jq -r '.properties.message_id + .body' <<<"$first$second$third" | sort -u | wc -l)" 1 "a request is sent again with the same id and body"
is "$(asked bank | jq -r .routing_key)" bank.refund "who has not answered may have done it: it is undone as well"
answer "$third" '{}'
request=$(asked stock)
is "$(jq -r .routing_key <<<"$request")" stock.release "and what was done before; the late answer changes nothing"
answer "$request" '{}'
is "$(asked office | jq -r .body)" '{"id":"3","step":"charge","reason":"timed out","why":null}' "the reason is told"
like "$("$BIN/workflow" show 3)" '^ +[0-9.]+ s  failed +charge, timed out' "show is for people, too"
ends
export WARREN_STORE=$work/events.db

# ---- on with the one that is open; changed steps; a store of somebody else ----

sed 's/name: ship/name: send/' s.yaml >changed.yaml
status_is 78 "steps that are under way must be there" "$BIN/workflow" run -s changed.yaml
like "$(cat err)" "instance '6' is under way and knows a step 'ship', which workflow 'order' has not" "and are named"
run --count 1
like "$(cat run.err)" '1 under way in' "who comes next knows who is under way"
request=$(asked shipping)
is "$(jq -r .body <<<"$request")" x "and asks again"
answer "$request" '{}'
wait "$runner"
is $? 0 "--count ends it"
is "$("$BIN/workflow" list -f json | jq -r '.id + "=" + .state' | sort | tr '\n' ' ')" "2=aborted 4=aborted 5=aborted 6=completed a1=completed " "list tells them all"
is "$("$BIN/workflow" list --which open -f json)" "" "and the open ones"
status_is 66 "an instance that is not there" "$BIN/workflow" show 99
ok "the store is sound" "$BIN/events" verify

# ---- answers that are lost, while the orchestrator is dead: it asks again, and is told the same ----

cat >lost.yaml <<'END'
queues: {lost: {}, lost_replies: {}, lost_stock: {}, lost_bank: {}}
responders:
  stock: {queue: lost_stock, core: [{dedupe: id, store: stock.db}, {exec: ./stock}]}
workflows:
  lost:
    start: {queue: lost, id: .id}
    replies: lost_replies
    steps:
      - {name: reserve, request: {routing_key: lost_stock, body: '"reserve"'}, compensate: {routing_key: lost_stock, body: '"release"'}}
      - {name: charge, request: {routing_key: lost_bank, body: .replies.reserve}}
END
cat >stock <<'END'
#!/bin/bash
{ cat && echo; } >>did
echo "{\"times\": $(wc -l <did)}"
END
chmod +x stock
fresh did
export WARREN_SETTINGS=$work/lost.yaml WARREN_STORE=$work/lost.db
"$BIN/topology" apply >applied || exit 1
lead() {
	fresh run.err
	"$BIN/workflow" run -f none "$@" 2>run.err &
	runner=$!
}
serve() {
	fresh serve.err
	"$BIN/rpc" serve stock -f none --summary json 2>serve.err &
	server=$!
	eventually 60 grep -q 'waiting for requests' serve.err
}
# lose MARKS: the orchestrator is killed, and what it has asked is answered to nobody; so many marks are there then.
has_marks() { [ "$(sqlite3 -readonly stock.db 'SELECT count(*) FROM handled')" = "$1" ]; }
lose() {
	kill -9 "$runner" && wait "$runner" 2>/dev/null
	serve
	settled lost_replies 1 && eventually 60 has_marks "$1" && "$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- -q purge_queue -p "$vhost" lost_replies
}
lead
"$BIN/producer" --from - --yes -q -f none <<<'{"routing_key":"lost","body":"{\"id\":\"l\"}"}'
ok "a step is asked for" settled lost_stock 1
ok "and answered while nobody is there to hear it" lose 1
lead
ok "the next orchestrator asks again, and goes on with the answer" settled lost_bank 1
kill -INT $server && wait $server
is "$(jq -c '[.answered, .repeated]' <(tail -n 1 serve.err))" '[1,1]' "which was given again"
request=$(asked lost_bank)
is "$(jq -r .body <<<"$request")" '{"times":1}' "as it was"
answer "$request" no '{"x-warren-error":"no"}'
ok "a compensation is asked for" settled lost_stock 1
ok "and answered to nobody, by a server that comes back" lose 2
lead --count 1
wait "$runner"
is $? 0 "it does not stay without its answer"
is "$("$BIN/workflow" list -f json | jq -r .state)" aborted "all that was done is undone"
is "$(tr '\n' ' ' <did)" "reserve release " "each of it once"
kill -INT $server && wait $server
is "$(jq -c '[.answered, .repeated]' <(tail -n 1 serve.err))" '[1,1]' "though asked for twice"
export WARREN_SETTINGS=$work/s.yaml

# ---- a full house: what has no room waits in its queue ----

export WARREN_STORE=$work/full.db
for n in 1 2 3 4 5 6; do place '{"id":"f'$n'","to":"x"}'; done
run --limit 2 --count 6
for queue in stock bank shipping; do timeout 500 "$BIN/rpc" serve $queue --echo -f none -q 2>/dev/null & services="${services-} $!"; done
wait "$runner"
is $? 0 "six orders go through a house for two"
kill -INT $services
open=0 most=0
while read -r type; do
	case $type in *started) open=$((open + 1)) ;; *completed | *aborted) open=$((open - 1)) ;; esac
	[ $open -le $most ] || most=$open
done < <(jq -r .properties.type run.out)
is $most 2 "two at a time"

# ---- settings that are wrong ----

sed "s/body: '{order: .id, items: .input.items}'/body: '{order: .id,'/; s/failed: .lost/failed: '.lost ='/" s.yaml >wrong.yaml
status_is 78 "jq that does not compile" "$BIN/workflow" run -s wrong.yaml
is "$(grep -c '^wrong.yaml:[0-9]*:[0-9]*: workflows.order.steps.[02].*: cannot compile the jq expression' err)" 2 "is told with its place, all of it"
status_is 64 "an unknown workflow" "$BIN/workflow" run ordre
like "$(cat err)" "no workflow 'ordre'; did you mean 'order'" "gets a suggestion"
status_is 64 "a form that a verb has not" "$BIN/workflow" list -f dot
done_testing
