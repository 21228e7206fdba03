#!/bin/bash
# events trace: the tree of a trace, out of a store, without any collector.
. tests/support/tap.sh
for variable in "${!WARREN_@}" "${!OTEL_@}"; do unset "$variable"; done
cd "$work" || exit 70
events=$BIN/events
trace=4bf92f3577b34da6a3ce929d0e0e4736

# event SECONDS SPAN ID CAUSE TYPE KEY [HEADERS]
event() {
	printf '{"received":"2026-11-21T08:00:%sZ","exchange":"x","routing_key":"%s","redelivered":false,"queue":"q","properties":{"headers":{"traceparent":"00-%s-00000000000000%s-01"%s%s},"message_id":"%s","type":"%s"},"body":"{}"}\n' \
		"$1" "$6" "$trace" "$2" "${4:+,\"x-warren-cause\":\"$4\"}" "${7-}" "$3" "$5"
}
{
	event 00.000000 a1 o-1 '' OrderPlaced order.placed
	event 00.003000 a2 p-1 o-1 PaymentRequested pay.card
	event 00.004000 a4 m-1 o-1 MailRequested mail.send
	event 00.103000 a3 p-2 '' Paid pay.done ',"cloudEvents_causationid":"p-1"'
	event 02.004000 a5 l-1 gone Late late
	cat <<END
{"received":"2026-11-21T08:00:02.005000Z","exchange":"","routing_key":"evt","redelivered":false,"properties":{"content_type":"application/cloudevents+json"},"body":"{\"specversion\":\"1.0\",\"id\":\"ce-1\",\"source\":\"/x\",\"type\":\"Shipped\",\"data\":{},\"traceparent\":\"00-$trace-00000000000000a7-01\",\"causationid\":\"p-2\"}"}
{"received":"2026-11-21T08:00:03.000000Z","exchange":"","routing_key":"x","redelivered":false,"properties":{"headers":{"traceparent":"00-00000000000000000000000000000009-00000000000000a6-01","about":"$trace"},"message_id":"other"},"body":"$trace"}
{"received":"2026-11-21T08:00:04.000000Z","exchange":"","routing_key":"x","redelivered":false,"properties":{"message_id":"none","type":"Evil\u001b[31m"},"body":"$trace"}
END
} >in.jsonl
status_is 0 "a store" "$events" import -q in.jsonl

"$events" trace $trace >tree
cat >expected <<END
trace $trace: 6 messages in 2.005s from 2026-11-21T08:00:00.000Z on
     0.0ms  OrderPlaced  x/order.placed  #1 o-1
     3.0ms  ├─ PaymentRequested  x/pay.card  #2 p-1
   103.0ms  │  └─ Paid  x/pay.done  #4 p-2
    2.005s  │     └─ Shipped  evt  #6 ce-1
     4.0ms  └─ MailRequested  x/mail.send  #3 m-1
    2.004s  Late  x/late  #5 l-1  (its cause is not recorded: gone)
END
ok "what was made of what, and when" diff expected tree
for name in 00-$trace-00f067aa0ba902b7-01 4 p-2 ce-1; do
	"$events" trace "$name" >other
	ok "the same by $name" cmp tree other
done
"$events" trace $trace -f json >tree.jsonl
is "$(jq -c '[.position, .parent, .depth, .id, .lacks_cause]' tree.jsonl | paste -sd' ')" \
	'[1,null,0,"o-1",false] [2,1,1,"p-1",false] [4,2,2,"p-2",false] [6,4,3,"ce-1",false] [3,1,1,"m-1",false] [5,null,0,"l-1",true]' "as JSON lines, with the positions of the parents"
is "$(jq -s 'all(.[]; .trace == "'$trace'" and (.span | length) == 16)' tree.jsonl)" true "each with its span"

status_is 66 "an event without a trace" "$events" trace none
like "$(cat err)" "belongs to no trace" "and where one would come from"
status_is 66 "what is neither" "$events" trace nix
like "$(cat err)" "32 hexadecimal digits" "and what a trace id looks like"
status_is 66 "a trace of nobody" "$events" trace 00000000000000000000000000000001
status_is 64 "one at a time" "$events" trace 1 2
status_is 64 "no CSV" "$events" trace 1 -f csv
status_is 64 "nor options that say which events" "$events" trace 1 --type Paid

event 05.000000 b1 $'evil\\u001b[2J' o-1 'T\\u001b]0;x' "key" >"more.jsonl"
status_is 0 "something evil" "$events" import -q more.jsonl
ok "nothing of it gets to a terminal as it is" sh -c "'$events' trace $trace | { ! grep -q \$'\\033'; }"
done_testing
