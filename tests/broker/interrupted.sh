#!/bin/bash
# A connection that is lost while the consumer waits for an answer of the broker is a loss like any other.
. tests/support/tap.sh
use_broker
. tests/support/through.sh
cat >s.yaml <<'END'
broker:
  reconnect: {from: 50ms, to: 500ms, give_up_after: 30s}
queues:
  asked: {}
  failing: {retry: {attempts: 2, delay: {from: 1s, to: 1s}}}
END
export WARREN_SETTINGS=$work/s.yaml
"$BIN/topology" apply >applied || exit 1
proxy_up 1
came_back() { [ "$(grep -c 'connected again' err)" -ge "$1" ]; }

# ---- while it looks whether the queue is empty ----

echo one | "$BIN/producer" --url "$direct_url" --from - --routing-key asked --quiet
timeout 60 "$BIN/consumer" asked --until-empty --exec-shell --exec 'cat; touch begun; until [ -e go ]; do sleep 0.02; done' \
	-f body >got 2>err &
consumer=$!
ok "a consumer is at work" eventually 60 test -e begun
proxy delay 4000
: >go
eventually 60 test -s got # now it asks, and the answer takes eight seconds
proxy cut
proxy resume
wait $consumer
is $? 0 "cut while it looks for the end: it comes back and finds it"
is "$(grep -c 'connected again' err) $(sort -u got)" "1 one" "with what was in the queue"

# ---- while the channel for failed messages is opened anew ----

fresh err
"$BIN/consumer" failing --exec false -f none >got 2>err &
consumer=$!
eventually 60 grep -q 'waiting for messages' err
proxy delay 60
proxy cut
eventually 60 came_back 2 # it, and that for failed messages: whose channel is next
proxy cut
proxy resume
ok "cut while that channel is opened: both come back" eventually 60 came_back 4
kill -INT $consumer
wait $consumer
is $? 0 "and it ends when it is told to"
proxy_down
done_testing
