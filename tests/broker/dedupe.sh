#!/bin/bash
# dedupe: what makes two messages the same, where that is kept and for how long; by the consumer and in a relay.
. tests/support/tap.sh
use_broker
cd "$work" || exit

cat >s.yaml <<'END'
queues:
  in: {dead_letter: dead}
  also: {}
  dead: {}
  out: {}
END
ok "queues" "$BIN/topology" apply -s s.yaml
# sent QUEUE LINE...: records or bodies, each a message.
sent() {
	local queue=$1
	shift
	printf '%s\n' "$@" | timeout 60 "$BIN/producer" --from - --exchange '' --routing-key "$queue" --yes -q
}
# bodies ARG...: what a consumer of these queues shows until they are empty; its summary is in summary.
bodies() {
	timeout 60 "$BIN/consumer" --until-empty -f json --summary json "$@" 2>consumer.err | jq -r .body | LC_ALL=C sort | paste -sd' '
	tail -n 1 consumer.err >summary
}
of() { jq -r ".$1 // 0" summary; }
message() { printf '{"properties":{"message_id":"%s"},"body":"%s"}' "$1" "$2"; }
event() {
	printf '{"properties":{"content_type":"application/cloudevents+json"},"body":"{\\"specversion\\":\\"1.0\\",\\"type\\":\\"t\\",\\"source\\":\\"%s\\",\\"id\\":\\"%s\\",\\"data\\":%s}"}' "$@"
}

# ---- what makes two the same ----

sent in "$(message a 1)" "$(message a 2)" "$(message b 3)" '{"body":"4"}' '{"body":"5"}'
sent also "$(message a 6)"
is "$(bodies in also --dedupe)" "1 3 4 5 6" "an id counts within its queue, and without one a message passes"
is "$(of duplicates) $(of unkeyed)" "1 2" "both are counted"

sent in "$(event /s 1 10)" "$(event /s 1 11)" "$(event /t 1 12)" '{"body":"none"}'
sent also "$(event /s 1 13)"
is "$(bodies in also --dedupe-by cloudevents | grep -o '"data":[0-9]*' | wc -l)" 2 "an event counts whichever queue it comes by"
is "$(of duplicates) $(of unkeyed)" "2 1" "both are counted"

sent in '{"order":{"id":7},"n":1}' '{"order":{"id":"7"},"n":2}' '{"order":{"id":8}}' '{"order":null}' '{"order":7}'
is "$(bodies in --dedupe-by .order.id)" '{"order":7} {"order":null} {"order":{"id":7},"n":1} {"order":{"id":8}}' "what jq says of the body"
is "$(of duplicates) $(of unkeyed)" "1 2" "both are counted"
like "$(cat consumer.err)" "the key of a message cannot be made: Cannot index number" "a failure is told"

status_is 64 "a key that does not compile" "$BIN/consumer" in --dedupe-by '.a |'
status_is 64 "and one that nothing is acknowledged for" "$BIN/consumer" in --dedupe-by .a --ack auto

# ---- where ----

sent in '{"o":1}' '{"o":2}'
is "$(bodies in --dedupe-by .o --dedupe-store marks.db)" '{"o":1} {"o":2}' "a store"
is "$(stat -c %a marks.db)" 600 "is nobody else's business"
sent in '{"o":2}' '{"o":3}' '{"o":3}'
is "$(bodies in --dedupe-by .o --dedupe-store marks.db)" '{"o":3}' "remembers beyond the end"
is "$(of duplicates)" 2 "which is counted"
sent in '{"o":2,"i":2}'
is "$(bodies in --dedupe-by .i --dedupe-store marks.db)" '{"o":2,"i":2}' "each key for itself"
sent in '{"o":3}' '{"o":4}' '{"o":5}'
is "$(bodies in --dedupe-by .o --dedupe-store marks.db --dedupe-window 2)" '{"o":4} {"o":5}' "the last ones, as many as the window has"
sent in '{"o":3}' '{"o":5}'
is "$(bodies in --dedupe-by .o --dedupe-store marks.db --dedupe-window 2)" '{"o":3}' "and no more"
sent in '{"o":5}'
is "$(bodies in --dedupe-by .o --dedupe-store marks.db --dedupe-age 1ms)" '{"o":5}' "or for so long"
echo "a letter that somebody would be sorry to lose, and long enough" >letter
sent in '{"o":9}'
status_is 65 "a file of something else" "$BIN/consumer" in --dedupe-file letter
like "$(cat err)" "store 'letter': file is not a database" "is told, and"
like "$(cat letter)" "^a letter" "left alone"
is "$(bodies in)" '{"o":9}' "and its message is still there"

# Two consumers of a queue with one store: what one has done the other drops.
sent in '{"o":20}'
"$BIN/consumer" in -f json --dedupe-by .o --dedupe-store marks.db -q >one 2>one.err &
one=$!
shown() { [ "$(wc -l <"$1")" -ge "$2" ]; }
ok "one takes it" eventually 60 shown one 1
ok "and has it marked" settled in 0
sent also '{"o":20}' '{"o":21}'
is "$(bodies also --dedupe-by .o --dedupe-store marks.db)" '{"o":21}' "the other drops it"
kill -TERM $one
wait $one

# ---- in a relay ----

cat >r.yaml <<'END'
queues:
  in: {dead_letter: dead}
  dead: {}
  out: {}
relays:
  kept:
    queue: in
    core:
      - {dedupe: .o, store: relay.db, unkeyed: reject}
      - {enrich: customer, file: customers.jsonl, key: .c, missing: null}
    routing_key: out
END
printf '%s\n' '{"id":1,"name":"Ada"}' >customers.jsonl
relay() { timeout 60 "$BIN/relay" -s r.yaml kept --until-empty --summary json 2>relay.err >/dev/null; }
sent in '{"o":1,"c":1}' '{"o":1,"c":1}' '{"o":2,"c":2}' '{"c":3}'
relay
is $? 0 "a relay with dedupe"
first=$(tail -1 relay.err | jq -c '[.unkeyed, .unenriched]')
sent in '{"o":2,"c":1}'
relay
is "$(bodies out)" '{"o":1,"c":1,"customer":{"id":1,"name":"Ada"}} {"o":2,"c":2,"customer":null}' "passes each on once, also after a restart, enriched"
is "$(bodies dead)" '{"c":3}' "and rejects what has no key"
is "$first" '[1,1]' "what has no key, and for whom nothing is known, is counted"

sed 's/customers.jsonl/none.jsonl/' r.yaml >missing.yaml
status_is 78 "a file that is not there" "$BIN/relay" -s missing.yaml kept
like "$(cat err)" "missing.yaml:10:9: relays.kept.core.1: .*none.jsonl.*No such file" "is told with its place"
done_testing
