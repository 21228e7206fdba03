#!/bin/bash
# The lab, for real: brokers are started and ended, as this user and, for root, as nobody too.
# TAP. BIN names the folder of the programs, WARREN_TEST_CLUSTER=1 adds three nodes.
# shellcheck disable=SC2317 # functions are called through check
# shellcheck disable=SC2016 # sh -c expands what it gets
set -u
cd "$(dirname "$0")/../.." || exit 1
lab=$(realpath -e "${BIN:-build/release/bin}/lab") || {
	echo "Bail out! there is no lab to test; run make first"
	exit 1
}
unset WARREN_LAB_DIR WARREN_DIR
base=$(mktemp -d /tmp/warren-test-lab-XXXXXX) || exit 1
chmod 755 "$base"
count=0
failed=0

finish() {
	for dir in "$base"/*/; do
		"$lab" down --dir "$dir" >/dev/null 2>&1
	done
	rm -rf "$base"
}
trap finish EXIT

# check SENTENCE COMMAND...: one test, passed when the command succeeds.
check() {
	local sentence=$1
	shift
	count=$((count + 1))
	if "$@" >"$base/said" 2>&1; then
		echo "ok $count - $sentence"
	else
		echo "not ok $count - $sentence"
		sed 's/^/# /' "$base/said"
		failed=1
	fi
}

# gives STATUS COMMAND...: whether it exits so; what it says is kept in $base/out and $base/err.
gives() {
	local wanted=$1 got
	shift
	"$@" >"$base/out" 2>"$base/err"
	got=$?
	[ "$got" -eq "$wanted" ] || {
		echo "exit status $got instead of $wanted"
		cat "$base/out" "$base/err"
		return 1
	}
}

# says STATUS TEXT COMMAND...: exits so and prints the text on stdout or stderr.
says() {
	local wanted=$1 text=$2
	shift 2
	gives "$wanted" "$@" || return 1
	grep -qF -- "$text" "$base/out" "$base/err" || {
		echo "wanted: $text"
		cat "$base/out" "$base/err"
		return 1
	}
}

# The processes that have the folder on their command line or in their environment, as "pid name";
# zombies have neither.
survivors() {
	local process file words
	for process in /proc/[0-9]*; do
		[ "${process#/proc/}" = $$ ] && continue
		for file in cmdline environ; do
			mapfile -d '' words <"$process/$file" || continue
			case "${words[*]}" in *"$1"*) echo "${process#/proc/} $(<"$process/comm")" && break ;; esac
		done
	done 2>/dev/null
}

# within SECONDS COMMAND...: whether the command succeeds before the time is over.
within() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.05 # between two looks at the condition
	done
}

none_left() {
	left=$(survivors "$1")
	[ -z "$left" ]
}

gone() {
	within 60 none_left "$1" || {
		echo "still there: $left"
		return 1
	}
}

removed() {
	[ ! -e "$1" ]
}

# Whether an AMQP server greets at amqp://…:PORT.
greets() {
	local first
	exec 7<>"/dev/tcp/127.0.0.1/${1##*:}" || return 1
	printf 'AMQP\0\0\11\1' >&7
	first=$(head -c 1 <&7 | od -An -tu1)
	exec 7>&-
	[ "$first" -eq 1 ]
}

# What a shell knows after eval of `lab env`.
value() {
	(
		eval "$("$lab" env --dir "$1")" && printf '%s' "${!2-}"
	)
}

field() {
	"$lab" status --dir "$1" --format json | jq -r "$2"
}

mode_is() {
	[ "$(stat -c %a "$2")" = "$1" ]
}

loopback_only() {
	local port
	for port in $(field "$1" '.epmd.port, .nodes[].ports[]'); do
		ss -ltnH "sport = :$port" | awk '{print $4}' >"$base/listeners"
		[ -s "$base/listeners" ] || { echo "nobody listens on $port" && return 1; }
		! grep -vE '^(127\.0\.0\.1|\[::1\]):' "$base/listeners" || return 1
	done
}

# life WHO DIR COMMAND-PREFIX...: up, status, env, ctl, logs, down.
life() {
	local who=$1 dir=$2
	shift 2
	check "$who brings a lab up" says 0 "the lab is up" "$@" "$lab" up --dir "$dir"
	check "the broker of $who greets" greets "$(value "$dir" AMQP_URL)"
	check "$who is told that it is already up" says 0 "the lab was already up" "$@" "$lab" up --dir "$dir"
	check "$who sees its status" says 0 running "$@" "$lab" status --dir "$dir"
	check "$who can use rabbitmqctl" says 0 "a@localhost" "$@" "$lab" ctl --dir "$dir" -- -q eval 'node().'
	check "$who can name the node for rabbitmqctl" says 0 "guest" "$@" "$lab" ctl a --dir "$dir" -- -q list_users
	check "$who can read the logs" says 0 "Server startup complete" "$@" "$lab" logs --dir "$dir" a
	check "the folder of $who is private" mode_is 700 "$dir"
	check "the cookie of $who is private" mode_is 400 "$dir/.erlang.cookie"
	check "the brokers of $who listen on the loopback only" loopback_only "$dir"
	check "$who takes it down" says 0 "the lab is down" "$@" "$lab" down --dir "$dir"
	check "nothing of $who is left running" gone "$dir"
	check "nothing of $who is left on disk" removed "$dir"
	check "$who may take it down again" says 0 "no lab was running" "$@" "$lab" down --dir "$dir"
	check "$who is told when no lab runs" says 69 "no lab runs in" "$@" "$lab" status --dir "$dir"
	check "$who gets no variables then" gives 69 "$@" "$lab" env --dir "$dir"
	check "and nothing for eval on stdout" test ! -s "$base/out"
}

side_by_side() {
	"$lab" up --dir "$base/one" >/dev/null &
	"$lab" up --dir "$base/two" >/dev/null && wait $! &&
		greets "$(value "$base/one" AMQP_URL)" && greets "$(value "$base/two" AMQP_URL)"
}

is_alone() {
	"$lab" ctl --dir "$2" -- -q eval \
		'rabbit_amqqueue:declare({resource,<<"/">>,queue,<<"mine">>},true,false,[],none,<<"t">>).' &&
		"$lab" ctl --dir "$2" -- -q list_queues name | grep -q mine &&
		! "$lab" ctl --dir "$1" -- -q list_queues name | grep -q mine
}

killed_supervisor() {
	kill -9 "$(field "$1" .supervisor)" && gone "$1" && says 69 "no lab runs" "$lab" status --dir "$1"
}

terminated_supervisor() {
	kill -TERM "$(field "$1" .supervisor)" && within 60 removed "$1" && gone "$1"
}

removed_folder() {
	rm -rf "$1"
	gone "$1"
}

killed_node() {
	kill -9 "$(field "$1" '.nodes[0].pid')" &&
		within 60 not_running "$1" && gone "$1" && grep -q "signal 9" "$1/supervisor.log"
}

not_running() {
	! "$lab" status --dir "$1" >/dev/null 2>&1
}

# signal_when SIGNAL PID COMMAND...: sends it once the command succeeds. Longer than a lab waits to start.
signal_when() {
	local number=$1 process=$2
	shift 2
	within 120 "$@" && kill "$number" "$process" && return
	echo "it never came to: $*"
	kill "$process"
	return 1
}

signalled_run() {
	"$lab" run -- sh -c 'echo "$WARREN_LAB_DIR" >"$0"; exec sleep 600' "$base/where" &
	signal_when -TERM $! test -s "$base/where" || return 1
	wait $!
	[ $? -eq 143 ] && gone "$(cat "$base/where")" && removed "$(cat "$base/where")"
}

killed_run() {
	"$lab" run -- sh -c 'echo "$WARREN_LAB_DIR" >"$0"; exec sleep 600' "$base/where9" &
	signal_when -9 $! test -s "$base/where9" || return 1
	wait $! 2>/dev/null
	within 60 removed "$(cat "$base/where9")" && gone "$(cat "$base/where9")"
}

foreground() {
	"$lab" up --foreground --dir "$base/front" >"$base/front.out" 2>"$base/front.err" &
	signal_when -INT $! grep -q "the lab is up" "$base/front.out" || return 1
	wait $! && gone "$base/front" && removed "$base/front"
}

interrupted_up() {
	"$lab" up --dir "$base/early" >/dev/null 2>&1 &
	signal_when -TERM $! test -s "$base/early/a/console.log" -o -s "$base/early/state.json" || return 1
	wait $! 2>/dev/null
	within 60 removed "$base/early" && gone "$base/early"
}

two_starters() {
	"$lab" up --dir "$base/race" >"$base/race1" 2>&1 &
	"$lab" up --dir "$base/race" >"$base/race2" 2>&1 && wait $! &&
		cat "$base/race1" "$base/race2" && grep -q "already up" "$base/race1" "$base/race2" &&
		[ "$(survivors "$base/race" | grep -c epmd)" -eq 1 ]
}

life "this user" "$base/mine"

odd="$base/a (lab) \$HOME; * ü"
check "a folder with odd characters will do" says 0 "the lab is up" "$lab" up --dir "$odd"
check "and its variables survive the shell" test "$(value "$odd" WARREN_LAB_DIR)" = "$odd"
check "and so does rabbitmqctl" gives 0 "$lab" ctl --dir "$odd" -- -q list_users
check "and it ends" says 0 "the lab is down" "$lab" down --dir "$odd"
check "quotes will not do" says 73 "RabbitMQ cannot live with quotes" "$lab" up --dir "$base/it's"

check "two labs run side by side" side_by_side
check "a queue of one is not in the other" is_alone "$base/one" "$base/two"
check "a supervisor that is killed leaves no process" killed_supervisor "$base/one"
check "the other lab goes on" greets "$(value "$base/two" AMQP_URL)"
check "a lab ends with its last node" killed_node "$base/two"
check "a lab that has died is replaced, and nothing holds the pipe" says 0 "the lab is up" \
	sh -c '"$0" up --dir "$1" | cat' "$lab" "$base/one"
check "a supervisor that gets SIGTERM takes the lab down" terminated_supervisor "$base/one"
check "a folder of a dead lab is removed by down" says 0 "no lab was running" "$lab" down --dir "$base/two"
check "with all that is in it" removed "$base/two"
check "two that start the same lab share it" two_starters
check "and it ends when its folder is removed by hand" removed_folder "$base/race"
check "a start that is interrupted leaves nothing" interrupted_up

# ---- faults, on one node ----
state_is() {
	[ "$(field "$1" '.nodes[0].state')" = "$2" ]
}
# The process of the node is there and stopped.
stands_still() {
	grep -q ') T ' "/proc/$(field "$1" '.nodes[0].pid')/stat"
}
same_ports() {
	[ "$(field "$1" '.nodes[].ports | tostring')" = "$ports" ]
}
dead() {
	! greets "$(value "$1" AMQP_URL)" 2>/dev/null
}
break="$base/break"
check "a verb needs a lab" says 69 "no lab runs in" "$lab" kill a --dir "$break"
"$lab" up --dir "$break" >/dev/null
ports=$(field "$break" '.nodes[].ports | tostring')
check "the only node can be killed" says 0 "node a is killed, after " "$lab" kill a --dir "$break"
check "the lab goes on without it" state_is "$break" killed
check "which its status tells, and is no error" says 0 killed "$lab" status --dir "$break"
check "nobody answers" dead "$break"
check "a dead node is not killed again" says 69 "cannot kill node 'a': it is killed, not starting" "$lab" kill a --dir "$break"
check "nor resumed" says 69 "cannot resume node 'a': it is killed, not paused" "$lab" resume a --dir "$break"
check "nor given an alarm" says 69 "node 'a' cannot have an alarm: it is killed" "$lab" alarm disk on a --dir "$break"
check "it is started again" says 0 "node a runs again, after " "$lab" start a --dir "$break"
check "on the same ports" same_ports "$break"
check "and answers" greets "$(value "$break" AMQP_URL)"
check "a node that runs is not started" says 69 "cannot start node 'a': it is running" "$lab" start a --dir "$break"
check "it is paused" says 0 "node a is paused, after " "$lab" pause a --dir "$break"
check "its process stands still" stands_still "$break"
check "which its status tells" state_is "$break" paused
check "it cannot be stopped then" says 69 "cannot stop node 'a': it is paused" "$lab" stop a --dir "$break"
check "it goes on" says 0 "node a goes on, after " "$lab" resume a --dir "$break"
check "it has an alarm" says 0 "node a has a memory alarm, after " "$lab" alarm memory on --dir "$break"
check "that it knows of" says 0 "resource_limit,memory" "$lab" ctl --dir "$break" -- -q eval 'rabbit_alarm:get_alarms().'
check "and no more" says 0 "node a is without a memory alarm" "$lab" alarm memory off a --dir "$break"
check "which it knows, too" says 0 "[]" "$lab" ctl --dir "$break" -- -q eval 'rabbit_alarm:get_alarms().'
check "a queue has a leader" sh -c '
	"$0" ctl --dir "$1" -- -q eval "rabbit_amqqueue:declare({resource,<<\"/\">>,queue,<<\"it\"/utf8,39,\" s\">>},true,false,[],none,<<\"t\">>)." &&
		[ "$("$0" leader --dir "$1" "it'"'"' s")" = a ]' "$lab" "$break"
check "one that is not there has none" says 76 "there is no queue 'x\x1b' in the vhost '/'" "$lab" leader $'x\e' --dir "$break"
check "nor one of a vhost that is not there" says 76 "in the vhost 'v'" "$lab" leader x --vhost v --dir "$break"
check "one node cannot be cut" says 69 "there is no other node that runs to cut 'a' from" "$lab" cut a --dir "$break"
check "nor from itself" says 64 "node 'a' cannot be cut from itself" "$lab" cut a a --dir "$break"
check "and is never parted" says 0 "nothing was cut" "$lab" heal --dir "$break"
check "an unknown node is named" says 64 "the lab has no node 'b'" "$lab" kill b --dir "$break"
check "a verb without a node tells what it needs" says 64 "usage: lab pause NODE..." "$lab" pause --dir "$break"
check "an unknown alarm tells what there is" says 64 "alarm needs: memory or disk" "$lab" alarm fire on --dir "$break"
check "it is stopped" says 0 "node a is stopped, after " "$lab" stop a --dir "$break"
check "which its status tells as well" state_is "$break" stopped
check "and is started once more" says 0 "node a runs again" "$lab" start a --dir "$break"
check "a start that takes too long is told" sh -c '
	"$0" kill a --dir "$1" && ! "$0" start a --dir "$1" --wait 100ms 2>"$1.late" &&
		grep -q "does not answer within 100ms; give it more time with --wait" "$1.late"' "$lab" "$break"
check "and goes on nevertheless" within 60 state_is "$break" running
"$lab" pause a --dir "$break" >/dev/null
check "a lab with a paused node goes down" says 0 "the lab is down" "$lab" down --dir "$break"
check "without a trace" gone "$break"
check "run, too, sees the end of a node" says 0 "node a is killed" "$lab" run -- sh -c 'exec "$0" kill a' "$lab"
check "the drills are listed" says 0 "leader-killed    3 nodes  the node with the leader" "$lab" drill list
check "an unknown drill is told" says 64 "there is no drill 'fire'; there are: node-killed, leader-killed" "$lab" drill fire
check "a drill in a lab that runs needs one" says 69 "no lab runs in" "$lab" drill memory-alarm --here --dir "$break"

check "run returns the status of its command" gives 3 "$lab" run -- sh -c 'echo "$AMQP_URL $WARREN_LAB_DIR"; exit 3'
check "run gives it the variables" grep -q '^amqp://guest:guest@127.0.0.1:[0-9]* /' "$base/out"
check "run leaves nothing behind" removed "$(cut -d' ' -f2 "$base/out")"
check "run reports a command that is not there" says 127 "cannot run 'no-such-program': No such file" "$lab" run -- no-such-program
check "run passes a signal on and takes the lab down" signalled_run
check "a lab ends with a run that is killed" killed_run
check "run needs a command" says 64 "run needs a command" "$lab" run
check "a lab in the foreground ends with SIGINT" foreground

check "a missing RabbitMQ is named with the remedy" says 69 "run 'make deps'" "$lab" up --dir "$base/none" --rabbitmq "$base/nowhere"
check "and nothing is made for it" removed "$base/none"
mkdir "$base/fake"
printf '#!/bin/sh\necho "no luck today"\nexit 3\n' >"$base/fake/rabbitmq-server"
chmod 755 "$base/fake/rabbitmq-server"
check "a node that ends early is told" says 69 "node 'a' ended with status 3" "$lab" up --dir "$base/broken" --rabbitmq "$base/fake"
check "with what it said" grep -q "no luck today" "$base/err"
check "its logs stay" says 0 "no luck today" "$lab" logs --dir "$base/broken" a
check "until down" says 0 "no lab was running" "$lab" down --dir "$base/broken"
printf '#!/bin/sh\nexec sleep 600\n' >"$base/fake/rabbitmq-server"
check "a node that never answers is given up" says 69 "not every node answered within 500ms" "$lab" up --wait 500ms --dir "$base/broken" --rabbitmq "$base/fake"
check "and leaves no process" gone "$base/broken"
"$lab" down --dir "$base/broken" >/dev/null

mkdir "$base/foreign"
touch "$base/foreign/precious"
check "down refuses a folder that is no lab's" says 77 "it has no '.warren-lab'" "$lab" down --dir "$base/foreign"
check "and leaves it alone" test -e "$base/foreign/precious"
check "up refuses it as well" says 73 "it is not empty" "$lab" up --dir "$base/foreign"
mkdir "$base/target" && ln -s "$base/target" "$base/link"
check "up refuses a symbolic link" says 77 "it is not a directory" "$lab" up --dir "$base/link"
check "an unknown command is refused" says 64 "did you mean 'status'" "$lab" statsu
check "too many operands are refused" says 64 "unexpected argument 'x'" "$lab" up x
check "a full disk is told" sh -c '"$0" --help >/dev/full; test $? -eq 74' "$lab"

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	mkdir -m 777 "$base/public"
	life "nobody" "$base/public/lab" setpriv --reuid=65534 --regid=65534 --clear-groups
	mkdir -m 755 "$base/public/roots"
	check "nobody cannot use a folder of root" says 77 "it belongs to another user" \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$lab" up --dir "$base/public/roots"
fi

if [ "${WARREN_TEST_CLUSTER:-}" = 1 ]; then
	check "three nodes form a cluster" says 0 "the lab is up" "$lab" up --nodes 3 --dir "$base/cluster"
	check "all of them are in it" says 0 "[3,3,3]" sh -c '
		for node in a b c; do "$0" ctl $node --dir "$1" -- -q eval "length(rabbit_nodes:all_running())."; done |
			jq -sc .' "$lab" "$base/cluster"
	check "a cluster goes on without one node" kill -9 "$(field "$base/cluster" '.nodes[1].pid')"
	check "which is shown as ended" within 60 sh -c '"$0" status --dir "$1" | grep -q "^b  *ended"' "$lab" "$base/cluster"
	check "while the others run" says 0 running "$lab" status --dir "$base/cluster"
	check "the cluster ends" says 0 "the lab is down" "$lab" down --dir "$base/cluster"
	check "without a trace" gone "$base/cluster"
fi

echo "1..$count"
exit "$failed"
