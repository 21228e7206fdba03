#!/bin/bash
# The event store without a broker: import, export, list, show, query, stats, verify, compact.
# shellcheck disable=SC2317 # functions are called through ok
. tests/support/tap.sh

for variable in "${!WARREN_@}"; do unset "$variable"; done
unset AMQP_URL
events=$BIN/events db=$work/events.db
cd "$work" || exit 70

# fails STATUS TEXT ARGUMENT...: events ends so, saying the text on stderr and nothing on stdout.
fails() {
	local status=$1 text=$2 got
	shift 2
	timeout 60 "$events" "$@" >"$work/out" 2>"$work/err" </dev/null
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
# same FILE FILE, with the difference.
same() { diff "$1" "$2"; }
head_of() { "$events" verify --store "$1" | sed -n 's/.*; head //p'; }

# ---- four events: a CloudEvent, a plain message, bytes that a terminal must not get, no UTF-8 ----

cat >in.jsonl <<'END'
{"received":"2026-11-21T08:00:00.000001Z","exchange":"bank","routing_key":"account.created","redelivered":false,"queue":"ledger","properties":{"content_type":"application/json","headers":{"cloudEvents_specversion":"1.0","cloudEvents_id":"e-1","cloudEvents_source":"/bank","cloudEvents_type":"AccountCreated","cloudEvents_subject":"account/acc1"},"delivery_mode":2},"body":"{\"owner\":\"Ann, \\\"A\\\"\",\"limits\":[1.10,{}]}"}
{"received":"2026-11-21T08:00:01.500000Z","exchange":"","routing_key":"orders","redelivered":true,"queue":"orders","stream_offset":41,"properties":{"headers":{"at":{"$type":"timestamp","value":1700000000},"big":{"$type":"uint64","value":"18446744073709551615"},"f":{"$type":"float","value":0.5}},"priority":3,"message_id":"a-long-message-id-of-a-plain-message","timestamp":1700000000},"body":"hop"}
{"received":"2026-11-21T09:00:00.000000Z","exchange":"bank","routing_key":"account.\u001b]0;x\u0007","redelivered":false,"properties":{"type":"Evil\u202e\n=1+1"},"body":"\u001b[31mred\u0000\nline"}
{"received":"2026-11-21T09:00:00.000000Z","exchange":"bank","routing_key":"bytes","redelivered":false,"properties":{},"body_base64":"/wD+"}
END
status_is 0 "import makes a store of JSON lines" "$events" import in.jsonl
like "$(cat "$work/err")" "^events: 4 imported, 0 duplicates in " "and says how many"
is "$(stat -c %a "$db")" 600 "which is its owner's alone"

# ---- out and in again ----

sed 's/^{/{"position":'"#"',/' in.jsonl | awk '{sub("#", NR)} 1' >expected.jsonl
"$events" export >out.jsonl
ok "export prints the very lines, and their positions" same expected.jsonl out.jsonl
"$events" import -q --store two.db out.jsonl
"$events" export --store two.db >out2.jsonl
ok "what was exported, imported and exported again is the same" cmp out.jsonl out2.jsonl
head=$(head_of events.db)
like "$head" "^[0-9a-f]{64}$" "verify prints the head"
is "$(head_of two.db)" "$head" "an export has the same head in an empty store"
"$events" list -f json >list.jsonl
ok "list -f json prints the same lines" cmp out.jsonl list.jsonl
"$events" export | "$events" import --store three.db - 2>/dev/null
is "$(head_of three.db)" "$head" "through a pipe as well"
"$events" import out.jsonl 2>"$work/err"
like "$(cat "$work/err")" "^events: 2 imported, 2 duplicates" "what has an id is not stored twice"
sed '2s/"hop"/"hip"/;2s/41/42/' in.jsonl | sed -n 2p >again.jsonl
"$events" import --store two.db again.jsonl 2>"$work/err"
like "$(cat "$work/err")" "1 imported, 0 duplicates, 1 time_moved" "another place in a stream is another event, whatever its id"
jq -c 'del(.stream_offset)' again.jsonl | sed 's/hip/hup/' >queue.jsonl
"$events" import --store two.db queue.jsonl 2>"$work/err"
like "$(cat "$work/err")" "1 imported, 0 duplicates, 1 id_used_again" "other content under the same id is stored, and told"
: >empty.jsonl
status_is 0 "a file without lines is an empty store" "$events" import --store none.db empty.jsonl
like "$("$events" verify --store none.db)" "^none.db: 0 events, nothing damaged" "which is whole"
is "$("$events" export --store none.db)" "" "and has nothing to export"
like "$("$events" stats --store none.db)" "^events +0$" "nor to count"
printf '{"body":"no line feed","properties":{}}' | "$events" import -q --store none.db -
is "$("$events" query --store none.db -f csv 'SELECT body FROM events' | tail -n 1)" $'no line feed\r' "a last line without line feed counts"
rm -f events.db* && "$events" import -q in.jsonl

# ---- lines that are none ----

refuses() { # LINE TEXT: a file with it as its second line
	{ sed -n 1p in.jsonl && printf '%s\n' "$1" && sed -n 2p in.jsonl; } >bad.jsonl
	rm -f bad.db
	fails 65 "bad.jsonl:2: $2" import --store bad.db bad.jsonl || return 1
	[ ! -e bad.db ] || { echo "something was stored" && return 1; }
}
while IFS='|' read -r line text; do
	ok "refused, and nothing is stored: $line" refuses "$line" "$text"
done <<'END'
|not a JSON object
hop|not a JSON object
[1]|not a JSON object
{"properties":{}}|body or body_base64 is missing
{"body":"a","body_base64":"YQ=="}|there are both body and body_base64
{"body":1}|body: not a string
{"body_base64":"%"}|body_base64: not base64
{"body":"a","bdy":1}|unknown member 'bdy'; did you mean 'body'?
{"body":"a","properties":{"prority":1}}|properties: unknown member 'prority'; did you mean 'priority'?
{"body":"a","properties":{"priority":256}}|properties.priority: not a whole number from 0 to 255
{"body":"a","properties":{"headers":{"x":{"$type":"nope","value":1}}}}|properties.headers
{"body":"a","received":"yesterday"}|received: not a time such as 2026-11-21T08:15:30Z
{"body":"a","received":5}|received: not a string
{"body":"a","received":"9999-12-31T00:00:00Z"}|received: more than a day from now
{"body":"a","redelivered":"no"}|redelivered: neither true nor false
{"body":"a","stream_offset":-1}|stream_offset: not a whole number from 0 on
{"body":"a","queue":["q"]}|queue: not a string
{"body":"a","body":"b"}|not a JSON object
{"body":"\ud800"}|not a JSON object
END
"$events" import --store pipe.db - < <(sed -n 1,2p in.jsonl && echo hop) 2>"$work/err"
is $? 65 "of a pipe"
like "$(cat "$work/err")" "standard input:3: not a JSON object" "the bad line is named"
is "$("$events" query --store pipe.db -f csv 'SELECT count(*) FROM events' | tail -n 1)" $'2\r' "and what stands before it is stored"
ok "a file that is not there" fails 66 "cannot read 'nope.jsonl'" import nope.jsonl
ok "a directory" fails 66 "Is a directory" import .
printf '{"body":"early","received":"2026-11-20T00:00:00Z"}\n{"body":"now"}\n' | "$events" import --store pipe.db - 2>"$work/err"
like "$(cat "$work/err")" "2 imported, 0 duplicates, 1 time_moved" "an event from before the last one is counted"
like "$(cat "$work/err")" "1 event was received before the one in front of it: 'received' is the time of that one" "and warned of"
for second in 2 1 2 3 1; do printf '{"body":"%s","received":"2026-11-20T00:00:0%sZ"}\n' "$second" "$second"; done >times.jsonl
"$events" import --batch 2 --store times.db times.jsonl 2>"$work/err"
like "$(cat "$work/err")" "5 imported, 0 duplicates, 2 times_moved" "in whatever batches"
is "$("$events" query --store pipe.db -f csv 'SELECT count(*) FROM events AS e WHERE received < (SELECT max(received) FROM events AS f WHERE f.position < e.position)' | tail -n 1)" $'0\r' "received never goes back"

# ---- list and show ----

cat >expected.txt <<'END'
position  received                  what                subject       id             size  body
       1  2026-11-21T08:00:00.000Z  AccountCreated      account/acc1  e-1            41 B  {"owner":"Ann, \\"A\\"","limits":[1.10,{}]}
       2  2026-11-21T08:00:01.500Z  orders                            a-long-mess..  3 B   hop
       3  2026-11-21T09:00:00.000Z  Evil\u{202e}\n=1+1                               14 B  \x1b[31mred\x00\nline
       4  2026-11-21T09:00:00.000Z  bank/bytes                                       3 B   \xff\x00\xfe
END
"$events" list >out.txt
ok "list is a table, and no terminal obeys what is in it" same expected.txt out.txt
printf '%s\r\n' 'position,received,redelivered,queue,stream_offset,exchange,routing_key,id,type,source,subject,version,time,properties,body' \
	'1,2026-11-21T08:00:00.000001Z,0,ledger,,bank,account.created,e-1,AccountCreated,/bank,account/acc1,1,,"{""content_type"":""application/json"",""headers"":{""cloudEvents_specversion"":""1.0"",""cloudEvents_id"":""e-1"",""cloudEvents_source"":""/bank"",""cloudEvents_type"":""AccountCreated"",""cloudEvents_subject"":""account/acc1""},""delivery_mode"":2}","{""owner"":""Ann, \""A\"""",""limits"":[1.10,{}]}"' >expected.csv
"$events" list -f csv -n 1 >out.csv
ok "list -f csv quotes as RFC 4180 says" same expected.csv out.csv
like "$("$events" list -f csv --from 4)" ',bytes,,,,,,,\{\},base64:/wD\+' "and has base64 for what is no text"
positions() { "$events" list -f csv "$@" | sed 1d | cut -d, -f1 | tr '\n' ' ' | sed 's/ $//'; }
positions_json() { "$events" list -f json "$@" | sed -E 's/^\{"position":([0-9]+).*/\1/' | paste -sd ' '; }
is "$(positions_json)" "1 2 3 4" "in their order"
is "$(positions_json --reverse)" "4 3 2 1" "or backwards"
is "$(positions_json -r -n 2)" "4 3" "not more than are asked for"
is "$(positions_json --from 2 --to 3)" "2 3" "by position"
is "$(positions_json --type AccountCreated)" "1" "by type"
is "$(positions_json --id e-1 --id a-long-message-id-of-a-plain-message)" "1 2" "by id"
is "$(positions_json --stream account/acc1)" "1" "by subject"
is "$(positions_json --exchange bank --key 'account.*' --key bytes)" "1 3 4" "by exchange and key"
is "$(positions_json --exchange '')" "2" "the default exchange too"
is "$(positions_json --since 2026-11-21T08:00:01Z --until 2026-11-21T09:00Z)" "2" "by time"
is "$(positions_json --since 2026-11-21 --until 2026-11-22)" "1 2 3 4" "by day"
is "$(positions_json --since 10m)" "" "and by how long ago"
is "$(positions_json --grep '[31m')" "3" "by what stands in the body"
is "$(positions_json --jq '.owner? != null')" "1" "by jq"
is "$(positions_json --jq '$queue == "orders" and $redelivered')" "2" "with what jq knows beside the body"
is "$(positions_json --jq 'true' --limit 3)" "1 2 3" "where the limit counts what passed"
is "$(positions_json --where "data ->> 'owner' LIKE 'Ann%' OR stream_offset = 41")" "1 2" "and by SQL"

"$events" show 1 >out.txt
sed -i -E 's/^(hash +)[0-9a-f]{64}$/\1HASH/' out.txt
cat >expected.txt <<'END'
position          1
received          2026-11-21T08:00:00.000001Z
type              AccountCreated
subject           account/acc1
version           1
id                e-1
source            /bank
exchange          bank
routing_key       account.created
queue             ledger
redelivered       no
hash              HASH
properties
  content_type    application/json
  headers
    cloudEvents_specversion     1.0
    cloudEvents_id              e-1
    cloudEvents_source          /bank
    cloudEvents_type            AccountCreated
    cloudEvents_subject         account/acc1
  delivery_mode   2
body              41 B
{
  "owner": "Ann, \"A\"",
  "limits": [
    1.10,
    {}
  ]
}
END
ok "show prints all of an event, JSON laid out and its numbers as they were" same expected.txt out.txt
is "$("$events" show e-1 -f json)" "$(sed -n 1p expected.jsonl)" "by its id, as the line of export"
is "$("$events" show 3 | LC_ALL=C tr -d '\n' | LC_ALL=C grep -c '[^ -~]')" 0 "with nothing that a terminal obeys"
ok "no such event" fails 66 "has no event '5'" show 5
ok "no such id" fails 66 "has no event with the id 'e-9'" show e-9

like "$("$events" stats)" "^received +2026-11-21T08:00:00.000001Z to 2026-11-21T09:00:00.000000Z$" "stats tell from when to when"
is "$("$events" stats -f json | jq -c '[.events, .redelivered, .subjects, .types.AccountCreated, .routes["/orders"], .queues.ledger, .days["2026-11-21"], .hours["2026-11-21T09"], .last.position]')" "[4,1,1,1,1,1,4,2,4]" "stats -f json count"
is "$("$events" stats --exchange bank -f json | jq .events)" 3 "what is asked for"

# ---- SQL ----

query() { "$events" query "$@"; }
is "$(query -f json "SELECT position, received, redelivered r, queue, stream_offset o, exchange, routing_key k, id, type, source, subject, version, time, properties ->> 'delivery_mode' p, headers ->> 'cloudEvents_id' h, typeof(body) b, data ->> 'owner' d, length(hash) l FROM events WHERE position = 1")" \
	'{"position":1,"received":"2026-11-21T08:00:00.000001Z","r":0,"queue":"ledger","o":null,"exchange":"bank","k":"account.created","id":"e-1","type":"AccountCreated","source":"/bank","subject":"account/acc1","version":1,"time":null,"p":2,"h":"e-1","b":"text","d":"Ann, \"A\"","l":64}' "the view events has its columns"
is "$(query -f json "SELECT 1 i, 1.0 r, 9223372036854775807 big, 0.1 + 0.2 f, 9e999 inf, NULL n, x'ff' b, '' e")" \
	'{"i":1,"r":1.0,"big":9223372036854775807,"f":0.30000000000000004,"inf":null,"n":null,"b":{"base64":"/w=="},"e":""}' "JSON keeps what SQL answers"
is "$(query -f csv "SELECT 1 a, 'x,\"y' b, NULL c, '' d, char(10) e, '=1+1' f")" $'a,b,c,d,e,f\r\n1,"x,""y",,"","\n",=1+1\r' "CSV too"
is "$(query "SELECT type AS \"t\`\", body FROM events WHERE position = 3" | LC_ALL=C tr -d '\n' | LC_ALL=C grep -c '[^ -~]')" 0 "a table shows nothing that a terminal obeys"
is "$(query -f csv "SELECT topic_matches('account.#', routing_key) m FROM events WHERE position < 3" | tr -d '\r' | paste -sd ' ')" "m 1 0" "topic_matches is there"
is "$(query 'WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c WHERE x < 1000) SELECT x, -x AS y FROM c' | awk 'NF != 2' | wc -l)" 0 "more rows than decide the widths"
sum=$(cat events.db events.db-wal 2>/dev/null | sha256sum)
while IFS='|' read -r sql text; do
	ok "no answer: $sql" fails 64 "$text" query "$sql"
done <<'END'
SELEC 1|near "SELEC": syntax error, at character 1: 'SELEC 1'
SELECT nope FROM events|no such column: nope, at character 8: 'nope FROM events'
SELECT 1; SELECT 2|one statement at a time
SELECT 1; DROP TABLE event|one statement at a time
 |there is no statement in it
SELECT json('{')|malformed JSON
SELECT abs(-9223372036854775807 - 1)|integer overflow
INSERT INTO event SELECT * FROM event|query only reads
UPDATE event SET body = 'x'|query only reads
DELETE FROM event|query only reads
DROP TABLE event|query only reads
DROP TRIGGER event_update|query only reads
CREATE TEMP TABLE t (a)|query only reads
WITH x AS (SELECT 1) DELETE FROM event|query only reads
PRAGMA writable_schema = 1|query only reads
PRAGMA user_version = 99|query only reads
SELECT * FROM pragma_user_version|not authorized
ATTACH 'other.db' AS other|query only reads
VACUUM INTO 'other.db'|query only reads
BEGIN|query only reads
REINDEX|query only reads
SELECT load_extension('x')|not authorized
SELECT writefile('other.db', 'x')|no such function
END
for where in '1) OR (1' '1; DROP TABLE event' 'nope = 1' '1) --' '1=1 /*' 'count(*)>0'; do
	ok "not through --where either: $where" fails 64 "--where" list --where "$where"
done
ok "nothing is loaded" fails 64 "--where: not authorized" list --where "load_extension('x')"
ok "what fails on an event is told" fails 64 "--where: malformed JSON" list --where "body ->> 'x' = 1"
is "$(cat events.db events.db-wal 2>/dev/null | sha256sum)" "$sum" "and the file is what it was"
ok "nothing was made beside it" test ! -e other.db

timeout 0.2 "$events" query 'WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c'
is $? 124 "a question without end is ended by a signal"

escapes() { LC_ALL=C grep -ac $'[\x1b\x07]'; }
on_terminal() { script -qefc "$events $1" /dev/null </dev/null; }
for question in 'list -f csv' 'query -f csv "SELECT routing_key, body FROM events"'; do
	like "$(on_terminal "$question" | tr -d '\r')" '\\x1b\]0;x\\x07' "a terminal is shown, not told: $question"
	is "$(on_terminal "$question" | escapes)" 0 "nothing is left that it obeys"
done
is "$("$events" query -f csv 'SELECT body FROM events' | escapes)" 1 "a pipe gets the very bytes"

# ---- which option goes with which verb ----

while IFS='|' read -r arguments text; do
	# shellcheck disable=SC2086 # words
	ok "usage: $arguments" fails 64 "$text" $arguments
done <<'END'
list --tap x|--tap does not go with list; it goes with record
list --head x|--head does not go with list; it goes with verify
verify --since 1h|--since does not go with verify; it goes with list, stats, replay, export
list --batch 5|--batch does not go with list; it goes with record, import
stats --batch-time 1s|--batch-time does not go with stats; it goes with record
export --window 5|--window does not go with export; it goes with replay
verify --snapshot-every 0|--snapshot-every does not go with verify; it goes with fold
compact --source x|--source does not go with compact; it goes with append
compact --to 5|--to does not go with compact
export -f csv|--format does not go with export
query|query needs SQL
query a b|'b' is too much
list a|list takes options alone
show|show needs the position of an event, or its id
show 1 -f csv|show prints a table or json
import|import needs a file of JSON lines, or -
import --type x y|--type does not go with import
list --since soon|option '--since' takes a time such as
list --from 5 --to 4|nothing lies between --from and --to
list --since 1h --until 2h|nothing lies between --since and --until
list --jq .[|cannot compile the jq expression
verify --head 12|option '--head' takes a hash
import --store stream:q in.jsonl|needs a store that is a file
compact --store stream:q|needs a store that is a file
END

# ---- files that are no stores ----

sqlite3 other.sqlite 'CREATE TABLE t (a); INSERT INTO t VALUES (1)'
cp events.db newer.db && sqlite3 newer.db 'PRAGMA user_version = 99'
head -c 10000 /dev/zero | tr '\0' 'x' >garbage.db
: >void.db
untouched() { # FILE STATUS TEXT
	local before verb
	before=$(sha256sum <"$1")
	for verb in list verify stats export "show 1" "query SELECT+1" compact "import in.jsonl"; do
		[ "$1" != void.db ] || [ "$verb" != "import in.jsonl" ] || continue # that makes a store of it
		# shellcheck disable=SC2086 # words
		fails "$2" "$3" ${verb%SELECT+1} ${verb:+$([[ $verb != query* ]] || echo SELECT+1)} --store "$1" || return 1
	done
	[ "$(sha256sum <"$1")" = "$before" ] || { echo "it was changed" && return 1; }
}
ok "a database of something else is left alone" untouched other.sqlite 65 "is a database of something else"
ok "a store of a newer version as well" untouched newer.db 65 "has layout 99"
ok "a file that is no database" untouched garbage.db 65 "file is not a database"
ok "an empty file" untouched void.db 65 "is empty, not an event store"
ok "a directory" fails 66 "is not a regular file" list --store .
ok "nothing" fails 66 "No such file or directory" list --store nope.db
ok "which is not made by looking" test ! -e nope.db
if [ "$(id -u)" -ne 0 ]; then
	cp events.db closed.db && chmod 0 closed.db
	ok "a store that may not be read" fails 66 "Permission denied" list --store closed.db
fi
ok "a folder where nothing can be made" fails 73 "cannot make store" import --store nope/events.db in.jsonl

# ---- verify, compact ----

like "$("$events" verify)" "^events.db: 4 events, nothing damaged, nothing missing, nothing changed; head $head$" "verify finds nothing in a store that is whole"
ok "with the head that was kept" "$events" verify --head "$head"
sqlite3 events.db .dump >/dev/null # takes up the log
"$events" compact >/dev/null
changed() { # TEXT POSITION: each byte of it in the file, changed, is found in that event
	local at end
	at=$(LC_ALL=C grep -abo -F -- "$1" events.db | head -n 1 | cut -d: -f1)
	[ -n "$at" ] || { echo "not in the file: $1" && return 1; }
	for ((end = at + ${#1}; at < end; at += 2)); do
		rm -f changed.db*
		cp events.db changed.db
		printf '\x7f' | dd of=changed.db bs=1 seek="$at" conv=notrunc status=none
		"$events" verify --store changed.db >out.txt 2>err.txt
		[ $? -eq 65 ] || { echo "byte $at is not missed" && return 1; }
		grep -qE "^event $2(,|:)" out.txt || { echo "byte $at" && cat out.txt err.txt && return 1; }
	done
}
ok "a byte of a body that was changed by hand is named" changed '"Ann, \"A\""' 1
ok "one of the properties" changed '"delivery_mode":2' 1
ok "one of a plain message" changed 18446744073709551615 2
ok "one of a routing key" changed orders 2
like "$(cat err.txt)" "store 'changed.db' is damaged, or its past was changed" "and that is the error"

cp events.db odd.db
for odd in '[]' 5 '{bad}' '{' '""'; do
	sqlite3 odd.db "DROP TRIGGER IF EXISTS event_update; UPDATE event SET properties = '$odd' WHERE position = 3"
	for verb in "list --from 3" "show 3" "export --from 3" stats "fold --each --reduce .state+1" "fold --stream-by correlation_id --each --reduce .state+1"; do
		# shellcheck disable=SC2086 # words
		ok "properties $odd stop $verb" fails 65 "event 3 is damaged: its properties are no JSON object" ${verb%% *} --store odd.db ${verb#"${verb%% *}"}
	done
done

for far in 9223372036854775807 9007199254740992; do
	cp events.db odd.db
	sqlite3 odd.db "DROP TRIGGER event_update; UPDATE event SET position = $far WHERE position = 4"
	for verb in list stats "show 1" "fold --reduce .state+1"; do
		# shellcheck disable=SC2086 # words
		ok "an event at $far stops $verb" fails 65 "stands at position $far, where none can" ${verb%% *} --store odd.db ${verb#"${verb%% *}"}
	done
	like "$("$events" verify --store odd.db 2>/dev/null)" "^event $far.*stands where no event can" "verify names it"
done

"$events" import -q again.jsonl
like "$("$events" verify --head "${head^^}")" "^the hash of --head is that of event 4$" "which stays behind when events come"
status_is 65 "another head is another past" "$events" verify --head "${head//[0-8]/9}"
like "$(cat "$work/err")" "no event has the hash of --head" "and that is said"

"$events" fold --reduce '.state + 1' --initial 0 --snapshot-every 1 >/dev/null
count_snapshots() { "$events" query -f csv 'SELECT count(*) FROM snapshot' | sed -n '2s/\r//p'; }
is "$(count_snapshots)" 5 "a fold by hand leaves snapshots"
before=$("$events" export | sha256sum)
like "$("$events" compact)" "^events.db: [0-9.]+ KiB before, [0-9.]+ KiB now; every event stays, 5 snapshots are dropped$" "compact drops them, and tells the sizes"
is "$(count_snapshots)" 0 "they are gone"
is "$("$events" export | sha256sum)" "$before" "and keeps every event"
ok "with its hash" "$events" verify --head "$head"
status_is 74 "a full disk is told" bash -c '"$1" list >/dev/full' - "$events"

done_testing
