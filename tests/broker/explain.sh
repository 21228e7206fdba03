#!/bin/bash
# topology explain says where messages go, and a real broker agrees: over random topologies (SEED=, COUNT=),
# the rows of the unit tests, and one that is read by people.
. tests/support/tap.sh
. tests/support/api.sh
agree=$PWD/${INSTRUMENTS:-build/release/tests}/broker/routes_agree
use_broker
cd "$work" || exit

# ---- random topologies ----

seed=${SEED:-$((RANDOM * 32768 + RANDOM))} count=${COUNT:-500}
timeout $((120 + count / 10)) "$agree" "$seed" "$count" >out 2>err </dev/null
is $? 0 "where the broker delivers equals what is said, for $count topologies (SEED=$seed)"
grep -v ^seed= out | head -n 60 | sed 's/^/# /'
cat err
read -ra said < <(grep ^seed= out)
figure() { printf '%s\n' "${said[@]}" | sed -n "s/^$1=//p"; }
echo "# ${said[*]}"
for kind in deliveries nobody returned alternates again; do
	ok "and some of the messages were about $kind" test "$(figure $kind)" -ge $((count / 2))
done

# ---- one that is read ----

cat >s.yaml <<'END'
exchanges:
  orders: {type: topic, alternate: unrouted}
  eu: {type: headers}
  unrouted: {type: fanout}
  inner: {type: direct, internal: true}
  spread: {type: x-consistent-hash}
queues: {audit: , cancelled: , paid: , lost: }
bindings:
  - {exchange: orders, queue: audit, routing_key: "order.#"}
  - {exchange: orders, queue: cancelled, routing_key: "order.*.cancelled"}
  - {exchange: orders, to_exchange: eu, routing_key: "*.eu.*"}
  - {exchange: eu, queue: paid, match: all, headers: {paid: true}}
  - {exchange: eu, to_exchange: orders, match: any, headers: {paid: true, again: null}}
  - {exchange: unrouted, queue: lost}
  - {exchange: spread, queue: audit, routing_key: "1"}
END
explain() { timeout 60 "$BIN/topology" explain "$@" >out 2>err </dev/null; }
status_is 0 "a way over two exchanges and back" \
	"$BIN/topology" explain orders --key order.eu.paid --header paid=true -s s.yaml
is "$(cat out)" "exchange orders (topic), routing key 'order.eu.paid'
  match     queue audit: order.# matches order.eu.paid
  no match  queue cancelled: order.*.cancelled does not match order.eu.paid, word 3 is 'paid' and not 'cancelled'
  match     exchange eu: *.eu.* matches order.eu.paid
    exchange eu (headers)
      match     queue paid: the message has \"paid\": true (x-match: all)
      match     exchange orders: the message has \"paid\": true (x-match: any); again: already visited
2 queues get it:
  audit
  paid" "is told binding by binding"
status_is 0 "what matches nothing" "$BIN/topology" explain orders -k nothing -s s.yaml
is "$(tail -n 5 out)" "  no binding matches, the alternate exchange gets it: unrouted
    exchange unrouted (fanout)
      match     queue lost: a fanout exchange passes everything on
1 queue gets it:
  lost" "goes to the alternate exchange"
status_is 1 "what matches a binding that leads to nobody is not for the alternate: exit 1" \
	"$BIN/topology" explain orders -k a.eu.b -H 'paid="true"' -s s.yaml
is "$(tail -n 5 out)" '    exchange eu (headers)
      no match  queue paid: "paid": true wanted, the message has "paid": "true" (x-match: all)
      no match  exchange orders: "again" wanted, the message has no "again"; "paid": true wanted, the message has "paid": "true" (x-match: any)
      no binding matches, nor is there an alternate exchange
nobody gets it: with mandatory it is returned, without it is dropped' "and that is said"
status_is 0 "the default exchange, and further keys" "$BIN/topology" explain '' -k audi -H 'CC=[paid, lost]' -s s.yaml
is "$(cat out)" "the default exchange, routing key 'audi', also 'paid', also 'lost'
  no match  queue audi: queue 'audi' is not declared; did you mean 'audit'?
  match     queue paid: the routing key is its name
  match     queue lost: the routing key is its name
2 queues get it:
  paid
  lost" "are names of queues"
status_is 1 "a type that only a plugin knows" "$BIN/topology" explain spread -k 1 -s s.yaml
is "$(tail -n 2 out)" "  unknown   queue audit: how an exchange of type x-consistent-hash routes is not known to warren
no queue is known to get it" "is not guessed at"
status_is 1 "an exchange of others" "$BIN/topology" explain amq.topic -s s.yaml
is "$(head -n 1 out)" "exchange amq.topic (topic; what else is bound to it, the settings do not say), routing key ''" \
	"may have bindings that are not seen"
status_is 76 "an internal exchange: the broker would refuse" "$BIN/topology" explain inner -s s.yaml
like "$(cat err)" "exchange 'inner' is internal" "which is said"
status_is 76 "so it would a CC that is no list" "$BIN/topology" explain orders -H CC=a -s s.yaml
like "$(cat err)" "CC is not a list" "which is said, too"
status_is 64 "an exchange that is not declared" "$BIN/topology" explain order -s s.yaml
like "$(cat err)" "exchange 'order' is not declared; did you mean 'orders'\?" "is one word away"
status_is 64 "no exchange at all" "$BIN/topology" explain -s s.yaml
status_is 64 "a header without a value" "$BIN/topology" explain orders -H paid -s s.yaml

explain orders -k order.eu.paid -H paid=true -H n=3 -H x.y= -H 'l=[1, a]' -s s.yaml -f json
is "$(jq -c '[.exchange, .routing_keys, .queues, .complete]' out)" \
	'["orders",["order.eu.paid"],["audit","paid"],true]' "--format json: the outcome"
is "$(jq -c '.steps[] | [.step, .depth, .queue // .to_exchange, .match, .again]' out)" \
	'["exchange",0,null,null,null]
["binding",0,"audit",true,false]
["binding",0,"cancelled",false,false]
["binding",0,"eu",true,false]
["exchange",1,null,null,null]
["binding",1,"paid",true,false]
["binding",1,"orders",true,true]' "and each step"

# ---- the broker's ----

grep -v spread s.yaml >here.yaml
ok "the same on the broker" "$BIN/topology" apply -s here.yaml
api PUT "policies/$vhost/unplaced" '{"pattern": "^(amq.direct|eu)$", "definition": {"alternate-exchange": "unrouted"},
	"apply-to": "exchanges"}' >policy.out
explain orders -k order.eu.paid -H paid=true -s here.yaml
sort out >declared
explain orders -k order.eu.paid -H paid=true --live
is "$(sort out)" "$(cat declared)" "--live says what the settings say, but for the order"
explain orders -k a.eu.b --live
is "$? $(tail -n 1 out)" "0   lost" "a policy's alternate exchange is seen"
explain amq.direct -k a.eu.b --live # whatever else is bound to it
is "$? $(tail -n 1 out)" "0   lost" "on a built-in exchange as well"
for exchange in orders amq.direct; do
	jq -nc --arg x $exchange '{exchange: $x, routing_key: "a.eu.b", body: "x"}' |
		"$BIN/producer" --from - >/dev/null 2>producer.err
	is $? 0 "and the broker places it: $exchange"
done
is "$("$BIN/consumer" -s here.yaml audit cancelled paid lost --until-empty -f json 2>consumer.err | jq -r .queue | sort | uniq -c | xargs)" \
	"2 lost" "there, and nowhere else"
status_is 64 "--live: an exchange that is not there" "$BIN/topology" explain nope --live
done_testing
