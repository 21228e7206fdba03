#!/bin/bash
# rpc: each call ends with one fate; a request is acknowledged when its reply is safe; what is killed,
# cut off or gone in between costs nothing but what is counted.
. tests/support/tap.sh
use_broker
cd "$work" || exit

echo '{"type": "object", "properties": {"n": {"type": "integer"}}}' >n.schema.json
cat >s.yaml <<'END'
broker:
  reconnect: {from: 50ms, to: 500ms, give_up_after: 30s}
queues:
  twice: {}
  shared: {}
  strict: {contract: n.schema.json}
  held: {dead_letter: dead}
  stubborn: {retry: {attempts: 3, delay: 100ms}}
  idle: {}
  full: {max_length: 0, overflow: reject-publish}
  replies: {}
responders:
  twice:
    queue: twice
    core:
      - jq: '{n, twice: (.n * 2)}'
  strict:
    queue: strict
  shared:
    queue: shared
    core:
      - filter: .n > 0
      - jq: '{n}'
    prefetch: 1
messages:
  question:
    routing_key: shared
    amount: 400
    fields: {n: {sequence: 1}}
    trace: true
END
export WARREN_SETTINGS=$work/s.yaml
ok "the topology stands" "$BIN/topology" apply

# Answers with what it is asked, once nobody holds it back; writes down what it has begun.
cat >handler <<'END'
#!/bin/bash
body=$(cat)
echo "$WARREN_MESSAGE_ID" >>begun
while [ -e hold ]; do read -r -t 0.02 <> <(:) || true; done
[ "$body" != no ] || exit 3
if [ "$body" = later ] && [ ! -e tried ]; then
	touch tried
	exit 75
fi
echo "answer to $body"
END
chmod +x handler
fresh begun

ctl() { "$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- "$@"; }
cut_off() { ctl close_all_connections -p "$vhost" "cut by a test" >/dev/null; }
lines() { wc -l <"$1" | tr -d ' '; }
has_lines() { [ "$(lines "$1")" -ge "$2" ]; }
field() { tail -n 1 "$1" | jq -r ".$2"; }
fates() { jq -r .fate "$1" | sort | uniq -c | awk '{printf "%s %s ", $2, $1}'; }
# serve NAME ARGUMENTS: in the background; its pid in $pid.
serve() {
	local name=$1
	shift
	fresh "$name" "$name.err"
	"$BIN/rpc" serve "$@" -f json --summary json >"$name" 2>"$name.err" </dev/null &
	pid=$!
	eventually 60 grep -q 'waiting for requests' "$name.err"
}
# call NAME ARGUMENTS: its status in $status. What is not to time out has more time than any machine stands still.
call() {
	local name=$1
	shift
	timeout 400 "$BIN/rpc" call --deadline 300s "$@" -f json --summary json >"$name" 2>"$name.err" </dev/null
	status=$?
}
# stop PID: a clean end; its status in $status.
stop() {
	kill -INT "$1"
	wait "$1"
	status=$?
}
# inject CORRELATION BODY: a reply from anybody.
inject() {
	jq -cn --arg id "$1" --arg body "$2" '{exchange: "", routing_key: "replies", properties: {correlation_id: $id}, body: $body}' |
		WARREN_SETTINGS='' "$BIN/producer" --from - --quiet
}

# ---- answers and errors ----

ok "a server is ready" serve server twice
twice=$pid
call out twice '{"n": 21}'
is $status 0 "a call is answered"
is "$(jq -r '.body | fromjson | .twice' out)" 42 "with what jq makes of the request"
is "$(jq -r '[.fate, (.latency_us > 0), .queue] | @csv' out)" '"answered",true,"amq.rabbitmq.reply-to"' "told with its latency"
is "$(field out.err answered)" 1 "and counted"
call out twice '{"n": 1}' word '{"n": 3}'
is $status 1 "a call that fails is told by the exit status"
is "$(fates out)" "answered 2 error 1 " "the others are answered"
like "$(jq -r 'select(.fate == "error") | .properties.headers["x-warren-error"]' out)" '^the jq program fails' "the error comes back with its reason"
serve strict strict
strict=$pid
call out strict '{"n": 1}' '{"n": "x"}'
is "$(fates out)" "answered 1 error 1 " "a request that breaks the contract of its queue is refused"
like "$(jq -r 'select(.fate == "error") | .properties.headers["x-warren-error"]' out)" '^/n: expected integer' "with the place"
stop "$strict"
serve strict strict --echo
strict=$pid
call out strict '{"n": "x"}'
is "$(fates out)" "error 1 " "also by a server of the command line"
stop "$strict"
"$BIN/rpc" call twice '{"n": 4}' --deadline 300s -f body 2>err >out
is "$(cat out)" '{"n":4,"twice":8}' "-f body prints the body"
"$BIN/rpc" call twice '{"n": 4}' --deadline 300s 2>err >out
like "$(cat out)" '^\[<<\] [0-9:.]+ twice \{' "a person sees where it was asked"
like "$(cat err)" 'latency min' "and the latency"

seq 1 1000 | sed 's/.*/{"n": &}/' >many
call out twice --from many --in-flight 100
is $status 0 "a thousand calls, a hundred at a time"
is "$(jq -r '.body | fromjson | select(.twice == .n * 2) | .n' out | sort -n | uniq | wc -l)" 1000 "each is answered, and with its own answer"
is "$(jq -r .properties.correlation_id out | sort -u | wc -l)" 1000 "by a correlation id of its own"
stop $twice
is $status 0 "Ctrl+C ends the server with 0"
is "$(jq -c '[.requests, .answered, .errors]' <(tail -n 1 server.err))" '[1006,1005,1]' "which has counted them"
is "$(jq -r .properties.message_id server | sort -u | wc -l)" 1006 "and printed each reply"
call out twice '{"n": 1}' --amount 3 --reply-queue auto --deadline 100ms
is "$(fates out)" "timeout 3 " "with nobody there, time runs out"
is $status 1 "which is no success"

# ---- several servers ----

serve one shared
one=$pid
serve two shared
two=$pid
call out --message question --in-flight 20
is "$(field out.err answered)" 400 "two servers answer a pattern's requests"
stop $one
stop $two
is "$(($(lines one) + $(lines two)))" 400 "together, none twice"
ok "both had some" test -s one -a -s two
is "$(jq -r '.properties.headers.traceparent | length' one two | sort -u)" 55 "the trace goes on in the replies"
serve one shared
one=$pid
call out shared '{"n": 0}'
is "$(fates out)" "error 1 " "what a filter lets not pass is an error: somebody waits"
stop $one

# ---- no answer ----

call out idle a b --deadline 150ms
is $status 1 "without an answer in time"
is "$(fates out)" "timeout 2 " "calls are timeouts"
is "$(jq -r .body out | tr '\n' ' ')" "a b " "told with the request"
ok "and the requests expire" settled idle 0
call out nosuch a
is "$(fates out)" "returned 1 " "no such queue: the call is returned"
call out full a
is "$(fates out)" "nacked 1 " "no room in the queue: it is nacked"
call out --exchange nosuch --routing-key x a
is $status 76 "no such exchange is refused"
like "$(cat out.err)" "no such exchange" "and explained"

# ---- replies that are not for us ----

"$BIN/rpc" call idle a b --in-flight 2 --reply-queue replies --deadline 300s -f json --summary json >out 2>out.err &
caller=$!
ok "two requests come" settled idle 2
"$BIN/consumer" idle -n 2 -f json >asked 2>err
mapfile -t ids < <(jq -r .properties.correlation_id asked)
is "$(jq -r .properties.reply_to asked | sort -u)" replies "they say where the reply is to go"
"$BIN/rpc" call idle c --reply-queue replies >other 2>other.err
is $? 77 "nobody else may take replies from there"
inject nobody foreign
inject 01234567-89ab-8def-8123-456789abcdef foreign
inject "${ids[0]}" first
inject "${ids[0]}" second
inject "${ids[1]}" third
wait $caller
is $? 0 "replies by hand"
is "$(jq -r .body out | tr '\n' ' ')" "first third " "only those that were waited for are answers"
is "$(jq -c '[.foreign, .duplicates, .late]' <(tail -n 1 out.err))" '[2,1,0]' "the others are counted"

# late FACTOR: the first call of two has timed out when its reply comes.
late() {
	ctl -q purge_queue -p "$vhost" idle
	"$BIN/rpc" call idle a b --in-flight 2 --rate "$(jq -n "1 / $1")/s" --reply-queue replies --deadline "$((2 * $1))s" \
		-f json --summary json >out 2>out.err &
	local caller=$!
	timeout 60 "$BIN/consumer" idle -n 2 -f json >asked 2>err
	eventually 60 grep -q timeout out
	inject "$(jq -r 'select(.body == "a") | .properties.correlation_id' asked)" late
	inject "$(jq -r 'select(.body == "b") | .properties.correlation_id' asked)" good
	wait $caller
	[ "$(fates out)" = "answered 1 timeout 1 " ] && [ "$(field out.err late)" = 1 ]
}
ok "a reply that comes too late is no answer, to nobody" patiently late

# ---- commands, and what can happen to them ----

serve server held --exec ./handler --exec-timeout 10m
server=$pid
rm -f tried
call out held one no later
is "$(fates out)" "answered 2 error 1 " "a command answers, fails, or answers at the second try"
is "$(field out.err calls)" 3 "each call once"
touch hold
fresh begun
"$BIN/rpc" call held 1 2 3 4 --in-flight 4 --deadline 300s -f json --summary json >out 2>out.err &
caller=$!
ok "a server is at work" eventually 60 has_lines begun 1
kill -9 $server
wait $server 2>/dev/null
rm hold
serve server held --exec ./handler --exec-timeout 10m
server=$pid
wait $caller
is $? 0 "killed with -9, and another one answers all"
is "$(jq -r '.body | rtrimstr("\n")' out | sort | tr '\n' ' ')" "answer to 1 answer to 2 answer to 3 answer to 4 " "each request"
is "$(sort begun | uniq -d | wc -l)" 1 "what the dead one was at was done once more"

touch hold
fresh begun
"$BIN/rpc" call held gone --reply-queue auto --deadline 300s >out 2>out.err &
caller=$!
eventually 60 has_lines begun 1
kill -9 $caller
wait $caller 2>/dev/null
no_reply_queue() { ! ctl -q list_queues -p "$vhost" name | grep -q '^amq\.gen'; }
ok "a caller is killed, and its reply queue goes" eventually 60 no_reply_queue
rm hold
call out held next
is $status 0 "the server goes on"
"$BIN/producer" --from - -q --exchange '' --routing-key held <<<'one way' 2>err
"$BIN/producer" --from - -q --exchange '' --routing-key held <<<'no' 2>err
ok "a request that fails, and nobody waits for, is dead-lettered" settled dead 1
stop $server
is "$(jq -c '[.requests, .answered, .undeliverable, .unanswered, .rejected]' <(tail -n 1 server.err))" '[8,5,1,1,1]' \
	"all of it is counted"
ok "nothing is left" settled held 0

# shellcheck disable=SC2016 # for the inner shell
serve server stubborn --exec '[ "${WARREN_HEADER_X_WARREN_ATTEMPTS:-0}" -ge 2 ] || exit 75; cat' --exec-shell
server=$pid
call out stubborn again
is "$(fates out)" "answered 1 " "a policy of retries is heeded, while the caller waits"
stop $server
is "$(jq -c '[.answered, .retried]' <(tail -n 1 server.err))" '[1,2]' "and what was tried again is counted"

# ---- Ctrl+C ----

touch hold
fresh begun
serve server held --exec ./handler --exec-timeout 10m
server=$pid
"$BIN/rpc" call held 1 2 3 --deadline 300s -f json --summary json >out 2>out.err &
caller=$!
eventually 60 has_lines begun 1
kill -INT $caller
kill -INT $server
rm hold
wait $caller
is $? 0 "a caller that is stopped waits for the answer under way"
is "$(jq -c '[.calls, .answered]' <(tail -n 1 out.err))" '[1,1]' "and asks no more"
wait $server
is $? 0 "a server that is stopped finishes what it is at"

# ---- a lost connection ----

touch hold
fresh begun
serve server held --exec ./handler --exec-timeout 10m
server=$pid
"$BIN/rpc" call held 1 2 3 4 5 6 --in-flight 2 --deadline 300s -f json --summary json >out 2>out.err &
caller=$!
eventually 60 has_lines begun 1
ok "two requests are under way" settled held 2
cut_off
ok "the connections are cut" eventually 60 grep -q 'connected again' out.err
rm hold
wait $caller
is $? 1 "which is no success"
is "$(fates out)" "answered 4 lost 2 " "what was under way is lost, and told; the rest is answered"
stop $server
is $status 0 "the server has come back as well"

# all at once: both connections of the server are lost, and an answer comes
touch hold
fresh begun
serve server held --exec ./handler
server=$pid
"$BIN/rpc" call held 1 2 --deadline 300s -f json --summary json >out 2>out.err &
caller=$!
eventually 60 has_lines begun 1
handler=$(pgrep -P $server)
kill -STOP $server
cut_off
eventually 60 grep -q 'connected again' out.err
rm hold
has_ended() { [[ $(cat "/proc/$handler/stat") == *') Z '* ]]; }
eventually 60 has_ended
kill -CONT $server
wait $caller
is "$(fates out)" "answered 1 lost 1 " "an answer that comes when the connection for it is lost does not end the server"
stop $server
is $status 0 "nor does it end otherwise than it should"

done_testing
