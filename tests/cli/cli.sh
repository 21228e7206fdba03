#!/bin/bash
# The command lines without a broker: what every tool answers, which mistakes end how.
# shellcheck disable=SC2317 # functions are called through ok
. tests/support/tap.sh

for variable in "${!WARREN_@}"; do unset "$variable"; done
unset AMQP_URL
nobody=amqp://127.0.0.1:1 # where no broker listens

# fails STATUS TEXT ARGUMENT...: a call that ends so, saying the text on stderr and nothing on stdout.
fails() {
	local status=$1 text=$2 got
	shift 2
	timeout 60 "$BIN/$1" "${@:2}" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	[ "$got" -eq "$status" ] || {
		echo "status $got instead of $status"
		cat "$work/err"
		return 1
	}
	[ ! -s "$work/out" ] || {
		echo "on stdout: $(head -c 200 "$work/out")"
		return 1
	}
	grep -qF -- "$text" "$work/err" || {
		echo "wanted: $text"
		cat "$work/err"
		return 1
	}
}

# ---- help, man page and completion come from one table ----

help_options() { "$BIN/$1" --help | sed -nE 's/^(  -., |      )(--[a-z-]+).*/\2/p' | sort; }
man_options() { "$BIN/$1" --man | sed -nE '/^\.TP/{n;s/\\-/-/g;s/^.*(--[a-z-]+)\\fR.*$/\1/p}' | sort; }
# What a person gets who types -- and presses the tabulator twice.
completed_options() {
	bash -c 'set -u
		. <("$1" --completion)
		COMP_WORDS=("warren-$2" --) COMP_CWORD=1
		"_warren_$2"
		printf "%s\n" "${COMPREPLY[@]}"' bash "$BIN/$1" "$1" | sort
}

for tool in producer consumer topology deadletters rpc lab; do
	for question in help version man completion; do
		status_is 0 "$tool --$question exits 0" "$BIN/$tool" --$question
	done
	like "$("$BIN/$tool" --version 2>&1)" "^warren-$tool [0-9]+\.[0-9]+\.[0-9]+$" "$tool --version names the tool and its version"
	listed=$(help_options $tool)
	like "$listed" '^--help$' "$tool --help lists its options"
	is "$(man_options $tool 2>/dev/null)" "$listed" "$tool: the man page lists the same options"
	is "$(completed_options $tool 2>/dev/null)" "$listed" "$tool: the completion offers the same options"
done

# ---- a full disk, a closed descriptor ----

for tool in producer consumer topology deadletters rpc lab; do
	"$BIN/$tool" --help >/dev/full 2>"$work/err"
	is $? 74 "$tool --help into a full disk exits 74"
	like "$(cat "$work/err")" 'No space left on device' "$tool tells that the disk is full"
done
for tool in producer consumer topology; do
	"$BIN/$tool" --settings nosuch --url $nobody <&- >&- 2>"$work/err"
	like "$?" '^(64|66)$' "$tool with stdin and stdout closed ends as with them open"
	"$BIN/$tool" --settings nosuch --url $nobody <&- >&- 2>&-
	like "$?" '^(64|66)$' "$tool with all three closed too"
done
"$BIN/producer" --amout 3 2>/dev/full
is $? 64 "a full disk under stderr does not change the status"

# ---- mistakes on the command line ----

while IFS='|' read -r status text call; do
	read -ra words <<<"$call"
	ok "'$call' exits $status: $text" fails "$status" "$text" "${words[@]}"
done <<'E'
64|unknown option '--amout'; did you mean '--amount'?|producer --amout 3
64|unknown option '--untill-empty'; did you mean '--until-empty'?|consumer --untill-empty
64|unknown option '--if-emtpy'; did you mean '--if-empty'?|topology delete --if-emtpy
64|unknown option '--nods'; did you mean '--nodes'?|lab status --nods
64|try 'warren-producer --help'|producer --amout 3
64|unknown command 'aply'; did you mean 'apply'?|topology aply
64|one of plan, apply, delete, purge, show, explain, graph, export, import|topology
64|option '--prefetch' needs a value|consumer --prefetch
64|option '--amount' got '-3': not a whole number from 0 to 9223372036854775807|producer --amount -3
64|option '--amount' got '9223372036854775808': not a whole number from 0 to 9223372036854775807|producer --amount 9223372036854775808
64|option '--count' got '0': not a whole number of at least 1|consumer --count 0
64|option '--delay' got '3x': not a duration|producer --delay 3x
64|option '--format' got 'xml'; accepted: auto, pretty, json, none|producer --format xml
64|option '--color' got 'sometimes'; accepted: auto, always, never|topology show --color=sometimes
64|which settings? give --settings FILE or NAME|producer
64|the settings have no message 'order_place'; did you mean 'order_placed'?|producer -s walkthrough order_place
66|no settings 'nosuch'|producer -s nosuch
66|no settings 'nosuch'|consumer -s nosuch
66|no settings 'nosuch'|topology show -s nosuch
66|cannot open '/nosuch/settings.yaml': No such file or directory|producer -s /nosuch/settings.yaml
66|cannot read '/tmp': Is a directory|producer -s /tmp
78|does not begin with amqp:// or amqps://|producer -s walkthrough --url http://localhost/
E

# ---- --set ----

while IFS='|' read -r status text override; do
	ok "--set $override exits $status: $text" fails "$status" "$text" producer -s walkthrough --yes --url $nobody --set "$override"
done <<'E'
64|--set: 'nonsense' has no '='; accepted: PATH=VALUE|nonsense
64|--set: '' has an empty key; accepted: PATH=VALUE|=3
64|--set: the value of 'messages.order_placed.fields' is not YAML|messages.order_placed.fields=[id
78|--set: messages.order_placed.amount: found 'x'; accepted: a whole number|messages.order_placed.amount=x
78|--set: messages.order_placed.amout: unknown key 'amout'; did you mean 'amount'?|messages.order_placed.amout=3
78|--set: broker.heartbeat: found 'soon'; accepted: a duration|broker.heartbeat=soon
78|accepted: classic, quorum, stream; did you mean 'quorum'?|queues.order_notify.type=quorumm
69|cannot connect to 127.0.0.1:1|messages.order_placed.amount=3
E

"$BIN/producer" -s walkthrough --url $nobody --set queues.order_notify.type=x --set messages.order_placed.amount=x \
	--log-format json 2>"$work/err" </dev/null
is "$(jq -r .level "$work/err" | tr '\n' ' ')" "error error error " "--log-format json: each mistake in the settings is a line of JSON"

# ---- the environment's twins ----

# with NAME=VALUE... -- STATUS TEXT TOOL ARGUMENT...: fails, in such an environment.
with() {
	local assignments=()
	while [ "$1" != -- ]; do
		assignments+=("$1")
		shift
	done
	(
		export "${assignments[@]}"
		fails "${@:2}"
	)
}
ok "WARREN_SETTINGS is --settings" with WARREN_SETTINGS=nosuch -- 66 "no settings 'nosuch'" producer
ok "the option is stronger than its twin" with WARREN_SETTINGS=nosuch -- 66 "no settings 'other'" producer -s other
ok "an empty twin counts as unset" with WARREN_SETTINGS= -- 64 "which settings?" producer
ok "a twin is checked as the option is" with WARREN_AMOUNT=x -- 64 "variable 'WARREN_AMOUNT' got 'x': not a whole number" producer -s walkthrough
ok "a dash in the option is an underscore in the twin" with WARREN_LOG_FORMAT=xml -- 64 "variable 'WARREN_LOG_FORMAT' got 'xml'; accepted: text, json" consumer
ok "a flag's twin takes yes or no" with WARREN_YES=maybe -- 64 "variable 'WARREN_YES' got 'maybe'; accepted: 1, true, yes, 0, false, no" producer
ok "WARREN_HELP asks for nothing" with WARREN_HELP=1 -- 64 "which settings?" producer
ok "AMQP_URL names the broker" with AMQP_URL=$nobody -- 69 "127.0.0.1:1:" consumer some_queue
ok "WARREN_URL is stronger than AMQP_URL" with AMQP_URL=amqp://127.0.0.1:2 WARREN_URL=$nobody -- 69 "127.0.0.1:1:" consumer some_queue
ok "--url is stronger than both" with AMQP_URL=amqp://127.0.0.1:2 WARREN_URL=amqp://127.0.0.1:3 -- 69 "127.0.0.1:1:" consumer --url $nobody some_queue
ok "an address that is wrong is told without its password" with WARREN_URL=amqp://me:secret@localhost:port -- 78 'amqp://***' consumer some_queue
ok "anywhere" eval "! grep -q secret $work/err"

# ---- an address in a file ----

for name in at_end cr_lf bare; do
	case $name in
	at_end) printf '%s\nanother line\n' "$nobody" ;;
	cr_lf) printf '%s\r\n' "$nobody" ;;
	*) printf %s "$nobody" ;;
	esac >"$work/$name"
	ok "AMQP_URL_FILE names a file with the address ($name)" with AMQP_URL_FILE="$work/$name" -- 69 "127.0.0.1:1:" consumer some_queue
done
ok "it may hold several" with AMQP_URL_FILE=<(echo "amqp://127.0.0.1:2 $nobody") -- 69 "127.0.0.1:1:" consumer some_queue
ok "--url-file does" fails 69 "127.0.0.1:1:" consumer --url-file "$work/bare" some_queue
ok "it is stronger than AMQP_URL" with AMQP_URL=amqp://127.0.0.1:2 -- 69 "127.0.0.1:1:" consumer --url-file "$work/bare" some_queue
ok "--url is stronger than AMQP_URL_FILE" with AMQP_URL_FILE=nosuch -- 69 "127.0.0.1:1:" consumer --url $nobody some_queue
ok "AMQP_URL and AMQP_URL_FILE are one too many" with AMQP_URL=$nobody AMQP_URL_FILE="$work/bare" -- 64 "'--url' and '--url-file' both come from the environment; give one of them" consumer some_queue
ok "an empty AMQP_URL is none" with AMQP_URL= AMQP_URL_FILE="$work/bare" -- 69 "127.0.0.1:1:" consumer some_queue
ok "a missing one is named" with AMQP_URL_FILE=nosuch -- 66 "cannot use the URL file 'nosuch': No such file" consumer some_queue
ok "an empty one" with AMQP_URL_FILE=/dev/null -- 66 "cannot use the URL file '/dev/null': its first line is empty" consumer some_queue
ok "standard input is none" fails 64 "--url-file wants a file" consumer --url-file - some_queue
echo 'amqp://me:s3cr3t@host:port' >"$work/wrong"
chmod 600 "$work/wrong"
ok "of a wrong address the file is named" with AMQP_URL_FILE="$work/wrong" -- 78 "$work/wrong: " consumer some_queue
ok "not the password" eval "! grep -q s3cr3t $work/err"
ok "nor was there more to say" eval "[ \$(wc -l <$work/err) -eq 1 ]"
chmod 644 "$work/wrong"
ok "that others can read it is told" with AMQP_URL_FILE="$work/wrong" -- 78 "the URL file '$work/wrong' is open to others (mode 644)" consumer some_queue

# ---- no broker ----

while read -r call; do
	read -ra words <<<"$call"
	status_is 69 "'$call' exits 69" "$BIN/${words[0]}" "${words[@]:1}" --url $nobody
	like "$(cat "$work/err")" 'cannot connect to 127.0.0.1:1: Connection refused' "and says why"
	is_refused() { ! "$BIN/${words[0]}" "${words[@]:1}" --url $nobody; }
	ok "within a second" quickly 1000 is_refused
done <<'E'
producer -s walkthrough --yes
consumer -s walkthrough
topology apply -s walkthrough
E
started=${EPOCHREALTIME/./}
status_is 69 "--wait 500ms gives up in the end" "$BIN/producer" -s walkthrough --yes --url $nobody --wait 500ms
ok "but not before" test $((${EPOCHREALTIME/./} - started)) -ge 500000

"$BIN/producer" -s walkthrough --yes --url amqp://me:secret@127.0.0.1:1 --wait 300s >"$work/waiting.out" 2>"$work/waiting.err" </dev/null &
waiting=$!
ok "--wait says that it waits" eventually 60 grep -q 'waiting for the broker' "$work/waiting.err"
ok "meanwhile the list of processes does not show the password" eval "! grep -q secret /proc/$waiting/cmdline"
started=$SECONDS
kill -TERM $waiting
wait $waiting
ok "SIGTERM ends the wait at once" test $((SECONDS - started)) -le 20

done_testing
