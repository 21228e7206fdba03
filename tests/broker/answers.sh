#!/bin/bash
# rpc serve with dedupe: a request that comes again gets the first answer again, and the work is done once; in memory,
# beyond a kill in a store, from another server that shares it, and as far as the bound reaches.
# shellcheck disable=SC2317 # functions are called through eventually
. tests/support/tap.sh
use_broker
cd "$work" || exit

# respond NAME STEP: a queue and its responder, whose work is written down.
respond() {
	printf '  %s:\n    queue: %s\n    core:\n      - {dedupe: %s}\n      - {exec: ./work, jobs: 4}\n' "$1" "$1" "$2"
}
{
	printf 'queues: {memory: {}, kept: {}, shared: {}, keyed: {}, small: {}, none: {}, dead: {}, parked: {dead_letter: dead}}\n'
	printf 'responders:\n'
	respond memory id
	respond kept 'id, store: kept.db'
	respond shared 'id, store: shared.db'
	respond keyed .order
	respond small 'id, answers: 1500, store: small.db'
	respond none 'id, answers: 0'
} >s.yaml
export WARREN_SETTINGS=$work/s.yaml
ok "the topology stands" "$BIN/topology" apply

# Says something else each time, once nobody holds it back; writes down what it has begun.
cat >work <<'END'
#!/bin/bash
body=$(cat)
echo "$WARREN_MESSAGE_ID" >>begun
while [ -e hold ]; do read -r -t 0.02 <> <(:) || true; done
case $body in
refuse) echo "no, says $$" >&2 && exit 3 ;;
large) printf '%02000d' $$ ;;
*) echo "$body by $$ at $EPOCHREALTIME" ;;
esac
END
chmod +x work
fresh begun

works() { grep -cx "$1" begun; }
is_begun() { [ "$(works "$1")" -ge 1 ]; }
# serve NAME RESPONDER: in the background; its pid in $pid.
serve() {
	fresh "$1" "$1.err"
	"$BIN/rpc" serve -f json --summary json "$2" >"$1" 2>"$1.err" </dev/null &
	pid=$!
	eventually 60 grep -q 'waiting for requests' "$1.err"
}
stop() { kill -INT "$1" && wait "$1"; }
request() { jq -cn --arg id "$1" --arg body "$2" '{properties: {message_id: $id}, body: $body}'; }
# call QUEUE ID BODY ARGS: asks; prints what came.
call() {
	local queue=$1 id=$2 body=$3
	shift 3
	request "$id" "$body" | timeout 90 "$BIN/rpc" call "$queue" --from - -f json -q --deadline 60s "$@" 2>call.err
}
# What of a reply is the answer.
answer_in() { jq -c '[.fate, .body, .properties.message_id, .properties.headers["x-warren-error"]]' <<<"$1"; }
# has_marks FILE N: so many are written down; a caller hears its answer a little earlier.
marks() { sqlite3 -readonly "$1" 'SELECT count(*) FROM handled'; }
has_marks() { [ "$(marks "$1")" = "$2" ]; }
has_fate() { [ "$(jq -r .fate <<<"$1")" = "$2" ]; }

# ---- in memory ----

ok "a server is ready" serve server memory
first=$(call memory a one)
second=$(call memory a one)
ok "a request is answered" has_fate "$first" answered
is "$(answer_in "$second")" "$(answer_in "$first")" "asked again, it gets the same answer"
is "$(jq -r '.properties.headers["x-warren-cause"]' <<<"$second")" a "which says what it answers"
is "$(works a)" 1 "and the work is done once"
is "$(jq -s -c 'map(.properties.headers["x-warren-repeated"])' <<<"$first$second")" '[null,true]' "the second one says that it was given before"
third=$(call memory b one)
ok "another one is another one" test "$(jq -r .body <<<"$third")" != "$(jq -r .body <<<"$first")"
first=$(call memory c refuse)
second=$(call memory c refuse)
ok "a refusal" has_fate "$first" error
is "$(answer_in "$second")" "$(answer_in "$first")" "is repeated, too"
is "$(works c)" 1 "without another try"

touch hold
request d one | "$BIN/rpc" call memory --from - -f json -q --deadline 80s >one 2>/dev/null &
one=$!
ok "one is at work" eventually 60 is_begun d
request d one | "$BIN/rpc" call memory --from - -f json -q --deadline 80s >two 2>/dev/null &
two=$!
unacknowledged() { [ "$("$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- -q -p "$vhost" list_queues name messages_unacknowledged | awk '$1 == "memory" {print $2}')" = 2 ]; }
ok "and the same comes meanwhile" eventually 60 unacknowledged
rm hold
wait $one $two
is "$(answer_in "$(cat two)")" "$(answer_in "$(cat one)")" "who waits behind it gets its answer"
is "$(works d)" 1 "of the same work"

# A caller that is killed, with the queue that the reply was to come to.
touch hold
request e one | "$BIN/rpc" call memory --from - -f none --reply-queue auto --deadline 80s 2>/dev/null &
one=$!
eventually 60 is_begun e
kill -9 $one
wait $one 2>/dev/null
no_reply_queue() { ! "$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- -q list_queues -p "$vhost" name | grep -q '^amq\.gen'; }
ok "a caller is killed, and its reply queue goes" eventually 60 no_reply_queue
rm hold
second=$(call memory e one)
ok "who asks again for it" has_fate "$second" answered
is "$(works e)" 1 "gets the answer that found nobody"

one_way() { printf '%s\n' '{"exchange":"","routing_key":"memory","properties":{"message_id":"f"},"body":"one way"}' | "$BIN/producer" --from - -q -f none --yes; }
one_way
ok "a request that wants no reply" eventually 60 is_begun f
is "$(answer_in "$(call memory f 'one way')" | jq -r '.[1]')" "handled before" "has no answer, and is known all the same"
one_way
ok "comes again" settled memory 0
stop $pid
is "$(works f)" 1 "and is dropped"
is "$(jq -c '[.requests, .answered, .errors, .repeated, .undeliverable, .unanswered, .rejected]' <(tail -n 1 server.err))" '[12,3,2,4,1,2,0]' "all of it is counted"

# ---- in a store, beyond a kill ----

ok "a server with a store" serve server kept
first=$(call kept g one)
refused=$(call kept h refuse)
ok "has marked what it has answered" eventually 60 has_marks kept.db 2
kill -9 $pid
wait $pid 2>/dev/null
ok "is killed, and another one comes" serve server kept
is "$(answer_in "$(call kept g one)")" "$(answer_in "$first")" "which gives the answer of the dead one again"
is "$(answer_in "$(call kept h refuse)")" "$(answer_in "$refused")" "and its refusal"
is "$(works g) $(works h)" "1 1" "without doing the work"
stop $pid

ok "the store is sound" "$BIN/events" verify --store kept.db

# ---- two that share a store ----

serve one shared
one=$pid
serve two shared
two=$pid
fresh answers
answer_in "$(call shared s one)" >>answers
ok "two servers with one store" eventually 60 has_marks shared.db 1
for _ in 1 2 3 4 5 6 7; do answer_in "$(call shared s one)" >>answers; done
is "$(sort -u answers | wc -l) $(works s)" "1 1" "eight times the same answer, of the same work"
stop $one
stop $two
is "$(jq -s -c 'map(.answered) | add' <(tail -n 1 one.err) <(tail -n 1 two.err))" 1 "one of them has given it first"
is "$(jq -s -c 'map(.repeated) | add' <(tail -n 1 one.err) <(tail -n 1 two.err))" 7 "both together again"
ok "each has had some" test "$(jq -s 'map(.requests) | min' <(tail -n 1 one.err) <(tail -n 1 two.err))" -ge 1

# ---- a key of the business ----

serve server keyed
first=$(call keyed k1 '{"order":7}')
second=$(call keyed k2 '{"order":7,"again":true}')
is "$(jq -r .body <<<"$second")" "$(jq -r .body <<<"$first")" "another message with the same key gets the same answer"
is "$(jq -r '.properties.headers["x-warren-cause"]' <<<"$second")" k2 "as the answer to itself"
stop $pid

# ---- the bound ----

serve server small
for n in 1 2 3 4 5 6 7 8; do answer_in "$(call small n$n small)" >small.$n; done
again() { for n in 1 2 3 4 5 6 7 8; do
	answer_in "$(call small n$n small)" | cmp -s - small.$n && printf 'same ' || printf 'gone '
done; }
is "$(again)" "gone gone gone gone same same same same " "the latest answers are known, as many as fit"
is "$(answer_in "$(call small n1 small)" | jq -c '.[:2]')" '["error","handled before"]' "of the others it is known that they were given"
is "$(works n1)" 1 "and the work is done once all the same"
is "$(jq -r '.body | length' <<<"$(call small huge large)")" 2000 "an answer that is too large"
is "$(jq -r .body <<<"$(call small huge large)")" "handled before" "is given once"
is "$(again)" "gone gone gone gone same same same same " "and takes nobody's room"
ok "the file holds no more than that" test "$(sqlite3 -readonly small.db 'SELECT sum(size) FROM answer')" -le 1500
stop $pid
ok "the bound holds beyond the end" serve server small
is "$(again)" "gone gone gone gone same same same same " "for the next one"
stop $pid

serve server none
first=$(call none z one)
is "$(jq -r .body <<<"$(call none z one)")" "handled before" "with answers: 0 none is kept"
stop $pid

cat >relay.yaml <<'END'
queues: {memory: {}, dead: {}}
relays:
  r: {queue: memory, core: [{dedupe: id, answers: 1MiB}], routing_key: dead}
END
status_is 78 "a relay has no answers" "$BIN/relay" -s relay.yaml r
like "$(cat err)" "relay.yaml:3:[0-9]+: relays.r.core.0: answers: goes with a responder" "and says so"
done_testing
