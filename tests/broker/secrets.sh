#!/bin/bash
# The password is in no output and in no list of processes; foreign bytes never drive the terminal.
. tests/support/tap.sh
. tests/support/api.sh
use_broker
cd "$work" || exit

user=u$vhost secret=Zeh31m-n1s
api PUT "users/$user" "{\"password\": \"$secret\", \"tags\": \"\"}"
api PUT "permissions/$vhost/$user" '{"configure": ".*", "write": ".*", "read": ".*"}'
address=${AMQP_URL#*@}
good=amqp://$user:$secret@$address bad=amqp://$user:wr0ng$secret@$address
nobody=amqp://$user:$secret@127.0.0.1:1/$vhost
unset AMQP_URL
cat >s.yaml <<'END'
broker:
  url: ${SHOP_BROKER:-amqp://127.0.0.1:1}
queues:
  q:
messages:
  m: {routing_key: q, amount: 2, fields: [id]}
END

# silent NAME: neither the password nor its base64 is in out or err.
silent() { is "$(cat out err | grep -c -e "$secret" -e "$(printf %s "$secret" | base64)")" 0 "$1"; }
run() {
	[ "$1" = env ] || set -- "$BIN/$1" "${@:2}"
	timeout 60 "$@" </dev/null >out 2>err
}

# ---- where it could slip out ----

for tool in "topology apply" "producer --yes --format json" "consumer --until-empty" "topology show"; do
	# shellcheck disable=SC2086
	set -- $tool
	for talk in "" "-v" "-v --log-format json" "-v --summary json --color always"; do
		case $1$talk in topology*summary*) talk="-v --color always" ;; esac
		# shellcheck disable=SC2086
		run "$@" -s s.yaml --url "$good" $talk
		is $? 0 "$* $talk: works"
		silent "$* $talk: the password is not told"
		[ -z "$talk" ] || ok "$* $talk: the broker is, without it" eval 'grep -q -- "$user:\*\*\*@" err'
	done
done
for form in text json; do
	run consumer q --no-declare --url "$bad" -v --log-format $form
	is $? 77 "a wrong password: exit 77 ($form)"
	silent "a wrong password is not echoed ($form)"
	like "$(cat err)" "(refused|REFUSED)" "it is told that the login was refused ($form)"
	run producer -s s.yaml --yes --url "$nobody" -v --log-format $form --wait 300ms
	is $? 69 "no broker there: exit 69 ($form)"
	silent "the address is told without the password ($form)"
	run consumer q --no-declare --url "$good-no-such-vhost" -v --log-format $form
	is $? 77 "no such vhost: exit 77 ($form)"
	silent "told without the password ($form)"
done
for misplaced in "consumer $good" "consumer -h $good" "producer --from $good" "consumer q --give-up-after $good" \
	"producer --from http://$user:$secret@localhost/"; do
	# shellcheck disable=SC2086
	run $misplaced
	ok "a URL in a wrong place: exit 64 or 66" test $? -ge 64
	silent "its password is not echoed"
done
# what bench writes holds the options it was given
benched() { # NAME COMMAND...
	local name=$1
	shift
	run "$@" --pmessages 10 --json --html report --csv csv --metrics 127.0.0.1:0 -v
	is "$? $(jq -r '.totals.received' out) $(head -n 2 csv | wc -l)" "0 10 2" "bench, address in $name: works"
	ok "it tells the options" grep -q '"pmessages":' out report
	silent "the password is not told, nor in the JSON"
	cat report csv >out
	silent "nor in the report and the CSV"
}
benched "--url" bench --url "$good"
benched "--set" bench --set "broker.url=$good"
benched "--set=" bench "--set=broker.url=$good"
benched "AMQP_URL" env "AMQP_URL=$good" "$BIN/bench"
benched "WARREN_SET" env "WARREN_SET=broker.url=$good" "$BIN/bench"
printf 'broker: {url: "%s"}\nbench: {size: 100}\n' "$good" >bench.yaml
benched "a file" bench -s bench.yaml
printf 'bench: {url: "%s"}\n' "$good" >bench.yaml
run bench -s bench.yaml --pmessages 10
silent "nor from a key that bench does not have"
run bench --url "$bad" --json --html report
is $? 77 "bench with a wrong password: exit 77"
silent "is not echoed"

for url in "amqp://$user:$secret@[::1" "amqp://$user:$secret@127.0.0.1:99999" "amqq://$user:$secret@127.0.0.1" \
	"amqp://$user:$secret%zz@127.0.0.1" "amqp://$user:$secret@127.0.0.1?heartbeat=x" "amqp://$user:$secret@h@127.0.0.1:1/x y" \
	"amqp:/$user:$secret@127.0.0.1" "$user:$secret@127.0.0.1"; do
	run consumer q --no-declare --url "$url"
	status=$?
	ok "a malformed address is refused (status $status)" test $status -eq 64 -o $status -eq 78 -o $status -eq 69
	silent "and not echoed with its password"
	run consumer -s s.yaml q --set "broker.url=$url"
	silent "nor from --set"
	sed "s|^  url: .*|  url: \"$url\"|" s.yaml >wrong.yaml
	run topology show -s wrong.yaml
	silent "nor from a file"
	SHOP_BROKER=$url run topology show -s s.yaml
	silent "nor from a variable"
done
sed "s|^  url: .*|  url: {address: \"$good\"}|" s.yaml >wrong.yaml
run topology show -s wrong.yaml
is $? 78 "an address of the wrong type: exit 78"
silent "is not echoed"
sed "s|^  url: .*|  urll: \"$good\"|" s.yaml >wrong.yaml
run topology show -s wrong.yaml
is $? 78 "an address under an unknown key: exit 78"
silent "is not echoed"

# ---- the list of processes ----

# The arguments are wiped first thing, before anybody is talked to.
watched() { # NAME COMMAND...
	local name=$1 pid
	shift
	rm -f err
	"$@" >out 2>err </dev/null &
	pid=$!
	eventually 60 grep -qE 'waiting for messages|message m:|waiting for the broker' err
	tr '\0' '\n' <"/proc/$pid/cmdline" >cmdline
	is "$(grep -c -- "$secret" cmdline) $(head -n 1 cmdline)" "0 $1" "$name: the password is not among the arguments"
	kill -INT $pid
	wait $pid
	silent "$name: nor in the output"
}
watched "--url URL" "$BIN/consumer" -s s.yaml q --url "$good"
like "$(tr '\n' ' ' <cmdline)" " amqp://$user:\*+@" "the rest of the address still is"
watched "--url=URL" "$BIN/consumer" -s s.yaml q --url="$good"
watched "an address nobody answers at" "$BIN/consumer" -s s.yaml q --wait 300s --url "$nobody"
watched "a producer" "$BIN/producer" -s s.yaml --amount 10000 --delay 100ms --yes --url "$good"
watched "--set broker.url=URL" "$BIN/consumer" -s s.yaml q --set "broker.url=$good"
export SHOP_BROKER=$good
watched "from a variable" "$BIN/consumer" -s s.yaml q
"$BIN/topology" purge -s s.yaml >purged

# ---- the children ----

for variable in AMQP_URL WARREN_URL SHOP_BROKER; do
	printf 'x\n' | "$BIN/producer" -s s.yaml --from - -q
	run env -u SHOP_BROKER "$variable=$good" "$BIN/consumer" -s s.yaml q --until-empty -f body --exec env
	is "$? $(grep -c '^WARREN_QUEUE=q$' out)" "0 1" "a command of --exec, address in $variable: it has its environment"
	silent "without the address in $variable"
done
printf 'x\n' | "$BIN/producer" -s s.yaml --from - -q
run env -u SHOP_BROKER "WARREN_SET=broker.url=$good" "$BIN/consumer" -s s.yaml q --until-empty -f body --exec env
is "$? $(grep -c '^WARREN_QUEUE=q$' out)" "0 1" "address in WARREN_SET: it has its environment"
silent "without the address in WARREN_SET"
unset SHOP_BROKER
status_is 77 "a user without a password is refused" "$BIN/producer" -s s.yaml --yes --url "amqp://nobody@$address"
like "$(cat "$work/err")" "no password was given" "and told that there was none"
export AMQP_URL=$good
sed -i 's/SHOP_BROKER/AMQP_URL/' s.yaml

# ---- foreign bytes ----

esc=$'\x1b' bel=$'\x07'
# wild FILE...: bytes that a terminal would obey: controls but tab and line feed, DEL, and C1 as 8 bits or as UTF-8.
wild() { cat "$@" | LC_ALL=C grep -acP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|(^|[\x00-\x7f])[\x80-\x9f]'; }
is "$(printf 'a\033[31m\n\302\233x\n\233x\né€\n' | wild)" 3 "the check itself finds escapes"
cat >wild.yaml <<END
exchanges:
  "x\\e[31mred\\x07": {type: fanout}
queues:
  "q\\e]0;title\\x07\\N": # a name with an escape, a bell, and a C1 control
bindings:
  - {exchange: "x\\e[31mred\\x07", queue: "q\\e]0;title\\x07\\N"}
END
sed 's/^queues:/&\n  "left\\e[31m": {exclusive: true}\n  "log\\e[31m": {type: stream}/' wild.yaml >wilder.yaml
for tool in "topology apply" "topology show" "topology show -f json" "topology purge" "topology purge -f json" \
	"topology delete" "topology delete" "topology apply -f json"; do
	# shellcheck disable=SC2086
	set -- $tool
	run "$@" -s wilder.yaml
	is "$? $(wild out err)" "0 0" "$tool: names are escaped"
done
{
	printf '{"exchange":"x\\u001b[31mred\\u0007","routing_key":"k\\u001b[2J\\u009b31m","properties":{"message_id":"\\u001b[5m","type":"\\u0007","headers":{"h\\u001b[1m":"v\\u001b]0;x\\u0007","c":"\\u009b31m"}},"body":"b\\u001b[31m\\u0007\\u009b1m\\r\\u0008\\u007f\\u0000 end"}\n'
	printf '{"exchange":"x\\u001b[31mred\\u0007","routing_key":"k","properties":{"headers":{"bad":{"$type":"string","value":"%s"}}},"body_base64":"%s"}\n' \
		"$(printf 'a\033[31m\233' | base64)" "$(printf 'b\033[31m\007\2331m\377' | base64)"
} >wild.jsonl
for form in pretty json; do
	run producer -s wild.yaml --from wild.jsonl -f $form -v
	is "$? $(wc -l <out) $(wild out err)" "0 $([ $form = json ] && echo 2 || echo 4) 0" "producer -f $form: bodies, keys, headers are escaped"
done
run consumer -s wild.yaml -f pretty --ack requeue --until-empty -v
is "$? $(wild out err)" "0 0" "consumer -f pretty: bodies, keys, headers, names are escaped"
like "$(cat out)" ' end' "and shown"
run consumer -s wild.yaml -f pretty --ack requeue --until-empty --color always
is "$(sed "s/$esc\[[0-9]*m//g" out | wild)" 0 "with --color always only our own colours are there"
run consumer -s wild.yaml -f json --ack requeue --until-empty -v
is "$? $(wild out err)" "0 0" "consumer -f json: too"
run consumer -s wild.yaml -f json --ack requeue --until-empty -v --log-format json --summary none
is "$(jq -c . err | wc -l) $(wild err)" "$(wc -l <err) 0" "and what is logged as JSON is JSON"
script -qec "timeout --foreground 60 $BIN/consumer -s wild.yaml -f body --ack requeue --until-empty --color never -q" typescript >typed 2>&1 </dev/null
is "$(tr -d '\r' <typed | wild)" 0 "consumer -f body on a terminal escapes"
run consumer -s wild.yaml -f body --ack requeue --until-empty
ok "and into a file gives the bytes as they are" grep -qaF "b${esc}[31m$bel" out

# names in refusals and mistakes
name="nope${esc}[31m$bel"
run consumer --no-declare "$name" --url "$good"
is "$? $(wild err)" "76 0" "a name in a refusal"
run consumer -s wild.yaml "$name"
is "$? $(wild err)" "64 0" "a name in a mistake"
run topology show -s wild.yaml "$name"
is "$? $(wild err)" "64 0" "of the topology, too"
run topology show -s "$name"
is "$? $(wild err)" "66 0" "a file's name"
run producer -s s.yaml --from "$name"
is "$? $(wild err)" "66 0" "another file's name"
run consumer -s s.yaml q --filter "${esc}[31m("
is "$? $(wild err)" "64 0" "a filter"
printf 'queues:\n  "a\\e[31m": {type: "\\e[5m"}\n' >worse.yaml
run topology apply -s worse.yaml
is "$? $(wild err)" "78 0" "the settings' own texts"
printf '{"\\u001b[31m":1,"body":"x"}\n' >worse.jsonl
run producer -s s.yaml --from worse.jsonl --from-format records
is "$? $(wild err)" "65 0" "a record's"
printf '{"exchange":"\\u001b[31m","routing_key":"q","body":"x"}\n' >worse.jsonl
run producer -s s.yaml --from worse.jsonl -v
is "$(wild err)" 0 "what the broker quotes"

api DELETE "users/$user"
done_testing
