# shellcheck shell=bash
# tap.sh - what the shell tests share: source it, then use ok, is, like, and done_testing.
set -u
BIN=${BIN:-$PWD/build/release/bin}
tap_count=0 tap_failed=0
work=$(mktemp -d "${TMPDIR:-/tmp}/warren-tap.XXXXXX")
tap_cleanup() {
	local pids
	pids=$(jobs -p)
	[ -z "$pids" ] || kill -9 $pids 2>/dev/null
	[ -z "${vhost-}" ] || "$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- delete_vhost "$vhost" >/dev/null 2>&1
	rm -rf "$work"
}
trap tap_cleanup EXIT

# result STATUS NAME: one line of TAP.
result() {
	tap_count=$((tap_count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_count - $2"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $2"
	fi
	return 0
}
# ok NAME COMMAND...: the command succeeds.
ok() {
	local name=$1
	shift
	"$@" >"$work/ok.out" 2>&1
	local status=$?
	result $status "$name"
	[ $status -eq 0 ] || sed 's/^/#   /' "$work/ok.out" | head -n 10
}
# is GOT EXPECTED NAME
is() {
	[ "$1" = "$2" ]
	local status=$?
	result $status "$3"
	[ $status -eq 0 ] || printf '#   got:      %q\n#   expected: %q\n' "$1" "$2"
}
# like TEXT REGEX NAME (extended, whole text)
like() {
	grep -qE -- "$2" <<<"$1"
	local status=$?
	result $status "$3"
	[ $status -eq 0 ] || printf '#   got: %q\n#   does not match: %s\n' "$1" "$2"
}
# status_is EXPECTED NAME COMMAND...: its exit status; output in $work/out and $work/err.
status_is() {
	local expected=$1 name=$2
	shift 2
	timeout 60 "$@" >"$work/out" 2>"$work/err" </dev/null
	is $? "$expected" "$name"
}
skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}
# eventually SECONDS COMMAND...: waits until it succeeds; fails when the time is over. The last look is
# one after the deadline: the machine may have stood still since the one before.
eventually() {
	local deadline=$((SECONDS + $1)) is_late=
	shift
	until "$@" >/dev/null 2>&1; do
		[ -z "$is_late" ] || return 1
		[ $SECONDS -lt $deadline ] || is_late=yes
		read -r -t 0.05 <> <(:) || true
	done
}
# fresh FILE...: empty, before a command that runs beside the script writes there: what another one has
# left would be taken for what this one says.
fresh() {
	local file
	for file; do : >"$file"; done
}
# quickly MS COMMAND...: it succeeds within so many milliseconds, of five times at least once.
quickly() {
	local most=$1 try since
	shift
	for try in 1 2 3 4 5; do
		since=${EPOCHREALTIME/[.,]/}
		"$@" && [ $(((${EPOCHREALTIME/[.,]/} - since) / 1000)) -le "$most" ] && return
		echo "not in time, try $try"
	done
	return 1
}
# patiently COMMAND...: calls it with the factor 1 behind its arguments, then with 4 and 12, until it
# succeeds. For what must happen within a time of ours: a machine that stands still for seconds gets
# the same at a slower pace; a mistake is one at every pace.
patiently() {
	"$@" 1 || "$@" 4 || "$@" 12
}
done_testing() {
	echo "1..$tap_count"
	[ $tap_failed -eq 0 ]
	exit
}

# use_broker: a vhost of its own on the shared node; sets AMQP_URL. Starts a node when none is shared.
use_broker() {
	if [ -z "${WARREN_TEST_LAB-}" ]; then
		export WARREN_TEST_LAB=$work/lab
		"$BIN/lab" up --wait 300s --dir "$WARREN_TEST_LAB" >/dev/null || exit 1
		trap '"$BIN/lab" down --dir "$WARREN_TEST_LAB" >/dev/null 2>&1; vhost=; tap_cleanup' EXIT
	fi
	eval "$("$BIN/lab" env --dir "$WARREN_TEST_LAB")"
	vhost=t$$-$RANDOM
	"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- add_vhost "$vhost" >/dev/null || exit 1
	"$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- set_permissions -p "$vhost" guest '.*' '.*' '.*' >/dev/null || exit 1
	export AMQP_URL=$AMQP_URL/$vhost
}
# ready QUEUE: messages in it. The broker counts a little later than it answers: wait with settled.
ready() { "$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- -q -p "$vhost" list_queues name messages | awk -v q="$1" '$1 == q {print $2}'; }
# deserted QUEUE: its consumers are gone, soon: what one that was killed held is in it again, in one step with that.
has_no_consumers() { "$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- -q -p "$vhost" list_queues name consumers | awk -v q="$1" '$1 == q {found = $2 == 0} END {exit !found}'; }
deserted() { eventually 60 has_no_consumers "$@" || { echo "queue $1 has consumers" && false; }; }
# settled QUEUE N: so many messages are in the queue, soon.
has_messages() { [ "$(ready "$1")" = "$2" ]; }
settled() { eventually 60 has_messages "$@" || { echo "in queue $1: $(ready "$1"), not $2" && false; }; }
