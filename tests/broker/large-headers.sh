#!/bin/bash
# Headers that do not fit into a frame: RabbitMQ delivers them all the same, for it adds to those of
# dead letters, and others have agreed on larger frames. They are read; what cannot be published any
# more has one fate, which is told and counted, and the others go on.
. tests/support/tap.sh
use_broker
cd "$work" || exit

cat >s.yaml <<'END_OF_SETTINGS'
exchanges:
  graveyard: {type: fanout}
  out: {type: fanout}
queues:
  brief: {message_ttl: 1ms, dead_letter: graveyard}
  dug: {}
  ruled: {}
  retried: {retry: {attempts: 2, delay: 1s}}
  got: {}
  asked: {}
  replies: {}
bindings:
  - {exchange: graveyard, queue: dug}
  - {exchange: graveyard, queue: ruled}
  - {exchange: graveyard, queue: retried}
  - {exchange: out, queue: got}
END_OF_SETTINGS
export WARREN_SETTINGS=$work/s.yaml
ok "the topology stands" "$BIN/topology" apply

# die BYTES: three messages of which one has so long a header die by their TTL, into three queues.
die() {
	jq -nc --argjson bytes "$1" '{first: 10, large: $bytes, last: 20} | to_entries[] | {exchange: "",
		routing_key: "brief", properties: {delivery_mode: 2, message_id: .key, headers: {pad: ("p" * .value)}},
		body: "{\"n\":1}"}' | AMQP_URL=$large_frames "$BIN/producer" --from - --quiet --no-declare
}
large_frames=$AMQP_URL
ids() { jq -r '.properties.message_id' "$1" | tr '\n' ' '; }

# ---- dead letters that have grown above a frame ----

die 131000
for queue in dug ruled retried; do ok "they have died ($queue)" settled $queue 3; done
status_is 0 "a consumer takes them" "$BIN/consumer" dug --until-empty -f json --no-quiet
like "$(cat "$work/err")" '3 received, 3 acknowledged in' "and acknowledges each"
is "$(ids out)" "first large last " "in their order"
is "$(jq -c 'select(.properties.message_id == "large").properties.headers | [(.pad | length), ."x-death"[0].reason]' out)" \
	'[131000,"expired"]' "with all headers, and those of the broker"
status_is 0 "the recorder takes them" "$BIN/events" record ruled --until-empty --store large.db
like "$(cat "$work/err")" '3 received, 3 stored in' "and stores each"
status_is 0 "a relay takes them" "$BIN/relay" --queue retried --exchange out --until-empty
like "$(cat "$work/err")" '3 received, 3 published in' "and sends each on, without what the broker has added"
ok "they have arrived" settled got 3
status_is 0 "a replay sends each out of the store" "$BIN/events" replay --store large.db --exchange out
ok "they have arrived again" settled got 6
"$BIN/topology" purge got >/dev/null

# ---- headers that do not fit the connection ----

export AMQP_URL="$AMQP_URL?frame_max=4096"
die 5000
for queue in dug ruled retried; do ok "they have died again ($queue)" settled $queue 3; done
status_is 1 "deadletters return cannot send one of them" "$BIN/deadletters" return dug --exchange out --yes
like "$(cat "$work/err")" 'a message cannot be sent and stays in its queue: the properties and headers take 50[0-9]+ bytes; one frame holds 4088' \
	"it says why"
like "$(cat "$work/err")" '2 returned, 3 looked_at, 1 unsendable in' "it counts it, and returns the others"
status_is 1 "a relay cannot either" "$BIN/relay" --queue ruled --exchange out --until-empty
like "$(cat "$work/err")" 'message large was nacked: the properties and headers take 50' "it says which, and why"
like "$(cat "$work/err")" '3 received, 2 published, 1 nacked, 1 requeued in' "it gives it back, and sends the others on"
is "$(grep -c large "$work/err")" 1 "it tells it once"
ok "there it is" settled ruled 1
status_is 1 "nor can a relay with retries" "$BIN/relay" --queue retried --exchange out --until-empty
like "$(cat "$work/err")" "cannot send a failed message of queue 'retried' on: the properties and headers take 50.*; it is held and given back in the end" \
	"it says so"
like "$(cat "$work/err")" '3 received, 2 published, 1 nacked, 1 unsent, 1 requeued in' "and gives it back"
ok "there it is as well" settled retried 1
status_is 1 "a consumer whose command rejects it has nowhere to park it" \
	"$BIN/consumer" retried --exec false --until-empty -f none --no-quiet
like "$(cat "$work/err")" '1 received, 0 acknowledged, 1 requeued, 1 unsent' "and gives it back, too"
status_is 0 "a recorder takes it" "$BIN/events" record ruled retried --until-empty --store one.db
status_is 1 "a replay cannot send it" "$BIN/events" replay --store one.db --exchange out
like "$(cat "$work/err")" 'event 1 was nacked: the properties and headers take 50.*; the replay ends before it' \
	"and says which event it is"
ok "the others have arrived" settled got 6

# ---- a request whose trace context, which replies have, too, leaves no room for the reply ----

jq -nc '(10, 5000, 20) | {exchange: "", routing_key: "asked", properties: {delivery_mode: 2, message_id: tostring,
	reply_to: "replies", headers: {tracestate: ("p" * .)}}, body: "{\"n\":1}"}' |
	AMQP_URL=$large_frames "$BIN/producer" --from - --quiet --no-declare
"$BIN/rpc" serve asked --echo -f none >out 2>err &
server=$!
ok "a server that cannot send one of the replies sends the others" settled replies 2
ok "and no request is left" settled asked 0
kill -TERM $server
wait $server
is $? 0 "it ends when it is asked to"
like "$(cat err)" "a reply to 'replies' was refused \(the properties and headers take 5[0-9]+ bytes; one frame holds 4088\): its caller gets none" \
	"it has told of the one"
like "$(cat err)" '3 requests, 2 answered, 1 undeliverable in' "and has counted it"
done_testing
