#!/bin/bash
# The walkthrough on one screen: a private broker, a producer and a consumer side by side.
# WARREN_DEMO_TMUX=1 shows them in tmux panes instead. With AMQP_URL set, that broker is used.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 70

lab='' screen=''
work=$(mktemp -d "${TMPDIR:-/tmp}/warren-demo.XXXXXX")
cleanup() {
	local pids
	pids=$(jobs -p)
	# shellcheck disable=SC2086 # a list of numbers
	[ -z "$pids" ] || kill $pids 2>/dev/null
	wait
	[ -z "$screen" ] || tmux -L "$screen" kill-server 2>/dev/null
	[ -z "$lab" ] || bin/lab down --dir "$lab" >/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

say() { printf '%s\n' "$*"; }

if [ -t 1 ] && [ -z "${NO_COLOR-}" ] && [ "${TERM-dumb}" != dumb ]; then
	blue=$'\033[34m' green=$'\033[32m' reset=$'\033[0m' color=always
else
	blue='' green='' reset='' color=never
fi
# label NAME COLOUR: each line of stdin behind its speaker's name.
label() {
	local line
	while IFS= read -r line; do printf '%s%-8s |%s %s\n' "$2" "$1" "$reset" "$line"; done
}

if [ -n "${AMQP_URL-}" ]; then
	say "demo: using the broker of AMQP_URL"
else
	say "demo: starting a private RabbitMQ (a few seconds) ..."
	lab=$work/lab
	bin/lab up --dir "$lab" >"$work/lab.log" || {
		cat "$work/lab.log"
		exit 69
	}
	eval "$(bin/lab env --dir "$lab")"
fi
export WARREN_COLOR=$color

say "demo: bin/topology apply -s walkthrough"
bin/topology apply -s walkthrough || exit

produce=(bin/producer -s walkthrough --delay 200ms --yes)
consume=(bin/consumer -s walkthrough --count 20 --idle 30s)

if [ -n "${WARREN_DEMO_TMUX-}" ] && command -v tmux >/dev/null; then
	export AMQP_URL
	screen=warren-$$
	say "demo: two panes; Enter in each ends it"
	tmux -L "$screen" new-session -d -s demo "${consume[*]}; read -rp 'Enter ends'" \; \
		split-window -h "${produce[*]}; read -rp 'Enter ends'" \; attach
	exit
fi

say "demo: ${consume[*]}"
say "demo: ${produce[*]}"
"${consume[@]}" > >(label consumer "$green") 2>&1 &
consumer=$!
"${produce[@]}" > >(label producer "$blue") 2>&1 &
producer=$!
wait $producer
sent=$?
wait $consumer
received=$?
say "demo: the producer ended with status $sent, the consumer with status $received"
say "demo: next: read settings/walkthrough.yaml, then try  bin/lab up  and the README's tour"
[ $sent -eq 0 ] && [ $received -eq 0 ]
