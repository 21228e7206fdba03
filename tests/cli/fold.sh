#!/bin/bash
# events append and events fold: versions, time travel, snapshots, the table of a projection. Needs no broker.
# shellcheck disable=SC2317 # functions are called through ok and eventually
. tests/support/tap.sh

for variable in "${!WARREN_@}"; do unset "$variable"; done
events() { timeout 60 "$BIN/events" "$@" --store "$work/events.db"; }
put() { events append --type Deposited --stream "$1" --data "{\"amount\":$2}" "${@:3}"; }
sql() { sqlite3 -batch "$work/events.db" "$@"; }
# ends STATUS NAME COMMAND...: status_is for a function of ours.
ends() {
	local expected=$1 name=$2
	shift 2
	"$@" >"$work/out" 2>"$work/err" </dev/null
	is $? "$expected" "$name"
}
sum='.state + .event.data.amount'
cat >"$work/settings.yaml" <<'END'
projections:
  balance:
    reduce: .state + .event.data.amount
    initial: 0
    snapshot_every: 2
  positions:
    reduce: .state + [.event.position]
  broken:
    reduce: .state + nothing
END
fold() { events fold -s "$work/settings.yaml" "$@"; }

# ---- append ----

first=$(put account/1 100 --id one --source /bank)
is "$first" '{"position":1,"version":1,"id":"one"}' "append says where the event is"
is "$(put account/1 100 --id one --source /bank)" "$first" "the same again is recognised, and is the first one"
like "$(put account/1 50 </dev/null)" '^\{"position":2,"version":2,"id":"[0-9a-f-]{36}"\}$' "an event without an id gets one"
is "$(events append --type Deposited --stream account/2 --data - <<<' {"amount": 7} ' | cut -d, -f1,2)" '{"position":3,"version":1' \
	"the data may come from standard input"
ends 65 "data that is not JSON is refused" events append --type T --stream s --data '{amount: 1}'
like "$(<"$work/err")" '^events: --data is not JSON: ' "in words"
ends 64 "an event has a stream" events append --type T --data 1
ends 1 "a version that is another is told by status 1" put account/1 9 --expect-version 1
is "$(<"$work/err")" "events: nothing was written to 'account/1', somebody was first: the stream is at version 2, not 1" "with the version that there is"
is "$(sql 'SELECT max(position) FROM event')" 3 "nothing was written"
is "$(sql "SELECT id, type, source, subject, time IS NULL, json_extract(properties, '\$.content_type'), body FROM events WHERE position = 1")" \
	'one|Deposited|/bank|account/1|1|application/json|{"amount":100}' "what is stored is a CloudEvent in binary mode"

"$BIN/events" append --type T --stream s --data '[12345678901234567890, 1.50]' --store "$work/big.db" >/dev/null
is "$(sqlite3 -batch "$work/big.db" "SELECT body FROM event")" '[12345678901234567890, 1.50]' "a large number is stored as it came"

# race VERSION: of two at once one wins, and the other is told.
race() {
	local one two statuses
	put race 1 --expect-version "$1" >"$work/a" 2>&1 &
	one=$!
	put race 2 --expect-version "$1" >"$work/b" 2>&1 &
	two=$!
	wait $one
	statuses=$?
	wait $two
	statuses=$((statuses + $?))
	[ $statuses -eq 1 ] && [ "$(cat "$work/a" "$work/b" | grep -c "\"version\":$(($1 + 1)),")" -eq 1 ] &&
		[ "$(cat "$work/a" "$work/b" | grep -c "is at version $(($1 + 1)), not $1\$")" -eq 1 ]
}
races() { for version in {0..11}; do race "$version" || return; done; }
ok "of two who expect the same version exactly one wins, twelve times" races
is "$(sql "SELECT count(*), max(version) FROM event WHERE subject = 'race'")" '12|12' "and there is one event a version"

# ---- fold ----

is "$(events fold --reduce "$sum" --stream account/1)" 150 "fold of a stream"
is "$(events fold --reduce '(.state // 0) + 1')" 15 "fold of the whole store"
is "$(events fold --reduce "$sum" --stream account/1 --initial 1000)" 1150 "the initial state counts"
is "$(events fold --reduce "$sum" --stream nobody --initial '{}')" '{}' "a stream without events is in its initial state"
is "$(events fold --reduce "$sum" --each | head -n 2)" '{"stream":"account/1","version":2,"position":2,"state":150}
{"stream":"account/2","version":1,"position":3,"state":7}' "each stream, a line each"
is "$(events fold --reduce '.state + 1' --each --stream-by '.amount | if . > 10 then "much" else "little" end' | jq -c '[.stream,.state]')" \
	'["little",13]
["much",2]' "streams by an expression"
is "$(events fold --reduce '.state + 1' --stream-by '.amount' --stream 1)" "$(sql "SELECT count(*) FROM event WHERE body = '{\"amount\":1}'")" "one of them"
is "$(events fold --reduce "$sum" --stream account/1 --history)" '{"stream":"account/1","version":1,"position":1,"state":100}
{"stream":"account/1","version":2,"position":2,"state":150}' "the history, a line a version"
is "$(events fold --reduce "$sum" --stream account/1 -f table | tail -n 1 | tr -s ' ')" ' 2 2 account/1 150' "a table for people"
is "$(events fold --reduce "$sum" --stream account/1 --as-of 1)" 100 "as of a position"
time=$(events fold --reduce .event.received --as-of 1 | tr -d '"')
is "$(events fold --reduce "$sum" --stream account/1 --as-of "$time")" 100 "as of a time"
is "$(events fold --reduce "$sum" --stream account/1 --as-of 1d --initial 0)" 0 "as of yesterday"
is "$(events fold --reduce "$sum" --stream account/1 --as-of 0s)" 150 "as of now"
ends 65 "a reducer that fails ends it" events fold --reduce '.event.data.amount | keys' --stream account/2
like "$(<"$work/err")" "^events: event 3 \('[0-9a-f-]{36}'\): the reducer fails: number \(7\) has no keys" "with the event it failed at"
ends 65 "and one without a state" events fold --reduce empty --stream account/2
for state in infinite nan '[-infinite]'; do
	for how in "--stream account/2" "--stream account/2 -f table" "--stream account/2 --history" "" --each "--each --history"; do
		# shellcheck disable=SC2086 # words
		ends 65 "a state of $state is refused${how:+ with }$how" events fold --reduce "$state" $how
	done
	like "$(<"$work/err")" "^events: event [0-9]+: the state of stream 'account/1' holds what JSON cannot" "with the event"
done
is "$(events fold --reduce 'if .event.version == 1 then infinite else .state | isinfinite end' --stream account/1)" true "but not one on the way"
ends 66 "a store that is not there is not made" "$BIN/events" fold --reduce . --store "$work/none.db"
ends 78 "a projection that does not compile is a mistake of the settings" fold --projection broken
like "$(<"$work/err")" 'settings.yaml:8:3: projections.broken: cannot compile the jq expression .*nothing/0 is not defined' "with its place"
ends 64 "a projection that there is not is told" fold --projection balanse
like "$(<"$work/err")" "did you mean 'balance'" "with the nearest"

# ---- snapshots ----

fold --projection balance --stream race --snapshot-every 0 >/dev/null
is "$(sql "SELECT count(*) FROM snapshot WHERE stream = 'race'")" 0 "--snapshot-every counts before the projection's own"
is "$(fold --projection balance --stream race)" "$(sql "SELECT sum(json_extract(body, '\$.amount')) FROM event WHERE subject = 'race'")" \
	"a projection of the settings"
is "$(sql "SELECT count(*) FROM snapshot WHERE stream = 'race'")" 6 "it keeps a snapshot every two events"
state=$(fold --projection balance --stream race)
sql "UPDATE snapshot SET state = '1000' WHERE stream = 'race'"
ends 65 "verify finds a snapshot that somebody has changed" events verify
like "$(<"$work/out")" "^event [0-9]+: a snapshot that a fold has kept behind it was changed" "and where"
is "$(fold --projection balance --stream race)" "$state" "no fold uses it"
is "$(fold --projection balance --stream race --set 'projections.balance.reduce=.state + 1')" 12 "but not one with another reducer"
is "$(sql "SELECT count(*) FROM snapshot WHERE stream = 'race' AND state = '1000'")" 0 "whose snapshots go when the projection has new ones"
sql "UPDATE snapshot SET state = '1000', hash = zeroblob(32) WHERE stream = 'race'"
is "$(fold --projection balance --stream race --set 'projections.balance.reduce=.state + 1')" 12 "a snapshot of another past is not used"

# ---- a table that follows ----

table() { sql "SELECT json_object('stream', stream, 'version', version, 'position', position, 'state', json(state)) FROM projection_$1 ORDER BY stream"; }
is_exact() { [ "$(table "$1")" = "$(fold --projection "$1" --each)" ]; }
kills() {
	local round follower
	for round in 1 2 3 4 5; do
		"$BIN/events" fold -s "$work/settings.yaml" --store "$work/events.db" --projection positions --follow >"$work/follow.$round" &
		follower=$!
		[ $((round % 2)) -eq 0 ] || eventually 30 test -s "$work/follow.$round" || return
		put "stream/$((round % 3))" 1 && put stream/a 1 && put "stream/$round" 1 || return
		kill -9 $follower
		wait $follower 2>/dev/null
		put stream/a 1 || return
	done
	fold --projection positions --follow --until-empty && is_exact positions
}
ok "a follower that is killed five times has every event exactly once" kills
is "$(sql "SELECT position = (SELECT max(position) FROM event) FROM projection WHERE name = 'positions'")" 1 "and knows how far it is"
fresh "$work/follow"
"$BIN/events" fold -s "$work/settings.yaml" --store "$work/events.db" --projection balance --follow >"$work/follow" &
follower=$!
ok "a follower catches up" eventually 30 grep -q '^{"stream":"race"' "$work/follow"
put account/2 13 >/dev/null
ok "it prints a state that has changed" eventually 30 grep -q '^{"stream":"account/2","version":2,.*"state":20}$' "$work/follow"
ok "the table has it" is_exact balance
kill -INT $follower
wait $follower
is $? 0 "an interrupt is its normal end"
fold --projection balance --follow --until-empty --set 'projections.balance.initial=1' >/dev/null
is "$(sql "SELECT state FROM projection_balance WHERE stream = 'account/2'")" 21 "a changed reducer makes the table anew"

done_testing
