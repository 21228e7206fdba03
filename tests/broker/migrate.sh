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
status_is 0 "from quorum to classic" "${M[@]}" --set queues.orders.max_priority=5
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
for pause in 0.1 0.3 0.7 1.1 1.6 2.2 7.5 8.5 9.5 60; do
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

# Who does not consume any more may still hold a message, and give it back.
fill 1 50 -x t -k order.new
mkfifo hold
timeout -s KILL 120 "$BIN/consumer" -s s.yaml orders --no-declare --prefetch 1 --exec-shell --exec 'echo 1 >held; read -r x <hold' -f none 2>holder.err &
holder=$!
eventually 60 test -s held
pkill -INT -P $holder
has_no_consumer() { [ "$(api GET "queues/$vhost/orders" | jq .consumers)" = 0 ]; }
ok "a consumer that is to stop finishes what it has" eventually 60 has_no_consumer
"${M[@]}" --set queues.orders.max_length=200000 >hold.out 2>hold.err &
migration=$!
ok "the migration waits for what it holds" eventually 60 grep -q "queue 'orders': waiting for clients to settle 1 message" hold.err
pkill -KILL -P $holder
wait $holder 2>/dev/null
echo >hold & # ends the command that is left
wait $migration
is $? 0 "and goes on when it was given back"
bodies orders >got
ok "no message is lost" cmp got <(seq 50)
kill %echo 2>/dev/null

# ---- straight to the queue ----

seq 1 100000 | timeout -s INT 120 "$BIN/producer" --from - --no-declare -k orders --mandatory --rate 40/s -f json >sent 2>sent.err &
producer=$!
eventually 60 test -s sent
status_is 1 "while a producer sends by the default exchange: exit 1" "${M[@]}" --set queues.orders.message_ttl=1h
like "$(cat err)" "[0-9]+ messages came past its bindings, straight to the queue" "it warns of what nobody can see"
ok "it never stopped" kill -0 $producer
pkill -INT -P $producer
wait $producer
bodies orders >got
jq -r 'select(.fate == "confirmed") | .body' sent | sort -n >confirmed
is "$(comm -13 <(sort confirmed) <(sort got) | wc -l) $(uniq -d got | wc -l)" "0 0" "what arrives was sent, and arrives once"
ok "but for those of one moment all arrive ($(wc -l <confirmed) confirmed, $(wc -l <got) there)" test $(($(wc -l <confirmed) - $(wc -l <got))) -le 20

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
refused 64 "over AMQP alone" "--migrate has to see all bindings and what clients hold: give --management URL" --migrate orders --management '' --set queues.orders.max_length=5
refused 69 "an API that does not answer" "127.0.0.1:1: " --migrate orders --management http://127.0.0.1:1 --set queues.orders.max_length=5
refused 76 "another object in the way" "exchange 'f' exists with another 'type'" --migrate orders --set queues.orders.max_length=5 --set exchanges.f.type=direct
ok "nothing was changed" cmp before <(definitions -S .)
fill 1 100 -x t -k order.new
refused 76 "a limit that is too low" "queue 'orders': it holds 100 messages, more than its new limit" --migrate orders --set queues.orders.max_length=10
api PUT "policies/$vhost/brief" '{"pattern":"^orders","definition":{"expires":60000},"apply-to":"queues"}' >/dev/null
refused 76 "a policy under which the one in between goes" "queue 'orders': nothing was changed: a policy gives the queue that stands in for it, 'orders.migration', a limit \(expires\)" --migrate orders --set queues.orders.max_length=1000
api DELETE "policies/$vhost/brief" >/dev/null
ok "nothing was changed by these" cmp before <(definitions -S .)
is "$(bodies orders | wc -l)" 100 "and no message is lost"
"$BIN/topology" delete -s s.yaml -q
api PUT "queues/$vhost/orders" '{"durable":true,"arguments":{"x-single-active-consumer":true}}' >/dev/null
timeout 60 "$BIN/consumer" --no-declare orders -f none 2>single.err &
eventually 60 grep -q 'waiting for messages' single.err
refused 76 "a single active consumer" "queue 'orders': it has a single active consumer, which gets all messages: stop its consumers first" --migrate orders
kill -INT $!
wait $!
status_is 64 "--migrate is for apply" "$BIN/topology" plan -s s.yaml --migrate orders
done_testing
