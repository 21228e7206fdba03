#!/bin/bash
# How a consumer ends, and what becomes of the messages: counts, silence, emptiness, --ack, --filter,
# --exec, and streams, which are read without being used up.
. tests/support/tap.sh
. tests/support/api.sh
use_broker
cd "$work" || exit

cat >s.yaml <<'END'
queues:
  c: {dead_letter: dead}
  q: {type: quorum, dead_letter: dead}
  s: {type: stream}
  brief: {auto_delete: true}
messages:
  m: {routing_key: c, fields: {n: {sequence: 1}}}
  large: {routing_key: c, fields: {text: {text: {length: 2000}}}}
END
export WARREN_SETTINGS=$work/s.yaml
"$BIN/topology" apply >applied || exit

# put QUEUE N: bodies {"n":1} to {"n":N}
put() { "$BIN/producer" m --amount "$2" --delay 0 --yes --quiet --set "messages.m.routing_key=$1" || exit; }
# take ARGUMENTS: a consumer; out, err, and its status.
take() {
	timeout 60 "$BIN/consumer" "$@" >out 2>err
	status=$?
}
numbers() { jq -r '(.body // .) | if type == "string" then fromjson else . end | .n' "${1-out}" | tr '\n' ' '; }
summary() { grep '^consumer: .* received, ' err; }
# holds QUEUE N: so many are ready, as the broker says.
holds() { [ "$("$BIN/topology" show "$1" -f json | jq 'select(.object == "queue") | .ready')" = "$2" ]; }
drop() { "$BIN/topology" purge "$@" >purged; }

# ---- count, idle, until-empty ----

put c 10
take c --count 3 -f body
is "$status $(numbers)" "0 1 2 3 " "--count 3 takes three in their order and exits 0"
like "$(summary)" '3 received, 3 acknowledged in ' "its summary says so"
ok "the other seven are left alone" eventually 60 holds c 7
take c --count 3 --prefetch 100 -f json
is "$(numbers)" "4 5 6 " "--count with a large prefetch"
eventually 60 holds c 4
take c --until-empty -f json
is "$status $(numbers) $(jq -c .redelivered out | sort -u)" "0 7 8 9 10  true" \
	"gives the surplus back, in order and marked as redelivered"

for queue in c q s; do
	since=$SECONDS
	take "$queue" --until-empty
	is "$status" 0 "--until-empty of an empty queue ($queue): exit 0"
	like "$(summary)" '0 received, 0 acknowledged' "the summary says nothing came ($queue)"
	ok "at once ($queue)" test $((SECONDS - since)) -le 20
	put "$queue" 250
	take "$queue" --until-empty -f json --prefetch 20
	is "$status $(numbers)" "0 $(seq 250 | tr '\n' ' ')" "--until-empty takes all 250 in their order ($queue)"
	like "$(summary)" '250 received, 250 acknowledged in ' "the summary counts them ($queue)"
done
ok "the classic queue is empty" eventually 60 holds c 0
ok "the quorum queue is empty" eventually 60 holds q 0

"$BIN/producer" m --amount 300 --rate 200/s --yes --quiet &
producer=$!
ok "a producer has begun" eventually 60 eval '! holds c 0'
take c --until-empty -f body
first=$(wc -l <out)
ok "--until-empty ends while somebody still sends, or when that is over ($first came)" \
	test "$status" -eq 0 -a "$first" -ge 1
wait $producer
is $? 0 "the producer exits 0"
numbers >seen
take c --until-empty -f body
is "$(cat seen)$(numbers)" "$(seq 300 | tr '\n' ' ')" "and what comes later is left for the next one"

put c 5
since=${EPOCHREALTIME/./}
take c --idle 1s -f body
took=$((${EPOCHREALTIME/./} - since))
is "$status $(numbers)" "0 1 2 3 4 5 " "--idle 1s takes what is there and exits 0"
ok "after a second of silence" test $took -ge 1000000 -a $took -le 20000000
# gets 'NUMBERS' of the last take; when they are others, nothing is left of this try.
gets() { [ "$(numbers)" = "$1" ] || { drop c && false; }; }
renews() { # FACTOR
	"$BIN/producer" m --amount 6 --delay $((400 * $1))ms --yes --quiet &
	take c --idle $((2 * $1))s -f body
	wait $!
	gets "1 2 3 4 5 6 "
}
ok "each message makes the silence begin anew" patiently renews
works_long() { # FACTOR
	put c 5
	take c --idle $((300 * $1))ms --prefetch 1 --exec "sleep $((6 * $1))e-1" -f none
	[ "$status" = 0 ] && summary | grep -q '5 received, 5 acknowledged' || { drop c && false; }
}
ok "and so does the end of each command" patiently works_long

printf 'one\n' >line.body
mkdir -p lines && mv line.body lines/
"$BIN/producer" --from lines --routing-key c --quiet
"$BIN/producer" --from lines --routing-key c --quiet
take c --until-empty -f body
is "$status $(tr '\n' ';' <out)" "0 one;one;" "-f body: a body that ends its line gets no empty one behind it"

is_silent_once() { # FACTOR
	put c 3
	began=${EPOCHREALTIME/./}
	take c --idle $((2 * $1))s --filter false
	took=$((${EPOCHREALTIME/./} - began))
	drop c
	[ "$status" = 0 ] && [ $took -ge $((2000000 * $1)) ] && [ $took -lt $((3900000 * $1)) ]
}
ok "what is hidden at once makes the silence begin anew, but once" patiently is_silent_once

put c 3
put q 4
take c q --until-empty -f json
is "$(jq -r .queue out | sort | uniq -c | tr -s ' ' | tr '\n' ';')" " 3 c; 4 q;" "several queues at once"
put c 2
put q 2
take --until-empty
is "$(grep -c '^\[<<\] .* [cq] < ' out)" 4 "without names every queue; pretty shows which"
ok "and they are empty" eventually 60 eval 'holds c 0 && holds q 0'
put c 5
put q 5
take c q --count 6 -f json
is "$(wc -l <out)" 6 "--count counts over all queues"
four_are_left() { [ "$("$BIN/topology" show c q -f json | jq -s 'map(.ready // 0) | add')" = 4 ]; }
eventually 60 four_are_left
take c q --until-empty -f json
is "$(wc -l <out)" 4 "the rest is still there"
status_is 64 "a queue that the settings lack: exit 64" "$BIN/consumer" cc
like "$(cat err)" "the settings have no queue 'cc'; did you mean 'c'" "with a suggestion"
status_is 64 "--count 0 is a mistake: exit 64" "$BIN/consumer" c --count 0

# ---- --ack ----

put c 5
take c --ack auto --until-empty -f body
is "$status $(numbers)" "0 1 2 3 4 5 " "--ack auto prints them all"
like "$(summary)" '5 received, 5 acknowledged' "and they count as acknowledged"
ok "they are gone" eventually 60 holds c 0
put c 200
take c --ack auto --count 10 -f body
is "$status $(numbers)" "1 1 2 3 4 5 6 7 8 9 10 " "--ack auto --count takes more than it prints: exit 1"
lost=$(summary | sed -nE 's/.* ([0-9]+) lost.*/\1/p')
received=$(summary | sed -nE 's/^consumer: ([0-9]+) received.*/\1/p')
is "$((received - 10))" "$lost" "and what went with it is counted as lost ($lost)"
drop c

# Nobody reads, nothing is to be acknowledged: the broker is slowed down, not stored in memory.
"$BIN/producer" large --amount 60000 --delay 0 --yes --quiet || exit
mkfifo asleep
"$BIN/consumer" c --ack auto -f json >asleep 2>err &
consumer=$!
exec 8<asleep
IFS= read -r -n 1 -t 60 <&8 # it has begun
# sleeps: it has not run between this look and the nine before it.
sleeps() {
	local now
	now=$(awk '/ctxt_switches/ {n += $2} END {print n}' /proc/$consumer/status)
	[ "$now" = "${switches-}" ] || looks=0
	switches=$now looks=$((looks + 1))
	[ $looks -ge 10 ]
}
ok "--ack auto and a reader that sleeps: the consumer comes to rest" eventually 60 sleeps
memory=$(awk '/VmHWM/ {print $2}' /proc/$consumer/status)
ok "--ack auto and a reader that sleeps: memory stays small ($memory kB)" test "$memory" -lt 65536
kill -INT $consumer
since=$SECONDS
wait $consumer
is $? 1 "--ack auto and a reader that sleeps: Ctrl+C ends; exit 1, since messages are lost"
ok "--ack auto and a reader that sleeps: soon" test $((SECONDS - since)) -le 30
exec 8<&-
drop c

put c 5
take c --ack reject --until-empty -f body
like "$(summary)" '5 received, 0 acknowledged, 5 rejected' "--ack reject counts them as rejected"
ok "they are dead letters" eventually 60 eval 'holds dead 5 && holds c 0'
drop dead
for queue in c q; do
	put "$queue" 150
	take "$queue" --ack requeue --until-empty -f body
	is "$status $(numbers)" "0 $(seq 150 | tr '\n' ' ')" "--ack requeue shows every message once ($queue)"
	like "$(summary)" '150 received, 0 acknowledged, 150 requeued' "and counts them as requeued ($queue)"
	ok "they are all back ($queue)" eventually 60 holds "$queue" 150
	take "$queue" --count 2 -f json
	is "$(numbers) $(jq .redelivered out | sort -u)" "1 2  true" "in their order, as redelivered ($queue)"
	drop "$queue"
done

# ---- --filter ----

for queue in c q; do
	put "$queue" 20
	take "$queue" --filter '.n > 15' --until-empty -f body
	is "$status $(numbers)" "0 16 17 18 19 20 " "--filter prints what matches ($queue)"
	like "$(summary)" '20 received, 5 acknowledged, 15 requeued.*, 15 unmatched' "the summary counts what it hid ($queue)"
	ok "which is back in the queue ($queue)" eventually 60 holds "$queue" 15
	take "$queue" --filter '.n % 2 == 0' --unmatched ack --count 3 -f body
	is "$(numbers)" "2 4 6 " "--unmatched ack ($queue)"
	ok "drops what is passed over ($queue)" eventually 60 holds "$queue" 9
	take "$queue" --filter 'false' --unmatched reject --until-empty
	like "$(summary)" '9 received, 0 acknowledged, 9 rejected.*, 9 unmatched' "--unmatched reject ($queue)"
	ok "makes them dead letters ($queue)" eventually 60 holds dead 9
	drop dead
	put "$queue" 500
	take "$queue" --filter '.n > 495' --prefetch 10 --until-empty -f body
	is "$status $(numbers)" "0 496 497 498 499 500 " "more held messages than the prefetch stop nothing ($queue)"
	ok "they are all back ($queue)" eventually 60 holds "$queue" 495
	drop "$queue"
done
# An auto-delete queue goes with its last consumer, which must not be while it is read.
put brief 20
take brief --filter '.n > 18' --prefetch 5 --until-empty -f body
is "$status $(numbers)" "0 19 20 " "an auto-delete queue is read past a full hand of held messages"
put c 300
since=$SECONDS
take c --filter '.n == 300' --count 1 -f body
is "$status $(numbers)" "0 300 " "--count of a filter that matches late"
ok "does not fetch them one by one" test $((SECONDS - since)) -le 20
drop c
put c 3
take c --filter '.n == 2' --count 1 -f body --prefetch 1
is "$status $(numbers)" "0 2 " "--count counts what matches"
ok "what was passed over and what was not reached are there" eventually 60 holds c 2
drop c
printf '%s\n' '{"routing_key":"c","properties":{"type":"t","headers":{"region":"eu"}},"body":"no JSON"}' \
	'{"routing_key":"c","body":"{\"n\":1}"}' '{"routing_key":"c","body_base64":"/w=="}' >mixed.jsonl
"$BIN/producer" m --from mixed.jsonl --quiet
# shellcheck disable=SC2016 # jq's variables
take c --filter '$headers.region == "eu" and $properties.type == "t" and $queue == "c" and . == "no JSON"' --until-empty -f body
is "$(cat out)" "no JSON" "a filter sees headers, properties, queue, and a body that is no JSON"
take c --filter '.n.deeper' --until-empty -f body
is "$status $(cat out)" "0 " "a filter that fails on a message hides it"
like "$(summary)" '2 unmatched, [12] filter.errors?' "and it is counted"
like "$(cat err)" 'warning: the filter fails' "and told"
drop c
for expression in '.n >' 'nosuchfunction(.)' '.a.('; do
	status_is 64 "a filter that does not compile ($expression): exit 64" "$BIN/consumer" c --filter "$expression"
	like "$(cat err)" "^consumer: cannot compile the jq expression '" "and it is told ($expression)"
done
status_is 64 "it is told before the broker is asked" "$BIN/consumer" c --filter '.n >' --url amqp://127.0.0.1:1
status_is 64 "--filter does not go with --ack auto" "$BIN/consumer" c --filter .n --ack auto
status_is 64 "--unmatched needs --filter" "$BIN/consumer" c --unmatched ack

# ---- --exec ----

cat >work.sh <<'END'
#!/bin/bash
read -r -d '' body
echo "$WARREN_REDELIVERED $body" >>seen
case $body in
*:1}) echo done ;;
*:2}) [ "$WARREN_REDELIVERED" = 1 ] || exit 75 ;;
*:3}) exit 1 ;;
*:4}) kill -KILL $$ ;;
*:5}) exit 76 ;;
esac
exit 0
END
chmod +x work.sh
put c 5
take c --exec ./work.sh --until-empty -f json
is "$status" 0 "--exec: exit 0 at the end"
is "$(jq -c '[.body, .redelivered]' out | tr '\n' ' ')" '["done\n",false] ["{\"n\":2}",true] ' \
	"status 0 accepts: what it wrote is the body, nothing leaves it as it is"
is "$(grep -c '"n":2' seen) $(grep '"n":2' seen | tail -n 1 | cut -c1)" "2 1" "status 75: it comes again, marked as redelivered"
like "$(summary)" '6 received, 2 acknowledged, 1 requeued, 3 rejected' "the summary counts each fate"
ok "other statuses and signals reject" eventually 60 holds dead 3
like "$(cat err)" "'./work.sh' ended with status 1: " "a status is told"
like "$(cat err)" "'./work.sh' was killed by signal 9" "a signal is told"
put c 1 # alone: no other command may be the one that is too slow
take c --exec 'sleep 60' --exec-timeout 500ms --until-empty -f json
like "$status $(summary)" '^0 .*1 received, 0 acknowledged, 1 rejected' "so does the time limit"
ok "with what they reject" eventually 60 holds dead 4
like "$(cat err)" "'sleep 60' took longer than 500ms" "which is told"
drop dead

printf '%s' '{"routing_key":"c","properties":{"content_type":"text/x","correlation_id":"c 1","message_id":"m-1","timestamp":1700000000,"type":"t.y","priority":3,"headers":{"a-b":"x y","number":5,"flag":true,"list":[1]}},"body":"hello"}' >one.jsonl
"$BIN/producer" m --from one.jsonl --quiet
SHOP_PASSWORD=hunter2 WARREN_URL='' take c --exec env --until-empty -f body
for line in WARREN_EXCHANGE= WARREN_ROUTING_KEY=c WARREN_QUEUE=c WARREN_REDELIVERED=0 WARREN_CONTENT_TYPE=text/x \
	'WARREN_CORRELATION_ID=c 1' WARREN_MESSAGE_ID=m-1 WARREN_TIMESTAMP=1700000000 WARREN_TYPE=t.y WARREN_PRIORITY=3 \
	'WARREN_HEADERS={"a-b":"x y","number":5,"flag":true,"list":[1]}' 'WARREN_HEADER_A_B=x y' WARREN_HEADER_NUMBER=5 \
	WARREN_HEADER_FLAG=true; do
	ok "the command has $line" grep -Fx -- "$line" out
done
is "$(grep -cE 'guest|^AMQP_URL=|MANAGEMENT_URL|hunter2' out)" 0 "no address and no password is handed on"
"$BIN/producer" m --from one.jsonl --quiet
# shellcheck disable=SC2016 # not for this shell
take c --exec 'printf "%s|" "two words" $HOME `id` * ; >file' --until-empty -f body
# shellcheck disable=SC2016
is "$(cat out)" 'two words|$HOME|`id`|*|;|>file|' "without a shell, nothing is special but quotes"
"$BIN/producer" m --from one.jsonl --quiet
# shellcheck disable=SC2016
take c --exec 'cat | tr a-z A-Z; echo " $WARREN_TYPE"' --exec-shell --until-empty -f body
is "$(cat out)" 'HELLO t.y' "--exec-shell gives it to a shell"
put c 9
take c --exec 'cat' --exec-jobs 3 --until-empty -f body
is "$(numbers | tr ' ' '\n' | grep . | sort -n | tr '\n' ' ')" "1 2 3 4 5 6 7 8 9 " "--exec-jobs 3 loses nothing"
put c 4
take c --exec "jq -c '{n: (.n * 10)}'" --filter '.n > 2' --unmatched ack --until-empty -f body
is "$(numbers)" "30 40 " "--filter goes before --exec"
put c 1
status_is 66 "a command that is not there: exit 66" "$BIN/consumer" c --exec ./none
like "$(cat err)" "cannot run './none': No such file" "and it is named"
ok "and no message is lost" eventually 60 holds c 1
drop c

put c 40
take c --exec 'false' --until-empty -f body
is "$(grep -c "'false' ended with status 1" err)" 10 "a command that always fails is told ten times"
like "$(summary)" '40 received, 0 acknowledged, 40 rejected' "and counted every time"
drop c dead
put c 1
since=$SECONDS
take c --count 1 --exec "sh -c '[ \"\$WARREN_REDELIVERED\" = 1 ] || exit 75'" -f body
is "$status $(numbers)" "0 1 " "one message that is to be tried again comes again"
ok "soon after its pause of a second" test $((SECONDS - since)) -le 20

# ---- streams ----

drop c q dead
take s --until-empty -f json # 250 from above
is "$status $(wc -l <out)" "0 250" "a stream is read from its beginning, again"
like "$(summary)" '250 received, 250 acknowledged in ' "and acknowledged"
take s --count 5 -f body
is "$status $(numbers)" "0 1 2 3 4 5 " "--count of a stream"
take s --offset first --count 2 -f body
is "$(numbers)" "1 2 " "--offset first"
take s --offset 100 --count 3 -f json
is "$(numbers) $(jq -c '.properties.headers["x-stream-offset"]' out | tr '\n' ' ')" "101 102 103  100 101 102 " \
	"--offset N: the header tells the same"
take s --offset last --until-empty -f body
like "$(numbers)" '(^| )250 $' "--offset last: the last chunk, to its end"
take s --offset 2001-01-01T00:00:00Z --count 2 -f body
is "$(numbers)" "1 2 " "--offset TIME in the past: from the beginning"
timeout 60 "$BIN/consumer" s --offset next --count 2 -f body >next 2>next.err &
next=$!
# queue.declare tells 0 of streams; and another's consumer may still be in the list
consumed() { grep -q 'waiting for messages' next.err && [ "$(api GET "consumers/$vhost" | jq length)" = 1 ]; }
ok "--offset next waits" eventually 60 consumed
put s 2
wait $next
is "$? $(numbers next)" "0 1 2 " "for what comes from then on"
put c 2
take c s --until-empty -f json --count 300
is "$(jq -r .queue out | sort | uniq -c | tr -s ' ' | tr '\n' ';')" " 2 c; 252 s;" "a queue and a stream at once"
put s 1
take s --filter '.n == 250' --prefetch 10 --until-empty -f body
is "$status $(numbers)" "0 250 " "--filter on a stream passes over any number of messages"
take s --ack requeue --until-empty -f body
is "$status $(wc -l <out)" "0 253" "--ack requeue reads a stream once"
take s --filter '.n == 3' --unmatched ack --until-empty -f body
is "$status $(numbers)" "0 3 " "--unmatched ack on a stream"
# A stream knows no rejection: its broker closes the connection.
status_is 64 "--ack reject on a stream: exit 64" "$BIN/consumer" s --ack reject --count 2
status_is 64 "--unmatched reject on a stream: exit 64" "$BIN/consumer" s --filter .n --unmatched reject --count 2
take s --count 1 --exec "sh -c '[ -e tried ] || { : >tried; exit 75; }'" -f body
is "$status $(wc -l <out) $(grep -c ' 1 lost' err)" "1 1 1" "a stream gives nothing again: status 75 of a command is told as lost"
status_is 64 "--offset somewhere: exit 64" "$BIN/consumer" s --offset somewhere
like "$(cat err)" "first, last, next, a number or a time" "and what is accepted is told"
status_is 64 "--offset on no stream: exit 64" "$BIN/consumer" c --offset first
status_is 64 "--ack auto on a stream: exit 64" "$BIN/consumer" s --ack auto
done_testing
