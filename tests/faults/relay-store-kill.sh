#!/bin/bash
# A relay whose results go to an event store, killed with -9 again and again: each order comes twice, under two message
# ids and with other words, becomes none, one or several events that are new each time they are made, and is in the
# store exactly once: the mark of dedupe is in the transaction of its events.
# MESSAGES=20000 KILLS=50 ...: the long run.
. tests/support/tap.sh
use_broker
cd "$work" || exit
MESSAGES=${MESSAGES:-3000} KILLS=${KILLS:-6}

cat >s.yaml <<'END'
queues: {orders: {}}
relays:
  kept:
    queue: orders
    core:
      - {dedupe: .order}
      - {jq: '. as $o | range(.order % 4) | {order: $o.order, part: ., made: now, by: $o.copy}'}
    store: events.db
END
ok "a queue" "$BIN/topology" apply -s s.yaml
awk -v n="$MESSAGES" 'BEGIN {for (copy = 1; copy <= 2; copy++) for (i = 0; i < n; i++)
	printf "{\"exchange\":\"\",\"routing_key\":\"orders\",\"properties\":{\"message_id\":\"m%d.%d\"},\"body\":\"{\\\"order\\\":%d,\\\"copy\\\":%d}\"}\n", i, copy, i, copy}' >orders.jsonl
ok "$MESSAGES orders, each twice" timeout 60 "$BIN/producer" --from orders.jsonl --yes -q

lines() { wc -l <"$1" | tr -d ' '; }
has_lines() { [ "$(lines "$1")" -ge "$2" ]; }
ended() { ! kill -0 "$1" 2>/dev/null; }
went_on() { has_lines part "$1" || ended "$2"; }
step=$((MESSAGES * 3 / 2 / (KILLS + 2))) # results between two kills
killed=0
for ((n = 1; n <= KILLS; n++)); do
	fresh part
	"$BIN/relay" -s s.yaml kept --until-empty -f json >part 2>"run.$n.err" &
	run=$!
	# not always at the same place of its doing
	eventually 60 went_on $((step * (1 + n % 3) / 2 + n)) $run
	kill -9 $run 2>/dev/null
	wait $run 2>/dev/null
	[ $? -ne 137 ] || killed=$((killed + 1))
done
ok "killed $killed times" test $killed -gt 0
deserted orders
timeout 120 "$BIN/relay" -s s.yaml kept --until-empty -q --summary json 2>last.err
is $? 0 "the last run comes to its end"
ok "nothing is left in the queue" settled orders 0

"$BIN/events" export --store events.db >exported 2>export.err
jq -c '.body | fromjson' exported >events
is "$(lines events)" "$(awk -v n="$MESSAGES" 'BEGIN {for (i = 0; i < n; i++) all += i % 4; print all}')" "so many events as the orders make"
is "$(jq -r '"\(.order) \(.part)"' events | sort | uniq -d | wc -l)" 0 "each once"
is "$(jq -r '"\(.order) \(.by)"' events | sort -u | cut -d' ' -f1 | uniq -d | wc -l)" 0 "those of an order are all of one message"
status_is 0 "the store is what it should be" "$BIN/events" verify --store events.db
done_testing
