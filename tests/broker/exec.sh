#!/bin/bash
# Commands and workers behind a relay: each way to fail has its fate, the others pass in order, and nobody
# is left behind.
. tests/support/tap.sh
use_broker
cd "$work" || exit

# What is done to message n stands in act/n; the others are fine: a command writes the body on, a worker says so.
mkdir act
cat >by-command <<'END'
body=$(cat)
n=${body#*:}
n=${n%\}}
if [ -e "act/$n" ]; then . "act/$n"; else printf %s "$body"; fi
END
cat >by-worker <<'END'
while read -r line; do
	n=${line#*'{\"n\":'}
	n=${n%\}*\}}
	if [ -e "act/$n" ]; then . "act/$n"; else echo true; fi
done
END
cat >s.yaml <<'END'
queues:
  in: {dead_letter: dead}
  again: {retry: {attempts: 2, delay: 100ms}}
  dead:
  out:
relays:
  steps:
    queue: in
    core:
      - exec: ['${PROGRAM:-sh}', '${SCRIPT:-by-worker}']
        worker: true
        jobs: ${JOBS:-2}
        timeout: ${TIMEOUT:-10m}
        restart: {from: 1ms, to: 10ms}
    routing_key: out
  commands:
    queue: in
    core: [{exec: [sh, by-command], jobs: 2, timeout: '${TIMEOUT:-10m}'}]
    routing_key: out
END
export WARREN_SETTINGS=$work/s.yaml
"$BIN/topology" apply >applied || exit 1

sent() { seq "${2:-6}" | sed 's/.*/{"n":&}/' | timeout 60 "$BIN/producer" --from - --exchange '' --routing-key "$1" --yes -q; }
relay() { timeout 300 "$BIN/relay" -f none "$@" >relay.out 2>relay.err </dev/null; }
taken() { timeout 60 "$BIN/consumer" "$1" --until-empty -q -f json --no-declare; }
act() { printf '%s\n' "$2" >"act/$1"; }
# out: the numbers of what came out, in order; what has none is written as it is, cut.
out() {
	taken out >out.jsonl
	jq -r '(.body // .body_base64) | (fromjson? | .n) // .[:9]' out.jsonl | paste -sd' '
}
# why N: the reason that its dead letter has.
why() { jq -r --argjson n "$1" 'select((.body | fromjson.n) == $n).properties.headers["x-warren-error"]' dead.jsonl; }
# hangs RELAY FACTOR: the others have the same time, and may need it.
hangs() {
	rm -f act/*
	act 3 'sleep 1000'
	sent in
	TIMEOUT=$((400 * $2))ms relay "$1" --until-empty
	taken dead >dead.jsonl
	[ "$(out)" = "1 2 4 5 6" ] && why 3 | grep "^took longer than $((400 * $2))"
}

# ---- a command for each message ----

act 2 'exit 1'
act 4 'kill -9 $$'
act 5 'head -c 1000 /dev/zero | tr "\0" "\377"'
act 7 'head -c 1000000 /dev/zero | tr "\0" x'
act 9 ':'
sent in 10
relay commands --until-empty
is "$? $(out)" "0 1 3 ///////// 6 xxxxxxxxx 8 9 10" "commands: what they write is the new body, in order"
taken dead >dead.jsonl
is "$(why 2)" 'ended with status 1' "one that fails: its message is rejected, the others pass"
is "$(why 4)" 'was killed by signal 9 (Killed)' "one that is killed"
is "$(grep -c 'ended with status 1\|was killed by signal 9' relay.err)" 2 "each is told once"
like "$(cat relay.err)" "rejects message [^ ]+: ended with status 1$" "with its message and the reason"
is "$(jq -r 'select(.body_base64) | .body_base64' out.jsonl | base64 -d | tr -d '\377' | wc -c)" 0 "garbage is a body as any other, byte for byte"
is "$(jq -r '.body | select(. != null and .[:1] == "x") | length' out.jsonl)" 1000000 "and so is a megabyte"
ok "a command that hangs is ended, its message rejected" patiently hangs commands

# ---- workers ----

rm -f act/*
act 2 "echo '{\"body\":{\"n\":20}}'"
act 3 "echo '[{\"body\":{\"n\":31}},{\"body\":{\"n\":32}}]'"
act 4 "echo '[]'"
act 5 "echo '{\"reject\":\"no address\"}'"
act 7 'exit 3'
act 8 'kill -9 $$'
act 9 'echo hello'
act 11 'exec >&-; exit 4'
act 12 'printf "true\nmore\n"'
act 13 'printf "\""; head -c 1000000 /dev/zero | tr "\0" x; echo "\""'
act 14 'printf half; exit 0'
sent in 20
relay steps --until-empty
is "$? $(out)" "0 1 20 31 32 6 10 12 xxxxxxxxx 15 16 17 18 19 20" \
	"workers: a result may be the same, another, several or none; what fails leaves the others in order"
taken dead >dead.jsonl
is "$(why 5)" 'no address' "a worker rejects, and says why"
is "$(why 7)" 'ended with status 3' "one that ends over its message: it is rejected, no loop; another worker goes on"
is "$(why 8)" 'was killed by signal 9 (Killed)' "one that is killed"
is "$(why 9)" "answered: 'hello', which is no JSON" "one that writes garbage"
is "$(why 11)" 'ended with status 4' "one that closes its output"
is "$(why 14)" 'ended with status 0' "one that ends in the middle of its answer"
is "$(grep -c 'no address\|hello\|with status\|by signal' relay.err)" 6 "each of those six is told once"
is "$(jq -r 'select(.body[:1] == "x").body | length' out.jsonl)" 1000000 "a megabyte is an answer"
like "$(cat relay.err)" 'wrote what nobody had asked for: it is started again in' "one that writes too much is replaced; its answer counts"
ok "a worker that hangs is ended, its message rejected" patiently hangs steps
rm act/*

cat >worker-once <<'END'
read -r line
echo true
END
sent in 40
SCRIPT=worker-once relay steps --until-empty
is "$(out)" "$(seq -s' ' 40)" "workers that end after each answer cost no message"

# ---- many, in order ----

cat >worker-uneven <<'END'
while read -r line; do
	case $line in *[37]}\"*) sleep 0.01 ;; esac
	echo true
done
END
sent in 500
SCRIPT=worker-uneven JOBS=4 relay steps --until-empty
is "$(out)" "$(seq -s' ' 500)" "500 messages through four uneven workers come in order"

# ---- another try ----

cat >worker-again <<'END'
while read -r line; do
	case $line in
	*'n\":3}'*) if [ -e tried ]; then echo true; else touch tried && echo '{"retry":"not yet"}'; fi ;;
	*) echo true ;;
	esac
done
END
sent again
SCRIPT=worker-again relay steps --count 6 --set relays.steps.queue=again
is "$(out)" "1 2 4 5 6 3" "a worker asks for another try, which comes later; the others keep their order"
act 3 'exit 75'
sent again 3
"$BIN/relay" -f none steps --set relays.steps.queue=again --summary json >relay.out 2>relay.err </dev/null &
relay=$!
ok "one that ends with 75 asks for it, too, until the attempts are used up" settled again.parked 1
kill -INT $relay
wait $relay
is "$(jq -c '[.retried, .parked]' <<<"$(tail -1 relay.err)") $(out)" "[1,1] 1 2" "then it is parked"
is "$(taken again.parked | jq -r '.properties.headers["x-warren-error"]')" "ended with status 75" "with the reason"

# ---- consumer ----

rm -f act/*
sent in 3
is "$(timeout 60 "$BIN/consumer" in --exec 'sh by-worker' --exec-worker --until-empty -q -f body --no-declare | jq -c .n | paste -sd' ')" \
	"1 2 3" "consumer --exec-worker does the same"
status_is 64 "which goes with --exec" "$BIN/consumer" in --exec-worker --no-declare

# ---- what is not there ----

sent in
PROGRAM=./none relay steps
is $? 78 "a program that is not there is refused"
like "$(cat relay.err)" "s.yaml:[0-9]+:[0-9]+: relays.steps.core.0: cannot run './none': No such file or directory" "with its place"
ok "before anything is taken" settled in 6
taken in >/dev/null

# ---- ends ----

cat >worker-slow <<'END'
read -r line
sleep 1000 &
echo $! >child
echo $$ >pid
until [ -e go ]; do sleep 0.02; done
echo true
cat >/dev/null
END
gone() { ! kill -0 "$1" 2>/dev/null || [ "$(awk '{print $3}' "/proc/$1/stat" 2>/dev/null)" = Z ]; }
begin_slow() {
	rm -f pid go
	SCRIPT=worker-slow JOBS=1 "$BIN/relay" -f none steps >relay.out 2>relay.err </dev/null &
	relay=$!
	ok "(a worker is at work)" eventually 60 test -s pid
}

sent in 3
begin_slow
kill -INT $relay
touch go
wait $relay
is "$? $(out)" "0 1" "on stop a message at work is waited for"
ok "the others go back" settled in 2
ok "the worker is gone" eventually 60 gone "$(cat pid)"
ok "and so is what it has started" eventually 60 gone "$(cat child)"

begin_slow
kill -9 $relay
wait $relay 2>/dev/null
touch go
ok "a relay that is killed leaves its messages in the queue" settled in 2
ok "and a worker that sees the end of its input" eventually 60 gone "$(cat pid)"
kill -9 "$(cat child)"
relay steps --until-empty
is "$(out)" "2 3" "from where the next one takes them"

done_testing
