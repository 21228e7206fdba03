#!/bin/bash
# Three nodes, a quorum queue over them, and every fault the lab can make; what each node sees of it
# is asked of the nodes themselves.
. tests/support/tap.sh
lab=$work/lab
LEDGER=$PWD/${INSTRUMENTS:-build/release/tests}/faults/ledger
finish() {
	"$BIN/lab" down --dir "$lab" >/dev/null 2>&1
	tap_cleanup
}
trap finish EXIT

export WARREN_LAB_DIR=$lab
lab() { "$BIN/lab" "$@"; }
# ask NODE EXPRESSION: evaluated there, on one line.
ask() { lab ctl "$1" -- -q eval "$2" | tr -d ' \n'; }
# sees NODE: the nodes that serve, as this one sees it: "abc"
sees() { ask "$1" '[hd(atom_to_list(X))||X<-lists:usort(rabbit_nodes:all_running())].' | tr -dc abc; }
state() { lab status --format json | jq -r ".nodes[] | select(.name == \"$1\") | .state"; }
pid() { lab status --format json | jq -r ".nodes[] | select(.name == \"$1\") | .pid"; }
ports() { lab status --format json | jq -c '.nodes[].ports'; }
# does NAME REGEX WORDS...: a verb that succeeds with such a line.
does() {
	local name=$1 regex=$2
	shift 2
	said=$(lab "$@" 2>&1)
	like "$?: $said" "^0: $regex" "$name"
}
# refuses STATUS NAME REGEX WORDS...
refuses() {
	local status=$1 name=$2 regex=$3
	shift 3
	said=$(lab "$@" 2>&1)
	like "$?: $said" "^$status: lab: $regex" "$name"
}

ok "three nodes come up" lab up --wait 300s --nodes 3
before=$(ports)
eval "$(lab env)"
cat >"$work/s.yaml" <<'END'
queues:
  jobs: {type: quorum}
messages:
  job:
    routing_key: jobs
    amount: 20
    fields: {job: {sequence: 1}}
END
cd "$work" || exit
# put [URL]: 20 more messages, all confirmed.
put() { "$BIN/producer" -s "$work/s.yaml" --yes -f none --delay 0 ${1:+--url "$1"}; }
index() { printf "%d" $(($(printf %d "'$1") - 96)); }
url() { echo "$AMQP_URLS" | cut -d ' ' -f "$1"; }
# holds NODE N: the node's own replica of the queue has so many messages.
holds() {
	[ "$(ask "$1" "{ok,{_,N},_}=ra:local_query({'%2F_jobs',node()},fun rabbit_fifo:query_messages_total/1),N.")" = "$2" ]
}

# sees_are NODE NODES: and soon.
sees_are() { [ "$(sees "$1")" = "$2" ]; }
all_see() { sees_are a abc && sees_are b abc && sees_are c abc; }

is "$(wc -w <<<"$AMQP_URLS")" 3 "the variables have the address of each node"
ok "a quorum queue takes messages" put
is "$(ask a '{ok,Q}=rabbit_amqqueue:lookup({resource,<<"/">>,queue,<<"jobs">>}),length(maps:get(nodes,amqqueue:get_type_state(Q))).')" \
	3 "with a member on each node"

# ---- the leader is killed ----
# led QUEUE: it has a leader, which is in $leader.
led() { leader=$(lab leader "$1") && [[ $leader == [abc] ]]; }
ok "the queue has a leader" eventually 60 led jobs
does "it is killed" "node $leader is killed, after " kill "$leader"
is "$(state "$leader")" killed "which the status tells"
# the others notice a death a little later, and then they elect
is_followed() { next=$(lab leader jobs) && [[ $next == [abc] && $next != "$leader" ]]; }
ok "there is another leader" eventually 60 is_followed
survivor=$(tr -d "$leader" <<<abc | cut -c 1)
ok "the queue takes messages" put "$(url "$(index "$survivor")")"
refuses 69 "a dead node cannot be killed" "cannot kill node '$leader': it is killed, not" kill "$leader"
does "it is started again" "node $leader runs again and is back in the cluster, after " start "$leader"
is "$(state "$leader")" running "which the status tells"
is "$(ports)" "$before" "no port has changed"
ok "the others see it" eventually 60 sees_are "$survivor" abc
ok "it has what it missed" eventually 60 holds "$leader" 40

# ---- frozen: a node that neither leads nor has the producer's connection ----
eventually 60 led jobs
frozen=$(tr -d "a$leader" <<<abc | cut -c 1)
does "a node is paused" "node $frozen is paused, after " pause "$frozen"
like "$(cat "/proc/$(pid "$frozen")/stat")" '\) T ' "its process is stopped"
refuses 69 "a paused node cannot be stopped" "cannot stop node '$frozen': it is paused, not" stop "$frozen"
ok "two of three take messages" put
does "it goes on" "node $frozen goes on and is back in the cluster, after " resume "$frozen"
ok "and catches up" eventually 60 holds "$frozen" 60

# ---- in order ----
does "a node is stopped" "node c is stopped, after " stop c
is "$(state c)" stopped "which the status tells"
ok "the others see that it has gone" eventually 60 sees_are a ab
ok "it went in order" eventually 60 grep -q "SIGTERM received - shutting down" "$lab/c/log/c@localhost.log"
does "it is started again" "node c runs again" start c

# ---- cut ----
does "a node is cut from all others" "node a is cut from b and c, and each sees the other as down, after " cut a
ok "the others see that it is down" eventually 60 sees_are b bc
is "$(ask a 'nodes().')" "[]" "it sees nobody"
is_idle() { [ "$(ask a 'rabbit:is_running().')" = false ]; }
ok "alone, it does not serve" eventually 60 is_idle
like "$(lab status | tail -n 2 | tr '\n' ';')" '^cut: a from b;cut: a from c;$' "the status tells the cuts"
is "$(ask a "net_kernel:connect_node('b@localhost').")" false "it cannot come back by itself"
ok "the others take messages" put "$(url 2)"
does "a node that is cut can be killed" "node a is killed" kill a
refuses 69 "but not be started" "cannot start node 'a': it is cut from 'b'; heal that first" start a
does "the cuts are healed" "the cluster is whole again, after " heal
does "then it can" "node a runs again and is back in the cluster" start a
does "a node is cut from one other" "node b is cut from c" cut b c
is "$(ask b "lists:member('c@localhost', nodes()).")$(ask c "lists:member('b@localhost', nodes()).")" falsefalse \
	"both see it"
does "which is healed, too" "the cluster is whole again" heal
ok "each sees all" eventually 60 all_see
is "$(lab status --format json | jq -c .cuts)" "[]" "the status tells no cut"
does "healing nothing is fine" "nothing was cut" heal
ok "nothing was lost by any of it" eventually 60 holds a 80

# ---- alarms ----
alarms() { ask "$1" 'lists:usort([element(1,A)||A<-rabbit_alarm:get_alarms()]).'; }
does "a memory alarm at one node" "node b has a memory alarm, after " alarm memory on b
for node in a b c; do
	is "$(alarms $node)" '[{resource_limit,memory,b@localhost}]' "node $node knows of it"
done
does "a disk alarm at every node" "node a has a disk alarm.*" alarm disk on
is "$(alarms c | tr -dc '{' | wc -c)" 4 "that makes four alarms"
does "the memory alarm ends" "node a is without a memory alarm" alarm memory off
does "the disk alarm ends" "node a is without a disk alarm" alarm disk off
is "$(alarms a)$(alarms b)" '[][]' "no alarm is left"
ok "messages are taken" put

# ---- the leader is killed three times, under load ----
cat >load.yaml <<END
broker:
  url: [$(url 1), $(url 2), $(url 3)]
  heartbeat: 4s
queues:
  load: {type: quorum}
messages:
  load:
    routing_key: load
    rate: 500/s
    fields: {n: {sequence: 1}}
END
unset AMQP_URL
"$BIN/consumer" -s load.yaml load -f json >received 2>consumer.err &
consumer=$!
"$BIN/producer" -s load.yaml --yes -f json >sent 2>producer.err &
producer=$!
lines() { wc -l <"$1"; }
grows() { [ "$(lines "$1")" -gt "$2" ]; }
ok "messages flow" eventually 60 grows received 500
quick=
for n in 1 2 3; do
	eventually 60 led load
	lab kill "$leader" >/dev/null
	# what was on its way is told at once; then it takes an election
	sent=$(($(lines sent) + 1000))
	since=${EPOCHREALTIME/./}
	ok "the leader is killed, time $n: sending goes on" eventually 60 grows sent $sent
	took=$(((${EPOCHREALTIME/./} - since) / 1000))
	echo "# after $took ms"
	[ $took -gt 7000 ] || quick=yes
	lab start "$leader" >/dev/null
done
# a machine that stands still makes one of the times late; a wait of our own would be in all of them
ok "within 5 s, beside the 2 s that 1,000 messages take" test -n "$quick"
kill -INT $producer
wait $producer
is $? 0 "the producer has a confirm for every message"
caught_up() { [ "$(jq -r .properties.message_id received | sort -u | wc -l)" -ge "$(lines sent)" ]; }
ok "the consumer gets them all" eventually 60 caught_up
kill -INT $consumer
wait $consumer
"$LEDGER" --in-order sent -- received >verdict
result $? "nothing is lost, nothing comes twice without a mark, and in order but for what is marked"
sed 's/^/# /' verdict

# ---- down in any state ----
does "a node is paused once more" "node a is paused" pause a
processes=$(pgrep -f "$lab" | wc -l)
ok "the lab goes down with a paused node" timeout 60 "$BIN/lab" down --dir "$lab"
none_left() { ! pgrep -f "$lab/"; }
ok "and no process is left of $processes" eventually 60 none_left
done_testing
