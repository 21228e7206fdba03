#!/bin/bash
# apply --migrate gives a queue new arguments and keeps its messages, whoever sends, listens, or is killed meanwhile.
. tests/support/tap.sh
. tests/support/api.sh
use_broker
cd "$work" || exit

cat >s.yaml <<'END'
exchanges:
  t: {type: topic}
  h: {type: headers}
  f: {type: fanout}
queues:
  orders:
  beside:
bindings:
  - {exchange: t, queue: orders, routing_key: "order.#"}
  - {exchange: t, queue: orders, routing_key: "#.new"}
  - {exchange: h, queue: orders, match: any, headers: {kind: order, n: 3}}
  - {exchange: f, queue: orders}
  - {exchange: f, queue: beside}
END
M=("$BIN/topology" apply --migrate orders -s s.yaml)
apply() { "$BIN/topology" apply -s s.yaml -q; }
bodies() { timeout 60 "$BIN/consumer" --no-declare "$1" --until-empty -f body -q 2>/dev/null | sort -n; }
there() { definitions -c '[.queues[].name, .exchanges[].name] | sort'; }
# fill FROM TO ARGUMENT...
fill() { seq "$1" "$2" | "$BIN/producer" --from - --no-declare -q "${@:3}"; }

# ---- while a producer sends ----

apply
api POST "bindings/$vhost/e/amq.direct/q/orders" '{"routing_key":"by-hand","arguments":{}}' >/dev/null
bindings=$(definitions -cS '[.bindings[] | select(.destination == "orders")] | sort')
fill 1 10000 -x t -k order.new
seq 10001 40000 | "$BIN/producer" --from - --no-declare -x t -k order.new --rate 6000 -f none >sent 2>sent.err &
producer=$!
seq 40001 41000 | "$BIN/producer" --from - --no-declare -x f --rate 200 -f none >sent2 2>sent2.err &
producer2=$!
eventually 30 grep -q broker sent.err
status_is 0 "a queue that holds 10,000 messages, from classic to quorum, while producers send" "${M[@]}" --set queues.orders.type=quorum
like "$(head -n 1 out)" "^migrated queue 'orders' with [0-9,]+ messages$" "it tells how many it moved"
wait $producer $producer2
like "$(cat sent.err sent2.err)" '30,000 confirmed, 0 returned, 0 nacked, 0 unconfirmed' "the producer notices nothing"
is "$(definitions -r '.queues[] | select(.name == "orders") | .arguments["x-queue-type"]')" quorum "the queue is another one"
is "$(definitions -cS '[.bindings[] | select(.destination == "orders")] | sort')" "$bindings" "with the same bindings, those that nobody declared included"
is "$(there)" '["beside","f","h","orders","t"]' "and nothing else is left"
bodies orders >got
ok "all messages arrive once" cmp got <(seq 41000)
is "$(bodies beside | wc -l)" 1000 "in the other queue, too"
status_is 0 "the same once more" "${M[@]}" --set queues.orders.type=quorum
is "$(grep -c '^migrated' out)" 0 "has nothing to migrate"

# ---- what a message is ----

timeout 30 "$BIN/producer" --from - --no-declare -q <<'END'
{"exchange":"t","routing_key":"order.first","properties":{"message_id":"m1","headers":{"a":[1,{"$type":"int8","value":2}],"CC":["order.cc"]},"priority":3,"expiration":"600000","type":"x","delivery_mode":2,"correlation_id":"c"},"body":"one"}
{"exchange":"t","routing_key":"order.second","properties":{"message_id":"m2"},"body_base64":"//79"}
END
status_is 0 "from quorum to classic, over AMQP alone" env -u RABBITMQ_MANAGEMENT_URL "${M[@]}" --set queues.orders.max_priority=5
like "$(cat err)" 'over AMQP alone only the bindings of the settings' "it says what it cannot see"
timeout 30 "$BIN/consumer" --no-declare orders --until-empty -f json -q >got 2>/dev/null
is "$(jq -c '[.routing_key, .properties.message_id, .properties.delivery_mode, .properties.priority, .properties.expiration, .properties.correlation_id, .properties.headers.a]' got)" \
	'["order.first","m1",2,3,"600000","c",[1,{"$type":"int8","value":2}]]
["order.second","m2",null,null,null,null,null]' "key, properties and headers stay, and the order does"
is "$(jq -r .body_base64 got | tail -n 1)" "//79" "and so do bodies"

# ---- interrupted ----

"$BIN/topology" delete -s s.yaml -q
apply
fill 1 5000 -x t -k order.new
kills=0 left=0
end=$((SECONDS + 120))
for pause in 0.1 0.2 0.4 0.7 1.0 1.3 1.7 2.2 60; do
	timeout -s KILL "$pause" "${M[@]}" --set queues.orders.type=quorum >kill.out 2>kill.err
	status=$?
	fill $((5001 + kills * 100)) $((5100 + kills * 100)) -x t -k order.new
	[ $status -ne 0 ] || break
	kills=$((kills + 1))
	definitions '.exchanges[].name' | grep -q migration && left=$((left + 1))
	if [ $left -eq 1 ]; then
		left=2
		status_is 76 "apply without --migrate, in between: exit 76" "$BIN/topology" apply -s s.yaml --set queues.orders.type=quorum
		like "$(cat err)" "a migration of queue 'orders' is under way, or was interrupted; this finishes it: topology apply --migrate orders -s s.yaml" "it says what finishes it"
		status_is 1 "plan in between" "$BIN/topology" plan -s s.yaml --set queues.orders.type=quorum
		like "$(cat out)" "^- exchange orders.migration  \(of a migration that was interrupted" "shows it"
	fi
	[ $SECONDS -lt $end ] || break
done
is "$status" 0 "killed again and again, the last one finishes"
ok "it was killed in the middle, too ($kills times)" test "$left" -ge 2
is "$(there)" '["beside","f","h","orders","t"]' "nothing is left"
status_is 0 "plan: equal" "$BIN/topology" plan -s s.yaml --set queues.orders.type=quorum --prefix ''
bodies orders >got
ok "no message is lost" cmp <(uniq got) <(seq $((5100 + kills * 100)))
echo "# killed $kills times; $(uniq -d got | wc -l) of $(uniq got | wc -l) came twice"

# ---- consumers ----

"$BIN/topology" delete -s s.yaml -q
apply
timeout 120 "$BIN/consumer" -s s.yaml orders --set queues.orders.max_length=100000 --no-declare --on-cancel renew --prefetch 50 -f body >eaten 2>eater.err &
eater=$!
eventually 30 grep -q 'waiting for messages' eater.err
seq 1 6000 | "$BIN/producer" --from - --no-declare -x t -k order.new --rate 1500 -f none >sent 2>sent.err &
producer=$!
eventually 30 test -s eaten
status_is 0 "while a consumer is at work" "${M[@]}" --set queues.orders.max_length=100000
wait $producer
all_eaten() { [ "$(sort -nu eaten | wc -l)" -eq 6000 ]; }
ok "it goes on with the new queue" eventually 60 all_eaten
kill -INT $eater
wait $eater
is "$(sort -n eaten | uniq -d | wc -l)" 0 "and gets each message once"
timeout 60 "$BIN/consumer" -s s.yaml orders --no-declare -f none >idle 2>idle.err &
eater=$!
eventually 30 grep -q 'waiting for messages' idle.err
status_is 76 "over AMQP alone a queue with consumers stays as it is: exit 76" env -u RABBITMQ_MANAGEMENT_URL "${M[@]}"
like "$(cat err)" "queue 'orders': nothing was changed: it has 1 consumer, and AMQP alone does not tell what they hold" "it says why"
kill -INT $eater
wait $eater
is "$(there)" '["beside","f","h","orders","t"]' "and all is put back"

# ---- straight to the queue ----

seq 1 3000 | "$BIN/producer" --from - --no-declare -k orders --mandatory --rate 1000 -f json >sent 2>sent.err &
producer=$!
eventually 30 test -s sent
status_is 0 "while a producer sends by the default exchange" "${M[@]}" --set queues.orders.message_ttl=1h
wait $producer
bodies orders >got
ok "what was confirmed arrives once" cmp got <(jq -r 'select(.fate == "confirmed") | .body' sent | sort -n)
is "$(jq -r .fate sent | sort -u | grep -vc -e confirmed -e returned)" 0 "what was not is known to the producer as returned"

# ---- what cannot be ----

refused() {
	status_is "$1" "$2: exit $1" "$BIN/topology" apply -s s.yaml "${@:4}"
	like "$(cat err)" "$3" "$2: it says why"
}
"$BIN/topology" delete -s s.yaml -q
api PUT "queues/$vhost/log" '{"durable":true,"arguments":{"x-queue-type":"stream"}}' >/dev/null
api PUT "queues/$vhost/brief" '{"auto_delete":true}' >/dev/null
apply
definitions -S . >before
refused 76 "a stream" "queue 'log' cannot be migrated: a stream keeps what is read" --migrate log --set queues.log.type=stream --set queues.log.max_age=1h
refused 76 "a queue that is auto-deleted" "queue 'brief' cannot be migrated: it is auto-deleted" --migrate brief --set queues.brief.max_length=5
refused 64 "a queue that the settings do not have" "--migrate: queue 'order' is not declared; did you mean 'orders'\?" --migrate order
refused 76 "another object in the way" "exchange 'f' exists with another 'type'" --migrate orders --set queues.orders.max_length=5 --set exchanges.f.type=direct
ok "nothing was changed" cmp before <(definitions -S .)
status_is 64 "--migrate is for apply" "$BIN/topology" plan -s s.yaml --migrate orders
done_testing
