#!/bin/bash
# --spool: what has no fate outlives the producer, and the same command goes on where it was.
. tests/support/tap.sh
use_broker
. tests/support/through.sh

cat >s.yaml <<'END'
queues:
  jobs: {}
  small: {max_length: 1, overflow: reject-publish}
messages:
  job:
    routing_key: jobs
    amount: 20000
    rate: 10000/s
    fields: {n: {sequence: 1}}
END

lines() { wc -l <"$1" | tr -d ' '; }
has_lines() { [ "$(lines "$1")" -ge "$2" ]; }
has_bytes() { [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -gt "$2" ]; }
take_all() { timeout 60 "$BIN/consumer" -s s.yaml jobs --until-empty -f json >"$1" 2>"$1.err"; }
# In the background, or in parentheses: the process becomes the producer.
produce() { exec "$BIN/producer" -s s.yaml --yes -f json --spool spool --summary json "$@"; }

# kill_often NAME COMMAND...: kills the producer 20 times, each time a little further on, then lets it end.
kill_often() {
	local n producer
	: >sent
	for ((n = 1; n <= 20; n++)); do
		fresh part
		# slowly: when we stand still for a moment, it must not come to its end
		produce "${@:2}" --rate 2000/s >part 2>part.err &
		producer=$!
		eventually 60 has_lines part $((n * 20))
		kill -9 $producer
		wait $producer 2>/dev/null
		cat part >>sent
	done
	(produce "${@:2}" --rate 10000/s) >part 2>part.err
	is $? 0 "$1: killed with -9 twenty times, then it ends with 0"
	cat part >>sent
}
# What was printed last before a kill may lack its end.
ids() { jq -R -r 'fromjson? | .properties.message_id' "$@" | LC_ALL=C sort; }
ids_of_two() { jq -r '[.properties.message_id, .body] | @tsv' "$1" | sort -u | cut -f 1 | uniq -d | wc -l; }

# ---- patterns ----

kill_often patterns --seed 7
take_all got
is "$(comm -23 <(ids sent | uniq) <(ids got | uniq) | wc -l)" 0 "patterns: what was confirmed has arrived"
is "$(jq -r '.body | fromjson | .n' got | sort -n | uniq | wc -l)" 20000 "patterns: each of the 20,000 messages has"
jq -r '[.properties.message_id, .properties.headers["x-warren-resent"] == true] | @tsv' got | sort >both
is "$(grep -w false both | cut -f 1 | uniq -d | wc -l)" 0 "patterns: none has come twice but with x-warren-resent"
ok "patterns: some were sent again ($(grep -cw true both))" test "$(grep -cw true both)" -gt 0
is "$(stat -c '%s %a' spool)" "16 600" "patterns: in the end the spool is empty, and nobody else's business"

# ---- lines ----

seq 20000 >lines.txt
kill_often lines --from lines.txt --exchange '' --routing-key jobs
take_all got
is "$(jq -r .body got | sort -n | uniq | wc -l)" 20000 "lines: each has arrived"
is "$(jq -r 'select(.properties.headers["x-warren-resent"] != true) | .body' got | sort | uniq -d | wc -l)" 0 \
	"lines: none has come twice but with x-warren-resent"
is "$(ids_of_two got)" 0 "lines: no two have the same id"

# ---- a pipe ----

mkfifo pipe
fresh part
produce --from - --exchange '' --routing-key jobs <pipe >part 2>part.err &
producer=$!
exec 8>pipe
printf 'a1\na2\na3\n' >&8
eventually 60 has_lines part 3
kill -9 $producer
wait $producer 2>/dev/null
exec 8>&-
printf 'b1\nb2\nb3\nb4\n' | (produce --from - --exchange '' --routing-key jobs) >part 2>part.err
is $? 0 "a pipe: killed with -9, then it ends with 0"
like "$(cat part.err)" "standard input is no file: it is read from where it is now" "it says where it goes on"
take_all got
is "$(jq -r .body got | sort -u | tr '\n' ' ')" "a1 a2 a3 b1 b2 b3 b4 " "no line of the new pipe is passed over"
is "$(ids_of_two got)" 0 "no two have the same id"

# ---- the broker is away ----

seq 2000 >few.txt
fresh part
produce --from lines.txt --exchange '' --routing-key jobs --rate 500/s --give-up-after 0 \
	--set "broker.url=$AMQP_URL" --set '"broker".heartbeat=5s' >part 2>part.err &
producer=$!
eventually 60 has_lines part 500
# the broker lists a connection some time after it was made
is_gone() {
	"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- close_all_connections -p "$vhost" "cut by a test" >/dev/null
	eventually 5 eval "! kill -0 $producer"
}
eventually 60 is_gone
wait $producer
is $? 69 "a run that the broker ends"
is "$(grep -ac 'guest' spool)" 0 "leaves no password in the spool"
cp part sent
(produce --from lines.txt --exchange '' --routing-key jobs) >part 2>part.err
is $? 0 "is gone on with by the same command, wherever the broker is"
like "$(cat part.err)" "going on after message [0-9]+" "which says so"
cat part >>sent
take_all got
is "$(jq -r .body got | sort -n | uniq | wc -l)" 20000 "and nothing is missing"

# ---- a full disk ----

(
	ulimit -f 64 # KiB, of any file: also of one for what it says of each message
	produce --from few.txt --exchange '' --routing-key jobs --rate 10000/s -f none
) 2>&1 >part | cat >part.err
is "${PIPESTATUS[0]}" 74 "a spool that cannot grow ends the run with 74"
like "$(cat part.err)" "cannot write spool 'spool': File too large" "and says why"
is "$(jq -c .resent <<<"$(grep '^{' part.err)") $(grep -c 'trying again' part.err)" "0 0" \
	"nothing that is not in it goes out over another connection"
(produce --from few.txt --exchange '' --routing-key jobs) >part 2>part.err
is $? 0 "with room again the same command goes on"
take_all got
is "$(jq -r .body got | sort -n | uniq | wc -l)" 2000 "and nothing is missing"
is "$(jq -r 'select(.properties.headers["x-warren-resent"] != true) | .body' got | sort | uniq -d | wc -l)" 0 \
	"nor twice without a mark"

# ---- killed when all that was sent is confirmed ----

# has_told FILE: the producer has printed a fate, and sleeps again.
has_told() { has_lines "$1" 1 && [ "$(awk '{print $3}' /proc/$producer/stat)" = S ]; }
for n in 1 2; do
	fresh part
	produce --amount 3 --delay 1m >part 2>part.err &
	producer=$!
	ok "killed between messages, $n: one is confirmed" eventually 60 has_told part
	kill -9 $producer
	wait $producer 2>/dev/null
done
is "$(grep -o 'going on.*' part.err)" "going on after message 1" "then none is sent again"

# ---- a run stopped by Ctrl+C, and another one ----

fresh part
produce --amount 20000 >part 2>part.err &
producer=$!
eventually 60 has_lines part 500
kill -INT $producer
wait $producer
is $? 0 "Ctrl+C is a clean end"
"$BIN/producer" -s s.yaml --yes --spool spool --summary json -f none --amount 10 2>err
is "$(tail -n 1 err | jq .confirmed)" 10 "another command is another run"
(produce --amount 10) >part 2>part.err
is "$? $(lines part)" "0 10" "a run that is over begins anew"

# ---- nacked, and the broker goes before a try that is left ----

proxy_up
seq 3 >few.txt
produce --from few.txt --exchange '' --routing-key small --nack-retries 50 --give-up-after 300ms >part 2>part.err &
producer=$!
small_is_full() { [ "$(ready small)" = 1 ]; }
eventually 60 small_is_full
proxy refuse
proxy cut
wait $producer
is "$? $(grep "^{" part.err | jq -c "[.confirmed, .nacked, .unconfirmed]")" "69 [1,0,2]" \
	"nacked with tries left, and the broker is lost: no fate"
proxy_down
AMQP_URL=$direct_url
timeout 60 "$BIN/consumer" -s s.yaml small --count 3 --idle 20s -f body >got 2>got.err &
consumer=$!
(produce --from few.txt --exchange '' --routing-key small --nack-retries 50) >part 2>part.err
is $? 0 "the same command sends them"
wait $consumer
is "$(sort got | paste -sd' ')" "1 2 3" "and they arrive"

# ---- a message that does not fit ----

# three HEADER_BYTES: the second of three lines has such a header.
three() {
	jq -cn --argjson bytes "$1" '"one", "two", "three" | {routing_key: "small", body: .,
		properties: {headers: (if . == "two" then {h: ("x" * $bytes)} else {} end)}}' >three.jsonl
}
"$BIN/consumer" -s s.yaml small --until-empty -f none 2>got.err
three 140000
(produce --from three.jsonl) >part 2>part.err
is $? 65 "a message that no frame holds ends the run with 65"
three 10
timeout 60 "$BIN/consumer" -s s.yaml small --count 3 --idle 20s -f body >got 2>got.err &
consumer=$!
(produce --from three.jsonl --nack-retries 50) >part 2>part.err
is $? 0 "made smaller, it is sent by the same command"
wait $consumer
is "$(sort got | paste -sd' ')" "one three two" "with what stands before and behind it"

# Left behind in the spool, and the next broker allows less.
three 5000
produce --from three.jsonl --nack-retries 50 >part 2>part.err &
producer=$!
eventually 60 small_is_full
kill -9 $producer
wait $producer 2>/dev/null
timeout 60 "$BIN/consumer" -s s.yaml small -f none 2>got.err &
consumer=$!
AMQP_URL="$AMQP_URL?frame_max=4096" produce --from three.jsonl --nack-retries 50 >part 2>part.err &
wait $!
is "$? $(jq -r '"\(.body) \(.fate)"' part | grep -v one | sort | paste -sd,)" "1 three confirmed,two nacked" \
	"one that fits no more is nacked, and those behind it are sent"
like "$(jq -r 'select(.body == "two") | .reason' part)" "take 5[0-9]+ bytes; one frame holds 4088" "with the reason"
is "$(stat -c %s spool)" 16 "and the spool is empty"
kill -INT $consumer
wait $consumer

# ---- what cannot be a spool ----

"$BIN/topology" purge -s s.yaml >/dev/null
echo "important" >notes.txt
status_is 65 "a file that is no spool is refused" "$BIN/producer" -s s.yaml --yes --spool notes.txt
is "$(cat notes.txt)" important "and stays as it is"
ln -s notes.txt link
status_is 73 "a symbolic link is refused" "$BIN/producer" -s s.yaml --yes --spool link
fresh part
produce --rate 100/s >part 2>part.err &
producer=$!
eventually 60 has_lines part 1
status_is 69 "two producers do not share a spool" "$BIN/producer" -s s.yaml --yes --spool spool
like "$(cat "$work/err")" "$producer" "the error names the process that has it"
kill -9 $producer
wait $producer 2>/dev/null

done_testing
