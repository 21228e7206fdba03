#!/bin/bash
# What a message costs when nothing but the client is the limit: no allocation, few system calls,
# no more memory for more messages. On the null broker, which takes and pushes as fast as it can.
. tests/support/tap.sh

counter=$PWD/$INSTRUMENTS/support/count_calls.so
settings=$PWD/tests/bench/bench.yaml
exec {port}< <(exec "$INSTRUMENTS/bench/null_broker")
null_broker=$!
trap 'kill $null_broker; tap_cleanup' EXIT
read -r -u "$port" number
export AMQP_URL=amqp://guest:guest@127.0.0.1:$number

# counted TOOL ARGUMENT...: leaves its allocations, system calls and KiB in $counts.
counted() {
	local tool=$1
	shift
	rm -f "$work/counts"
	timeout 60 env LD_PRELOAD="$counter" COUNT_CALLS="$work/counts" "$BIN/$tool" -s "$settings" \
		--quiet "$@" >"$work/out" 2>"$work/err"
	status=$?
	[ $status -eq 0 ] || sed 's/^/# /' "$work/err"
	read -r -a counts <"$work/counts"
}
# costs NAME COMMAND...: with 20,000 messages, then with 220,000; what those in between cost.
costs() {
	local name=$1 few before
	shift
	counted "${@//COUNT/20000}"
	few=${counts[0]} before=${counts[1]}
	counted "${@//COUNT/220000}"
	few=$((counts[0] - few)) before=$((counts[1] - before))
	# what a consumer gets beyond its count is copied, to be given back: up to a prefetch each time
	is "$((few <= 2000))" 1 "$name: no allocation a message ($few for 200,000)"
	is "$((before > 100 && before <= 6000))" 1 \
		"$name: at most 3 system calls for 100 messages ($before for 200,000)"
	# libcurl and libmicrohttpd, for spans and figures, and what they bring are five more
	local most=16
	[[ $name != bench* ]] || most=12
	is "$((counts[2] <= most * 1024))" 1 "$name: at most $most MiB (${counts[2]} KiB)"
}

case $BIN in *asan* | *tsan*)
	skip "what a message costs" "a sanitizer allocates for itself"
	done_testing
	exit
	;;
esac
costs "publish a constant body" producer constant --amount COUNT --delay 0 --format none --yes
costs "publish five made-up fields" producer generated --amount COUNT --delay 0 --format none --yes
costs "publish events" producer event --amount COUNT --delay 0 --format none --yes
costs "consume, printing nothing" consumer --count COUNT --prefetch 1000 --format none
costs "consume, JSON" consumer --count COUNT --prefetch 1000 --format json
costs "bench, publish" bench constant --consumers 0 --predeclared --pmessages COUNT
costs "bench, consume" bench --producers 0 --predeclared --cmessages COUNT

counted producer constant --amount 0 --delay 0 --format json --yes
is "$status $(cat "$work/err")" "0 " "nothing to send is no trouble"
done_testing
