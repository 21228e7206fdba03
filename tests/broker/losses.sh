#!/bin/bash
# A consumer that is stopped, killed or cannot write any more loses nothing: what it had not
# acknowledged comes again.
. tests/support/tap.sh
use_broker

cat >"$work/s.yaml" <<'END'
queues:
  jobs:
messages:
  job:
    routing_key: jobs
    amount: 1000
    fields: {job: {sequence: 1}, text: {text: {length: 200}}}
END
cd "$work" || exit # the tests' own settings, no .env of somebody else

consumer() { exec "$BIN/consumer" -s "$work/s.yaml" jobs "$@"; }
# ids FILE...: of its whole lines; a killed consumer may have left half of one.
ids() {
	local file
	for file; do jq -R -r 'fromjson? | .properties.message_id' "$file"; done | LC_ALL=C sort
}
count() { wc -l | tr -d ' '; }
# What the broker says about the queue. It notices a dead connection a little later; then it gives
# back its messages and forgets its consumer in one step.
queue() { "$BIN/topology" show -s "$work/s.yaml" -f json | jq "$1"; }
holds() { [ "$(queue .ready)" = "$1" ]; }
left_alone() { [ "$(queue .consumers)" = 0 ]; }
# fill: 1,000 messages; their ids in sent.ids
fill() {
	"$BIN/producer" -s "$work/s.yaml" --yes --format json >"$work/sent" 2>"$work/sent.err" ||
		cat "$work/sent.err"
	ids "$work/sent" >"$work/sent.ids"
}
# rest FILE: what is still in the queue.
rest() { timeout 60 "$BIN/consumer" -s "$work/s.yaml" jobs --until-empty -f json >"$1" 2>"$1.err"; }
# field SUMMARY NAME: a count of the summary, 0 when it is not mentioned.
field() { sed -nE "s/^consumer: .*\\b([0-9,]+) $2.*/\\1/p" "$1" | tr -d , | grep . || echo 0; }

# ---- a signal in the middle, while a slow reader takes the output ----

# begin ARGUMENTS: a consumer that writes into a pipe nobody reads beyond the first 10 lines.
begin() {
	rm -f "$work/pipe"
	mkfifo "$work/pipe"
	: >"$work/first"
	consumer -f json "$@" >"$work/pipe" 2>"$work/first.err" &
	pid=$!
	exec 9<"$work/pipe"
	for _ in {1..10}; do
		IFS= read -r -t 60 line <&9
		printf '%s\n' "$line" >>"$work/first"
	done
}

for signal in INT TERM HUP; do
	fill
	begin --prefetch 50
	kill "-$signal" $pid
	cat <&9 >>"$work/first"
	wait $pid
	is $? 0 "SIG$signal: a clean end with status 0"
	exec 9<&-
	like "$(cat first.err)" '^consumer: [0-9]+ received, [0-9]+ acknowledged.* in ' "SIG$signal: the summary is printed"
	printed=$(ids first | count)
	ok "SIG$signal: it came in the middle ($printed printed)" test "$printed" -lt 1000
	is "$(field first.err acknowledged)" "$printed" "SIG$signal: as many acknowledged as printed"
	ok "SIG$signal: and the others are in the queue" eventually 60 holds $((1000 - printed))
	ok "SIG$signal: from which they come" rest second
	LC_ALL=C cmp -s <(ids first second) sent.ids
	result $? "SIG$signal: nothing is missing, nothing came twice"
done

fill
begin --prefetch 50
kill -KILL $pid
cat <&9 >>"$work/first"
wait $pid 2>ignored
is $? 137 "SIGKILL: it is gone at once"
exec 9<&-
printed=$(ids first | count)
ok "SIGKILL: it came in the middle ($printed printed)" test "$printed" -lt 1000
eventually 60 left_alone
ok "SIGKILL: the rest is consumed" rest second
ids first second | uniq >all.ids
ok "SIGKILL: nothing is missing" cmp -s all.ids sent.ids
again=$(ids first second | uniq -d | count)
ok "SIGKILL: what came twice had been printed but not acknowledged ($again)" test "$again" -le 350
jq -r 'select(.redelivered) | .properties.message_id' second | LC_ALL=C sort >redelivered.ids
is "$(LC_ALL=C comm -23 <(ids first second | uniq -d) redelivered.ids | count)" 0 \
	"SIGKILL: and is marked as redelivered"

# ---- a signal in the middle, while a command works ----

cat >"$work/slow" <<'END'
#!/bin/bash
# Notes the message; the tenth one waits until it is told to go on.
echo "$WARREN_MESSAGE_ID" >>done.ids
[ "$(wc -l <done.ids)" -ne 10 ] || { : >tenth; until [ -e go ]; do read -r -t 0.05 <> <(:); done; }
exit 0
END
chmod +x "$work/slow"

for signal in INT TERM; do
	rm -f done.ids tenth go
	fill
	consumer -f json --exec ./slow >first 2>first.err &
	pid=$!
	ok "SIG$signal with --exec: the tenth command is at work" eventually 60 test -e tenth
	kill "-$signal" $pid
	eventually 60 left_alone # it has heard
	: >go
	wait $pid
	is $? 0 "SIG$signal with --exec: a clean end with status 0"
	is "$(ids first | count) $(count <done.ids) $(field first.err acknowledged)" "10 10 10" \
		"SIG$signal with --exec: the command at work was waited for, no other was started"
	ok "SIG$signal with --exec: the others are in the queue" eventually 60 holds 990
	rest second
	LC_ALL=C cmp -s <(ids first second) sent.ids
	result $? "SIG$signal with --exec: nothing is missing, nothing came twice"
done

rm -f done.ids tenth go
fill
consumer -f json --exec ./slow >first 2>first.err &
pid=$!
eventually 60 test -e tenth
kill -KILL $pid
wait $pid 2>ignored
: >go
eventually 60 left_alone
rest second
ids first second | uniq >all.ids
ok "SIGKILL with --exec: nothing is missing" cmp -s all.ids sent.ids

# ---- output that cannot be written ----

fill
timeout 60 "$BIN/consumer" -s s.yaml jobs -f json >/dev/full 2>full.err
is $? 74 "a full disk: exit 74"
like "$(tail -n 1 full.err)" "cannot write .*standard output.*No space left" "a full disk: the last line says why"
like "$(cat full.err)" ' 0 acknowledged' "a full disk: nothing was acknowledged"
ok "a full disk: every message is still there" eventually 60 holds 1000

# Shut after three lines; SIGPIPE must not kill the consumer in the middle of its work either.
timeout 60 "$BIN/consumer" -s s.yaml jobs -f json 2>head.err | head -n 3 >first
shut=${PIPESTATUS[0]}
is "$shut" 74 "a reader that leaves (head -n 3): exit 74"
like "$(cat head.err)" '^consumer: [0-9,]+ received, ' "a reader that leaves: the summary is printed"
acked=$(field head.err acknowledged)
ok "a reader that leaves: what was not written is in the queue" eventually 60 holds $((1000 - acked))
# The kernel took some lines that head never read; they count as written, and are no loss of ours.
ok "a reader that leaves: at most a pipe full was taken (${acked:-?})" test "${acked:-9999}" -lt 1000
rest second
is "$(ids second | count)" $((1000 - acked)) "a reader that leaves: and comes again"

# Nothing can be written there, so nothing may be acknowledged; least of all into our own socket.
fill
timeout 60 "$BIN/consumer" -s s.yaml jobs -f json --until-empty >&- 2>closed.err
is $? 74 "standard output is closed: exit 74"
ok "standard output is closed: every message is still there" eventually 60 holds 1000
rest second

# ---- a reader that is gone to sleep ----

fill
begin --prefetch 500
kill -INT $pid
since=$SECONDS
wait $pid
is $? 0 "SIGINT while nobody reads: a clean end"
ok "SIGINT while nobody reads: within seconds" test $((SECONDS - since)) -le 30
cat <&9 >>"$work/first"
exec 9<&-
like "$(cat first.err)" '^consumer: [0-9]+ received, [0-9]+ acknowledged' "SIGINT while nobody reads: with a summary"
rest second
ids first second | uniq >all.ids
ok "SIGINT while nobody reads: nothing is missing" cmp -s all.ids sent.ids

# ---- the second signal ----

for pair in INT:130 TERM:143; do
	signal=${pair%:*} status=${pair#*:}
	for _ in 1 2 3 4 5; do # after two seconds it ends by itself; we may stand still as long
		fill
		begin --prefetch 500
		kill "-$signal" $pid
		eventually 60 left_alone
		result $? "SIG$signal while the output is blocked: it takes no more"
		since=${EPOCHREALTIME/./}
		kill "-$signal" $pid
		wait $pid 2>ignored
		ended=$? took=$(((${EPOCHREALTIME/./} - since) / 1000))
		cat <&9 >>"$work/first"
		exec 9<&-
		[ $ended -ne "$status" ] || [ $took -ge 1000 ] || break
		eventually 60 holds $((1000 - $(ids first | count))) && rest second
	done
	is $ended "$status" "a second SIG$signal while the output is blocked: status $status"
	ok "a second SIG$signal: at once" test $took -lt 1000
	printed=$(ids first | count)
	ok "a second SIG$signal: what was not printed is in the queue" eventually 60 holds $((1000 - printed))
	rest second
	ids first second | uniq >all.ids
	ok "a second SIG$signal: nothing is missing" cmp -s all.ids sent.ids
done
done_testing
