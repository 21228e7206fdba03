#!/bin/bash
# The proxy that hurts connections does what it is told: in front of a broker that confirms everything.
. tests/support/tap.sh
NULL=$PWD/${INSTRUMENTS:-build/release/tests}/bench/null_broker
"$NULL" >"$work/null" &
eventually 60 test -s "$work/null" || exit 1
AMQP_URL=amqp://guest:guest@127.0.0.1:$(cat "$work/null")
export AMQP_URL
. tests/support/through.sh
printf '%s\n' one two three four five >five
yes 'a message of some bytes' | head -n 100000 >many

limit=50000 # to log in; a machine that stands still is no fault of the proxy's
# send NAME STATUS FILE [OPTION...]: a producer through the proxy; its time in $ms.
send() {
	local since=${EPOCHREALTIME/./}
	status_is "$2" "$1: exit $2" "$BIN/producer" --give-up-after 0 --url "$AMQP_URL?connection_timeout=$limit" \
		--from "$3" --routing-key q --quiet --no-declare "${@:4}"
	ms=$(((${EPOCHREALTIME/./} - since) / 1000))
}
# background: a producer that sends for long, until something happens to it.
background() {
	"$BIN/producer" --give-up-after 0 --url "$AMQP_URL?connection_timeout=$limit" --from many --routing-key q --delay 10ms --quiet >background.out 2>background.err &
	producer=$!
	proxy state
	local up
	up=$(of up)
	eventually 60 eval "proxy state; [ \$(of up) -gt $((up + 1000)) ]"
}
ends() {
	wait $producer
	is $? 69 "$1: a producer ends"
	like "$(cat background.err)" "$2" "$1: and says so"
}

proxy_up 1
send "untouched" 0 five
proxy delay 60
send "delay 60" 0 five --window 1
ok "each way each time: five messages and the login ($ms ms)" test $ms -ge 900
proxy resume
proxy fragment 3
send "fragment 3" 0 five
proxy resume
proxy throttle 1000
send "throttle 1000" 0 five
ok "takes its time ($ms ms)" test $ms -ge 300
proxy resume
proxy hang
limit=700 send "hang" 69 five
like "$(cat err)" 'does not answer' "hang: nobody says anything"
proxy resume
proxy refuse
send "refuse" 69 five
like "$(cat err)" 'refused' "refuse: the port is closed"
proxy refuse 100
ok "refuse 100: and opens by itself" eventually 60 eval '(: <>"/dev/tcp/127.0.0.1/$(head -n 1 answers)")'
proxy resume
send "resume" 0 five
for fault in cut reset 'cut-after 333' 'blackhole 2'; do
	background
	proxy "$fault"
	case $fault in
	cut*) ends "$fault" 'lost the broker' ;;
	reset) ends "$fault" 'reset by peer' ;;
	black*)
		proxy state
		down=$(of down)
		eventually 60 eval "proxy state; [ \$(of down) -gt $((down + 100)) ]"
		kill -0 $producer
		result $? "blackhole 2: what comes down is dropped, the link lives on"
		{ kill -9 $producer && wait $producer; } 2>killed
		proxy resume
		;;
	esac
done
proxy nonsense
like "$answer" '^unknown ' "nonsense is not obeyed"
proxy delay soon
like "$answer" '^bad ' "nor is a number that is none"
proxy_down
is $? 0 "told to end, the proxy ends with 0"
like "$answer" '^end .* cut=2 reset=1 delay=1 fragment=1 blackhole=1 hang=1 refuse=2 throttle=1' "at its end it tells what it did"

rm commands answers
AMQP_URL=amqp://guest:guest@127.0.0.1:$(cat null)
proxy_up 7 40 20000
for ((i = 0; i < 200; i++)); do
	"$BIN/producer" --give-up-after 0 --url "$AMQP_URL" --from many --routing-key q --quiet >run.out 2>run.err
	proxy state
	[ "$(of left)" -gt 0 ] || break
done
proxy_down
is "$(of left)" 0 "a schedule of 40 faults comes to its end"
is "$(($(of cut) + $(of reset) + $(of delay) + $(of fragment)))" 40 "and was of 40 faults"
ok "of each kind" eval '[ $(of cut) -gt 0 ] && [ $(of reset) -gt 0 ] && [ $(of delay) -gt 0 ] && [ $(of fragment) -gt 0 ]'
done_testing
