#!/bin/bash
# What the settings declare is on the broker, routes, and goes again; a refusal is one sentence.
. tests/support/tap.sh
. tests/support/api.sh
use_broker
cd "$work" || exit
queues() { definitions '[.queues[].name] | sort | join(" ")'; }

cat >s.yaml <<'END'
exchanges:
  d:                            # an empty value: direct, durable
  t: {type: topic}
  f: {type: fanout, durable: false}
  h: {type: headers}
  in: {type: direct, alternate: lost}
  hidden: {type: fanout, internal: true}
  lost: {type: fanout}
queues:
  one:
  two: {type: quorum, max_length: 1000}
  three: {type: stream, max_age: 1h}
  four: {max_length: 5, message_ttl: 1h, max_priority: 3, overflow: reject-publish, arguments: {x-queue-mode: lazy}}
bindings:
  - {exchange: d, queue: one, routing_key: k}
  - {exchange: d, queue: two, routing_key: k}
  - {exchange: d, queue: two, routing_key: l}
  - {exchange: t, queue: one, routing_key: "a.*"}
  - {exchange: t, queue: two, routing_key: "#.z"}
  - {exchange: f, queue: one}
  - {exchange: f, queue: two}
  - {exchange: f, queue: three}
  - {exchange: h, queue: one, match: all, headers: {format: pdf, paid: true, pages: 3}}
  - {exchange: h, queue: two, match: any, headers: {format: pdf, paid: true}}
  - {exchange: h, queue: four, match: any-with-x, headers: {x-kind: new}}
  - {exchange: in, queue: one, routing_key: known}
  - {exchange: in, to_exchange: hidden, routing_key: inner}
  - {exchange: hidden, queue: two}
  - {exchange: lost, queue: four}
END

# ---- apply ----

status_is 0 "show before anything is there, --quiet: it is what was asked for" "$BIN/topology" show -s s.yaml -q
is "$(grep -c 'not on the broker' out)" 11 "so it is printed"
status_is 0 "apply" "$BIN/topology" apply -s s.yaml
is "$(grep -c '^declared exchange' out) $(grep -c '^declared queue' out) $(grep -c '^made binding' out)" "7 4 15" \
	"it tells each exchange, queue and binding"
definitions . >there
is "$(jq -r '.exchanges | sort_by(.name)[] | "\(.name) \(.type) \(.durable) \(.internal)"' there)" \
	"d direct true false
f fanout false false
h headers true false
hidden fanout true true
in direct true false
lost fanout true false
t topic true false" "the broker has the exchanges"
is "$(jq -r '.queues | sort_by(.name)[] | "\(.name) \(.type // .arguments["x-queue-type"]) \(.durable)"' there)" \
	"four classic true
one classic true
three stream true
two quorum true" "and the queues"
is "$(jq -cS '.queues[] | select(.name == "four") | .arguments' there)" \
	'{"x-max-length":5,"x-max-priority":3,"x-message-ttl":3600000,"x-overflow":"reject-publish","x-queue-mode":"lazy","x-queue-type":"classic"}' \
	"with their arguments"
"$BIN/topology" apply -s s.yaml >again 2>again.err
is $? 0 "apply once more: exit 0"
ok "and nothing has changed" cmp <(jq -S . there) <(definitions -S .)
is "$(jq '.bindings | length' there)" 15 "15 bindings are there"
"$BIN/topology" apply -s s.yaml -f json >again 2>again.err
is "$(jq -c 'select(.object == "queue") | [.action, .name]' again | head -n 1)" '["declared","one"]' \
	"--format json: one object a line"

# ---- routing ----

# gets NAME EXPECTED EXCHANGE KEY [HEADERS]: the queues that get a message.
gets() {
	jq -nc --arg x "$3" --arg k "$4" --argjson h "${5:-null}" '{exchange: $x, routing_key: $k,
		properties: (if $h then {headers: $h} else {} end), body: "x"}' |
		"$BIN/producer" --from - --no-mandatory 2>gets.err
	"$BIN/consumer" -s s.yaml one two four --until-empty -f json 2>gets.err >gets.out
	is "$(jq -r .queue gets.out | LC_ALL=C sort | tr '\n' ' ')" "$2" "$1"
}
gets "direct: the equal key" "one two " d k
gets "direct: one binding of several" "two " d l
gets "direct: no part of a key" "" d k.l
gets "topic: * is one word" "one " t a.b
gets "topic: # is any number" "two " t a.b.z
gets "topic: both" "one two " t a.z
gets "topic: # is none as well" "two " t z
gets "fanout: whatever the key" "one two " f whatever
gets "headers: all of them" "one two " h "" '{"format":"pdf","paid":true,"pages":3,"more":1}'
gets "headers: any of them" "two " h "" '{"format":"pdf","paid":false}'
gets "headers: none of them" "" h "" '{"format":"xml"}'
gets "headers: a text is no number" "two " h "" '{"format":"pdf","paid":true,"pages":"3"}'
gets "exchange to exchange" "two " in inner
gets "the alternate exchange gets what finds no way" "four " in unknown
gets "and nothing else" "one " in known
gets "the default exchange" "four " "" four
is "$("$BIN/consumer" -s s.yaml three --until-empty -f json 2>three.err | jq -r .routing_key)" whatever \
	"the stream has what the fanout gave it"
jq -nc '{exchange: "hidden", routing_key: "", body: "x"}' | "$BIN/producer" --from - 2>hidden.err
status=$?
ok "an internal exchange takes nothing from outside" test "$status" -ne 0

# ---- show ----

printf 'x\ny\nz\n' | "$BIN/producer" --from - -k one 2>put.err
timeout 60 "$BIN/consumer" -s s.yaml two 2>two.err >two.out &
consumer=$!
eventually 60 grep -q 'waiting for messages' two.err
sees() { "$BIN/topology" show -s s.yaml -f json | jq -es "any(.object == \"queue\" and .name == \"$1\" and ($2))"; }
ok "show --format json counts ready messages" eventually 60 sees one '.exists and .ready == 3 and .consumers == 0'
ok "and consumers" eventually 60 sees two '.exists and .ready == 0 and .consumers == 1'
"$BIN/topology" show -s s.yaml >shown 2>show.err
is $? 0 "show"
like "$(cat shown)" '^queue +one  classic durable .*  3 ready, 0 consumers$' "it says the same as text"
like "$(cat shown)" '^exchange in  direct durable .*"alternate-exchange":"lost"' "and shows an exchange with its arguments"
like "$(cat shown)" '^binding +t -> one \[a\.\*\]$' "and a binding with its key"
like "$(cat shown)" '^binding +in -> hidden \[inner\]$' "and one between exchanges"
"$BIN/topology" show -s s.yaml one t -f json >part 2>show.err
is "$(jq -r 'select(.object != "binding") | .name' part | tr '\n' ' ')" "t one " "names choose what is shown"
"$BIN/topology" show -s s.yaml --set queues.later.type=quorum later -f json >part 2>show.err
is "$(jq -c '[.name, .exists]' part)" '["later",false]' "what is not there is shown as such"
like "$("$BIN/topology" show -s s.yaml --set queues.later.type=quorum later)" '\(not on the broker\)$' "also as text"
status_is 64 "an unknown name: exit 64" "$BIN/topology" show -s s.yaml onne
like "$(cat err)" "'onne'" "and it is named"

# ---- delete and purge ----

status_is 0 "purge" "$BIN/topology" purge -s s.yaml one -f json
is "$(jq -c '[.action, .name, .messages]' out)" '["purged","one",3]' "counts what it threw away"
status_is 0 "purge of everything leaves the stream alone" "$BIN/topology" purge -s s.yaml
like "$(cat out)" "stream.* 'three'" "and says so"

printf 'x\n' | "$BIN/producer" --from - -k one 2>put.err
status_is 76 "delete --if-empty of a queue with a message: exit 76" "$BIN/topology" delete -s s.yaml one --if-empty
like "$(cat err)" "^topology: cannot delete queue 'one': it is not empty; .*--if-empty" "the object, the reason and the next step"
ok "it is still there" eventually 60 sees one '.exists and .ready == 1'
"$BIN/topology" purge -s s.yaml one >purged 2>purge.err
timeout 60 "$BIN/consumer" -s s.yaml one 2>one.err >one.out &
busy=$!
ok "a consumer is there" eventually 60 sees one '.consumers == 1'
status_is 76 "delete --if-unused of a queue with a consumer: exit 76" "$BIN/topology" delete -s s.yaml one --if-unused
like "$(cat err)" "^topology: cannot delete queue 'one': it is in use; .*--if-unused" "the object, the reason and the next step"
kill -INT $busy $consumer
wait $busy $consumer
status_is 76 "delete --if-unused of an exchange with bindings: exit 76" "$BIN/topology" delete -s s.yaml t --if-unused
like "$(cat err)" "^topology: cannot delete exchange 't': it is in use" "and it is named"
status_is 0 "delete --if-empty of an empty queue" "$BIN/topology" delete -s s.yaml one --if-empty
is "$(cat out)" "deleted queue 'one'" "is told"
status_is 0 "delete the rest" "$BIN/topology" delete -s s.yaml
is "$(grep -c '^deleted queue .one' out)" 0 "what was not there is not called deleted"
is "$(definitions '[.queues, .exchanges, .bindings] | map(length) | add')" 0 \
	"nothing is left on the broker"
status_is 0 "delete of what is not there: exit 0" "$BIN/topology" delete -s s.yaml

# ---- all or nothing ----

cat >all.yaml <<'END'
exchanges:
  from: {type: fanout}
  to: {type: fanout}
queues:
  free: {type: quorum}
  held: {type: quorum}
  full: {type: quorum}
  brook: {type: stream}
bindings:
  - {exchange: from, to_exchange: to}
  - {exchange: to, queue: free}
END
"$BIN/topology" apply -s all.yaml -q
# state QUEUE FIELD NUMBER: as a passive declare tells it.
state() { [ "$("$BIN/topology" show -s all.yaml "$1" -f json | jq --arg q "$1" "select(.name == \$q) | .$2")" = "$3" ]; }
printf 'x\n' | "$BIN/producer" --from - -k full 2>put.err
eventually 30 state full ready 1
timeout 60 "$BIN/consumer" -s all.yaml held 2>held.err >held.out &
holder=$!
eventually 30 state held consumers 1
for way in RABBITMQ_MANAGEMENT_URL="$RABBITMQ_MANAGEMENT_URL" RABBITMQ_MANAGEMENT_URL=; do
	status_is 76 "delete of quorum queues with limits, ${way%%://*}: exit 76" env "$way" "$BIN/topology" delete -s all.yaml free held full --if-empty --if-unused
	is "$(cat err)" "topology: cannot delete queue 'held': it is in use; stop what uses it, or leave --if-unused out
topology: cannot delete queue 'full': it is not empty; consume or purge it first, or leave --if-empty out (nothing was deleted)" "it tells which queue holds what"
	is "$(queues)" "brook free full held" "and nothing is deleted"
done
status_is 76 "purge --if-unused: exit 76" "$BIN/topology" purge -s all.yaml --if-unused
like "$(cat err)" "^topology: cannot purge queue 'held': it is in use; .*nothing was purged" "nothing is purged when one has consumers"
status_is 64 "purge --if-empty: exit 64" "$BIN/topology" purge -s all.yaml --if-empty
status_is 76 "delete --if-empty of a stream: exit 76" "$BIN/topology" delete -s all.yaml brook --if-empty
like "$(cat err)" "a stream does not tell whether it is empty" "it cannot be known"
status_is 76 "delete --if-unused of an exchange that leads to what stays: exit 76" "$BIN/topology" delete -s all.yaml from to --if-unused
like "$(cat err)" "cannot delete exchange 'to': it is in use: it has a binding to what stays" "it is named"
is "$(definitions '[.exchanges[].name] | sort | join(" ")')" "from to" "and none is deleted"
kill -INT $holder
wait $holder
api DELETE "queues/$vhost/free" >/dev/null
status_is 0 "purge goes on past a queue that is not there" "$BIN/topology" purge -s all.yaml
is "$(head -n 3 out)" "not there: queue 'free'
purged queue 'held'
purged queue 'full' with 1 message" "and says so"
ask() { script -qefc "$BIN/topology delete -s all.yaml from held" /dev/null <<<"$1" >asked 2>&1; }
ask n
like "$(cat asked)" 'delete 1 queue and 1 exchange\? \[y/N\]' "on a terminal it asks, once"
is "$(grep -c '^  queue held' asked) $(grep -c '^  exchange from' asked)" "1 1" "with what goes"
is "$(queues)" "brook full held" "no is no"
ask y
is "$(queues)" "brook full" "yes is yes"
"$BIN/topology" apply -s all.yaml -q
eventually 30 state full ready 0
status_is 0 "delete --if-empty --if-unused, exchanges that lead to one another included" "$BIN/topology" delete -s all.yaml free full from to --if-empty --if-unused
"$BIN/topology" delete -s all.yaml -q
is "$(definitions '[.queues, .exchanges] | map(length) | add')" 0 "nothing is left"

# ---- dead_letter and retry ----

cat >sugar.yaml <<'END'
exchanges:
  graveyard: {type: fanout}
queues:
  orders: {dead_letter: orders_dead}
  mails: {type: quorum, dead_letter: graveyard}
  graves:
  jobs: {retry: {attempts: 4, delay: {from: 1s, to: 3s}}}
bindings:
  - {exchange: graveyard, queue: graves}
END
"$BIN/topology" apply -s sugar.yaml >sugar 2>sugar.err
is "$(queues)" "graves jobs jobs.parked jobs.retry.1s jobs.retry.2s jobs.retry.3s mails orders orders_dead" \
	"the queues that dead_letter and retry stand for are made"
printf '{"routing_key":"orders","body":"o"}\n{"routing_key":"mails","body":"m"}\n{"routing_key":"jobs.retry.1s","body":"j"}\n' |
	"$BIN/producer" --from - 2>put.err
timeout 60 "$BIN/consumer" -s sugar.yaml orders mails --ack reject --count 2 -f json >rejected 2>rejected.err
is $? 0 "two messages are rejected"
like "$(cat rejected.err)" '2 received, 0 acknowledged, 2 rejected' "and counted"
timeout 60 "$BIN/consumer" -s sugar.yaml orders_dead graves --count 2 -f json >dead 2>dead.err
is "$(jq -c '[.queue, .body, .properties.headers["x-death"][0].reason, .properties.headers["x-death"][0].queue]' dead | sort | tr '\n' ' ')" \
	'["graves","m","rejected","mails"] ["orders_dead","o","rejected","orders"] ' "they come to where dead letters go"
timeout 60 "$BIN/consumer" -s sugar.yaml jobs --count 1 -f json >waited 2>waited.err
is "$(jq -c '[.queue, .body, .properties.headers["x-death"][0].queue, .properties.headers["x-death"][0].reason]' waited)" \
	'["jobs","j","jobs.retry.1s","expired"]' "a wait queue gives back to its queue"
"$BIN/consumer" -s sugar.yaml --until-empty -f none >consumed 2>all.err
like "$(cat all.err)" 'waiting for messages in orders, mails, graves, jobs;' "made queues are not consumed unasked"
"$BIN/topology" delete -s sugar.yaml >sugar 2>sugar.err
is "$(queues)" "" "delete takes the made queues too"

# ---- refusals ----

# refused STATUS NAME REGEX ARGUMENT...: one line on stderr, beside the talk before it.
refused() {
	local status=$1 name=$2 regex=$3
	shift 3
	status_is "$status" "$name: exit $status" "$@"
	like "$(tail -n 1 err)" "$regex" "$name: one sentence with the object, what is wrong, the next step"
	is "$(grep -cE '^(topology|consumer|producer): cannot|exists with another' err)" 1 "$name: and only one"
}
cat >r.yaml <<'END'
exchanges:
  e: {type: topic}
queues:
  q: {max_length: 5}
END
"$BIN/topology" apply -s r.yaml >applied 2>applied.err
T=("$BIN/topology" apply -s r.yaml)
refused 76 "406, another argument" "^topology: queue 'q' exists with another 'x-max-length': you asked for '?6'?, it is '?5'?; .*topology delete" "${T[@]}" --set queues.q.max_length=6
refused 76 "406, an argument more" "^topology: queue 'q' exists with another 'x-message-ttl': you asked for .*1000.*, it is none; .*topology delete" "${T[@]}" --set queues.q.message_ttl=1s
refused 76 "406, another type" "^topology: queue 'q' exists with another 'type': you asked for 'quorum', it is 'classic'; .*topology delete" "${T[@]}" --set queues.q.type=quorum
refused 76 "406, another durability" "^topology: queue 'q' exists with another 'durable': you asked for false, it is true; .*topology delete" "${T[@]}" --set queues.q.durable=false
refused 76 "406, another type of exchange" "^topology: exchange 'e' exists with another 'type': you asked for 'direct', it is 'topic'; .*topology delete" "${T[@]}" --set exchanges.e.type=direct
refused 76 "406, in the consumer" "^consumer: queue 'q' exists with another 'x-max-length'" "$BIN/consumer" -s r.yaml q --until-empty --set queues.q.max_length=6
refused 76 "406, in the producer" "^producer: queue 'q' exists with another 'x-max-length'" "$BIN/producer" -s r.yaml --from - --set queues.q.max_length=6
refused 76 "404, a queue" "^consumer: cannot consume from queue 'nobody': there is no such queue; .*declare" "$BIN/consumer" --no-declare nobody
refused 76 "404, a queue that others declare" "^topology: cannot find queue 'theirs': there is no such queue; " "${T[@]}" --set queues.theirs.declared=false
refused 76 "404, an exchange that others declare" "^topology: cannot find exchange 'theirs': there is no such exchange; " "${T[@]}" --set exchanges.theirs.declared=false

printf 'queues:\n  mine: {exclusive: true}\n' >mine.yaml
timeout 60 "$BIN/consumer" -s mine.yaml mine >mine.out 2>mine.err &
owner=$!
eventually 60 grep -q 'waiting for messages' mine.err
refused 76 "405, an exclusive queue of another connection" "^consumer: cannot declare queue 'mine': the queue belongs to another connection \(it is exclusive\); wait" "$BIN/consumer" -s mine.yaml mine
refused 76 "405, undeclared" "^consumer: cannot consume from queue 'mine': the queue belongs to another connection" "$BIN/consumer" --no-declare mine
like "$("$BIN/topology" show -s mine.yaml)" "queue +mine .*\(in use by another connection\)" "405: show says whose it is"
"$BIN/topology" apply -s mine.yaml >applied 2>applied.err
is $? 0 "apply leaves an exclusive queue to its consumer"
kill -INT $owner
wait $owner

printf 'exchanges:\n  x: {type: x-no-such-plugin}\n' >plugin.yaml
refused 76 "an exchange type that needs a plugin" "^topology: cannot declare exchange 'x': .*x-no-such-plugin" "$BIN/topology" apply -s plugin.yaml
status_is 78 "a name that begins with amq.: exit 78, before the broker is asked" "$BIN/topology" apply -s r.yaml --set exchanges.amq.mine.type=fanout
printf 'exchanges:\n  amq.mine: {type: fanout}\n' >amq.yaml
status_is 78 "also in the file" "$BIN/topology" apply -s amq.yaml
like "$(head -n 1 err)" "^amq.yaml:2:[0-9]+: exchanges.*amq.mine.*reserved" "with its place"
printf 'exchanges:\n  amq.topic: {type: topic, declared: false}\n' >amq.yaml
status_is 0 "one that the broker has may be used" "$BIN/topology" apply -s amq.yaml

# ---- users without rights ----

user=u$vhost
poor=${AMQP_URL/guest:guest@/$user:pa55word@}
api PUT "users/$user" '{"password": "pa55word", "tags": ""}'
status_is 77 "403, a user without rights in the vhost: exit 77" "$BIN/topology" apply -s r.yaml --url "$poor"
like "$(tail -n 1 err)" "^topology: .*access to vhost" "and it is told"
api PUT "permissions/$vhost/$user" '{"configure": "^e$", "write": "^$", "read": "^$"}'
refused 77 "403, no right to declare" "^topology: cannot declare queue 'q': this user may not do that; .*permission" "$BIN/topology" apply -s r.yaml --url "$poor"
refused 77 "403, no right to read" "^consumer: cannot consume from queue 'q': this user may not do that; .*permission" "$BIN/consumer" --no-declare q --url "$poor"
printf 'x\n' >x.txt
status_is 77 "403, no right to write: exit 77" "$BIN/producer" --from x.txt -x e -k k --url "$poor"
like "$(cat err)" "^producer: .*exchange 'e'.*(refused|may not)" "and the exchange is named"
like "$(cat err)" "producer: 1 sent, 0 confirmed, 0 returned, 0 nacked, 1 unconfirmed" "and the message is accounted for"
api DELETE "users/$user"

# ---- nothing is declared when the settings are wrong ----

printf 'exchanges:\n  good:\nqueues:\n  fine:\n  wrong: {type: quorumm}\nbindings:\n  - {exchange: goood, queue: fine}\n' >wrong.yaml
for tool in "topology apply" "consumer --until-empty" "producer --yes"; do
	# shellcheck disable=SC2086
	set -- $tool
	status_is 78 "$1: wrong settings: exit 78" "$BIN/$1" "${@:2}" -s wrong.yaml
	is "$(grep -c "^wrong.yaml:[0-9]*:[0-9]*: " err)" 2 "$1: both mistakes have their place"
done
is "$(definitions '[.queues[], .exchanges[]] | map(select(.name | IN("good", "fine"))) | length')" 0 \
	"nothing was declared"
done_testing
