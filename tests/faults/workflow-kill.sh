#!/bin/bash
# The orchestrator is killed before each thing that it does which others can see: a write to the store or to
# the broker, one order for each such moment. Its third step fails. Another orchestrator goes on: what was done is
# undone once, in reverse order, and nothing else happens. ROUNDS=20 is the long run.
. tests/support/tap.sh
INSTRUMENTS=$(realpath "${INSTRUMENTS:-build/release/tests}")
use_broker
cd "$work" || exit
ROUNDS=${ROUNDS:-1} ATONCE=${ATONCE:-6}
killer=$INSTRUMENTS/support/kill_call.so
services='reserve charge ship refund release'

# A file for each moment, so that each order has queues of its own; the services are the same for all. Few jq
# programs: they are compiled at each start.
write_settings() {
	cat <<-END
	queues:
	  outcomes: {}
	  start.$1: {}
	  replies.$1: {}
	  $(for what in $services; do echo "  $what: {}"; done | sed '1s/^  //')
	responders:
	  $(for what in $services; do
			refused=$([ "$what" != ship ] || echo ', refused: true')
			echo "$what: {queue: $what, core: [{dedupe: id}, {jq: '. + {did: \"$what\"$refused}'}]}"
		done | sed '2,$s/^/  /')
	workflows:
	  order:
	    start: {queue: start.$1}
	    replies: replies.$1
	    steps:
	      - {name: reserve, timeout: 1h, request: {routing_key: reserve}, compensate: {routing_key: release}}
	      - {name: charge, timeout: 1h, request: {routing_key: charge}, compensate: {routing_key: refund}}
	      - {name: ship, timeout: 1h, request: {routing_key: ship}, failed: .refused}
	    failed: {routing_key: outcomes}
	END
}
order() { printf '{"routing_key":"start.%d","properties":{"message_id":"%s"},"body":"{\\"id\\":\\"%s\\"}"}\n' "${1%%-*}" "$1" "$1"; }
orchestrate() { # ID
	timeout 300 "$BIN/workflow" run -s "${1%%-*}.yaml" --store "$1.db" --count 1 -f none
}
# victim ID: an order 7-1 is the first whose orchestrator is killed before the 7th thing that it does.
victim() {
	export LD_PRELOAD=$killer KILL_CALL_AFTER='waiting for' KILL_CALL=${1%%-*}
	orchestrate "$1" 2>"$1.err"
	echo $? >"$1.status"
}
has_ended() { [ "$(sqlite3 -readonly "$1.db" "SELECT count(*) FROM event WHERE type = 'warren.workflow.aborted'")" = 1 ]; }
# heir ID: goes on, unless the order was through.
heir() {
	! has_ended "$1" || return 0
	orchestrate "$1" 2>"$1.heir" || sed "s/^/# $1: /" "$1.heir" >"$1.failed"
}
# each COMMAND IDS...: for each order, some at once.
each() {
	local command=$1 id
	shift
	for id; do
		while [ "$(jobs -pr | wc -l)" -gt "$ATONCE" ]; do wait -n; done
		"$command" "$id" 2>/dev/null &
	done
	while [ "$(jobs -pr | wc -l)" -gt 1 ]; do wait -n; done
} 2>/dev/null

# ---- how many moments there are ----

write_settings 0 >0.yaml
"$BIN/topology" apply -s 0.yaml >applied || exit 1
"$BIN/rpc" serve -s 0.yaml --no-declare -f json --summary json >served 2>served.err &
server=$!
ok "the services are there" eventually 60 grep -q 'waiting for' served.err
order 0-0 | "$BIN/producer" --from - --yes -q -f none
LD_PRELOAD=$killer KILL_CALL_AFTER='waiting for' KILL_CALL_COUNT=$work/moments orchestrate 0-0 2>measured
is $? 0 "an order comes to its end"
moments=$(cat moments 2>/dev/null || echo 0)
ok "it takes $moments writes" test "$moments" -ge 20

# ---- a kill before each of them ----

ids=(0-0)
for ((n = 1; n <= moments; n++)); do
	write_settings $n >$n.yaml
	printf '  start.%d: {}\n  replies.%d: {}\n' $n $n
done | sed '1i queues:' >all.yaml
"$BIN/topology" apply -s all.yaml >applied || exit 1
for ((round = 1; round <= ROUNDS; round++)); do
	mine=()
	for ((n = 1; n <= moments; n++)); do mine+=("$n-$round"); done
	for id in "${mine[@]}"; do order "$id"; done | "$BIN/producer" --from - --yes -q -f none
	each victim "${mine[@]}"
	each heir "${mine[@]}"
	ids+=("${mine[@]}")
done
orders=${#ids[@]}
killed=$(cat ./*.status | grep -c '^137$')
ok "$killed orchestrators were killed, of $((moments * ROUNDS))" test "$killed" -ge $((moments * ROUNDS * 8 / 10))
cat ./*.failed 2>/dev/null >failed
is "$(cat failed)" "" "the others have gone on"
kill -INT $server && wait $server

# ---- what came of it ----

is "$(jq -c '[.answered, .errors]' <(tail -n 1 served.err))" "[$((orders * 5)),0]" "the services have done each thing once, and refused nothing"

# What the services did, by order, in their order: what was asked again got the same answer again.
jq -r '(.body | fromjson) as $did | "\(.properties.message_id) \($did.id) \($did.did)"' served |
	awk '!seen[$1]++ {print $2, $3}' | awk '{did[$1] = did[$1] " " $2} END {for (id in did) print did[id]}' |
	sort | uniq -c | sed 's/  */ /g; s/^ //' >did
is "$(cat did)" "$orders reserve charge ship refund release" \
	"each of $orders orders: the services have done it once, and undone it once, in reverse order"
for id in "${ids[@]}"; do
	sqlite3 -readonly "$id.db" "SELECT group_concat(replace(type, 'warren.workflow.', ''), ' ') FROM (SELECT type FROM event ORDER BY position)"
done | sort | uniq -c | sed 's/^ *//' >happened
is "$(cat happened)" "$orders started requested replied requested replied requested failed compensating compensated compensating compensated aborted" \
	"and the stores tell the same story, each event once"
"$BIN/consumer" outcomes --until-empty --dedupe -q -f json >outcomes
is "$(jq -r '.body | fromjson | .id' outcomes | sort | uniq -c | grep -c '^ *1 ')" "$orders" \
	"the end of each was announced, to who knows a message again once"
done_testing
