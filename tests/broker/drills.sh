#!/bin/bash
# Fault drills: the timeline of what each tool saw, and a verdict that agrees with it.
. tests/support/tap.sh
unset WARREN_LAB_DIR

drill() {
	"$BIN/lab" drill "$@" >"$work/out" 2>"$work/err"
	status=$?
}
# at TEXT: the second at which the timeline has it first.
at() { grep -m 1 -F -- "$1" "$work/out" | awk '{print $1}'; }
in_order() { [ "$(printf '%s\n' "$@" | sort -n | tr '\n' ' ')" = "$* " ] && [ -n "$1" ]; }
count() { sed -nE "s/^.*\\b([0-9]+) $1.*/\\1/p" "$work/verdict"; }
# verdict NAME: nothing was lost, and the counts agree.
verdict() {
	sed -n '/^verdict: /,$p' "$work/out" >"$work/verdict"
	is "$status" 0 "$1: exit status 0"
	like "$(head -n 1 "$work/verdict")" '^verdict: nothing was lost$' "$1: nothing was lost"
	ok "$1: enough was confirmed" test "$(count confirmed)" -ge 400
	ok "$1: and as much received" test "$(count received)" -ge "$(count confirmed)"
	like "$(cat "$work/verdict")" 'the longest time without a confirm was [0-9.]+m?s, from second [0-9.]+' \
		"$1: the longest gap is told"
	grep -vqE '^ *[0-9]+\.[0-9]{3}  (drill|lab|producer|consumer|node [a-c])  +[^ ]' <(sed '/^verdict: /,$d' "$work/out")
	is $? 1 "$1: every line has second, name and text"
}

drill memory-alarm
verdict memory-alarm
ok "memory-alarm: the producer says that it is blocked, and goes on" in_order \
	"$(at 'lab alarm memory on')" "$(at 'takes no messages for now')" "$(at 'lab alarm memory off')" \
	"$(at 'takes messages again')"
like "$(cat "$work/verdict")" 'without a confirm was ([5-9]|[1-9][0-9])(\.[0-9]+)?s' "memory-alarm: for the time of the alarm"

drill consumer-killed
verdict consumer-killed
ok "consumer-killed: it is killed and comes back" in_order "$(at 'kill -9 of the consumer')" \
	"$(at 'consumer  was killed by signal 9')" "$(grep 'consumer  started' "$work/out" | awk 'NR == 2 {print $1}')"

# A drill in a lab of ours; a step that fails ends it.
export WARREN_LAB_DIR=$work/lab
trap '"$BIN/lab" down --dir "$work/lab" >/dev/null 2>&1; tap_cleanup' EXIT
"$BIN/lab" up >/dev/null
drill node-killed --here
is "$(grep -c 'lab kill a\|node a is killed\|lab start a\|node a runs again' "$work/out")" 4 "node-killed: every step is told"
like "$(cat "$work/out")" '^verdict: nothing was lost$' "node-killed: nothing was lost"
drill leader-killed --here
is "$status" 69 "a drill for three nodes refuses a lab of one"
like "$(cat "$work/err")" '^lab: this drill needs a lab with 3 node\(s\) that run$' "and says so"
"$BIN/lab" pause a >/dev/null
drill connection-cut --here --wait 2s
is "$status" 69 "a drill that cannot be carried out has no verdict"
is "$(grep -c '^verdict' "$work/out")" 0 "indeed none"
no_tool() { ! pgrep -f "$work/lab/drill.yaml"; }
ok "and leaves no tool behind" eventually 60 no_tool

# Interrupted, it takes everything down.
unset WARREN_LAB_DIR
TMPDIR=$work "$BIN/lab" drill memory-alarm >"$work/interrupted" 2>&1 &
pid=$!
ok "a drill begins" eventually 60 grep -q 'so far' "$work/interrupted"
kill -TERM $pid
wait $pid
is $? 69 "a signal ends it"
none_left() { ! pgrep -f "$work/warren-lab" && ! ls -d "$work"/warren-lab*; }
ok "with all it had started" eventually 60 none_left
done_testing
