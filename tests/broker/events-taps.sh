#!/bin/bash
# `events record` beside others: taps of exchanges, the firehose; and when the connection is lost.
. tests/support/tap.sh
. tests/support/recording.sh
use_broker
. tests/support/through.sh
recording_settings

# ---- a tap ----

recording tap.db --tap shop
produce m
ok "a tap gets what is published to an exchange" eventually 60 has_stored tap.db 500
ok "and takes nothing from the queue" settled a 500
"$BIN/consumer" a --until-empty -f json -q | jq -r .properties.message_id >got
ok "whose consumer gets the same messages, in the same order" cmp got <(sql tap.db 'SELECT id FROM events ORDER BY position')
is "$(sql tap.db 'SELECT DISTINCT queue IS NULL, exchange, routing_key FROM event')" "1|shop|order.made" "its events are of no queue"
ended $recorder
is $? 0 "the recorder ends when it is told to"
has_no_tap() { ! "$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- -q -p "$vhost" list_queues name | grep warren.events; }
ok "and its queue goes with it" eventually 60 has_no_tap
recording keyed.db --tap desk --tap shop --key order.lost --key paid
produce --from - <<'END'
{"exchange":"desk","routing_key":"paid","properties":{},"body":"1"}
{"exchange":"desk","routing_key":"other","properties":{},"body":"2"}
{"exchange":"shop","routing_key":"order.lost","properties":{},"body":"3"}
{"exchange":"shop","routing_key":"order.made","properties":{},"body":"4"}
{"exchange":"shop","routing_key":"paid","properties":{},"body":"5"}
END
ok "--key is what a tap binds with" eventually 60 has_stored keyed.db 3
is "$(sql keyed.db 'SELECT group_concat(body) FROM (SELECT body FROM event ORDER BY body)')" "1,3,5" "and nothing else comes"
ended $recorder
recording desk.db --tap desk
produce --from - <<<'{"exchange":"desk","routing_key":"paid","properties":{},"body":"1"}'
ok "a direct exchange is tapped with the keys of the settings" eventually 60 has_stored desk.db 1
ended $recorder
unset WARREN_SETTINGS
status_is 64 "without settings the keys are asked for" "$BIN/events" record --tap desk
like "$(head -n 1 "$work/err")" "exchange 'desk' is direct, and no settings tell its keys: name them with --key" "since nothing else tells them"
status_is 76 "an exchange that is not there" "$BIN/events" record --tap nowhere
like "$(cat "$work/err")" "there is no exchange 'nowhere'" "is named"
recording unknown.db --tap shop
produce --from - <<<'{"exchange":"shop","routing_key":"any.thing","properties":{},"body":"1"}'
ok "the type of another exchange is asked of the broker" eventually 60 has_stored unknown.db 1
ended $recorder
export WARREN_SETTINGS=$work/s.yaml
"$BIN/topology" purge -q

# ---- the firehose ----

recording quiet.db --firehose publish
ok "when nothing comes it says how the firehose is turned on" eventually 60 grep -q "rabbitmqctl trace_on -p $vhost" quiet.db.err
ended $recorder
recording publish.db --firehose publish
publishing=$recorder
recording deliver.db --firehose deliver
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- trace_on -p "$vhost" >/dev/null
of_all_kinds >given
count=$(wc -l <given)
produce --from given
"$BIN/consumer" a -f json --count "$count" -q >seen
produce to_b --amount 1
ok "every message that is published is recorded" eventually 60 has_stored publish.db $((count + 1))
ended $publishing
# the tracer writes 64 bits without sign as 64 with one
ok "as it was: exchange, key, properties, headers, body" \
	cmp <(sed 's/{"$type":"uint64","value":"18446744073709551615"}/-1/' seen | lines_of_consumer) <(lines_of_store publish.db | head -n $((4 * count)))
is "$(sql publish.db "SELECT exchange, routing_key, queue IS NULL FROM events ORDER BY position DESC LIMIT 1")" "|b|1" "from the default exchange too"
"$BIN/consumer" b --until-empty -f none -q
ok "every message that is delivered" eventually 60 has_stored deliver.db $((count + 1))
ended $recorder
is "$(sql deliver.db "SELECT queue, count(*), max(redelivered) FROM event GROUP BY queue")" "a|$count|0
b|1|0" "with the queue that it was delivered from"
"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- trace_off -p "$vhost" >/dev/null
"$BIN/topology" purge -q

# ---- the connection is lost, several times ----

proxy_up 1
recording lost.db a --tap desk --batch-time 5ms
came_back() { [ "$(grep -c 'connected again' lost.db.err)" -ge "$1" ]; }
"$BIN/producer" m --url "$direct_url" --amount 3000 --rate 2000/s --yes -q &
producer=$!
for cut in 1 2 3; do
	eventually 60 eval "[ \$(sql lost.db 'SELECT count(*) FROM event') -ge $((cut * 700)) ]"
	proxy cut
	eventually 60 came_back $cut
done
wait $producer
ok "a recorder comes back when the connection is lost" eventually 60 has_stored lost.db 3000
is "$(sql lost.db "SELECT count(DISTINCT id), sum(json_extract(body, '\$.n') <> position) FROM event")" "3000|0" \
	"with everything once, in order"
like "$(cat lost.db.err)" "the taps are bound anew: what was published while the connection was lost was not seen" \
	"and says what a tap has not seen"
ended $recorder
is $? 0 "it ends when it is told to"
proxy_down
done_testing
